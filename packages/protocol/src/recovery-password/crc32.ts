/** CRC-32 (IEEE 802.3), the checksum of the recovery password. It finds typing errors and protects against nothing else. */

/** The polynomial, bits reversed. */
const POLYNOMIAL = 0xedb88320

/** An unsigned 32-bit number. */
export function crc32(bytes: Uint8Array): number {
  let register = 0xffffffff
  for (const byte of bytes) {
    register ^= byte
    for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ POLYNOMIAL : register >>> 1
  }
  return (register ^ 0xffffffff) >>> 0
}
