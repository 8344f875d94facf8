/** A whole network in one process: nodes in swarms and a seed, on loopback (clause NODE-05). */
import { join } from 'node:path'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { NO_SWARM, type ServiceNode, type SwarmId } from '@session-v2/network'
import { type CorsOrigins, DEFAULT_BODY_TIMEOUT_MS, type LogConfig } from './config/node-config.ts'
import { DEFAULT_DATABASE_LIMIT_BYTES } from './config/store-config.ts'
import { DEFAULT_SWARM, type UpkeepTimes } from './config/swarm-config.ts'
import { loadIdentity } from './identity.ts'
import { describeException, type Log, openLog } from './log.ts'
import { composeNode, type ListeningNode, type RunningNode } from './node.ts'
import { NodeError } from './node-error.ts'
import { type Clock, systemClock, systemTimers, type Timers } from './ports.ts'
import { startSeed } from './seed.ts'
import type { PeerSender } from './swarm/peer-sender.ts'

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
  /** How often members compare and deliver. Default: as of any node. */
  readonly upkeep?: UpkeepTimes
  /** Default: warnings to standard error. */
  readonly log?: LogConfig
  readonly clock?: Clock
  readonly timers?: Timers
}

/** Nodes are named by their place in `nodes`. */
export interface LocalNetwork {
  readonly seedUrl: string
  /** Those that were stopped are still there, and answer nothing. */
  readonly nodes: readonly RunningNode[]
  /** Stops a node; it stays in the list. */
  stop(node: number): Promise<void>
  /** Starts a node again that was stopped, at its port, with what is in its folder. */
  start(node: number): Promise<RunningNode>
  /** Starts one more node in a swarm; resolves to its place, before it is complete. */
  add(swarmId: SwarmId): Promise<number>
  /** Gives every node a swarm by its place; undefined: none. The list takes effect everywhere at once. */
  place(swarmIdOf: (node: number) => SwarmId | undefined): void
  /** Cuts the lines between nodes of different groups; a node in no group is cut off from all. */
  separate(groups: readonly (readonly number[])[]): void
  /** Mends all lines. */
  unite(): void
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
  const network = new Network(options, openLog(options.log ?? { level: 'warn' }))
  try {
    for (let i = 0; i < nodeCount; i++) await network.listen(port === 0 ? 0 : port + 1 + i, swarmId(i % swarmCount, swarmCount))
    await network.serve(port)
    return network
  } catch (error) {
    await network.close()
    throw error
  }
}

/** A node of the network, running or not. */
interface Place {
  readonly port: number
  listening: ListeningNode | undefined
  isStopped: boolean
  swarmId: SwarmId
}

class Network implements LocalNetwork {
  readonly nodes: RunningNode[] = []
  seedUrl = ''
  readonly #options: LocalNetworkOptions
  readonly #log: Log
  readonly #places: Place[] = []
  #closeSeed: (() => Promise<void>) | undefined
  #groups: readonly (readonly number[])[] | undefined

  constructor(options: LocalNetworkOptions, log: Log) {
    this.#options = options
    this.#log = log
  }

  /** Opens the next node at a port; 0: any. */
  async listen(port: number, swarm: SwarmId): Promise<void> {
    const listening = await this.#compose(this.#places.length, port)
    this.#places.push({ port: listening.port, listening, isStopped: false, swarmId: swarm })
  }

  /** All nodes join, and a seed tells of them. */
  async serve(port: number): Promise<void> {
    const { log } = this.#options
    const seed = await startSeed({ host: HOST, port, nodes: () => this.#list(), ...(log !== undefined && { log }) })
    this.#closeSeed = () => seed.close()
    this.seedUrl = seed.url
    const list = this.#list()
    this.nodes.push(...this.#places.map(({ listening }) => listening!.join(list)))
    await Promise.all(this.nodes.map(node => node.complete()))
  }

  async stop(node: number): Promise<void> {
    this.#places[node]!.isStopped = true
    await this.nodes[node]!.close()
  }

  async start(node: number): Promise<RunningNode> {
    const place = this.#places[node]!
    place.isStopped = false
    place.listening = await this.#compose(node, place.port)
    const running = place.listening.join(this.#list())
    this.nodes[node] = running
    await running.started
    return running
  }

  async add(swarm: SwarmId): Promise<number> {
    await this.listen(0, swarm)
    const added = this.#places.length - 1
    const list = this.#list()
    this.nodes.push(this.#places[added]!.listening!.join(list))
    this.#tell(list)
    return added
  }

  place(swarmIdOf: (node: number) => SwarmId | undefined): void {
    for (const [i, place] of this.#places.entries()) place.swarmId = swarmIdOf(i) ?? NO_SWARM
    this.#tell(this.#list())
  }

  separate(groups: readonly (readonly number[])[]): void {
    this.#groups = groups
  }

  unite(): void {
    this.#groups = undefined
  }

  async close(): Promise<void> {
    for (const place of this.#places) place.isStopped = true
    await Promise.all([this.#closeSeed?.(), ...this.#places.map(({ listening }) => listening?.close())])
  }

  /** A node whose database is damaged begins anew with an empty one, in the place of whoever runs it. */
  async #revive(node: number, damaged: ListeningNode): Promise<void> {
    const place = this.#places[node]
    await damaged.close()
    if (place?.listening === damaged && !place.isStopped) await this.start(node)
  }

  #tell(list: readonly ServiceNode[]): void {
    for (const node of this.nodes) node.replaceNodes(list)
  }

  #list(): ServiceNode[] {
    const known = this.#places.filter(({ listening }) => listening !== undefined)
    return known.map(({ listening, port, swarmId }) => {
      const { ed25519, x25519 } = listening!
      return { ed25519, x25519, host: HOST, port, protocol: 'http', swarmId }
    })
  }

  /** Loses what goes over a line that is cut. */
  #through(index: number, sender: PeerSender): PeerSender {
    return {
      send: (peer, body, headers, limits) => {
        const to = this.#places.findIndex(place => place.port === peer.port)
        if (this.#groups === undefined || this.#groups.some(group => group.includes(index) && group.includes(to))) {
          return sender.send(peer, body, headers, limits)
        }
        return Promise.reject(new NodeError('peer-unreachable', 'the line to a peer is cut'))
      },
      close: () => sender.close(),
    }
  }

  async #compose(index: number, port: number): Promise<ListeningNode> {
    const options = this.#options
    const directory = join(options.dataDirectory, `node-${index + 1}`)
    const crypto = await loadCrypto()
    const { clock = systemClock, timers = systemTimers } = options
    const listening = await composeNode({
      host: HOST,
      port,
      databaseFile: join(directory, 'messages.db'),
      databaseLimitBytes: options.databaseLimitBytes ?? DEFAULT_DATABASE_LIMIT_BYTES,
      bodyTimeoutMs: options.bodyTimeoutMs ?? DEFAULT_BODY_TIMEOUT_MS,
      corsOrigins: options.corsOrigins ?? 'loopback',
      upkeep: options.upkeep ?? DEFAULT_SWARM,
      throughSender: sender => this.#through(index, sender),
      crypto,
      identity: await loadIdentity(crypto, systemRandom(), join(directory, 'node.key')),
      clock,
      timers,
      log: this.#log,
    })
    void listening.damaged
      .then(() => this.#revive(index, listening))
      .catch(error => this.#log.error(describeException(error), 'a node with a damaged database cannot begin anew'))
    return listening
  }
}

/** The middle of the i-th of `count` equal parts of the ring. */
function swarmId(i: number, count: number): bigint {
  return ((2n * BigInt(i) + 1n) << 64n) / (2n * BigInt(count))
}
