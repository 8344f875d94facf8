import { Secret, seededRandom, sha3_256, sha256, systemRandom, x25519PublicToPositiveEd25519 } from '@session-v2/crypto'
import { decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  accountX25519,
  buildAccountKeyRecord,
  expandKeyPair,
  ProtocolError,
  type PublishedKeys,
  parseAccountId,
  rotationDueAtS,
  verifyAccountKeyRecord,
} from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import { loadVectors, loadVectorsOfKind } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountOf, fuzzRuns, keyringOfSeeds, native, providers, refusalBy, someAccount, someKey, wasm } from './providers.ts'

const RECORD_BYTES = 1302
const CHAPTER = 'account-keys'

describe.each(providers)('key expansion, AK-01 (%s)', (_, crypto) => {
  it.each(loadVectorsOfKind(CHAPTER, 'expand').map(v => [v.in.domain, v.in.seed, v] as const))(
    '%s %s',
    (domain, seed, { out }) => {
      const { x25519, mlKem768 } = expandKeyPair(crypto, domain, decodeHex(seed))
      const made = {
        x25519_sec: encodeHex(x25519.secretKey.expose()),
        x25519_pub: encodeHex(x25519.publicKey),
        mlkem768_seed: encodeHex(mlKem768.seed.expose()),
        mlkem768_pub: encodeHex(mlKem768.publicKey),
        mlkem768_sec: encodeHex(mlKem768.secretKey.export().expose()),
      }
      expect(abbreviatedLike(out, made)).toEqual(out)
    },
  )

  it('refuses a seed of another size', () => {
    expect(refusalBy(() => expandKeyPair(crypto, 'SessionAccountKeys', new Uint8Array(31)))).toBe('bad-input AK-01')
  })
})

describe.each(providers)('published record, AK-08 to AK-10 (%s)', (_, crypto) => {
  it.each(loadVectorsOfKind(CHAPTER, 'account_pubkey').map(v => [v.in.root_seed, v] as const))(
    'of the account %s',
    (rootSeed, vector) => {
      const account = accountOf(crypto, rootSeed)
      const key = keyringOfSeeds(crypto, [vector.in.account_key_seed]).keys[0]!
      const record = buildAccountKeyRecord(crypto, systemRandom(), account, key)
      const recorded = decodeHex(vector.out.message)
      expect(record).toHaveLength(RECORD_BYTES)
      expect(record.subarray(0, vector.out.signed_body_len)).toEqual(recorded.subarray(0, vector.out.signed_body_len))
      expect(encodeHex(sha3_256(crypto, [record.subarray(0, vector.out.signed_body_len)]))).toBe(vector.out.signed_body_sha3_256)
      expect(encodeHex(x25519PublicToPositiveEd25519(crypto, accountX25519(account.id)))).toBe(vector.out.verify_ed25519)
      for (const bytes of [record, recorded]) {
        expect(verifyAccountKeyRecord(crypto, account.id, bytes)).toEqual({
          mlKem768: key.mlKem768.publicKey,
          x25519: key.x25519.publicKey,
        })
      }
    },
  )

  it.each(loadVectorsOfKind(CHAPTER, 'account_pubkey_reject').map(v => [v.in.session_id, v] as const))(
    'is not that of %s',
    (id, vector) => {
      expect(refusalBy(() => verifyAccountKeyRecord(crypto, parseAccountId(id), decodeHex(vector.in.message)))).toBe(
        'forged AK-09',
      )
    },
  )

  it.each(loadVectorsOfKind(CHAPTER, 'account_pubkey_extra_key_after_sig').map(v => [v.in.session_id, v] as const))(
    'with a key behind the signature of %s',
    (id, vector) => {
      const { mlKem768, x25519 } = verifyAccountKeyRecord(crypto, parseAccountId(id), decodeHex(vector.in.message))
      expect([encodeHex(mlKem768), encodeHex(x25519)]).toEqual([vector.out.M, vector.out.X])
    },
  )

  const own = loadVectors(CHAPTER).filter(file => file.in?.message !== undefined && file.in.remembered === undefined)
  it.each(own.map(file => [file.name, file.reason, file] as const))('%s: %s', (_name, _reason, file) => {
    const verify = () => verifyAccountKeyRecord(crypto, parseAccountId(file.in.session_id), decodeHex(file.in.message))
    if (file.failure !== undefined) expect(refusalBy(verify)).toBe(`${file.failure} ${file.clause}`)
    else expect(wireOf(verify())).toEqual(file.out)
  })

  it('is refused beyond its size limit', () => {
    const huge = new Uint8Array(65_537).fill(0x64)
    expect(refusalBy(() => verifyAccountKeyRecord(crypto, someAccount(crypto, 1).id, huge))).toBe('malformed AK-08')
  })
})

