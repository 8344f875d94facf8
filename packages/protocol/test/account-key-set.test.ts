/** The set of account keys that devices share: AK-11 to AK-13. */
import { Secret } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import {
  ACCOUNT_KEY_RETENTION_S,
  type AccountKeySeed,
  currentAccountKey,
  mergeAccountKeys,
  pruneAccountKeys,
  rotateAccountKeys,
  settleAccountKeys,
} from '@session-v2/protocol'
import { loadVectors, loadVectorsOfKind } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeThrownBy, fuzzRuns, refusalBy } from './providers.ts'

const CHAPTER = 'account-keys'
const DAY_S = 86_400

/** A key as numbers: the first byte of its seed, and its times. */
type Plain = readonly [seed: number, createdAtS: number, rotatedAtS?: number]

const secretOf = (byte: number) => Secret.of(new Uint8Array(32).with(0, byte), 'account-key-seed')
const keyOf = ([seed, createdAtS, rotatedAtS]: Plain): AccountKeySeed => ({
  seed: secretOf(seed),
  createdAtS,
  ...(rotatedAtS === undefined ? {} : { rotatedAtS }),
})
const plainOf = ({ seed, createdAtS, rotatedAtS }: AccountKeySeed): Plain =>
  rotatedAtS === undefined ? [seed.expose()[0]!, createdAtS] : [seed.expose()[0]!, createdAtS, rotatedAtS]
const asIs = (key: AccountKeySeed) => key
const merge = (held: readonly AccountKeySeed[], ...lists: readonly (readonly Plain[])[]) =>
  lists.reduce<readonly AccountKeySeed[]>((keys, list) => mergeAccountKeys(keys, list.map(keyOf), asIs).keys, held)
const merged = (...lists: readonly (readonly Plain[])[]) => merge([], ...lists).map(plainOf)
const settled = (keys: readonly AccountKeySeed[]) => settleAccountKeys(keys).map(plainOf)

interface WireKey {
  readonly seed: string
  readonly created: number
  readonly rotated?: number | null
}

type Op =
  | { readonly op: 'msg'; readonly account_keys: readonly WireKey[] }
  | { readonly op: 'rotate'; readonly seed: string; readonly now: number }
  | { readonly op: 'prune'; readonly now: number }

const wireSecret = (hex: string) => Secret.of(decodeHex(hex), 'account-key-seed')

function apply(held: readonly AccountKeySeed[], op: Op): readonly AccountKeySeed[] {
  if (op.op === 'rotate') return rotateAccountKeys(held, wireSecret(op.seed), op.now, asIs)
  if (op.op === 'prune') return pruneAccountKeys(held, op.now).keys
  const incoming = op.account_keys.map(({ seed, created, rotated }) => ({
    seed: wireSecret(seed),
    createdAtS: created,
    ...(typeof rotated === 'number' ? { rotatedAtS: rotated } : {}),
  }))
  return mergeAccountKeys(held, incoming, asIs).keys
}

const wireOf = ({ seed, createdAtS, rotatedAtS }: AccountKeySeed) => ({
  seed: encodeHex(seed.expose()),
  created: createdAtS,
  rotated: rotatedAtS ?? null,
})

describe('known answers', () => {
  const own = loadVectors(CHAPTER).filter(file => file.in?.ops !== undefined)
  it.each(own.map(file => [file.name, file.reason, file] as const))('%s: %s', (_name, _reason, file) => {
    const held = (file.in.ops as readonly Op[]).reduce(apply, [])
    expect(held.map(wireOf)).toEqual(file.out.account_keys)
  })

  it.each(loadVectorsOfKind(CHAPTER, 'merge').map(vector => [vector.in.name, vector] as const))('%s', (_name, vector) => {
    const held = (vector.in.ops as readonly Op[]).reduce(apply, [])
    expect(vector.out.account_keys).toMatchObject(held.map(wireOf))
  })
})

