/** Judging and remembering published keys at the borders of what is known of them (AK-16, AK-17, AK-18). */
import { ed25519PublicKey, mlKem768PublicKey, systemRandom, x25519PublicKey } from '@session-v2/crypto'
import {
  buildAccountKeyRecord,
  judgePublishedKeys,
  type PublishedKeys,
  publishedKeysFingerprint,
  type RememberedKeys,
  rememberPublishedKeys,
  verifyAccountKeyRecord,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { isLinkedTo } from '../src/account-keys/continuity.ts'
import { native, refusalOf, someAccount, someKey } from './providers.ts'

const account = someAccount(native, 1).id
const NOW_S = 60_000_000
const MINUTE = 1_000_000

/** Keys of one byte each: for what does not look into them. */
const keysOf = (byte: number, more: Partial<PublishedKeys> = {}): PublishedKeys => ({
  mlKem768: mlKem768PublicKey(new Uint8Array(1184).fill(byte)),
  x25519: x25519PublicKey(new Uint8Array(32).fill(byte)),
  ...more,
})
const continuityOf = (byte: number) => ({ publicKey: ed25519PublicKey(new Uint8Array(32).fill(byte)), links: [] })
const judge = (remembered: RememberedKeys | undefined, next: PublishedKeys) =>
  judgePublishedKeys(native, account, remembered, next)
const remember = (remembered: RememberedKeys | undefined, next: PublishedKeys, confirmed = false, nowS = NOW_S) =>
  rememberPublishedKeys(native, account, remembered, next, { nowS, confirmed })

describe('keys are the same (AK-17)', () => {
  const remembered = remember(undefined, keysOf(1))

  it('when both halves are, and only then', () => {
    expect(judge(remembered, keysOf(1)).verdict).toBe('same')
    expect(judge(remembered, { ...keysOf(1), x25519: keysOf(2).x25519 }).verdict).toBe('newer')
    expect(judge(remembered, { ...keysOf(1), mlKem768: keysOf(2).mlKem768 }).verdict).toBe('newer')
    expect(judge(remembered, keysOf(2)).verdict).toBe('newer')
  })

  it('whatever their minute, and though they were superseded before', () => {
    const known: RememberedKeys = {
      ...remembered,
      createdMinutes: 100,
      superseded: [publishedKeysFingerprint(native, keysOf(1)), publishedKeysFingerprint(native, keysOf(2))],
    }
    expect(judge(known, keysOf(1, { createdMinutes: 5 })).verdict).toBe('same')
    expect(judge(known, keysOf(2, { createdMinutes: 500 })).verdict).toBe('stale')
  })
})

describe('other keys are stale (AK-17)', () => {
  it.each([
    [100, 99, 'stale'],
    [100, 100, 'newer'],
    [100, 101, 'newer'],
    [100, undefined, 'newer'],
    [100, 0, 'stale'],
    [0, 0, 'newer'],
    [undefined, 0, 'newer'],
    [undefined, undefined, 'newer'],
  ])('of the minute known, %s, and the minute stated, %s: %s', (known, stated, verdict) => {
    const remembered = { ...keysOf(1), superseded: [], ...(known === undefined ? {} : { createdMinutes: known }) }
    expect(judge(remembered, keysOf(2, stated === undefined ? {} : { createdMinutes: stated })).verdict).toBe(verdict)
  })
})

describe('continuity (AK-16)', () => {
  const remembered = remember(undefined, keysOf(1, { continuity: continuityOf(7), createdMinutes: 5 }))

  it('is not offered to a reader who remembers none', () => {
    const { continuityKey: _, ...without } = remembered
    for (const next of [keysOf(1, { continuity: continuityOf(7) }), keysOf(2, { continuity: continuityOf(7) }), keysOf(2)]) {
      expect(judge(without, next).continuity).toBe('not-offered')
    }
    expect(judge(undefined, keysOf(1, { continuity: continuityOf(7) }))).toEqual({ verdict: 'newer', continuity: 'not-offered' })
  })

  it('of the same keys is that of their continuity key', () => {
    expect(judge(remembered, keysOf(1))).toEqual({ verdict: 'same', continuity: 'not-offered' })
    expect(judge(remembered, keysOf(1, { continuity: continuityOf(7) }))).toEqual({ verdict: 'same', continuity: 'proven' })
    expect(judge(remembered, keysOf(1, { continuity: continuityOf(8) }))).toEqual({ verdict: 'same', continuity: 'unproven' })
  })

  it('of other keys needs a minute, which is signed, and a link', () => {
    for (const more of [
      {},
      { createdMinutes: 6 },
      { continuity: continuityOf(8) },
      { createdMinutes: 6, continuity: continuityOf(7) },
    ]) {
      expect(judge(remembered, keysOf(2, more))).toEqual({ verdict: 'newer', continuity: 'unproven' })
    }
  })

  it('is not looked for without a minute, whatever the links say', () => {
    const links = [new Uint8Array(66).fill(7)]
    for (const minute of [{}, { createdMinutes: 6 }]) {
      const next = keysOf(2, { ...minute, continuity: { ...continuityOf(8), links } })
      expect(judge(remembered, next)).toEqual({ verdict: 'newer', continuity: 'unproven' })
    }
  })

  it('is not proven by no links, nor by links of others', () => {
    const [owner, next] = [someKey(native, 2, 0, 60), someKey(native, 3, 60)]
    const record = (key: typeof next, continuity: readonly (typeof next)[]) =>
      verifyAccountKeyRecord(
        native,
        account,
        buildAccountKeyRecord(native, systemRandom(), someAccount(native, 1), key, { continuity }),
      )
    const { mlKem768, x25519, createdMinutes, continuity } = record(next, [owner])
    const signer = record(owner, []).continuity!.publicKey
    const succession = { publicKey: continuity!.publicKey, mlKem768, x25519, createdMinutes: createdMinutes! }
    const linked = (links: readonly Uint8Array[]) => isLinkedTo(native, account, signer, links, succession)
    const [link] = continuity!.links
    const ofOthers = record(next, [someKey(native, 4, 0, 60)]).continuity!.links[0]!
    expect(linked([link!])).toBe(true)
    expect(linked([ofOthers, link!.with(65, link![65]! ^ 1), link!])).toBe(true)
    for (const links of [
      [],
      [ofOthers],
      [link!.with(0, link![0]! ^ 1)],
      [link!.with(1, link![1]! ^ 1)],
      [link!.subarray(0, 2)],
    ]) {
      expect(linked(links)).toBe(false)
    }
  })
})

describe('what is remembered of keys, and of their continuity key (AK-18)', () => {
  it('of first keys that state nothing is nothing but the keys', () => {
    expect(remember(undefined, keysOf(1))).toStrictEqual({ ...keysOf(1), superseded: [] })
    expect(remember(remember(undefined, keysOf(1)), keysOf(2))).toStrictEqual({
      ...keysOf(2),
      superseded: [publishedKeysFingerprint(native, keysOf(1))],
    })
  })

  it('of first keys is what they state', () => {
    expect(remember(undefined, keysOf(1, { createdMinutes: 0, continuity: continuityOf(7) }))).toStrictEqual({
      ...keysOf(1),
      createdMinutes: 0,
      continuityKey: continuityOf(7).publicKey,
      superseded: [],
    })
  })

  it('of the same keys changes only once a person made sure of them, and they supersede nothing then', () => {
    const first = remember(undefined, keysOf(1, { createdMinutes: 5, continuity: continuityOf(7) }))
    const remembered = remember(first, keysOf(2, { createdMinutes: 6 }))
    const again = keysOf(2, { createdMinutes: 9, continuity: continuityOf(8) })
    expect(remember(remembered, again)).toBe(remembered)
    expect(remember(remembered, again, true)).toStrictEqual({
      ...remembered,
      createdMinutes: 9,
      continuityKey: continuityOf(8).publicKey,
    })
    expect(remembered.superseded).toEqual([publishedKeysFingerprint(native, keysOf(1))])
  })

  it('is the continuity key of before when the keys a person made sure of offer none', () => {
    const remembered = remember(undefined, keysOf(1, { continuity: continuityOf(7) }))
    for (const confirmed of [false, true]) {
      expect(remember(remembered, keysOf(2), confirmed).continuityKey).toEqual(continuityOf(7).publicKey)
    }
    expect(remember(remembered, keysOf(2, { continuity: continuityOf(8) }), false).continuityKey).toEqual(
      continuityOf(7).publicKey,
    )
    expect(remember(remembered, keysOf(2, { continuity: continuityOf(8) }), true).continuityKey).toEqual(
      continuityOf(8).publicKey,
    )
  })
})

describe('what is remembered of minutes, and of keys superseded (AK-18)', () => {
  it('is the minute up to the one that is running, and never an earlier one than before', () => {
    const minuteOf = (known: number | undefined, stated: number, nowS = NOW_S) => {
      const remembered = { ...keysOf(1), superseded: [], ...(known === undefined ? {} : { createdMinutes: known }) }
      return remember(remembered, keysOf(2, { createdMinutes: stated }), false, nowS).createdMinutes
    }
    expect(minuteOf(undefined, MINUTE - 1)).toBe(MINUTE - 1)
    expect(minuteOf(undefined, MINUTE + 1)).toBe(MINUTE)
    expect(minuteOf(undefined, MINUTE + 1, NOW_S + 59)).toBe(MINUTE)
    expect(minuteOf(undefined, MINUTE + 1, NOW_S + 60)).toBe(MINUTE + 1)
    expect(minuteOf(MINUTE + 5, MINUTE + 9)).toBe(MINUTE + 5)
    expect(minuteOf(5, 7)).toBe(7)
  })

  it('are never stale keys, and that is said', () => {
    const remembered = remember(remember(undefined, keysOf(1)), keysOf(2))
    for (const confirmed of [false, true]) {
      expect(refusalOf(() => remember(remembered, keysOf(1), confirmed))).toEqual([
        'bad-input AK-17',
        'keys that are stale are not to be remembered',
      ])
    }
    for (const nowS of [-1, 0.5]) {
      const complaint = `${nowS} is not a time in whole seconds since the epoch`
      expect(refusalOf(() => remember(undefined, keysOf(1), false, nowS))).toEqual(['bad-input AK-18', complaint])
    }
  })

  it('are keys superseded, the newest last, and 80 at most', () => {
    const superseded = Array.from({ length: 79 }, (_, at) => new Uint8Array(32).fill(at))
    const remembered = remember({ ...keysOf(101), superseded }, keysOf(102))
    expect(remembered.superseded).toEqual([...superseded, publishedKeysFingerprint(native, keysOf(101))])
    expect(remember(remembered, keysOf(103)).superseded).toEqual([
      ...superseded.slice(1),
      ...[101, 102].map(byte => publishedKeysFingerprint(native, keysOf(byte))),
    ])
  })
})
