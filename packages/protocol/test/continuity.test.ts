/** Continuity of published keys: who else but the owner of the keys before can have published these? AK-14 to AK-18. */
import {
  ed25519PublicKey,
  mlKem768PublicKey,
  Secret,
  seededRandom,
  systemRandom,
  x25519PublicKey,
  xed25519Sign,
} from '@session-v2/crypto'
import {
  BtDictWriter,
  type BtValue,
  decodeHex,
  encodeBt,
  encodeHex,
  encodeUtf8,
  INT64_MAX,
  INT64_MIN,
} from '@session-v2/encoding'
import {
  type AccountKeySeed,
  buildAccountKeyRecord,
  continuityPublicKey,
  judgePublishedKeys,
  type PublishedKeys,
  parseAccountId,
  publishedKeysFingerprint,
  type RememberedKeys,
  rememberPublishedKeys,
  verifyAccountKeyRecord,
} from '@session-v2/protocol'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeThrownBy, fuzzRuns, native, providers, refusalBy, someAccount, someKey, wasm } from './providers.ts'

const HALF_DAY_S = 43_200
const NOW_S = 1_700_000_000
const NOW = { nowS: NOW_S, confirmed: false }
const MINUTE = Math.floor(NOW_S / 60)

interface WireRemembered {
  readonly M: string
  readonly X: string
  readonly t?: number
  readonly C?: string
  readonly superseded: readonly string[]
}

const rememberedOf = ({ M, X, t, C, superseded }: WireRemembered): RememberedKeys => ({
  mlKem768: mlKem768PublicKey(decodeHex(M)),
  x25519: x25519PublicKey(decodeHex(X)),
  ...(t === undefined ? {} : { createdMinutes: t }),
  ...(C === undefined ? {} : { continuityKey: ed25519PublicKey(decodeHex(C)) }),
  superseded: superseded.map(hex => decodeHex(hex)),
})

describe.each(providers)('known answers (%s)', (_, crypto) => {
  const judged = loadVectors('account-keys').filter(file => file.in?.remembered !== undefined)
  it.each(judged.map(file => [file.name, file.reason, file] as const))('%s: %s', (_name, _reason, file) => {
    const account = parseAccountId(file.in.session_id)
    const next = verifyAccountKeyRecord(crypto, account, decodeHex(file.in.message))
    expect(judgePublishedKeys(crypto, account, rememberedOf(file.in.remembered), next)).toEqual(file.out)
  })
})

/** The n-th account key of an account that rotates twice a day. */
const keyNumber = (crypto: typeof wasm, n: number) => someKey(crypto, n, NOW_S + n * HALF_DAY_S)

describe.each(providers)('a record with continuity (%s)', (_, crypto) => {
  const alice = someAccount(crypto, 1)
  const rotated = [3, 2, 1].map(n => keyNumber(crypto, n))
  const build = (continuity: readonly AccountKeySeed[]) =>
    buildAccountKeyRecord(crypto, systemRandom(), alice, keyNumber(crypto, 4), { continuity })
  const read = (record: Uint8Array) => verifyAccountKeyRecord(crypto, alice.id, record)

  it('says when the key was created, and links it to those before, the newest first', () => {
    const { createdMinutes, continuity } = read(build(rotated.toReversed()))
    expect(createdMinutes).toBe(Math.floor((NOW_S + 4 * HALF_DAY_S) / 60))
    expect(continuity!.publicKey).toEqual(continuityPublicKey(crypto, alice.id, keyNumber(crypto, 4)))
    const tags = rotated.map(key => continuityPublicKey(crypto, alice.id, key).subarray(0, 2))
    expect(continuity!.links.map(link => link.subarray(0, 2))).toEqual(tags)
  })

  it('has the sizes that the documentation says', () => {
    expect(build([])).toHaveLength(1353)
    expect(build(rotated)).toHaveLength(1358 + 3 * 69)
    expect(buildAccountKeyRecord(crypto, systemRandom(), alice, keyNumber(crypto, 4))).toHaveLength(1302)
  })

  it('leaves itself out and links to 40 keys at most, those created last', () => {
    expect(read(build([keyNumber(crypto, 4), ...rotated])).continuity!.links).toHaveLength(3)
    const many = Array.from({ length: 60 }, (_, n) => keyNumber(crypto, 100 + n))
    const { links } = read(build(many)).continuity!
    expect(links).toHaveLength(40)
    expect(links[39]!.subarray(0, 2)).toEqual(continuityPublicKey(crypto, alice.id, keyNumber(crypto, 120)).subarray(0, 2))
  })

  it('is read as one without by a reader that skips what it does not know', () => {
    const { mlKem768, x25519 } = read(build(rotated))
    expect({ mlKem768, x25519 }).toEqual(read(buildAccountKeyRecord(crypto, systemRandom(), alice, keyNumber(crypto, 4))))
  })

  it('is the same on every provider but for the signature of the account', () => {
    const record = (other: typeof wasm) =>
      buildAccountKeyRecord(other, seededRandom(other, encodeUtf8('same')), someAccount(other, 1), keyNumber(other, 4), {
        continuity: [keyNumber(other, 3)],
      })
    expect(encodeHex(record(wasm))).toBe(encodeHex(record(native)))
  })

  it('cannot be made with a seed that was wiped', () => {
    const seed = Secret.of(new Uint8Array(32).fill(9), 'account-key-seed')
    seed.wipe()
    expect(codeThrownBy(() => build([{ seed, createdAtS: 5, rotatedAtS: 6 }]))).toBe('bad-key')
  })

  it('has another continuity key for every account and every account key', () => {
    const keys = [1, 2].flatMap(account =>
      [1, 2].map(n => continuityPublicKey(crypto, someAccount(crypto, account).id, keyNumber(crypto, n))),
    )
    expect(new Set(keys.map(encodeHex)).size).toBe(4)
  })
})

