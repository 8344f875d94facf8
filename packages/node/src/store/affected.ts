/** What a change of a whole mailbox lists of it (clause NODE-37): all is changed, but what one has to remember of it is bounded. */
import type { AffectedMessage } from './store.ts'

/** Messages that a `deleteAll` or `expireAll` lists: as many as a client is told of at all. */
export const AFFECTED_MAX = 60_000

/** Adds the messages of a further slice, as long as there is room. */
export function addAffected(affected: AffectedMessage[], slice: readonly AffectedMessage[]): void {
  const room = AFFECTED_MAX - affected.length
  affected.push(...(slice.length <= room ? slice : slice.slice(0, room)))
}
