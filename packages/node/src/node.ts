/** One storage node, composed: key, store, swarm, requests, HTTP, and what its operator sees of it. */
import { type Crypto, type Random, systemRandom } from '@session-v2/crypto'
import { NO_SWARM, REQUEST_MAX_BYTES, type ServiceNode, swarmIdHex, urlHost } from '@session-v2/network'
import { LIMITS_WITHOUT_RATES, type LimitsConfig } from './config/limits-config.ts'
import type { CorsOrigins, MetricsConfig } from './config/node-config.ts'
import { DEFAULT_ONION, type OnionConfig } from './config/onion-config.ts'
import type { RegistryConfig } from './config/registry-config.ts'
import type { UpkeepTimes } from './config/swarm-config.ts'
import { startExpirySweep } from './expiry-sweep.ts'
import { allowsOrigin } from './http/cors.ts'
import type { Route, Upgrade } from './http/http-answer.ts'
import { HttpServer } from './http/http-server.ts'
import { JSON_MAX_DEPTH, nestsDeeper } from './http/json-depth.ts'
import { admitRequest, clientAnswer, nodeRoutes, notReady } from './http/node-routes.ts'
import { operationsRoutes } from './http/operations-routes.ts'
import type { NodeIdentity } from './identity.ts'
import type { Log } from './log.ts'
import { MONITOR_PATH, Monitor } from './monitor/monitor.ts'
import { NodeError } from './node-error.ts'
import { Admission } from './operations/admission.ts'
import { NodeMetrics } from './operations/metrics.ts'
import { Readiness } from './operations/readiness.ts'
import type { TlsTexts } from './operations/tls.ts'
import { type Clock, monotonicClock, type Timers } from './ports.ts'
import { watchNetwork } from './reachability/network-watch.ts'
import { type RegistryFeedback, startFeedback } from './registry/open-registry.ts'
import type { Registry } from './registry/registry.ts'
import { OnionRelay } from './relay/onion-relay.ts'
import { MailboxTurns } from './rpc/mailbox-turns.ts'
import { openProof } from './rpc/proof.ts'
import type { NodeServices } from './rpc/services.ts'
import { openGuardedStore } from './store/sqlite/guarded-store.ts'
import type { MessageStore } from './store/store.ts'
import { LocalStoreEvents, type StoreEvents } from './store/store-events.ts'
import { httpPeerSender, type PeerSender } from './swarm/peer-sender.ts'
import { Replication } from './swarm/replication.ts'
import { SwarmUpkeep, type UpkeepParts, type UpkeepStatus } from './swarm/swarm-upkeep.ts'
import { SwarmView } from './swarm/swarm-view.ts'
import { SOFTWARE } from './version.ts'

export interface RunningNode {
  readonly url: string
  /** Public keys, 64 hexadecimal digits each. */
  readonly ed25519: string
  readonly x25519: string
  /** Swarm id in hexadecimal when it started; `NO_SWARM` of a node that was listed without one. */
  readonly swarm: string
  readonly databaseFile: string
  /** Of the listener for metrics, where there is one. */
  readonly metricsUrl?: string
  /** Resolves once the node has looked at what it knows of its swarm; one that is alone is ready then. */
  readonly started: Promise<void>
  /** Resolves once the node holds what its swarm holds. */
  complete(): Promise<void>
  /** Puts another list of all nodes in force. */
  replaceNodes(nodes: readonly ServiceNode[]): void
  /** Resolves when its database turns out to be damaged: it is to be closed, and when it starts again its swarm fills it. */
  readonly damaged: Promise<NodeError>
  /** How it keeps up with its swarm; undefined when it does not. */
  upkeep(): UpkeepStatus | undefined
  /** Lets running requests finish, then releases port and files. */
  close(): Promise<void>
}

/** A node that has its port and answers 503 until it joins a network. */
export interface ListeningNode {
  readonly port: number
  readonly ed25519: string
  readonly x25519: string
  /** As of a node that runs. */
  readonly damaged: Promise<NodeError>
  /** Takes the list of all nodes. Throws NodeError `bad-registry` when this node is not in it. */
  join(nodes: readonly ServiceNode[]): RunningNode
  close(): Promise<void>
}