const alice = someAccount(native, 1)

/** Any value of bt-encoding, of few parts. */
const anyValue: fc.Arbitrary<BtValue> = fc.letrec<{ value: BtValue }>(tie => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
    fc.uint8Array({ maxLength: 70 }),
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
    fc.array(fc.uint8Array({ minLength: 66, maxLength: 66 }), { maxLength: 42 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .dictionary(fc.string({ maxLength: 2, unit: 'binary-ascii' }), tie('value'), { maxKeys: 3 })
      .map(fields => new Map(Object.entries(fields))),
  ),
})).value

describe('a record with anything under the keys of the extras', () => {
  const { mlKem768, x25519 } = keyNumber(native, 4)
  const maybe = fc.option(anyValue, { nil: undefined })

  it('is read, and what has not the form of an extra is left alone', () => {
    fc.assert(
      fc.property(maybe, maybe, maybe, (C, c, t) => {
        const fields = Object.entries({ C, M: mlKem768.publicKey, X: x25519.publicKey, c, t })
        const dict = fields.reduce(
          (writer, [key, value]) => (value === undefined ? writer : writer.raw(key, encodeBt(value))),
          new BtDictWriter(),
        )
        const record = dict.sign('~', body => xed25519Sign(native, systemRandom(), alice.x25519.secretKey, body)).finish()
        const read = verifyAccountKeyRecord(native, alice.id, record)
        expect([read.mlKem768, read.x25519]).toEqual([mlKem768.publicKey, x25519.publicKey])
        const isMinute = typeof t === 'bigint' && t >= 0n && t < 2n ** 53n
        expect(read.createdMinutes).toBe(isMinute ? Number(t) : undefined)
        const isKey = isMinute && C instanceof Uint8Array && C.length === 32
        expect(read.continuity?.publicKey).toEqual(isKey ? C : undefined)
        expect(read.continuity?.links.every(link => link.length === 66) ?? true).toBe(true)
        expect(read.continuity?.links.length ?? 0).toBeLessThanOrEqual(40)
      }),
      { numRuns: Math.ceil(0.15 * fuzzRuns) },
    )
  })
})

/** What −21 shows when the owner of all keys up to n has published the n-th, still holding those since `since`. */
function published(n: number, since: number, account = alice): PublishedKeys {
  const continuity = Array.from({ length: n - since }, (_, at) => keyNumber(native, n - 1 - at))
  const record = buildAccountKeyRecord(native, systemRandom(), account, keyNumber(native, n), { continuity })
  return verifyAccountKeyRecord(native, account.id, record)
}

/** What somebody publishes who has the recovery password and these account keys, but none of the owner's. */
const stolen = (n: number, since: number): PublishedKeys => published(n + 100, since + 100)

