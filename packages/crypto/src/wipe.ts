/** Erasing bytes that are no longer needed. */

/**
 * Overwrites every given array with zeroes. A best effort: the engine may have moved or copied the bytes before, which
 * JavaScript can neither see nor prevent.
 */
export function wipe(...arrays: Uint8Array[]): void {
  for (const bytes of arrays) bytes.fill(0)
}
