/** The life of device keys: DK-01 to DK-05 and DK-07 to DK-09; for DK-06 see the states of devices. */
import { type Crypto, Secret, type X25519PublicKey, x25519PublicKey } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import {
  confirmDeviceKeys,
  type DeviceKey,
  type DeviceKeys,
  deviceKeyOf,
  deviceKeyRotationDue,
  eraseDeviceKeys,
  expandDeviceKeys,
  expandKeyPair,
  newDeviceKeys,
  renewDeviceKeys,
  rotateDeviceKeys,
  wipeExpandedKeyPair,
} from '@session-v2/protocol'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeThrownBy, native, providers, refusalBy, refusalOf } from './providers.ts'

const HOUR_S = 3600
const NOW_S = 1_700_000_000

const seedOf = (number: number) => Secret.of(new Uint8Array(32).fill(number & 0xff).fill(number >> 8, 0, 16), 'device-key-seed')
const rotate = (keys: DeviceKeys, number: number, nowS: number, crypto: Crypto = native) =>
  rotateDeviceKeys(crypto, keys, seedOf(number), nowS)
const held = ({ current, previous }: DeviceKeys): readonly DeviceKey[] => [current, ...previous]
/** The fillings of the seeds, the current one first. */
const numbers = (keys: DeviceKeys) => held(keys).map(({ seed }) => seed.expose()[31]! | (seed.expose()[0]! << 8))
const times = (keys: DeviceKeys) => held(keys).map(({ confirmedAtS, releasedAtS }) => [confirmedAtS, releasedAtS])

/** Three keys, none confirmed: 3 is current. */
function threeKeys(): DeviceKeys {
  return [2, 3].reduce((keys, number) => rotate(keys, number, NOW_S + number), newDeviceKeys(native, seedOf(1), NOW_S + 1))
}

describe.each(providers)('device keys (%s)', (_, crypto) => {
  it.each(loadVectors('device-keys').map(file => [file.name, file.reason, file] as const))('%s: %s', (_name, _reason, file) => {
    const { current } = newDeviceKeys(crypto, Secret.of(decodeHex(file.in.seed), 'device-key-seed'), NOW_S)
    expect({ x25519: encodeHex(current.x25519), mlkem768: encodeHex(current.mlKem768) }).toEqual(file.out)
  })

  it('take the seed over and keep no other secret', () => {
    const seed = seedOf(1)
    const { current, previous } = newDeviceKeys(crypto, seed, NOW_S)
    expect(current.seed).toBe(seed)
    expect(Object.keys(current).sort()).toEqual(['createdAtS', 'mlKem768', 'seed', 'x25519'])
    expect(previous).toEqual([])
  })

  it('expand the current key first, as they were announced, into pairs that are wiped without harm', () => {
    const keys = rotate(newDeviceKeys(crypto, seedOf(1), NOW_S), 2, NOW_S, crypto)
    const pairs = expandDeviceKeys(crypto, keys)
    expect(pairs.map(pair => [pair.x25519.publicKey, pair.mlKem768.publicKey])).toEqual(
      held(keys).map(key => [key.x25519, key.mlKem768]),
    )
    for (const pair of pairs) {
      wipeExpandedKeyPair(pair)
      expect([pair.x25519.secretKey.wiped, pair.mlKem768.seed.wiped]).toEqual([true, true])
      expect(codeThrownBy(() => pair.mlKem768.secretKey.export())).toBe('bad-key')
    }
    expect(numbers(keys)).toEqual([2, 1])
  })

  it('are not the account keys of the same seeds', () => {
    const { current } = newDeviceKeys(crypto, seedOf(1), NOW_S)
    expect(expandKeyPair(crypto, 'SessionAccountKeys', seedOf(1).expose()).x25519.publicKey).not.toEqual(current.x25519)
  })

  it('are the same again from what is stored of them', () => {
    const stored = { seed: seedOf(1), createdAtS: 5, confirmedAtS: 6, releasedAtS: 7 }
    expect(deviceKeyOf(crypto, stored)).toMatchObject({ ...stored, x25519: newDeviceKeys(crypto, seedOf(1), 5).current.x25519 })
  })

  it('refuse wrong sizes, times that are none, a wiped seed, and a seed that is held', () => {
    const keys = rotate(newDeviceKeys(crypto, seedOf(1), NOW_S), 2, NOW_S, crypto)
    const short = Secret.of(new Uint8Array(31), 'device-key-seed')
    expect(refusalBy(() => newDeviceKeys(crypto, short, NOW_S))).toBe('bad-input AK-01')
    for (const number of [1, 2]) {
      expect(refusalOf(() => rotate(keys, number, NOW_S, crypto))).toEqual(['bad-input DK-02', 'this device key is held already'])
    }
    const wiped = seedOf(3)
    wiped.wipe()
    expect(codeThrownBy(() => rotateDeviceKeys(crypto, keys, wiped, NOW_S))).toBe('bad-key')
    for (const timeS of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(refusalBy(() => newDeviceKeys(crypto, seedOf(3), timeS))).toBe('bad-input DK-01')
      expect(refusalBy(() => deviceKeyOf(crypto, { seed: seedOf(3), createdAtS: 1, releasedAtS: timeS }))).toBe('bad-input DK-01')
      expect(refusalBy(() => confirmDeviceKeys(keys, keys.current.x25519, timeS))).toBe('bad-input DK-01')
      expect(refusalBy(() => eraseDeviceKeys(keys, timeS))).toBe('bad-input DK-01')
    }
  })
})