const judge = (remembered: RememberedKeys | undefined, next: PublishedKeys) =>
  judgePublishedKeys(native, alice.id, remembered, next)
const remember = (remembered: RememberedKeys | undefined, next: PublishedKeys, options = NOW) =>
  rememberPublishedKeys(native, alice.id, remembered, next, options)
const late = { nowS: NOW_S + 300 * HALF_DAY_S, confirmed: false }

describe('a reader who remembers', () => {
  it('nothing takes the first keys seen', () => {
    expect(judge(undefined, published(1, 1))).toEqual({ verdict: 'newer', continuity: 'not-offered' })
  })

  it('the keys before last, even 16 days of rotations ago, knows that the owner published these', () => {
    const remembered = remember(undefined, published(1, 1), late)
    expect(judge(remembered, published(2, 1))).toEqual({ verdict: 'newer', continuity: 'proven' })
    expect(judge(remembered, published(33, 1))).toEqual({ verdict: 'newer', continuity: 'proven' })
  })

  it('keys that the owner has erased since cannot be assured', () => {
    expect(judge(remember(undefined, published(1, 1), late), published(40, 7)).continuity).toBe('unproven')
  })

  it('is not fooled by another account with the same account keys', () => {
    const bob = someAccount(native, 2)
    const remembered = remember(undefined, published(1, 1), late)
    expect(judge(remembered, published(2, 1, bob)).continuity).toBe('unproven')
    expect(
      judgePublishedKeys(native, bob.id, remember(undefined, published(1, 1, bob), late), published(2, 1, bob)).continuity,
    ).toBe('proven')
  })

  it('a continuity key that is no key, or whose signatures anyone can make, is assured of nothing', () => {
    const next = published(2, 1)
    for (const bytes of [new Uint8Array(32), new Uint8Array(32).with(0, 1), new Uint8Array(32).fill(0xff)]) {
      const signed = new Uint8Array(66).with(0, bytes[0]!).with(1, bytes[1]!).with(2, 1)
      const links = [...next.continuity!.links, signed]
      const remembered = { ...remember(undefined, published(1, 1), late), continuityKey: ed25519PublicKey(bytes) }
      expect(judge(remembered, { ...next, continuity: { ...next.continuity!, links } }).continuity).toBe('unproven')
    }
  })

  it('is not assured by links of a wrong size', () => {
    const next = published(2, 1)
    const remembered = remember(undefined, published(1, 1), late)
    const [link] = next.continuity!.links
    for (const links of [[link!.subarray(0, 65)], [new Uint8Array([...link!, 0])], [new Uint8Array(0)]]) {
      expect(judge(remembered, { ...next, continuity: { ...next.continuity!, links } }).continuity).toBe('unproven')
    }
  })
})

