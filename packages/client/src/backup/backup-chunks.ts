/**
 * A stream of bytes as sealed chunks, and back.
 *
 * | bytes | field | |
 * |---|---|---|
 * | 1 | last | 1 for the last chunk, else 0 |
 * | 4 | size | of what follows: 65,552 in every chunk but the last, there 16 to 65,552 |
 * | size | sealed | XChaCha20-Poly1305 of at most 65,536 bytes; nonce: LE64(place of the chunk, from 0) ‖ 16 zeros, associated: last ‖ size |
 *
 * The key is of this backup alone, so a place is a nonce that never comes twice. A chunk that was changed, moved, doubled, or taken from
 * another backup does not open; a backup without its last chunk, or with anything behind it, is refused.
 *
 * Implements BK-05 and BK-06.
 */
import type { Crypto } from '@session-v2/crypto'
import { CryptoError, wipe, xchacha20Poly1305Decrypt, xchacha20Poly1305Encrypt } from '@session-v2/crypto'
import { concatBytes, readUint32Le, uint32Le, uint64Le } from '@session-v2/encoding'
import { type BackupKey, damaged, truncated } from './backup-header.ts'

/** Plaintext in a chunk. */
export const CHUNK_BYTES = 65_536
const TAG_BYTES = 16
const FRAME_BYTES = 5
const NONCE_ZEROS = 16

/** Seals a stream. At most one chunk of it is held. The parts are copied and wiped. */
export async function* sealChunks(crypto: Crypto, key: BackupKey, parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const held = new Uint8Array(CHUNK_BYTES)
  let [index, sizeBytes] = [0, 0]
  const sealed = (isLast: boolean) => {
    const chunk = sealChunk(crypto, key, { index: index++, isLast }, held.subarray(0, sizeBytes))
    sizeBytes = 0
    return chunk
  }
  try {
    for await (const part of parts) {
      for (let from = 0; from < part.length; ) {
        // Sealed only when there is more: the last chunk is not to be empty because the others were full.
        if (sizeBytes === CHUNK_BYTES) yield sealed(false)
        const piece = part.subarray(from, from + CHUNK_BYTES - sizeBytes)
        held.set(piece, sizeBytes)
        sizeBytes += piece.length
        from += piece.length
      }
      wipe(part)
    }
    yield sealed(true)
  } finally {
    wipe(held)
  }
}

/** The plaintext of the chunks, each checked before it is given. @throws ClientError `backup-damaged`, `backup-truncated` */
export async function* openChunks(crypto: Crypto, key: BackupKey, source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let index = 0; ; index++) {
    const frame = await source.take(FRAME_BYTES)
    if (frame.length < FRAME_BYTES) throw truncated()
    const [last, sizeBytes] = [frame[0]!, readUint32Le(frame, 1)]
    const isInBounds = sizeBytes >= TAG_BYTES && sizeBytes <= CHUNK_BYTES + TAG_BYTES
    if (last > 1 || !isInBounds || (last === 0 && sizeBytes !== CHUNK_BYTES + TAG_BYTES)) throw damaged()
    const sealed = await source.take(sizeBytes)
    if (sealed.length < sizeBytes) throw truncated()
    yield openChunk(crypto, key, { index, isLast: last === 1 }, sealed)
    if (last === 0) continue
    if ((await source.take(1)).length > 0) throw damaged()
    return
  }
}

/** Where a chunk stands. */
interface Place {
  /** From 0. */
  readonly index: number
  readonly isLast: boolean
}

function sealChunk(crypto: Crypto, key: BackupKey, place: Place, plaintext: Uint8Array): Uint8Array {
  const frame = frameOf(place, plaintext.length + TAG_BYTES)
  return concatBytes(frame, xchacha20Poly1305Encrypt(crypto, key.expose(), nonceOf(place), plaintext, frame))
}

function openChunk(crypto: Crypto, key: BackupKey, place: Place, sealed: Uint8Array): Uint8Array {
  try {
    return xchacha20Poly1305Decrypt(crypto, key.expose(), nonceOf(place), sealed, frameOf(place, sealed.length))
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw damaged(cause)
  }
}

function frameOf({ isLast }: Place, sizeBytes: number): Uint8Array {
  return concatBytes(Uint8Array.of(isLast ? 1 : 0), uint32Le(sizeBytes))
}

function nonceOf({ index }: Place): Uint8Array {
  return concatBytes(uint64Le(BigInt(index)), new Uint8Array(NONCE_ZEROS))
}

/** Bytes that come in parts of any size, taken in sizes of one's own. Holds what was asked for and the rest of one part. */
export class ByteSource {
  readonly #parts: AsyncIterator<Uint8Array>
  #rest: Uint8Array = new Uint8Array(0)

  constructor(parts: AsyncIterable<Uint8Array>) {
    this.#parts = parts[Symbol.asyncIterator]()
  }

  /** So many bytes, or fewer at the end. */
  async take(sizeBytes: number): Promise<Uint8Array> {
    const taken = new Uint8Array(sizeBytes)
    for (let at = 0; ; ) {
      const piece = this.#rest.subarray(0, sizeBytes - at)
      taken.set(piece, at)
      at += piece.length
      this.#rest = this.#rest.subarray(piece.length)
      if (at === sizeBytes) return taken
      const next = await this.#parts.next()
      if (next.done === true) return taken.subarray(0, at)
      this.#rest = next.value
    }
  }

  /** Asks for no more. */
  async close(): Promise<void> {
    await this.#parts.return?.()
  }
}