describe('a rotation', () => {
  it('makes the fresh key current and what was current the first of the previous', () => {
    const keys = threeKeys()
    expect(numbers(keys)).toEqual([3, 2, 1])
    expect(held(keys).map(key => key.createdAtS - NOW_S)).toEqual([3, 2, 1])
  })

  it('is due 24 hours after a confirmed key was created, and never before it is confirmed', () => {
    const keys = newDeviceKeys(native, seedOf(1), NOW_S)
    const due = (at: DeviceKeys, hours: number) => deviceKeyRotationDue(at, NOW_S + hours * HOUR_S)
    expect([due(keys, 23), due(keys, 24), due(keys, 24_000)]).toEqual([false, false, false])
    const confirmed = confirmDeviceKeys(keys, keys.current.x25519, NOW_S + 20 * HOUR_S)
    expect([due(confirmed, 23), due(confirmed, 24), due(confirmed, 24_000)]).toEqual([false, true, true])
    expect(deviceKeyRotationDue(confirmed, NOW_S + 24 * HOUR_S - 1)).toBe(false)
  })

  it('is due when the key was created by a clock that was ahead', () => {
    const keys = newDeviceKeys(native, seedOf(1), NOW_S)
    const confirmed = confirmDeviceKeys(keys, keys.current.x25519, NOW_S)
    expect(deviceKeyRotationDue(confirmed, NOW_S - 23 * HOUR_S)).toBe(false)
    expect(deviceKeyRotationDue(confirmed, NOW_S - 24 * HOUR_S)).toBe(true)
  })
})

