import { CryptoError, type Random, seededRandom, systemRandom, type X25519PublicKey } from '@session-v2/crypto'
import { encodeUtf8, equalBytes } from '@session-v2/encoding'
import {
  accountFromSeed,
  deviceIdOf,
  type ExpandedKeyPair,
  encodeGroupPayload,
  type GroupEntry,
  type OutgoingGroup,
  openGroupMessage,
  sealGroupMessage,
  wipeAccount,
} from '@session-v2/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shuffled } from '../src/device-group/random-order.ts'
import { devicesOf, fieldsOf, gone, groupOf, memberOf, openAs, signedAgain, someDevice, type TestDevice } from './group-world.ts'
import { native, providers, refusalBy, someAccount, someKey } from './providers.ts'

const random = systemRandom()
describe.each(providers)('size of a group message, DG-07, DG-10, DG-12, DG-14 (%s)', (_, crypto) => {
  const account = someAccount(crypto, 1)
  const sizeOf = (group: OutgoingGroup) => sealGroupMessage(crypto, random, account, group).length
  const kicked = [101, 102, 103, 104, 105].map(byte => gone(byte, 'kicked'))

  it.each([
    ['one device', 1, [], 13_393],
    ['four devices', 4, [], 13_393],
    ['three devices, one removed, one that left', 3, [gone(101, 'kicked'), gone(102, 'left')], 13_463],
    ['one device and one that left', 1, [gone(101, 'left')], 13_393],
    ['five devices, five removed', 5, kicked, 18_016],
  ] as const)('of %s', (_name, count, others, sizeBytes) => {
    expect(sizeOf(groupOf(crypto, devicesOf(crypto, count), others))).toBe(sizeBytes)
  })

  it.each([1, 2, 3, 4])('for %i devices has a sealed payload of 8716 bytes', count => {
    const message = sealGroupMessage(crypto, random, account, groupOf(crypto, devicesOf(crypto, count)))
    expect(fieldsOf(message).get('d')).toHaveLength(8716)
  })

  it('grows with each fifth device, and with the payload', () => {
    const sizes = [4, 5, 8, 9].map(count => sizeOf(groupOf(crypto, devicesOf(crypto, count))))
    const steps = sizes.slice(1).map((size, at) => size - sizes[at]!)
    // Four slots of 1088 + 34 bytes, and from the seventh device on 6400 bytes of payload; now and then a longer length prefix.
    expect(steps).toEqual([4 * 1122, 6400 + 1, 4 * 1122 + 1])
  })
})

describe.each(providers)('group message (%s)', (_, crypto) => {
  const account = someAccount(crypto, 1)
  const outsider = someDevice(crypto, 200)

  it.each([1, 2, 3, 4, 5, 12, 40])('for %i devices opens for each of them, to what was sealed', count => {
    const devices = devicesOf(crypto, count)
    const group = groupOf(crypto, devices, [gone(101, 'kicked'), gone(102, 'left')], [someKey(crypto, 3, 10, 5000)])
    const message = sealGroupMessage(crypto, random, account, group)
    const sealed = encodeGroupPayload(group)
    for (const device of devices) {
      const opened = openAs(crypto, account, device, message)
      expect(opened).toMatchObject({ outcome: 'opened', openedWith: device.keys.x25519.publicKey })
      if (opened.outcome !== 'opened') throw new Error(opened.outcome)
      expect(opened.facts).toEqual({ groupId: group.groupId, linkX25519: group.linkX25519 })
      expect(equalBytes(encodeGroupPayload(opened.payload), sealed)).toBe(true)
    }
    expect(openAs(crypto, account, outsider, message)).toMatchObject({ outcome: 'not-for-us', announcesRemoval: false })
  })
})

