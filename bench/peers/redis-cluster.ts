/**
 * A cluster of Redis on loopback: three masters without replicas, real processes of redis-server that keep nothing on disk, and the rate
 * at which it takes SET by Redis's own redis-benchmark.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endWithUs, freePort, stopProcess } from './daemons.ts'

const MASTERS = 3
const BUS_OFFSET = 10_000
const TRIES = 300
const PAUSE_MS = 100

export interface RedisCluster {
  readonly ports: readonly number[]
  readonly pids: readonly number[]
  stop(): Promise<void>
}

/** Of the installed redis-server; undefined where there is none. */
export function redisVersion(): string | undefined {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })
  return status === 0 ? (/v=(\S+)/.exec(stdout)?.[1] ?? 'unknown') : undefined
}

/** Resolves once the masters know of one another. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-redis-'))
  const ports: number[] = []
  const children: ChildProcess[] = []
  const stop = async () => {
    await Promise.all(children.map(child => stopProcess(child, 'SIGKILL')))
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    for (let i = 0; i < MASTERS; i++) {
      const port = await portWithBus()
      children.push(startMaster(directory, port))
      ports.push(port)
    }
    for (const port of ports) await until(() => redis(port, 'PING').includes('PONG'))
    redisCli(['--cluster', 'create', ...ports.map(port => `127.0.0.1:${port}`), '--cluster-yes'])
    for (const port of ports) await until(() => redis(port, 'CLUSTER', 'INFO').includes('cluster_state:ok'))
    return { ports, pids: children.map(child => child.pid!), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function startMaster(directory: string, port: number): ChildProcess {
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--cluster-config-file', `nodes-${port}.conf`]
  const ways = ['--cluster-enabled', 'yes', '--save', '', '--appendonly', 'no', '--loglevel', 'warning']
  const child = spawn('redis-server', [...place, ...ways], { stdio: 'ignore' })
  endWithUs(child)
  return child
}

/** SETs of values of a size to a cluster, each connection waiting for its answer; how many a second. */
export function setsPerSecond(port: number, sets: number, connections: number, valueBytes: number): number {
  const load = ['-n', String(sets), '-c', String(connections), '-d', String(valueBytes), '-r', '100000', '-P', '1']
  const said = execFileSync('redis-benchmark', ['--cluster', '-p', String(port), '-t', 'set', ...load, '--csv'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const rate = /^"SET","([\d.]+)"/m.exec(said)?.[1]
  if (rate === undefined) throw new Error(`redis-benchmark says no rate: ${said.slice(0, 200)}`)
  return Number(rate)
}

async function portWithBus(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port + BUS_OFFSET > 65_535) continue
    const isFree = await freePort(port + BUS_OFFSET).catch(() => undefined)
    if (isFree !== undefined) return port
  }
}

function redis(port: number, ...command: readonly string[]): string {
  return redisCli(['-p', String(port), ...command])
}

function redisCli(args: readonly string[]): string {
  return execFileSync('redis-cli', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      if (holds()) return
    } catch {
      // not there yet
    }
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
  }
  throw new Error('the cluster of Redis did not come up')
}
