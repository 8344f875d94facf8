/**
 * Nobody inside a package imports the package's own entries, neither by path nor by name: what looks from outside like one value
 * would pull everything, and every such import closes a cycle. Tests stand outside.
 */
import { targetOf } from './import-graph.ts'
import { findingAt, type Module, type Rule, type Tree } from './tree.ts'

export const ownIndex: Rule = {
  name: 'own-index',
  check: tree =>
    tree.modules
      .filter(module => !module.isTest)
      .flatMap(module =>
        module.syntax.imports
          .filter(item => !item.reExport && importsOwnEntry(tree, module, targetOf(tree, module, item)))
          .map(item =>
            findingAt(module, item.start, `${item.specifier} is an entry of the package itself: import the file that has it`),
          ),
      ),
}

function importsOwnEntry(tree: Tree, module: Module, target: ReturnType<typeof targetOf>): boolean {
  if (target.kind === 'workspace') return target.manifest.workspace === module.workspace
  if (target.kind !== 'file') return false
  const own = tree.manifests.find(manifest => manifest.workspace === module.workspace)
  return [...(own?.entries.values() ?? [])].some(entry => `${module.workspace}/${entry}` === target.path)
}
