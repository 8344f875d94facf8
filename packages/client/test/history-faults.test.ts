/** What a hand-over withstands: a network that loses, doubles and reorders, keys that rotate, liars, and devices that go. */
import type { Client } from '@session-v2/client'
import { systemRandom } from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import {
  type Account,
  accountKeyFromSeed,
  deviceIdOf,
  encodeContent,
  expandKeyPair,
  historyRequestIdOf,
  openHistoryChunk,
  openHistoryControl,
  parseDeviceId,
  sealHistoryAck,
  sealHistoryAsk,
  sealMessageV2NoPfs,
  textContent,
  verifyAccountKeyRecord,
} from '@session-v2/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { transportWith } from './faults.ts'
import { HistoryDevices, historyOf, listing } from './history-devices.ts'
import { NetworkUnderTest, signerOf } from './network-under-test.ts'
import { eventTypes } from './people.ts'
import { DAY_MS, HOUR_MS, SimulatedTime } from './simulated-time.ts'

let network: NetworkUnderTest
let time: SimulatedTime
let devices: HistoryDevices

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ nodes: 1, clock: time })
  devices = new HistoryDevices(network, time)
})
afterAll(() => network.close())

const close = (...clients: Client[]) => Promise.all(clients.map(client => client.close()))
const random = systemRandom()
const accountOf = (client: Client): Account => network.account(client.recoveryPassword())
const inSwarm = (client: Client, namespace: (typeof NAMESPACE)['history' | 'historyChunks']) =>
  network.retrieve(client.accountId, namespace, signerOf(accountOf(client)))

async function expectDone(alice: Client, second: Client, messages: number): Promise<void> {
  expect(await second.history.own()).toMatchObject({ state: 'done', end: 'complete', received: messages, total: messages })
  expect((await alice.history.requests())[0]).toMatchObject({ status: 'done', sent: messages, total: messages })
  expect(await historyOf(second)).toEqual(await historyOf(alice))
  expect(await devices.left(alice)).toBe(0)
  await close(alice, second)
}

describe('chunks', () => {
  it('that are doubled and come in any order are taken once (HT-16)', async () => {
    const transport = listing(chunks => [...chunks, ...chunks].reverse())
    const { alice, second } = await devices.twoDevices(30, { transport })
    await devices.handOver(alice, second)
    await expectDone(alice, second, 30)
  })

  it('that are lost on the way are sent again, those behind them are kept (HT-17, HT-18)', async () => {
    const seen: string[] = []
    let lost = 0
    const transport = listing(chunks => {
      for (const { data } of chunks) if (!seen.includes(data)) seen.push(data)
      const without = chunks.filter(({ data }) => data !== seen[1])
      lost += chunks.length - without.length
      return without
    })
    const { alice, second } = await devices.twoDevices(30, { transport })
    await devices.agreed(alice, second)
    await devices.syncAll(second)
    expect(await second.history.own()).toMatchObject({ state: 'receiving', received: 23, total: 30 })
    await devices.syncAll(alice, second, alice, second)
    expect(lost).toBeGreaterThan(0)
    await expectDone(alice, second, 30)
  })

  it('that are all lost are looked for after an hour, and stored again', async () => {
    const { alice, second } = await devices.twoDevices(10)
    await devices.agreed(alice, second)
    await network.clear(alice.accountId, NAMESPACE.historyChunks, signerOf(accountOf(alice)))
    await devices.syncAll(second, alice, second)
    expect(await second.history.own()).toMatchObject({ state: 'asking', received: 0 })
    time.advance(HOUR_MS)
    await devices.syncAll(alice, second, alice, second)
    await expectDone(alice, second, 10)
  })
})