describe('merging', () => {
  it('inserts what is unknown, in the order given, and leaves one current', () => {
    expect(merged([[1, 10], [2, 30], [3, 20]])).toEqual([[2, 30], [3, 20, 30], [1, 10, 30]]) // biome-ignore format: a table
    expect(merged([[1, 10], [3, 20], [2, 30]])).toEqual([[2, 30], [3, 20, 30], [1, 10, 20]]) // biome-ignore format: a table
  })

  it('makes the lower of two seeds of the same second current, compared as unsigned bytes', () => {
    for (const list of [
      [
        [0x7f, 10],
        [0x80, 10],
      ],
      [
        [0x80, 10],
        [0x7f, 10],
      ],
    ] as Plain[][]) {
      // biome-ignore format: a table
      expect(merged(list)).toEqual([[0x7f, 10], [0x80, 10, 10]]) // biome-ignore format: a table
    }
  })

  it('takes the earlier rotation of a known key, and the one there is', () => {
    expect(merged([[1, 10, 40]], [[1, 10, 30]], [[1, 10, 35]], [[1, 10]])).toEqual([[1, 10, 30]])
    expect(merged([[1, 10]], [[1, 10, 30]])).toEqual([[1, 10, 30]])
  })

  it('never changes when a key was created', () => {
    expect(merged([[1, 10]], [[1, 5]], [[1, 50]])).toEqual([[1, 10]])
  })

  it('leaves the current key alone when a rotated one comes in that is newer', () => {
    expect(merged([[1, 10]], [[2, 50, 60]])).toEqual([[1, 10], [2, 50, 60]]) // biome-ignore format: a table
  })

  it('can leave no key current', () => {
    expect(currentAccountKey(merge([], [[1, 10]], [[1, 10, 30]]))).toBeUndefined()
    expect(currentAccountKey([])).toBeUndefined()
  })

  it('refuses times that are none', () => {
    for (const time of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(refusalBy(() => merge([], [[1, time]]))).toBe('bad-input AK-02')
      expect(refusalBy(() => merge([], [[1, 10, time]]))).toBe('bad-input AK-02')
    }
  })
})

describe('what merging hands back', () => {
  it('is what it inserted, as it is held, and the seeds that nobody holds', () => {
    const held = [{ ...keyOf([1, 10]), distributed: true }]
    const incoming = [keyOf([1, 10]), keyOf([3, 20]), keyOf([2, 30]), keyOf([3, 20, 25])]
    const { keys, inserted, wipe } = mergeAccountKeys(held, incoming, key => ({ ...key, distributed: false }))
    expect(inserted.map(plainOf)).toEqual([[3, 20, 25], [2, 30]]) // biome-ignore format: a table
    expect(inserted.every(key => keys.includes(key))).toBe(true)
    expect(keys.map(key => [key.seed.expose()[0], key.distributed])).toEqual([[2, false], [3, false], [1, true]]) // biome-ignore format: a table
    expect(wipe).toEqual([incoming[0]!.seed, incoming[3]!.seed])
    expect(wipe[0]).toBe(incoming[0]!.seed)
    expect(wipe[1]).toBe(incoming[3]!.seed)
  })

  it('is no seed that is held, even if it comes in again, twice', () => {
    const key = keyOf([1, 10])
    const fresh = keyOf([2, 20])
    expect(mergeAccountKeys([key], [key, key, fresh, fresh], asIs).wipe).toEqual([])
  })

  it('is the incoming seed when what adopts it copies it', () => {
    const key = keyOf([1, 10])
    const copy = (other: AccountKeySeed) => ({
      ...other,
      seed: Secret.of(new Uint8Array(other.seed.expose()), 'account-key-seed'),
    })
    const { keys, wipe } = mergeAccountKeys([], [key], copy)
    expect(wipe[0]).toBe(key.seed)
    for (const seed of wipe) seed.wipe()
    expect(keys.map(plainOf)).toEqual([[1, 10]])
  })

  it('is made without changing what was given', () => {
    const held = Object.freeze([Object.freeze(keyOf([1, 10])), Object.freeze(keyOf([2, 5, 10]))])
    const incoming = Object.freeze([Object.freeze(keyOf([3, 20]))])
    const { keys } = mergeAccountKeys(held, incoming, asIs)
    expect(held.map(plainOf)).toEqual([[1, 10], [2, 5, 10]]) // biome-ignore format: a table
    expect(keys[2]).toBe(held[1])
  })

  it('is nothing for a seed that was wiped', () => {
    const [held, incoming] = [keyOf([1, 10]), keyOf([2, 10])]
    incoming.seed.wipe()
    expect(codeThrownBy(() => mergeAccountKeys([held], [incoming], asIs))).toBe('bad-key')
  })
})

