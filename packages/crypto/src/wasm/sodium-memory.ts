/**
 * libsodium's WebAssembly module together with the one piece of its memory that arguments and results pass through.
 *
 * An operation opens as many bytes as it needs, copies its arguments in, calls, copies the result out and closes, which wipes what
 * it used; what libsodium's functions keep on their own stack is theirs to erase. The piece is allocated once; only an operation on
 * more bytes than that gets a temporary allocation of its own.
 */
/// <reference path="./libsodium-sumo.d.ts" />
import startSodium, { type RawSodium } from 'libsodium-sumo'
import { CryptoError } from '../crypto-error.ts'
import { systemUint32 } from '../random.ts'

const PERMANENT_BYTES = 65536

export class SodiumMemory {
  readonly raw: RawSodium
  readonly #permanent: number

  private constructor(raw: RawSodium) {
    this.raw = raw
    this.#permanent = this.#allocate(PERMANENT_BYTES)
  }

  /** A module of its own. Throws `unavailable`. */
  static async start(): Promise<SodiumMemory> {
    try {
      const raw = await startSodium({ getRandomValue: systemUint32 })
      if (raw._sodium_init() < 0) throw new Error('sodium_init failed')
      return new SodiumMemory(raw)
    } catch (cause) {
      throw new CryptoError('unavailable', 'libsodium could not start; it needs WebAssembly', { cause })
    }
  }

  /** A pointer to `sizeBytes` bytes, aligned to 8, until `close`. One at a time. Throws `unavailable` when memory is out. */
  open(sizeBytes: number): number {
    return sizeBytes <= PERMANENT_BYTES ? this.#permanent : this.#allocate(sizeBytes)
  }

  /** Ends what `open` began. */
  close(at: number, sizeBytes: number): void {
    this.raw.HEAPU8.fill(0, at, at + sizeBytes)
    if (at !== this.#permanent) this.raw._free(at)
  }

  #allocate(sizeBytes: number): number {
    const at = this.raw._malloc(sizeBytes)
    if (at === 0) throw new CryptoError('unavailable', `libsodium could not get ${sizeBytes} bytes of memory`)
    return at
  }
}

/** The bytes of all inputs together. */
export function totalBytes(inputs: readonly Uint8Array[]): number {
  let total = 0
  for (const input of inputs) total += input.length
  return total
}

/** Copies the parts one after the other to `at`. */
export function copyAll(heap: Uint8Array, at: number, parts: readonly Uint8Array[]): void {
  let end = at
  for (const part of parts) {
    heap.set(part, end)
    end += part.length
  }
}
