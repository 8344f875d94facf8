import { CryptoError, ed25519KeyPair, type Random, Secret, systemRandom } from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'
import {
  type AccountId,
  emptyKeyring,
  keyringOf,
  openMessage,
  type PublishedKeys,
  prepareRecipient,
  rotateKeyring,
  sealMessageV2,
  sealMessageV2NoPfs,
  wipeAccount,
} from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fuzzRuns, native, providers, refusalBy, someAccount, someKey } from './providers.ts'

const random = systemRandom()

function world(crypto: (typeof providers)[number][1]) {
  const [alice, bob, carol] = [someAccount(crypto, 1), someAccount(crypto, 2), someAccount(crypto, 3)]
  const key = someKey(crypto, 4)
  const keys: PublishedKeys = { x25519: key.x25519.publicKey, mlKem768: key.mlKem768.publicKey }
  const pro = ed25519KeyPair(crypto, Secret.of(new Uint8Array(32).fill(5), 'ed25519-seed'))
  const recipient = prepareRecipient(crypto, bob.id, keys)
  const seal = (content: Uint8Array, proSigner?: Secret<'ed25519-secret'>) =>
    sealMessageV2(crypto, random, { sender: alice, recipient, content, ...(proSigner === undefined ? {} : { proSigner }) })
  const sealNoPfs = (content: Uint8Array, proSigner?: Secret<'ed25519-secret'>) =>
    sealMessageV2NoPfs(crypto, random, {
      sender: alice,
      recipient: bob.id,
      content,
      ...(proSigner === undefined ? {} : { proSigner }),
    })
  return { alice, bob, carol, key, keys, keyring: keyringOf([key]), pro, seal, sealNoPfs }
}

describe.each(providers)('V2 message, DM2-02 (%s)', (_, crypto) => {
  const { alice, bob, keyring, pro, seal, sealNoPfs } = world(crypto)

  it.each([
    [0, false, 1536],
    [1, false, 1536],
    [5, false, 1536],
    [279, false, 1536],
    [280, false, 1792],
    [535, false, 1792],
    [536, false, 2048],
    [5000, false, 6400],
    [64, true, 1536],
    [208, true, 1536],
    [209, true, 1792],
  ])('with %i bytes of content (pro: %s) has %i bytes', (contentBytes, withPro, messageBytes) => {
    const content = new Uint8Array(contentBytes).fill(0x61)
    for (const sealAny of [seal, sealNoPfs]) {
      expect(sealAny(content, withPro ? pro.secretKey : undefined)).toHaveLength(messageBytes)
    }
  })

  it('opens to what was sealed, whatever that was', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.boolean(), fc.boolean(), (content, pfs, withPro) => {
        const message = (pfs ? seal : sealNoPfs)(content, withPro ? pro.secretKey : undefined)
        const opened = openMessage(crypto, bob, keyring, message)
        expect(opened).toMatchObject({
          outcome: 'opened',
          pfs,
          sender: alice.id,
          senderEd25519: alice.ed25519.publicKey,
          content,
        })
        expect('proSignature' in opened).toBe(withPro)
      }),
      { numRuns: 60 },
    )
  })
})

describe.each(providers)('keys that open a V2 message, DM2-11 (%s)', (_, crypto) => {
  const { alice, bob, carol, keyring, seal, sealNoPfs } = world(crypto)

  it('opens with the recipient’s keys alone', () => {
    const content = encodeUtf8('hello')
    expect(openMessage(crypto, carol, keyring, seal(content)).outcome).toBe('no-key')
    expect(openMessage(crypto, alice, keyring, seal(content)).outcome).toBe('no-key')
    expect(openMessage(crypto, bob, emptyKeyring, seal(content)).outcome).toBe('no-key')
    expect(openMessage(crypto, bob, keyringOf([someKey(crypto, 9)]), seal(content)).outcome).toBe('no-key')
    expect(openMessage(crypto, bob, emptyKeyring, sealNoPfs(content)).outcome).toBe('opened')
  })

  it('opens with a rotated key until that is pruned', () => {
    const rotated = rotateKeyring(crypto, keyring, new Uint8Array(32).fill(6), 5000).keyring
    const opened = openMessage(crypto, bob, rotated, seal(encodeUtf8('late')))
    expect(opened).toMatchObject({ outcome: 'opened', keyCreatedAtS: keyring.keys[0]!.createdAtS })
  })

  it('tells the indicator of a key that is not held', () => {
    const opened = openMessage(crypto, bob, emptyKeyring, seal(new Uint8Array(0)))
    expect(opened).toEqual({ outcome: 'no-key', indicator: keyring.keys[0]!.indicator })
  })

  it('goes on to the next key when two have one indicator', () => {
    const twin = { ...someKey(crypto, 9, 2000), indicator: keyring.keys[0]!.indicator }
    const both = keyringOf([twin, { ...keyring.keys[0]!, rotatedAtS: 2000 }])
    expect(openMessage(crypto, bob, both, seal(encodeUtf8('twins')))).toMatchObject({ outcome: 'opened', keyCreatedAtS: 1000 })
    expect(openMessage(crypto, bob, both, sealNoPfs(encodeUtf8('twins')))).toMatchObject({ outcome: 'opened', pfs: false })
  })
})

