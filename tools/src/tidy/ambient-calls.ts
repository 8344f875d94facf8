/**
 * Time, timers, randomness, network, process and console have one owner each; everything else takes them as arguments. So a
 * simulator runs years of many devices from one seed, and a test never waits.
 */
import { bindingsOf } from './scope.ts'
import { child, children, isTypeNode, nameOf, type SyntaxNode, unwrap } from './syntax.ts'
import { type Finding, findingAt, isAmong, type Module, type Rule } from './tree.ts'

interface Ambient {
  /** Global names, or members of them: `Date.now`. `new Date` and `Date()` mean the calls that read the clock. */
  readonly names: readonly string[]
  /** Where they may be used besides the programs (the command line, benches, tools). */
  readonly places: readonly string[]
  readonly instead: string
}

const PROGRAMS = ['apps/', 'bench/', 'lab/', 'tools/']
const DAEMON = 'packages/node/src/main.ts'
const NATIVE_PLACES = ['packages/crypto/src/native/', 'packages/client/src/store/sqlite/', 'packages/node/', 'vectors/']

const AMBIENT: readonly Ambient[] = [
  {
    names: ['Date.now', 'new Date', 'Date()', 'performance'],
    places: ['packages/client/src/ports/clock.ts', 'packages/node/src/ports.ts'],
    instead: 'take a clock or `nowMs` as an argument',
  },
  {
    names: ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'AbortSignal.timeout'],
    places: ['packages/client/src/scheduler/system-timers.ts', 'packages/node/src/ports.ts'],
    instead: 'take timers as an argument',
  },
  {
    names: ['Math.random', 'crypto.getRandomValues', 'crypto.randomUUID', 'crypto.subtle'],
    places: ['packages/crypto/src/random.ts'],
    instead: 'take `random: Random` as an argument',
  },
  {
    names: ['fetch', 'WebSocket', 'XMLHttpRequest', 'EventSource'],
    places: ['packages/client/src/transport/direct.ts', 'packages/client/src/transport/direct/'],
    instead: 'take a transport as an argument',
  },
  { names: ['process'], places: [DAEMON], instead: 'take what it tells as an argument' },
  { names: ['console'], places: [DAEMON], instead: 'return it, or take a log as an argument' },
  { names: ['Buffer', 'require', '__dirname', '__filename'], places: NATIVE_PLACES, instead: 'it exists on Node only' },
  {
    names: ['window', 'document', 'navigator', 'localStorage', 'indexedDB'],
    places: ['packages/client/src/store/indexeddb/'],
    instead: 'it exists in browsers only',
  },
  { names: ['globalThis'], places: [], instead: 'name the member that is used' },
]

const GLOBAL_OBJECTS = new Set(['globalThis', 'self', 'global'])

export const ambientCalls: Rule = {
  name: 'ambient-calls',
  check: tree =>
    tree.modules
      .filter(module => !module.isTest && module.workspace !== '' && !isAmong(module.path, PROGRAMS))
      .flatMap(findingsOf),
}

function findingsOf(module: Module): Finding[] {
  const isBound = bindingsOf(module.syntax.nodes)
  return module.syntax.nodes.flatMap(node => {
    if (node.type !== 'Identifier' || !isReference(node) || isBound(nameOf(node) as string, node)) return []
    return usesOf(node).flatMap(name =>
      AMBIENT.filter(({ names, places }) => names.includes(name) && !isAmong(module.path, places)).map(({ instead }) =>
        findingAt(module, node.start, `${name}: ${instead}`),
      ),
    )
  })
}

/** The names under which a global is used here: `Date` in `Date.now()` is a use of `Date` and of `Date.now`. */
function usesOf(reference: SyntaxNode): string[] {
  const name = nameOf(reference) as string
  if (!GLOBAL_OBJECTS.has(name)) return [name, ...usesThrough(name, reference)]
  const members = memberNames(reference)
  return members.length === 0 ? ['globalThis'] : members.flatMap(({ key, node }) => [key, ...usesThrough(key, node)])
}

function usesThrough(name: string, node: SyntaxNode): string[] {
  const members = memberNames(node).map(({ key }) => `${name}.${key}`)
  const outer = outermost(node)
  const isCallee = outer.parent !== undefined && child(outer.parent, 'callee') === outer
  if (!isCallee || name !== 'Date') return members
  if (outer.parent?.type === 'CallExpression') return [...members, 'Date()']
  return children(outer.parent as SyntaxNode, 'arguments').length === 0 ? [...members, 'new Date'] : members
}

/** The member that is read of a node, by `.key`, `['key']` or `const { key } = node`. */
function memberNames(node: SyntaxNode): { key: string; node: SyntaxNode }[] {
  const object = outermost(node)
  const { parent } = object
  if (parent?.type === 'MemberExpression' && child(parent, 'object') === object) {
    const key = nameOf(child(parent, 'property'))
    return key === undefined ? [] : [{ key, node: parent }]
  }
  if (parent?.type !== 'VariableDeclarator') return []
  return children(child(parent, 'id') ?? parent, 'properties').flatMap(property => {
    const key = nameOf(child(property, 'key'))
    return key === undefined ? [] : [{ key, node: property }]
  })
}

function outermost(node: SyntaxNode): SyntaxNode {
  let outer = node
  while (outer.parent !== undefined && outer.parent !== unwrap(outer.parent)) outer = outer.parent
  return outer
}

/** False for a name that is no use of a variable: a property, a key, a label, an import, anything inside a type. */
function isReference(node: SyntaxNode): boolean {
  const { parent } = node
  if (parent === undefined || /^(Import|Export).*Specifier$|^(Labeled|Break|Continue)Statement$|^MetaProperty$/.test(parent.type))
    return false
  const isKey = child(parent, 'property') === node || (child(parent, 'key') === node && child(parent, 'value') !== node)
  if (isKey && parent.computed !== true && parent.shorthand !== true) return false
  for (let outer: SyntaxNode | undefined = node; outer !== undefined; outer = outer.parent) if (isTypeNode(outer)) return false
  return true
}
