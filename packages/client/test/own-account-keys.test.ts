import { Client, openMemoryStore } from '@session-v2/client'
import { systemRandom } from '@session-v2/crypto'
import { NAMESPACE } from '@session-v2/network'
import {
  accountKeyFromSeed,
  buildAccountKeyRecord,
  judgePublishedKeys,
  rememberPublishedKeys,
  verifyAccountKeyRecord,
} from '@session-v2/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { faultyTransport, transportWith } from './faults.ts'
import { NetworkUnderTest, signerOf } from './network-under-test.ts'
import { bodies, eventTypes, newClient, reopen, UNLOCK } from './people.ts'
import { DAY_MS, HOUR_MS, SimulatedTime } from './simulated-time.ts'

let network: NetworkUnderTest
let time: SimulatedTime

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ clock: time })
})
afterAll(() => network.close())

const create = (name: string, ports: object = {}) => newClient(network, name, { clock: time, ...ports })

/** What −21 of the client's account holds, by its X25519 key; undefined when it holds nothing. */
async function publishedKey(client: Client): Promise<string | undefined> {
  const [record] = await network.retrieve(client.accountId, NAMESPACE.accountKeys)
  if (record === undefined) return undefined
  return Buffer.from(verifyAccountKeyRecord(network.crypto, client.accountId, record).x25519).toString('hex')
}

/** Someone with the recovery password publishes keys of their own. */
async function publishStrangeKeys(client: Client): Promise<void> {
  const account = network.account(client.recoveryPassword())
  const key = accountKeyFromSeed(network.crypto, systemRandom().bytes(32), Math.floor(time.nowMs() / 1000))
  const record = buildAccountKeyRecord(network.crypto, systemRandom(), account, key)
  time.advance(1000)
  await network.store(client.accountId, record, NAMESPACE.accountKeys, signerOf(account))
}

const count = (types: readonly string[], type: string) => types.filter(other => other === type).length

describe('published keys that vanish', () => {
  it('are published again by the next sync', async () => {
    const alice = await create('Alice')
    const mine = await publishedKey(alice)
    await network.clear(alice.accountId, NAMESPACE.accountKeys, signerOf(network.account(alice.recoveryPassword())))
    expect(await publishedKey(alice)).toBeUndefined()
    time.advance(1000)
    await alice.sync()
    expect(await publishedKey(alice)).toBe(mine)
    await alice.close()
  })
})

describe('keys that this device did not publish', () => {
  it('raise an alarm, once, and are replaced', async () => {
    const alice = await create('Alice')
    const mine = await publishedKey(alice)
    await publishStrangeKeys(alice)
    expect(await publishedKey(alice)).not.toBe(mine)
    // A member may not have brought the group's news yet: what is strange is looked at twice.
    time.advance(1000)
    await alice.sync()
    expect(count(await eventTypes(alice), 'account_keys_alarm')).toBe(0)
    await alice.sync()
    // Who took the strange key counts the one before as replaced: there has to be another.
    expect(alice.keys().accountKeys).toHaveLength(2)
    const next = await publishedKey(alice)
    expect(next).not.toBe(mine)
    await alice.sync()
    const types = await eventTypes(alice)
    expect(count(types, 'account_keys_alarm')).toBe(1)
    expect(count(types, 'account_keys_published')).toBe(2)
    // Without end nobody can have keys made: once an hour.
    for (const keys of [2, 3]) {
      await publishStrangeKeys(alice)
      for (let poll = 0; poll < 3; poll++) await alice.sync()
      expect(alice.keys().accountKeys).toHaveLength(keys)
      time.advance(HOUR_MS)
    }
    await alice.close()
  })

  it('are no alarm when they are its own of long ago, erased by now', async () => {
    const alice = await create('Alice')
    const [old] = await network.retrieve(alice.accountId, NAMESPACE.accountKeys)
    const account = network.account(alice.recoveryPassword())
    for (let day = 0; day < 18; day++) {
      time.advance(DAY_MS)
      await alice.sync()
    }
    time.advance(1000)
    await network.store(alice.accountId, old!, NAMESPACE.accountKeys, signerOf(account))
    expect(await network.retrieve(alice.accountId, NAMESPACE.accountKeys)).toEqual([old])
    time.advance(1000)
    await alice.sync()
    expect(await network.retrieve(alice.accountId, NAMESPACE.accountKeys)).not.toEqual([old])
    const types = await eventTypes(alice)
    expect(count(types, 'account_keys_erased')).toBeGreaterThan(0)
    expect(count(types, 'account_keys_alarm')).toBe(0)
    await alice.close()
  })
})

