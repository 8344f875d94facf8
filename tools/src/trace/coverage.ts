/** Who implements and who tests each clause, and what is wrong about it. Pure: made from paths and texts. */
import type { Finding, TextFile } from '../tidy/tree.ts'
import { type Citation, citationFinder, clauseFieldsOf, commentsOf, isSource, isTest, isVector, numberOf } from './citations.ts'
import { type Clause, clausesOf, isChapter, misnumbered, withoutClauses } from './clauses.ts'

/** A clause with the files that cite it, sorted. */
export interface Coverage {
  readonly clause: Clause
  readonly implementedIn: readonly string[]
  readonly testedIn: readonly string[]
}

export interface Trace {
  readonly chapters: number
  readonly coverage: readonly Coverage[]
  readonly findings: readonly Finding[]
}

/** Traces the clauses of all chapters among `files` through the others. */
export function traceOf(files: readonly TextFile[]): Trace {
  const chapters = files.filter(isChapter)
  const clauses = chapters.flatMap(clausesOf)
  if (clauses.length === 0) return { chapters: chapters.length, coverage: [], findings: withoutClauses(chapters) }
  const find = citationFinder([...new Set(clauses.map(({ prefix }) => prefix))])
  const citing = (texts: readonly TextFile[]) => citedBy(clauses, texts.flatMap(find))
  const implementing = citing(files.filter(isSource).map(commentsOf))
  const testing = citing([...files.filter(isTest), ...files.filter(isVector).map(clauseFieldsOf)])
  const coverage = clauses.map(clause => ({
    clause,
    implementedIn: [...(implementing.get(clause.id) ?? [])].sort(),
    testedIn: [...(testing.get(clause.id) ?? [])].sort(),
  }))
  const findings = [
    ...withoutClauses(chapters),
    ...misnumbered(clauses),
    ...uncited(coverage),
    ...unfounded(clauses, files.flatMap(find)),
  ]
  return { chapters: chapters.length, coverage, findings }
}

function citedBy(clauses: readonly Clause[], citations: readonly Citation[]): Map<string, Set<string>> {
  const paths = new Map(clauses.map(({ id }) => [id, new Set<string>()]))
  for (const citation of citations) for (const { id } of clausesIn(clauses, citation)) paths.get(id)?.add(citation.path)
  return paths
}

/** The clauses that a citation names; of a range all that exist. */
function clausesIn(clauses: readonly Clause[], { prefix, from, to }: Citation): Clause[] {
  if (from === to) return clauses.filter(({ id }) => id === from)
  return clauses.filter(clause => {
    return clause.prefix === prefix && numberOf(from) <= clause.number && clause.number <= numberOf(to)
  })
}

function uncited(coverage: readonly Coverage[]): Finding[] {
  return coverage.flatMap(({ clause: { id, path, line }, implementedIn, testedIn }) => [
    ...(implementedIn.length === 0 ? [{ path, line, text: `${id} is cited by no code` }] : []),
    ...(testedIn.length === 0 ? [{ path, line, text: `${id} is cited by no test and no vector` }] : []),
  ])
}

/** Citations of clauses that nobody states. */
function unfounded(clauses: readonly Clause[], citations: readonly Citation[]): Finding[] {
  const stated = new Set(clauses.map(({ id }) => id))
  return citations.flatMap(({ path, line, from, to }) => {
    const missing = [...new Set([from, to])].filter(id => !stated.has(id))
    if (missing.length > 0) return missing.map(id => ({ path, line, text: `${id} is no clause` }))
    return numberOf(from) <= numberOf(to) ? [] : [{ path, line, text: `${from} to ${to} runs backwards` }]
  })
}
