/**
 * Which names a module binds where: enough of scoping to tell the global `fetch` from a parameter that is called `fetch`.
 * A binding is visible in the whole function, block or module that surrounds it; hoisting needs no more.
 */
import { child, children, nameOf, type SyntaxNode } from './syntax.ts'

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
const SCOPES = new Set([
  ...FUNCTIONS,
  'Program',
  'BlockStatement',
  'ForStatement',
  'ForOfStatement',
  'ForInStatement',
  'CatchClause',
  'SwitchStatement',
])

/** A function that tells whether the module itself binds the name that `reference` uses. */
export function bindingsOf(nodes: readonly SyntaxNode[]): (name: string, reference: SyntaxNode) => boolean {
  const scopes = new Map<string, SyntaxNode[]>()
  for (const node of nodes) {
    for (const [name, scope] of boundBy(node)) scopes.set(name, [...(scopes.get(name) ?? []), scope])
  }
  return (name, reference) => (scopes.get(name) ?? []).some(scope => scope.start <= reference.start && reference.end <= scope.end)
}

function boundBy(node: SyntaxNode): [string, SyntaxNode][] {
  const outer = scopeAround(node)
  if (node.type === 'VariableDeclarator') return patternNames(child(node, 'id')).map(name => [name, outer])
  if (node.type === 'CatchClause') return patternNames(child(node, 'param')).map(name => [name, node])
  if (/^Import(Default|Namespace)?Specifier$/.test(node.type))
    return patternNames(child(node, 'local')).map(name => [name, outer])
  if (node.type === 'ClassDeclaration') return patternNames(child(node, 'id')).map(name => [name, outer])
  if (!FUNCTIONS.has(node.type)) return []
  const parameters = children(node, 'params').flatMap(patternNames)
  const bound: [string, SyntaxNode][] = parameters.map(name => [name, node])
  if (node.type === 'FunctionDeclaration') for (const name of patternNames(child(node, 'id'))) bound.push([name, outer])
  return bound
}

function scopeAround(node: SyntaxNode): SyntaxNode {
  let scope = node.parent
  while (scope?.parent !== undefined && !SCOPES.has(scope.type)) scope = scope.parent
  return scope ?? node
}

function patternNames(pattern: SyntaxNode | undefined): string[] {
  if (pattern === undefined) return []
  if (pattern.type === 'Identifier') return [nameOf(pattern) as string]
  if (pattern.type === 'AssignmentPattern') return patternNames(child(pattern, 'left'))
  if (pattern.type === 'RestElement') return patternNames(child(pattern, 'argument'))
  if (pattern.type === 'Property') return patternNames(child(pattern, 'value'))
  if (pattern.type === 'ArrayPattern') return children(pattern, 'elements').flatMap(patternNames)
  return children(pattern, 'properties').flatMap(patternNames)
}
