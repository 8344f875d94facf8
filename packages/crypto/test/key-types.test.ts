/** The types keep keys of different kinds apart; the compiler is what runs this test, through the expected errors. */
import { expect, it } from 'vitest'
import * as api from '../src/index.ts'
import { expectCode, native, secret } from './providers.ts'

const zeros = new Uint8Array(32)
const x25519Secret = secret(zeros, 'x25519-secret')
const ed25519Public = api.ed25519KeyPair(native, secret(zeros, 'ed25519-seed')).publicKey

it('a key of another kind is an error of compilation', () => {
  // @ts-expect-error an Ed25519 key is no X25519 key
  expect(api.x25519(native, x25519Secret, ed25519Public)).toHaveLength(32)
  // @ts-expect-error a secret for X25519 is no Ed25519 seed
  expect(api.ed25519KeyPair(native, x25519Secret).publicKey).toHaveLength(32)
  // @ts-expect-error bytes are not yet a key
  const key: api.X25519PublicKey = zeros
  expect(key).toBe(zeros)
})

it('bytes without a type are taken as what the function needs', () => {
  expectCode('bad-point', () => api.x25519(native, x25519Secret, zeros))
  expect(api.x25519PublicKey(zeros)).toBe(zeros)
})