describe('rotating', () => {
  const rotate = (held: readonly AccountKeySeed[], seed: number, nowS: number) =>
    rotateAccountKeys(held, secretOf(seed), nowS, asIs)

  it('makes the fresh key current, after all that are held, and every other one rotated', () => {
    expect(rotate([], 1, 100).map(plainOf)).toEqual([[1, 100]])
    expect(rotate(merge([], [[1, 100]]), 2, 90).map(plainOf)).toEqual([[2, 101], [1, 100, 101]]) // biome-ignore format: a table
    expect(rotate(merge([], [[1, 100, 110]]), 2, 90).map(plainOf)).toEqual([[2, 101], [1, 100, 110]]) // biome-ignore format: a table
  })

  it('takes the very seed it is given', () => {
    const seed = secretOf(3)
    expect(rotateAccountKeys([], seed, 5, asIs)[0]!.seed).toBe(seed)
  })

  it('refuses a seed that is held, a time that is none, and one after the end of time', () => {
    expect(refusalBy(() => rotate(merge([], [[1, 5]]), 1, 10))).toBe('bad-input AK-03')
    for (const nowS of [-1, 0.5, Number.NaN]) expect(refusalBy(() => rotate([], 1, nowS))).toBe('bad-input AK-02')
    expect(refusalBy(() => rotate(merge([], [[1, Number.MAX_SAFE_INTEGER]]), 2, 5))).toBe('bad-input AK-02')
  })
})

describe('pruning', () => {
  const rotatedAtS = 100
  const keys = merge([], [[1, 10, rotatedAtS], [2, rotatedAtS]]) // biome-ignore format: a table
  const atS = (nowS: number) => pruneAccountKeys(keys, nowS)

  it('keeps a key for 16 days after its rotation, to the second', () => {
    expect(ACCOUNT_KEY_RETENTION_S).toBe(16 * DAY_S)
    expect(atS(rotatedAtS + 16 * DAY_S)).toMatchObject({ keys: [{}, {}], wipe: [] })
    const { keys: kept, wipe } = atS(rotatedAtS + 16 * DAY_S + 1)
    expect(kept.map(plainOf)).toEqual([[2, rotatedAtS]])
    expect(wipe.map(seed => seed.expose()[0])).toEqual([1])
    expect(wipe[0]!.wiped).toBe(false)
  })

  it('counts from the rotation that holds, not from the one that a late message named', () => {
    const late = merge([], [[1, 10], [3, 500]], [[2, 20]]) // biome-ignore format: a table
    expect(late.map(plainOf)).toContainEqual([1, 10, 500])
    expect(pruneAccountKeys(late, 20 + 16 * DAY_S + 1).keys.map(plainOf)).toEqual([[3, 500], [2, 20, 500]]) // biome-ignore format: a table
  })

  it('keeps the current key for ever, and refuses a time that is none', () => {
    expect(atS(Number.MAX_SAFE_INTEGER).keys.map(plainOf)).toEqual([[2, rotatedAtS]])
    expect(refusalBy(() => atS(Number.NaN))).toBe('bad-input AK-02')
  })
})

