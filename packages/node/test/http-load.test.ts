/** What a server takes on, and how it refuses the rest. */
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { LIMITS_WITHOUT_RATES, type LimitsConfig } from '../src/config/limits-config.ts'
import type { Route, Upgrade } from '../src/http/http-answer.ts'
import { HttpServer } from '../src/http/http-server.ts'
import { JSON_MAX_DEPTH, nestsDeeper } from '../src/http/json-depth.ts'
import { LoadGate, SHORT_BODY_BYTES } from '../src/http/load-gate.ts'
import { SLOW_GRACE_MS } from '../src/http/slow-bodies.ts'
import { openLog } from '../src/log.ts'
import { NodeMetrics } from '../src/operations/metrics.ts'
import { systemTimers, type Timers } from '../src/ports.ts'
import { ManualClock } from './manual-clock.ts'
import { post } from './network-under-test.ts'

const MIB = 1024 * 1024
const BUSY = { status: 503, body: 'Server busy, try again later' }
const closers: (() => Promise<void> | void)[] = []

afterEach(async () => {
  // What was opened last is closed first: a server waits for its connections.
  for (const close of closers.splice(0).reverse()) await close()
})

interface Parts {
  readonly limits?: Partial<LimitsConfig>
  readonly routes?: Record<string, Route>
  readonly upgrades?: Record<string, Upgrade>
  readonly timers?: Timers
  readonly clock?: ManualClock
  readonly bodyTimeoutMs?: number
}

async function serve({ limits = {}, routes = {}, upgrades, timers = systemTimers, clock, bodyTimeoutMs = 60_000 }: Parts) {
  const metrics = new NodeMetrics()
  const server = new HttpServer({
    routes: { 'POST /': () => ({ status: 200, body: 'done' }), ...routes },
    ...(upgrades && { upgrades }),
    software: 'x',
    maxBodyBytes: 10 * MIB,
    bodyTimeoutMs,
    corsOrigins: 'none',
    limits: { ...LIMITS_WITHOUT_RATES, ...limits },
    metrics,
    log: openLog({ level: 'silent' }),
    timers,
    ...(clock && { clock }),
  })
  const port = await server.listen('127.0.0.1', 0)
  closers.push(() => server.close())
  return { server, metrics, port, url: `http://127.0.0.1:${port}` }
}

/** A connection that is closed at the end of the test. */
function open(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress }, () => resolve(socket))
    socket.on('error', reject)
    closers.push(() => void socket.destroy())
  })
}

/** The next bytes that a connection gets, as text. */
function next(socket: Socket): Promise<string> {
  return new Promise(resolve => socket.once('data', chunk => resolve(String(chunk))))
}

/** A route that answers when it is told. */
function heldRoute() {
  const waiting: (() => void)[] = []
  let arrived = () => {}
  const route: Route = () =>
    new Promise(resolve => {
      waiting.push(() => resolve({ status: 200, body: 'held' }))
      arrived()
    })
  const started = () =>
    new Promise<void>(resolve => {
      arrived = resolve
    })
  const releaseAll = () => {
    for (const release of waiting.splice(0)) release()
  }
  return { route, started, releaseAll }
}

const refusals = async (metrics: NodeMetrics) =>
  await metrics.registry.getSingleMetricAsString('session_v2_node_refused_requests_total')

describe('more requests than may run (NODE-104)', () => {
  it('are 503 at once, their connection is kept, and there is room again afterwards', async () => {
    const { route, started, releaseAll } = heldRoute()
    const { url, port, metrics } = await serve({ limits: { runningRequests: 1 }, routes: { 'POST /held': route } })
    const running = started()
    const held = post(`${url}/held`, '')
    await running
    const socket = await open(port)
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12345')
    const refused = await next(socket)
    expect(refused).toMatch(/^HTTP\/1.1 503 /)
    expect(refused).toMatch(/connection: keep-alive/i)
    expect(refused).toMatch(/Server busy, try again later$/)
    expect(await refusals(metrics)).toContain('{reason="busy"} 1')
    releaseAll()
    expect(await held).toMatchObject({ status: 200, body: 'held' })
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    expect(await next(socket)).toMatch(/^HTTP\/1.1 200 /)
  })
})