describe('chunks that lie long, or are large,', () => {
  it('are sealed anew when the device that asked has other keys by then (HT-18)', async () => {
    let isHidden = true
    const { alice, second } = await devices.twoDevices(10, { transport: listing(chunks => (isHidden ? [] : chunks)) })
    await devices.agreed(alice, second)
    const before = await inSwarm(alice, NAMESPACE.historyChunks)
    const deviceKeys = second.keys().deviceKeys.map(({ createdAtMs }) => createdAtMs)
    for (let day = 0; day < 4; day++) {
      time.advance(25 * HOUR_MS)
      await devices.syncAll(second, alice)
    }
    // The key that the chunks were sealed to is erased by now.
    expect(second.keys().deviceKeys.filter(({ createdAtMs }) => deviceKeys.includes(createdAtMs))).toEqual([])
    isHidden = false
    const after = await inSwarm(alice, NAMESPACE.historyChunks)
    expect(after).toHaveLength(before.length)
    expect(after).not.toContainEqual(before[0])
    await devices.syncAll(second, alice, second, alice, second)
    await expectDone(alice, second, 10)
  })

  it('carry a text that is too long for one of them in two', async () => {
    const [alice, bob] = [await devices.create('Alice'), await devices.create('Bob')]
    const body = 'long '.repeat(13_000)
    // Longer than what this library writes; others may.
    const short = textContent({ body: 'long', sentAtMs: time.nowMs(), messageId: random.bytes(8), displayName: 'Bob' })
    const content = encodeContent({ ...short, dataMessage: { ...short.dataMessage, body } })
    const sealed = sealMessageV2NoPfs(network.crypto, random, { sender: accountOf(bob), recipient: alice.accountId, content })
    await network.store(alice.accountId, sealed)
    await devices.write(alice, 8)
    await alice.sync()
    time.advance(15 * DAY_MS)
    const second = await devices.link(alice)
    await devices.agreed(alice, second)
    expect(await inSwarm(alice, NAMESPACE.historyChunks)).toHaveLength(4)
    await devices.syncAll(second, alice, second)
    expect((await second.messages({ with: bob.accountId }))[0]).toMatchObject({
      body,
      protocol: 'v2',
      pfs: false,
      handedOver: true,
    })
    await close(bob)
    await expectDone(alice, second, 9)
  })
})

describe('a network that is not there', () => {
  it('makes no sync fail for a hand-over, which goes on later', async () => {
    let down = false
    const transport = transportWith(async ({ text }, send) => {
      if (down && (text.includes(`"namespace":${NAMESPACE.history}`) || text.includes(`"namespace":${NAMESPACE.historyChunks}`)))
        throw new Error('lost')
      return send()
    })
    const { alice, second } = await devices.twoDevices(10, { transport })
    down = true
    const { requestId } = await second.history.ask()
    await devices.syncAll(alice, second)
    expect(await alice.history.requests()).toEqual([])
    down = false
    time.advance(HOUR_MS)
    await devices.syncAll(second, alice)
    await alice.history.agree(requestId)
    await devices.syncAll(second, alice, second)
    await expectDone(alice, second, 10)
  })
})

/** What such a one can seal to: the account key that is published. */
async function publishedKey(client: Client) {
  const [record] = await network.retrieve(client.accountId, NAMESPACE.accountKeys)
  return verifyAccountKeyRecord(network.crypto, client.accountId, record!)
}

describe('who has the recovery password and no device', () => {
  it('reads nothing of a hand-over: not who asks, nor a word of it (HT-20)', async () => {
    const { alice, second } = await devices.twoDevices(10)
    await devices.agreed(alice, second)
    const [controls, chunks] = [await inSwarm(alice, NAMESPACE.history), await inSwarm(alice, NAMESPACE.historyChunks)]
    expect([controls.length, chunks.length]).toEqual([1, 2])
    const { crypto } = network
    const thief = accountOf(alice)
    const guesses = [thief.seed.expose(), new Uint8Array(32)]
    const accountKeys = guesses.map(seed => accountKeyFromSeed(crypto, seed, 1000))
    const pairs = guesses.map(seed => expandKeyPair(crypto, 'SessionDeviceKeys', seed))
    for (const message of [...controls, ...chunks]) {
      expect(openHistoryControl(crypto, thief, accountKeys, message)).toEqual({ outcome: 'not-for-us' })
      expect(openHistoryChunk(crypto, thief, pairs, () => pairs[0]!.x25519.publicKey, message)).toEqual({ outcome: 'not-for-us' })
      const text = Buffer.from(message).toString('latin1')
      for (const id of [alice.account().deviceId, second.account().deviceId])
        expect(text).not.toContain(Buffer.from(id, 'hex').toString('latin1'))
    }
    await devices.syncAll(second, alice, second)
    await expectDone(alice, second, 10)
  })

  it('can ask in the name of a device, and only gives it its own history (HT-05, HT-13)', async () => {
    const { alice, second } = await devices.twoDevices(10)
    const thief = accountOf(alice)
    const requestId = historyRequestIdOf(random.bytes(16))
    const deviceId = parseDeviceId(second.account().deviceId)
    const ask = { requestId, deviceId, askedAtMs: time.nowMs() }
    const forged = sealHistoryAsk(network.crypto, random, thief, await publishedKey(alice), ask)
    await network.store(alice.accountId, forged, NAMESPACE.history, signerOf(thief))
    await devices.syncAll(alice)
    await alice.history.agree(requestId)
    expect(await inSwarm(alice, NAMESPACE.historyChunks)).toHaveLength(2)
    await devices.syncAll(second)
    expect(await inSwarm(alice, NAMESPACE.history)).toEqual([])
    expect(await second.messages()).toEqual([])
    expect(await second.history.own()).toBeUndefined()
    await devices.untilGone(alice)
    expect(await alice.history.requests()).toMatchObject([{ status: 'ended', end: 'cancelled', sent: 0 }])
    expect(await devices.left(alice)).toBe(0)
    await close(alice, second)
  })
})

