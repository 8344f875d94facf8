/**
 * A device that comes back: 10,000 messages wait in its swarm, from one sender, sealed to its account key. The client of the SDK, with its
 * sealed store on disk, reads them all from a node in a process of its own. What counts is how many it opens and writes down a second, and
 * for how long it keeps the event loop, which a screen shares, from anything else at a time.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Client } from '@session-v2/client'
import { openSqliteStore } from '@session-v2/client/sqlite'
import type { Crypto, Random } from '@session-v2/crypto'
import { buildBatch, buildRetrieve, buildStore, NAMESPACE } from '@session-v2/network'
import {
  accountFromSeed,
  encodeContent,
  generateSeed,
  prepareRecipient,
  sealMessageV2,
  textContent,
  verifyAccountKeyRecord,
} from '@session-v2/protocol'
import { type Comparison, median, printComparison, round } from './harness.ts'
import { ask, type Entry } from './node-load.ts'
import type { Subjects } from './subjects.ts'

const ROUNDS = 3
const MESSAGES = 10_000
const BATCH = 20
const TTL_MS = 86_400_000
const RESOLUTION_MS = 1
const NS_PER_MS = 1e6

interface Server {
  readonly child: ChildProcess
  readonly seed: string
  readonly entry: Entry
}

interface Caught {
  readonly perMessageUs: number
  readonly longestMs: number
}

export async function benchCatchingUp({ native, random }: Subjects): Promise<Comparison[]> {
  const server = await startNode()
  const rounds: Caught[] = []
  try {
    for (let i = 0; i < ROUNDS; i++) rounds.push(await catchUp(native, random, server))
  } finally {
    server.entry.agent.destroy()
    server.child.kill('SIGTERM')
  }
  const name = 'a message, opened and written down'
  const medianUs = median(rounds.map(({ perMessageUs }) => perMessageUs))
  const figures = [
    { name: 'messages a second', value: Math.round(1e6 / medianUs), unit: '1/s' },
    {
      name: 'longest time that the event loop waited',
      value: round(Math.max(...rounds.map(each => each.longestMs))),
      unit: 'ms',
    },
  ]
  const title = `Catching up with ${MESSAGES} messages`
  const comparison = { title, baseline: name, rows: [{ name, medianUs: round(medianUs), ratio: 1 }], figures }
  printComparison(comparison)
  return [comparison]
}

async function startNode(): Promise<Server> {
  const path = fileURLToPath(new URL('./peers/one-node.js', import.meta.url))
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout! })) {
    const { port, seed } = JSON.parse(line)
    return { child, seed, entry: { port, agent: new Agent({ keepAlive: true }) } }
  }
  throw new Error('the node did not start')
}

async function catchUp(crypto: Crypto, random: Random, { seed, entry }: Server): Promise<Caught> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-catching-up-'))
  const store = await openSqliteStore(join(directory, 'client.db'))
  const unlock = { key: random.bytes(32) }
  const client = await Client.create({ store, unlock, seeds: [seed], name: 'Alice', transport: 'direct' })
  try {
    await client.sync()
    await fill(crypto, random, entry, client.accountId)
    const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
    delay.enable()
    const startMs = performance.now()
    let received = 0
    while (received < MESSAGES) {
      const more = (await client.sync()).received
      if (more === 0) throw new Error(`${received} of ${MESSAGES} messages came`)
      received += more
    }
    const tookMs = performance.now() - startMs
    delay.disable()
    return { perMessageUs: (tookMs * 1000) / MESSAGES, longestMs: delay.max / NS_PER_MS }
  } finally {
    await client.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Stores all messages at the node, under the key that it has published. */
async function fill(crypto: Crypto, random: Random, entry: Entry, accountId: Client['accountId']): Promise<void> {
  const published = await ask(
    entry,
    JSON.stringify(buildRetrieve(crypto, { accountId, namespace: NAMESPACE.accountKeys, timestampMs: Date.now() })),
  )
  const keys = verifyAccountKeyRecord(crypto, accountId, Buffer.from(published.messages[0].data, 'base64'))
  const recipient = prepareRecipient(crypto, accountId, keys)
  const sender = accountFromSeed(crypto, generateSeed(random, 13))
  const startedAtMs = Date.now() - MESSAGES
  for (let at = 0; at < MESSAGES; at += BATCH) {
    const stores = Array.from({ length: BATCH }, (_, i) => {
      const sentAtMs = startedAtMs + at + i
      const content = encodeContent(textContent({ body: `message ${at + i}`, sentAtMs, messageId: random.bytes(8) }))
      const payload = sealMessageV2(crypto, random, { sender, recipient, content })
      return buildStore(crypto, { accountId, namespace: NAMESPACE.messages, payload, timestampMs: Date.now(), ttlMs: TTL_MS })
    })
    const { results } = await ask(entry, JSON.stringify(buildBatch(stores)))
    if (results.length !== BATCH || results.some(({ code }: { code: number }) => code !== 200)) throw new Error('not stored')
  }
}
