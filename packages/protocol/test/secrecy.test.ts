import { inspect } from 'node:util'
import { loadCrypto, Secret } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import {
  type Account,
  accountFromSeed,
  accountKeyFromSeed,
  expandDeviceKeys,
  keyringOf,
  newDeviceKeys,
  wipeAccount,
  wipeAccountKey,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { providers, someAccount, someKey } from './providers.ts'

/** Seeds made of one byte, and everything derived from them, in the forms in which bytes get printed. */
function formsOf(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes)
  return [
    encodeHex(bytes),
    encodeHex(bytes).match(/../g)!.join(' '),
    buffer.toString('base64'),
    bytes.join(','),
    bytes.join(', '),
    buffer.toString('latin1'),
  ]
}

function printed(value: unknown): string[] {
  const cloned = structuredClone(value)
  const jsonSafe = (_: string, item: unknown) => (item instanceof Uint8Array ? encodeHex(item) : item)
  return [
    inspect(value, { depth: 20, showHidden: true, maxArrayLength: null, getters: false }),
    inspect(cloned, { depth: 20, showHidden: true, maxArrayLength: null }),
    JSON.stringify(value),
    JSON.stringify(value, jsonSafe),
    JSON.stringify(cloned),
    String(value),
    `${Object.entries(value as object).flat(5)}`,
  ]
}

function secretsOfAccount({ seed, ed25519, x25519 }: Account): Uint8Array[] {
  return [seed, ed25519.secretKey, x25519.secretKey].map(secret => secret.expose())
}

function expectNoSecrets(value: unknown, secrets: readonly Uint8Array[]): void {
  for (const text of printed(value)) {
    // The first 16 bytes of a secret are enough to betray it.
    for (const form of secrets.flatMap(secret => formsOf(secret.subarray(0, 16)))) expect(text.includes(form)).toBe(false)
  }
}

describe.each(providers)('what is printed, serialised or cloned (%s)', (_, crypto) => {
  it('of an account shows no secret', () => {
    const account = someAccount(crypto, 0x5a)
    expectNoSecrets(account, secretsOfAccount(account))
    expect(inspect(account)).toContain('[secret root-seed]')
  })

  it('of an account key and a keyring shows no secret', () => {
    const key = someKey(crypto, 0x5b)
    const secrets = [key.seed.expose(), key.x25519.secretKey.expose(), key.mlKem768.secretKey.export().expose()]
    expectNoSecrets(key, secrets)
    expectNoSecrets(keyringOf([key]), secrets)
  })

  it('of device keys shows no secret', () => {
    const seed = new Uint8Array(32).fill(0x5d)
    const keys = newDeviceKeys(crypto, Secret.of(seed, 'device-key-seed'), 1_700_000_000)
    const [pair] = expandDeviceKeys(crypto, keys)
    const secrets = [pair!.x25519.secretKey, pair!.mlKem768.seed, pair!.mlKem768.secretKey.export()]
    expectNoSecrets(keys, [seed, ...secrets.map(secret => secret.expose())])
    expectNoSecrets(pair, [seed, ...secrets.map(secret => secret.expose())])
  })

  it('is checked by a test that would notice', () => {
    const account = someAccount(crypto, 0x5c)
    const leaky = { ...account, leak: account.seed.expose() }
    expect(() => expectNoSecrets(leaky, secretsOfAccount(account))).toThrow()
  })
})

describe('a seed handed in as a Node buffer', () => {
  it('stays as it is when the account is wiped', async () => {
    const crypto = await loadCrypto()
    const seed = Buffer.alloc(32, 7)
    wipeAccount(accountFromSeed(crypto, seed))
    wipeAccountKey(accountKeyFromSeed(crypto, seed, 1_700_000_000))
    expect([...seed]).toEqual(new Array(32).fill(7))
  })
})
