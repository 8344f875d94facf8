/** Nodes that relay for one another, over real HTTP and real files, beside others that do not behave; and a client that seals. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, request as requestHttp, type Server } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Crypto, loadCrypto, systemRandom } from '@session-v2/crypto'
import { concatBytes, encodeUtf8 } from '@session-v2/encoding'
import {
  ONION_REQUEST_PATH,
  type OnionDestination,
  type OnionReply,
  openReply,
  type SealOnionOptions,
  type ServerAddress,
  type ServiceNode,
  sealOnion,
} from '@session-v2/network'
import { LIMITS_WITHOUT_RATES, type LimitsConfig } from '../src/config/limits-config.ts'
import { DEFAULT_ONION, type OnionConfig } from '../src/config/onion-config.ts'
import { identityFromSeed, type NodeIdentity } from '../src/identity.ts'
import { type Log, openLog } from '../src/log.ts'
import { composeNode, type ListeningNode, type RunningNode } from '../src/node.ts'
import { loadTls, type TlsTexts } from '../src/operations/tls.ts'
import { systemClock, systemTimers } from '../src/ports.ts'

const HOST = '127.0.0.1'

export interface OnionNetworkOptions {
  readonly nodes?: number
  /** Each node in a swarm of its own, or all in one. */
  readonly swarms?: 'one' | 'each'
  readonly onion?: Partial<OnionConfig>
  readonly limits?: Partial<LimitsConfig>
  readonly tls?: boolean
  readonly log?: Log
  /** Nodes that are listed too, whatever there is at their address. */
  readonly others?: readonly ServiceNode[]
}

export interface PathAnswer {
  readonly status: number
  readonly text: string
  readonly bytes: Buffer
  /** What the destination said; undefined when nothing was sealed under its key. */
  readonly reply: OnionReply | undefined
}

/** A server that stands at the address of a node or is asked as a web server. */
export interface Stranger {
  readonly port: number
  readonly connections: () => number
  readonly bodies: Buffer[]
  close(): Promise<void>
}

export async function stranger(answer: RequestListener): Promise<Stranger> {
  const bodies: Buffer[] = []
  let connections = 0
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    bodies.push(Buffer.concat(chunks))
    answer(request, response)
  })
  server.on('connection', () => connections++)
  await new Promise<void>(resolve => server.listen(0, HOST, resolve))
  const close = () => {
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    server.closeAllConnections()
    return closed
  }
  return { port: (server.address() as AddressInfo).port, connections: () => connections, bodies, close }
}

/** A node as a registry lists it, at a port of this machine. */
export function listed(crypto: Crypto, port: number, host = HOST): ServiceNode & { readonly identity: NodeIdentity } {
  const identity = identityFromSeed(crypto, systemRandom().bytes(32))
  const { ed25519, x25519 } = identity
  return { ed25519, x25519, host, port, protocol: 'http', swarmId: 9n, identity }
}

export class OnionNetwork {
  readonly crypto: Crypto
  readonly nodes: readonly RunningNode[]
  readonly registry: readonly ServiceNode[]
  readonly #listening: readonly ListeningNode[]
  readonly #directory: string
  readonly random = systemRandom()

  private constructor(
    crypto: Crypto,
    listening: readonly ListeningNode[],
    nodes: readonly RunningNode[],
    registry: readonly ServiceNode[],
    directory: string,
  ) {
    this.crypto = crypto
    this.#listening = listening
    this.nodes = nodes
    this.registry = registry
    this.#directory = directory
  }

