/** Re-exports belong to the entries of a package. A barrel anywhere else hides where things are, and makes cycles easy. */
import { findingAt, type Rule } from './tree.ts'

export const barrels: Rule = {
  name: 'barrels',
  check: tree => {
    const entries = new Set(
      tree.manifests.flatMap(({ workspace, entries }) => [...entries.values()].map(entry => `${workspace}/${entry}`)),
    )
    return tree.modules
      .filter(module => !entries.has(module.path))
      .flatMap(module =>
        module.syntax.imports
          .filter(item => item.reExport)
          .map(item => findingAt(module, item.start, `re-exports ${item.specifier}: only an entry of a package does`)),
      )
  },
}
