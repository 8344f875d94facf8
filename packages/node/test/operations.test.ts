/** The node as its operator sees it: a process of its own, with metrics, readiness, signals and bounds. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { encodeServiceNode } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import { parseNodeConfig } from '../src/config/node-config.ts'
import { loadIdentity } from '../src/identity.ts'
import { NodeMetrics } from '../src/operations/metrics.ts'
import { Readiness } from '../src/operations/readiness.ts'
import { systemTimers } from '../src/ports.ts'
import { startNode } from '../src/start-node.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { HOUR_MS, post } from './network-under-test.ts'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const ACCOUNT = `05${'ab'.repeat(32)}`
const MIB = 1024 * 1024
const directories: string[] = []
const children: ChildProcess[] = []

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** A folder with key and registry for one node. */
async function prepared(settings = ''): Promise<{ directory: string; file: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'operations-'))
  directories.push(directory)
  const file = join(directory, 'node.toml')
  writeFileSync(file, `port = 0\ndata_directory = "."\nregistry_file = "registry.json"\n${settings}`)
  const { ed25519, x25519 } = await loadIdentity(await loadCrypto(), systemRandom(), join(directory, 'node.key'))
  const entry = encodeServiceNode({ ed25519, x25519, host: '127.0.0.1', port: 22_021, protocol: 'http', swarmId: 1n })
  writeFileSync(join(directory, 'registry.json'), JSON.stringify({ service_node_states: [entry] }))
  return { directory, file }
}

async function startDaemon(file: string): Promise<{ child: ChildProcess; url: string }> {
  if (!existsSync(MAIN)) throw new Error('the daemon is not built: run `npm run build` first')
  const child = spawn(process.execPath, [MAIN, file], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  const line = await new Promise<string>(resolve => child.stdout!.once('data', chunk => resolve(String(chunk))))
  return { child, url: JSON.parse(line).url }
}

function exited(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  return new Promise(resolve => child.once('exit', (code, signal) => resolve(code ?? signal)))
}

function storeRequest(text: string) {
  const data = Buffer.from(text).toString('base64')
  return JSON.stringify({ method: 'store', params: { pubkey: ACCOUNT, timestamp: Date.now(), ttl: HOUR_MS, data } })
}

describe('the listener of the operator (NODE-111, NODE-112)', () => {
  async function started(settings = '') {
    const { directory, file } = await prepared(`[metrics]\nport = 0\n[log]\nlevel = "silent"\n${settings}`)
    return startNode(parseNodeConfig(readFileSync(file, 'utf8'), directory))
  }

  it('tells metrics, that the node lives, and that it is ready', async () => {
    const node = await started()
    await post(`${node.url}/storage_rpc/v1`, storeRequest('one'))
    await post(`${node.url}/storage_rpc/v1`, '{"method":"info","params":{}}')
    await post(`${node.url}/storage_rpc/v1`, '{"method":"invented","params":{}}')
    const response = await fetch(`${node.metricsUrl}/metrics`)
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const text = await response.text()
    for (const line of [
      'session_v2_node_requests_total{method="store",status="2xx"} 1',
      'session_v2_node_requests_total{method="info",status="2xx"} 1',
      'session_v2_node_requests_total{method="other",status="4xx"} 1',
      'session_v2_node_request_seconds_count{method="store"} 1',
      'session_v2_node_stores_total 1',
      'session_v2_node_store_limit_bytes 10737418240',
      'session_v2_node_swarm_peers 0',
      'session_v2_node_deliveries_waiting 0',
    ]) {
      expect(text).toContain(`\n${line}\n`)
    }
    for (const name of ['store_bytes', 'open_connections', 'received_bytes_total', 'nodejs_eventloop_lag_seconds']) {
      expect(text).toMatch(new RegExp(`\nsession_v2_node_${name} [0-9.e+-]+\n`))
    }
    for (const name of text.matchAll(/^(\w+)/gm)) expect(name[1]).toMatch(/^session_v2_node_/)
    expect(text).not.toContain(ACCOUNT.slice(2))
    expect(text).not.toContain('127.0.0.1')
    expect(await (await fetch(`${node.metricsUrl}/health`)).json()).toEqual({ live: true })
    const ready = await fetch(`${node.metricsUrl}/ready`)
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }])
    expect((await fetch(`${node.metricsUrl}/storage_rpc/v1`, { method: 'POST' })).status).toBe(404)
    await node.close()
    await expect(fetch(`${node.metricsUrl}/health`)).rejects.toThrow()
  })
  it('is not there unless configured', async () => {
    const { directory, file } = await prepared('[log]\nlevel = "silent"\n')
    const node = await startNode(parseNodeConfig(readFileSync(file, 'utf8'), directory))
    expect(node.metricsUrl).toBeUndefined()
    expect((await fetch(`${node.url}/metrics`)).status).toBe(404)
    expect((await fetch(`${node.url}/ready`)).status).toBe(404)
    await node.close()
  })
  it('has a label for each method, and one for everything else', async () => {
    const metrics = new NodeMetrics()
    for (let i = 0; i < 1000; i++) metrics.answered(`method ${i}"\n`, 400, 0.1)
    metrics.refused('account')
    metrics.gauge('deliveries_waiting', 'Deliveries', () => 7)
    const text = await metrics.registry.metrics()
    expect(text.match(/requests_total\{method/g)).toHaveLength(1)
    expect(text).toContain('session_v2_node_refused_requests_total{reason="account"} 1')
    expect(text).toContain('session_v2_node_deliveries_waiting 7')
  })
  it('gives every reason there is, and never is ready again after closing (NODE-66)', () => {
    const readiness = new Readiness()
    expect(readiness.reasons()).toEqual([])
    let synced = false
    readiness.add(() => (synced ? undefined : 'not done syncing'))
    expect(readiness.reasons()).toEqual(['not done syncing'])
    readiness.close()
    expect(readiness.reasons()).toEqual(['not done syncing', 'shutting down'])
    synced = true
    expect(readiness.reasons()).toEqual(['shutting down'])
  })
})