describe('settling', () => {
  it('ends every key but the newest when the next newer one was created', () => {
    expect(settled(merge([], [[1, 10], [2, 30], [3, 20]]))).toEqual([[2, 30], [3, 20, 30], [1, 10, 20]]) // biome-ignore format: a table
    expect(settled(merge([], [[1, 10, 15], [2, 30]]))).toEqual([[2, 30], [1, 10, 15]]) // biome-ignore format: a table
    expect(settled(merge([], [[1, 10]], [[2, 50, 60]]))).toEqual([[2, 50, 60], [1, 10, 50]]) // biome-ignore format: a table
  })
})

// What follows holds for any history.

/** A key that a message mentions: which of eight, and the rotation it names. Ties of creation are frequent. */
const anyMention = fc.tuple(fc.nat(7), fc.option(fc.nat(30), { nil: undefined, freq: 2 }))
const CREATED = [5, 5, 10, 10, 10, 15, 20, 25]
const anyMentions = fc.array(anyMention, { maxLength: 12 })
const plain = ([index, rotatedAtS]: readonly [number, number | undefined]): Plain =>
  rotatedAtS === undefined ? [index * 31, CREATED[index]!] : [index * 31, CREATED[index]!, rotatedAtS]

/** The same mentions in another order, split into messages somewhere, some of them twice. */
const anyTwoTellings = anyMentions.chain(mentions =>
  fc.record({
    mentions: fc.constant(mentions),
    again: fc.shuffledSubarray(mentions),
    order: fc.shuffledSubarray(mentions, { minLength: mentions.length }),
    cuts: fc.array(fc.nat(24), { maxLength: 5 }),
  }),
)

function cutAt<T>(items: readonly T[], cuts: readonly number[]): T[][] {
  const bounds = [0, ...cuts.map(cut => Math.min(cut, items.length)).sort((a, b) => a - b), items.length]
  return bounds.slice(1).map((end, at) => items.slice(bounds[at], end))
}

