/** Handing history over: three devices, a real network, messages that its swarms have long dropped (HT-12 to HT-19). */
import type { Client } from '@session-v2/client'
import { NAMESPACE } from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { transportWith } from './faults.ts'
import { HistoryDevices, historyOf } from './history-devices.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { codeOf, eventsOf } from './people.ts'
import { DAY_MS, SimulatedTime } from './simulated-time.ts'

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
const ofHistory = async (client: Client) => (await eventsOf(client)).filter(({ type }) => type.startsWith('history_'))

describe('a hand-over', () => {
  it('brings 300 messages that the swarm dropped, once, as they were, and leaves nothing there', async () => {
    const [alice, bob] = [await devices.create('Alice'), await devices.create('Bob')]
    for (let i = 0; i < 150; i++) {
      time.advance(1000)
      await bob.send(alice.accountId, `to Alice ${i} ${'ä'.repeat(1900)}`)
      await alice.send(bob.accountId, `to Bob ${i} ${'ö'.repeat(1900)}`)
    }
    await devices.syncAll(alice)
    await alice.openConversation(bob.accountId)
    time.advance(15 * DAY_MS)
    const second = await devices.link(alice)
    const third = await devices.link(alice)
    await bob.send(alice.accountId, 'after the linking')
    await devices.syncAll(alice, second, third, second)
    expect(await second.messages()).toHaveLength(1)

    const asked = await second.history.ask()
    expect(asked).toMatchObject({ state: 'asking', received: 0, total: undefined, from: undefined })
    await devices.syncAll(alice, third)
    const { deviceId } = second.account()
    for (const client of [alice, third])
      expect(await client.history.requests()).toMatchObject([{ requestId: asked.requestId, deviceId, status: 'open' }])
    await alice.history.agree(asked.requestId)
    for (let round = 0; round < 4; round++) await devices.syncAll(second, alice, third)

    expect(await second.history.own()).toMatchObject({ state: 'done', end: 'complete', received: 301, total: 301 })
    const asSent = async (client: Client) => (await historyOf(client)).slice(0, 300)
    expect(await historyOf(second)).toHaveLength(301)
    expect(await asSent(second)).toEqual(await asSent(alice))
    const handed = (await second.messages()).filter(({ handedOver }) => handedOver)
    expect(handed).toHaveLength(300)
    expect(await second.conversations()).toMatchObject([
      { name: 'Bob', messages: 301, unread: 1, last: { body: 'after the linking' } },
    ])
    expect(await alice.history.requests()).toMatchObject([{ status: 'done', sent: 301, total: 301 }])
    expect(await third.history.requests()).toMatchObject([{ status: 'ended', end: 'elsewhere' }])
    expect(await devices.left(alice)).toBe(0)
    expect((await ofHistory(second)).at(-1)).toMatchObject({ type: 'history_done', direction: 'received', how: 'complete' })
    expect((await ofHistory(alice)).map(({ type }) => type)).toContain('history_progress')
    expect((await ofHistory(third))[0]).toMatchObject({ type: 'history_requested', requestId: asked.requestId, deviceId })
    await close(alice, bob, second, third)
  }, 240_000)
})

describe('asking and answering', () => {
  it('is for members that are not alone (HT-12)', async () => {
    const alice = await devices.create('Alice')
    expect(await codeOf(alice.history.ask())).toBe('unknown-device')
    await alice.devices.leave()
    expect(await codeOf(alice.history.ask())).toBe('not-in-group')
    expect(await codeOf(alice.history.ask({ sinceMs: 0.5 }))).toBe('bad-message')
    expect(await codeOf(alice.history.cancel())).toBe('unknown-request')
    expect(await codeOf(alice.history.agree('00'.repeat(16)))).toBe('unknown-request')
    await close(alice)
  })

  it('is done once at a time, and a no can become a yes', async () => {
    const { alice, second } = await devices.twoDevices(1)
    const asked = await second.history.ask()
    expect(await second.history.ask()).toEqual(asked)
    await devices.syncAll(alice)
    await alice.history.refuse(asked.requestId)
    expect(await alice.history.requests()).toMatchObject([{ status: 'refused' }])
    await devices.syncAll(alice, second, alice)
    expect(await second.history.own()).toMatchObject({ state: 'asking' })
    await alice.history.agree(asked.requestId.toUpperCase())
    await devices.syncAll(second, alice, second)
    expect(await second.history.own()).toMatchObject({ state: 'done', received: 1, total: 1 })
    expect(await codeOf(alice.history.agree(asked.requestId))).toBe('unknown-request')
    expect(await devices.left(alice)).toBe(0)
    const again = await second.history.ask()
    expect(again.requestId).not.toBe(asked.requestId)
    await devices.syncAll(alice)
    await alice.history.agree(again.requestId)
    await devices.syncAll(second, alice, second)
    expect(await second.history.own()).toMatchObject({ state: 'done', received: 1 })
    expect(await second.messages()).toHaveLength(1)
    await close(alice, second)
  })

  it('of an account without messages is done at once, and with a time only what is newer comes', async () => {
    const { alice, second } = await devices.twoDevices(0)
    await devices.handOver(alice, second)
    expect(await second.history.own()).toMatchObject({ state: 'done', received: 0, total: 0 })
    await devices.write(alice, 2)
    time.advance(1)
    const sinceMs = time.nowMs()
    await devices.write(alice, 3)
    time.advance(15 * DAY_MS)
    const third = await devices.link(alice)
    await devices.handOver(alice, third, { sinceMs })
    expect(await third.history.own()).toMatchObject({ state: 'done', received: 3, total: 3 })
    expect(await third.messages()).toHaveLength(3)
    await close(alice, second, third)
  })
})

