/** What becomes of a client that goes on when it is refused, and of those who are not (NODE-100, NODE-104, NODE-106, NODE-109). */
import { connect, type Socket } from 'node:net'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { REQUEST_MAX_VALUES } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS, type LimitsConfig } from '../../src/config/limits-config.ts'
import { HttpServer } from '../../src/http/http-server.ts'
import { JSON_MAX_DEPTH, nestsDeeper } from '../../src/http/json-depth.ts'
import { admitRequest } from '../../src/http/node-routes.ts'
import { openLog } from '../../src/log.ts'
import { Admission } from '../../src/operations/admission.ts'
import { NodeMetrics } from '../../src/operations/metrics.ts'
import { systemTimers, type Timers } from '../../src/ports.ts'
import { ManualClock } from '../manual-clock.ts'

const MIB = 1024 * 1024
const KIB = 1024
const LATE_MS = 1000
const SHUN_MS = 5000
const closers: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A server whose late answers, and addresses of which it reads nothing, wait until the test lets them go. */
async function serve(limits: Partial<LimitsConfig>, page = 'done') {
  const clock = new ManualClock()
  const late: (() => void)[] = []
  const after: Timers['after'] = (delayMs, run) => {
    if (delayMs !== LATE_MS && delayMs !== SHUN_MS) return systemTimers.after(delayMs, run)
    late.push(run)
    return () => void late.splice(late.indexOf(run) >>> 0, 1)
  }
  const metrics = new NodeMetrics()
  const log = openLog({ level: 'silent' })
  const all = { ...DEFAULT_LIMITS, bytesPerSecond: 0, ...limits }
  const admission = new Admission({
    ...{ limits: all, clock, crypto: await loadCrypto(), random: systemRandom(), metrics, log },
    logAddresses: false,
  })
  const server = new HttpServer({
    routes: { 'POST /': () => ({ status: 200, body: page }), 'POST /swarm_rpc/v1': () => ({ status: 403, body: '' }) },
    ...{ software: 'x', maxBodyBytes: 10 * MIB, bodyTimeoutMs: 60_000, corsOrigins: 'none' as const, limits: all },
    ...{ admit: admitRequest(admission), metrics, log, timers: { ...systemTimers, after }, clock },
  })
  const port = await server.listen('127.0.0.1', 0)
  closers.push(() => server.close())
  return { clock, late, server, port }
}

/** A connection, what it got, and how to wait for more. */
async function open(port: number, localAddress = '127.0.0.1') {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opening = connect({ port, host: '127.0.0.1', localAddress }, () => resolve(opening))
    opening.on('error', reject)
  })
  closers.push(() => void socket.destroy())
  let text = ''
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  socket.on('data', chunk => {
    text += chunk
  })
  const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(match => Number(match[1]))
  const ask = async (request = POST): Promise<number | undefined> => {
    const before = statuses().length
    socket.write(request)
    await expect.poll(() => statuses().length > before || socket.closed, { timeout: 10_000, interval: 2 }).toBe(true)
    return statuses()[before]
  }
  return { socket, closed, statuses, ask, text: () => text }
}