/** What a node is made of. */
export interface NodeParts {
  readonly host: string
  readonly port: number
  readonly databaseFile: string
  readonly databaseLimitBytes: number
  /** Opens another store than the database file. */
  readonly openStore?: () => Promise<MessageStore>
  readonly bodyTimeoutMs: number
  readonly corsOrigins: CorsOrigins
  readonly tls?: TlsTexts
  /** Default: those of the configuration, without rates. */
  readonly limits?: LimitsConfig
  /** What it does for onion requests that go on. Default: that of the configuration. */
  readonly onion?: OnionConfig
  /** Where metrics, health and readiness are served. */
  readonly metricsListener?: MetricsConfig
  /** Default false. */
  readonly logAddresses?: boolean
  /** How often the node compares, delivers and hands over. Without it, it does not. */
  readonly upkeep?: UpkeepTimes
  /** Where the list of nodes is from. With it the node tests the others, and tells a daemon what it wants to know. */
  readonly registry?: { readonly config: RegistryConfig; readonly list: Registry }
  /** What requests to other nodes go through; default: nothing. */
  readonly throughSender?: (sender: PeerSender) => PeerSender
  /** Further routes and upgrades, given the services of this node. */
  readonly extraRoutes?: (node: NodeServices, parts: OperatedParts) => Readonly<Record<string, Route>>
  readonly upgrades?: (node: NodeServices, parts: OperatedParts) => Readonly<Record<string, Upgrade>>
  /** Where several processes serve one store, what carries events between them. Default: events of this process. */
  readonly openEvents?: (store: MessageStore) => Promise<StoreEvents>
  readonly crypto: Crypto
  readonly identity: NodeIdentity
  readonly clock: Clock
  readonly timers: Timers
  /** A clock that only moves on, by which rates are measured. Default: the system's, as for `random`. */
  readonly monotonic?: Clock
  readonly random?: Random
  readonly log: Log
}

/** What every part of a node that takes requests works with. */
export interface OperatedParts {
  readonly readiness: Readiness
  readonly admission: Admission
  readonly metrics: NodeMetrics
}

/** Opens the store and the ports. Rejects with NodeError. */
export async function composeNode(parts: NodeParts): Promise<ListeningNode> {
  const { clock, timers, log, crypto, identity } = parts
  const { ed25519, x25519 } = identity
  const { store, damaged } = await openStore(parts)
  const swarms = new SwarmView(ed25519)
  const direct = httpPeerSender(timers)
  const sender = parts.throughSender?.(direct) ?? direct
  const operated = operatedParts(parts)
  void damaged.then(() => operated.readiness.close())
  operated.readiness.add(() => (swarms.own === undefined ? 'not in any swarm' : undefined))
  const events = await openEvents(parts, store)
  const upkeep = openUpkeep(parts, operated, { store, swarms, sender, events })
  const missed = upkeep?.missed
  const replication = new Replication({ crypto, identity, clock, timers, swarms, sender, log, ...(missed && { missed }) })
  const list = parts.registry?.list
  const turns = { changes: new MailboxTurns(timers), answers: new MailboxTurns(timers) }
  const services = { crypto, identity, clock, store, swarms, replication, turns, events, log, ...(list && { registry: list }) }
  const relay = onionRelay(parts, services, operated)
  const monitor = openMonitor(parts, services, operated, events)
  let network: ReturnType<typeof openNetwork>
  const server = openServer(parts, services, operated, { relay, monitor, upkeep, tested: () => network?.tested() })
  if (upkeep !== undefined) measureUpkeep(operated.metrics, upkeep)
  measure(operated.metrics, server, store, swarms)
  const operator = operatorServer(parts, operated)
  const stopSweep = startExpirySweep(store, timers, log)
  const closeAll = async (): Promise<void> => {
    operated.readiness.close()
    stopSweep()
    network?.close()
    const kept = upkeep?.close()
    await Promise.all([monitor.close(), server.close()])
    relay.close()
    sender.close()
    await kept
    await events.close()
    await store.close()
    await operator?.close()
  }
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= closeAll()
    return closed
  }
  try {
    const port = await server.listen(parts.host, parts.port)
    network = openNetwork(parts, operated, port)
    const metricsUrl = parts.metricsListener && (await listenForOperator(operator, parts.metricsListener))
    log.info({ ed25519, port }, 'node listens')
    const listening = { port, ed25519, x25519, damaged, close }
    return { ...listening, join: nodes => joinSwarm(listening, parts, { swarms, monitor, upkeep }, nodes, metricsUrl) }
  } catch (error) {
    await close()
    throw error
  }
}

/** The store and what tells that it is damaged; another store than the database file never says so. */
async function openStore({ openStore: open, databaseFile, databaseLimitBytes, clock, timers, log }: NodeParts) {
  if (open !== undefined) return { store: await open(), damaged: new Promise<NodeError>(() => {}) }
  return openGuardedStore(databaseFile, { sizeLimitBytes: databaseLimitBytes, clock, timers }, log)
}

