/**
 * What a node has in memory (VmRSS and VmHWM of its process), idle and under the load of clients: stores of 1 KB, then retrieves of ten,
 * 16 at once. Beside it an empty process of Node, which is what no node can go below. Behind that, as orientation and without a bar: the
 * largest messages there are, 64 at once, and the largest answers, as many at once as the node's bound on answers lets it give.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Crypto, Random } from '@session-v2/crypto'
import { buildRetrieve, MESSAGE_MAX_BYTES, type RequestSigner } from '@session-v2/network'
import { type Comparison, type Figure, printComparison } from './harness.ts'
import { askAll, checkStored, type Entry, INBOX, newAccount, openEntry, residentMb, storeOf } from './node-load.ts'
import { endWithUs, newMember, startDaemon, stopProcess } from './peers/daemons.ts'
import type { Subjects } from './subjects.ts'

const SETTLE_MS = 2000
const WORKERS = 16
const STORES = 15_000
const ACCOUNTS = 500
const RETRIEVES = 6_000
const MESSAGES = 10
const LARGE_WORKERS = 64
const LARGE_STORES = 640
const LARGE_ANSWERS = 40
/** Each of about 10 MB. */
const LARGE_ANSWERS_AT_ONCE = 4

export async function benchMemory({ native, random }: Subjects): Promise<Comparison[]> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-memory-'))
  const member = await newMember(native, random)
  const node = await startDaemon(directory, member, [member])
  const entry = openEntry(node.port)
  try {
    const figures: Figure[] = [{ name: 'an empty process of Node', value: await emptyProcessMb(), unit: 'MB' }]
    const note = (name: string) => {
      const { nowMb, peakMb } = residentMb(node.pid)
      figures.push({ name, value: nowMb, unit: 'MB' }, { name: `${name}, most so far`, value: peakMb, unit: 'MB' })
    }
    await settle()
    note('a node, idle')
    const owners = Array.from({ length: ACCOUNTS }, () => newAccount(native, random))
    await storeAll(native, random, entry, owners)
    note('storing')
    await retrieveAll(native, entry, owners)
    note('retrieving')
    await settle()
    note('idle after it')
    await largest(native, random, entry)
    note('the largest messages and answers')
    const comparison = { title: 'Memory of a node', baseline: figures[0]!.name, rows: [], figures }
    printComparison(comparison)
    return [comparison]
  } finally {
    entry.agent.destroy()
    await node.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function emptyProcessMb(): Promise<number> {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  endWithUs(child)
  await settle()
  const { nowMb } = residentMb(child.pid!)
  await stopProcess(child, 'SIGTERM')
  return nowMb
}

function settle(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, SETTLE_MS))
}

async function storeAll(crypto: Crypto, random: Random, entry: Entry, owners: readonly RequestSigner[]): Promise<void> {
  const requests = Array.from({ length: STORES }, (_, i) => {
    return JSON.stringify(storeOf(crypto, random, owners[i % ACCOUNTS]!.accountId))
  })
  await askAll([entry], requests, WORKERS, answer => checkStored(answer, 1))
}

async function retrieveAll(crypto: Crypto, entry: Entry, owners: readonly RequestSigner[]): Promise<void> {
  const requests = Array.from({ length: RETRIEVES }, (_, i) => retrieveOf(crypto, owners[i % ACCOUNTS]!, { max_count: MESSAGES }))
  await askAll([entry], requests, WORKERS, ({ messages }) => {
    if (messages.length !== MESSAGES) throw new Error(`${messages.length} messages instead of ${MESSAGES}`)
  })
}

/** An account with messages of the largest size, then answers as full as they get. */
async function largest(crypto: Crypto, random: Random, entry: Entry): Promise<void> {
  const owner = newAccount(crypto, random)
  const stores = Array.from({ length: LARGE_STORES }, () => {
    return JSON.stringify(storeOf(crypto, random, owner.accountId, MESSAGE_MAX_BYTES))
  })
  await askAll([entry], stores, LARGE_WORKERS, answer => checkStored(answer, 1))
  const asked = retrieveOf(crypto, owner, { max_size: -1 })
  const retrieves = Array.from({ length: LARGE_ANSWERS }, () => asked)
  await askAll([entry], retrieves, LARGE_ANSWERS_AT_ONCE, ({ messages, more }) => {
    if (messages.length < MESSAGES || !more) throw new Error('not an answer of the largest size')
  })
}

function retrieveOf(crypto: Crypto, signer: RequestSigner, limits: Readonly<Record<string, number>>): string {
  const asked = buildRetrieve(crypto, { accountId: signer.accountId, namespace: INBOX, timestampMs: Date.now(), signer })
  return JSON.stringify({ ...asked, params: { ...asked.params, ...limits } })
}
