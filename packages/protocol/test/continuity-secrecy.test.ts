/** What making continuity keys and links leaves in memory: nothing but what is returned (AK-15). */
import { systemRandom } from '@session-v2/crypto'
import { buildAccountKeyRecord, continuityPublicKey } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { continuityKeyPair } from '../src/account-keys/continuity.ts'
import { type Call, isZero, watched } from './group-world.ts'
import { providers, someAccount, someKey } from './providers.ts'

describe.each(providers)('secrets of continuity (%s)', (_, crypto) => {
  const account = someAccount(crypto, 1)
  const [key, older] = [someKey(crypto, 2, 600), someKey(crypto, 3, 0, 600)]
  /** The seeds of continuity key pairs, which have 32 bytes; statements have 64. */
  const seedsOf = (calls: readonly Call[]) =>
    calls.filter(({ operation, result }) => operation === 'blake2b' && result?.length === 32).map(({ result }) => result!)
  const signersOf = (calls: readonly Call[]) =>
    calls.filter(({ operation }) => operation === 'ed25519Sign').map(({ bytes }) => bytes[0]!)

  it('are erased by making a record', () => {
    const { crypto: watching, calls } = watched(crypto)
    buildAccountKeyRecord(watching, systemRandom(), account, key, { continuity: [older] })
    expect(seedsOf(calls).map(isZero)).toEqual([true, true])
    expect(signersOf(calls).map(isZero)).toEqual([true])
    expect([key.seed.wiped, older.seed.wiped, account.x25519.secretKey.wiped]).toEqual([false, false, false])
  })

  it('are the caller’s when the key pair was asked for, but for its seed', () => {
    const { crypto: watching, calls } = watched(crypto)
    const { publicKey, secretKey } = continuityKeyPair(watching, account.id, key)
    expect(seedsOf(calls).map(isZero)).toEqual([true])
    expect([secretKey.role, secretKey.wiped]).toEqual(['ed25519-secret', false])
    expect(publicKey).toEqual(continuityPublicKey(crypto, account.id, key))
  })
})