describe('a start that cannot be (NODE-114)', () => {
  it.each([
    ['a data directory in a file', 'node.toml/data', 'a file stands in its path'],
    ['a data directory under a device', '/dev/null/data', 'a file stands in its path'],
  ])('says what to do: %s', async (_, data, advice) => {
    const { directory } = await prepared()
    const config = parseNodeConfig(
      `port = 0\ndata_directory = "${data}"\nkey_file = "node.key"\nregistry_file = "registry.json"`,
      directory,
    )
    await expect(startNode(config)).rejects.toMatchObject({ code: 'store-failed', message: expect.stringContaining(advice) })
  })
  it('says it in one line, with status 1', async () => {
    const { directory, file } = await prepared()
    chmodSync(join(directory, 'node.key'), 0o644)
    const child = spawn(process.execPath, [MAIN, file], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', chunk => {
      said += chunk
    })
    expect(await exited(child)).toBe(1)
    expect(said).toBe(`others may read the key file ${join(directory, 'node.key')}: run chmod 600 on it\n`)
  })
})

describe('signals (NODE-115)', () => {
  it('SIGTERM under load ends with status 0, and everything acknowledged is stored', async () => {
    const { directory, file } = await prepared('[limits]\naddress_burst = 0\naccount_burst = 0\n[log]\nlevel = "error"')
    const { child, url } = await startDaemon(file)
    const acknowledged = new Set<string>()
    const client = async (name: number): Promise<void> => {
      for (let i = 0; ; i++) {
        const answer = await post(`${url}/storage_rpc/v1`, storeRequest(`${name} ${i}`)).catch(() => undefined)
        if (answer === undefined) return
        if (answer.status === 503) expect(answer.body).toBe('Service node is not ready: shutting down')
        else {
          expect(answer.status).toBe(200)
          acknowledged.add(answer.body.hash)
          if (acknowledged.size === 500) child.kill('SIGTERM')
        }
      }
    }
    const ended = exited(child)
    await Promise.all(Array.from({ length: 16 }, (_, i) => client(i)))
    expect(await ended).toBe(0)
    const clock = { nowMs: () => Date.now() }
    const store = await openSqliteStore(join(directory, 'messages.db'), { sizeLimitBytes: 1e9, clock, timers: systemTimers })
    const { messages } = await store.retrieve({ account: Buffer.from(ACCOUNT, 'hex'), namespace: 0, budgetBytes: 1e12 })
    await store.close()
    const found = new Set(messages.map(message => message.hash))
    expect(acknowledged.size).toBeGreaterThanOrEqual(500)
    expect([...acknowledged].filter(hash => !found.has(hash))).toEqual([])
  })
  it('a second one ends it at once, with its number', async () => {
    const { file } = await prepared('[log]\nlevel = "error"')
    const { child, url } = await startDaemon(file)
    // A request that does not end keeps the first signal waiting.
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write('POST /storage_rpc/v1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{')
    await post(`${url}/storage_rpc/v1`, '{"method":"info","params":{}}')
    const ended = exited(child)
    child.kill('SIGTERM')
    while ((await fetch(url).catch(() => undefined)) !== undefined) await new Promise(resolve => setImmediate(resolve))
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    socket.destroy()
  })
})