describe('a request', () => {
  it('of each of two devices goes on beside that of the other', async () => {
    const { alice, second } = await devices.twoDevices(10)
    await devices.write(second, 3)
    time.advance(15 * DAY_MS)
    await devices.syncAll(alice, second)
    const [first, other] = [await alice.history.ask(), await second.history.ask()]
    await devices.syncAll(alice, second)
    await alice.history.agree(other.requestId)
    await second.history.agree(first.requestId)
    for (let round = 0; round < 3; round++) await devices.syncAll(alice, second)
    for (const client of [alice, second]) {
      expect(await client.history.own()).toMatchObject({ state: 'done' })
      expect(await client.history.requests()).toMatchObject([{ status: 'done' }])
      expect(await client.messages()).toHaveLength(13)
    }
    expect(await devices.left(alice)).toBe(0)
    await close(alice, second)
  })

  it('that nobody answers is looked after less and less', async () => {
    let looks = 0
    const transport = transportWith(({ text }, send) => {
      if (text.includes(`"namespace":${NAMESPACE.history}`)) looks++
      return send()
    })
    const { alice, second } = await devices.twoDevices(0, { transport })
    await second.history.ask()
    looks = 0
    for (let round = 0; round < 60; round++) {
      time.advance(20_000)
      await second.sync()
    }
    expect(looks).toBeGreaterThan(20)
    expect(looks).toBeLessThan(35)
    await close(alice, second)
  })
})

describe('the end of a request', () => {
  it('is there when it is taken back: what was received stays, and the sender stops (HT-19)', async () => {
    const { alice, second } = await devices.twoDevices(20)
    const { requestId } = await second.history.ask()
    await devices.syncAll(alice)
    await alice.history.agree(requestId)
    expect(await devices.left(alice)).toBe(4)
    await second.history.cancel()
    expect(await second.history.own()).toMatchObject({ state: 'ended', end: 'cancelled' })
    await devices.untilGone(alice)
    expect(await alice.history.requests()).toMatchObject([{ status: 'ended', end: 'cancelled' }])
    expect(await devices.left(alice)).toBe(0)
    await close(alice, second)
  })

  it('comes after 14 days without an answer', async () => {
    const { alice, second } = await devices.twoDevices(1)
    await second.history.ask()
    await devices.syncAll(alice)
    time.advance(14 * DAY_MS)
    await devices.syncAll(alice, second, alice, alice, alice)
    expect(await second.history.own()).toMatchObject({ state: 'ended', end: 'expired' })
    expect(await alice.history.requests()).toMatchObject([{ status: 'ended', end: 'expired' }])
    await close(alice, second)
  })

  it('comes for all but one of several devices that agree: one sends, the others stop (HT-15)', async () => {
    const { alice, second } = await devices.twoDevices(20)
    const third = await devices.link(alice)
    await devices.handOver(alice, third)
    const { requestId } = await second.history.ask()
    await devices.syncAll(alice, third)
    await alice.history.agree(requestId)
    await third.history.agree(requestId)
    expect(await devices.left(alice)).toBe(7)
    await second.sync()
    // Of all this the acknowledgement, which is for one of the two.
    expect(await devices.left(alice)).toBe(1)
    await devices.syncAll(alice, third, second)
    expect(await second.history.own()).toMatchObject({ state: 'done', received: 20, total: 20 })
    expect(await second.messages()).toHaveLength(20)
    await devices.untilGone(alice, third)
    const views = [...(await alice.history.requests()), ...(await third.history.requests())]
    const answers = views.filter(view => view.requestId === requestId)
    expect(answers.map(({ status }) => status).sort()).toEqual(['done', 'ended'])
    expect(await devices.left(alice)).toBe(0)
    await close(alice, second, third)
  })
})
