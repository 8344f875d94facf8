/** What a run of the mutants came to: the score, the counts, and each mutant that no test noticed. Pure: made from Stryker's report. */

/** The parts of Stryker's report (mutation-testing-report-schema 2) that are read. */
export interface MutationReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>
}

export interface Mutant {
  readonly status: string
  readonly statusReason?: string
  readonly replacement?: string
  /** Lines and columns from 1; the end is exclusive. */
  readonly location: { readonly start: Position; readonly end: Position }
}

interface Position {
  readonly line: number
  readonly column: number
}

/** A mutant as a reader sees it. Line numbers move with every change above: `before` and `after` say which it is. */
export interface Survivor {
  readonly file: string
  readonly line: number
  /** The line that was changed, or the first of them, without indentation. */
  readonly before: string
  readonly after: string
}

export interface MutationSummary {
  readonly chapter: string
  /** Percent of the mutants that were noticed, rounded down to hundredths. */
  readonly score: number
  readonly counts: Counts
  readonly survivors: readonly Survivor[]
  /** Counted as noticed; on a busy machine one may only have been slow. */
  readonly timeouts: readonly Survivor[]
}

/**
 * `killed`: a test failed. `unloadable`: a test file did not even load. `timedOut`: the tests did not end. `survived`: all tests
 * passed. `uncovered`: no test runs that code. `invalid`: nothing can be said of it.
 */
export interface Counts {
  killed: number
  unloadable: number
  timedOut: number
  survived: number
  uncovered: number
  invalid: number
}

/** How the runner says that something failed which is no test: see `loadFailures` in tools/mutation/vitest.config.ts. */
const OUTSIDE_OF_TESTS = 'An error occurred outside of a test run'

/** The summary of a report. @throws Error when nothing was mutated */
export function summaryOf(chapter: string, { files }: MutationReport): MutationSummary {
  const counts: Counts = { killed: 0, unloadable: 0, timedOut: 0, survived: 0, uncovered: 0, invalid: 0 }
  const survivors: Survivor[] = []
  const timeouts: Survivor[] = []
  for (const [file, { source, mutants }] of Object.entries(files)) {
    for (const mutant of mutants) {
      const fate = fateOf(mutant)
      counts[fate] += 1
      if (fate === 'survived' || fate === 'uncovered') survivors.push(survivorOf(file, source.split('\n'), mutant))
      if (fate === 'timedOut') timeouts.push(survivorOf(file, source.split('\n'), mutant))
    }
  }
  const noticed = counts.killed + counts.unloadable + counts.timedOut
  const judged = noticed + survivors.length
  if (judged === 0) throw new Error(`nothing was mutated in the chapter ${chapter}`)
  const score = Math.floor((noticed / judged) * 10_000) / 100
  return { chapter, score, counts, survivors: survivors.sort(byPlace), timeouts: timeouts.sort(byPlace) }
}

function byPlace(a: Survivor, b: Survivor): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line
}

function fateOf({ status, statusReason = '' }: Mutant): keyof Counts {
  if (status === 'Killed') return 'killed'
  if (status === 'Timeout') return 'timedOut'
  if (status === 'Survived') return 'survived'
  if (status === 'NoCoverage') return 'uncovered'
  return status === 'RuntimeError' && statusReason.startsWith(OUTSIDE_OF_TESTS) ? 'unloadable' : 'invalid'
}

function survivorOf(file: string, lines: readonly string[], { location: { start, end }, replacement = '' }: Mutant): Survivor {
  const first = lines[start.line - 1] ?? ''
  const last = lines[end.line - 1] ?? ''
  const changed = `${first.slice(0, start.column - 1)}${replacement}${last.slice(end.column - 1)}`
  return { file, line: start.line, before: first.trim(), after: (changed.trim().split('\n')[0] ?? '').trimEnd() }
}
