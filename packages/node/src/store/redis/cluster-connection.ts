/**
 * The cluster as the store uses it (clauses NODE-140, NODE-144): commands and scripts that reach one master each, tried again for some
 * seconds while the cluster finds a new one, then refused. What was sent and not answered is tried again only where that does no harm.
 */
import { readFile } from 'node:fs/promises'
import { Cluster, type ClusterOptions } from 'ioredis'
import type { RedisStoreConfig } from '../../config/store-config.ts'
import { NodeError } from '../../node-error.ts'
import type { Timers } from '../../ports.ts'
import type { Script } from './script.ts'

export type Argument = string | number | Uint8Array
/** What a script answers; texts and bytes are buffers. */
export type Reply = Buffer | number | null | Reply[]

/** Commands that wait for an answer, or to be tried again. */
export const WAITING_MAX = 20_000
/** How long a command is tried again from its first failure. */
const TRIED_MS = 5000
const PAUSE_MS = 100
const CONNECT_MS = 2000
const COMMAND_MS = 5000
/** How long replicas have to take a write. */
const REPLICAS_MS = 2000

/** A connection that waits for replicas takes nothing else meanwhile: then there are so many to each master. */
const ABREAST = 8

/** The engine did nothing, and says so. */
const REFUSED = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN|LOADING|MASTERDOWN|READONLY|BUSY)\b|isn't ready|Too many Cluster redirections/
/** Nobody knows whether it did. */
const UNANSWERED = /Connection is closed|ECONN|EPIPE|Stream isn't writeable|Command timed out|startup nodes/

export class ClusterConnection {
  readonly #clusters: readonly [Cluster, ...Cluster[]]
  readonly #timers: Timers
  readonly #replicas: number
  /** Under which name the engine knows a script: it is asked once. */
  readonly #names = new Map<Script, string>()
  #waiting = 0
  #turn = 0
  #closed = false

  constructor(clusters: readonly [Cluster, ...Cluster[]], timers: Timers, replicas: number) {
    this.#clusters = clusters
    this.#timers = timers
    this.#replicas = replicas
  }

  /** Runs a script that may run twice: it only reads, or knows that it ran. */
  run(script: Script, key: string, args: readonly Argument[]): Promise<Reply> {
    return this.#attempt(true, () => this.#evaluate(script, key, args, false))
  }

  /** The same, of one that writes: resolves once as many replicas as configured have it. */
  write(script: Script, key: string, args: readonly Argument[]): Promise<Reply> {
    return this.#attempt(true, () => this.#evaluate(script, key, args, true))
  }

  /** Of one that must not run twice: fails where nobody knows whether it ran. */
  writeOnce(script: Script, key: string, args: readonly Argument[]): Promise<Reply> {
    return this.#attempt(false, () => this.#evaluate(script, key, args, true))
  }

  /** A command that may run twice. */
  command(name: string, args: readonly Argument[]): Promise<Reply> {
    return this.#attempt(true, () => this.#clusters[0].callBuffer(name, [...args].map(toArgument)) as Promise<Reply>)
  }

  /** What each master says of its memory. */
  async memory(): Promise<string[]> {
    return this.#attempt(true, () => Promise.all(this.#clusters[0].nodes('master').map(node => node.info('memory'))))
  }

  close(): void {
    this.#closed = true
    for (const cluster of this.#clusters) cluster.disconnect()
  }

  async #evaluate(script: Script, key: string, args: readonly Argument[], isWrite: boolean): Promise<Reply> {
    const name = this.#names.get(script) ?? (await this.#nameOf(script, key))
    try {
      return await this.#send('evalsha', name, key, args, isWrite)
    } catch (cause) {
      if (!textOf(cause).startsWith('NOSCRIPT')) throw cause
      return this.#send('eval', script.text, key, args, isWrite)
    }
  }

  async #nameOf(script: Script, key: string): Promise<string> {
    const name = String(await this.#clusters[0].callBuffer('eval', ['return redis.sha1hex(ARGV[1])', 1, key, script.text]))
    this.#names.set(script, name)
    return name
  }