describe('a confirmation', () => {
  it('confirms the key that was announced and releases all older ones', () => {
    const keys = threeKeys()
    expect(times(confirmDeviceKeys(keys, keys.current.x25519, 50))).toEqual([[50, undefined], [undefined, 50], [undefined, 50]]) // biome-ignore format: a table
  })

  it('of a key that is current no more releases those older than it only', () => {
    const keys = threeKeys()
    expect(times(confirmDeviceKeys(keys, keys.previous[0]!.x25519, 50))).toEqual([[undefined, undefined], [50, undefined], [undefined, 50]]) // biome-ignore format: a table
  })

  it('that comes late, of the oldest key, leaves those in between alone: the group may know one of them', () => {
    const keys = threeKeys()
    expect(times(confirmDeviceKeys(keys, keys.previous[1]!.x25519, 50))).toEqual([[undefined, undefined], [undefined, undefined], [50, undefined]]) // biome-ignore format: a table
  })

  it('counts once', () => {
    const keys = threeKeys()
    const once = confirmDeviceKeys(keys, keys.current.x25519, 50)
    expect(times(confirmDeviceKeys(once, keys.current.x25519, 90))).toEqual(times(once))
    const middle = confirmDeviceKeys(confirmDeviceKeys(keys, keys.previous[0]!.x25519, 50), keys.current.x25519, 90)
    expect(times(middle)).toEqual([[90, undefined], [50, 90], [undefined, 50]]) // biome-ignore format: a table
  })

  it('of a key that is not held changes nothing', () => {
    const keys = threeKeys()
    expect(confirmDeviceKeys(keys, x25519PublicKey(new Uint8Array(32)), 50)).toBe(keys)
  })
})

describe('a member who becomes known (DK-09)', () => {
  const keys = threeKeys()
  const released = confirmDeviceKeys(keys, keys.current.x25519, 50)

  it('takes the releases back, until the next confirmation', () => {
    const renewed = renewDeviceKeys(released)
    expect(times(renewed)).toEqual([[50, undefined], [undefined, undefined], [undefined, undefined]]) // biome-ignore format: a table
    expect(eraseDeviceKeys(renewed, Number.MAX_SAFE_INTEGER).wipe).toEqual([])
    expect(times(confirmDeviceKeys(renewed, keys.current.x25519, 70))).toEqual([[50, undefined], [undefined, 70], [undefined, 70]]) // biome-ignore format: a table
  })

  it('does so once for each key, or made-up members could keep it for ever', () => {
    const again = confirmDeviceKeys(renewDeviceKeys(released), keys.current.x25519, 70)
    expect(renewDeviceKeys(again)).toBe(again)
    const rotated = confirmDeviceKeys(rotate(again, 4, 80), rotate(again, 4, 80).current.x25519, 90)
    expect(times(renewDeviceKeys(rotated))[1]).toEqual([50, undefined])
    expect(times(renewDeviceKeys(rotated)).slice(2)).toEqual([[undefined, 70], [undefined, 70]]) // biome-ignore format: a table
  })

  it('does so once, whatever was restarted in between', () => {
    const renewed = renewDeviceKeys(released)
    expect(held(renewed).map(key => key.renewed)).toEqual([undefined, true, true])
    const restored = held(renewed).map(({ x25519: _, mlKem768: _none, ...stored }) => deviceKeyOf(native, stored))
    expect(restored).toEqual(held(renewed))
  })

  it('changes nothing where nothing is released', () => {
    expect(renewDeviceKeys(keys)).toBe(keys)
  })
})

