/** What a relay holds at once: requests under way, replies in memory, and what becomes of hops that misbehave. */
import { createServer, type Socket } from 'node:net'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'
import { ONION_REPLY_MAX_BYTES, ONION_REQUEST_PATH, type ServiceNode, sealOnion } from '@session-v2/network'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { DEFAULT_ONION, type OnionConfig } from '../src/config/onion-config.ts'
import { identityFromSeed } from '../src/identity.ts'
import { NodeMetrics } from '../src/operations/metrics.ts'
import { type Clock, monotonicClock, systemTimers, type Timers } from '../src/ports.ts'
import { type Flight, Flights, PATIENCE_MS, SHORT_REPLY_BYTES } from '../src/relay/flights.ts'
import { OnionRelay } from '../src/relay/onion-relay.ts'
import { ManualClock } from './manual-clock.ts'
import { listed, type Stranger, stranger } from './onion-network.ts'

const NO_TIMERS: Timers = { after: () => () => {}, soon: () => {} }
const UNLIMITED = { total: 1000, perTarget: 1000, replyBytes: 1e9 }

/** A flight that lasts until it is told to end or is stopped; what it came to. */
function fly(flights: Flights, target: string) {
  let end = (): void => {}
  let flight: Flight | undefined
  const outcome = flights.run(
    target,
    1000,
    running =>
      new Promise<string>(resolve => {
        flight = running
        end = () => resolve('done')
        running.onStop(() => resolve(running.stopReason!))
      }),
  )
  return { outcome, end: () => end(), flight: () => flight! }
}

describe('requests under way (ON-74)', () => {
  it('are bounded in all and by target, and a place is free again when one ends', async () => {
    const flights = new Flights({ ...UNLIMITED, total: 3, perTarget: 2 }, new ManualClock(), NO_TIMERS)
    const first = fly(flights, 'a')
    fly(flights, 'a')
    expect(await fly(flights, 'a').outcome).toBe(undefined)
    fly(flights, 'b')
    expect(await fly(flights, 'c').outcome).toBe(undefined)
    expect(flights.underWay).toBe(3)
    first.end()
    expect([await first.outcome, flights.underWay]).toEqual(['done', 2])
    fly(flights, 'a')
    expect(flights.underWay).toBe(3)
  })
  it('give way to a new one when they wait for long, the oldest first, of the target that is full', async () => {
    const clock = new ManualClock()
    const flights = new Flights({ ...UNLIMITED, total: 3, perTarget: 2 }, clock, NO_TIMERS)
    const [oldest, second, third] = [fly(flights, 'b'), fly(flights, 'a'), fly(flights, 'a')]
    clock.ms += PATIENCE_MS
    expect(await fly(flights, 'a').outcome).toBe(undefined)
    clock.ms += 1
    const fourth = fly(flights, 'a')
    expect(await second.outcome).toBe('displaced')
    fly(flights, 'c')
    expect(await oldest.outcome).toBe('displaced')
    expect(flights.underWay).toBe(3)
    for (const each of [third, fourth]) {
      each.end()
      expect(await each.outcome).toBe('done')
    }
  })
})

describe('requests under way, in the end (ON-74)', () => {
  it('end with their time, and when the node closes; none starts then', async () => {
    const due: (() => void)[] = []
    const after: Timers['after'] = (_, run) => {
      due.push(run)
      return () => {}
    }
    const timers = { ...NO_TIMERS, after }
    const flights = new Flights(UNLIMITED, new ManualClock(), timers)
    const [one, other] = [fly(flights, 'a'), fly(flights, 'b')]
    due[0]!()
    expect(await one.outcome).toBe('timeout')
    flights.close()
    expect([await other.outcome, await fly(flights, 'a').outcome, flights.underWay]).toEqual(['closing', undefined, 0])
  })
  it('never are more than their limits, whatever starts and ends when', async () => {
    const steps = fc.array(
      fc.record({ target: fc.constantFrom('a', 'b', 'c'), end: fc.boolean(), waitMs: fc.nat(3000), bytes: fc.nat(200_000) }),
      { maxLength: 60 },
    )
    await fc.assert(
      fc.asyncProperty(steps, async list => {
        const clock = new ManualClock()
        const flights = new Flights({ total: 4, perTarget: 2, replyBytes: 300_000 }, clock, NO_TIMERS)
        const running: ReturnType<typeof fly>[] = []
        for (const { target, end, waitMs, bytes } of list) {
          clock.ms += waitMs
          if (end) running.shift()?.end()
          else running.push(fly(flights, target))
          const last = running.at(-1)
          if (last?.flight() !== undefined) flights.grow(last.flight(), bytes)
          await Promise.resolve()
          expect(flights.underWay).toBeLessThanOrEqual(4)
        }
        for (const each of running) each.end()
        await Promise.all(running.map(each => each.outcome))
        expect(flights.underWay).toBe(0)
        // Nothing is counted any more: one reply has all the room.
        expect(flights.grow(fly(flights, 'a').flight(), SHORT_REPLY_BYTES + 299_000)).toBe(true)
      }),
    )
  })
})

