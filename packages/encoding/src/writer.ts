/** A byte buffer that grows as it is written to. */

const FIRST_BYTES = 256

export class Writer {
  #buffer: Uint8Array
  #sizeBytes = 0

  constructor(expectedBytes = FIRST_BYTES) {
    this.#buffer = new Uint8Array(expectedBytes)
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Appends one byte. */
  byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#sizeBytes++] = value
  }

  /** Appends bytes. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#sizeBytes)
    this.#sizeBytes += bytes.length
  }

  /** Appends text of characters below 0x100, one byte each. */
  latin1(text: string): void {
    this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) this.#buffer[this.#sizeBytes++] = text.charCodeAt(i)
  }

  /** What was written so far, as a view that later writes may leave behind. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.#sizeBytes)
  }

  /** What was written, in an array of its own; the buffer, which may have held secrets, is zeroed. */
  finish(): Uint8Array {
    const written = this.#buffer.slice(0, this.#sizeBytes)
    this.#buffer.fill(0)
    this.#sizeBytes = 0
    return written
  }

  #reserve(sizeBytes: number): void {
    const needed = this.#sizeBytes + sizeBytes
    if (needed <= this.#buffer.length) return
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2))
    grown.set(this.view())
    this.#buffer.fill(0)
    this.#buffer = grown
  }
}
