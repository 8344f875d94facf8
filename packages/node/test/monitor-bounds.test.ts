import { Duplex } from 'node:stream'
import { encodeUtf8 } from '@session-v2/encoding'
import { MONITOR_ERROR } from '@session-v2/network'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LIMITS_WITHOUT_RATES } from '../src/config/limits-config.ts'
import {
  CONNECTIONS_MAX,
  type Subscriber,
  Subscribers,
  WAITING_MAX_BYTES,
  WAITING_TOTAL_MAX_BYTES,
} from '../src/monitor/subscribers.ts'
import {
  SUBSCRIPTIONS_MAX,
  SUBSCRIPTIONS_PER_ACCOUNT,
  SUBSCRIPTIONS_PER_ADDRESS,
  SubscriptionTable,
} from '../src/monitor/subscription-table.ts'
import { systemTimers } from '../src/ports.ts'
import { ManualClock } from './manual-clock.ts'
import { MonitorNode, newAccount } from './monitor-node.ts'

const RUNS = Number(process.env.FUZZ_RUNS ?? 60)
const POLL = { timeout: 10_000 }
let node: MonitorNode

describe('a node with rates', () => {
  const limits = { address: { burst: 12, perSecond: 1 }, account: { burst: 2, perSecond: 1 } }

  beforeEach(async () => {
    node = await MonitorNode.start({ limits: { ...LIMITS_WITHOUT_RATES, ...limits, tracked: 100 }, monotonic: new ManualClock() })
  })
  afterEach(() => node.close())

  it('closes a connection that floods it', async () => {
    const client = await node.connect()
    for (let i = 0; i < 40; i++) client.send('{}')
    expect((await client.closed).code).toBe(1013)
    expect(client.received).toHaveLength(11)
    await expect(node.connect()).rejects.toThrow('429')
  })

  it('refuses a list for which there are no tokens, and keeps the connection', async () => {
    const client = await node.connect()
    const list = Array.from({ length: 13 }, () => node.subscription(newAccount(node.crypto)))
    const replies = (await client.subscribe(list)) as { error: string }[]
    expect(replies).toHaveLength(13)
    for (const { error } of replies) expect(error).toBe('Too many requests, try again later')
    expect(await node.metric('monitor_subscriptions')).toBe(0)
    expect((await client.ask('{}')).message.kind).toBe('reply')
    await client.close()
  })

  it('counts what is signed by the owner against the account, and what is refused against nobody but the address', async () => {
    const account = newAccount(node.crypto)
    const client = await node.connect()
    const request = node.subscription(account)
    const forged = { ...request, signed: { ...request.signed, signature: new Uint8Array(64) } }
    const old = { ...forged, timestampS: 0 }
    for (let i = 0; i < 3; i++) {
      expect((await client.subscribe(forged)).errcode).toBe(MONITOR_ERROR.badSignature)
      expect((await client.subscribe(old)).errcode).toBe(MONITOR_ERROR.badTimestamp)
    }
    for (let i = 0; i < 2; i++) expect(await client.subscribe(request)).toEqual({ success: 1 })
    expect((await client.subscribe(request)).error).toBe('Too many requests, try again later')
    await client.close()
  })
})

/** A connection of which nothing is ever read, by a client that shook hands. */
function stuckConnection(subscribers: Subscribers, stream = new Duplex({ read() {}, write() {}, writev() {} })): Subscriber {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-version': '13',
  }
  const request = { method: 'GET', url: '/', headers } as unknown as Parameters<Subscribers['accept']>[0]
  return subscribers.accept(request, stream, Buffer.alloc(0), 'a')!
}

function open() {
  const gone: Subscriber[] = []
  const parts = { receive: async () => {}, beat: () => {}, isSubscribed: () => true, timers: systemTimers }
  return { gone, subscribers: new Subscribers({ ...parts, gone: subscriber => void gone.push(subscriber) }) }
}

describe('what waits for readers, NODE-156', () => {
  it('is at most 1 MiB of one', () => {
    const { subscribers, gone } = open()
    const reader = stuckConnection(subscribers)
    subscribers.send(reader, 'x'.repeat(WAITING_MAX_BYTES - 1000))
    expect(gone).toEqual([])
    subscribers.send(reader, 'x'.repeat(1000))
    expect(gone).toEqual([reader])
    expect(subscribers.size).toBe(0)
    subscribers.send(reader, 'to nobody')
    expect(subscribers.dropped).toBe(1)
  })

  it('is at most 64 MiB of all: the one for which most waits goes', async () => {
    const { subscribers, gone } = open()
    const [size, most] = [WAITING_MAX_BYTES - 10_000, 'x'.repeat(WAITING_MAX_BYTES - 5_000)]
    const text = 'x'.repeat(size)
    const readers = Array.from({ length: WAITING_TOTAL_MAX_BYTES / WAITING_MAX_BYTES }, () => stuckConnection(subscribers))
    for (const [i, reader] of readers.entries()) subscribers.send(reader, i === 7 ? most : text)
    expect(gone).toEqual([])
    const last = stuckConnection(subscribers)
    subscribers.send(last, text)
    expect(gone).toEqual([readers[7]])
    await subscribers.close()
    expect(subscribers.size).toBe(0)
  })
})