describe.each(providers)('who can open a group message (%s)', (_, crypto) => {
  const account = someAccount(crypto, 1)

  it('tells of a removal the removed device alone', () => {
    const message = sealGroupMessage(
      crypto,
      random,
      account,
      groupOf(crypto, devicesOf(crypto, 2), [gone(101, 'kicked'), gone(102, 'left')]),
    )
    for (const byte of [101, 102, 200]) {
      const device = someDevice(crypto, byte)
      expect(openAs(crypto, account, device, message)).toMatchObject({ outcome: 'not-for-us', announcesRemoval: byte === 101 })
    }
  })

  it('of another account is forged, whoever holds the device keys', () => {
    const [device] = devicesOf(crypto, 1)
    const message = sealGroupMessage(crypto, random, account, groupOf(crypto, [device!], [gone(101, 'kicked')]))
    expect(openAs(crypto, someAccount(crypto, 2), device!, message)).toEqual({ outcome: 'forged' })
    expect(openAs(crypto, someAccount(crypto, 2), someDevice(crypto, 101), message)).toEqual({ outcome: 'forged' })
  })

  it('opens with an old key among several', () => {
    const [device] = devicesOf(crypto, 1)
    const keys: ExpandedKeyPair[] = [7, 8, 1].map(byte => someDevice(crypto, byte).keys)
    const message = sealGroupMessage(crypto, random, account, groupOf(crypto, [device!]))
    expect(openGroupMessage(crypto, account, device!.id, keys, message)).toMatchObject({
      outcome: 'opened',
      openedWith: keys[2]!.x25519.publicKey,
    })
  })

  it('is another one each time, and says the same', () => {
    const [device] = devicesOf(crypto, 1)
    const group = groupOf(crypto, [device!], [gone(101, 'kicked')])
    const [one, two] = [0, 1].map(() => fieldsOf(sealGroupMessage(crypto, random, account, group)))
    for (const key of ['@', 'A', 'C', 'K', 'd', 'k', '~']) expect(one!.get(key)).not.toEqual(two!.get(key))
    expect(one!.get('X')).toEqual(two!.get('X'))
  })

  it('goes to the other members when the keys of one are unusable, DG-12', () => {
    const [device, broken] = devicesOf(crypto, 2)
    for (const changed of [
      { x25519: new Uint8Array(32) as X25519PublicKey },
      { mlKem768: broken!.record.mlKem768.map(() => 0xff) as TestDevice['record']['mlKem768'] },
    ]) {
      const entry = memberOf(crypto, { ...broken!.record, ...changed })
      const group = groupOf(crypto, [device!], [[broken!.id, entry]])
      const message = sealGroupMessage(crypto, random, account, group)
      expect(message).toHaveLength(13_393)
      expect(openAs(crypto, account, device!, message).outcome).toBe('opened')
      expect(openAs(crypto, account, broken!, message).outcome).toBe('not-for-us')
    }
  })
})

