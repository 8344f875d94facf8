/** All rules of form, in the order in which their findings are printed. */
import { ambientCalls } from './ambient-calls.ts'
import { barrels } from './barrels.ts'
import { deepImports } from './deep-imports.ts'
import { declaredDependencies, forbiddenDependencies, lockfileHosts, nodeImports, pinnedVersions } from './dependencies.ts'
import { docstrings, moduleHeader } from './documentation.ts'
import { exportedNames } from './exported-names.ts'
import { folderOrder } from './folder-order.ts'
import { importCycles } from './import-cycles.ts'
import { namedExports } from './named-exports.ts'
import { nodeLabels } from './node-labels.ts'
import { ownIndex } from './own-index.ts'
import { packageImports } from './package-imports.ts'
import { parsed } from './parsed.ts'
import { pathNames } from './path-names.ts'
import { secretComparison } from './secret-comparison.ts'
import { fileSize, functionSize } from './size.ts'
import { disabledTests } from './tests.ts'
import type { Rule } from './tree.ts'
import { selfContained, unfinished } from './wording.ts'

export const RULES: readonly Rule[] = [
  parsed,
  packageImports,
  deepImports,
  ownIndex,
  barrels,
  folderOrder,
  importCycles,
  nodeLabels,
  ambientCalls,
  nodeImports,
  forbiddenDependencies,
  declaredDependencies,
  pinnedVersions,
  lockfileHosts,
  secretComparison,
  moduleHeader,
  docstrings,
  namedExports,
  exportedNames,
  pathNames,
  fileSize,
  functionSize,
  disabledTests,
  unfinished,
  selfContained,
]