  static async start(options: OnionNetworkOptions = {}): Promise<OnionNetwork> {
    const { nodes: count = 4, swarms = 'one', others = [] } = options
    const crypto = await loadCrypto()
    const directory = mkdtempSync(join(tmpdir(), 'onion-network-'))
    const tls = options.tls
      ? await loadTls('self-signed', { dataDirectory: directory, host: HOST, clock: systemClock })
      : undefined
    const listening: ListeningNode[] = []
    for (let i = 0; i < count; i++) listening.push(await compose(crypto, join(directory, `${i}.db`), options, tls))
    const protocol = tls === undefined ? 'http' : 'https'
    const registry: ServiceNode[] = listening.map(({ ed25519, x25519, port }, i) => {
      return { ed25519, x25519, host: HOST, port, protocol, swarmId: swarms === 'one' ? 1n : BigInt(i + 1) << 60n }
    })
    registry.push(...others)
    const nodes = listening.map(node => node.join(registry))
    return new OnionNetwork(crypto, listening, nodes, registry, directory)
  }

  async close(): Promise<void> {
    await Promise.all(this.#listening.map(node => node.close()))
    rmSync(this.#directory, { recursive: true, force: true })
  }

  stop(node: number): Promise<void> {
    return this.#listening[node]!.close()
  }

  /** A storage request to `destination` through `path`, the guard first. `asked` goes as it is when it is a text. */
  ask(path: readonly ServiceNode[], destination: ServiceNode, asked: object | string, options: SealOnionOptions = {}) {
    const { ed25519, x25519 } = destination
    return this.seal(path, { kind: 'node', ed25519, x25519 }, encodeUtf8(textOf(asked)), options)
  }

  /** Any payload to a web server whose key is that of `keyed`. */
  askServer(path: readonly ServiceNode[], address: ServerAddress, keyed: ServiceNode, payload = new Uint8Array(0)) {
    return this.seal(path, { kind: 'server', x25519: keyed.x25519, ...address }, payload)
  }

  async seal(
    path: readonly ServiceNode[],
    destination: OnionDestination,
    payload: Uint8Array,
    options: SealOnionOptions = {},
    hopNo?: number,
  ): Promise<PathAnswer> {
    const sealed = sealOnion(this.crypto, this.random, path, destination, payload, options)
    const body = hopNo === undefined ? sealed.body : concatBytes(sealed.body.slice(0, -1), encodeUtf8(`,"hop_no":${hopNo}}`))
    const guard = path[0] ?? this.registry.find(node => destination.kind === 'node' && node.ed25519 === destination.ed25519)!
    const { status, bytes } = await this.post(body, guard)
    const form = { json: false, base64: true, ...options.form }
    const reply = status === 200 ? openReply(this.crypto, sealed.replyKey, bytes, form) : undefined
    return { status, bytes, text: bytes.toString(), reply }
  }

  /** A body for a node as it is. */
  post(body: Uint8Array, { port, host, protocol }: ServiceNode): Promise<{ status: number; bytes: Buffer }> {
    const open = protocol === 'https' ? requestHttps : requestHttp
    const headers = { 'content-length': body.length }
    const options = { host, port, method: 'POST', path: ONION_REQUEST_PATH, headers, agent: false as const }
    return new Promise((resolve, reject) => {
      const request = open({ ...options, rejectUnauthorized: false }, async response => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk)
        resolve({ status: response.statusCode!, bytes: Buffer.concat(chunks) })
      })
      request.on('error', reject)
      request.end(body)
    })
  }
}

function compose(
  crypto: Crypto,
  databaseFile: string,
  { onion, limits, log = openLog({ level: 'silent' }) }: OnionNetworkOptions,
  tls: TlsTexts | undefined,
): Promise<ListeningNode> {
  return composeNode({
    host: HOST,
    port: 0,
    databaseFile,
    databaseLimitBytes: 1e9,
    bodyTimeoutMs: 15_000,
    corsOrigins: 'none',
    limits: { ...LIMITS_WITHOUT_RATES, ...limits },
    onion: { ...DEFAULT_ONION, ...onion },
    ...(tls && { tls }),
    crypto,
    identity: identityFromSeed(crypto, systemRandom().bytes(32)),
    clock: systemClock,
    timers: systemTimers,
    log,
  })
}

function textOf(asked: object | string): string {
  return typeof asked === 'string' ? asked : JSON.stringify(asked)
}
