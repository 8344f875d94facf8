/** What node:crypto returns as Buffer, as the Uint8Array the rest of the project expects: Buffer's `slice` does not copy. */

/** The same memory under another class. */
export function plainBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
