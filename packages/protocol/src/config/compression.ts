/**
 * Compression of config messages: `z` and one Zstandard frame (RFC 8878) of level 1 that states the size of its content. It is used
 * only when it is shorter than the plaintext.
 *
 *     frame   28 b5 2f fd   descriptor (1)   window (0, 1)   dictionary (0)   size of the content (1, 2, 4, 8)   blocks
 *
 * The header is read here, before the decoder sees the frame: what the decoder takes is bounded by the size that is claimed, and that
 * by a constant.
 *
 * Implements CFG-18, CFG-19.
 */
import { concatBytes, copyBytes, equalBytes } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { CONFIG_PLAINTEXT_MAX_BYTES } from './message.ts'

/** A Zstandard codec. Both functions are synchronous; `decompress` throws for what is no frame, and takes only what a frame claims. */
export interface Compression {
  compress(bytes: Uint8Array, level: number): Uint8Array
  decompress(frame: Uint8Array): Uint8Array
}

/**
 * What a frame may claim: this much always, and as many times its own size beyond. Configs, full of random ids, shrink to a tenth; a
 * small message that claims to be large is made to cost time and memory.
 */
const CLAIM_FREE_BYTES = 262_144
const CLAIM_FACTOR = 200
const MARK = 0x7a
const LEVEL = 1
const MAGIC = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)
const SINGLE_SEGMENT = 0x20
const RESERVED = 0x08
const DICTIONARY = 0x03
/** By the two highest bits of the descriptor. Zero means one byte in a frame of a single segment, else that no size is stated. */
const SIZE_BYTES = [0, 2, 4, 8] as const
/** Added to a size of two bytes. */
const TWO_BYTE_OFFSET = 256

/** `z` and the compressed plaintext, or the plaintext itself (a copy) when that is not longer. */
export function compressConfig(compression: Compression, plaintext: Uint8Array): Uint8Array {
  const compressed = concatBytes(Uint8Array.of(MARK), compression.compress(plaintext, LEVEL))
  return compressed.length < plaintext.length ? compressed : copyBytes(plaintext)
}

/** The plaintext that stands behind a `z`, or what else it is, unchanged. Throws `malformed`. */
export function decompressConfig(compression: Compression, compressed: Uint8Array): Uint8Array {
  if (compressed[0] !== MARK) return compressed
  const frame = compressed.subarray(1)
  const claimedBytes = claimedSizeBytes(frame)
  if (claimedBytes > Math.min(CONFIG_PLAINTEXT_MAX_BYTES, CLAIM_FREE_BYTES + CLAIM_FACTOR * frame.length))
    throw new ProtocolError(
      'malformed',
      'CFG-19',
      `${frame.length} bytes that claim to be a config of ${claimedBytes} are not read`,
    )
  let plaintext: Uint8Array
  try {
    plaintext = compression.decompress(frame)
  } catch (cause) {
    throw new ProtocolError('malformed', 'CFG-19', 'a compressed config cannot be decompressed', { cause })
  }
  if (plaintext.length !== claimedBytes)
    throw new ProtocolError('malformed', 'CFG-19', 'a compressed config has not the size that it claims')
  return plaintext
}

/** The size of the content by the header of a frame. Throws `malformed` where none is stated. */
function claimedSizeBytes(frame: Uint8Array): number {
  const descriptor = frame[4]
  if (descriptor === undefined || !equalBytes(frame.subarray(0, 4), MAGIC))
    throw new ProtocolError('malformed', 'CFG-19', 'what is marked as compressed is no frame')
  const single = (descriptor & SINGLE_SEGMENT) !== 0
  const width = SIZE_BYTES[(descriptor >> 6) as 0 | 1 | 2 | 3] || (single ? 1 : 0)
  if (width === 0 || (descriptor & (RESERVED | DICTIONARY)) !== 0)
    throw new ProtocolError('malformed', 'CFG-19', 'a compressed config does not say its size, or needs a dictionary')
  const from = single ? 5 : 6
  if (frame.length < from + width) throw new ProtocolError('malformed', 'CFG-19', 'a compressed config ends in its header')
  let size = 0
  for (let i = width - 1; i >= 0; i--) size = size * 256 + frame[from + i]!
  return width === 2 ? size + TWO_BYTE_OFFSET : size
}