describe.each(providers)('accounts that a V2 message cannot be for (%s)', (_, crypto) => {
  const { alice, bob, keyring, keys, seal } = world(crypto)

  it('refuses recipients that nothing can be sealed to', () => {
    const nobody = `05${'00'.repeat(32)}` as AccountId
    const content = new Uint8Array(0)
    expect(refusalBy(() => sealMessageV2NoPfs(crypto, random, { sender: alice, recipient: nobody, content }))).toBe(
      'bad-account-id NOT-04',
    )
    const recipient = prepareRecipient(crypto, nobody, keys)
    expect(refusalBy(() => sealMessageV2(crypto, random, { sender: alice, recipient, content }))).toBe('bad-account-id NOT-04')
    const zero = { ...prepareRecipient(crypto, bob.id, keys), x25519: new Uint8Array(32) as PublishedKeys['x25519'] }
    expect(refusalBy(() => sealMessageV2(crypto, random, { sender: alice, recipient: zero, content }))).toBe('malformed AK-09')
    const notReduced = { ...keys, mlKem768: keys.mlKem768.map(() => 0xff) as PublishedKeys['mlKem768'] }
    expect(refusalBy(() => prepareRecipient(crypto, bob.id, notReduced))).toBe('malformed AK-09')
  })

  it('cannot be opened by an account that was wiped: that is a mistake, no outcome', () => {
    const account = someAccount(crypto, 8)
    wipeAccount(account)
    expect(() => openMessage(crypto, account, keyring, seal(new Uint8Array(0)))).toThrow(CryptoError)
  })
})

describe('V2 message with one bit flipped', () => {
  const { bob, keyring, seal, sealNoPfs } = world(native)

  it.each([
    ['with forward secrecy', seal, 0],
    // The indicator and the ciphertext are filler: nothing reads them.
    ['without', sealNoPfs, 1090],
  ])('never opens (%s)', (_, sealAny, fillerBytes) => {
    const message = sealAny(encodeUtf8('hello'))
    let opened = 0
    for (let at = 0; at < message.length; at++) {
      const changed = message.with(at, (message[at] as number) ^ (1 << (at % 8)))
      if (openMessage(native, bob, keyring, changed).outcome === 'opened') opened++
    }
    expect(opened).toBe(fillerBytes)
  })
})

describe('V2 message and its randomness', () => {
  const { alice, bob, seal, sealNoPfs } = world(native)

  it('is another one each time', () => {
    expect(seal(new Uint8Array(0))).not.toEqual(seal(new Uint8Array(0)))
    expect(sealNoPfs(new Uint8Array(0))).not.toEqual(sealNoPfs(new Uint8Array(0)))
  })

  it('leaves no ephemeral secret behind', () => {
    const handedOut: Uint8Array[] = []
    const watched: Random = {
      bytes(sizeBytes) {
        const bytes = random.bytes(sizeBytes)
        handedOut.push(bytes)
        return bytes
      },
    }
    sealMessageV2NoPfs(native, watched, { sender: alice, recipient: bob.id, content: new Uint8Array(0) })
    expect(handedOut[0]).toEqual(new Uint8Array(32))
  })
})

describe('fuzz V2 message', () => {
  const { bob, keyring, seal } = world(native)
  const message = seal(encodeUtf8('hello'))
  const mutated = fc
    .tuple(fc.nat(message.length), fc.nat(30), fc.uint8Array({ maxLength: 30 }))
    .map(([at, cut, inserted]) => Uint8Array.from([...message.subarray(0, at), ...inserted, ...message.subarray(at + cut)]))
  const prefixed = fc.uint8Array({ maxLength: 3000 }).map(rest => Uint8Array.from([0, 2, ...rest]))

  it('gives an outcome, soon', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, prefixed, fc.uint8Array({ maxLength: 2000 })), bytes => {
        const { outcome } = inTime(bytes, () => openMessage(native, bob, keyring, bytes))
        const isSame = bytes.length === message.length && bytes.every((byte, at) => byte === message[at])
        expect(outcome === 'opened').toBe(isSame)
      }),
      { numRuns: fuzzRuns },
    )
  })
})
