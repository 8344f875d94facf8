/** Where clauses are cited: `AK-08` alone, or all from one to another with `AK-08 to AK-10`, also across the lines of a comment. */
import { parseModule } from '../tidy/syntax.ts'
import { lineAt, type TextFile } from '../tidy/tree.ts'

/** One clause cited, or both ends of a range. */
export interface Citation {
  readonly path: string
  readonly line: number
  readonly prefix: string
  /** As written: `AK-08`. */
  readonly from: string
  /** The same as `from` for a single clause. */
  readonly to: string
}

/** Finds the citations in a text, of clauses with the given prefixes only. */
export type CitationFinder = (file: TextFile) => Citation[]

/** A finder for these prefixes. A longer word that only ends or begins like a clause (`X-AK-08`, `AK-08-b`) is none. */
export function citationFinder(prefixes: readonly string[]): CitationFinder {
  const id = `(${prefixes.join('|')})-\\d+(?![\\w-])`
  const pattern = new RegExp(`(?<![\\w-])(?<from>${id})(?:[\\s/*]+to[\\s/*]+(?<to>\\2-\\d+)(?![\\w-]))?`, 'g')
  return ({ path, text }) =>
    [...text.matchAll(pattern)].map(({ index, groups, 2: prefix = '' }) => {
      const from = groups?.from ?? ''
      return { path, line: lineAt(text, index + 1), prefix, from, to: groups?.to ?? from }
    })
}

/** The number of a clause: 8 for `AK-08`. */
export function numberOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1))
}

/** True for the code that clauses bind: the sources of packages and programs. */
export function isSource({ path }: TextFile): boolean {
  return /^(packages|apps)\/[^/]+\/src\/.*\.ts$/.test(path)
}

/** True for what runs in tests: those of packages and programs, and what they share. */
export function isTest({ path }: TextFile): boolean {
  return (
    /^(packages|apps|vectors)\/[^/]+\/.*\.ts$/.test(path) && /\/test\//.test(path) && !path.startsWith('vectors/test/generate/')
  )
}

/** True for a file of known answers. */
export function isVector({ path }: TextFile): boolean {
  return /^vectors\/[^/]+\/[^/]+\.json$/.test(path)
}

/** The comments of a module where they stand, and blanks for its code: what a name or a string says is no claim. */
export function commentsOf({ path, text }: TextFile): TextFile {
  const { comments } = parseModule(path, text)
  const blank = text.replace(/[^\n]/g, ' ')
  let covered = 0
  let result = ''
  for (const { start, end } of comments) {
    result += blank.slice(covered, start) + text.slice(start, end)
    covered = end
  }
  return { path, text: result + blank.slice(covered) }
}

/** The `clause` fields of a vector, one a line. Throws a SyntaxError when the file is no JSON. */
export function clauseFieldsOf({ path, text }: TextFile): TextFile {
  const fields: string[] = []
  JSON.parse(text, (key, value: unknown) => {
    if (key === 'clause' && typeof value === 'string') fields.push(value)
    return value
  })
  return { path, text: fields.join('\n') }
}
