/**
 * Secrets are compared with `Secret.equals` or `constantTimeEqual`. Comparing what `.expose()` returns with `===` compares
 * references, comparing it byte by byte or as text leaks by its timing how much was right.
 */
import { child, children, nameOf, type SyntaxNode, unwrap } from './syntax.ts'
import { findingAt, type Rule } from './tree.ts'

const EQUALITY = new Set(['===', '!==', '==', '!='])
/** For public values: it stops at the first difference. */
const PUBLIC_EQUALITY = 'equalBytes'

export const secretComparison: Rule = {
  name: 'secret-comparison',
  check: tree =>
    tree.modules
      .filter(module => !module.isTest)
      .flatMap(module =>
        module.syntax.nodes
          .filter(comparesSecret)
          .map(node =>
            findingAt(module, node.start, 'compares a secret in variable time: use constantTimeEqual or Secret.equals'),
          ),
      ),
}

function comparesSecret(node: SyntaxNode): boolean {
  if (node.type === 'BinaryExpression' && EQUALITY.has(String(node.operator))) {
    return [child(node, 'left'), child(node, 'right')].some(side => side !== undefined && isSecret(side))
  }
  if (node.type !== 'CallExpression' || nameOf(child(node, 'callee')) !== PUBLIC_EQUALITY) return false
  return children(node, 'arguments').some(isSecret)
}

/** What `.expose()` returned, one byte of it, or something made from it by a call; not its length. */
function isSecret(expression: SyntaxNode): boolean {
  const value = unwrap(expression)
  if (value.type === 'MemberExpression') return value.computed === true && isSecret(child(value, 'object') as SyntaxNode)
  if (value.type !== 'CallExpression') return false
  const callee = unwrap(child(value, 'callee') as SyntaxNode)
  if (callee.type !== 'MemberExpression') return children(value, 'arguments').some(isSecret)
  return nameOf(child(callee, 'property')) === 'expose' || isSecret(child(callee, 'object') as SyntaxNode)
}
