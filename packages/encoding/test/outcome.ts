/** What a call came to, and how long it took: shared by the tests of this package. */
import { expect } from 'vitest'
import { EncodingError, type EncodingErrorCode } from '../src/index.ts'

/** Runs of a fuzz test. */
export const FUZZ_RUNS = Number(process.env.FUZZ_RUNS ?? 2000)

const LONGEST_MS = 50
const ATTEMPTS = 5

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

/** The value of `call`, or undefined when it refuses. It must not take long; a pause of the machine is not held against it. */
export function valueInTime<T>(call: () => T): T | undefined {
  let fastestMs = Number.POSITIVE_INFINITY
  let value: T | undefined
  for (let attempt = 0; attempt < ATTEMPTS && fastestMs > LONGEST_MS; attempt++) {
    const startMs = performance.now()
    refusal(() => {
      value = call()
    })
    fastestMs = Math.min(fastestMs, performance.now() - startMs)
  }
  expect(fastestMs).toBeLessThanOrEqual(LONGEST_MS)
  return value
}

/** Bytes of ASCII text, as bt-encodings are written in tests. */
export const ascii = (text: string): Uint8Array => Uint8Array.from(text, character => character.charCodeAt(0))