const postOf = (sizeBytes: number, path = '/') =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${sizeBytes}\r\n\r\n${'x'.repeat(sizeBytes)}`
const POST = postOf(0)
const LITTLE = { address: { burst: 2, perSecond: 1 } }

/** Has used up what it may ask, and how often it is refused at once. */
async function flooding(port: number) {
  const client = await open(port)
  expect([await client.ask(), await client.ask(), await client.ask(), await client.ask()]).toEqual([200, 200, 429, 429])
  return client
}

describe('an address that is refused more often than it may ask (NODE-109)', () => {
  it('gets its refusals late, keeps its connection, and is served again when it may ask', async () => {
    const { port, late, clock } = await serve(LITTLE)
    const client = await flooding(port)
    const asked = client.ask()
    await expect.poll(() => late.length).toBe(1)
    expect(client.statuses()).toHaveLength(4)
    late[0]!()
    expect(await asked).toBe(429)
    expect(client.text()).not.toMatch(/connection: close/i)
    clock.ms += 1000
    expect(await client.ask()).toBe(200)
  })
  it('gets no answer to what it sends ahead, and is closed behind the refusal', async () => {
    const { port, late } = await serve(LITTLE)
    const client = await flooding(port)
    const asked = client.ask(POST.repeat(5))
    await expect.poll(() => late.length).toBe(1)
    late[0]!()
    expect(await asked).toBe(429)
    await client.closed
    expect(client.statuses()).toHaveLength(5)
  })
  it('is forgotten with its connection, when that has gone meanwhile', async () => {
    const { port, late, server } = await serve(LITTLE)
    const client = await flooding(port)
    client.socket.write(POST)
    await expect.poll(() => late.length).toBe(1)
    client.socket.destroy()
    late[0]!()
    await expect.poll(() => server.connections.open).toBe(0)
  })
})

describe('an address that does not wait for its refusals (NODE-109)', () => {
  it('loses all connections when it sends more ahead, and what it opens within 5 s waits; others keep theirs', async () => {
    const { port, late, server } = await serve(LITTLE)
    const [other, sibling] = [await open(port, '127.0.0.2'), await open(port)]
    const client = await flooding(port)
    client.socket.write(POST.repeat(10))
    await Promise.all([client.closed, sibling.closed])
    expect(client.statuses()).toHaveLength(4)
    const waiting = await open(port)
    const asked = waiting.ask()
    expect([await other.ask(), server.connections.open, late.length]).toEqual([200, 2, 1])
    late[0]!()
    expect(await asked).toBe(undefined)
    expect(await (await open(port, '127.0.0.3')).ask()).toBe(200)
    expect(await (await open(port)).ask('GET /x HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(10))).toBe(undefined)
  })
  it('loses all connections when it sends a body in chunks then', async () => {
    const { port, late } = await serve(LITTLE)
    const sibling = await open(port)
    const client = await flooding(port)
    client.socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n')
    await Promise.all([client.closed, sibling.closed])
    expect([client.statuses().length, late.length]).toEqual([4, 1])
  })
  it('loses only the one connection when it is a trusted proxy', async () => {
    const { port } = await serve({ ...LITTLE, trustedProxies: ['127.0.0.1'] })
    const sibling = await open(port)
    const client = await flooding(port)
    client.socket.write(POST.repeat(10))
    await client.closed
    expect(sibling.socket.closed).toBe(false)
    await (await open(port)).ask(`POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Length: 0\r\n\r\n`)
    expect(sibling.socket.closed).toBe(false)
  })
})

describe('what a request costs (NODE-100)', () => {
  const FEW = { address: { burst: 4, perSecond: 1 } }

  it('is one token for each 64 KiB, and a body that has none any more is 429 and closed', async () => {
    const { port, clock } = await serve(FEW)
    const client = await open(port)
    expect([await client.ask(postOf(128 * KIB)), await client.ask(postOf(64 * KIB + 1)), await client.ask()]).toEqual([
      200, 200, 429,
    ])
    clock.ms += 4000
    const body = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${MIB}\r\n\r\n${'x'.repeat(320 * KIB)}`
    expect(await client.ask(body)).toBe(429)
    await client.closed
  })
  it('counts small pieces of a body as larger ones', async () => {
    const { port } = await serve(FEW)
    const client = await open(port)
    const pieces = (count: number) =>
      `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(count)}`
    expect(await client.ask(`${pieces(70)}0\r\n\r\n`)).toBe(200)
    expect(await client.ask(pieces(200))).toBe(429)
    await client.closed
  })
  it('is a token for what is not there too', async () => {
    const { port } = await serve(FEW)
    const client = await open(port)
    const asked = [
      'GET /x HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /y HTTP/1.1\r\nHost: x\r\n\r\n',
      'OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n',
    ]
    const statuses: unknown[] = []
    for (const each of [...asked, POST, POST]) statuses.push(await client.ask(each))
    expect(statuses).toEqual([404, 404, 404, 200, 429])
  })
  it('is paid by who forges it, in the name of a member too, before it is known', async () => {
    const { port } = await serve(FEW)
    const client = await open(port)
    expect(await client.ask(postOf(MIB, '/swarm_rpc/v1'))).toBe(429)
    await client.closed
    expect(await (await open(port)).ask()).toBe(200)
  })
  it('closes the connection behind a refusal when much more is to come', async () => {
    const { port } = await serve({ address: { burst: 1, perSecond: 1 } })
    for (const [address, request, isKept] of [
      ['127.0.0.2', postOf(64 * KIB), true],
      ['127.0.0.3', postOf(64 * KIB + 1), false],
      ['127.0.0.4', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n', false],
    ] as const) {
      const client = await open(port, address)
      await client.ask()
      expect(await client.ask(request)).toBe(429)
      if (isKept) expect(client.socket.closed).toBe(false)
      else await client.closed
    }
  })
})

describe('answers that one address leaves lying (NODE-104)', () => {
  it('cost it its connections, and nobody else anything', async () => {
    const { port } = await serve({ answerBytes: 16 * MIB }, 'x'.repeat(6 * MIB))
    const lazy = await Promise.all(Array.from({ length: 12 }, () => open(port)))
    for (const { socket } of lazy) socket.pause().write(POST)
    for (let i = 0; i < 6; i++) {
      const other = await open(port, '127.0.0.2')
      expect(await other.ask()).toBe(200)
      other.socket.destroy()
    }
  })
})

describe('JSON of many values (NODE-106)', () => {
  const fits = (text: string) => !nestsDeeper(Buffer.from(text), JSON_MAX_DEPTH)

  it('is refused by their number', () => {
    for (const part of ['0,', '[],', '{},', '"",', '{"":0},']) {
      const isSingle = part === '0,' || part === '"",'
      const count = REQUEST_MAX_VALUES / (isSingle ? 1 : 2)
      expect([part, fits(part.repeat(count)), fits(`${part.repeat(count)}[`)]).toEqual([part, true, false])
    }
    expect(fits(`"${',[{'.repeat(REQUEST_MAX_VALUES)}"`)).toBe(true)
  })
})
