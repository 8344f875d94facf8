/** What a call came to: shared by the tests of this package. */
import { type Decoded, inTime } from '@session-v2/tools/fuzz'
import { expect } from 'vitest'
import { EncodingError, type EncodingErrorCode } from '../src/index.ts'

/** Runs of a fuzz test. */
export const FUZZ_RUNS = Number(process.env.FUZZ_RUNS ?? 2000)

/** Asserts that `call` throws an EncodingError of one code. */
export function expectCode(code: EncodingErrorCode, call: () => unknown): void {
  expect(refusal(call)?.code).toBe(code)
}

/** The EncodingError that `call` throws, or undefined when it returns. Any other error is passed on. */
export function refusal(call: () => unknown): EncodingError | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (error instanceof EncodingError) return error
    throw error
  }
}

/** The value of `decode`, or undefined when it refuses `input`; in the longer run it must not take long. */
export function valueInTime<T>(input: Decoded, decode: () => T): T | undefined {
  return inTime(input, () => {
    let value: T | undefined
    refusal(() => {
      value = decode()
    })
    return value
  })
}

/** Bytes of ASCII text, as bt-encodings are written in tests. */
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, character => character.charCodeAt(0))