describe('published record', () => {
  it('verifies for every account and key, whatever the sign of the account key', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 }), (accountByte, keyByte) => {
        const account = someAccount(wasm, accountByte)
        const record = buildAccountKeyRecord(wasm, systemRandom(), account, someKey(wasm, keyByte))
        expect(verifyAccountKeyRecord(native, account.id, record).x25519).toEqual(someKey(native, keyByte).x25519.publicKey)
      }),
      { numRuns: 40 },
    )
  })

  it('does not verify with any byte up to the signature changed', () => {
    const account = someAccount(native, 1)
    for (const extras of [undefined, { continuity: [someKey(native, 3, 900, 1000)] }]) {
      const random = seededRandom(native, encodeUtf8('record'))
      const record = buildAccountKeyRecord(native, random, account, someKey(native, 2), extras)
      for (let at = 0; at < record.length - 1; at++) {
        const changed = record.with(at, (record[at] as number) ^ (1 << (at % 8)))
        expect(['malformed AK-08', 'malformed AK-09', 'forged AK-09']).toContain(
          refusalBy(() => verifyAccountKeyRecord(native, account.id, changed)),
        )
      }
    }
  })
})

describe.each(providers)('rotation, AK-07 (%s)', (_, crypto) => {
  it.each(loadVectorsOfKind(CHAPTER, 'rotation').map(v => [v.in.n, v.in.seed, v] as const))(
    'of %i devices with %s',
    (n, seed, vector) => {
      const key = { seed: Secret.of(decodeHex(seed), 'account-key-seed'), createdAtS: vector.in.created }
      expect(rotationDueAtS(crypto, key, decodeHex(vector.in.device_id), n)).toBe(vector.out.target_unix)
    },
  )

  it('is 11 to 13 hours after the key was created, however many devices there are', () => {
    const key = someKey(crypto, 9, 1_700_000_000)
    for (let device = 0; device < 50; device++) {
      for (const count of [1, 2, 7, 1000]) {
        const dueAfterS = rotationDueAtS(crypto, key, new Uint8Array(32).fill(device), count) - key.createdAtS
        expect(dueAfterS).toBeGreaterThanOrEqual(11 * 3600)
        expect(dueAfterS).toBeLessThanOrEqual(13 * 3600)
      }
    }
  })

  it('refuses what is no device', () => {
    const key = someKey(crypto, 9)
    for (const count of [0, -1, 1.5, Number.NaN]) {
      expect(refusalBy(() => rotationDueAtS(crypto, key, new Uint8Array(32), count))).toBe('bad-input AK-07')
    }
    expect(refusalBy(() => rotationDueAtS(crypto, key, new Uint8Array(31), 1))).toBe('bad-input DG-03')
    expect(refusalBy(() => rotationDueAtS(crypto, { ...key, createdAtS: -1 }, new Uint8Array(32), 1))).toBe('bad-input AK-02')
  })
})

/** Published keys in the form of the vectors. */
function wireOf({ mlKem768, x25519, createdMinutes, continuity }: PublishedKeys): Record<string, unknown> {
  return {
    M: encodeHex(mlKem768),
    X: encodeHex(x25519),
    ...(createdMinutes === undefined ? {} : { t: createdMinutes }),
    ...(continuity === undefined ? {} : { C: encodeHex(continuity.publicKey), c: continuity.links.map(encodeHex) }),
  }
}

/** Some recorded values are long and stand there as their first 16 bytes and their SHA-256. */
function abbreviatedLike(out: Record<string, unknown>, made: Record<string, string>): Record<string, unknown> {
  const abbreviate = (hex: string) => ({ first16: hex.slice(0, 32), sha256: encodeHex(sha256(wasm, [decodeHex(hex)])) })
  return Object.fromEntries(
    Object.entries(made).map(([name, hex]) => [name, typeof out[name] === 'string' ? hex : abbreviate(hex)]),
  )
}

describe('fuzz published record', () => {
  const account = someAccount(native, 1)
  const random = seededRandom(native, encodeUtf8('fuzz'))
  const continuity = [someKey(native, 3, 900, 1000), someKey(native, 4, 800, 900)]
  const records = [undefined, { continuity }].map(extras =>
    buildAccountKeyRecord(native, random, account, someKey(native, 2), extras),
  )
  const mutated = fc
    .tuple(fc.constantFrom(...records), fc.nat(1600), fc.nat(40), fc.uint8Array({ maxLength: 40 }))
    .map(([record, at, cut, inserted]) => Uint8Array.from([...record.subarray(0, at), ...inserted, ...record.subarray(at + cut)]))

  it('gives keys or a typed error, soon', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 2000 })), bytes => {
        inTime(bytes, () => {
          try {
            verifyAccountKeyRecord(native, account.id, bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError)
          }
        })
      }),
      { numRuns: fuzzRuns },
    )
  })
})
