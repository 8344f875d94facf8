/** What sealing and opening link requests leave in memory: nothing but what they return (LINK-02, LINK-03). */
import { systemRandom } from '@session-v2/crypto'
import { openLinkRequest, sealLinkRequest } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { type Call, isZero, someDevice, watched, watchedRandom } from './group-world.ts'
import { providers, refusalBy, someAccount, someKey } from './providers.ts'

const resultsOf = (calls: readonly Call[], operation: string, sizeBytes: number) =>
  calls.flatMap(call => (call.operation === operation && !call.isProbe && call.result?.length === sizeBytes ? [call.result] : []))
const secretsOf = (calls: readonly Call[]) => [...resultsOf(calls, 'x25519', 32), ...resultsOf(calls, 'blake2b', 56)]

describe.each(providers)('secrets of a link request (%s)', (_, crypto) => {
  const account = someAccount(crypto, 1)
  const key = someKey(crypto, 2)
  const device = someDevice(crypto, 3)

  it('are erased by sealing and by opening', () => {
    const { random, drawn } = watchedRandom(systemRandom())
    const sealing = watched(crypto)
    const { message } = sealLinkRequest(sealing.crypto, random, account, key.x25519.publicKey, device.id, device.record)
    expect(drawn.map(bytes => bytes.length)).toEqual([32])
    const opening = watched(crypto)
    expect(openLinkRequest(opening.crypto, account, [key], message).outcome).toBe('opened')
    const secrets = [sealing, opening].map(({ calls }) => secretsOf(calls))
    expect(secrets.map(list => list.length)).toEqual([3, 3])
    expect([...drawn, ...secrets.flat()].filter(bytes => !isZero(bytes))).toEqual([])
  })

  it('are erased when nothing opens it', () => {
    const { message } = sealLinkRequest(crypto, systemRandom(), account, key.x25519.publicKey, device.id, device.record)
    const { crypto: watching, calls } = watched(crypto)
    expect(openLinkRequest(watching, account, [key], message.with(60, message[60]! ^ 1)).outcome).toBe('no-key')
    expect(secretsOf(calls)).toHaveLength(3)
    expect(secretsOf(calls).filter(bytes => !isZero(bytes))).toEqual([])
  })

  it('are not even made for keys that cannot be used', () => {
    const { random, drawn } = watchedRandom(systemRandom())
    const link = new Uint8Array(32) as typeof key.x25519.publicKey
    expect(refusalBy(() => sealLinkRequest(crypto, random, account, link, device.id, device.record))).toBe('malformed DG-16')
    expect(drawn).toEqual([])
  })

  it('cost a decryption for each key that the indicator names, and none for the others', () => {
    const { message } = sealLinkRequest(crypto, systemRandom(), account, key.x25519.publicKey, device.id, device.record)
    const { crypto: watching, calls } = watched(crypto)
    const keys = [someKey(crypto, 9), someKey(crypto, 10), key, someKey(crypto, 11)]
    expect(openLinkRequest(watching, account, keys, message).outcome).toBe('opened')
    expect(calls.filter(({ operation }) => operation === 'xchacha20Poly1305Decrypt')).toHaveLength(1)
  })
})
