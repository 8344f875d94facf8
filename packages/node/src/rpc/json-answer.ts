/**
 * Answers in JSON (clauses RPC-04, NODE-104). A long one is written piece by piece into the bytes that go out: made as a text, each of its
 * megabytes would be in memory four times, and garbage three times until the engine looks for some.
 */
import { toJson } from '@session-v2/network'
import { base64 } from './wire-fields.ts'

/** With this much binary data an answer is long. */
const LONG_BYTES = 64 * 1024
/** Name, quotes, colon and comma of a field, and what else stands beside the data of a message. */
const FIELD_BYTES = 64

/** Bytes that become base64 when they are written. */
class Base64Later {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  toJSON(): string {
    return base64(this.bytes)
  }
}

/** An answer of more than 64 KiB: JSON like any other value, and better written by `encode`. */
export class LongAnswer {
  readonly #body: unknown
  readonly #aboutBytes: number

  /** `body` may hold `Base64Later`; `aboutBytes` is how long it will be, about. */
  constructor(body: unknown, aboutBytes: number) {
    this.#body = body
    this.#aboutBytes = aboutBytes
  }

  toJSON(): unknown {
    return this.#body
  }

  /** Its JSON in UTF-8. */
  encode(): Buffer {
    const out = new Text(this.#aboutBytes)
    writeJson(out, this.#body)
    return out.bytes
  }
}

/** A body with base64 in place of bytes, as something that JSON can be made of. */
export function jsonAnswer(body: object): object {
  let dataBytes = 0
  let items = 0
  const json = toJson(body, bytes => {
    dataBytes += bytes.length
    items++
    return dataBytes > LONG_BYTES ? new Base64Later(bytes) : base64(bytes)
  }) as object
  return dataBytes > LONG_BYTES ? new LongAnswer(json, Math.ceil(dataBytes / 3) * 4 + items * 4 * FIELD_BYTES) : json
}

/** As JSON.stringify does, of what an answer is made of: no value of it is `undefined` in a list. */
function writeJson(out: Text, value: unknown): void {
  if (Array.isArray(value)) {
    writeAll(out, '[]', value, item => writeJson(out, item))
  } else if (typeof value === 'object' && value !== null && !(value instanceof Base64Later)) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    writeAll(out, '{}', fields, ([name, field]) => {
      out.write(`${JSON.stringify(name)}:`)
      writeJson(out, field)
    })
  } else if (value instanceof Base64Later) {
    out.write('"')
    out.writeLatin1(value.toJSON())
    out.write('"')
  } else {
    out.write(JSON.stringify(value))
  }
}

function writeAll<T>(out: Text, [open, close]: string, items: readonly T[], write: (item: T) => void): void {
  out.write(open!)
  for (const [i, item] of items.entries()) {
    if (i > 0) out.write(',')
    write(item)
  }
  out.write(close!)
}

/** A text that grows at its end. */
class Text {
  #buffer: Buffer
  #length = 0

  constructor(aboutBytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(aboutBytes)
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  write(text: string): void {
    this.#reserve(Buffer.byteLength(text))
    this.#length += this.#buffer.write(text, this.#length)
  }

  /** The same, faster, for a text of which each character is a byte. */
  writeLatin1(text: string): void {
    this.#reserve(text.length)
    this.#length += this.#buffer.write(text, this.#length, 'latin1')
  }

  #reserve(moreBytes: number): void {
    const neededBytes = this.#length + moreBytes
    if (neededBytes > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(neededBytes, Math.ceil(this.#buffer.length * 1.5)))
      this.#buffer.copy(grown, 0, 0, this.#length)
      this.#buffer = grown
    }
  }
}
