/** Slots and announcements of removals for themselves: their bounds, and what is no fault of a recipient. */
import { CryptoError, systemRandom, type X25519PublicKey } from '@session-v2/crypto'
import { concatBytes } from '@session-v2/encoding'
import { type DeviceId, deviceIdOf } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { announceRemovals, announcesRemoval, removalEntry } from '../src/device-group/announced-removals.ts'
import { encapsulateSlots, matchingSlots, wrapKeyBase } from '../src/device-group/key-slots.ts'
import { sealGroupMessage } from '../src/device-group/seal.ts'
import { devicesOf, failingAt, fieldsOf, groupOf, openAs, someDevice, watched, watchedRandom } from './group-world.ts'
import { native, refusalOf, someAccount } from './providers.ts'

const random = systemRandom()
const account = someAccount(native, 1)
const device = someDevice(native, 1)
const ephemeral = new Uint8Array(32).fill(5)

describe('slots (DG-12)', () => {
  it.each([0, 257])('are not made for %i devices', count => {
    const recipients = Array.from({ length: count }, () => device.record)
    expect(refusalOf(() => encapsulateSlots(native, random, recipients))).toEqual([
      'bad-input DG-12',
      `a group message is for 1 to 256 devices, not ${count}`,
    ])
  })

  it('are filled up to a multiple of four, and no further', () => {
    const counts = [1, 3, 4, 5].map(count => {
      const slots = encapsulateSlots(
        native,
        random,
        devicesOf(native, count).map(({ record }) => record),
      )
      return [slots.length, slots.filter(({ recipient, sharedMlKem }) => recipient && sharedMlKem).length]
    })
    expect(counts).toEqual([[4, 1], [4, 3], [4, 4], [8, 5]]) // biome-ignore format: a table
  })

  it('say what a recipient with unusable keys gets: random bytes, like those that fill', () => {
    const { random: watching, drawn } = watchedRandom(random)
    const broken = { ...device.record, x25519: new Uint8Array(32) as X25519PublicKey }
    const { keys } = device
    const slots = encapsulateSlots(native, watching, [broken])
    const wrapped = wrapKeyBase(native, watching, keys.x25519, slots, new Uint8Array(20), new Uint8Array(32))
    expect(wrapped).toEqual(concatBytes(...drawn.filter(({ length }) => length === 34)))
    expect(wrapped).toHaveLength(4 * 34)
  })

  it('are looked for among the slots there are, lazily, and with every key', () => {
    const [one, two] = devicesOf(native, 2)
    const fields = fieldsOf(sealGroupMessage(native, random, account, groupOf(native, [one!, two!])))
    const parts = {
      ephemeral: fields.get('A')!,
      ciphertexts: fields.get('C')!,
      wrappedKeys: fields.get('K')!,
      sealed: fields.get('d')!,
    }
    const { crypto, calls } = watched(native)
    const slots = [...matchingSlots(crypto, [two!.keys, one!.keys], parts)]
    expect(new Set(slots.map(({ deviceKey }) => deviceKey))).toEqual(new Set([one!.keys, two!.keys]))
    expect(calls).toHaveLength(4 * 2)
    for (const { ciphertext, encryptedKey } of slots) expect([ciphertext.length, encryptedKey.length]).toEqual([1088, 32])
  })
})

describe('what is no fault of a message or a recipient', () => {
  const group = groupOf(native, [device])
  const message = sealGroupMessage(native, random, account, group)

  it.each([
    ['mlKem768Prepare', new CryptoError('unavailable', 'no memory is left')],
    ['mlKem768Prepare', new RangeError('no memory is left')],
    ['xchacha20', new CryptoError('unavailable', 'no memory is left')],
    ['xchacha20Poly1305Encrypt', new CryptoError('unavailable', 'no memory is left')],
  ])('is thrown by sealing: a machine that fails at %s, %s', (operation, failure) => {
    expect(() => sealGroupMessage(failingAt(native, operation, failure), random, account, group)).toThrow(failure)
  })

  it.each([new CryptoError('unavailable', 'no memory is left'), new RangeError('no memory is left')])(
    'is thrown: a machine that cannot agree on a key, %s',
    failure => {
      const slots = encapsulateSlots(native, random, [device.record])
      const failing = failingAt(native, 'x25519', failure)
      const [sealed, keyBase] = [new Uint8Array(20), new Uint8Array(32)]
      expect(() => wrapKeyBase(failing, random, device.keys.x25519, slots, sealed, keyBase)).toThrow(failure)
    },
  )

  it.each([
    ['xchacha20Poly1305Decrypt', new CryptoError('unavailable', 'no memory is left')],
    ['xchacha20Poly1305Decrypt', new RangeError('no memory is left')],
    ['ed25519Verify', new CryptoError('unavailable', 'no memory is left')],
    ['blake2b', new RangeError('no memory is left')],
  ])('is thrown by opening: a machine that fails at %s, %s', (operation, failure) => {
    expect(() => openAs(failingAt(native, operation, failure), account, device, message)).toThrow(failure)
  })
})

describe('an announcement of removals (DG-14)', () => {
  const idOf = (number: number) => deviceIdOf(new Uint8Array(32).fill(number & 0xff).fill(number >> 8, 31))
  const announce = (removed: readonly DeviceId[]) => announceRemovals(native, random, account.seed, ephemeral, removed)
  const isAnnounced = (id: DeviceId, removals: Uint8Array | undefined) =>
    announcesRemoval(native, account.seed, ephemeral, id, removals)

  it('is for 4096 devices at most', () => {
    const many = Array.from({ length: 4097 }, (_, at) => idOf(at))
    expect(refusalOf(() => announce(many))).toEqual(['bad-input DG-16', '4097 removals are too many'])
    expect(announce(many.slice(1))).toHaveLength(4096 * 16)
  })

  it('has a multiple of four entries, and is missing when there are none', () => {
    expect([0, 1, 4, 5].map(count => announce(devicesOf(native, count).map(({ id }) => id))?.length)).toEqual([
      undefined,
      64,
      64,
      128,
    ])
  })

  it('is found wherever it stands, and only whole', () => {
    const entry = removalEntry(native, account.seed, ephemeral, device.id)
    const others = new Uint8Array(64)
    const withEntry = (at: number) => Uint8Array.from([...others.subarray(0, at), ...entry, ...others.subarray(at + 16)])
    expect([0, 16, 32, 48].map(at => isAnnounced(device.id, withEntry(at)))).toEqual([true, true, true, true])
    expect(isAnnounced(device.id, others)).toBe(false)
    expect(isAnnounced(device.id, undefined)).toBe(false)
    expect(isAnnounced(device.id, withEntry(8))).toBe(false)
  })
})
