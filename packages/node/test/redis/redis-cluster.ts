/** A cluster of Redis for tests: real processes on free ports of loopback, each with a folder of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

const SLOTS = 16_384
const BUS_OFFSET = 10_000

/** Where there is no engine these tests cannot run; the machines that judge a change have one. */
export const hasRedis = process.env.CI === 'true' || spawnSync('redis-server', ['--version']).status === 0

export interface RedisNode {
  readonly address: string
  readonly process: ChildProcess
  readonly client: Redis
}

export interface RedisCluster {
  readonly masters: readonly RedisNode[]
  readonly replicas: readonly RedisNode[]
  readonly addresses: readonly string[]
  /** Starts a node that died once more, empty: it becomes a replica of whoever took its place. */
  restart(node: RedisNode): Promise<void>
  close(): Promise<void>
}

/** A certificate that signed itself, and its key. */
export interface TlsFiles {
  readonly certificateFile: string
  readonly keyFile: string
}

/** Starts `masters` masters, each with `replicasEach` replicas, and waits until all of them know of one another. */
export async function startCluster(
  masters: number,
  replicasEach: number,
  settings: readonly string[] = [],
  tls?: TlsFiles,
): Promise<RedisCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'redis-cluster-'))
  const nodes: RedisNode[] = []
  const close = async () => {
    for (const { process: child, client } of nodes) {
      client.disconnect()
      const ended = child.exitCode !== null || child.signalCode !== null
      if (ended) continue
      const exit = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGKILL')
      await exit
    }
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    for (let i = 0; i < masters * (1 + replicasEach); i++) nodes.push(await startNode(directory, settings, tls))
    await joinCluster(nodes, masters)
    const restart = async (node: RedisNode) => {
      nodes.push(await startNode(directory, settings, tls, Number(node.address.split(':')[1])))
    }
    const addresses = nodes.map(one => one.address)
    return { masters: nodes.slice(0, masters), replicas: nodes.slice(masters), addresses, restart, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function startNode(
  directory: string,
  settings: readonly string[],
  tls: TlsFiles | undefined,
  oldPort?: number,
): Promise<RedisNode> {
  const port = oldPort ?? (await freePort())
  const own = [
    ...portSettings(port, tls),
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--cluster-config-file',
    `nodes-${port}.conf`,
  ]
  const fixed = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--save', '', '--appendonly', 'no']
  const quiet = ['--loglevel', 'warning', '--dbfilename', `dump-${port}.rdb`, '--repl-diskless-sync-delay', '0']
  const child = spawn('redis-server', [...own, ...fixed, ...quiet, ...settings], { stdio: 'ignore' })
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.removeListener('exit', end))
  const client = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: times => (times < 100 ? 100 : null),
    ...(tls && { tls: { ca: readFileSync(tls.certificateFile) } }),
  })
  client.on('error', () => {})
  await client.ping()
  return { address: `127.0.0.1:${port}`, process: child, client }
}

function portSettings(port: number, tls: TlsFiles | undefined): string[] {
  if (tls === undefined) return ['--port', String(port)]
  const files = ['--tls-cert-file', tls.certificateFile, '--tls-key-file', tls.keyFile, '--tls-ca-cert-file', tls.certificateFile]
  return ['--port', '0', '--tls-port', String(port), '--tls-cluster', 'yes', '--tls-auth-clients', 'no', ...files]
}

/** A port that is free now, as is the one of the bus beside it. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = await tryPort(0)
    if (port === undefined || port + BUS_OFFSET > 65_535) continue
    if ((await tryPort(port + BUS_OFFSET)) !== undefined) return port
  }
}

function tryPort(wanted: number): Promise<number | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined))
    })
  })
}

async function joinCluster(nodes: readonly RedisNode[], masters: number): Promise<void> {
  const [first] = nodes
  for (const [i, { client }] of nodes.entries()) {
    await client.cluster('SET-CONFIG-EPOCH', i + 1)
    if (i >= masters) continue
    await client.cluster('ADDSLOTSRANGE', Math.floor((i * SLOTS) / masters), Math.floor(((i + 1) * SLOTS) / masters) - 1)
  }
  for (const { address } of nodes.slice(1)) {
    const [host, port] = address.split(':') as [string, string]
    await first!.client.cluster('MEET', host, port)
  }
  await until(() => all(nodes, async ({ client }) => clusterField(client, 'cluster_known_nodes', String(nodes.length))))
  for (const [i, { client }] of nodes.entries()) {
    if (i < masters) continue
    await client.cluster('REPLICATE', (await nodes[i % masters]!.client.cluster('MYID')) as string)
  }
  await until(() => all(nodes, async ({ client }) => clusterField(client, 'cluster_state', 'ok')))
  await until(() =>
    all(nodes.slice(masters), async ({ client }) => (await client.info('replication')).includes('link_status:up')),
  )
}

async function clusterField(client: Redis, name: string, value: string): Promise<boolean> {
  return (await client.cluster('INFO')).includes(`${name}:${value}`)
}

async function all<T>(values: readonly T[], check: (value: T) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(values.map(check))).every(Boolean)
}

/** Waits for what the cluster does in its own time. */
export async function until(check: () => Promise<boolean>): Promise<void> {
  for (let tried = 0; tried < 600; tried++) {
    if (await check()) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error('the cluster did not come to be as it should within a minute')
}
