/**
 * The syntax of one TypeScript module, as the rules want to see it: the tree with parents, what it imports, which names it binds
 * where, and its comments. Rules look at syntax and never at text, so that a comment or a string is no false finding.
 */
import { parseSync } from 'rolldown/utils'

/** A node of the ESTree, with TypeScript's nodes; children are found by their kind, not by a type per node. */
export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly parent: SyntaxNode | undefined
  readonly [key: string]: unknown
}

export interface Comment {
  readonly text: string
  readonly start: number
  readonly end: number
  readonly block: boolean
}

/** One module named by another, in whatever form: import, re-export, dynamic import, import type. */
export interface Import {
  readonly specifier: string
  readonly start: number
  readonly reExport: boolean
}

export interface Syntax {
  readonly nodes: readonly SyntaxNode[]
  readonly statements: readonly SyntaxNode[]
  readonly comments: readonly Comment[]
  readonly imports: readonly Import[]
  /** Where a module is imported whose name is computed, so that nothing can be said about it. */
  readonly computedImports: readonly number[]
  /** What the parser could not read; a file with errors is a finding by itself. */
  readonly errors: readonly string[]
}

/** Parses one module. Never throws: errors are in the result. */
export function parseModule(path: string, text: string): Syntax {
  const { program, comments, errors } = parseSync(path, text, { lang: 'ts', sourceType: 'module' })
  const nodes: SyntaxNode[] = []
  collect(program, undefined, nodes)
  return {
    nodes,
    statements: program.body as unknown as SyntaxNode[],
    comments: comments.map(({ type, value, start, end }) => ({ text: value, start, end, block: type === 'Block' })),
    imports: nodes.flatMap(node => importOf(node, nodes)),
    computedImports: nodes.filter(node => isImporting(node) && specifierOf(node, nodes) === undefined).map(node => node.start),
    errors: errors.map(error => error.message),
  }
}

function collect(value: unknown, parent: SyntaxNode | undefined, into: SyntaxNode[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, parent, into)
    return
  }
  if (!isNode(value)) return
  Object.defineProperty(value, 'parent', { value: parent, enumerable: false })
  into.push(value)
  for (const child of Object.values(value)) collect(child, value, into)
}

/** True for a node; `undefined`, `null`, plain values and lists are none. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}

/** The child of a node under `key`, if it is one node. */
export function child(node: SyntaxNode, key: string): SyntaxNode | undefined {
  const value = node[key]
  return isNode(value) ? value : undefined
}

/** The children of a node under `key`, if it is a list of nodes; holes are left out. */
export function children(node: SyntaxNode, key: string): SyntaxNode[] {
  const value = node[key]
  return Array.isArray(value) ? value.filter(isNode) : []
}

/** The name of an identifier, or the text of a string used as a name. */
export function nameOf(node: SyntaxNode | undefined): string | undefined {
  const name = node?.name ?? node?.value
  return typeof name === 'string' ? name : undefined
}

/** The wrappers that change a value's type only. */
const TYPE_WRAPPERS = new Set(['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression', 'TSTypeAssertion'])
const VALUE_WRAPPERS = new Set([...TYPE_WRAPPERS, 'ChainExpression', 'ParenthesizedExpression', 'AwaitExpression'])

/** True when the node belongs to a type, so that nothing of it runs. */
export function isTypeNode(node: SyntaxNode): boolean {
  return (
    node.type.startsWith('TS') && !TYPE_WRAPPERS.has(node.type) && !/^TS(Export|Instantiation|ParameterProperty)/.test(node.type)
  )
}

/** The expression inside parentheses, `as`, `!`, `?.` and `await`. */
export function unwrap(node: SyntaxNode): SyntaxNode {
  let inner = node
  while (VALUE_WRAPPERS.has(inner.type)) inner = child(inner, 'expression') ?? (child(inner, 'argument') as SyntaxNode)
  return inner
}

const IMPORTING = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
])

function isImporting(node: SyntaxNode): boolean {
  return IMPORTING.has(node.type) && child(node, 'source') !== undefined
}

function importOf(node: SyntaxNode, nodes: readonly SyntaxNode[]): Import[] {
  const specifier = isImporting(node) ? specifierOf(node, nodes) : undefined
  return specifier === undefined ? [] : [{ specifier, start: node.start, reExport: node.type.startsWith('Export') }]
}

/** The text in the import, or that of the constant named there. */
function specifierOf(node: SyntaxNode, nodes: readonly SyntaxNode[]): string | undefined {
  const source = child(node, 'source') as SyntaxNode
  if (source.type !== 'Identifier') return textOf(source)
  const named = nodes.find(other => other.type === 'VariableDeclarator' && nameOf(child(other, 'id')) === nameOf(source))
  return named?.parent?.kind === 'const' ? textOf(child(named, 'init')) : undefined
}

function textOf(node: SyntaxNode | undefined): string | undefined {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined
}
