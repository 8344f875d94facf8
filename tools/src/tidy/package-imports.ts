/**
 * Who may import whom, type-only imports included; what is not in the table is forbidden. Content (`protocol`) and delivery
 * (`network`) never meet but in the client, so that a storage node cannot read messages by its import graph.
 */
import { targetOf } from './import-graph.ts'
import { type Finding, findingAt, isAmong, type Module, type Rule, type Tree } from './tree.ts'

const ALL = ['encoding', 'crypto', 'protocol', 'network', 'interop', 'client', 'node'].map(name => `packages/${name}`)

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'packages/encoding': [],
  'packages/crypto': ['packages/encoding'],
  'packages/protocol': ['packages/encoding', 'packages/crypto'],
  'packages/network': ['packages/encoding', 'packages/crypto'],
  'packages/interop': ['packages/encoding', 'packages/crypto', 'packages/protocol', 'packages/network'],
  'packages/client': ['packages/encoding', 'packages/crypto', 'packages/protocol', 'packages/network'],
  'packages/node': ['packages/encoding', 'packages/crypto', 'packages/network'],
  'apps/cli': ['packages/client'],
  'apps/web': ['packages/client'],
  bench: [...ALL, 'vectors'],
  lab: [...ALL, 'vectors'],
  tools: [],
  vectors: [],
}

/** Imports that only some files of a workspace may make. */
const ONLY_FROM: readonly { readonly target: string; readonly from: readonly string[] }[] = [
  { target: 'packages/interop', from: ['apps/cli/src/commands/interop.ts', 'apps/cli/src/interop/'] },
  {
    target: 'packages/node',
    from: [
      'apps/cli/src/commands/network.ts',
      'apps/cli/src/commands/node.ts',
      'apps/cli/src/network/',
      'apps/cli/src/node/',
      'apps/cli/src/demo/',
    ],
  },
]

/** What tests share without being a package: known answers, and how the longer fuzz run judges time. */
const FOR_TESTS = ['vectors', 'tools']

/** Tests may import any package, and what is made for tests: a client is tested against real nodes. */
export const packageImports: Rule = {
  name: 'package-imports',
  check: tree => tree.modules.filter(module => module.workspace !== '').flatMap(module => findingsOf(tree, module)),
}

function findingsOf(tree: Tree, module: Module): Finding[] {
  const allowed = MAY_IMPORT[module.workspace]
  if (allowed === undefined) return [findingAt(module, 0, `${module.workspace} is not in the table of who may import whom`)]
  return module.syntax.imports.flatMap(item => {
    const target = targetOf(tree, module, item)
    if (target.kind === 'file' && !target.path.startsWith(`${module.workspace}/`)) {
      return [findingAt(module, item.start, `${item.specifier} leaves the package: import the other one by its name`)]
    }
    if (target.kind !== 'workspace' || target.manifest.workspace === module.workspace) return []
    const to = target.manifest.workspace
    if (module.isTest ? to.startsWith('packages/') || FOR_TESTS.includes(to) : mayImport(module.path, to, allowed)) return []
    return [findingAt(module, item.start, `${module.workspace} may not import ${to}${hint(to)}`)]
  })
}

function mayImport(path: string, to: string, allowed: readonly string[]): boolean {
  return allowed.includes(to) || ONLY_FROM.some(({ target, from }) => target === to && isAmong(path, from))
}

function hint(to: string): string {
  const row = ONLY_FROM.find(({ target }) => target === to)
  return row === undefined ? '' : ` here, only from ${row.from.join(', ')}`
}
