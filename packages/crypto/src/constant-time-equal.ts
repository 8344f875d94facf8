/** Comparisons whose running time does not depend on what two byte strings hold. */

/** True when both have the same length and the same bytes. Only the lengths influence the running time. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}

/**
 * The order of two byte strings by unsigned bytes, the first byte the most significant; a prefix comes first. Only the lengths
 * influence the running time.
 */
export function constantTimeCompare(a: Uint8Array, b: Uint8Array): -1 | 0 | 1 {
  const shared = Math.min(a.length, b.length)
  let less = 0
  let greater = 0
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    const undecided = 1 ^ (less | greater)
    less |= (difference >>> 31) & undecided
    greater |= (-difference >>> 31) & undecided
  }
  const undecided = 1 ^ (less | greater)
  less |= ((a.length - b.length) >>> 31) & undecided
  greater |= ((b.length - a.length) >>> 31) & undecided
  return (greater - less) as -1 | 0 | 1
}