describe('merging, whatever was sent', () => {
  it('settles on one set whatever the order, the messages and the repetitions (AK-12)', () => {
    fc.assert(
      fc.property(anyTwoTellings, ({ mentions, again, order, cuts }) => {
        const one = merge([], mentions.map(plain))
        const other = merge([], ...cutAt([...order, ...again].map(plain), cuts))
        expect(settled(other)).toEqual(settled(one))
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('changes nothing when it is repeated (AK-11)', () => {
    fc.assert(
      fc.property(anyMentions, anyMentions, (before, list) => {
        const held = merge([], before.map(plain))
        const once = mergeAccountKeys(held, list.map(plain).map(keyOf), asIs)
        const incoming = list.map(plain).map(keyOf)
        const twice = mergeAccountKeys(once.keys, incoming, asIs)
        expect(twice.keys.map(plainOf)).toEqual(once.keys.map(plainOf))
        expect(twice.inserted).toEqual([])
        expect(twice.wipe).toHaveLength(incoming.length)
        expect(settled(settleAccountKeys(once.keys))).toEqual(settled(once.keys))
      }),
    )
  })

  it('never lets a key end later than it would have (AK-12)', () => {
    fc.assert(
      fc.property(anyMentions, anyMentions, (before, list) => {
        const held = merge([], before.map(plain))
        const after = new Map(settled(merge(held, list.map(plain))).map(([seed, , rotatedAtS]) => [seed, rotatedAtS]))
        for (const [seed, , rotatedAtS] of settled(held)) {
          expect(after.get(seed) ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(rotatedAtS ?? Number.POSITIVE_INFINITY)
        }
      }),
    )
  })
})

describe('a set, whatever was sent', () => {
  it('has one current key at most, the newest unless a message says that it is rotated (AK-03)', () => {
    fc.assert(
      fc.property(anyMentions, fc.array(fc.nat(24), { maxLength: 5 }), (mentions, cuts) => {
        const keys = merge([], ...cutAt(mentions.map(plain), cuts))
        const current = keys.filter(key => key.rotatedAtS === undefined)
        expect(current.length).toBeLessThanOrEqual(1)
        if (current.length === 1) expect(keys[0]).toBe(current[0])
        const newest = Math.max(...mentions.map(([index]) => CREATED[index]!))
        const [index] = mentions.filter(mention => CREATED[mention[0]] === newest).sort(([a], [b]) => a - b)[0] ?? []
        const isRotated = mentions.some(mention => mention[0] === index && mention[1] !== undefined)
        if (index !== undefined && !isRotated) expect(currentAccountKey(keys)!.seed.expose()[0]).toBe(index * 31)
      }),
      { numRuns: Math.ceil(fuzzRuns / 2) },
    )
  })

  it('is in one order (AK-13)', () => {
    fc.assert(
      fc.property(anyMentions, mentions => {
        const keys = merge([], mentions.map(plain))
        const alike = pruneAccountKeys(keys.toReversed(), 0).keys
        expect(alike.map(plainOf)).toEqual(keys.map(plainOf))
        for (const [at, [seed, createdAtS, rotatedAtS = Number.POSITIVE_INFINITY]] of keys.map(plainOf).entries()) {
          const next = keys.map(plainOf)[at + 1]
          if (next === undefined) continue
          const [nextSeed, nextCreatedAtS, nextRotatedAtS = Number.POSITIVE_INFINITY] = next
          const isBefore =
            rotatedAtS > nextRotatedAtS ||
            (rotatedAtS === nextRotatedAtS && (createdAtS > nextCreatedAtS || (createdAtS === nextCreatedAtS && seed < nextSeed)))
          expect(isBefore).toBe(true)
        }
      }),
    )
  })
})

describe('a key that was erased', () => {
  const DEVICES = 3
  const anyDevice = fc.nat(DEVICES - 1)
  const anyStep = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('rotate' as const), device: anyDevice }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('send' as const), device: anyDevice, settled: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('receive' as const), device: anyDevice, sent: fc.nat(40) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), days: fc.integer({ min: 0, max: 10 }) }) },
  )

  /** Devices with clocks that are some days apart send their sets, and receive any that was ever sent, however old. */
  it('never comes back, whatever old message is sent again', () => {
    let erasures = 0
    let returns = 0
    const property = fc.property(
      fc.array(anyStep, { minLength: 20, maxLength: 60 }),
      fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)),
      (steps, skewDays) => {
        const held: (readonly AccountKeySeed[])[] = new Array(DEVICES).fill([])
        const erased = held.map(() => new Set<number>())
        const sent: (readonly Plain[])[] = []
        let nowS = 0
        let seeds = 0
        for (const step of steps) {
          if (step.kind === 'wait') {
            nowS += step.days * DAY_S
            continue
          }
          const { device } = step
          const deviceNowS = nowS + skewDays[device]! * DAY_S
          if (step.kind === 'send') sent.push(step.settled ? settled(held[device]!) : held[device]!.map(plainOf))
          if (step.kind === 'rotate') held[device] = rotateAccountKeys(held[device]!, secretOf(seeds++), deviceNowS, asIs)
          if (step.kind === 'receive' && sent.length > 0) {
            held[device] = merge(held[device]!, sent[step.sent % sent.length]!)
            returns += held[device].filter(key => erased[device]!.has(key.seed.expose()[0]!)).length
          }
          const { keys, wipe } = pruneAccountKeys(held[device]!, deviceNowS)
          held[device] = keys
          for (const seed of wipe) erased[device]!.add(seed.expose()[0]!)
          erasures += wipe.length
          for (const key of keys) expect(erased[device]!.has(key.seed.expose()[0]!)).toBe(false)
        }
      },
    )
    fc.assert(property, { numRuns: Math.ceil(fuzzRuns / 2) })
    // The schedules did what the test is about.
    expect(Math.min(erasures, returns)).toBeGreaterThan(fuzzRuns / 20)
  })
})
