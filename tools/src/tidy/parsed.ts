/** What the parser cannot read, or an import whose target is computed, is a finding: the other rules would be blind to it. */
import { findingAt, type Rule } from './tree.ts'

export const parsed: Rule = {
  name: 'parsed',
  check: tree =>
    tree.modules.flatMap(module => [
      ...module.syntax.errors.map(error => findingAt(module, 0, error)),
      ...module.syntax.computedImports.map(start => findingAt(module, start, 'a computed import cannot be checked')),
    ]),
}
