/** Every module of a package opens with what it is, and every exported function says what it takes, gives and throws. */
import { child, type SyntaxNode } from './syntax.ts'
import { type Finding, findingAt, type Module, type Rule } from './tree.ts'

/** Shorter ones are a label, not a sentence. */
const HEADER_MIN_CHARACTERS = 20

export const moduleHeader: Rule = {
  name: 'module-header',
  check: tree =>
    tree.modules
      .filter(isSource)
      .filter(module => !hasHeader(module))
      .map(missingHeader),
}

function isSource({ workspace, isTest, path }: Module): boolean {
  return workspace !== '' && !isTest && !path.endsWith('.d.ts')
}

function hasHeader({ syntax, text }: Module): boolean {
  const [first] = syntax.comments
  const start = text.startsWith('#!') ? text.indexOf('\n') + 1 : 0
  return first !== undefined && text.slice(start, first.start).trim() === '' && first.text.length >= HEADER_MIN_CHARACTERS
}

function missingHeader(module: Module): Finding {
  return findingAt(module, 0, 'no header comment that says what this module is')
}

export const docstrings: Rule = {
  name: 'docstrings',
  check: tree =>
    tree.modules
      .filter(module => isSource(module) && module.path.startsWith('packages/'))
      .flatMap(module =>
        module.syntax.statements.flatMap(statement => {
          const declared = statement.type === 'ExportNamedDeclaration' ? child(statement, 'declaration') : undefined
          if (declared?.type !== 'FunctionDeclaration' || hasDocstring(module, statement)) return []
          return [findingAt(module, statement.start, `exported ${String(child(declared, 'id')?.name)}() has no docstring`)]
        }),
      ),
}

function hasDocstring({ syntax, text }: Module, statement: SyntaxNode): boolean {
  return syntax.comments.some(
    ({ block, text: words, end, start }) =>
      block && words.startsWith('*') && start > 0 && end <= statement.start && text.slice(end, statement.start).trim() === '',
  )
}