describe('a group that cannot be sealed', () => {
  const account = someAccount(native, 1)
  const [device] = devicesOf(native, 1)
  const group = groupOf(native, [device!])
  const seal = (changed: Partial<OutgoingGroup>) => sealGroupMessage(native, random, account, { ...group, ...changed })
  const members = (count: number) =>
    new Map(
      Array.from(
        { length: count },
        (_, at) => [deviceIdOf(new Uint8Array(32).fill(at & 0xff).fill(at >> 8, 31)), device!.entry] as const,
      ),
    )
  const leavers = (count: number, kind: 'left' | 'kicked') =>
    Array.from(
      { length: count },
      (_, at) =>
        [deviceIdOf(new Uint8Array(32).fill(at & 0xff).fill((at >> 8) + 2, 31)), { kind, atS: 5n } as GroupEntry] as const,
    )

  it.each([
    ['without members', 'DG-12', { devices: new Map([gone(101, 'left')]) }],
    ['without an account key', 'DG-07', { accountKeys: [] }],
    ['with a link key that is not that of the current account key', 'DG-10', { linkX25519: someKey(native, 9).x25519.publicKey }],
    [
      'with a link key of a rotated account key',
      'DG-10',
      { accountKeys: [...group.accountKeys, someKey(native, 9, 1, 5000)], linkX25519: someKey(native, 9).x25519.publicKey },
    ],
    ['with two current account keys', 'AK-03', { accountKeys: [...group.accountKeys, someKey(native, 9)] }],
    ['with a group ID of another size', 'DG-01', { groupId: new Uint8Array(7) }],
    ['with 257 members', 'DG-12', { devices: members(257) }],
    ['with 4097 devices', 'DG-09', { devices: new Map([[device!.id, device!.entry], ...leavers(4096, 'left')]) }],
  ] as const)('%s', (_, clause, changed) => {
    expect(refusalBy(() => seal(changed))).toBe(`bad-input ${clause}`)
  })

  it('can have 256 members, and 4095 removals', () => {
    const many = seal({ devices: members(256) })
    expect(fieldsOf(many).get('C')).toHaveLength(256 * 1088)
    expect(openAs(native, account, device!, many).outcome).toBe('opened')
    const removals = seal({ devices: new Map([[device!.id, device!.entry], ...leavers(4095, 'kicked')]) })
    expect(fieldsOf(removals).get('k')).toHaveLength(4096 * 16)
    expect(openAs(native, account, device!, removals).outcome).toBe('opened')
  })

  it('by an account that was wiped: that is a mistake, no outcome', () => {
    const wiped = accountFromSeed(native, new Uint8Array(32).fill(8))
    wipeAccount(wiped)
    expect(() => sealGroupMessage(native, random, wiped, group)).toThrow(CryptoError)
  })
})

describe('order of slots and removals, DG-12', () => {
  it('is each as likely as any other', () => {
    const dice = seededRandom(native, encodeUtf8('order of slots'))
    const counts = new Map<string, number>()
    const runs = 24_000
    for (let run = 0; run < runs; run++) {
      const order = shuffled(dice, ['a', 'b', 'c', 'd']).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(24)
    const expectedCount = runs / 24
    const chiSquared = [...counts.values()].reduce((sum, count) => sum + (count - expectedCount) ** 2 / expectedCount, 0)
    // 23 degrees of freedom: above 49.7 in one of a thousand runs. This run is always the same one.
    expect(chiSquared).toBeLessThan(49.7)
  })

  it('draws again what a remainder would favour', () => {
    const drawn = [
      [0xff, 0xff, 0xff, 0xff],
      [0xfe, 0xff, 0xff, 0xff],
      [0, 0, 0, 0],
    ]
    const scripted: Random = { bytes: () => Uint8Array.from(drawn.shift()!) }
    // 2^32 is one more than a multiple of three: of all numbers only the greatest would be too many, and is drawn again.
    expect(shuffled(scripted, ['a', 'b', 'c'])).toEqual(['b', 'a', 'c'])
    expect(drawn).toEqual([])
  })

  it('keeps what there is, and changes nothing it was given', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 20 }), items => {
        const before = [...items]
        expect(shuffled(random, items).toSorted()).toEqual(items.toSorted())
        expect(items).toEqual(before)
      }),
    )
  })

  it('puts every device in every slot, over time', () => {
    const account = someAccount(native, 1)
    const devices = devicesOf(native, 1)
    const seen = new Set<number>()
    for (let run = 0; run < 200 && seen.size < 4; run++) {
      const fields = fieldsOf(sealGroupMessage(native, random, account, groupOf(native, devices)))
      for (const slot of [0, 1, 2, 3]) {
        const alone = new Map(fields).set('C', fields.get('C')!).set(
          'K',
          fields.get('K')!.map((byte, at) => (Math.floor(at / 34) === slot ? byte ^ 1 : byte)),
        )
        if (openAs(native, account, devices[0]!, signedAgain(native, account, alone)).outcome !== 'opened') seen.add(slot)
      }
    }
    expect(seen).toEqual(new Set([0, 1, 2, 3]))
  })
})
