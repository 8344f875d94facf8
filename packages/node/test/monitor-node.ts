/** A node over real HTTP and WebSocket, what its owner sees of it, and clients that subscribe. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Crypto, ed25519KeyPair, ed25519PublicToX25519, loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import {
  buildMonitor,
  buildRevokeSubaccount,
  buildStore,
  decodeAnswer,
  encodeMonitor,
  encodeRequest,
  grantSubaccount,
  type MonitorMessage,
  type MonitorParams,
  type Namespace,
  parseMonitorMessage,
  type RequestForm,
  type RequestSigner,
  type RpcRequest,
  type ServiceNode,
  STORAGE_RPC_PATH,
} from '@session-v2/network'
import { WebSocket } from 'ws'
import { loadIdentity } from '../src/identity.ts'
import { openLog } from '../src/log.ts'
import { MONITOR_PATH } from '../src/monitor/monitor.ts'
import { HEARTBEAT_MS } from '../src/monitor/subscribers.ts'
import { composeNode, type ListeningNode, type NodeParts, type OperatedParts } from '../src/node.ts'
import { systemTimers, type Timers } from '../src/ports.ts'
import type { NodeServices } from '../src/rpc/services.ts'
import { ManualClock } from './manual-clock.ts'
import { type Answer, post } from './network-under-test.ts'

export const OWN_SWARM = 5n

/** A new account: a Session id, or with another prefix one whose key is Ed25519. */
export function newAccount(crypto: Crypto, prefix = '05'): RequestSigner {
  const { publicKey, secretKey } = ed25519KeyPair(crypto, Secret.of(systemRandom().bytes(32), 'ed25519-seed'))
  const key = prefix === '05' ? ed25519PublicToX25519(crypto, publicKey) : publicKey
  return { accountId: prefix + encodeHex(key), publicKey, secretKey }
}

export function newSubaccount(crypto: Crypto, owner: RequestSigner, rights: number): RequestSigner & { token: Uint8Array } {
  const { publicKey, secretKey } = ed25519KeyPair(crypto, Secret.of(systemRandom().bytes(32), 'ed25519-seed'))
  const options = { accountId: owner.accountId, secretKey: owner.secretKey, subaccountKey: publicKey, rights }
  const grant = grantSubaccount(crypto, options)
  return { accountId: owner.accountId, publicKey: owner.publicKey, secretKey, subaccount: grant, token: grant.token }
}

/** A message that came, as it is written and as it is read. */
export interface Received {
  readonly form: RequestForm
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
  readonly value: any
  readonly message: MonitorMessage
}

/** A client; what it gets is kept until it is asked for. */
export class MonitorClient {
  readonly socket: WebSocket
  readonly received: Received[] = []
  /** Code and reason of the end. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  #wake = (): void => {}

  private constructor(socket: WebSocket) {
    this.socket = socket
    this.closed = new Promise(resolve => socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })))
    socket.on('error', () => {})
    socket.on('message', (bytes: Buffer, isBinary) => {
      const form = isBinary ? 'bt' : 'json'
      const value = decodeAnswer(form, bytes)
      this.received.push({ form, value, message: parseMonitorMessage(value) })
      this.#wake()
    })
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<MonitorClient> {
    const client = new MonitorClient(new WebSocket(url, { headers }))
    await new Promise((resolve, reject) => client.socket.once('open', resolve).once('error', reject))
    return client
  }

  /** The next message, in order. */
  async next(): Promise<Received> {
    for (;;) {
      const first = this.received.shift()
      if (first !== undefined) return first
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve
        void this.closed.then(({ code }) => reject(new Error(`closed ${code} while a message was waited for`)))
      })
    }
  }

  send(frame: string | Uint8Array): void {
    this.socket.send(frame)
  }

  /** Sends a frame as it is, and resolves to what comes next. */
  async ask(frame: string | Uint8Array): Promise<Received> {
    this.send(frame)
    return this.next()
  }

  /** Subscribes in a form; resolves to the reply. */
  async subscribe(request: MonitorParams | readonly MonitorParams[], form: RequestForm = 'json') {
    const bytes = encodeMonitor(request, form)
    return (await this.ask(form === 'json' ? Buffer.from(bytes).toString() : bytes)).value
  }

  /** Whatever was told before has arrived when this resolves: the reply to a message that is none. What came meanwhile is the answer. */
  async settle(): Promise<Received[]> {
    const before: Received[] = []
    this.send('{}')
    for (;;) {
      const received = await this.next()
      if (received.message.kind === 'reply') return before
      before.push(received)
    }
  }

  async close(): Promise<void> {
    this.socket.close()
    await this.closed
  }
}

