/** Where an import leads: another file of the same package, an entry of a workspace, a module of Node, or a library. */
import { posix } from 'node:path'
import type { Import } from './syntax.ts'
import type { Manifest, Module, Tree } from './tree.ts'

export type Target =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'workspace'; readonly manifest: Manifest; readonly subpath: string; readonly entry: string | undefined }
  | { readonly kind: 'node' }
  | { readonly kind: 'library'; readonly name: string }

/** The target of an import. A relative one is not checked to exist: the compiler does that. */
export function targetOf(tree: Tree, module: Module, { specifier }: Import): Target {
  if (specifier.startsWith('.')) return { kind: 'file', path: posix.join(posix.dirname(module.path), specifier) }
  if (specifier.startsWith('node:')) return { kind: 'node' }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  const manifest = tree.manifests.find(candidate => candidate.name === name && candidate.workspace !== '')
  if (manifest === undefined) return { kind: 'library', name }
  const subpath = `.${specifier.slice(name.length)}`
  const source = manifest.entries.get(subpath)
  return { kind: 'workspace', manifest, subpath, entry: source && `${manifest.workspace}/${source}` }
}

/** The files of the tree that each module imports directly, across packages too; type-only imports count. */
export function importEdges(tree: Tree): Map<string, string[]> {
  const known = new Set(tree.modules.map(module => module.path))
  const edges = new Map<string, string[]>()
  for (const module of tree.modules) {
    const paths = module.syntax.imports.map(item => pathOf(targetOf(tree, module, item)))
    edges.set(module.path, [...new Set(paths.filter(path => path !== undefined && known.has(path)) as string[])])
  }
  return edges
}

function pathOf(target: Target): string | undefined {
  if (target.kind === 'file') return target.path
  return target.kind === 'workspace' ? target.entry : undefined
}