describe('who has the recovery password and knows more', () => {
  it('cannot acknowledge for a device, also with the ID of the request (HT-06)', async () => {
    const { alice, second } = await devices.twoDevices(10)
    const requestId = historyRequestIdOf(Buffer.from(await devices.agreed(alice, second), 'hex'))
    const thief = accountOf(alice)
    const sender = parseDeviceId(alice.account().deviceId)
    const author = expandKeyPair(network.crypto, 'SessionDeviceKeys', random.bytes(32)).x25519
    const keys = { author, addressee: author.publicKey }
    const ack = { requestId, seqno: 1, sender, next: 2, missing: [] }
    const forged = sealHistoryAck(network.crypto, random, thief, await publishedKey(alice), keys, ack)
    await network.store(alice.accountId, forged, NAMESPACE.history, signerOf(thief))
    await devices.syncAll(alice)
    expect(await alice.history.requests()).toMatchObject([{ status: 'sending', sent: 0 }])
    await devices.syncAll(second, alice, second, alice)
    await expectDone(alice, second, 10)
  })

  it('can ask in the name of nobody else', async () => {
    const { alice, second } = await devices.twoDevices(1)
    const thief = accountOf(alice)
    const key = await publishedKey(alice)
    const said = { askedAtMs: time.nowMs(), requestId: historyRequestIdOf(random.bytes(16)) }
    const asks = [
      { ...said, deviceId: deviceIdOf(random.bytes(32)) },
      { ...said, deviceId: parseDeviceId(second.account().deviceId), askedAtMs: said.askedAtMs - 14 * DAY_MS },
    ]
    for (const ask of asks) {
      const forged = sealHistoryAsk(network.crypto, random, thief, key, ask)
      await network.store(alice.accountId, forged, NAMESPACE.history, signerOf(thief))
    }
    for (const junk of [encodeUtf8('junk'), encodeUtf8('d0:1:Ae')])
      await network.store(alice.accountId, junk, NAMESPACE.history, signerOf(thief))
    await devices.syncAll(alice)
    expect(await alice.history.requests()).toEqual([])
    expect(await eventTypes(alice)).not.toContain('history_requested')
    await close(alice, second)
  })
})

describe('a device that goes', () => {
  it('gets nothing any more once it is removed (HT-14, HT-19)', async () => {
    const { alice, second } = await devices.twoDevices(30)
    await devices.agreed(alice, second)
    await alice.devices.remove(second.account().deviceId)
    await devices.syncAll(alice)
    expect(await alice.history.requests()).toMatchObject([{ status: 'ended', end: 'stopped' }])
    expect(await inSwarm(alice, NAMESPACE.historyChunks)).toEqual([])
    await devices.syncAll(second, second)
    expect(await second.history.own()).toMatchObject({ state: 'ended', end: 'stopped' })
    expect(await second.messages()).toEqual([])
    expect(await devices.left(alice)).toBe(0)
    await close(alice, second)
  })

  it('leaves nothing when it had sent everything, and is removed before it learns that (HT-19)', async () => {
    const { alice, second } = await devices.twoDevices(10)
    const third = await devices.link(alice)
    await devices.syncAll(second)
    await devices.agreed(alice, second)
    await devices.syncAll(second)
    expect(await second.history.own()).toMatchObject({ state: 'done', received: 10 })
    expect([await inSwarm(alice, NAMESPACE.history), await inSwarm(alice, NAMESPACE.historyChunks)]).toMatchObject([[{}], []])
    await third.devices.remove(alice.account().deviceId)
    await devices.syncAll(third, second, second)
    expect(await devices.left(third)).toBe(0)
    await close(alice, second, third)
  })

  it('stops sending once it has left', async () => {
    const { alice, second } = await devices.twoDevices(30)
    await devices.agreed(alice, second)
    await alice.devices.leave()
    await devices.syncAll(alice)
    expect(await alice.history.requests()).toMatchObject([{ status: 'ended', end: 'stopped' }])
    await devices.syncAll(second, second)
    expect(await second.history.own()).toMatchObject({ state: 'asking' })
    await second.history.cancel()
    expect(await devices.left(second)).toBe(0)
    await close(alice, second)
  })
})
