/** Pauses that scatter around a mean, so that nodes do not fall into step (clause NODE-130). */
import type { Random } from '@session-v2/crypto'

const UINT32 = 2 ** 32
const DEVIATIONS_MAX = 3

/** A value of the normal distribution, by the method of Box and Muller, kept within three standard deviations of its mean. */
export function normal(random: Random, mean: number, deviation: number): number {
  const view = new DataView(random.bytes(8).slice().buffer)
  // Above 0, whose logarithm is not finite.
  const radius = Math.sqrt(-2 * Math.log((view.getUint32(0) + 1) / UINT32))
  const deviations = radius * Math.cos((2 * Math.PI * view.getUint32(4)) / UINT32)
  return mean + deviation * Math.max(-DEVIATIONS_MAX, Math.min(DEVIATIONS_MAX, deviations))
}

/** One of `items`, each as likely as the others to within 2⁻³² of their number. `items` is not empty. */
export function oneOf<T>(random: Random, items: readonly T[]): T {
  const view = new DataView(random.bytes(4).slice().buffer)
  return items[Math.floor((view.getUint32(0) / UINT32) * items.length)] as T
}
