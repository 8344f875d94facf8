/** Both providers, started once for all tests of this package, and the arbitraries the tests share. */
import fc from 'fast-check'
import { expect } from 'vitest'
import { type Crypto, CryptoError, type CryptoErrorCode, loadCrypto, type Random, Secret } from '../src/index.ts'

export const native = await loadCrypto({ provider: 'native' })
export const wasm = await loadCrypto({ provider: 'wasm' })
export const providers: [string, Crypto][] = [
  ['native', native],
  ['wasm', wasm],
]

export const anyBytes = (sizeBytes: number) => fc.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes })
export const anyMessage = fc.uint8Array({ maxLength: 600 })
export const anyInputs = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 })

/** A secret over a copy, so that the same bytes can be given to several calls. */
export const secret = <Role extends string>(bytes: Uint8Array, role: Role) => Secret.of(bytes.slice(), role)

/** Hands out copies of the same bytes, cut to size. */
export const fixedRandom = (bytes: Uint8Array): Random => ({ bytes: sizeBytes => bytes.slice(0, sizeBytes) })

/** The outcome of a call as a value: what it returned or the code it threw. */
export function outcome(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    if (error instanceof CryptoError) return error.code
    throw error
  }
}

export function expectCode(code: CryptoErrorCode, call: () => unknown): void {
  let thrown: unknown
  try {
    call()
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(CryptoError)
  expect((thrown as CryptoError).code).toBe(code)
}
