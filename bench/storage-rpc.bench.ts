/**
 * What one acknowledged store of 1 KB costs a storage node in CPU time, next to the least that can be called a storage server. Both
 * are processes of their own; this one is the load, over kept-alive connections, in alternating rounds. CPU time is the operating
 * system's (Linux: /proc), so that the load's own cost does not count.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { encodeBase64 } from '@session-v2/encoding'
import { type Comparison, median, printComparison, round } from './harness.ts'

const ROUNDS = 7
const STORES_A_ROUND = 4000
const CONNECTIONS = 16
const MESSAGE_BYTES = 1024
/** Mailboxes that the messages go to in turn. */
const ACCOUNTS = 500
const TTL_MS = 86_400_000

interface Server {
  readonly name: string
  readonly child: ChildProcess
  readonly port: number
  readonly agent: Agent
}

interface RoundResult {
  readonly cpuUs: number
  readonly storesPerSecond: number
}

export async function benchStorageRpc(): Promise<Comparison[]> {
  const servers = [await startServer('naive server', 'naive-store.js'), await startServer('session-v2 node', 'one-node.js')]
  const results = servers.map(() => [] as RoundResult[])
  try {
    for (const server of servers) await loadRound(server, STORES_A_ROUND / 2)
    for (let i = 0; i < ROUNDS; i++) {
      for (const [index, server] of servers.entries()) results[index]!.push(await loadRound(server, STORES_A_ROUND))
    }
  } finally {
    for (const server of servers) stopServer(server)
  }
  const cpu = results.map(rounds => median(rounds.map(result => result.cpuUs)))
  const rows = servers.map((server, i) => ({
    name: server.name,
    medianUs: round(cpu[i]!),
    ratio: round(cpu[i]! / cpu[0]!),
  }))
  const comparison = { title: 'Store: CPU per acknowledged 1 KB over HTTP', baseline: 'naive server', rows }
  printComparison(comparison)
  for (const [i, server] of servers.entries()) {
    const rate = median(results[i]!.map(result => result.storesPerSecond))
    console.log(`  ${server.name.padEnd(44)}${rate.toFixed(0).padStart(10)} stores/s, the load on the same machine`)
  }
  return [comparison]
}

async function startServer(name: string, script: string): Promise<Server> {
  const path = fileURLToPath(new URL(`./peers/${script}`, import.meta.url))
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout! })) {
    const { port } = JSON.parse(line)
    return { name, child, port, agent: new Agent({ keepAlive: true, maxSockets: CONNECTIONS }) }
  }
  throw new Error(`${name} did not start`)
}

function stopServer(server: Server): void {
  server.agent.destroy()
  server.child.kill('SIGTERM')
}

async function loadRound(server: Server, stores: number): Promise<RoundResult> {
  const bodies = Array.from({ length: stores }, storeRequest)
  const cpuBefore = cpuUs(server.child.pid!)
  const start = process.hrtime.bigint()
  let next = 0
  const worker = async () => {
    while (next < bodies.length) await post(server, bodies[next++]!)
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  const elapsedS = Number(process.hrtime.bigint() - start) / 1e9
  return { cpuUs: (cpuUs(server.child.pid!) - cpuBefore) / stores, storesPerSecond: stores / elapsedS }
}

const accounts = Array.from({ length: ACCOUNTS }, () => `05${Buffer.from(randomBytes(32)).toString('hex')}`)

function randomBytes(sizeBytes: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(sizeBytes))
}

/** A store of fresh random bytes, in the form every client sends. */
function storeRequest(_: unknown, index: number): string {
  const account = accounts[index % ACCOUNTS]
  const data = encodeBase64(randomBytes(MESSAGE_BYTES))
  return JSON.stringify({ method: 'store', params: { pubkey: account, timestamp: Date.now(), ttl: TTL_MS, data } })
}

function post({ port, agent, name }: Server, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const options = { host: '127.0.0.1', port, path: '/storage_rpc/v1', method: 'POST', agent, headers }
    const outgoing = request(options, response => {
      response.resume()
      response.on('end', () => {
        if (response.statusCode === 200) resolve()
        else reject(new Error(`${name} answered ${response.statusCode}`))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** Time that the threads of a process have run so far, in microseconds. */
export function cpuUs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = threads.map(thread => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1000
}