describe('more bodies than memory (NODE-104)', () => {
  it('are 503, short ones still are taken, and a refused one keeps its connection', async () => {
    const { route, started, releaseAll } = heldRoute()
    const { url, port } = await serve({ limits: { bodyBytes: 16 * MIB }, routes: { 'POST /held': route } })
    const running = started()
    const first = post(`${url}/held`, 'x'.repeat(10 * MIB))
    await running
    const socket = await open(port)
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${8 * MIB}\r\n\r\n`)
    const answered = next(socket)
    socket.write('x'.repeat(8 * MIB))
    expect(await answered).toMatch(/^HTTP\/1.1 503 /)
    expect(await post(url, 'x'.repeat(SHORT_BODY_BYTES))).toMatchObject({ status: 200 })
    expect(await post(url, 'x'.repeat(2 * MIB))).toMatchObject({ status: 200 })
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    expect(await next(socket)).toMatch(/^HTTP\/1.1 200 /)
    releaseAll()
    await first
    expect(await post(url, 'x'.repeat(10 * MIB))).toMatchObject({ status: 200 })
  })
  it('are counted by what has arrived, not by what is claimed', async () => {
    const { url, port } = await serve({ limits: { bodyBytes: 16 * MIB } })
    for (let i = 0; i < 50; i++) (await open(port)).write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${10 * MIB}\r\n\r\nx`)
    expect(await post(url, 'x'.repeat(10 * MIB))).toMatchObject({ status: 200 })
  })
  it('come to nothing in the end, whatever became of them', () => {
    const gate = new LoadGate({ runningRequests: 0, bodyBytes: 1000, answerBytes: 0 })
    const share = { bytes: 0 }
    expect([gate.grow(share, 1000), gate.grow(share, 1), gate.grow({ bytes: 0 }, 1)]).toEqual([true, false, false])
    expect(gate.grow(share, SHORT_BODY_BYTES)).toBe(false)
    gate.release(share)
    gate.release(share)
    expect(gate.grow(share, 1000)).toBe(true)
  })
})

describe('answers that nobody takes (NODE-104)', () => {
  it('give way, the one that waited longest first, once they are too many and old', async () => {
    const clock = new ManualClock()
    const page = 'x'.repeat(12 * MIB)
    const routes = { 'POST /page': () => ({ status: 200, body: page }) }
    const { url, port } = await serve({ limits: { answerBytes: 20 * MIB }, routes, clock })
    const lazy = [await open(port), await open(port)]
    const closed = lazy.map(socket => new Promise(resolve => socket.once('close', resolve)))
    for (const socket of lazy) {
      socket.pause()
      socket.write('POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    }
    // Both stand in the queue before this one, but not for long enough.
    let answer = await post(url, '')
    while (answer.status === 200) answer = await post(url, '')
    expect(answer).toMatchObject(BUSY)
    clock.ms += 3_000
    expect(await post(url, '')).toMatchObject({ status: 200 })
    lazy[0]!.resume()
    await closed[0]
    expect(lazy[1]!.closed).toBe(false)
  })
})

describe('more connections than may be (NODE-105)', () => {
  it('of one address: the longest silent goes, running requests stay, others are not touched', async () => {
    const { route, started, releaseAll } = heldRoute()
    const { port, server } = await serve({ limits: { connectionsPerAddress: 3 }, routes: { 'POST /held': route } })
    const other = await open(port, '127.0.0.2')
    const running = await open(port)
    const arrived = started()
    running.write('POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    await arrived
    const silent = await open(port)
    const gone = new Promise(resolve => silent.once('close', resolve))
    const used = await open(port)
    used.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    expect(await next(used)).toMatch(/^HTTP\/1.1 200 /)
    const newcomer = await open(port)
    await gone
    newcomer.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    expect(await next(newcomer)).toMatch(/^HTTP\/1.1 200 /)
    expect([running.closed, used.closed, other.closed]).toEqual([false, false, false])
    expect([server.connections.open, server.connections.dropped]).toEqual([4, 1])
    const answer = next(running)
    releaseAll()
    expect(await answer).toMatch(/^HTTP\/1.1 200 /)
  })
  it('in all: the address with the most gives way', async () => {
    const { port } = await serve({ limits: { connections: 4 } })
    const few = await open(port, '127.0.0.2')
    const many = [await open(port), await open(port), await open(port)]
    const gone = new Promise(resolve => many[0]!.once('close', resolve))
    const third = await open(port, '127.0.0.3')
    await gone
    for (const socket of [few, third]) {
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
      expect(await next(socket)).toMatch(/^HTTP\/1.1 200 /)
    }
  })
  it('two thousand that say nothing do not keep a client out', async () => {
    const { port, url, server } = await serve({ limits: { connectionsPerAddress: 100 } })
    for (let i = 0; i < 20; i++) {
      const sockets = Array.from({ length: 100 }, () => connect(port, '127.0.0.1'))
      closers.push(() => sockets.forEach(socket => void socket.destroy()))
      await Promise.all(sockets.map(socket => new Promise(resolve => socket.on('error', resolve).once('connect', resolve))))
      for (const socket of sockets) socket.write('POST / HT')
      expect(await post(url, 'still')).toMatchObject({ status: 200 })
    }
    expect(server.connections.open).toBeLessThanOrEqual(100)
    expect(server.connections.dropped).toBeGreaterThan(1000)
  })
})

describe('slow bodies (NODE-107)', () => {
  it('are 408 and closed once they were slow for long enough; others are let be', async () => {
    const clock = new ManualClock()
    const due: (() => void)[] = []
    const timers: Timers = {
      ...systemTimers,
      after: (delayMs, run) => {
        if (delayMs !== 1000) return systemTimers.after(delayMs, run)
        due.push(run)
        return () => {}
      },
    }
    const { port, metrics } = await serve({ timers, clock, limits: { bytesPerSecond: 1000 } })
    const slow = await open(port)
    const fast = await open(port)
    slow.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx')
    fast.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(99_999)}`)
    const complete = open(port)
    ;(await complete).write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx')
    await next(await complete)
    const tick = () => due.shift()!()
    clock.ms += SLOW_GRACE_MS
    tick()
    const answered = next(slow)
    clock.ms += 1000
    tick()
    expect(await answered).toMatch(/^HTTP\/1.1 408 [\s\S]*Request body too slow$/)
    fast.write('x')
    expect(await next(fast)).toMatch(/^HTTP\/1.1 200 /)
    tick()
    expect(due).toEqual([])
    expect(await refusals(metrics)).toContain('{reason="slow"} 1')
  })
})

describe('deep JSON (NODE-106)', () => {
  const deep = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth))

  it('is seen by its brackets, outside of texts', () => {
    expect(nestsDeeper(deep(JSON_MAX_DEPTH), JSON_MAX_DEPTH)).toBe(false)
    expect(nestsDeeper(deep(JSON_MAX_DEPTH + 1), JSON_MAX_DEPTH)).toBe(true)
    for (const text of [
      '[[[',
      ']]]]',
      '{"a":{"b":',
      '\\"[[[',
      '[[[\\\\\\"',
      'x'.repeat(100),
      `${'x'.repeat(40)}\\"[[[`,
      '\\\\'.repeat(30),
    ]) {
      const value = JSON.stringify({ [text]: [text, { a: text }] })
      expect([nestsDeeper(Buffer.from(value), 3), nestsDeeper(Buffer.from(value), 2)]).toEqual([false, true])
    }
    for (const broken of ['"', '"\\', '"abc\\"', ']]]]', '', '"'.repeat(999)])
      expect(nestsDeeper(Buffer.from(broken), 3)).toBe(false)
  })
  it('costs no more than other bodies of its size', () => {
    const bodies = [
      deep(5 * MIB),
      Buffer.from('[]'.repeat(5 * MIB)),
      Buffer.from('""'.repeat(5 * MIB)),
      Buffer.from(`"${'\\"'.repeat(5 * MIB)}"`),
    ]
    for (const body of bodies) {
      const started = process.cpuUsage()
      nestsDeeper(body, JSON_MAX_DEPTH)
      const { user, system } = process.cpuUsage(started)
      // A parser takes seconds of processor time for the first of them.
      expect(user + system).toBeLessThan(1_000_000)
    }
  })
})