describe('erasing', () => {
  const keys = threeKeys()
  const released = confirmDeviceKeys(keys, keys.current.x25519, NOW_S)

  it('drops previous keys 48 hours after their release, to the second, and hands back their seeds', () => {
    const early = eraseDeviceKeys(released, NOW_S + 48 * HOUR_S - 1)
    expect(early.keys).toBe(released)
    expect(early.wipe).toEqual([])
    const { keys: left, wipe } = eraseDeviceKeys(released, NOW_S + 48 * HOUR_S)
    expect(numbers(left)).toEqual([3])
    expect(wipe).toHaveLength(2)
    expect([wipe[0], wipe[1]].map(seed => seed!.wiped)).toEqual([false, false])
    expect(wipe[0]).toBe(released.previous[0]!.seed)
  })

  it('never drops a key that is not released, however old', () => {
    expect(eraseDeviceKeys(keys, Number.MAX_SAFE_INTEGER).keys).toBe(keys)
    const middle = confirmDeviceKeys(keys, keys.previous[0]!.x25519, NOW_S)
    expect(numbers(eraseDeviceKeys(middle, Number.MAX_SAFE_INTEGER).keys)).toEqual([3, 2])
  })

  it('keeps a key that something is still awaited for', () => {
    const needed = [released.previous[1]!.x25519]
    expect(numbers(eraseDeviceKeys(released, NOW_S + 48 * HOUR_S, needed).keys)).toEqual([3, 1])
    expect(numbers(eraseDeviceKeys(released, NOW_S + 48 * HOUR_S, [x25519PublicKey(new Uint8Array(32))]).keys)).toEqual([3])
  })

  it('waits no more than 48 hours when the release was noted by a clock that was years ahead', () => {
    const year = 365 * 24 * HOUR_S
    const ahead = confirmDeviceKeys(keys, keys.current.x25519, NOW_S + year)
    const noticed = eraseDeviceKeys(ahead, NOW_S)
    expect(noticed.wipe).toEqual([])
    expect(numbers(noticed.keys)).toEqual([3, 2, 1])
    expect(numbers(eraseDeviceKeys(noticed.keys, NOW_S + 48 * HOUR_S - 1).keys)).toEqual([3, 2, 1])
    expect(numbers(eraseDeviceKeys(noticed.keys, NOW_S + 48 * HOUR_S).keys)).toEqual([3])
  })

  it('takes a release of up to 48 hours ahead as it was noted, and one of a second more as noted now', () => {
    expect(eraseDeviceKeys(released, NOW_S - 48 * HOUR_S).keys).toBe(released)
    const counted = eraseDeviceKeys(released, NOW_S - 48 * HOUR_S - 1).keys
    expect(times(counted).slice(1)).toEqual([[undefined, NOW_S - 48 * HOUR_S - 1], [undefined, NOW_S - 48 * HOUR_S - 1]]) // biome-ignore format: a table
  })
})

// What follows is a device, its group and its swarm, and any schedule of what can happen to them.

type Step =
  | { readonly kind: 'rotate'; readonly forced: boolean }
  | { readonly kind: 'push'; readonly fate: 'confirmed' | 'confirmed-later' | 'confirmation-lost' | 'lost' }
  | { readonly kind: 'confirmation'; readonly of: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'fetch' }
  | { readonly kind: 'member' }
  | { readonly kind: 'wait'; readonly hours: number }
  | { readonly kind: 'clock'; readonly days: number }

const anyStep = (clocks: boolean): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('rotate' as const), forced: fc.boolean() }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('push' as const),
        fate: fc.constantFrom('confirmed' as const, 'confirmed-later' as const, 'confirmation-lost' as const, 'lost' as const),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('confirmation' as const), of: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('fetch' as const) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('member' as const) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.nat(60) }) },
    ...(clocks
      ? [{ weight: 3, arbitrary: fc.record({ kind: fc.constant('clock' as const), days: fc.integer({ min: -800, max: 800 }) }) }]
      : []),
  )

/** A key is a number here; what the group knows is the greatest whose push reached the swarm, whether we were told or not. */
class World {
  keys = newDeviceKeys(native, seedOf(0), NOW_S)
  nowS = NOW_S
  clockAheadS = 0
  known: number | undefined
  /** Until when a peer that missed the newer one may use a key. */
  readonly usableUntilS = new Map<number, number>()
  readonly erased = new Set<number>()
  #made = 1
  #confirmations: X25519PublicKey[] = []

  get clockS(): number {
    return Math.max(0, this.nowS + this.clockAheadS)
  }

