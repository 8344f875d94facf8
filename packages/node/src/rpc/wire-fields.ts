/** JSON forms of binary fields. */

/** Padded base64, by Node's own encoder: an answer may hold megabytes. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
