import { join } from 'node:path'
import { inspect } from 'node:util'
import { Client, ClientError, openMemoryStore, TEXT_MAX_CODE_POINTS } from '@session-v2/client'
import { openSqliteStore } from '@session-v2/client/sqlite'
import { UnknownWordError } from '@session-v2/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NetworkUnderTest } from './network-under-test.ts'
import { bodies, codeOf, newClient, UNLOCK } from './people.ts'

let network: NetworkUnderTest
let bob: Client

beforeAll(async () => {
  network = await NetworkUnderTest.start({ nodes: 1 })
  bob = await newClient(network, 'Bob')
})
afterAll(async () => {
  await bob.close()
  await network.close()
})

const seeds = ['http://127.0.0.1:1']

describe('a new account', () => {
  it('has 13 words, or 25, and can be made without a network', async () => {
    for (const words of [13, 25] as const) {
      const alice = await Client.create({ store: openMemoryStore(), unlock: UNLOCK, seeds, name: ' Alice ', words })
      expect(alice.recoveryPassword().split(' ')).toHaveLength(words)
      expect(alice.account()).toMatchObject({ name: 'Alice', membership: 'Unknown', group: { isOurs: true } })
      expect(alice.account().deviceId).toMatch(/^[0-9a-f]{64}$/)
      expect(alice.keys().accountKeys).toMatchObject([{ current: true, rotatedAtMs: undefined, eraseAtMs: undefined }])
      expect((await alice.send(bob.accountId, 'waiting')).state).toBe('queued')
      expect(await codeOf(alice.sync())).toBe('network-unavailable')
      await alice.close()
    }
  })

  it('does not take the place of another', async () => {
    const path = join(network.folder, 'taken.db')
    const alice = await newClient(network, 'Alice', { store: await openSqliteStore(path) })
    await alice.close()
    expect(await codeOf(newClient(network, 'Eve', { store: await openSqliteStore(path) }))).toBe('account-exists')
    const again = await Client.open({ store: await openSqliteStore(path), unlock: UNLOCK })
    expect(again.account().name).toBe('Alice')
    await again.close()
  })

  it('needs a name that is one and a seed that is one', async () => {
    const make = (options: { name?: string; seeds?: string[] }) =>
      codeOf(Client.create({ store: openMemoryStore(), unlock: UNLOCK, seeds, name: 'Alice', ...options }))
    for (const name of ['', '  ', 'x'.repeat(101), '\ud800']) expect(await make({ name })).toBe('bad-name')
    for (const url of ['', 'ftp://example.org', 'http://', 'http://a b', 'http://host/path?query'])
      expect(await make({ seeds: [url] })).toBe('no-seed')
    expect(await make({ seeds: [] })).toBe('no-seed')
  })
})

describe('a recovery password', () => {
  it('gives the account back, and its messages as far as the swarm has them', async () => {
    const alice = await newClient(network, 'Alice')
    await bob.send(alice.accountId, 'before')
    const recoveryPassword = alice.recoveryPassword()
    const options = { store: openMemoryStore(), unlock: UNLOCK, seeds: network.seeds, recoveryPassword }
    const restored = await Client.restore(options)
    expect(restored.accountId).toBe(alice.accountId)
    expect(restored.account().deviceId).not.toBe(alice.account().deviceId)
    expect(restored.recoveryPassword()).toBe(recoveryPassword)
    await Promise.all([alice.close(), restored.close()])
  })

  it('that is none is refused before anything is made, with the reason kept', async () => {
    const store = openMemoryStore()
    const restore = (recoveryPassword: string) => Client.restore({ store, unlock: UNLOCK, seeds, recoveryPassword })
    const words = bob.recoveryPassword().split(' ')
    for (const wrong of ['', 'one two three', words.with(3, 'zzz').join(' '), words.toReversed().join(' ')])
      expect(await codeOf(restore(wrong))).toBe('bad-recovery-password')
    const error = await restore(words.with(3, 'zzz').join(' ')).catch((thrown: unknown) => thrown)
    expect((error as ClientError).cause).toBeInstanceOf(UnknownWordError)
    expect(await codeOf(Client.open({ store, unlock: UNLOCK }))).toBe('no-account')
  })
})