  run(step: Step): void {
    if (step.kind === 'wait') this.nowS += step.hours * HOUR_S
    if (step.kind === 'clock') this.clockAheadS = step.days * 24 * HOUR_S
    if (step.kind === 'rotate' && (step.forced || deviceKeyRotationDue(this.keys, this.clockS))) {
      this.keys = rotate(this.keys, this.#made++, this.clockS)
    }
    if (step.kind === 'push') this.#push(step.fate)
    if (step.kind === 'confirmation') this.#confirm(this.#confirmations.splice(step.of % (this.#confirmations.length + 1), 1))
    if (step.kind === 'restart') this.#restart()
    if (step.kind === 'member') this.keys = renewDeviceKeys(this.keys)
    if (step.kind === 'fetch') this.#fetch()
  }

  #push(fate: (Step & { kind: 'push' })['fate']): void {
    if (fate === 'lost') return
    const [current] = numbers(this.keys)
    if (this.known !== undefined && this.known < current!) this.usableUntilS.set(this.known, this.nowS + 48 * HOUR_S)
    this.known = Math.max(this.known ?? 0, current!)
    if (fate === 'confirmed') this.#confirm([this.keys.current.x25519])
    if (fate === 'confirmed-later') this.#confirmations.push(this.keys.current.x25519)
  }

  #confirm(announced: readonly X25519PublicKey[]): void {
    for (const x25519 of announced) this.keys = confirmDeviceKeys(this.keys, x25519, this.clockS)
  }

  /** What is in memory only is gone; what is stored is read back. */
  #restart(): void {
    this.#confirmations = []
    const restored = held(this.keys).map(({ x25519: _, mlKem768: _none, ...stored }) => deviceKeyOf(native, stored))
    this.keys = { current: restored[0]!, previous: restored.slice(1) }
  }

  #fetch(): void {
    const { keys, wipe } = eraseDeviceKeys(this.keys, this.clockS)
    this.keys = keys
    for (const seed of wipe) this.erased.add(seed.expose()[31]! | (seed.expose()[0]! << 8))
  }
}

function runAll(steps: readonly Step[], check: (world: World) => void): void {
  const world = new World()
  for (const step of steps) {
    world.run(step)
    check(world)
  }
}

describe('no schedule', () => {
  it('erases the only key that the group knows, whatever the clock says', () => {
    let erasures = 0
    fc.assert(
      fc.property(fc.array(anyStep(true), { minLength: 20, maxLength: 80 }), steps => {
        runAll(steps, ({ keys, known, erased }) => {
          const have = numbers(keys)
          if (known !== undefined) expect(have).toContain(known)
          expect(have).toEqual([...have].sort((a, b) => b - a))
          for (const key of have) expect(erased.has(key)).toBe(false)
          erasures = Math.max(erasures, erased.size)
        })
      }),
      { numRuns: 400 },
    )
    expect(erasures).toBeGreaterThan(3)
  })

  it('erases a key that a peer may still use, while the clock is right', () => {
    let erasures = 0
    fc.assert(
      fc.property(fc.array(anyStep(false), { minLength: 20, maxLength: 80 }), steps => {
        runAll(steps, ({ keys, usableUntilS, nowS, erased }) => {
          const have = numbers(keys)
          for (const [key, untilS] of usableUntilS) if (nowS < untilS) expect(have).toContain(key)
          erasures = Math.max(erasures, erased.size)
        })
      }),
      { numRuns: 400 },
    )
    expect(erasures).toBeGreaterThan(3)
  })

  it('keeps an old key for ever: two fetches 48 hours after the last is confirmed leave that one alone', () => {
    fc.assert(
      fc.property(fc.array(anyStep(true), { maxLength: 60 }), fc.integer({ min: -800, max: 800 }), (steps, days) => {
        const world = new World()
        for (const step of steps) world.run(step)
        const ending: Step[] = [
          { kind: 'push', fate: 'confirmed' },
          { kind: 'clock', days },
          { kind: 'fetch' },
          { kind: 'wait', hours: 96 },
          { kind: 'fetch' },
        ]
        for (const step of ending) world.run(step)
        expect(numbers(world.keys)).toEqual([world.known])
      }),
      { numRuns: 200 },
    )
  })
})
