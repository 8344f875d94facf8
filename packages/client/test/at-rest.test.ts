/** What a thief of the files finds without the key that opens them: sizes and the order of writing, no names and no words. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '@session-v2/client'
import { openSqliteStore } from '@session-v2/client/sqlite'
import type { Random } from '@session-v2/crypto'
import { systemRandom } from '@session-v2/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NetworkUnderTest } from './network-under-test.ts'
import { newClient } from './people.ts'

let network: NetworkUnderTest
let alice: Client
let bob: Client
/** Everything random of the size of a seed that Alice was given. */
const seeds: Uint8Array[] = []

const noting: Random = {
  bytes: sizeBytes => {
    const bytes = systemRandom().bytes(sizeBytes)
    if (sizeBytes === 16 || sizeBytes === 32) seeds.push(bytes.slice())
    return bytes
  },
}

beforeAll(async () => {
  network = await NetworkUnderTest.start({ nodes: 1 })
  bob = await newClient(network, 'Robert the Bruce')
  const store = await openSqliteStore(join(network.folder, 'alice.db'))
  alice = await newClient(network, 'Alice in Wonderland', { store, random: noting })
  await alice.send(bob.accountId, 'We meet at midnight')
  await bob.send(alice.accountId, 'Under the old oak')
  await alice.sync()
})
afterAll(async () => {
  await Promise.all([alice.close(), bob.close()])
  await network.close()
})

/** The files of the store, log included, as they lie on disk. */
async function files(): Promise<Buffer> {
  const names = (await readdir(network.folder)).filter(name => name.startsWith('alice.db'))
  return Buffer.concat(await Promise.all(names.map(name => readFile(join(network.folder, name)))))
}

describe('the files of an account', () => {
  it('hold no text, no name, no account id and no network address', async () => {
    const content = await files()
    // The search itself finds what is there.
    expect(content.includes('CREATE TABLE')).toBe(true)
    const hidden = ['midnight', 'old oak', 'Wonderland', 'Bruce', '127.0.0.1']
    for (const text of hidden) expect(content.includes(text), text).toBe(false)
    for (const { accountId } of [alice, bob]) {
      expect(content.includes(accountId)).toBe(false)
      expect(content.includes(Buffer.from(accountId, 'hex').subarray(1))).toBe(false)
    }
    expect(content.includes(alice.account().deviceId)).toBe(false)
  })

  it('hold no seed and no key', async () => {
    const content = await files()
    expect(content.includes(alice.recoveryPassword())).toBe(false)
    // The root seed, the device id, the data key and the first account key at least.
    expect(seeds.length).toBeGreaterThanOrEqual(4)
    for (const seed of seeds) {
      expect(content.includes(Buffer.from(seed))).toBe(false)
      expect(content.includes(Buffer.from(seed).toString('hex'))).toBe(false)
      expect(content.includes(Buffer.from(seed).toString('base64'))).toBe(false)
    }
  })

  it('hold none of it after closing either', async () => {
    await alice.close()
    const content = await files()
    for (const text of ['midnight', 'old oak', 'Wonderland', bob.accountId]) expect(content.includes(text)).toBe(false)
  })
})