describe('another protocol on a connection', () => {
  const upgradeOf =
    (sockets: WebSocketServer): Upgrade =>
    (request, socket, head, address) =>
      sockets.handleUpgrade(request, socket, head, client => client.send(address))

  it('is handed to its route, with the address of the client', async () => {
    const sockets = new WebSocketServer({ noServer: true })
    closers.push(() => sockets.close())
    const { port } = await serve({ upgrades: { '/monitor': upgradeOf(sockets) } })
    const client = new WebSocket(`ws://127.0.0.1:${port}/monitor?x`)
    closers.push(() => client.terminate())
    expect(await new Promise(resolve => client.once('message', message => resolve(String(message))))).toBe('127.0.0.1')
  })
  it('does not keep the server from closing', async () => {
    const sockets = new WebSocketServer({ noServer: true })
    const due: (() => void)[] = []
    const after: Timers['after'] = (_, run) => {
      due.push(run)
      return () => {}
    }
    const { port, server } = await serve({ timers: { ...systemTimers, after }, upgrades: { '/monitor': upgradeOf(sockets) } })
    const client = new WebSocket(`ws://127.0.0.1:${port}/monitor`)
    await new Promise(resolve => client.once('message', resolve))
    const gone = new Promise(resolve => client.once('close', resolve))
    const closed = server.close()
    for (const run of due.splice(0)) run()
    await Promise.all([closed, gone])
    expect(server.connections.open).toBe(0)
  })
  it('is 404 on another path, and the node lives on', async () => {
    const { port, url } = await serve({ upgrades: { '/monitor': () => {} } })
    const client = new WebSocket(`ws://127.0.0.1:${port}/`)
    expect(await new Promise(resolve => client.once('error', error => resolve(error.message)))).toContain('404')
    expect(await post(url, '')).toMatchObject({ status: 200 })
  })
})
