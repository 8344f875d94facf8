/** Named exports only: one name for a thing everywhere, and found by searching for it. `export *` names nothing either. */
import { child } from './syntax.ts'
import { findingAt, type Rule } from './tree.ts'

/** Read by programs that look for a default export, or saying what such a program exports. */
const DEFAULT_EXPORTS = [
  'vitest.config.ts',
  'tools/mutation/vitest.config.ts',
  'tools/src/plain-reporter.ts',
  'packages/node/src/outgoing/undici-parts.d.ts',
]

export const namedExports: Rule = {
  name: 'named-exports',
  check: tree =>
    tree.modules
      .filter(module => !DEFAULT_EXPORTS.includes(module.path))
      .flatMap(module =>
        module.syntax.nodes
          .filter(node => /^(ExportDefaultDeclaration|ExportAllDeclaration|TSExportAssignment)$/.test(node.type))
          .filter(node => child(node, 'exported') === undefined)
          .map(node => findingAt(module, node.start, 'export what it is by its name')),
      ),
}
