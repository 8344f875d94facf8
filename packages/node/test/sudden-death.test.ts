import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { encodeServiceNode } from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadIdentity } from '../src/identity.ts'
import { systemTimers } from '../src/ports.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { HOUR_MS, post } from './network-under-test.ts'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const ROUNDS = 6
const CONNECTIONS = 16
const ACCOUNT = `05${'ab'.repeat(32)}`

let directory: string
let configFile: string

beforeAll(async () => {
  if (!existsSync(MAIN)) throw new Error('the daemon is not built: run `npm run build` first')
  directory = mkdtempSync(join(tmpdir(), 'sudden-death-'))
  configFile = join(directory, 'node.toml')
  writeFileSync(configFile, 'port = 0\ndata_directory = "."\nregistry_file = "registry.json"\n[log]\nlevel = "error"\n')
  const { ed25519, x25519 } = await loadIdentity(await loadCrypto(), systemRandom(), join(directory, 'node.key'))
  const entry = encodeServiceNode({ ed25519, x25519, host: '127.0.0.1', port: 22_021, protocol: 'http', swarmId: 1n })
  writeFileSync(join(directory, 'registry.json'), JSON.stringify({ service_node_states: [entry] }))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function startDaemon(): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [MAIN, configFile], { stdio: ['ignore', 'pipe', 'inherit'] })
  const line = await new Promise<string>(resolve => child.stdout!.once('data', chunk => resolve(String(chunk))))
  return { child, url: JSON.parse(line).url }
}

function exit(child: ChildProcess): Promise<number | null> {
  return new Promise(resolve => child.once('exit', resolve))
}

/** Stores without pause until the node is gone; tells each hash that was acknowledged. */
async function storeUntilDeath(url: string, name: string, acknowledge: (hash: string) => void): Promise<void> {
  for (let i = 0; ; i++) {
    const data = Buffer.from(`${name} ${i}`).toString('base64')
    const params = { pubkey: ACCOUNT, timestamp: Date.now(), ttl: HOUR_MS, data }
    const answer = await post(`${url}/storage_rpc/v1`, JSON.stringify({ method: 'store', params })).catch(() => undefined)
    if (answer === undefined) return
    expect(answer.status).toBe(200)
    acknowledge(answer.body.hash)
  }
}

describe('SIGKILL while stores arrive (NODE-21)', () => {
  it('loses nothing that was acknowledged', async () => {
    const acknowledged = new Set<string>()
    for (let round = 0; round < ROUNDS; round++) {
      const { child, url } = await startDaemon()
      // In the midst of the other stores, a little later each time.
      const enough = acknowledged.size + 40 * (round + 1)
      const acknowledge = (hash: string) => {
        acknowledged.add(hash)
        if (acknowledged.size >= enough) child.kill('SIGKILL')
      }
      const clients = Array.from({ length: CONNECTIONS }, (_, i) => storeUntilDeath(url, `${round} ${i}`, acknowledge))
      await Promise.all([exit(child), ...clients])
      expect(acknowledged.size).toBeGreaterThanOrEqual(enough)
    }
    const clock = { nowMs: () => Date.now() }
    const store = await openSqliteStore(join(directory, 'messages.db'), { sizeLimitBytes: 1e9, clock, timers: systemTimers })
    const account = Buffer.from(ACCOUNT, 'hex')
    const { messages } = await store.retrieve({ account, namespace: 0, budgetBytes: 1e12 })
    await store.close()
    const found = new Set(messages.map(message => message.hash))
    expect([...acknowledged].filter(hash => !found.has(hash))).toEqual([])
  })
})

describe('the daemon', () => {
  it('ends on SIGTERM with status 0', async () => {
    const { child } = await startDaemon()
    const ended = exit(child)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })
  it('says in one line what is wrong with its configuration, and ends with status 1', async () => {
    const broken = join(directory, 'broken.toml')
    writeFileSync(broken, 'port = 0\n')
    const child = spawn(process.execPath, [MAIN, broken], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', chunk => {
      said += chunk
    })
    expect(await exit(child)).toBe(1)
    expect(said).toBe('configuration: data_directory is missing\n')
  })
})
