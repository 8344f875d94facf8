/**
 * Inside a package folders are ordered, and a file imports only what stands before its own folder. Files at the top that are not
 * named here (errors, ports) stand with the first group. Folders of one group are equals: one may import the other, never both ways.
 */
import { targetOf } from './import-graph.ts'
import { type Finding, findingAt, type Module, type Rule, type Tree } from './tree.ts'

/** From the first to the last. A string is a group of its own. */
const ORDER: Readonly<Record<string, readonly (string | readonly string[])[]>> = {
  'packages/protocol': [
    'account',
    'recovery-password',
    'content',
    ['message-v1', 'account-keys'],
    'message-v2',
    'device-keys',
    ['device-group', 'config', 'group'],
    'device-link',
    'device-states',
    'history-transfer',
    'message.ts',
  ],
  'packages/network': ['namespace.ts', 'service-node.ts', 'swarm', 'subaccount', 'storage-rpc', 'onion-request'],
  'packages/client': [
    'ports',
    'scheduler',
    ['store', 'transport', 'events'],
    'settings.ts',
    'routing',
    'keys',
    ['devices', 'sync', 'messages'],
    'history',
    'conversations',
    'backup',
    'client-parts.ts',
    'client-types.ts',
    'client.ts',
    'testing',
  ],
  'packages/node': [
    'config',
    'operations',
    ['store', 'registry', 'outgoing'],
    ['swarm', 'reachability'],
    'expiry-sweep.ts',
    'rpc',
    ['relay', 'monitor'],
    'http',
    ['node.ts', 'seed.ts'],
    ['local-network.ts', 'start-node.ts'],
    'main.ts',
  ],
}

export const folderOrder: Rule = {
  name: 'folder-order',
  check: tree => [...unplaced(tree), ...backwards(tree), ...bothWays(tree)],
}

function ordered(tree: Tree): Module[] {
  return tree.modules.filter(module => module.workspace in ORDER && module.inside.startsWith('src/') && !isEntry(tree, module))
}

/** The entries of a package see all of it. */
function isEntry(tree: Tree, { workspace, inside }: Module): boolean {
  return tree.manifests.some(manifest => manifest.workspace === workspace && [...manifest.entries.values()].includes(inside))
}

/** The folder under src, or the file when it lies there itself. */
function placeOf(path: string): string {
  return /\/src\/([^/]+)/.exec(path)?.[1] ?? ''
}

function rankOf(workspace: string, place: string): number {
  if (place.endsWith('.ts') && !(ORDER[workspace] ?? []).flat().includes(place)) return 0
  return (ORDER[workspace] ?? []).findIndex(group => (typeof group === 'string' ? group === place : group.includes(place)))
}

function unplaced(tree: Tree): Finding[] {
  const missing = ordered(tree).filter(({ workspace, path }) => {
    return rankOf(workspace, placeOf(path)) === -1
  })
  return missing.map(module =>
    findingAt(module, 0, `the folder ${placeOf(module.path)} has no place in the order of ${module.workspace}`),
  )
}

interface Step {
  readonly module: Module
  readonly start: number
  readonly from: string
  readonly to: string
}

function stepsInside(tree: Tree): Step[] {
  return ordered(tree).flatMap(module =>
    module.syntax.imports.flatMap(item => {
      const target = targetOf(tree, module, item)
      if (target.kind !== 'file' || !target.path.startsWith(`${module.workspace}/src/`)) return []
      return [{ module, start: item.start, from: placeOf(module.path), to: placeOf(target.path) }]
    }),
  )
}

function backwards(tree: Tree): Finding[] {
  return stepsInside(tree)
    .filter(({ module: { workspace }, from, to }) => {
      const rank = rankOf(workspace, from)
      return rank !== -1 && rank < rankOf(workspace, to)
    })
    .map(({ module, start, from, to }) => findingAt(module, start, `${to} stands after ${from}`))
}

function bothWays(tree: Tree): Finding[] {
  const steps = stepsInside(tree).filter(({ from, to }) => from !== to)
  const taken = new Set(steps.map(({ module, from, to }) => `${module.workspace} ${from} ${to}`))
  return steps
    .filter(({ module, from, to }) => from < to && rankOf(module.workspace, from) === rankOf(module.workspace, to))
    .filter(({ module, from, to }) => !from.endsWith('.ts') && taken.has(`${module.workspace} ${to} ${from}`))
    .map(({ module, start, from, to }) => findingAt(module, start, `${from} and ${to} import each other`))
}
