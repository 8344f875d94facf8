/** A package is imported by its name or by an entry that its package.json offers, never by a path into it. */
import { targetOf } from './import-graph.ts'
import { findingAt, type Rule } from './tree.ts'

export const deepImports: Rule = {
  name: 'deep-imports',
  check: tree =>
    tree.modules.flatMap(module =>
      module.syntax.imports.flatMap(item => {
        const target = targetOf(tree, module, item)
        if (target.kind !== 'workspace' || target.entry !== undefined) return []
        return [findingAt(module, item.start, `${item.specifier} is no entry of ${target.manifest.name}`)]
      }),
    ),
}
