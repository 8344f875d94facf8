/** A file is read in one go, a function is seen at once: limits on the lines of both, tests included. */
import type { SyntaxNode } from './syntax.ts'
import { type Finding, findingAt, lineAt, type Module, type Rule } from './tree.ts'

const FILE_MAX_LINES = 400
const FUNCTION_MAX_LINES = 70

/** Tables of constants, which nobody reads in one go. */
const DATA_FILES = ['packages/protocol/src/recovery-password/words-english.ts']

export const fileSize: Rule = {
  name: 'file-size',
  check: tree =>
    tree.modules
      .filter(({ path }) => !DATA_FILES.includes(path))
      .flatMap(module => {
        const lines = lineAt(module.text.trimEnd(), module.text.length)
        return lines > FILE_MAX_LINES ? [findingAt(module, 0, `${lines} lines, at most ${FILE_MAX_LINES}`)] : []
      }),
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

export const functionSize: Rule = {
  name: 'function-size',
  check: tree =>
    tree.modules.flatMap(module =>
      module.syntax.nodes.filter(node => FUNCTIONS.has(node.type)).flatMap(node => tooLong(module, node)),
    ),
}

function tooLong(module: Module, node: SyntaxNode): Finding[] {
  const lines = lineAt(module.text, node.end) - lineAt(module.text, node.start) + 1
  return lines > FUNCTION_MAX_LINES ? [findingAt(module, node.start, `${lines} lines, at most ${FUNCTION_MAX_LINES}`)] : []
}