async function openEvents({ openEvents: open, log }: NodeParts, store: MessageStore): Promise<StoreEvents> {
  if (open === undefined) return new LocalStoreEvents(log)
  try {
    return await open(store)
  } catch (error) {
    await store.close()
    throw error
  }
}

function openUpkeep(
  { upkeep: times, monotonic = monotonicClock, crypto, identity, clock, timers, log }: NodeParts,
  { readiness }: OperatedParts,
  shared: Pick<UpkeepParts, 'store' | 'swarms' | 'sender' | 'events'>,
): SwarmUpkeep | undefined {
  if (times === undefined) return undefined
  const parts = { ...shared, crypto, identity, clock, monotonic, timers, log, times }
  const upkeep = new SwarmUpkeep({ ...parts, openProof: proof => openProof(crypto, proof) })
  readiness.addForClients(() => (upkeep.isComplete || shared.swarms.own === undefined ? undefined : 'not done syncing'))
  return upkeep
}

/** Tests of the others and what goes back to the registry, of a node that has its port. */
function openNetwork(parts: NodeParts, { metrics, readiness }: OperatedParts, port: number) {
  const { registry, identity, crypto, clock, timers, log, random = systemRandom() } = parts
  if (registry === undefined) return undefined
  const { ed25519 } = identity
  const announcement = () => {
    const reasons = readiness.reasons()
    return { ed25519, port, omqPort: port, ...(reasons.length > 0 && { error: reasons.join('; ') }) }
  }
  const feedback: RegistryFeedback = startFeedback(registry.config, { crypto, log, timers }, announcement)
  const reachability = watchNetwork({ ed25519, registry: registry.list, feedback, clock, timers, random, metrics, log })
  return {
    tested: () => reachability.tested(),
    close() {
      reachability.close()
      feedback.close()
    },
  }
}

function operatedParts(parts: NodeParts): OperatedParts {
  const { crypto, log, limits = LIMITS_WITHOUT_RATES, logAddresses = false } = parts
  const { monotonic: clock = monotonicClock, random = systemRandom() } = parts
  const metrics = new NodeMetrics()
  const admission = new Admission({ limits, clock, crypto, random, metrics, log, logAddresses })
  return { metrics, admission, readiness: new Readiness() }
}

function onionRelay(parts: NodeParts, services: NodeServices, operated: OperatedParts): OnionRelay {
  const { monotonic: clock = monotonicClock, random = systemRandom(), onion: config = DEFAULT_ONION, timers } = parts
  const { crypto, identity, swarms: nodes } = services
  const { ed25519 } = identity
  const keys = identity.onionKeys()
  const isReady = () => notReady(operated) === undefined
  const answer = (request: Uint8Array) => {
    const body = Buffer.from(request.buffer, request.byteOffset, request.length)
    return clientAnswer(services, operated, body, 'onion')
  }
  const { metrics } = operated
  return new OnionRelay({ crypto, random, ed25519, keys, nodes, config, answer, isReady, metrics, clock, timers })
}

const BT_STARTS = new Set([0x64, 0x6c]) // d, l

function openMonitor(parts: NodeParts, node: NodeServices, operated: OperatedParts, events: StoreEvents): Monitor {
  const { corsOrigins, timers } = parts
  return new Monitor({
    ...operated,
    node,
    events,
    timers,
    allowsOrigin: origin => allowsOrigin(corsOrigins, origin),
    // The reader of bt has a limit of its own.
    isTooDeep: ({ buffer, byteOffset, length, 0: first }) =>
      !BT_STARTS.has(first ?? 0) && nestsDeeper(Buffer.from(buffer, byteOffset, length), JSON_MAX_DEPTH),
  })
}

/** What takes connections besides the requests of clients. */
interface Entrances {
  readonly relay: OnionRelay
  readonly monitor: Monitor
  readonly upkeep: SwarmUpkeep | undefined
  /** Notes that another node has tested this one. */
  readonly tested: () => void
}

