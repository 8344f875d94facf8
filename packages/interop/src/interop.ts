/**
 * The dialogue:
 *
 *     {"id": 1, "op": "account", "in": {"seed": "…"}}   →   {"id": 1, "ok": true, "out": {"session_id": "05…", …}}
 *                                                       or   {"id": 1, "ok": false, "error": {"code": "bad-input", "message": "…"}}
 *
 * Binary is lower-case hexadecimal. Fields of `in` that an operation does not know are ignored. `id` comes back as it was, if it
 * is a number or a text, else as null. Whatever a line holds, it gets an answer.
 */
import { type Crypto, CryptoError, loadCrypto, type Random, systemRandom } from '@session-v2/crypto'
import { EncodingError } from '@session-v2/encoding'
import { NetworkError } from '@session-v2/network'
import { ProtocolError } from '@session-v2/protocol'
import { Fields } from './fields.ts'
import { InteropError, type InteropErrorCode } from './interop-error.ts'
import type { Answer, Context } from './operation.ts'
import { OPERATIONS } from './operations.ts'

const MAX_LINE_CHARACTERS = 8 * 1024 * 1024

export interface Interop {
  /** The answer, without a line break, to one line. Never throws. */
  answer(line: string): string
}

/** Secrets are part of requests and answers: for tests, with keys that protect nothing. */
export function createInterop(crypto: Crypto, random: Random): Interop {
  return { answer: line => answer({ crypto, random }, line) }
}

/** An interop with the primitives and randomness of this system, for a command line that imports neither. */
export async function loadInterop(): Promise<Interop> {
  return createInterop(await loadCrypto(), systemRandom())
}

function answer(context: Context, line: string): string {
  let id: string | number | null = null
  try {
    const request = parseLine(line)
    id = idOf(request)
    return JSON.stringify({ id, ok: true, out: perform(context, request) })
  } catch (error) {
    return JSON.stringify({ id, ok: false, error: { code: codeOf(error), message: (error as Error).message } })
  }
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  if (line.length > MAX_LINE_CHARACTERS)
    throw new InteropError('too-large', `a line has at most ${MAX_LINE_CHARACTERS} characters`)
  let request: unknown
  try {
    request = JSON.parse(line)
  } catch (cause) {
    throw new InteropError('bad-json', 'the line is not JSON', { cause })
  }
  if (typeof request !== 'object' || request === null) throw new InteropError('bad-input', 'the request is not an object')
  return request as Readonly<Record<string, unknown>>
}

function idOf({ id }: Readonly<Record<string, unknown>>): string | number | null {
  return typeof id === 'string' || typeof id === 'number' ? id : null
}

function perform(context: Context, { op, in: input }: Readonly<Record<string, unknown>>): Answer {
  const operation = typeof op === 'string' ? OPERATIONS.get(op) : undefined
  if (operation === undefined) throw new InteropError('unknown-op', 'there is no such operation')
  return operation(context, new Fields(input))
}

/** What an operation did not translate itself is about its input; anything else is a mistake of ours. */
function codeOf(error: unknown): InteropErrorCode {
  if (error instanceof InteropError) return error.code
  if (error instanceof ProtocolError && isRecoveryPasswordCode(error.code)) return error.code
  if ([ProtocolError, NetworkError, CryptoError, EncodingError].some(known => error instanceof known)) return 'bad-input'
  return 'internal'
}

function isRecoveryPasswordCode(code: string): code is 'too-short' | 'unknown-word' | 'bad-checksum' {
  return code === 'too-short' || code === 'unknown-word' || code === 'bad-checksum'
}
