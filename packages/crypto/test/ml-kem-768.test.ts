/** What the ML-KEM handles promise beyond the arithmetic. */
import * as nodeCrypto from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  mlKem768Decapsulate,
  mlKem768Encapsulate,
  mlKem768KeyPair,
  prepareMlKem768PublicKey,
  systemRandom,
} from '../src/index.ts'
import { RAW } from '../src/provider.ts'
import { expectCode, fixedRandom, native, providers, wasm } from './providers.ts'

const seed = new Uint8Array(64).fill(7)

describe.each(providers)('ML-KEM-768 with %s (NOT-07)', (_, crypto) => {
  it('round-trips with the system generator, each time anew', () => {
    const { publicKey, secretKey } = mlKem768KeyPair(crypto, seed)
    const handle = prepareMlKem768PublicKey(crypto, publicKey)
    const sent = [1, 2, 3].map(() => mlKem768Encapsulate(crypto, systemRandom(), handle))
    for (const { ciphertext, sharedSecret } of sent) {
      expect([ciphertext.length, sharedSecret.length]).toEqual([1088, 32])
      expect([ciphertext.constructor, sharedSecret.constructor]).toEqual([Uint8Array, Uint8Array])
      expect(mlKem768Decapsulate(crypto, secretKey, ciphertext)).toEqual(sharedSecret)
    }
    expect(new Set(sent.map(String)).size).toBe(1)
    expect(new Set(sent.map(({ ciphertext }) => ciphertext.toString())).size).toBe(3)
  })

  it('refuses a coefficient that is not reduced, wherever it is', () => {
    const { publicKey } = mlKem768KeyPair(crypto, seed)
    for (const at of [0, 1, 600, 767]) {
      for (const value of [3329, 4095]) {
        expectCode('bad-key', () => prepareMlKem768PublicKey(crypto, withCoefficient(publicKey, at, value)))
      }
      expect(prepareMlKem768PublicKey(crypto, withCoefficient(publicKey, at, 3328)).publicKey).toHaveLength(1184)
    }
  })

  it('copies what it prepares', () => {
    const { publicKey } = mlKem768KeyPair(crypto, seed)
    const given = publicKey.slice()
    const handle = prepareMlKem768PublicKey(crypto, given)
    given.fill(0)
    expect(handle.publicKey).toEqual(publicKey)
    const expected = mlKem768Encapsulate(wasm, fixedRandom(seed), prepareMlKem768PublicKey(wasm, publicKey))
    expect(mlKem768Encapsulate(crypto, fixedRandom(seed), handle)).toEqual(expected)
  })

  it('does not use a wiped key', () => {
    const { secretKey } = mlKem768KeyPair(crypto, seed)
    const exported = secretKey.export()
    secretKey.wipe()
    secretKey.wipe()
    expectCode('bad-key', () => mlKem768Decapsulate(crypto, secretKey, new Uint8Array(1088)))
    expectCode('bad-key', () => secretKey.export())
    expect(exported.expose().some(byte => byte !== 0)).toBe(true)
    expect(seed.every(byte => byte === 7)).toBe(true)
  })

  it('does not print a secret key', () => {
    expect(JSON.stringify(mlKem768KeyPair(crypto, seed).secretKey)).toBe('{}')
  })
})

it('the native provider uses node:crypto wherever that has ML-KEM', () => {
  const { publicKey } = mlKem768KeyPair(native, seed)
  const bySystem = prepareMlKem768PublicKey(native, publicKey)[RAW].encapsulateBySystem
  expect(bySystem !== undefined).toBe(native.name === 'native' && 'encapsulate' in nodeCrypto)
})

function withCoefficient(publicKey: Uint8Array, index: number, value: number): Uint8Array {
  const changed = publicKey.slice()
  const at = Math.floor((index * 3) / 2)
  const [low, high] = [changed[at] as number, changed[at + 1] as number]
  if (index % 2 === 0) changed.set([value & 0xff, (high & 0xf0) | (value >> 8)], at)
  else changed.set([(low & 0x0f) | ((value & 0x0f) << 4), value >> 4], at)
  return changed
}
