/** monitor: floods, garbage, readers that do not read, and everything else that a client may do to the node. */
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { encodeMonitor, MONITOR_ERROR, MONITOR_MAX_REQUESTS, SUBACCOUNT_RIGHT } from '@session-v2/network'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { answerMessage } from '../src/monitor/subscribe.ts'
import { FRAME_MAX_BYTES, PARTS_TOTAL_MAX_BYTES, type Subscriber } from '../src/monitor/subscribers.ts'
import { SUBSCRIPTIONS_PER_CONNECTION, SubscriptionTable } from '../src/monitor/subscription-table.ts'
import { systemTimers } from '../src/ports.ts'
import { MonitorNode, newAccount, newSubaccount } from './monitor-node.ts'

const RUNS = Number(process.env.FUZZ_RUNS ?? 60)
let node: MonitorNode

beforeEach(async () => {
  node = await MonitorNode.start()
})
afterEach(() => node.close())

describe('a frame of a hostile client', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', 'hello'],
    ['null', 'null'],
    ['a number', '7'],
    ['an empty list', '[]'],
    ['a list of numbers', '[1]'],
    ['a list in a list', '[[]]'],
    ['JSON that nests', '['.repeat(200_000)],
    ['a method of HTTP', '{"method":"monitor","params":{}}'],
    ['a prototype', '{"__proto__":{"p":"05"}}'],
    ['no bt', Buffer.from('d1:')],
    ['bt with more behind it', Buffer.from('dede')],
    ['bt out of order', Buffer.from('d1:ti1e1:sle1:p0:e')],
    ['an empty list of bt', Buffer.from('le')],
    ['bt that nests', Buffer.from('l'.repeat(200_000))],
    ['an integer of bt', Buffer.from('i1e')],
    ['bytes', Buffer.from([0xff, 0, 0xfe])],
    ['a list that is too long', Buffer.from(`l${'de'.repeat(MONITOR_MAX_REQUESTS + 1)}e`)],
  ])('answers a frame of %s with 1, and the connection stays', async (_, frame) => {
    const client = await node.connect()
    const { value, form } = await client.ask(frame)
    expect(value).toEqual({ errcode: MONITOR_ERROR.badArguments, error: expect.any(String) })
    expect(form).toBe(typeof frame === 'string' ? 'json' : 'bt')
    expect(await client.subscribe(node.subscription(newAccount(node.crypto)))).toEqual({ success: 1 })
    await client.close()
  })

  it('answers whatever bytes come, and changed requests', async () => {
    const client = await node.connect()
    const request = encodeMonitor(node.subscription(newAccount(node.crypto)), 'bt')
    const changed = fc.tuple(fc.nat(request.length - 1), fc.nat(255)).map(([at, byte]) => {
      const bytes = request.slice()
      bytes[at] = byte
      return bytes
    })
    const frame = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string(), fc.json(), changed)
    await fc.assert(
      fc.asyncProperty(frame, async bytes => {
        const { message } = await client.ask(bytes)
        expect(message.kind).toBe('reply')
      }),
      { numRuns: RUNS },
    )
    expect(client.received).toEqual([])
    await client.close()
  })

  it('answers what comes at once in order', async () => {
    const client = await node.connect()
    for (let i = 0; i < 200; i++) client.send(i % 2 === 0 ? '{}' : Buffer.from('de'))
    const forms: string[] = []
    for (let i = 0; i < 200; i++) forms.push((await client.next()).form)
    expect(forms).toEqual(Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 'json' : 'bt')))
    await client.close()
  })
})

describe('a message that is too long, or too many, NODE-152', () => {
  it.each([
    ['at once', [FRAME_MAX_BYTES + 1]],
    ['in parts', Array.from({ length: 9 }, () => FRAME_MAX_BYTES / 8)],
  ])('closes with 1009 at a message that is too long, %s', async (_, parts) => {
    const client = await node.connect()
    for (const [i, size] of parts.entries()) client.socket.send(Buffer.alloc(size), { fin: i === parts.length - 1 })
    expect((await client.closed).code).toBe(1009)
    await expect.poll(() => node.metric('monitor_connections'), { timeout: 10_000 }).toBe(0)
  })

  it('closes what is no frame, and serves on', async () => {
    const client = await node.connect()
    const raw = (client.socket as unknown as { _socket: Duplex })._socket
    raw.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
    await client.closed
    const other = await node.subscriber(newAccount(node.crypto))
    expect(await other.settle()).toEqual([])
    await other.close()
  })

  it('keeps 1,000 subscriptions of a connection, and not one more', async () => {
    const accounts = Array.from({ length: SUBSCRIPTIONS_PER_CONNECTION + 1 }, () => newAccount(node.crypto, '03'))
    const requests = accounts.map(account => node.subscription(account))
    const client = await node.connect()
    const taken = (await client.subscribe(requests.slice(0, -1), 'bt')) as object[]
    expect(taken).toHaveLength(SUBSCRIPTIONS_PER_CONNECTION)
    expect(taken.every(reply => 'success' in reply)).toBe(true)
    expect((await client.subscribe(requests.at(-1)!)).errcode).toBe(MONITOR_ERROR.badArguments)
    expect(await client.subscribe(requests[0]!)).toEqual({ success: 1 })
    expect(await node.metric('monitor_subscriptions')).toBe(SUBSCRIPTIONS_PER_CONNECTION)
    await client.close()
  })

  it('has room in a message for the longest list that it takes', () => {
    const owner = newAccount(node.crypto, '03')
    const member = node.subscription(newSubaccount(node.crypto, owner, 1))
    const list = Array.from({ length: MONITOR_MAX_REQUESTS }, () => member)
    expect(encodeMonitor(list, 'json').length).toBeLessThan(FRAME_MAX_BYTES)
  })
})