describe('what is remembered', () => {
  it('of newer keys is their continuity key, their minute, and what they replaced', () => {
    const [first, second] = [published(1, 1), published(2, 1)]
    const remembered = remember(remember(undefined, first, late), second, late)
    expect(remembered).toEqual({
      mlKem768: second.mlKem768,
      x25519: second.x25519,
      createdMinutes: second.createdMinutes,
      continuityKey: second.continuity!.publicKey,
      superseded: [publishedKeysFingerprint(native, first)],
    })
    expect(judge(remembered, first)).toMatchObject({ verdict: 'stale' })
  })

  it('does not change with the same keys, under whatever minute or continuity key somebody publishes them', () => {
    const [first, thief] = [published(1, 1), stolen(1, 1)]
    const remembered = remember(undefined, first, late)
    const poisoned = { ...first, createdMinutes: 2 ** 50, continuity: thief.continuity! }
    expect(judge(remembered, poisoned)).toEqual({ verdict: 'same', continuity: 'unproven' })
    expect(remember(remembered, poisoned, late)).toBe(remembered)
  })

  it('is the minute up to now only: no record from the future holds up those after it', () => {
    const remembered = remember(undefined, { ...published(1, 1), createdMinutes: Number.MAX_SAFE_INTEGER })
    expect(remembered.createdMinutes).toBe(MINUTE)
    expect(judge(remembered, published(2, 1)).verdict).toBe('newer')
  })

  it('is the greatest minute, and stays when newer keys state none', () => {
    const remembered = remember(remember(undefined, published(2, 2), late), published(3, 2), NOW)
    expect(remembered.createdMinutes).toBe(published(3, 2).createdMinutes! - 720)
    const { createdMinutes: _, continuity: _none, ...plain } = published(4, 4)
    expect(remember(remembered, plain, late)).toMatchObject({
      createdMinutes: remembered.createdMinutes,
      continuityKey: remembered.continuityKey,
    })
  })

  it('of unproven keys is not their continuity key, so that the owner can still prove the next', () => {
    const thief = stolen(1, 1)
    const remembered = remember(remember(undefined, published(1, 1), late), thief, NOW)
    expect(remembered.x25519).toEqual(thief.x25519)
    expect(judge(remembered, stolen(2, 1)).continuity).toBe('unproven')
    expect(judge(remembered, published(2, 1))).toEqual({ verdict: 'newer', continuity: 'proven' })
  })

  it('of unproven keys is their continuity key once a person made sure of them', () => {
    const remembered = remember(remember(undefined, published(1, 1), late), stolen(1, 1), { ...late, confirmed: true })
    expect(judge(remembered, stolen(2, 1))).toEqual({ verdict: 'newer', continuity: 'proven' })
  })

  it('are 80 superseded keys at most, those superseded last', () => {
    let remembered = remember(undefined, published(1, 1), late)
    const first = publishedKeysFingerprint(native, remembered)
    for (let n = 2; n <= 83; n++) remembered = remember(remembered, published(n, n), late)
    expect(remembered.superseded).toHaveLength(80)
    expect(remembered.superseded).not.toContainEqual(first)
    expect(remembered.superseded[79]).toEqual(publishedKeysFingerprint(native, published(82, 82)))
  })

  it('are never stale keys, nor at a time that is none', () => {
    const remembered = remember(remember(undefined, published(1, 1), late), published(2, 1), late)
    expect(refusalBy(() => remember(remembered, published(1, 1), late))).toBe('bad-input AK-17')
    expect(refusalBy(() => remember(undefined, published(1, 1), { ...late, nowS: Number.NaN }))).toBe('bad-input AK-18')
  })
})

describe('whatever a node serves and a thief of the recovery password publishes', () => {
  const HISTORY = 12
  const owner = Array.from({ length: HISTORY }, (_, n) => published(n + 1, Math.max(1, n - 5)))
  const thief = Array.from({ length: 4 }, (_, n) => stolen(n + 1, 1))
  const ofThief = (keys: PublishedKeys) => thief.some(other => encodeHex(other.x25519) === encodeHex(keys.x25519))
  const anySighting = fc.oneof(
    { weight: 4, arbitrary: fc.record({ by: fc.constant('owner' as const), ahead: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ by: fc.constant('node' as const), at: fc.nat(HISTORY - 1) }) },
    {
      weight: 1,
      arbitrary: fc.record({ by: fc.constant('thief' as const), at: fc.nat(3), under: fc.nat(HISTORY - 1), own: fc.boolean() }),
    },
  )

  it('no reader goes back to keys it had before, or takes keys of the thief for proven', () => {
    let proven = 0
    fc.assert(
      fc.property(fc.array(anySighting, { maxLength: 25 }), sightings => {
        let remembered = remember(undefined, owner[0]!, late)
        const had = new Set<string>()
        let newest = 0
        for (const sighting of sightings) {
          if (sighting.by === 'owner') newest = Math.min(newest + sighting.ahead, HISTORY - 1)
          const shown =
            sighting.by === 'owner'
              ? owner[newest]!
              : sighting.by === 'node'
                ? owner[Math.min(sighting.at, newest)]!
                : sighting.own
                  ? thief[sighting.at]!
                  : { ...owner[Math.min(sighting.under, newest)]!, continuity: thief[sighting.at]!.continuity! }
          const { verdict, continuity } = judge(remembered, shown)
          if (ofThief(shown)) expect(continuity).not.toBe('proven')
          if (verdict !== 'newer') continue
          expect(had.has(encodeHex(shown.x25519))).toBe(false)
          // A reader who relies on what is proven only.
          if (continuity !== 'proven') continue
          proven++
          had.add(encodeHex(remembered.x25519))
          remembered = remember(remembered, shown, late)
          expect(ofThief(shown)).toBe(false)
        }
      }),
      { numRuns: Math.ceil(0.15 * fuzzRuns) },
    )
    expect(proven).toBeGreaterThan(fuzzRuns / 20)
  })
})