describe('what subscribers send', () => {
  it('is not added to while an answer is due: nothing more is read', async () => {
    const answers: (() => void)[] = []
    const subscribers = new Subscribers({
      receive: () => new Promise(resolve => answers.push(resolve)),
      gone: () => {},
      beat: () => {},
      isSubscribed: () => true,
      timers: systemTimers,
    })
    const stream = new Duplex({ read() {}, write() {}, writev() {} })
    stuckConnection(subscribers, stream)
    const frame = Buffer.from([0x81, 0x80, 0, 0, 0, 0])
    stream.push(Buffer.concat([frame, frame]))
    await expect.poll(() => stream.isPaused(), POLL).toBe(true)
    answers.shift()!()
    await expect.poll(() => answers.length, POLL).toBe(1)
    expect(stream.isPaused()).toBe(true)
    answers.shift()!()
    await expect.poll(() => stream.isPaused(), POLL).toBe(false)
    await subscribers.close()
  })

  it('counts of what arrives only what is not complete', async () => {
    const { subscribers } = open()
    const stream = new Duplex({ read() {}, write() {}, writev() {} })
    const subscriber = stuckConnection(subscribers, stream)
    const message = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d])
    const [ping, pong] = [0x89, 0x8a].map(code => Buffer.from([code, 0x83, 0, 0, 0, 0, 1, 2, 3]))
    const first = Buffer.from([0x01, 0x84, 0, 0, 0, 0, 1, 2, 3, 4])
    for (const [bytes, left] of [
      [message, 0],
      [ping, 0],
      [first, first.length],
      [pong, first.length],
      [Buffer.from([0x80, 0x84, 0]), first.length + 3],
    ] as const) {
      stream.push(bytes)
      await expect.poll(() => [stream.readableLength, subscriber.partBytes], POLL).toEqual([0, left])
    }
    await subscribers.close()
  })

  it('is of 10,000 connections at most', () => {
    const { subscribers } = open()
    for (let i = 1; i < CONNECTIONS_MAX; i++) stuckConnection(subscribers)
    expect(subscribers.isFull).toBe(false)
    stuckConnection(subscribers)
    expect(subscribers.isFull).toBe(true)
  })
})

const held = (account: Uint8Array, expiresAtMs = 1000) =>
  ({ account, namespaces: [], wantData: false, expiresAtMs, token: undefined, form: 'json' }) as const
const accountOf = (i: number) => encodeUtf8(String(i).padStart(33, '0'))

describe('the table of subscriptions, NODE-153', () => {
  it('bounds what one address has over all its connections', () => {
    const table = new SubscriptionTable<{ address: string }>()
    const connections = Array.from({ length: 12 }, () => ({ address: 'a' }))
    let taken = 0
    for (const [i, connection] of connections.entries()) {
      for (let j = 0; j < 1000; j++) if (table.put(connection, held(accountOf(i * 1000 + j)))) taken++
    }
    expect(taken).toBe(SUBSCRIPTIONS_PER_ADDRESS)
    expect(table.put({ address: 'b' }, held(accountOf(0)))).toBe(true)
    table.removeAll(connections[0]!)
    expect(table.size).toBe(SUBSCRIPTIONS_PER_ADDRESS - 999)
    expect(table.put(connections[11]!, held(accountOf(0)))).toBe(true)
  })

  it('bounds what one account has, and the node', () => {
    const table = new SubscriptionTable<{ address: string }>()
    for (let i = 0; i < SUBSCRIPTIONS_PER_ACCOUNT; i++) {
      expect(table.put({ address: String(i) }, held(accountOf(0)))).toBe(true)
    }
    const one = { address: 'more' }
    expect(table.put(one, held(accountOf(0)))).toBe(false)
    expect(table.countOf(one)).toBe(0)
    for (let i = SUBSCRIPTIONS_PER_ACCOUNT; i < SUBSCRIPTIONS_MAX; i++) table.put({ address: String(i) }, held(accountOf(i)))
    expect(table.size).toBe(SUBSCRIPTIONS_MAX)
    expect(table.put(one, held(accountOf(SUBSCRIPTIONS_MAX)))).toBe(false)
    table.removeExpired(999)
    expect(table.size).toBe(SUBSCRIPTIONS_MAX)
    table.removeExpired(1000)
    expect([table.size, table.accounts().length]).toEqual([0, 0])
    expect(table.put(one, held(accountOf(0)))).toBe(true)
  })
})

describe('the table of subscriptions', () => {
  it('holds what was put and not removed, one for each account and subscriber', () => {
    const names = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), name: names, i: fc.nat(3), expiresAtMs: fc.nat(3) }),
      fc.record({ kind: fc.constant('remove' as const), name: names, i: fc.nat(3) }),
      fc.record({ kind: fc.constant('removeAll' as const), name: names }),
      fc.record({ kind: fc.constant('expire' as const), nowMs: fc.nat(3) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        const table = new SubscriptionTable<{ address: string }>()
        const subscribers = { a: { address: 'x' }, b: { address: 'x' }, c: { address: 'y' } }
        const model = new Map<string, number>()
        for (const each of steps) {
          if (each.kind === 'put') {
            table.put(subscribers[each.name], held(accountOf(each.i), each.expiresAtMs))
            model.set(each.name + each.i, each.expiresAtMs)
          } else if (each.kind === 'remove') {
            table.remove(subscribers[each.name], accountOf(each.i))
            model.delete(each.name + each.i)
          } else if (each.kind === 'removeAll') {
            table.removeAll(subscribers[each.name])
            for (let i = 0; i < 4; i++) model.delete(each.name + i)
          } else {
            table.removeExpired(each.nowMs)
            for (const [key, expiresAtMs] of [...model]) if (expiresAtMs <= each.nowMs) model.delete(key)
          }
        }
        expect(table.size).toBe(model.size)
        for (const [key, expiresAtMs] of model) {
          const subscriber = subscribers[key[0] as 'a']
          expect(table.of(accountOf(Number(key[1]))).get(subscriber)?.expiresAtMs).toBe(expiresAtMs)
        }
        expect(new Set(table.accounts().map(String)).size).toBe(new Set([...model.keys()].map(key => key[1])).size)
      }),
      { numRuns: RUNS },
    )
  })
})
