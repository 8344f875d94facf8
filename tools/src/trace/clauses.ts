/**
 * The clauses of the specification: list items `- **AK-08** …` of the chapters in docs/spec. What may stand before a number, the
 * prefixes, is whatever the chapters use, so that `UTF-8` or `ML-KEM-768` is a clause of nobody.
 */
import { type Finding, findingAt, lineAt, type TextFile } from '../tidy/tree.ts'

export interface Clause {
  /** `AK-08`. */
  readonly id: string
  /** `AK`. */
  readonly prefix: string
  /** 8. */
  readonly number: number
  /** The chapter that states it: `docs/spec/account-keys.md`. */
  readonly path: string
  readonly line: number
  /** True for the first clause under a heading. */
  readonly opensGroup: boolean
}

const HEADING_OR_CLAUSE = /^#+ .*$|^[-*] \*\*(([A-Z][A-Z0-9]*)-(\d{2,}))\*\*/gm

/** True for a chapter of the specification. */
export function isChapter({ path }: TextFile): boolean {
  return /^docs\/spec\/[^/]+\.md$/.test(path)
}

/** The clauses of one chapter in the order in which they stand. */
export function clausesOf(chapter: TextFile): Clause[] {
  const clauses: Clause[] = []
  let opensGroup = true
  for (const { index, 1: id, 2: prefix, 3: digits } of chapter.text.matchAll(HEADING_OR_CLAUSE)) {
    if (id === undefined || prefix === undefined) {
      opensGroup = true
      continue
    }
    const line = lineAt(chapter.text, index + 1)
    clauses.push({ id, prefix, number: Number(digits), path: chapter.path, line, opensGroup })
    opensGroup = false
  }
  return clauses
}

/** Clauses whose number is taken, or does not follow: numbers are cited from elsewhere, so a hole may be a clause that got lost. */
export function misnumbered(clauses: readonly Clause[]): Finding[] {
  const taken = new Map<string, Clause>()
  const last = new Map<string, number>()
  return clauses.flatMap(clause => {
    const { id, prefix, number, path, line, opensGroup } = clause
    const first = taken.get(id)
    if (first !== undefined) return [{ path, line, text: `${id} is taken, at ${first.path}:${first.line}` }]
    taken.set(id, clause)
    const before = last.get(`${path} ${prefix}`)
    last.set(`${path} ${prefix}`, number)
    if (before === undefined) return number === 1 ? [] : [{ path, line, text: `${id} is the first of its chapter, not 01` }]
    // A group under a heading of its own may begin higher, so that groups before it can grow.
    if (number === before + 1 || (opensGroup && number > before)) return []
    return [{ path, line, text: `${id} stands behind ${idOf(prefix, before)}; only a heading may leave numbers free` }]
  })
}

/** The name of a clause: two digits at least. */
export function idOf(prefix: string, number: number): string {
  return `${prefix}-${String(number).padStart(2, '0')}`
}

/** Chapters that state nothing that can be cited. */
export function withoutClauses(chapters: readonly TextFile[]): Finding[] {
  return chapters
    .filter(chapter => clausesOf(chapter).length === 0)
    .map(chapter => findingAt(chapter, 0, 'a chapter without a clause'))
}