describe('replies in memory (ON-74)', () => {
  it('count beyond their beginning, and by pieces: a reply of single bytes costs more than its size', () => {
    const flights = new Flights({ ...UNLIMITED, replyBytes: 1000 }, new ManualClock(), NO_TIMERS)
    const [whole, pieces] = [fly(flights, 'a').flight(), fly(flights, 'a').flight()]
    expect(flights.grow(whole, SHORT_REPLY_BYTES)).toBe(true)
    expect(flights.grow(whole, 1000)).toBe(false)
    let taken = 0
    while (flights.grow(pieces, 1)) taken++
    expect(taken).toBeLessThan(SHORT_REPLY_BYTES / 200)
  })
  it('have room again when the one that has lasted longest gives way, and when one ends', async () => {
    const clock = new ManualClock()
    const flights = new Flights({ ...UNLIMITED, replyBytes: 100_000 }, clock, NO_TIMERS)
    const [short, slow, fast] = [fly(flights, 'a'), fly(flights, 'a'), fly(flights, 'a')]
    flights.grow(short.flight(), 10)
    expect(flights.grow(slow.flight(), SHORT_REPLY_BYTES + 99_000)).toBe(true)
    expect(flights.grow(fast.flight(), SHORT_REPLY_BYTES + 50_000)).toBe(false)
    fast.end()
    await fast.outcome
    clock.ms += PATIENCE_MS + 1
    const later = fly(flights, 'a')
    expect(flights.grow(later.flight(), SHORT_REPLY_BYTES + 50_000)).toBe(true)
    expect(await slow.outcome).toBe('displaced')
    expect([flights.underWay, flights.grow(slow.flight(), 1)]).toEqual([2, false])
  })
})

const closing: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of closing.splice(0)) await each.close()
})

/** Speaks raw TCP: `connected` gets each connection once a request has begun on it, and how many there were before. */
async function rawServer(connected: (socket: Socket, before: number) => void): Promise<number> {
  let before = 0
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    const number = before++
    socket.once('data', () => connected(socket, number))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  closing.push({ close })
  return (server.address() as { port: number }).port
}

async function toRelay(port: number, config: Partial<OnionConfig> = {}, clock: Clock = monotonicClock, timers = systemTimers) {
  const crypto = await loadCrypto()
  const identity = identityFromSeed(crypto, systemRandom().bytes(32))
  const next: ServiceNode = listed(crypto, port)
  const metrics = new NodeMetrics()
  const relay = new OnionRelay({
    crypto,
    random: systemRandom(),
    ed25519: identity.ed25519,
    keys: identity.onionKeys(),
    nodes: { node: key => (key === next.ed25519 ? next : undefined) },
    config: { ...DEFAULT_ONION, ...config },
    answer: async () => ({ status: 200, body: {} }),
    isReady: () => true,
    metrics,
    clock,
    timers,
  })
  closing.push(relay)
  const to = { kind: 'node', ed25519: next.ed25519, x25519: next.x25519 } as const
  const ask = async () => {
    const { body } = sealOnion(crypto, systemRandom(), [identity], to, encodeUtf8('{}'))
    const { status, body: text } = await relay.routes[`POST ${ONION_REQUEST_PATH}`]!(body)
    return [status, Buffer.from(text as Uint8Array).toString()] as const
  }
  return { relay, metrics, ask, next, key: next.ed25519 }
}

async function strange(answer: Parameters<typeof stranger>[0]): Promise<Stranger> {
  const made = await stranger(answer)
  closing.push(made)
  return made
}

const INVALID = [500, 'Invalid response from snode']
const BUSY = [503, 'Server busy, try again later']

