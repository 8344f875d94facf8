/** A local network over real HTTP and real files, and a client that speaks to it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Crypto, ed25519KeyPair, ed25519PublicToX25519, loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import {
  buildDelete,
  buildRetrieve,
  buildStore,
  decodeAnswer,
  encodeRequest,
  grantSubaccount,
  type Namespace,
  type RequestSigner,
  type RpcRequest,
  STORAGE_RPC_PATH,
} from '@session-v2/network'
import { identityFromSeed } from '../src/identity.ts'
import { type LocalNetwork, type LocalNetworkOptions, startLocalNetwork } from '../src/local-network.ts'
import { openLog } from '../src/log.ts'
import { systemTimers } from '../src/ports.ts'
import type { NodeServices } from '../src/rpc/services.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import { httpPeerSender } from '../src/swarm/peer-sender.ts'
import { Replication } from '../src/swarm/replication.ts'
import { SwarmView } from '../src/swarm/swarm-view.ts'
import { ManualClock } from './manual-clock.ts'

export const HOUR_MS = 3_600_000

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Decoded JSON, or the text. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

export async function post(url: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body: body as string, headers })
  const text = await response.text()
  const isJson = response.headers.get('content-type') === 'application/json'
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

/** Sends bt; an answer in bytes is read as bt. */
export async function postBt(url: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', body: body as Uint8Array<ArrayBuffer>, headers })
  const bytes = new Uint8Array(await response.arrayBuffer())
  const isBt = response.headers.get('content-type') === 'application/octet-stream'
  const text = isBt ? decodeAnswer('bt', bytes) : Buffer.from(bytes).toString()
  return { status: response.status, headers: response.headers, body: text }
}

/** What requests are answered with, without HTTP: a node alone in its network, with a store in `directory`. */
export async function openServices(
  directory: string,
  clock: ManualClock,
  parts: Partial<NodeServices> = {},
): Promise<NodeServices> {
  const crypto = await loadCrypto()
  const identity = identityFromSeed(crypto, systemRandom().bytes(32))
  const { ed25519, x25519 } = identity
  const options = { sizeLimitBytes: 1e9, clock, timers: systemTimers }
  const store = await openSqliteStore(join(directory, 'messages.db'), options)
  const swarms = new SwarmView(ed25519)
  swarms.replace([{ ed25519, x25519, host: 'localhost', port: 1, protocol: 'http', swarmId: 1n }])
  const log = openLog({ level: 'silent' })
  const replication = new Replication({
    crypto,
    identity,
    clock,
    timers: systemTimers,
    swarms,
    log,
    sender: httpPeerSender(systemTimers),
  })
  return { crypto, identity, clock, store, swarms, replication, log, ...parts }
}

export class NetworkUnderTest {
  readonly #options: LocalNetworkOptions
  readonly crypto: Crypto
  readonly clock: ManualClock
  network: LocalNetwork

  private constructor(options: LocalNetworkOptions, crypto: Crypto, clock: ManualClock, network: LocalNetwork) {
    this.#options = options
    this.crypto = crypto
    this.clock = clock
    this.network = network
  }

  static async start(options: Partial<LocalNetworkOptions> = {}): Promise<NetworkUnderTest> {
    const clock = new ManualClock()
    const dataDirectory = mkdtempSync(join(tmpdir(), 'network-under-test-'))
    const all = { nodes: 1, swarms: 1, dataDirectory, clock, log: { level: 'silent' as const }, ...options }
    return new NetworkUnderTest(all, await loadCrypto(), clock, await startLocalNetwork(all))
  }

  get directory(): string {
    return this.#options.dataDirectory
  }

  /** Stops everything and starts it again on the same files. */
  async restart(): Promise<void> {
    await this.network.close()
    this.network = await startLocalNetwork(this.#options)
  }

  async close(): Promise<void> {
    await this.network.close()
    rmSync(this.directory, { recursive: true, force: true })
  }

  url(node = 0): string {
    return this.network.nodes[node]!.url + STORAGE_RPC_PATH
  }

  ask(method: string, params: object, node = 0): Promise<Answer> {
    return post(this.url(node), JSON.stringify({ method, params }))
  }

  request(request: RpcRequest, node = 0): Promise<Answer> {
    return this.ask(request.method, request.params, node)
  }

  /** The same in bt, with the answer read from bt. */
  requestBt(request: RpcRequest, node = 0): Promise<Answer> {
    return postBt(this.url(node), encodeRequest(request, 'bt'))
  }

  /** The one entry of an answer of a swarm of one. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  async entry(request: RpcRequest): Promise<any> {
    const { status, body } = await this.request(request)
    if (status !== 200) throw new Error(`${status} ${body}`)
    return body.swarm[this.network.nodes[0]!.ed25519]
  }

  /** A new account: a Session id, or with another prefix one whose key is Ed25519. */
  account(prefix = '05'): RequestSigner {
    const { publicKey, secretKey } = ed25519KeyPair(this.crypto, Secret.of(systemRandom().bytes(32), 'ed25519-seed'))
    const key = prefix === '05' ? ed25519PublicToX25519(this.crypto, publicKey) : publicKey
    return { accountId: prefix + encodeHex(key), publicKey, secretKey }
  }

  /** A subaccount of an account, with the sum of `SUBACCOUNT_RIGHT` as its rights; `prefix` is of the accounts it is for. */
  subaccount(owner: RequestSigner, rights: number, prefix = owner.accountId.slice(0, 2)): RequestSigner & { token: Uint8Array } {
    const { publicKey, secretKey } = ed25519KeyPair(this.crypto, Secret.of(systemRandom().bytes(32), 'ed25519-seed'))
    const options = { accountId: prefix, secretKey: owner.secretKey, subaccountKey: publicKey, rights }
    const grant = grantSubaccount(this.crypto, options)
    return { accountId: owner.accountId, publicKey: owner.publicKey, secretKey, subaccount: grant, token: grant.token }
  }

  storeRequest(
    signer: RequestSigner,
    text: string,
    namespace = 0,
    options: { ttlMs?: number; timestampMs?: number } = {},
  ): RpcRequest {
    const { ttlMs = HOUR_MS, timestampMs = this.clock.ms } = options
    const payload = new TextEncoder().encode(text)
    const parts = { accountId: signer.accountId, namespace: namespace as Namespace, payload, timestampMs, ttlMs }
    return buildStore(this.crypto, namespace % 10 === 0 ? parts : { ...parts, signer })
  }

  retrieveRequest(signer: RequestSigner, namespace = 0, extra: object = {}): RpcRequest {
    const parts = { accountId: signer.accountId, namespace: namespace as Namespace, timestampMs: this.clock.ms, signer }
    const { method, params } = buildRetrieve(this.crypto, parts)
    return { method, params: { ...params, ...extra } }
  }

  deleteRequest(signer: RequestSigner, hashes: readonly string[], required?: boolean): RpcRequest {
    return buildDelete(this.crypto, { signer, hashes, ...(required !== undefined && { required }) })
  }

  store(
    signer: RequestSigner,
    text: string,
    namespace = 0,
    options: { ttlMs?: number; timestampMs?: number; node?: number } = {},
  ): Promise<Answer> {
    return this.request(this.storeRequest(signer, text, namespace, options), options.node)
  }

  /** The texts of a mailbox. */
  async texts(signer: RequestSigner, namespace = 0, node = 0): Promise<string[]> {
    const { body } = await this.request(this.retrieveRequest(signer, namespace), node)
    return body.messages.map((message: { data: string }) => Buffer.from(message.data, 'base64').toString())
  }
}
