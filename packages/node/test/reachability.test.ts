/** Tests of other nodes, over real HTTP and HTTPS where there is something to ask. */
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { loadCrypto, type Random, seededRandom } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import type { ServiceNode } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import { systemTimers } from '../src/ports.ts'
import { normal, oneOf } from '../src/reachability/normal.ts'
import { httpPing, PING_TIMEOUT_MS, type Ping } from '../src/reachability/ping.ts'
import { RETESTS_AT_ONCE, Reachability, type TestResult, UNTESTED_MS } from '../src/reachability/reachability.ts'
import { MemoryRegistry } from '../src/registry/registry.ts'
import { ManualClock } from './manual-clock.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { KeptLog, node, nodes } from './registry-nodes.ts'
import { ManualTimers } from './registry-timers.ts'

const crypto = await loadCrypto()
const SELF = node(0)

function random(): Random {
  return seededRandom(crypto, Uint8Array.of(7))
}

/** Answers of other nodes, as the test wants them: `true`, `false`, or whenever it says. */
class Others {
  readonly down = new Set<number>()
  readonly tested: number[] = []
  underWay = 0
  most = 0
  readonly waiting: (() => void)[] = []
  waits = false
  readonly ping: Ping = async ({ ed25519 }) => {
    const n = Number.parseInt(ed25519, 16)
    this.tested.push(n)
    this.most = Math.max(this.most, ++this.underWay)
    if (this.waits) await new Promise<void>(resolve => this.waiting.push(resolve))
    this.underWay--
    if (this.down.has(n)) throw new Error('even this is only a failure')
    return true
  }
}

function reachability(list: readonly ServiceNode[], onResult?: (result: TestResult) => void) {
  const log = new KeptLog()
  const timers = new ManualTimers()
  const clock = new ManualClock()
  const others = new Others()
  const registry = new MemoryRegistry({ crypto, log: log.log }, { nodes: list })
  const parts = { ed25519: SELF.ed25519, registry, ping: others.ping, clock, timers, random: random(), log: log.log }
  const state = new Reachability({ ...parts, ...(onResult && { onResult }) })
  /** In steps, so that what a test sets is set before time goes on. */
  const pass = async (seconds: number): Promise<void> => {
    for (let s = 0; s < seconds; s++) {
      timers.advance(1000)
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    }
  }
  return { state, log, timers, clock, others, registry, pass }
}

const key = (n: number): string => node(n).ed25519

describe('the pause between tests (NODE-130)', () => {
  it('scatters around its mean, within bounds', () => {
    const source = random()
    const values = Array.from({ length: 5000 }, () => normal(source, 10_000, 3_000))
    const mean = values.reduce((sum, value) => sum + value) / values.length
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    expect(Math.abs(mean - 10_000)).toBeLessThan(150)
    expect(Math.abs(deviation - 3_000)).toBeLessThan(150)
    expect([Math.min(...values) >= 1_000, Math.max(...values) <= 19_000]).toEqual([true, true])
  })
  it.each([0, 255])('is finite and within bounds when all random bytes are %i', byte => {
    const fixed: Random = { bytes: size => new Uint8Array(size).fill(byte) }
    expect(normal(fixed, 10, 3)).toBeGreaterThanOrEqual(1)
    expect(normal(fixed, 10, 3)).toBeLessThanOrEqual(19)
    expect(['a', 'b', 'c']).toContain(oneOf(fixed, ['a', 'b', 'c']))
  })
  it('lets every other node have its turn, and never this one', async () => {
    const { others, pass } = reachability([SELF, ...nodes(4)])
    await pass(1000)
    expect(others.tested.length).toBeGreaterThan(80)
    expect(others.tested.length).toBeLessThan(120)
    expect([...new Set(others.tested)].sort()).toEqual([1, 2, 3, 4])
    expect(others.most).toBe(1)
  })
  it('goes on without other nodes, until there are some', async () => {
    const { others, registry, pass } = reachability([SELF])
    await pass(100)
    expect(others.tested).toEqual([])
    registry.replace({ nodes: [SELF, node(3)] })
    await pass(30)
    expect(others.tested).toContain(3)
  })
})