/** Beats come when told; everything else is the system's. */
class BeatTimers implements Timers {
  beat = (): void => {}
  after(delayMs: number, run: () => void): () => void {
    if (delayMs !== HEARTBEAT_MS) return systemTimers.after(delayMs, run)
    this.beat = run
    return () => {}
  }
  soon(run: () => void): void {
    systemTimers.soon(run)
  }
}

interface Composed {
  readonly clock: ManualClock
  readonly crypto: Crypto
  readonly timers: BeatTimers
  readonly services: NodeServices
  readonly operated: OperatedParts
}

export class MonitorNode implements Composed {
  readonly clock: ManualClock
  readonly crypto: Crypto
  readonly timers: BeatTimers
  readonly services: NodeServices
  readonly operated: OperatedParts
  readonly #listening: ListeningNode
  readonly #directory: string

  private constructor(listening: ListeningNode, directory: string, parts: Composed) {
    this.#listening = listening
    this.#directory = directory
    this.clock = parts.clock
    this.crypto = parts.crypto
    this.timers = parts.timers
    this.services = parts.services
    this.operated = parts.operated
  }

  static async start(more: Partial<NodeParts> = {}, isJoined = true): Promise<MonitorNode> {
    const directory = mkdtempSync(join(tmpdir(), 'monitor-node-'))
    const [crypto, clock, timers] = [await loadCrypto(), new ManualClock(), new BeatTimers()]
    let made: Pick<Composed, 'services' | 'operated'> | undefined
    const listening = await composeNode({
      host: '127.0.0.1',
      port: 0,
      databaseFile: join(directory, 'messages.db'),
      databaseLimitBytes: 256 * 1024 * 1024,
      bodyTimeoutMs: 15_000,
      corsOrigins: 'loopback',
      crypto,
      identity: await loadIdentity(crypto, systemRandom(), join(directory, 'node.key')),
      clock,
      timers,
      log: openLog({ level: 'silent' }),
      upgrades: (services, operated) => {
        made = { services, operated }
        return {}
      },
      ...more,
    })
    if (made === undefined) throw new Error('the node was composed without upgrades')
    const node = new MonitorNode(listening, directory, { clock, crypto, timers, ...made })
    if (isJoined) node.join()
    return node
  }

  /** Takes a list of nodes: this one, in a swarm, and others. */
  join(swarmId = OWN_SWARM, others: readonly ServiceNode[] = []): void {
    this.#listening.join([this.listed(swarmId), ...others])
  }

  listed(swarmId = OWN_SWARM): ServiceNode {
    const { ed25519, x25519, port } = this.#listening
    return { ed25519, x25519, host: '127.0.0.1', port, protocol: 'http', swarmId }
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#listening.port}${MONITOR_PATH}`
  }

  connect(headers: Record<string, string> = {}): Promise<MonitorClient> {
    return MonitorClient.open(this.url, headers)
  }

  /** A connection with one subscription that was taken. */
  async subscriber(signer: RequestSigner, more: object = {}, form: RequestForm = 'json'): Promise<MonitorClient> {
    const client = await this.connect()
    const reply = await client.subscribe(this.subscription(signer, more), form)
    if (reply.success !== 1) throw new Error(`not subscribed: ${JSON.stringify(reply)}`)
    return client
  }

  subscription(signer: RequestSigner, more: object = {}): MonitorParams {
    const timestampS = Math.floor(this.clock.ms / 1000)
    return buildMonitor(this.crypto, { namespaces: [0 as Namespace], timestampS, signer, ...more })
  }

  request(request: RpcRequest): Promise<Answer> {
    const url = `http://127.0.0.1:${this.#listening.port}${STORAGE_RPC_PATH}`
    return post(url, encodeRequest(request, 'json'))
  }

  storeRequest(signer: RequestSigner, payload: string | Uint8Array, namespace = 0, ttlMs = 3_600_000): RpcRequest {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
    const parts = { accountId: signer.accountId, payload: bytes, timestampMs: this.clock.ms, ttlMs }
    return buildStore(this.crypto, { ...parts, namespace: namespace as Namespace, ...(namespace % 10 !== 0 && { signer }) })
  }

  /** Resolves to the hash. */
  async store(signer: RequestSigner, payload: string | Uint8Array, namespace = 0): Promise<string> {
    const { status, body } = await this.request(this.storeRequest(signer, payload, namespace))
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
    return body.hash
  }

  async revoke(owner: RequestSigner, tokens: readonly Uint8Array[]): Promise<void> {
    const request = buildRevokeSubaccount(this.crypto, { signer: owner, tokens, timestampMs: this.clock.ms })
    const { status, body } = await this.request(request)
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
  }

  /** A number of the metrics. */
  async metric(name: string): Promise<number> {
    const text = await this.operated.metrics.registry.metrics()
    const line = text.split('\n').find(each => each.startsWith(`session_v2_node_${name} `))
    return Number(line?.split(' ')[1])
  }

  async close(): Promise<void> {
    await this.#listening.close()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
