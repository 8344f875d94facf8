/** One storage node, composed: key, store, swarm, requests, HTTP. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { type Crypto, loadCrypto, systemRandom } from '@session-v2/crypto'
import { REQUEST_MAX_BYTES, type ServiceNode, swarmIdHex } from '@session-v2/network'
import type { CorsOrigins, NodeConfig, TlsConfig } from './config/node-config.ts'
import { startExpirySweep } from './expiry-sweep.ts'
import { HttpServer } from './http/http-server.ts'
import { nodeRoutes } from './http/node-routes.ts'
import { loadIdentity, type NodeIdentity } from './identity.ts'
import { type Log, openLog } from './log.ts'
import { NodeError } from './node-error.ts'
import { type Clock, systemClock, systemTimers, type Timers } from './ports.ts'
import { readRegistryFile } from './registry/registry-file.ts'
import { openSqliteStore } from './store/sqlite/sqlite-store.ts'
import { httpPeerSender } from './swarm/peer-sender.ts'
import { Replication } from './swarm/replication.ts'
import { SwarmView } from './swarm/swarm-view.ts'
import { SOFTWARE } from './version.ts'

export interface RunningNode {
  readonly url: string
  /** Public keys, 64 hexadecimal digits each. */
  readonly ed25519: string
  readonly x25519: string
  /** Swarm id in hexadecimal. */
  readonly swarm: string
  readonly databaseFile: string
  /** Lets running requests finish, then releases port and files. */
  close(): Promise<void>
}

/** A node that has its port and answers 503 until it joins a network. */
export interface ListeningNode {
  readonly port: number
  readonly ed25519: string
  readonly x25519: string
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
  readonly bodyTimeoutMs: number
  readonly corsOrigins: CorsOrigins
  readonly tls?: TlsConfig
  readonly crypto: Crypto
  readonly identity: NodeIdentity
  readonly clock: Clock
  readonly timers: Timers
  readonly log: Log
}

/** Starts the node of a configuration; resolves once it serves. Rejects with NodeError. */
export async function startNode(config: NodeConfig): Promise<RunningNode> {
  const crypto = await loadCrypto()
  const nodes = await readRegistryFile(config.registryFile)
  const node = await composeNode({
    ...config,
    databaseFile: join(config.dataDirectory, 'messages.db'),
    crypto,
    identity: await loadIdentity(crypto, systemRandom(), config.keyFile),
    clock: systemClock,
    timers: systemTimers,
    log: openLog(config.log),
  })
  try {
    return node.join(nodes)
  } catch (error) {
    await node.close()
    throw error
  }
}

/** Opens the store and the port. Rejects with NodeError. */
export async function composeNode(parts: NodeParts): Promise<ListeningNode> {
  const { clock, timers, log, crypto, identity } = parts
  const { ed25519, x25519 } = identity
  const { tls: tlsFiles, ...httpParts } = parts
  const tls = tlsFiles && (await readTls(tlsFiles))
  const store = await openSqliteStore(parts.databaseFile, { sizeLimitBytes: parts.databaseLimitBytes, clock, timers })
  const swarms = new SwarmView(ed25519)
  const sender = httpPeerSender(timers)
  const replication = new Replication({ crypto, identity, clock, swarms, sender, log })
  const readiness = { closing: false }
  const routes = nodeRoutes({ crypto, identity, clock, store, swarms, replication, log }, readiness)
  const server = new HttpServer({
    ...httpParts,
    ...(tls && { tls }),
    routes,
    software: SOFTWARE,
    maxBodyBytes: REQUEST_MAX_BYTES,
  })
  const stopSweep = startExpirySweep(store, timers, log)
  const close = async (): Promise<void> => {
    readiness.closing = true
    stopSweep()
    await server.close()
    sender.close()
    await store.close()
  }
  try {
    const port = await server.listen(parts.host, parts.port)
    log.info({ ed25519, port }, 'node listens')
    const listening = { port, ed25519, x25519, close }
    return { ...listening, join: nodes => joinSwarm(listening, parts, swarms, nodes) }
  } catch (error) {
    await close()
    throw error
  }
}

function joinSwarm(
  listening: Omit<ListeningNode, 'join'>,
  parts: NodeParts,
  swarms: SwarmView,
  nodes: readonly ServiceNode[],
): RunningNode {
  const { port, ed25519, x25519, close } = listening
  swarms.replace(nodes)
  if (swarms.own === undefined)
    throw new NodeError('bad-registry', `the registry does not list this node: its ed25519 key is ${ed25519}`)
  const protocol = parts.tls === undefined ? 'http' : 'https'
  const host = parts.host.includes(':') ? `[${parts.host}]` : parts.host
  const swarm = swarmIdHex(swarms.own.id)
  return { url: `${protocol}://${host}:${port}`, ed25519, x25519, swarm, databaseFile: parts.databaseFile, close }
}

async function readTls(files: TlsConfig): Promise<{ certificate: string; key: string }> {
  try {
    const [certificate, key] = await Promise.all([readFile(files.certificateFile, 'utf8'), readFile(files.keyFile, 'utf8')])
    createSecureContext({ cert: certificate, key })
    return { certificate, key }
  } catch (cause) {
    throw new NodeError('bad-config', 'configuration: the files of tls cannot be read, or are no certificate and its key', {
      cause,
    })
  }
}
