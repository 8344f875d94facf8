/**
 * What a second front end adds: acknowledged stores of 1 KB through two front ends of one node on one cluster of Redis (three masters),
 * beside those through one of them, the same number under way, in alternating rounds. Every front end is a process of the daemon.
 *
 * A second front end is a second machine. Here load, masters and front ends share the cores, and on two cores there is none left for the
 * second one: measured as it is, this tells how many cores there are. So it is measured twice. "Sharing the cores" is the plain figure.
 * "A share of a core each" holds each front end to so little CPU time (`peers/core-share.ts`) that load and masters always find a core
 * idle, as if it had a machine of its own, a small one; the bar is judged by this, and what each of them used stands beside it. What the
 * masters use for a store tells how far it goes: a master that is busy all the time ends it. Where front ends used less than their share the
 * machine was busy with something else, and the figure is worth nothing.
 *
 * SET by redis-benchmark, not pipelined, with as many connections, is the most that the cluster could take.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Comparison, type Figure, median, medianRows, printComparison } from './harness.ts'
import { askAll, checkStored, type Entry, MESSAGE_BYTES, newAccount, openEntry, storeOf } from './node-load.ts'
import { type Daemon, endWithUs, freePort, newMember, startDaemon, stopProcess } from './peers/daemons.ts'
import { type RedisCluster, redisVersion, setsPerSecond, startRedisCluster } from './peers/redis-cluster.ts'
import { cpuUs } from './storage-rpc.bench.ts'
import type { Subjects } from './subjects.ts'

const ROUNDS = 5
const STORES_A_ROUND = 1200
/** A front end that is held takes longer: fewer, for as long. */
const HELD_STORES_A_ROUND = 500
const WORKERS = 32
const ACCOUNTS = 200
const SETS_A_ROUND = 20_000
/** Of a core, for each front end that is held. */
const SHARE = 0.25
const FRONT_ENDS = 2

interface Setting extends Subjects {
  readonly cluster: RedisCluster
  readonly frontEnds: readonly Daemon[]
}

interface RoundResult {
  readonly elapsedUs: number
  /** Of all front ends and of all masters, a store. */
  readonly cpuUs: number
  readonly mastersCpuUs: number
  /** Of a core, that each front end in use had. */
  readonly share: number
}

export async function benchFrontEnds(subjects: Subjects): Promise<Comparison[]> {
  if (redisVersion() === undefined) {
    console.log('\nFront ends on a cluster of Redis: left out, redis-server is not installed')
    return []
  }
  const directory = mkdtempSync(join(tmpdir(), 'bench-front-ends-'))
  const cluster = await startRedisCluster()
  let frontEnds: Daemon[] = []
  try {
    frontEnds = await startFrontEnds(subjects, directory, cluster)
    const setting = { ...subjects, cluster, frontEnds }
    const plain = await compareFrontEnds('Front ends, sharing the cores', setting, STORES_A_ROUND, true)
    const share = await holdToShare(frontEnds)
    const held = await compareFrontEnds('Front ends, a share of a core each', setting, HELD_STORES_A_ROUND, false)
    share.stdin!.end()
    await new Promise(resolve => share.once('exit', resolve))
    return [plain, held]
  } finally {
    await Promise.all(frontEnds.map(frontEnd => frontEnd.stop()))
    await cluster.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Daemons of one key, listed once. */
async function startFrontEnds({ native, random }: Subjects, directory: string, cluster: RedisCluster): Promise<Daemon[]> {
  const member = await newMember(native, random)
  const nodes = cluster.ports.map(port => `"127.0.0.1:${port}"`).join(', ')
  const settings = `[store]\nkind = "redis"\nnodes = [${nodes}]\nacknowledge_replicas = 0\n`
  const ports = await Promise.all(Array.from({ length: FRONT_ENDS }, () => freePort()))
  return Promise.all(ports.map((port, i) => startDaemon(join(directory, String(i)), member, [member], { settings, port })))
}

async function holdToShare(frontEnds: readonly Daemon[]): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('./peers/core-share.js', import.meta.url))
  const child = spawn(process.execPath, [script, String(SHARE), ...frontEnds.map(({ pid }) => String(pid))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  endWithUs(child)
  for await (const _ of createInterface({ input: child.stdout! })) return child
  await stopProcess(child, 'SIGKILL')
  throw new Error('nothing holds the front ends to their share')
}

async function compareFrontEnds(title: string, setting: Setting, stores: number, withSet: boolean): Promise<Comparison> {
  const { cluster, frontEnds } = setting
  const names = ['one front end', 'two front ends']
  const results = names.map(() => [] as RoundResult[])
  const sets: number[] = []
  for (let round = -1; round < ROUNDS; round++) {
    for (const [i, rounds] of results.entries()) {
      const result = await storeRound(setting, frontEnds.slice(0, i + 1), stores)
      if (round >= 0) rounds.push(result) // the first warms up
    }
    if (withSet && round >= 0) sets.push(1e6 / setsPerSecond(cluster.ports[0]!, SETS_A_ROUND, WORKERS, MESSAGE_BYTES))
  }
  const elapsed = results.map(rounds => rounds.map(({ elapsedUs }) => elapsedUs))
  const rows = medianRows(withSet ? [...names, 'Redis alone, SET of 1 KB'] : names, withSet ? [...elapsed, sets] : elapsed)
  const figures: Figure[] = names.flatMap((name, i) => {
    const of = (read: (result: RoundResult) => number) => median(results[i]!.map(read))
    return [
      { name, value: 1e6 / of(({ elapsedUs }) => elapsedUs), unit: 'stores/s' },
      { name: `${name}, used by each`, value: of(({ share }) => share), unit: 'cores' },
      { name: `${name}, CPU`, value: of(result => result.cpuUs), unit: 'µs a store' },
      { name: `${name}, CPU of all masters`, value: of(result => result.mastersCpuUs), unit: 'µs a store' },
    ]
  })
  const comparison = { title: `${title}: a store of 1 KB, Redis ${redisVersion()}`, baseline: names[0]!, rows, figures }
  printComparison(comparison)
  return comparison
}

async function storeRound(
  { native, random, cluster }: Setting,
  frontEnds: readonly Daemon[],
  stores: number,
): Promise<RoundResult> {
  const owners = Array.from({ length: ACCOUNTS }, () => newAccount(native, random))
  const requests = Array.from({ length: stores }, (_, i) => {
    return JSON.stringify(storeOf(native, random, owners[i % ACCOUNTS]!.accountId))
  })
  const entries: Entry[] = frontEnds.map(({ port }) => openEntry(port))
  const usedUs = (pids: readonly number[]) => pids.reduce((sum, pid) => sum + cpuUs(pid), 0)
  const pids = frontEnds.map(({ pid }) => pid)
  const before = [usedUs(pids), usedUs(cluster.pids)] as const
  const elapsedS = await askAll(entries, requests, WORKERS, answer => checkStored(answer, 1))
  const cpu = usedUs(pids) - before[0]
  const mastersCpu = usedUs(cluster.pids) - before[1]
  for (const { agent } of entries) agent.destroy()
  const share = cpu / frontEnds.length / (elapsedS * 1e6)
  return { elapsedUs: (elapsedS * 1e6) / stores, cpuUs: cpu / stores, mastersCpuUs: mastersCpu / stores, share }
}