describe('a subscriber that does not do its part, NODE-158', () => {
  it('drops a reader for which too much waits, and tells the others', async () => {
    const account = newAccount(node.crypto)
    const [slow, good] = [await node.subscriber(account, { wantData: true }), await node.subscriber(account)]
    slow.socket.pause()
    let stored = 0
    while ((await node.metric('monitor_dropped_total')) === 0 && stored < 400) {
      await node.store(account, Buffer.alloc(76_000, stored++))
    }
    expect(await node.metric('monitor_dropped_total')).toBe(1)
    expect(await node.metric('monitor_connections')).toBe(1)
    expect(await good.settle()).toHaveLength(stored)
    slow.socket.resume()
    expect((await slow.closed).code).toBe(1006)
    expect(slow.received.length).toBeLessThan(stored)
    await good.close()
  })

  it('drops who does not answer a ping, and keeps who does', async () => {
    const good = await node.subscriber(newAccount(node.crypto))
    const silent = new WebSocket(node.url, { autoPong: false })
    await new Promise(resolve => silent.once('open', resolve))
    const pinged = new Promise(resolve => silent.once('ping', resolve))
    const dropped = new Promise(resolve => silent.once('close', resolve))
    const heard = new Promise(resolve => good.socket.once('ping', resolve))
    node.timers.beat()
    await Promise.all([pinged, heard])
    await good.settle()
    node.timers.beat()
    expect(await dropped).toBe(1006)
    expect(await good.settle()).toEqual([])
    await good.close()
  })

  it('closes a connection that has no subscription for a minute', async () => {
    const [idle, good] = [await node.connect(), await node.subscriber(newAccount(node.crypto))]
    for (let i = 0; i < 3; i++) {
      expect(idle.socket.readyState).toBe(WebSocket.OPEN)
      await Promise.all([idle.settle(), good.settle()])
      node.timers.beat()
    }
    expect(await idle.closed).toEqual({ code: 1000, reason: 'no subscription' })
    expect(await good.settle()).toEqual([])
    await good.close()
  })
})

describe('a subscriber that has gone, or whose node goes', () => {
  it('is not subscribed when it has gone meanwhile', async () => {
    const table = new SubscriptionTable<Subscriber>()
    const parts = { ...node.operated, node: node.services, table, timers: systemTimers, isTooDeep: () => false }
    const gone = { address: 'a', isOpen: false } as Subscriber
    const owner = newAccount(node.crypto, '03')
    for (const signer of [owner, newSubaccount(node.crypto, owner, SUBACCOUNT_RIGHT.read)]) {
      await answerMessage(parts, gone, encodeMonitor(node.subscription(signer), 'bt'), true)
    }
    expect(table.size).toBe(0)
    const here = { address: 'a', isOpen: true } as Subscriber
    await answerMessage(parts, here, encodeMonitor(node.subscription(owner), 'bt'), true)
    expect(table.size).toBe(1)
  })

  it('forgets what has expired at a beat', async () => {
    const client = await node.subscriber(newAccount(node.crypto))
    node.clock.ms += 3_900_000
    node.timers.beat()
    expect(await node.metric('monitor_subscriptions')).toBe(0)
    await client.close()
  })

  it('closes all connections with 1001 when it shuts down', async () => {
    const other = await MonitorNode.start()
    const clients = await Promise.all([other.connect(), other.subscriber(newAccount(other.crypto))])
    await other.close()
    for (const client of clients) expect(await client.closed).toEqual({ code: 1001, reason: 'shutting down' })
  })
})

describe('messages that never end, NODE-156', () => {
  it('drops the longest of messages that never end when there are too many', async () => {
    const head = `GET /monitor/v1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`
    // A masked binary frame of the largest size, of which the last byte does not come.
    const frame = Buffer.concat([
      Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 8, 0, 0, 1, 2, 3, 4]),
      Buffer.alloc(FRAME_MAX_BYTES - 1),
    ])
    const port = Number(new URL(node.url).port)
    const sockets = Array.from({ length: PARTS_TOTAL_MAX_BYTES / FRAME_MAX_BYTES + 2 }, () => connect(port, '127.0.0.1'))
    for (const socket of sockets) {
      socket.on('error', () => {})
      socket.write(head)
      socket.once('data', () => socket.write(frame))
    }
    await expect.poll(() => node.metric('monitor_dropped_total'), { timeout: 20_000 }).toBeGreaterThan(0)
    const client = await node.connect()
    expect(await client.settle()).toEqual([])
    await client.close()
    for (const socket of sockets) socket.destroy()
  })
})
