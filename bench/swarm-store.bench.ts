/**
 * What a swarm costs its clients: stores of 1 KB that a swarm of six nodes has acknowledged, all of them asked at one of its members,
 * beside a node that is alone in its swarm. Every node is a process of its own, the load is this one. A store counts once all six have
 * it. Here seven processes share the cores; where members have machines of their own only the entry's time counts, which stands beside.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Crypto, Random } from '@session-v2/crypto'
import { buildRetrieve, parseStoreResult } from '@session-v2/network'
import { type Comparison, median, medianRows, printComparison } from './harness.ts'
import { ask, askAll, checkStored, type Entry, INBOX, newAccount, openEntry, residentMb, storeOf } from './node-load.ts'
import { type Daemon, newMember, startDaemon } from './peers/daemons.ts'
import { cpuUs } from './storage-rpc.bench.ts'
import type { Subjects } from './subjects.ts'

const MEMBERS = 6
const ROUNDS = 7
const STORES_A_ROUND = 600
const WORKERS = 32
const ACCOUNTS = 100
/** A node that has just started answers 503 until it has compared itself with its swarm. */
const READY_TRIES = 100
const READY_PAUSE_MS = 100

interface Swarm {
  readonly name: string
  readonly daemons: readonly Daemon[]
  readonly entry: Entry
}

interface RoundResult {
  /** From the first request to the last answer, a store. */
  readonly elapsedUs: number
  readonly entryCpuUs: number
  readonly allCpuUs: number
}

export async function benchSwarmStore(subjects: Subjects): Promise<Comparison[]> {
  const { native, random } = subjects
  const directory = mkdtempSync(join(tmpdir(), 'bench-swarm-'))
  const swarms: Swarm[] = []
  try {
    for (const members of [1, MEMBERS]) swarms.push(await startSwarm(native, random, join(directory, String(members)), members))
    const results = swarms.map(() => [] as RoundResult[])
    for (let round = -1; round < ROUNDS; round++) {
      for (const [i, swarm] of swarms.entries()) {
        const result = await storeRound(subjects, swarm)
        if (round >= 0) results[i]!.push(result) // the first warms up
      }
    }
    return [report(swarms, results)]
  } finally {
    for (const { entry } of swarms) entry.agent.destroy()
    await Promise.all(swarms.flatMap(({ daemons }) => daemons.map(daemon => daemon.stop())))
    rmSync(directory, { recursive: true, force: true })
  }
}

function report(swarms: readonly Swarm[], results: readonly (readonly RoundResult[])[]): Comparison {
  const names = swarms.map(({ name }) => name)
  const rows = medianRows(
    names,
    results.map(rounds => rounds.map(({ elapsedUs }) => elapsedUs)),
  )
  const figures = swarms.flatMap(({ name, daemons }, i) => {
    const of = (read: (result: RoundResult) => number) => median(results[i]!.map(read))
    return [
      { name, value: 1e6 / of(({ elapsedUs }) => elapsedUs), unit: 'stores/s' },
      { name: `${name}, CPU of the entry`, value: of(result => result.entryCpuUs), unit: 'µs a store' },
      { name: `${name}, CPU of all nodes`, value: of(result => result.allCpuUs), unit: 'µs a store' },
      {
        name: `${name}, most memory of a node`,
        value: Math.max(...daemons.map(({ pid }) => residentMb(pid).peakMb)),
        unit: 'MB',
      },
    ]
  })
  const comparison = { title: 'Swarm, a store of 1 KB acknowledged by all members', baseline: names[0]!, rows, figures }
  printComparison(comparison)
  return comparison
}

async function startSwarm(crypto: Crypto, random: Random, directory: string, count: number): Promise<Swarm> {
  const members = await Promise.all(Array.from({ length: count }, () => newMember(crypto, random)))
  const daemons = await Promise.all(members.map((member, i) => startDaemon(join(directory, String(i)), member, members)))
  const entry = openEntry(daemons[0]!.port)
  await untilReady(crypto, random, entry, count)
  return { name: count === 1 ? 'one node' : `${count} nodes`, daemons, entry }
}

async function untilReady(crypto: Crypto, random: Random, entry: Entry, members: number): Promise<void> {
  const { accountId } = newAccount(crypto, random)
  for (let tries = 1; ; tries++) {
    try {
      return checkStored(await ask(entry, JSON.stringify(storeOf(crypto, random, accountId))), members)
    } catch (error) {
      if (tries >= READY_TRIES) throw error
    }
    await new Promise(resolve => setTimeout(resolve, READY_PAUSE_MS))
  }
}

/** Afterwards one of the accounts is asked for at each member: all of them have all of its messages. */
async function storeRound({ native, random }: Subjects, { daemons, entry }: Swarm): Promise<RoundResult> {
  const owners = Array.from({ length: ACCOUNTS }, () => newAccount(native, random))
  const requests = Array.from({ length: STORES_A_ROUND }, (_, i) => {
    return JSON.stringify(storeOf(native, random, owners[i % ACCOUNTS]!.accountId))
  })
  const before = daemons.map(({ pid }) => cpuUs(pid))
  const elapsedS = await askAll([entry], requests, WORKERS, (answer, index) => {
    checkStored(answer, daemons.length)
    if (index > 0) return
    const { stored } = parseStoreResult(native, answer)
    if (stored.length !== daemons.length) throw new Error('a member did not sign what it stored')
  })
  const cpu = daemons.map(({ pid }, i) => (cpuUs(pid) - before[i]!) / STORES_A_ROUND)
  const owner = owners[0]!
  const asked = { accountId: owner.accountId, namespace: INBOX, timestampMs: Date.now(), signer: owner }
  for (const { port } of daemons) {
    const door = openEntry(port)
    const { messages } = await ask(door, JSON.stringify(buildRetrieve(native, asked)))
    door.agent.destroy()
    if (messages.length !== STORES_A_ROUND / ACCOUNTS) throw new Error(`a member holds ${messages.length} messages of an account`)
  }
  return { elapsedUs: (elapsedS * 1e6) / STORES_A_ROUND, entryCpuUs: cpu[0]!, allCpuUs: cpu.reduce((sum, each) => sum + each, 0) }
}