describe('a next node that misbehaves (ON-72, ON-74)', () => {
  it('and never answers, is a timeout', async () => {
    const { ask } = await toRelay(await rawServer(() => {}), { relayTimeoutMs: 100 })
    expect(await ask()).toEqual([504, 'Request time out'])
  })
  it('and stops in the middle of its answer, is a timeout', async () => {
    const port = await rawServer(socket => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'))
    const { ask } = await toRelay(port, { relayTimeoutMs: 100 })
    expect(await ask()).toEqual([504, 'Request time out'])
  })
  it.each([
    ['no HTTP', 'SSH-2.0-x\r\n\r\n'],
    ['half an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
    ['a status that is none', 'HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
    ['a status beyond all', 'HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n'],
    ['another protocol', 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
    ['an endless head', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`],
    ['a chunk that is none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ])('and answers %s, is not believed', async (_, text) => {
    const { ask } = await toRelay(await rawServer(socket => socket.end(text)))
    expect(await ask()).toEqual(INVALID)
  })
  it('and hangs up, is unreachable', async () => {
    const { ask, key } = await toRelay(await rawServer(socket => socket.destroy()))
    expect(await ask()).toEqual([502, `Next node is currently unreachable: ${key}`])
  })
  it('and answers more than 16 MiB, is cut off; 16 MiB come back', async () => {
    let sizeBytes = ONION_REPLY_MAX_BYTES
    const { port } = await strange((_, response) => void response.end(Buffer.alloc(sizeBytes)))
    const { ask, relay } = await toRelay(port)
    const [status, text] = await ask()
    expect([status, text.length]).toEqual([200, ONION_REPLY_MAX_BYTES])
    sizeBytes++
    expect(await ask()).toEqual(INVALID)
    relay.close()
  })
  it('and sends without end, is cut off', async () => {
    const { port } = await strange((_, response) => {
      const piece = Buffer.alloc(100_000)
      const write = (): void => {
        while (!response.destroyed && response.write(piece));
      }
      response.on('drain', write)
      write()
    })
    expect(await (await toRelay(port)).ask()).toEqual(INVALID)
  })
})

describe('a next node that is slow or restarts (ON-72, ON-74)', () => {
  it('costs the others nothing: its slow requests give way', async () => {
    const clock = new ManualClock()
    const port = await rawServer((socket, before) => {
      if (before >= 4) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
    const { ask, metrics } = await toRelay(port, { relays: 4 }, clock)
    const slow = Array.from({ length: 4 }, ask)
    expect(await ask()).toEqual(BUSY)
    expect(await metrics.registry.metrics()).toContain('session_v2_node_onion_requests_under_way 4')
    clock.ms += PATIENCE_MS + 1
    expect(await ask()).toEqual([200, 'ok'])
    expect(await slow[0]).toEqual(BUSY)
  })
  it('is asked once more over a new connection when it has closed the kept one', async () => {
    const sockets: Socket[] = []
    const port = await rawServer((socket, before) => {
      sockets.push(socket)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1')
      // Closed just as the next request is sent: the kept connection looks good until then.
      if (before === 0) socket.once('data', () => socket.resetAndDestroy())
    })
    const { ask } = await toRelay(port)
    expect([await ask(), await ask(), sockets.length]).toEqual([[200, '1'], [200, '1'], 2])
  })
})

describe('a relay', () => {
  it('keeps its connections (ON-72)', async () => {
    const { port, connections, bodies } = await strange((_, response) => void response.end('x'))
    const { ask } = await toRelay(port)
    for (let i = 0; i < 5; i++) expect(await ask()).toEqual([200, 'x'])
    // The one before may be about to become free.
    expect(connections()).toBeLessThanOrEqual(2)
    expect(bodies).toHaveLength(5)
  })
  it('answers what is under way when it closes, and nothing afterwards', async () => {
    const { ask, relay } = await toRelay(await rawServer(() => {}))
    const waiting = ask()
    relay.close()
    expect([await waiting, await ask()]).toEqual([BUSY, BUSY])
  })
  it('counts without names (ON-79)', async () => {
    const { port } = await strange((_, response) => void response.end('x'))
    const { ask, metrics, key } = await toRelay(port)
    await ask()
    const text = await metrics.registry.metrics()
    expect(text).toContain('session_v2_node_onion_relayed_total 1')
    expect(text).toContain('session_v2_node_onion_requests_under_way 0')
    expect(text).not.toContain(key)
  })
})
