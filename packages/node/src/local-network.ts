/** A whole network in one process: nodes in swarms and a seed, on loopback (clause NODE-05). */
import { join } from 'node:path'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import type { ServiceNode } from '@session-v2/network'
import { type CorsOrigins, DEFAULT_BODY_TIMEOUT_MS, DEFAULT_DATABASE_LIMIT_BYTES, type LogConfig } from './config/node-config.ts'
import { loadIdentity } from './identity.ts'
import { type Log, openLog } from './log.ts'
import { composeNode, type ListeningNode, type RunningNode } from './node.ts'
import { NodeError } from './node-error.ts'
import { type Clock, systemClock, systemTimers, type Timers } from './ports.ts'
import { type RunningSeed, startSeed } from './seed.ts'

export interface LocalNetworkOptions {
  /** Default 9. */
  readonly nodes?: number
  /** Default 3; nodes are dealt to swarms in turn. */
  readonly swarms?: number
  /** Holds one folder a node; everything in it is used again by the next start. */
  readonly dataDirectory: string
  /** Port of the seed; nodes follow on the next ones. 0, the default: any free ports. */
  readonly port?: number
  readonly databaseLimitBytes?: number
  readonly bodyTimeoutMs?: number
  readonly corsOrigins?: CorsOrigins
  /** Default: warnings to standard error. */
  readonly log?: LogConfig
  readonly clock?: Clock
  readonly timers?: Timers
}

export interface LocalNetwork {
  readonly seedUrl: string
  readonly nodes: readonly RunningNode[]
  close(): Promise<void>
}

const HOST = '127.0.0.1'
const MAX_PORT = 65_535

/** Resolves once every node serves. Rejects with NodeError. */
export async function startLocalNetwork(options: LocalNetworkOptions): Promise<LocalNetwork> {
  const { nodes: nodeCount = 9, swarms: swarmCount = 3, port = 0 } = options
  if (!(Number.isInteger(nodeCount) && Number.isInteger(swarmCount) && swarmCount >= 1 && swarmCount <= nodeCount)) {
    throw new NodeError('bad-config', `${nodeCount} nodes cannot form ${swarmCount} swarms: each needs at least one`)
  }
  if (!(Number.isInteger(port) && port >= 0 && (port === 0 || port + nodeCount <= MAX_PORT))) {
    throw new NodeError('bad-config', `${port} and the ${nodeCount} numbers after it are not all ports`)
  }
  const log = openLog(options.log ?? { level: 'warn' })
  const started: { close(): Promise<void> }[] = []
  try {
    const nodes: ListeningNode[] = []
    for (let i = 0; i < nodeCount; i++) {
      const node = await startMember(options, log, i, port === 0 ? 0 : port + 1 + i)
      nodes.push(node)
      started.push(node)
    }
    const registry = nodes.map((node, i) => serviceNode(node, swarmId(i % swarmCount, swarmCount)))
    const seed = await startLocalSeed(options, port, registry)
    started.push(seed)
    return { seedUrl: seed.url, nodes: nodes.map(node => node.join(registry)), close: () => closeAll(started) }
  } catch (error) {
    await closeAll(started)
    throw error
  }
}

async function startMember(options: LocalNetworkOptions, log: Log, index: number, port: number): Promise<ListeningNode> {
  const directory = join(options.dataDirectory, `node-${index + 1}`)
  const crypto = await loadCrypto()
  const { clock = systemClock, timers = systemTimers } = options
  const identity = await loadIdentity(crypto, systemRandom(), join(directory, 'node.key'))
  return composeNode({
    host: HOST,
    port,
    databaseFile: join(directory, 'messages.db'),
    databaseLimitBytes: options.databaseLimitBytes ?? DEFAULT_DATABASE_LIMIT_BYTES,
    bodyTimeoutMs: options.bodyTimeoutMs ?? DEFAULT_BODY_TIMEOUT_MS,
    corsOrigins: options.corsOrigins ?? 'loopback',
    crypto,
    identity,
    clock,
    timers,
    log,
  })
}

function startLocalSeed(options: LocalNetworkOptions, port: number, nodes: readonly ServiceNode[]): Promise<RunningSeed> {
  return startSeed({ host: HOST, port, nodes: () => nodes, ...(options.log !== undefined && { log: options.log }) })
}

function serviceNode(node: ListeningNode, swarmId: bigint): ServiceNode {
  return { ed25519: node.ed25519, x25519: node.x25519, host: HOST, port: node.port, protocol: 'http', swarmId }
}

/** The middle of the i-th of `count` equal parts of the ring. */
function swarmId(i: number, count: number): bigint {
  return ((2n * BigInt(i) + 1n) << 64n) / (2n * BigInt(count))
}

async function closeAll(parts: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(parts.map(part => part.close()))
}