describe('a node that fails (NODE-132)', () => {
  it('is tested again after 10 s for each failure, at most 2 min, until it is back', async () => {
    const { state, others, timers, clock, log, pass } = reachability([SELF, node(1)])
    others.down.add(1)
    const at: number[] = []
    while (at.length < 16) {
      const before = others.tested.length
      await pass(1)
      if (others.tested.length > before) at.push(timers.nowMs / 1000)
    }
    const pauses = at.slice(1).map((s, i) => s - at[i]!)
    const seconds = pauses.map(s => Math.round(s / 10) * 10)
    expect(seconds).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 120, 120, 120])
    expect([state.reachable(key(1)), state.failures(key(1)), state.lastOkMs(key(1)), state.unreachable]).toEqual([
      false,
      16,
      undefined,
      1,
    ])
    expect(log.lines.filter(({ msg }) => msg === 'a node cannot be reached')).toHaveLength(1)
    others.down.clear()
    await pass(121)
    expect([state.reachable(key(1)), state.failures(key(1)), state.unreachable]).toEqual([true, 0, 0])
    expect(state.lastOkMs(key(1))).toBe(clock.ms)
  })
  it('waits for one of four places', async () => {
    const { state, others, pass } = reachability([SELF, ...nodes(12)])
    for (let n = 1; n <= 12; n++) others.down.add(n)
    while (state.unreachable < 12) await pass(1)
    others.waits = true
    others.most = 0
    await pass(130)
    expect([others.underWay, others.most]).toEqual([RETESTS_AT_ONCE, RETESTS_AT_ONCE])
    others.down.clear()
    others.waits = false
    for (const end of others.waiting.splice(0)) end()
    await pass(2)
    expect(state.unreachable).toBe(0)
  })
  it('is told of to whoever wants to know, who may fail at it', async () => {
    const results: string[] = []
    const { others, log, pass } = reachability([SELF, node(1)], ({ node: { port }, passed, failures }) => {
      results.push(`${port} ${passed} ${failures}`)
      throw new Error('cannot count')
    })
    others.down.add(1)
    while (results.length < 2) await pass(1)
    others.down.clear()
    while (results.length < 3) await pass(1)
    expect(results).toEqual(['20001 false 1', '20001 false 2', '20001 true 0'])
    expect(log.complaints).toContain('the result of a test could not be passed on')
  })
})

describe('what is known of nodes (NODE-133)', () => {
  it('is good until tested, and forgotten with the node', async () => {
    const { state, others, registry, timers, pass } = reachability([SELF, node(1), node(2)])
    expect([state.reachable(key(1)), state.reachable(key(9)), state.lastOkMs(key(1))]).toEqual([true, true, undefined])
    others.down.add(1)
    while (state.unreachable < 1 || state.lastOkMs(key(2)) === undefined) await pass(1)
    registry.replace({ nodes: [SELF, node(3)] })
    expect([state.unreachable, state.failures(key(1)), state.lastOkMs(key(2))]).toEqual([0, 0, undefined])
    expect(timers.delaysMs).toHaveLength(2)
    others.tested.length = 0
    await pass(300)
    expect(new Set(others.tested)).toEqual(new Set([3]))
  })
  it('is not changed by a test that ends after its node has gone, or after the end', async () => {
    const results: TestResult[] = []
    const { state, others, registry, timers, pass } = reachability([SELF, node(1)], result => results.push(result))
    others.waits = true
    others.down.add(1)
    while (others.underWay === 0) await pass(1)
    registry.replace({ nodes: [SELF, node(2)] })
    others.waiting.pop()!()
    while (others.underWay === 0 || others.tested.at(-1) !== 2) await pass(1)
    state.close()
    others.waiting.pop()!()
    await pass(300)
    expect([results, state.unreachable, timers.delaysMs]).toEqual([[], 0, []])
    expect(others.tested).toEqual([1, 2])
  })
})