function openServer(
  parts: NodeParts,
  services: NodeServices,
  operated: OperatedParts,
  { relay, monitor, upkeep, tested }: Entrances,
): HttpServer {
  const { extraRoutes, upgrades, limits, tls, monotonic } = parts
  return new HttpServer({
    routes: nodeRoutes(services, {
      ...operated,
      upkeep,
      tested,
      extraRoutes: { ...relay.routes, ...extraRoutes?.(services, operated) },
    }),
    upgrades: { [MONITOR_PATH]: monitor.upgrade, ...upgrades?.(services, operated) },
    software: SOFTWARE,
    maxBodyBytes: REQUEST_MAX_BYTES,
    bodyTimeoutMs: parts.bodyTimeoutMs,
    corsOrigins: parts.corsOrigins,
    ...(tls && { tls }),
    ...(limits && { limits }),
    ...(monotonic && { clock: monotonic }),
    admit: admitRequest(operated.admission),
    metrics: operated.metrics,
    log: parts.log,
    timers: parts.timers,
  })
}

function measure(metrics: NodeMetrics, { connections }: HttpServer, store: MessageStore, swarms: SwarmView): void {
  metrics.gauge('open_connections', 'Open connections of clients and peers', () => connections.open)
  metrics.counter('dropped_connections_total', 'Connections closed to make room', () => connections.dropped)
  metrics.gauge('swarm_peers', 'Other members of the swarm', () => swarms.peers.length)
  metrics.gauge('deliveries_waiting', 'Writes that other members have not taken yet', () => store.deliveriesWaiting())
  metrics.gauge('store_bytes', 'Bytes that the store takes', async () => (await store.size()).usedBytes)
  metrics.gauge('store_limit_bytes', 'Bytes that the store may take; 0 where it has no limit', async () => {
    return (await store.size()).limitBytes ?? 0
  })
}

function measureUpkeep(metrics: NodeMetrics, upkeep: SwarmUpkeep): void {
  const count = (name: string, help: string, read: (status: UpkeepStatus) => number) =>
    metrics.counter(name, help, () => read(upkeep.status))
  count('compared_total', 'Rounds of comparing with a member', status => status.rounds)
  count('fetched_items_total', 'Items taken over from members', status => status.fetched)
  count('handed_over_items_total', 'Items sent to other swarms', status => status.handedOver)
  count('deliveries_queued_total', 'Writes that a member did not take at once', status => status.deliveries.queued)
  count('deliveries_done_total', 'Of those, taken later', status => status.deliveries.delivered)
  count('deliveries_dropped_total', 'Of those, given up', status => status.deliveries.dropped)
  metrics.gauge('complete_peers', 'Members that everything was the same with', () => upkeep.status.completeAtMs.size)
}

const OPERATOR_BODY_MAX_BYTES = 1024

function operatorServer(parts: NodeParts, { metrics, readiness }: OperatedParts): HttpServer | undefined {
  if (parts.metricsListener === undefined) return undefined
  metrics.watch()
  return new HttpServer({
    routes: operationsRoutes(metrics, readiness),
    software: SOFTWARE,
    maxBodyBytes: OPERATOR_BODY_MAX_BYTES,
    bodyTimeoutMs: parts.bodyTimeoutMs,
    corsOrigins: 'none',
    log: parts.log,
    timers: parts.timers,
  })
}

async function listenForOperator(operator: HttpServer | undefined, { host, port }: MetricsConfig): Promise<string> {
  return `http://${urlHost(host)}:${await operator?.listen(host, port)}`
}

function joinSwarm(
  listening: Omit<ListeningNode, 'join'>,
  parts: NodeParts,
  { swarms, monitor, upkeep }: Pick<Entrances, 'monitor' | 'upkeep'> & { readonly swarms: SwarmView },
  nodes: readonly ServiceNode[],
  metricsUrl: string | undefined,
): RunningNode {
  const { port, ed25519, x25519, damaged, close } = listening
  swarms.replace(nodes)
  monitor.swarmsReplaced()
  // One that is listed without a swarm hands over what it holds.
  if (!swarms.isNode(ed25519))
    throw new NodeError('bad-registry', `the registry does not list this node: its ed25519 key is ${ed25519}`)
  const url = `${parts.tls === undefined ? 'http' : 'https'}://${urlHost(parts.host)}:${port}`
  const swarm = swarmIdHex(swarms.own?.id ?? NO_SWARM)
  const started = upkeep?.start() ?? Promise.resolve()
  return {
    ...{
      url,
      ed25519,
      x25519,
      swarm,
      databaseFile: parts.databaseFile,
      ...(metricsUrl && { metricsUrl }),
      started,
      damaged,
      close,
    },
    complete: async () => {
      await started
      await upkeep?.complete()
    },
    replaceNodes(list) {
      swarms.replace(list)
      monitor.swarmsReplaced()
      upkeep?.listChanged()
    },
    upkeep: () => upkeep?.status,
  }
}
