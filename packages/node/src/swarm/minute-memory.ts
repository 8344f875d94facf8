/**
 * Which of the minutes in which two members differ are looked at in a round (clause NODE-92). Pure but for what it remembers.
 *
 * A minute in which something is being written differs for a moment and then not. So one is looked at when both sums are what they
 * were a round before; one that keeps changing, after six rounds all the same, so that nobody can hide what is missing by writing beside
 * it. What still differs although it was looked at, because one side refuses what the other holds, is looked at ever less often; what could
 * not be looked at, because a line or a disk failed, soon again.
 */

/** A minute since the epoch and the sums that we and the other member have for it. */
export interface Difference {
  readonly minute: number
  readonly own: bigint
  readonly theirs: bigint
}

interface Remembered {
  own: bigint
  theirs: bigint
  /** Rounds in which it changed since it was looked at. */
  changes: number
  /** Rounds that it is left alone, after it was looked at in vain. */
  rest: number
  /** What `rest` was before it was counted down. */
  pause: number
}

const CHANGES_MAX = 6
const PAUSE_MAX = 64
const FAILED_PAUSE_MAX = 4

export class MinuteMemory {
  #minutes = new Map<number, Remembered>()

  /** The minutes to be looked at now, of those that differ; the others it forgets. `all`: every one. */
  choose(differences: readonly Difference[], all: boolean): number[] {
    const next = new Map<number, Remembered>()
    const chosen: number[] = []
    for (const difference of differences) {
      const known = this.#minutes.get(difference.minute)
      const now = step(known, difference, all)
      next.set(difference.minute, now.remembered)
      if (now.isChosen) chosen.push(difference.minute)
    }
    this.#minutes = next
    return chosen
  }

  /** These minutes, which were chosen, could not be looked at. */
  failed(minutes: readonly number[]): void {
    for (const minute of minutes) {
      const known = this.#minutes.get(minute)
      if (known === undefined) continue
      known.rest = Math.min(known.rest, FAILED_PAUSE_MAX)
      known.pause = Math.min(known.pause, FAILED_PAUSE_MAX)
    }
  }
}

function step(
  known: Remembered | undefined,
  { own, theirs }: Difference,
  all: boolean,
): { remembered: Remembered; isChosen: boolean } {
  if (known === undefined) return { remembered: { own, theirs, changes: 0, rest: 0, pause: 0 }, isChosen: all }
  const { changes, rest, pause } = known
  if (known.own !== own || known.theirs !== theirs) {
    const isChosen = all || changes + 1 >= CHANGES_MAX
    return { remembered: { own, theirs, changes: isChosen ? 0 : changes + 1, rest: 0, pause: 0 }, isChosen }
  }
  if (rest > 0 && !all) return { remembered: { ...known, rest: rest - 1 }, isChosen: false }
  const longer = Math.min(Math.max(1, pause * 2), PAUSE_MAX)
  return { remembered: { own, theirs, changes: 0, rest: longer, pause: longer }, isChosen: true }
}
