import { openMemoryStore } from '@session-v2/client'
import { NAMESPACE } from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { faultyTransport, transportWith } from './faults.ts'
import { NetworkUnderTest, signerOf } from './network-under-test.ts'
import { bodies, newClient, reopen } from './people.ts'
import { HOUR_MS, SimulatedTime } from './simulated-time.ts'

let network: NetworkUnderTest
let time: SimulatedTime

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ nodes: 4, swarms: 2, clock: time })
})
afterAll(() => network.close())

const create = (name: string, ports: object = {}) => newClient(network, name, { clock: time, ...ports })

describe('the time of a message', () => {
  it('is later than that of every message before, in one millisecond, after a restart, and when the clock goes back', async () => {
    const store = openMemoryStore()
    const alice = await create('Alice', { store })
    const bob = await create('Bob')
    await Promise.all(['1', '2', '3'].map(text => alice.send(bob.accountId, text)))
    await alice.close()
    const again = await reopen(store, { clock: time })
    await again.send(bob.accountId, '4')
    await again.close()
    const back = await reopen(store, { clock: { nowMs: () => time.nowMs() - 1000 } })
    await back.send(bob.accountId, '5')
    const times = (await back.messages()).map(message => message.sentAtMs)
    expect(times).toHaveLength(5)
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b))
    await bob.sync()
    expect((await bob.messages()).map(message => message.sentAtMs)).toEqual(times)
    await Promise.all([back.close(), bob.close()])
  })
})

describe('the two copies of a message', () => {
  it('fare each by itself: one that waits does not hold up the other', async () => {
    const bob = await create('Bob')
    let lost = ''
    const transport = faultyTransport(({ method, text }) =>
      method === 'store' && lost !== '' && text.includes(lost) ? 'request-lost' : 'none',
    )
    const carol = await create('Carol', { transport })
    lost = carol.accountId
    expect((await carol.send(bob.accountId, 'only to Bob')).state).toBe('stored')
    lost = bob.accountId
    expect((await carol.send(bob.accountId, 'only to myself')).state).toBe('queued')
    const owner = signerOf(network.account(carol.recoveryPassword()))
    expect(await network.retrieve(carol.accountId, NAMESPACE.messages, owner)).toHaveLength(2)
    expect((await carol.sync()).pushed).toBe(0)
    lost = ''
    expect((await carol.sync()).pushed).toBe(1)
    await bob.sync()
    expect(await bodies(bob)).toEqual(['only to Bob', 'only to myself'])
    await Promise.all([carol.close(), bob.close()])
  })

  it('are two stores and no more, however many messages wait', async () => {
    const stores: string[] = []
    let down = false
    const transport = transportWith(async ({ method, text }, send) => {
      if (down) throw new Error('down')
      if (method === 'store') stores.push(text)
      return send()
    })
    const [alice, bob] = [await create('Alice', { transport }), await create('Bob')]
    stores.length = 0
    down = true
    for (const text of ['a', 'b', 'c']) expect((await alice.send(bob.accountId, text)).state).toBe('queued')
    down = false
    expect((await alice.sync()).pushed).toBe(6)
    expect(stores).toHaveLength(6)
    await bob.sync()
    expect(await bodies(bob)).toEqual(['a', 'b', 'c'])
    await Promise.all([alice.close(), bob.close()])
  })
})

describe('a message that waits', () => {
  it('goes out by itself when the network is back, after pauses', async () => {
    let down = false
    let attempts = 0
    // No poll succeeds, so that none takes the message along.
    const transport = faultyTransport(({ method }) => {
      if (method === 'batch') return 'request-lost'
      if (down) attempts++
      return down ? 'request-lost' : 'none'
    })
    const alice = await create('Alice', { transport, timers: time })
    const bob = await create('Bob')
    alice.start()
    down = true
    const sending = alice.send(bob.accountId, 'at last')
    const pulse = setInterval(() => time.advance(2000), 5)
    expect((await sending).state).toBe('queued')
    const before = attempts
    while (attempts === before) await new Promise(resolve => setTimeout(resolve, 5))
    const stream = alice.events()
    down = false
    for await (const event of stream) if (event.type === 'message_state_changed') break
    clearInterval(pulse)
    await bob.sync()
    expect(await bodies(bob)).toEqual(['at last'])
    await Promise.all([alice.close(), bob.close()])
  })

  it('for one recipient does not hold up another', async () => {
    const [bob, carol] = [await create('Bob'), await create('Carol')]
    const transport = faultyTransport(({ text }) => (text.includes(bob.accountId) ? 'request-lost' : 'none'))
    const alice = await create('Alice', { transport })
    expect((await alice.send(bob.accountId, 'waits')).state).toBe('queued')
    expect((await alice.send(carol.accountId, 'goes')).state).toBe('stored')
    time.advance(HOUR_MS)
    await alice.sync()
    expect((await alice.messages()).map(({ body, state }) => `${body} ${state}`)).toEqual(['waits queued', 'goes stored'])
    await Promise.all([alice, bob, carol].map(client => client.close()))
  })
})
