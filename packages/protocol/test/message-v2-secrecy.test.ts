/** What sealing and opening V2 messages leave in memory: nothing but what they return (DM2-05 to DM2-08). */
import { systemRandom } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import {
  emptyKeyring,
  keyringOf,
  openMessageV2,
  type PublishedKeys,
  prepareRecipient,
  sealMessageV2,
  sealMessageV2NoPfs,
} from '@session-v2/protocol'
import { loadVectors } from '@session-v2/vectors'
import { describe, expect, it, vi } from 'vitest'
import { isZero, watched, watchedRandom } from './group-world.ts'
import { accountOf, keyringOfSeeds, providers, refusalBy, someAccount, someKey } from './providers.ts'

const content = new Uint8Array(10).fill(0x61)
const random = systemRandom()

describe.each(providers)('secrets of a V2 message (%s)', (_, crypto) => {
  const [sender, bob] = [someAccount(crypto, 1), someAccount(crypto, 2)]
  const key = someKey(crypto, 4)
  const keys: PublishedKeys = { x25519: key.x25519.publicKey, mlKem768: key.mlKem768.publicKey }
  const recipient = prepareRecipient(crypto, bob.id, keys)

  it.each([true, false])('are erased by sealing, with forward secrecy: %s', pfs => {
    const { random: watching, drawn } = watchedRandom(random)
    const { crypto: watchingCrypto, calls } = watched(crypto)
    if (pfs) sealMessageV2(watchingCrypto, watching, { sender, recipient, content })
    else sealMessageV2NoPfs(watchingCrypto, watching, { sender, recipient: bob.id, content })
    const agreed = calls.flatMap(({ operation, result }) => (operation === 'x25519' ? [result!] : []))
    // The shared secrets, behind which stand public values.
    const [derivation] = calls.filter(({ operation }) => operation === 'sha3_256')
    const [encryption] = calls.filter(({ operation }) => operation === 'xchacha20Poly1305Encrypt')
    const [messageKey, , padded] = encryption!.bytes
    expect([agreed.length, messageKey!.length, padded!.length % 256]).toEqual([pfs ? 2 : 1, 32, 140])
    const secrets = drawn.filter(bytes => bytes.length === 32)
    expect(secrets).toHaveLength(pfs ? 2 : 1)
    const shared = derivation!.bytes.slice(0, pfs ? 2 : 1)
    const all = [...agreed, ...shared, derivation!.result!, messageKey!, padded!, ...secrets]
    expect(all.filter(bytes => !isZero(bytes))).toEqual([])
  })

  it.each([10, 1024 * 1024])('are erased as they were before padding, with %i bytes of content', sizeBytes => {
    const slicing = vi.spyOn(Uint8Array.prototype, 'slice')
    const message = { sender, content: new Uint8Array(sizeBytes).fill(0x61), recipient: bob.id }
    const isTooLong = sizeBytes > 10
    if (isTooLong) expect(refusalBy(() => sealMessageV2NoPfs(crypto, random, message))).toBe('bad-input DM2-03')
    else sealMessageV2NoPfs(crypto, random, message)
    // The dict is cut out of the buffer it was written into: type, key, content, signature, and what is between them.
    const plaintextBytes = sizeBytes + `${sizeBytes}:`.length + 113
    const plaintexts = slicing.mock.results.flatMap(({ value }) => (value.length === plaintextBytes ? [value] : []))
    slicing.mockRestore()
    expect(plaintexts.map(isZero)).toEqual([true])
  })

  it('are not even made for a published key that cannot be used', () => {
    const { random: watching, drawn } = watchedRandom(random)
    const { crypto: watchingCrypto, calls } = watched(crypto)
    const unusable = { ...recipient, x25519: new Uint8Array(32) as PublishedKeys['x25519'] }
    expect(refusalBy(() => sealMessageV2(watchingCrypto, watching, { sender, recipient: unusable, content }))).toBe(
      'malformed AK-09',
    )
    // The ephemeral secret, and no coins of an encapsulation.
    expect(drawn.map(bytes => [bytes.length, isZero(bytes)])).toEqual([[32, true]])
    expect(calls.flatMap(({ operation, result }) => (operation === 'x25519' && result ? [isZero(result)] : []))).toEqual([true])
  })

  it('are not even made for a content that is too long', () => {
    const { random: watching, drawn } = watchedRandom(random)
    const long = { sender, content: new Uint8Array(1024 * 1024) }
    expect(refusalBy(() => sealMessageV2(crypto, watching, { ...long, recipient }))).toBe('bad-input DM2-03')
    expect(refusalBy(() => sealMessageV2NoPfs(crypto, watching, { ...long, recipient: bob.id }))).toBe('bad-input DM2-03')
    expect(drawn).toEqual([])
  })
})

describe.each(providers)('secrets of a V2 message that comes in (%s)', (_, crypto) => {
  const [sender, bob] = [someAccount(crypto, 1), someAccount(crypto, 2)]
  const key = someKey(crypto, 4)
  const keys: PublishedKeys = { x25519: key.x25519.publicKey, mlKem768: key.mlKem768.publicKey }
  const recipient = prepareRecipient(crypto, bob.id, keys)
  const refused = ['signature-altered', 'signature-altered-no-pfs', 'plaintext-no-dict'].map(name => {
    const { failure, in: given } = loadVectors('message-v2').find(file => file.name === name)!
    const owner = accountOf(crypto, given.recipient_seed)
    return [failure!, owner, keyringOfSeeds(crypto, given.account_key_seeds), decodeHex(given.message)] as const
  })
  it.each([
    ['opened', bob, keyringOf([key]), sealMessageV2(crypto, random, { sender, recipient, content })] as const,
    ['opened', bob, emptyKeyring, sealMessageV2NoPfs(crypto, random, { sender, recipient: bob.id, content })] as const,
    ...refused,
  ])('are erased by opening what is %s', (outcome, owner, keyring, message) => {
    const { crypto: watching, calls } = watched(crypto)
    const opened = openMessageV2(watching, owner, keyring, message)
    expect(opened.outcome).toBe(outcome)
    expect(opened.outcome === 'opened' ? opened.content : content).toEqual(content)
    const resultsOf = (name: string) => calls.flatMap(({ operation, result }) => (operation === name && result ? [result] : []))
    const plaintexts = resultsOf('xchacha20Poly1305Decrypt')
    expect(plaintexts).toHaveLength(1)
    const messageKeys = calls.flatMap(({ operation, bytes }) => (operation === 'xchacha20Poly1305Decrypt' ? [bytes[0]!] : []))
    const all = [...plaintexts, ...messageKeys, ...resultsOf('x25519'), ...resultsOf('sha3_256')]
    expect(all.filter(bytes => !isZero(bytes))).toEqual([])
  })
})
