/** Comparison whose running time does not depend on where two byte strings differ. */

/** True when both have the same length and the same bytes. Only the lengths influence the running time. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}
