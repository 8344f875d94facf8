import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCrypto } from '@session-v2/crypto'
import { NO_SWARM } from '@session-v2/network'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { SWEEP_INTERVAL_MS, startExpirySweep } from '../src/expiry-sweep.ts'
import { HttpServer } from '../src/http/http-server.ts'
import { identityFromSeed } from '../src/identity.ts'
import { startLocalNetwork } from '../src/local-network.ts'
import { describeException, openLog } from '../src/log.ts'
import { composeNode } from '../src/node.ts'
import { systemClock, systemTimers, type Timers } from '../src/ports.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { ManualClock } from './manual-clock.ts'
import { post } from './network-under-test.ts'

const file = join(tmpdir(), `failures-${process.pid}`)
/** Every write to it fails like one to a full disk. Not every system has it; /dev/null at least proves that the test stands. */
const FULL_DISK = existsSync('/dev/full') ? '/dev/full' : '/dev/null'

afterEach(() => {
  for (const suffix of ['.log', '.db', '.db-wal', '.db-shm']) rmSync(file + suffix, { force: true })
})

describe('an exception nobody foresaw (NODE-01)', () => {
  it('is 500, and logged by kind and place without its text', async () => {
    const log = openLog({ level: 'error', file: `${file}.log` })
    const fail = (): never => {
      throw new TypeError('cannot read secret-payload\n    at secret-payload')
    }
    const limits = { maxBodyBytes: 100, bodyTimeoutMs: 1000, corsOrigins: 'none' as const }
    const server = new HttpServer({ routes: { 'POST /': fail }, software: 'x', ...limits, log, timers: systemTimers })
    const port = await server.listen('127.0.0.1', 0)
    expect(await post(`http://127.0.0.1:${port}/`, '')).toMatchObject({ status: 500, body: 'request failed' })
    await server.close()
    const written = readFileSync(`${file}.log`, 'utf8')
    expect(written).toContain('TypeError')
    expect(written).toContain('failures.test')
    expect(written).not.toContain('secret-payload')
  })
  it('while accepting connections does not end the process, however often', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen')
    const log = openLog({ level: 'error', file: `${file}.log` })
    const limits = { maxBodyBytes: 100, bodyTimeoutMs: 1000, corsOrigins: 'none' as const }
    const server = new HttpServer({ routes: {}, software: 'x', ...limits, log, timers: systemTimers })
    await server.listen('127.0.0.1', 0)
    const [inner] = listen.mock.contexts as Server[]
    listen.mockRestore()
    for (let i = 0; i < 2; i++) inner!.emit('error', Object.assign(new Error('accept ENFILE'), { code: 'ENFILE' }))
    await server.close()
    expect(readFileSync(`${file}.log`, 'utf8').match(/ENFILE/g)).toHaveLength(2)
  })
  it('may be anything that can be thrown', () => {
    expect(describeException('text')).toEqual({ exception: 'string', stack: [] })
    expect(describeException(Object.assign(new RangeError('x'), { code: 'E' }))).toMatchObject({
      exception: 'RangeError',
      code: 'E',
    })
  })
})

describe('a log that cannot be written', () => {
  it('costs its lines, not the node: the disk is full', async () => {
    const directory = mkdtempSync(file)
    const log = { level: 'debug' as const, file: FULL_DISK }
    const network = await startLocalNetwork({ nodes: 2, swarms: 1, dataDirectory: directory, log })
    await network.nodes[1]!.close()
    const account = '05'.padEnd(66, 'a')
    const store = { method: 'store', params: { pubkey: account, data: 'AAAA', timestamp: Date.now(), ttl: 60_000 } }
    expect(await post(`${network.nodes[0]!.url}/storage_rpc/v1`, JSON.stringify(store))).toMatchObject({ status: 200 })
    await network.close()
    rmSync(directory, { recursive: true })
  })
  it('stops the start when its file cannot be opened', () => {
    expect(() => openLog({ level: 'info', file: tmpdir() })).toThrow(expect.objectContaining({ code: 'bad-config' }))
  })
})

describe('a node that is in no swarm', () => {
  it('answers 503, and may be listed as such (NODE-04, NODE-66)', async () => {
    const crypto = await loadCrypto()
    const node = await composeNode({
      host: '127.0.0.1',
      port: 0,
      databaseFile: `${file}.db`,
      databaseLimitBytes: 1e8,
      bodyTimeoutMs: 1000,
      corsOrigins: 'none',
      crypto,
      identity: identityFromSeed(crypto, randomBytes(32)),
      clock: systemClock,
      timers: systemTimers,
      log: openLog({ level: 'silent' }),
    })
    const { ed25519, x25519, port } = node
    const isNotReady = async () => {
      for (const path of ['/storage_rpc/v1', '/swarm_rpc/v1']) {
        const answer = await post(`http://127.0.0.1:${port}${path}`, '{"method":"info","params":{}}')
        expect(answer).toMatchObject({ status: 503, body: 'Service node is not ready: not in any swarm' })
      }
    }
    await isNotReady()
    expect(() => node.join([])).toThrow(expect.objectContaining({ code: 'bad-registry' }))
    const place = { host: '127.0.0.1', port, protocol: 'http' as const }
    expect(node.join([{ ed25519, x25519, ...place, swarmId: NO_SWARM }]).swarm).toBe('f'.repeat(16))
    await isNotReady()
    await node.close()
  })
})

describe('the sweep', () => {
  it('runs every ten seconds until it is stopped (NODE-23)', async () => {
    const clock = new ManualClock()
    const store = await openSqliteStore(`${file}.db`, { sizeLimitBytes: 1e8, clock, timers: systemTimers })
    const account = new Uint8Array(33)
    const times = { timestampMs: clock.ms, expiryMs: clock.ms + 1000 }
    await store.store({ account, namespace: 0, hash: 'A'.repeat(43), data: account, ...times }, false, {
      atMs: clock.ms,
      mode: 'asked',
    })
    const due: { delayMs: number; run: () => void }[] = []
    const after: Timers['after'] = (delayMs, run) => {
      due.push({ delayMs, run })
      return () => due.pop()
    }
    const stop = startExpirySweep(store, { ...systemTimers, after }, openLog({ level: 'silent' }))
    expect(due.map(timer => timer.delayMs)).toEqual([SWEEP_INTERVAL_MS])
    clock.ms += 1000
    due.shift()!.run()
    while (due.length === 0) await new Promise(resolve => setImmediate(resolve))
    expect(await store.count()).toBe(0)
    stop()
    expect(due).toEqual([])
    await store.close()
  })
})
