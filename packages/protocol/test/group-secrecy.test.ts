/** What sealing and opening group messages leave in memory: nothing but what they return. */
import { systemRandom } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { accountFromSeed, expandKeyPair, openGroupMessage, paddedGroupPayloadBytes, sealGroupMessage } from '@session-v2/protocol'
import { loadVectors } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { encapsulateSlots, wipeSlots } from '../src/device-group/key-slots.ts'
import { type Call, devicesOf, gone, groupOf, isZero, openAs, watched, watchedRandom } from './group-world.ts'
import { providers, someAccount } from './providers.ts'

const random = systemRandom()
const resultsOf = (calls: readonly Call[], operation: string, sizeBytes: number) =>
  calls.flatMap(call => (call.operation === operation && !call.isProbe && call.result?.length === sizeBytes ? [call.result] : []))

/** The shared secrets that went into the keys of slots: of X25519 and of ML-KEM. */
function sharedSecretsOf(calls: readonly Call[]): Uint8Array[] {
  const ofSlots = calls.filter(
    ({ operation, bytes, result }) => operation === 'blake2b' && result?.length === 32 && bytes.length === 6,
  )
  return ofSlots.flatMap(({ bytes }) => [bytes[0]!, bytes[3]!])
}

describe.each(providers)('secrets of a group message (%s)', (_, crypto) => {
  const account = someAccount(crypto, 1)
  const devices = devicesOf(crypto, 2)
  const group = groupOf(crypto, devices, [gone(101, 'kicked')])

  it('are erased by sealing: ephemeral key, key of the payload, keys of slots, payload', () => {
    const { random: watching, drawn } = watchedRandom(random)
    const { crypto: watchingCrypto, calls } = watched(crypto)
    sealGroupMessage(watchingCrypto, watching, account, group)
    // Of the group ID, and of each of two slots.
    expect(resultsOf(calls, 'blake2b', 32)).toHaveLength(3)
    expect(resultsOf(calls, 'x25519', 32)).toHaveLength(2)
    expect(sharedSecretsOf(calls)).toHaveLength(4)
    // Coins of two encapsulations, the ephemeral secret and the key of the payload.
    const secrets = drawn.filter(bytes => bytes.length === 32)
    expect(secrets).toHaveLength(4)
    const [encryption] = calls.filter(({ operation }) => operation === 'xchacha20Poly1305Encrypt')
    const [keyBase, , padded] = encryption!.bytes
    expect([keyBase!.length, padded!.length]).toEqual([32, paddedGroupPayloadBytes(0)])
    const all = [
      ...resultsOf(calls, 'blake2b', 32),
      ...resultsOf(calls, 'x25519', 32),
      ...sharedSecretsOf(calls),
      ...secrets,
      keyBase!,
      padded!,
    ]
    expect(all.filter(bytes => !isZero(bytes))).toEqual([])
  })

  it('are erased when sealing fails half-way', () => {
    const { random: watching, drawn } = watchedRandom(random)
    const { crypto: watchingCrypto, calls } = watched(crypto)
    expect(() => sealGroupMessage(watchingCrypto, watching, account, { ...group, groupId: new Uint8Array(7) })).toThrow()
    const secrets = drawn.filter(bytes => bytes.length === 32)
    expect(secrets.length).toBeGreaterThanOrEqual(4)
    const plaintexts = calls.flatMap(({ operation, bytes }) => (operation === 'xchacha20Poly1305Encrypt' ? [bytes[2]!] : []))
    expect([...secrets, ...plaintexts].filter(bytes => !isZero(bytes))).toEqual([])
  })

  it('are erased with the slots', () => {
    const slots = encapsulateSlots(
      crypto,
      random,
      devices.map(({ keys }) => ({ x25519: keys.x25519.publicKey, mlKem768: keys.mlKem768.publicKey })),
    )
    const shared = slots.flatMap(({ sharedMlKem }) => (sharedMlKem === undefined ? [] : [sharedMlKem]))
    expect(shared.map(isZero)).toEqual([false, false])
    wipeSlots(slots)
    expect(shared.map(isZero)).toEqual([true, true])
  })
})

describe.each(providers)('secrets of a group message that comes in (%s)', (_, crypto) => {
  const account = someAccount(crypto, 1)
  const devices = devicesOf(crypto, 2)
  const group = groupOf(crypto, devices, [gone(101, 'kicked')])
  const refused = loadVectors('device-group').find(({ name }) => name === 'account-key-created-negative')!.in
  it.each([
    ['opening', account, devices[0]!.keys, sealGroupMessage(crypto, random, account, group), 'opened'],
    [
      'refusing what opened',
      accountFromSeed(crypto, decodeHex(refused.root_seed)),
      expandKeyPair(crypto, 'SessionDeviceKeys', decodeHex(refused.device_seeds[0])),
      decodeHex(refused.message),
      'malformed',
    ],
  ] as const)('are erased by %s, but for the payload that is returned', (_name, owner, keys, message, outcome) => {
    const { crypto: watching, calls } = watched(crypto)
    const opened = openGroupMessage(watching, owner, devices[0]!.id, [keys], message)
    expect(opened.outcome).toBe(outcome)
    const agreed = resultsOf(calls, 'x25519', 32)
    const derived = resultsOf(calls, 'blake2b', 32)
    const unwrapped = resultsOf(calls, 'xchacha20', 32)
    const plaintexts = calls.flatMap(({ operation, result }) => (operation === 'xchacha20Poly1305Decrypt' ? [result!] : []))
    expect([agreed, derived, unwrapped, plaintexts].map(list => list.length)).toEqual([1, 2, 1, 1])
    const all = [...agreed, ...derived, ...unwrapped, ...plaintexts, ...sharedSecretsOf(calls)]
    expect(all.filter(bytes => !isZero(bytes))).toEqual([])
    const seeds = opened.outcome === 'opened' ? opened.payload.accountKeys.map(({ seed }) => seed.expose()[0]) : []
    expect(seeds).toEqual(outcome === 'opened' ? [0x77] : [])
  })

  it('do not show in an outcome', () => {
    const opened = openAs(crypto, account, devices[0]!, sealGroupMessage(crypto, random, account, group))
    const text = JSON.stringify(opened, (_key, value) =>
      typeof value === 'bigint' ? `${value}` : value instanceof Uint8Array ? encodeHex(value) : value,
    )
    expect(text).toContain('[secret account-key-seed]')
    expect(text).not.toContain('77'.repeat(16))
  })
})
