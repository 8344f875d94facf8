import { type Random, systemRandom, x25519PublicToPositiveEd25519 } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import {
  accountFromSeed,
  accountIdBytes,
  accountIdFromEd25519,
  accountIdOf,
  accountX25519,
  generateSeed,
  parseAccountId,
  wipeAccount,
} from '@session-v2/protocol'
import { loadVectorsOfKind } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { accountOf, native, providers, refusalBy, someAccount, wasm } from './providers.ts'

describe.each(providers)('account, ACC-02, ACC-03 (%s)', (_, crypto) => {
  it.each(loadVectorsOfKind('account', 'account').map(v => [v.in.seed, v] as const))('of the seed %s', (seed, { out }) => {
    const { id, ed25519, x25519 } = accountOf(crypto, seed)
    const made: Record<string, string> = {
      ed25519_pk: encodeHex(ed25519.publicKey),
      ed25519_sk: encodeHex(ed25519.secretKey.expose()),
      x25519_pk: encodeHex(x25519.publicKey),
      x25519_sk: encodeHex(x25519.secretKey.expose()),
      session_id: id,
      xed25519_pk: encodeHex(x25519PublicToPositiveEd25519(crypto, x25519.publicKey)),
    }
    expect(made).toMatchObject(out)
    expect(accountIdFromEd25519(crypto, ed25519.publicKey)).toBe(id)
  })

  it('is the same for a key and its negative (ACC-05)', () => {
    const { id, ed25519 } = someAccount(crypto, 1)
    const negative = ed25519.publicKey.map((byte, at) => (at === 31 ? byte ^ 0x80 : byte))
    expect(accountIdFromEd25519(crypto, negative)).toBe(id)
  })

  it('is nobody for keys that no secret has (ACC-06)', () => {
    const identity = Uint8Array.of(1, ...new Uint8Array(31))
    const notCanonical = Uint8Array.of(0xee, ...new Uint8Array(30).fill(0xff), 0x7f)
    const offTheCurve = Uint8Array.of(2, ...new Uint8Array(31))
    for (const key of [identity, notCanonical, offTheCurve, new Uint8Array(32), new Uint8Array(31)]) {
      expect(refusalBy(() => accountIdFromEd25519(crypto, key))).toBe('malformed ACC-06')
    }
  })
})

describe('account seed', () => {
  const counting: Random = { bytes: sizeBytes => new Uint8Array(sizeBytes).fill(7) }

  it('has 16 random and 16 zero bytes for 13 words, 32 random ones for 25 (ACC-01)', () => {
    expect(encodeHex(generateSeed(counting, 13))).toBe('07'.repeat(16) + '00'.repeat(16))
    expect(encodeHex(generateSeed(counting, 25))).toBe('07'.repeat(32))
    expect(generateSeed(systemRandom(), 25)).not.toEqual(generateSeed(systemRandom(), 25))
  })

  it('stays the caller’s, and another size is refused', () => {
    const seed = new Uint8Array(32).fill(9)
    const account = accountFromSeed(wasm, seed)
    wipeAccount(account)
    expect(seed).toEqual(new Uint8Array(32).fill(9))
    for (const size of [0, 16, 31, 33, 64]) {
      expect(refusalBy(() => accountFromSeed(wasm, new Uint8Array(size)))).toBe('bad-input ACC-01')
    }
  })

  it('is gone with every other secret after wiping', () => {
    const account = someAccount(native, 3)
    wipeAccount(account)
    expect([account.seed, account.ed25519.secretKey, account.x25519.secretKey].every(secret => secret.wiped)).toBe(true)
  })
})

describe('account ID', () => {
  const text = `05${'aB'.repeat(32)}`

  it('is read in either case and written in lower case (ACC-04)', () => {
    const id = parseAccountId(text)
    expect(id).toBe(text.toLowerCase())
    expect(encodeHex(accountIdBytes(id))).toBe(text.toLowerCase())
    expect(accountIdOf(accountX25519(id))).toBe(id)
    expect(accountX25519(id)).toEqual(decodeHex('ab'.repeat(32)))
  })

  it.each(['', '05', text.slice(2), `${text}0`, `03${text.slice(2)}`, `05${'g'.repeat(64)}`, ` ${text}`, `05${'K'.repeat(64)}`])(
    'is not %j',
    wrong => expect(refusalBy(() => parseAccountId(wrong))).toBe('bad-account-id ACC-04'),
  )
})