describe('a text', () => {
  it('has at most 2,000 characters, counted as a person counts them', async () => {
    const alice = await newClient(network, 'Alice')
    const longest = '🦁'.repeat(TEXT_MAX_CODE_POINTS)
    expect((await alice.send(bob.accountId, longest)).state).toBe('stored')
    expect(await codeOf(alice.send(bob.accountId, `${longest}!`))).toBe('message-too-long')
    for (const text of ['', 'half a \ud83e']) expect(await codeOf(alice.send(bob.accountId, text))).toBe('bad-message')
    await bob.sync()
    expect(await bodies(bob, alice.accountId)).toEqual([longest])
    await alice.close()
  })

  it('goes to an account id, in upper or lower case', async () => {
    const alice = await newClient(network, 'Alice')
    for (const id of ['', '05', 'Bob', `03${bob.accountId.slice(2)}`, `${bob.accountId}0`])
      expect(await codeOf(alice.send(id, 'Hello'))).toBe('bad-account-id')
    expect((await alice.send(bob.accountId.toUpperCase(), 'Hello')).state).toBe('stored')
    await alice.close()
  })

  it('is taken as it is, whatever it says', async () => {
    const alice = await newClient(network, 'Alice')
    const texts = ['\u0000', "'; DROP TABLE records; --", '{"a":1}', '\u202egnirts', ' ', 'e\u0301 \u00e9']
    for (const text of texts) await alice.send(bob.accountId, text)
    await bob.sync()
    expect(await bodies(bob, alice.accountId)).toEqual(texts)
    await alice.close()
  })
})

describe('a closed client', () => {
  it('does nothing more, has no timer and no secret left, and can be closed again', async () => {
    const { SimulatedTime } = await import('./simulated-time.ts')
    const time = new SimulatedTime(Date.now())
    const alice = await newClient(network, 'Alice', { timers: time })
    alice.start()
    await alice.send(bob.accountId, 'last words')
    await Promise.all([alice.close(), alice.close()])
    expect(time.pending).toBe(0)
    for (const call of [
      () => alice.send(bob.accountId, 'more'),
      () => alice.sync(),
      () => alice.messages(),
      () => alice.conversations(),
      () => alice.openConversation(bob.accountId),
      async () => alice.recoveryPassword(),
      async () => alice.events(),
      async () => alice.start(),
    ])
      expect(await codeOf(call())).toBe('closed')
    await alice.close()
  })

  it('that was sending has lost nothing', async () => {
    const store = openMemoryStore()
    const alice = await newClient(network, 'Alice', { store })
    const sending = Array.from({ length: 20 }, (_, i) => alice.send(bob.accountId, `${i}`))
    await new Promise(resolve => setTimeout(resolve, 20))
    await alice.close()
    await Promise.allSettled(sending)
    const again = await Client.open({ store, unlock: UNLOCK })
    await again.sync()
    await bob.sync()
    const sent = (await again.messages()).map(({ body, state }) => `${body} ${state}`)
    expect(sent).toEqual((await bodies(bob, alice.accountId)).map(body => `${body} stored`))
    await again.close()
  })
})

describe('what is printed', () => {
  it('shows no secret of a client, and an error no account and no text', async () => {
    const alice = await newClient(network, 'Alice')
    const printed = inspect(alice, { depth: 20, showHidden: true }) + JSON.stringify(alice)
    for (const word of alice.recoveryPassword().split(' ')) expect(printed).not.toContain(word)
    const error = await alice.send(bob.accountId, 'x'.repeat(2001)).catch((thrown: unknown) => thrown)
    const text = inspect(error, { depth: 20 })
    expect(error).toBeInstanceOf(ClientError)
    for (const hidden of [bob.accountId, alice.accountId, 'xxxxxxxxxx']) expect(text).not.toContain(hidden)
    await alice.close()
  })
})
