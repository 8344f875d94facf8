/** One account key: what it is made of, what of it is erased, and the indicator by which it is found (AK-01, AK-02, DM2-04, LINK-02). */
import { blake2b, Secret } from '@session-v2/crypto'
import { decodeHex, encodeHex, xorBytes } from '@session-v2/encoding'
import { accountKeyFromSeed, expandAccountKey, expandKeyPair, wipeAccountKey, wipeExpandedKeyPair } from '@session-v2/protocol'
import { loadVectorsOfKind } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { accountKeyX25519 } from '../src/account-keys/key-expansion.ts'
import { maskIndicator } from '../src/account-keys/key-indicator.ts'
import { isZero, watched } from './group-world.ts'
import { codeThrownBy, providers, refusalOf, wasm } from './providers.ts'

const SEED = new Uint8Array(32).fill(7)

describe.each(providers)('an account key of a seed (%s)', (_, crypto) => {
  it('holds secrets that say what they are', () => {
    const { seed, x25519 } = accountKeyFromSeed(crypto, SEED, 10)
    expect([seed.role, x25519.secretKey.role]).toEqual(['account-key-seed', 'x25519-secret'])
    const pair = expandKeyPair(crypto, 'SessionAccountKeys', SEED)
    expect([pair.x25519.secretKey.role, pair.mlKem768.seed.role]).toEqual(['x25519-secret', 'mlkem768-seed'])
  })

  it('has the indicator and the public keys of its domain, and a time of rotation only if it is rotated (AK-01, AK-02)', () => {
    const { x25519, mlKem768 } = expandKeyPair(crypto, 'SessionAccountKeys', SEED)
    const key = accountKeyFromSeed(crypto, SEED, 10)
    expect(key).not.toHaveProperty('rotatedAtS')
    expect(expandAccountKey(crypto, key)).not.toHaveProperty('rotatedAtS')
    expect(key.x25519.publicKey).toEqual(x25519.publicKey)
    expect(key.mlKem768.publicKey).toEqual(mlKem768.publicKey)
    expect(key.mlKem768.secretKey.export().equals(mlKem768.secretKey.export())).toBe(true)
    expect(key.indicator).toEqual(mlKem768.publicKey.slice(0, 2))
    expect(accountKeyFromSeed(crypto, SEED, 0, 0)).toMatchObject({ createdAtS: 0, rotatedAtS: 0 })
  })

  it('copies the seed, and keeps of the expansion nothing but the keys', () => {
    const { crypto: watching, calls } = watched(crypto)
    const key = accountKeyFromSeed(watching, SEED, 10)
    const given = calls.filter(({ operation }) => operation === 'mlKem768KeyPair').map(({ bytes }) => bytes[0]!)
    expect(given.map(isZero)).toEqual([true])
    wipeAccountKey(key)
    expect(SEED).toEqual(new Uint8Array(32).fill(7))
  })

  it('refuses a seed of another size and times that are none, and says which', () => {
    for (const sizeBytes of [0, 31, 33]) {
      const complaint = `the seed of a key pair has ${sizeBytes} bytes instead of 32`
      for (const make of [
        () => accountKeyFromSeed(crypto, new Uint8Array(sizeBytes), 10),
        () => expandKeyPair(crypto, 'SessionDeviceKeys', new Uint8Array(sizeBytes)),
        () => accountKeyX25519(crypto, new Uint8Array(sizeBytes)),
      ]) {
        expect(refusalOf(make)).toEqual(['bad-input AK-01', complaint])
      }
    }
    for (const timeS of [-1, 0.5, Number.NaN, 2 ** 53]) {
      const complaint = `${timeS} is not a time in whole seconds since the epoch`
      expect(refusalOf(() => accountKeyFromSeed(crypto, SEED, timeS))).toEqual(['bad-input AK-02', complaint])
      expect(refusalOf(() => accountKeyFromSeed(crypto, SEED, 10, timeS))).toEqual(['bad-input AK-02', complaint])
    }
  })

  it('is erased as a whole, seed and all', () => {
    const pair = expandKeyPair(crypto, 'SessionDeviceKeys', SEED)
    wipeExpandedKeyPair(pair)
    expect([pair.x25519.secretKey.wiped, pair.mlKem768.seed.wiped]).toEqual([true, true])
    expect(codeThrownBy(() => pair.mlKem768.secretKey.export())).toBe('bad-key')
  })
})

describe.each(providers)('the X25519 half of an account key alone (%s)', (_, crypto) => {
  it('is that of the whole key, and its secret is erased at once (AK-01)', () => {
    for (const { in: given } of loadVectorsOfKind('account-keys', 'expand')) {
      const seed = decodeHex(given.seed)
      const { crypto: watching, calls } = watched(crypto)
      const publicKey = accountKeyX25519(watching, seed)
      expect(publicKey).toEqual(expandKeyPair(crypto, 'SessionAccountKeys', seed).x25519.publicKey)
      expect(publicKey).not.toEqual(expandKeyPair(crypto, 'SessionDeviceKeys', seed).x25519.publicKey)
      const secrets = calls.filter(({ operation }) => operation === 'x25519Public').map(({ bytes }) => bytes[0]!)
      expect(secrets.map(isZero)).toEqual([true])
      expect(encodeHex(seed)).toBe(given.seed)
    }
  })
})

describe.each(providers)('a masked indicator (%s)', (_, crypto) => {
  const [shared, ephemeral, recipient] = [1, 2, 3].map(byte => new Uint8Array(32).fill(byte)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const indicator = Uint8Array.of(0xab, 0xcd)

  it.each(['Session-Msg-KISS', 'SessionDvGrpKISS'] as const)(
    'is the indicator under two bytes that shared secret, keys and domain %s give (DM2-04, LINK-02)',
    domain => {
      const masked = maskIndicator(crypto, domain, shared, ephemeral, recipient, indicator)
      const mask = blake2b(crypto, 2, [Uint8Array.of(...ephemeral, ...recipient)], { key: shared, personal: domain })
      expect(masked).toEqual(xorBytes(indicator, mask))
      expect(maskIndicator(crypto, domain, shared, ephemeral, recipient, masked)).toEqual(indicator)
    },
  )

  it('is another one when anything is different, and changes nothing that it was given', () => {
    const masked = [
      maskIndicator(crypto, 'Session-Msg-KISS', shared, ephemeral, recipient, indicator),
      maskIndicator(crypto, 'SessionDvGrpKISS', shared, ephemeral, recipient, indicator),
      maskIndicator(crypto, 'Session-Msg-KISS', ephemeral, ephemeral, recipient, indicator),
      maskIndicator(crypto, 'Session-Msg-KISS', shared, shared, recipient, indicator),
      maskIndicator(crypto, 'Session-Msg-KISS', shared, recipient, ephemeral, indicator),
    ]
    expect(new Set(masked.map(encodeHex)).size).toBe(masked.length)
    expect([shared[0], ephemeral[0], recipient[0], ...indicator]).toEqual([1, 2, 3, 0xab, 0xcd])
  })
})

describe('a seed that was wiped', () => {
  it('makes no key', () => {
    const seed = Secret.of(new Uint8Array(32).fill(1), 'account-key-seed')
    seed.wipe()
    expect(codeThrownBy(() => expandAccountKey(wasm, { seed, createdAtS: 5 }))).toBe('bad-key')
  })
})