describe('a node that nobody tests (NODE-134)', () => {
  it('says so every two minutes, unless it is tested or alone', async () => {
    const { state, log, registry, pass } = reachability([SELF, node(1)])
    const minutes = async (count: number) => {
      await pass(((count * UNTESTED_MS) / 120_000) * 60)
      return log.complaints.length
    }
    expect(await minutes(1.9)).toBe(0)
    expect(await minutes(0.2)).toBe(1)
    expect(await minutes(4)).toBe(3)
    state.tested()
    expect(await minutes(1.9)).toBe(3)
    state.tested()
    expect(await minutes(1.9)).toBe(3)
    registry.replace({ nodes: [SELF] })
    expect(await minutes(10)).toBe(3)
    state.close()
  })
})

const servers: (Server | TcpServer)[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listening(server: Server | TcpServer, protocol: ServiceNode['protocol'] = 'http'): Promise<ServiceNode> {
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { ...node(0xab), port: (server.address() as AddressInfo).port, protocol }
}

describe('one test (NODE-131)', () => {
  const never = new AbortController().signal
  const ping = httpPing(systemTimers)
  const keyHeader = (hex: string): string => Buffer.from(decodeHex(hex)).toString('base64')
  const answering = (status: number, header?: string): RequestListener => {
    return (request, response) => {
      const right = request.url === '/ping_test/v1' && request.method === 'POST'
      response.writeHead(right ? status : 404, header === undefined ? {} : { 'X-Oxen-Snode-Pubkey': header }).end()
    }
  }
  it.each([
    ['its key', 200, keyHeader(key(0xab)), true],
    ['its key without padding', 200, keyHeader(key(0xab)).replace('=', ''), true],
    ['another key', 200, keyHeader(key(0xac)), false],
    ['no key', 200, undefined, false],
    ['an empty key', 200, '', false],
    ['its key and an error', 503, keyHeader(key(0xab)), false],
  ])('of a node that answers %s', async (_, status, header, passed) => {
    const plain = await listening(createServer(answering(status, header)))
    expect(await ping(plain, never)).toBe(passed)
    const pem = readFileSync(new URL('./fixtures/self-signed.pem', import.meta.url))
    const tls = await listening(createTlsServer({ cert: pem, key: pem }, answering(status, header)), 'https')
    expect(await ping(tls, never)).toBe(passed)
    expect(await ping({ ...tls, protocol: 'http' }, never)).toBe(false)
  })
  it('asks for the key of the chain where that is another', async () => {
    const peer = await listening(createServer(answering(200, keyHeader(key(0xac)))))
    expect(await ping({ ...peer, legacy: key(0xac) }, never)).toBe(true)
  })
  it('is passed by a node of ours', async () => {
    const test = await NetworkUnderTest.start()
    const [{ ed25519, x25519, url }] = test.network.nodes as [(typeof test.network.nodes)[number]]
    const ours = { ...node(1), ed25519, x25519, port: Number(new URL(url).port) }
    expect(await ping(ours, never)).toBe(true)
    await test.close()
    expect(await ping(ours, never)).toBe(false)
  })
  it('does not wait for a body without end', async () => {
    const peer = await listening(
      createServer((_, response) => {
        response.writeHead(200, { 'X-Oxen-Snode-Pubkey': keyHeader(key(0xab)) }).write('and so on')
      }),
    )
    expect(await ping(peer, never)).toBe(true)
  })
  it('ends after five seconds, when told to, and with a connection that says nothing of use', async () => {
    const silent = await listening(createTcpServer(() => {}))
    const timers = new ManualTimers()
    const slow = httpPing(timers)(silent, never)
    timers.advance(PING_TIMEOUT_MS - 1)
    expect(timers.delaysMs).toEqual([PING_TIMEOUT_MS])
    timers.advance(1)
    expect(await slow).toBe(false)
    const stopping = new AbortController()
    const stopped = ping(silent, stopping.signal)
    stopping.abort()
    expect(await stopped).toBe(false)
    const rude = await listening(createTcpServer(socket => socket.end('SSH-2.0 who is there\r\n')))
    expect(await ping(rude, never)).toBe(false)
    expect(await ping({ ...rude, host: '127.0.0.1\r\nx' }, never).catch(() => 'threw')).not.toBe(true)
  })
})