  async #send(name: string, what: string, key: string, args: readonly Argument[], isWrite: boolean): Promise<Reply> {
    const all = [what, 1, key, ...args].map(toArgument)
    if (!isWrite || this.#replicas === 0) return this.#clusters[0].callBuffer(name, all) as Promise<Reply>
    // Both of one connection: the replicas are asked for what this write, and those before it on the connection, changed.
    const cluster = this.#clusters[this.#turn++ % this.#clusters.length]!
    const pipeline = cluster.pipeline().callBuffer(name, all).wait(this.#replicas, REPLICAS_MS)
    const [written, waited] = (await pipeline.exec()) ?? []
    if (written?.[0]) throw written[0]
    if (waited?.[0]) throw waited[0]
    if (!(Number(waited?.[1]) >= this.#replicas)) throw new NodeError('store-failed', 'too few replicas took the write in time')
    return written?.[1] as Reply
  }

  async #attempt<T>(mayRunTwice: boolean, run: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING_MAX) throw new NodeError('store-failed', 'too much waits for the cluster')
    this.#waiting += 1
    let isLate: boolean | undefined
    let cancel = () => {}
    try {
      for (;;) {
        if (this.#closed) throw new NodeError('closed', 'the store is closed')
        try {
          return await run()
        } catch (cause) {
          if (isLate || !isPassing(cause, mayRunTwice)) throw clusterError(cause)
          for (const cluster of this.#clusters) cluster.refreshSlotsCache()
        }
        if (isLate === undefined) {
          isLate = false
          cancel = this.#timers.after(TRIED_MS, () => {
            isLate = true
          })
        }
        await new Promise<void>(resolve => void this.#timers.after(PAUSE_MS, resolve))
      }
    } finally {
      cancel()
      this.#waiting -= 1
    }
  }
}

function isPassing(cause: unknown, mayRunTwice: boolean): boolean {
  if (cause instanceof NodeError) return false
  const text = textOf(cause)
  // A command that timed out has waited long enough.
  return REFUSED.test(text) || (mayRunTwice && UNANSWERED.test(text) && !text.includes('timed out'))
}

/** What an exception of the client says. */
export function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function toArgument(value: Argument): string | number | Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}

/**
 * A NodeError for what the cluster said: `store-full` where it has no memory left, else `store-failed`. The cause is its text alone: the
 * client's own errors hold the command, with accounts and messages in it.
 */
function clusterError(error: unknown): NodeError {
  if (error instanceof NodeError) return error
  const text = textOf(error)
  const cause = new Error(text)
  if (/^-?OOM\b/.test(text)) return new NodeError('store-full', 'a master of the cluster has no memory left', { cause })
  if (REFUSED.test(text) || UNANSWERED.test(text)) return new NodeError('store-failed', 'the cluster does not answer', { cause })
  return new NodeError('store-failed', 'the cluster refused', { cause })
}

/** Makes clients of the cluster, not connected yet; those that are `sharded` listen to channels of one master. Throws NodeError `bad-config`. */
export async function clusterClients(config: RedisStoreConfig): Promise<(kind?: 'sharded') => Cluster> {
  if (/[{}\s]/.test(config.keyPrefix)) throw new NodeError('bad-config', 'store.key_prefix holds a brace or a space')
  if (config.nodes.length === 0) throw new NodeError('bad-config', 'store.nodes names no node')
  const nodes = config.nodes.map(parseNode)
  const options = await clusterOptions(config)
  return kind => {
    const cluster = new Cluster(nodes, { ...options, shardedSubscribers: kind === 'sharded' })
    // Every failure reaches the command that meets it; without a listener the same would end the process.
    cluster.on('error', () => {})
    return cluster
  }
}

/** Connects. Throws NodeError `store-failed`, `bad-config`. */
export async function connectCluster(config: RedisStoreConfig, timers: Timers): Promise<ClusterConnection> {
  const newCluster = await clusterClients(config)
  const others = config.acknowledgeReplicas === 0 ? [] : Array.from({ length: ABREAST - 1 }, () => newCluster())
  const clusters: [Cluster, ...Cluster[]] = [newCluster(), ...others]
  const connection = new ClusterConnection(clusters, timers, config.acknowledgeReplicas)
  try {
    await Promise.all(clusters.map(cluster => cluster.connect()))
    await checkMemoryPolicy(connection)
    return connection
  } catch (cause) {
    connection.close()
    if (cause instanceof NodeError) throw cause
    throw new NodeError('store-failed', `no cluster of Redis answers at ${config.nodes.join(', ')}`, {
      cause: new Error(textOf(cause)),
    })
  }
}

async function clusterOptions(config: RedisStoreConfig) {
  const { username, passwordFile, tls } = config
  const password = passwordFile === undefined ? undefined : (await readSetting(passwordFile)).split(/\r?\n/)[0]
  const ca = tls?.caFile === undefined ? undefined : await readSetting(tls.caFile)
  const options = {
    lazyConnect: true,
    enableOfflineQueue: false,
    retryDelayOnFailover: 0,
    enableAutoPipelining: false,
    clusterRetryStrategy: (times: number) => (times > 20 ? 1000 : PAUSE_MS),
    redisOptions: {
      connectTimeout: CONNECT_MS,
      commandTimeout: COMMAND_MS,
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
      ...(tls !== undefined && { tls: ca === undefined ? {} : { ca } }),
    },
  } satisfies ClusterOptions
  return options
}

function parseNode(text: string): { host: string; port: number } {
  const [, host, port] = /^\[?([^\]]+)\]?:(\d+)$/.exec(text) ?? []
  if (host === undefined || Number(port) > 65_535) throw new NodeError('bad-config', `store.nodes: ${text} is no host:port`)
  return { host, port: Number(port) }
}

async function readSetting(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new NodeError('bad-config', `${file} cannot be read`, { cause })
  }
}

/** A master that evicts would lose what was acknowledged (NODE-144). */
async function checkMemoryPolicy(connection: ClusterConnection): Promise<void> {
  for (const text of await connection.memory()) {
    const policy = memoryField(text, 'maxmemory_policy')
    if (policy === 'noeviction') continue
    throw new NodeError(
      'bad-config',
      `a master of the cluster evicts (maxmemory-policy ${policy}): set maxmemory-policy noeviction on every node`,
    )
  }
}

/** A field of `INFO memory`. */
export function memoryField(text: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? ''
}
