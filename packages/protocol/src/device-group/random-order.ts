/**
 * Random orders. Each order is equally likely: numbers are drawn with rejection, because a remainder would favour the small ones.
 *
 * Implements DG-12.
 */
import type { Random } from '@session-v2/crypto'
import { readUint32Le } from '@session-v2/encoding'

const DRAW_BYTES = 4
const DRAWS = 2 ** 32

/** The items in a random order (Fisher and Yates). */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const other = randomBelow(random, last + 1)
    const item = order[last]!
    order[last] = order[other]!
    order[other] = item
  }
  return order
}

/** A whole number from 0 up to, not including, `limit`, which is 1 to 2^32. */
function randomBelow(random: Random, limit: number): number {
  const unbiased = DRAWS - (DRAWS % limit)
  for (;;) {
    const drawn = readUint32Le(random.bytes(DRAW_BYTES), 0)
    if (drawn < unbiased) return drawn % limit
  }
}
