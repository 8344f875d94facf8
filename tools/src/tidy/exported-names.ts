/** Exported names say what a thing is. These words say nothing, and are where code without a place collects. */
import { child, children, nameOf, type SyntaxNode } from './syntax.ts'
import { findingAt, type Rule } from './tree.ts'

const FORBIDDEN: readonly { readonly pattern: RegExp; readonly reason: string; readonly except?: RegExp }[] = [
  { pattern: /(^|[^a-zA-Z])manager|Manager(?![a-z])/, reason: '"manager" names no noun of the specification' },
  { pattern: /(^|[^a-zA-Z])helper|Helpers?(?![a-z])/, reason: '"helper" does not say what it helps with' },
  { pattern: /^utils?(?![a-z])|Utils?(?![a-z])/, reason: '"util" names nothing' },
  { pattern: /^(handle|process)[A-Z]/, reason: '"handle" and "process" do not say what happens' },
  // `info` is a method of the storage RPC.
  { pattern: /^(data|info)$/, reason: 'everything is data', except: /\/(methods|handlers)\/info\.ts$/ },
]

export const exportedNames: Rule = {
  name: 'exported-names',
  check: tree =>
    tree.modules.flatMap(module =>
      module.syntax.statements
        .filter(statement => statement.type === 'ExportNamedDeclaration')
        .flatMap(namesOf)
        .flatMap(({ name, node }) =>
          FORBIDDEN.filter(({ pattern, except }) => pattern.test(name) && except?.test(module.path) !== true).map(({ reason }) =>
            findingAt(module, node.start, `${name}: ${reason}`),
          ),
        ),
    ),
}

function namesOf(statement: SyntaxNode): { name: string; node: SyntaxNode }[] {
  const declaration = child(statement, 'declaration')
  const named = [
    ...children(statement, 'specifiers').map(node => child(node, 'exported')),
    ...(declaration === undefined ? [] : [child(declaration, 'id')]),
    ...(declaration === undefined ? [] : children(declaration, 'declarations').map(node => child(node, 'id'))),
  ]
  return named.flatMap(node => {
    const name = nameOf(node)
    return node === undefined || name === undefined ? [] : [{ name, node }]
  })
}