describe('memory', () => {
  const residentBytes = (child: ChildProcess) => {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))!
    return Number(kilobytes) * 1024
  }

  it.runIf(existsSync('/proc/self/status'))('is bounded while bodies of 10 MiB pour in (NODE-104)', async () => {
    const { file } = await prepared('[limits]\naddress_burst = 0\n[log]\nlevel = "error"')
    const { child, url } = await startDaemon(file)
    await post(`${url}/storage_rpc/v1`, storeRequest('first'))
    const idleBytes = residentBytes(child)
    const body = Buffer.alloc(10 * MIB, ' ')
    const agent = new Agent({ keepAlive: true, maxSockets: 60 })
    const statuses = new Map<number, number>()
    const send = (): Promise<void> =>
      new Promise(resolve => {
        const outgoing = request(`${url}/storage_rpc/v1`, { method: 'POST', agent }, response => {
          statuses.set(response.statusCode!, (statuses.get(response.statusCode!) ?? 0) + 1)
          response.resume().on('close', resolve)
        })
        outgoing.on('error', () => resolve())
        outgoing.end(body)
      })
    const flood = Promise.all(Array.from({ length: 120 }, send))
    // Who sends little is served meanwhile.
    for (let i = 0; i < 20; i++) expect((await post(`${url}/storage_rpc/v1`, storeRequest(`${i}`))).status).toBe(200)
    await flood
    agent.destroy()
    expect((statuses.get(503) ?? 0) + (statuses.get(400) ?? 0)).toBe(120)
    // Twice the bound of 64 MiB for the long bodies (read in parts, then joined), and what their text takes while it is parsed.
    expect(residentBytes(child) - idleBytes).toBeLessThan(300 * MIB)
    const ended = exited(child)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })

  it.runIf(existsSync('/proc/self/status'))('is bounded while bodies come byte by byte', async () => {
    const { file } = await prepared('[limits]\naddress_burst = 0\n[log]\nlevel = "error"')
    const { child, url } = await startDaemon(file)
    await post(`${url}/storage_rpc/v1`, storeRequest('first'))
    const idleBytes = residentBytes(child)
    const { hostname, port } = new URL(url)
    const head = 'POST /storage_rpc/v1 HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n'
    const pieces = '1\r\n \r\n'.repeat(400_000)
    const send = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(`${head}${pieces}0\r\n\r\n`))
        socket.once('data', answer => {
          resolve(String(answer))
          socket.destroy()
        })
        socket.on('error', reject)
      })
    const answers = await Promise.all(Array.from({ length: 8 }, send))
    // No JSON; or, on a busy machine, slower than bodies may be.
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 (400|408) /)
    expect(residentBytes(child) - idleBytes).toBeLessThan(150 * MIB)
    const ended = exited(child)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })
})