describe('a restored account', () => {
  const restore = (recoveryPassword: string, ports: object = {}) =>
    Client.restore({ store: openMemoryStore(), unlock: UNLOCK, seeds: network.seeds, recoveryPassword, clock: time, ...ports })

  it('leaves the published keys of another device alone and says so', async () => {
    const alice = await create('Alice')
    const published = await publishedKey(alice)
    time.advance(1000)
    const second = await restore(alice.recoveryPassword())
    await second.sync()
    expect(await publishedKey(alice)).toBe(published)
    expect(second.keys().accountKeys).toEqual([])
    expect(second.account().membership).toBe('GroupsVisible')
    expect(count(await eventTypes(second), 'account_keys_foreign')).toBe(1)
    await Promise.all([alice.close(), second.close()])
  })

  it('sends with forward secrecy all the same, also its own copies', async () => {
    const [alice, bob] = [await create('Alice'), await create('Bob')]
    const second = await restore(alice.recoveryPassword())
    expect(await second.send(bob.accountId, 'from my new device')).toMatchObject({ state: 'stored', protocol: 'v2-pfs' })
    await alice.sync()
    expect(await alice.messages()).toMatchObject([
      { conversation: bob.accountId, outgoing: true, body: 'from my new device', pfs: true },
    ])
    await Promise.all([alice, bob, second].map(client => client.close()))
  })

  it('makes keys only when its person founds a group', async () => {
    const offline = await Client.create({
      store: openMemoryStore(),
      unlock: UNLOCK,
      seeds: ['http://127.0.0.1:1'],
      name: 'Alice',
      clock: time,
    })
    const second = await restore(offline.recoveryPassword())
    expect(second.account().membership).toBe('NoGroup')
    expect(second.keys().accountKeys).toEqual([])
    await second.devices.startGroup()
    expect(second.keys().accountKeys).toHaveLength(1)
    expect(await publishedKey(second)).toBeUndefined()
    await second.sync()
    expect(await publishedKey(second)).toBeDefined()
    await Promise.all([offline.close(), second.close()])
  })

  it('does not take the word of one node that there are none', async () => {
    const alice = await create('Alice')
    const published = await publishedKey(alice)
    const [liar] = await network.swarm(alice.accountId)
    const transport = transportWith(async ({ node, text }, send) => {
      const answer = await send()
      if (node.ed25519 !== liar!.ed25519) return answer
      // The liar leaves what it holds at −21 out, alone and within batches.
      return text.includes('-21') ? { ...answer, body: withoutRecords(answer.body) } : answer
    })
    for (let i = 0; i < 5; i++) {
      time.advance(1000)
      const second = await restore(alice.recoveryPassword(), { transport })
      expect(second.keys().accountKeys).toEqual([])
      await second.close()
    }
    expect(await publishedKey(alice)).toBe(published)
    await alice.close()
  })
})

/** An answer whose published keys, dicts that begin with their first keys, are left out. */
function withoutRecords(body: Uint8Array): Uint8Array {
  const isRecord = (message: { data: string }) => /^d1:(C32:|M1184:)/.test(Buffer.from(message.data, 'base64').toString('latin1'))
  const text = JSON.stringify(JSON.parse(Buffer.from(body).toString()), (name, value: unknown) =>
    name === 'messages' ? (value as { data: string }[]).filter(message => !isRecord(message)) : value,
  )
  return new Uint8Array(Buffer.from(text))
}

describe('an own copy', () => {
  it('waits for keys rather than go without forward secrecy', async () => {
    const bob = await create('Bob')
    const offline = await Client.create({
      store: openMemoryStore(),
      unlock: UNLOCK,
      seeds: ['http://127.0.0.1:1'],
      name: 'Alice',
      clock: time,
    })
    const recoveryPassword = offline.recoveryPassword()
    const store = openMemoryStore()
    const alice = await Client.restore({ store, unlock: UNLOCK, seeds: network.seeds, recoveryPassword, clock: time })
    expect(alice.keys().accountKeys).toEqual([])
    expect((await alice.send(bob.accountId, 'Hello')).state).toBe('stored')
    const account = network.account(recoveryPassword)
    expect(await network.retrieve(alice.accountId, NAMESPACE.messages, signerOf(account))).toEqual([])
    await alice.close()
    const again = await reopen(store, { clock: time })
    await again.sync()
    await again.devices.startGroup()
    await again.sync()
    expect(await network.retrieve(again.accountId, NAMESPACE.messages, signerOf(account))).toHaveLength(1)
    expect(await bodies(again)).toEqual(['Hello'])
    await Promise.all([again, bob, offline].map(client => client.close()))
  })
})

describe('a rotation', () => {
  it('is proven to whoever remembers the keys before, and keys of a stranger are not (AK-16)', async () => {
    const alice = await create('Alice')
    const read = async () => {
      const [record] = await network.retrieve(alice.accountId, NAMESPACE.accountKeys)
      return verifyAccountKeyRecord(network.crypto, alice.accountId, record!)
    }
    const options = { nowS: Math.floor(time.nowMs() / 1000), confirmed: false }
    const remembered = rememberPublishedKeys(network.crypto, alice.accountId, undefined, await read(), options)
    const judge = async () => judgePublishedKeys(network.crypto, alice.accountId, remembered, await read())
    expect(await judge()).toEqual({ verdict: 'same', continuity: 'proven' })
    for (let rotations = 0; rotations < 3; rotations++) {
      time.advance(14 * HOUR_MS)
      await alice.sync()
    }
    expect(await judge()).toEqual({ verdict: 'newer', continuity: 'proven' })
    await publishStrangeKeys(alice)
    expect(await judge()).toEqual({ verdict: 'newer', continuity: 'unproven' })
    await alice.close()
  })

  it('that came late is made up for by the next sync, without a network too', async () => {
    let down = false
    const alice = await create('Alice', { transport: faultyTransport(() => (down ? 'request-lost' : 'none')) })
    down = true
    time.advance(14 * HOUR_MS)
    await alice.sync().catch(() => undefined)
    expect(alice.keys().accountKeys.map(key => key.current)).toEqual([true, false])
    down = false
    const before = await publishedKey(alice)
    await alice.sync()
    expect(await publishedKey(alice)).not.toBe(before)
    await alice.close()
  })
})
