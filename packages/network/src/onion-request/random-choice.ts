/** Fair choices from the Random port. */
import type { Random } from '@session-v2/crypto'
import { readUint32Le } from '@session-v2/encoding'

const UINT32_VALUES = 2 ** 32

/** One of `items`, each as likely as another; undefined when there is none. */
export function chooseOne<T>(random: Random, items: readonly T[]): T | undefined {
  if (items.length <= 1) return items[0]
  // Values beyond the last whole multiple would favour the first items.
  const fair = UINT32_VALUES - (UINT32_VALUES % items.length)
  let value = readUint32Le(random.bytes(4), 0)
  while (value >= fair) value = readUint32Le(random.bytes(4), 0)
  return items[value % items.length]
}
