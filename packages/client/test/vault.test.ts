import { Client, openMemoryStore, type RecordStore } from '@session-v2/client'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClientError } from '../src/client-error.ts'
import { createVault, openVault, type Unlock } from '../src/store/sealed/vault.ts'
import { codeOf, UNLOCK } from './people.ts'

const crypto = await loadCrypto()
const random = systemRandom()
const FUZZ_RUNS = Number(process.env.FUZZ_RUNS ?? 2000)
/** The least libsodium takes, so that tests are quick. */
const cost = { opsLimit: 1, memoryBytes: 8192 }
const words: Unlock = { passphrase: 'correct horse', cost }
const HEADER = encodeUtf8('header')

async function vaultOf(unlock: Unlock): Promise<{ store: RecordStore; dataKey: Uint8Array }> {
  const store = openMemoryStore()
  const { dataKey, change } = createVault(crypto, random, unlock)
  await store.commit([change])
  return { store, dataKey: dataKey.expose() }
}

const headerOf = async (store: RecordStore) => JSON.parse(decodeUtf8((await store.get('vault', HEADER))!.value)) as object

async function withHeader(header: unknown): Promise<RecordStore> {
  const store = openMemoryStore()
  const value = encodeUtf8(JSON.stringify(header))
  await store.commit([{ kind: 'put', table: 'vault', key: HEADER, value }])
  return store
}

describe('the vault', () => {
  it('gives the data key to the passphrase or the key it was made with', async () => {
    for (const unlock of [words, UNLOCK]) {
      const { store, dataKey } = await vaultOf(unlock)
      expect((await openVault(crypto, store, unlock)).expose()).toEqual(dataKey)
    }
  })

  it('takes a passphrase however its letters are composed', async () => {
    const { store, dataKey } = await vaultOf({ passphrase: 'caf\u00e9', cost })
    expect((await openVault(crypto, store, { passphrase: 'cafe\u0301' })).expose()).toEqual(dataKey)
  })

  it('refuses a wrong passphrase and a wrong key, and changes nothing', async () => {
    const locked = await vaultOf(words)
    const before = await headerOf(locked.store)
    expect(await codeOf(openVault(crypto, locked.store, { passphrase: 'battery staple' }))).toBe('wrong-passphrase')
    expect(await headerOf(locked.store)).toEqual(before)
    const { store } = await vaultOf(UNLOCK)
    expect(await codeOf(openVault(crypto, store, { key: new Uint8Array(32) }))).toBe('wrong-passphrase')
  })

  it('tells a missing account and an unlock of the wrong kind apart from a wrong one', async () => {
    expect(await codeOf(openVault(crypto, openMemoryStore(), words))).toBe('no-account')
    expect(await codeOf(openVault(crypto, (await vaultOf(words)).store, UNLOCK))).toBe('bad-unlock')
    expect(await codeOf(openVault(crypto, (await vaultOf(UNLOCK)).store, words))).toBe('bad-unlock')
    for (const passphrase of ['', 'x'.repeat(4097)])
      expect(() => createVault(crypto, random, { passphrase, cost })).toThrow(ClientError)
    expect(() => createVault(crypto, random, { key: new Uint8Array(31) })).toThrow(ClientError)
  })

  it('keeps neither passphrase nor data key in its header', async () => {
    const { store, dataKey } = await vaultOf(words)
    const header = JSON.stringify(await headerOf(store))
    expect(header).not.toContain('correct horse')
    expect(header).not.toContain(Buffer.from(dataKey).toString('hex'))
    expect(header).toMatch(/"opsLimit":1.*"memoryBytes":8192/)
  })

  it('does not let a header ask for more than a machine has', async () => {
    const { store } = await vaultOf(words)
    for (const [field, value] of Object.entries({ memoryBytes: 2 ** 40, opsLimit: 1e6, salt: '00', wrapped: '', version: 2 })) {
      const tampered = await withHeader({ ...(await headerOf(store)), [field]: value })
      expect(await codeOf(openVault(crypto, tampered, words))).toBe('store-damaged')
    }
  })
})

describe('the cost of a passphrase', () => {
  const GIB = 2 ** 30
  const unbearable = [
    { opsLimit: 0, memoryBytes: GIB },
    { opsLimit: 1.5, memoryBytes: GIB },
    { opsLimit: 5, memoryBytes: GIB },
    { opsLimit: 1, memoryBytes: 2 * GIB },
    { opsLimit: 1, memoryBytes: 8191 },
  ]

  it('cannot be one with which the account would never open again', () => {
    for (const cost of unbearable) {
      const make = () => createVault(crypto, random, { passphrase: 'correct horse', cost })
      expect(make).toThrow(expect.objectContaining({ code: 'bad-unlock' }))
    }
  })

  it('cannot be raised in the header beyond what a machine bears', async () => {
    const header = await headerOf((await vaultOf(words)).store)
    for (const cost of [...unbearable, { opsLimit: 100, memoryBytes: GIB }]) {
      expect(await codeOf(openVault(crypto, await withHeader({ ...header, ...cost }), words))).toBe('store-damaged')
    }
  })
})

describe('fuzz: the header', () => {
  it('ends in a typed error when it was altered', async () => {
    const header = await headerOf((await vaultOf(UNLOCK)).store)
    const field = fc.constantFrom('version', 'method', 'salt', 'opsLimit', 'memoryBytes', 'wrapped')
    // No passphrase method here: it would be a test of Argon2id's patience.
    const value = fc.jsonValue().filter(json => json !== 'passphrase')
    await fc.assert(
      fc.asyncProperty(fc.dictionary(field, value), async changes => {
        const store = await withHeader({ ...header, ...changes })
        const outcome = await openVault(crypto, store, UNLOCK).catch((error: unknown) => error)
        if (outcome instanceof Error) {
          expect(outcome).toBeInstanceOf(ClientError)
          expect(['store-damaged', 'wrong-passphrase', 'bad-unlock']).toContain((outcome as ClientError).code)
        }
      }),
      { numRuns: FUZZ_RUNS },
    )
  })
})

describe('a client on a passphrase', () => {
  it('opens with it only, and nothing is left of an account that could not be made', async () => {
    const store = openMemoryStore()
    const seeds = ['http://127.0.0.1:1']
    const bad = Client.create({ store, unlock: { passphrase: '' }, seeds, name: 'Alice' })
    expect(await codeOf(bad)).toBe('bad-unlock')
    expect(await codeOf(Client.open({ store, unlock: words }))).toBe('no-account')
    const alice = await Client.create({ store, unlock: words, seeds, name: 'Alice' })
    await alice.close()
    expect(await codeOf(Client.open({ store, unlock: { passphrase: 'wrong' } }))).toBe('wrong-passphrase')
    const again = await Client.open({ store, unlock: words })
    expect(again.account()).toMatchObject({ accountId: alice.accountId, name: 'Alice', membership: 'Unknown' })
    await again.close()
  })
})
