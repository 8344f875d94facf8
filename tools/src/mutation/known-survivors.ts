/**
 * The survivors that are known, with the reason why no test notices them. They are found again by the text of the line, not by its
 * number, so that a change elsewhere in the file leaves them known.
 */
import type { MutationSummary, Survivor } from './summary.ts'

export interface KnownSurvivor {
  readonly file: string
  readonly before: string
  readonly after: string
  /** How many mutants look like this; 1 when absent. */
  readonly times?: number
  /** It makes no difference but time: on a busy machine a test may end by its limit. */
  readonly slower?: boolean
  /** Why it makes no difference, or none that a test could see. */
  readonly reason: string
}

/** The least score of a chapter, in percent. */
export const LEAST_SCORE = 85

/** Reads the file of known survivors. @throws Error for a file of another form */
export function parseKnownSurvivors(text: string): KnownSurvivor[] {
  const list = JSON.parse(text) as unknown
  if (!Array.isArray(list)) throw new Error('known survivors are a list')
  return list.map((item: Partial<Record<keyof KnownSurvivor, unknown>>) => {
    const { file, before, after, reason, times = 1 } = item
    if (![file, before, after, reason].every(value => typeof value === 'string') || !Number.isInteger(times)) {
      throw new Error(`a known survivor has file, before, after and reason: ${JSON.stringify(item)}`)
    }
    if ((reason as string).trim().length < 10)
      throw new Error(`a known survivor has a reason that says something: ${JSON.stringify(item)}`)
    return item as KnownSurvivor
  })
}

/**
 * What is wrong with a run, one line each: a low score, a survivor that is not known, a known one that is none any more. A known one
 * that timed out may still be one: nothing was learned of it.
 */
export function complaintsAbout({ score, survivors, timeouts }: MutationSummary, known: readonly KnownSurvivor[]): string[] {
  const left = new Map<string, number>()
  for (const one of known) left.set(keyOf(one), (left.get(keyOf(one)) ?? 0) + (one.times ?? 1))
  const unknown = survivors.filter(survivor => {
    const times = left.get(keyOf(survivor)) ?? 0
    left.set(keyOf(survivor), times - 1)
    return times <= 0
  })
  const slow = new Set(timeouts.map(keyOf))
  const gone = known.filter(one => (left.get(keyOf(one)) ?? 0) > 0 && !one.slower && !slow.has(keyOf(one)))
  return [
    ...(score < LEAST_SCORE ? [`the score is ${score} %, at least ${LEAST_SCORE} % are due`] : []),
    ...unknown.map(({ file, line, before, after }) => `${file}:${line}: no test notices\n  - ${before}\n  + ${after}`),
    ...gone.map(({ file, before, after }) => `${file}: known as a survivor, and is none\n  - ${before}\n  + ${after}`),
  ]
}

function keyOf({ file, before, after }: Pick<Survivor, 'file' | 'before' | 'after'>): string {
  return JSON.stringify([file, before, after])
}
