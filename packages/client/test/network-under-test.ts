/** A real network of storage nodes over HTTP, and direct access to what its swarms hold. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directTransport } from '@session-v2/client'
import type { Crypto } from '@session-v2/crypto'
import { loadCrypto } from '@session-v2/crypto'
import { decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import type { Namespace, RequestSigner, RpcRequest, ServiceNode } from '@session-v2/network'
import {
  buildDelete,
  buildRetrieve,
  buildStore,
  encodeRequest,
  messageHash,
  NAMESPACE,
  parseRetrieveResult,
  parseServiceNodesResult,
  swarmOf,
} from '@session-v2/network'
import { type LocalNetwork, startLocalNetwork } from '@session-v2/node'
import { type Account, type AccountId, accountFromSeed, accountIdBytes, seedFromRecoveryPassword } from '@session-v2/protocol'

interface NetworkOptions {
  readonly nodes?: number
  readonly swarms?: number
  readonly clock?: { nowMs(): number }
}

const HOUR_MS = 3_600_000

export class NetworkUnderTest {
  readonly crypto: Crypto
  readonly folder: string
  readonly #local: LocalNetwork
  readonly #clock: { nowMs(): number }
  readonly #transport = directTransport()

  private constructor(crypto: Crypto, folder: string, local: LocalNetwork, clock: { nowMs(): number }) {
    this.crypto = crypto
    this.folder = folder
    this.#local = local
    this.#clock = clock
  }

  static async start(options: NetworkOptions = {}): Promise<NetworkUnderTest> {
    const { nodes = 3, swarms = 1, clock = { nowMs: () => Date.now() } } = options
    const folder = await mkdtemp(join(tmpdir(), 'session-v2-client-'))
    const dataDirectory = join(folder, 'nodes')
    const local = await startLocalNetwork({ nodes, swarms, dataDirectory, clock, log: { level: 'silent' } })
    return new NetworkUnderTest(await loadCrypto(), folder, local, clock)
  }

  get seeds(): string[] {
    return [this.#local.seedUrl]
  }

  async close(): Promise<void> {
    await this.#local.close()
    await rm(this.folder, { recursive: true, force: true })
  }

  async nodes(): Promise<ServiceNode[]> {
    const request = { jsonrpc: '2.0', id: 0, method: 'get_n_service_nodes', params: {} }
    const signal = new AbortController().signal
    const answer = await this.#transport.sendToSeed(this.#local.seedUrl, encodeUtf8(JSON.stringify(request)), signal)
    return parseServiceNodesResult(JSON.parse(decodeUtf8(answer.body)))
  }

  async swarm(account: AccountId): Promise<ServiceNode[]> {
    const nodes = await this.nodes()
    const id = swarmOf(accountIdBytes(account), [...new Set(nodes.map(node => node.swarmId))])
    return nodes.filter(node => node.swarmId === id)
  }

  /** Stores anything for an account, as anyone or as its owner. */
  async store(accountId: AccountId, payload: Uint8Array, namespace: Namespace = NAMESPACE.messages, signer?: RequestSigner) {
    const timestampMs = this.#clock.nowMs()
    const owner = signer === undefined ? {} : { signer }
    const ttlMs = 300 * HOUR_MS
    await this.#ask(accountId, buildStore(this.crypto, { accountId, namespace, payload, timestampMs, ttlMs, ...owner }))
  }

  /** The payloads of an account's namespace; the inbox only with its owner. */
  async retrieve(accountId: AccountId, namespace: Namespace, signer?: RequestSigner): Promise<Uint8Array[]> {
    const timestampMs = this.#clock.nowMs()
    const owner = signer === undefined ? {} : { signer }
    const answer = await this.#ask(accountId, buildRetrieve(this.crypto, { accountId, namespace, timestampMs, ...owner }))
    return parseRetrieveResult(answer).messages.map(message => message.payload)
  }

  /** Deletes everything in one of an account's namespaces, as its owner. */
  async clear(accountId: AccountId, namespace: Namespace, signer: RequestSigner): Promise<void> {
    const payloads = await this.retrieve(accountId, namespace, signer)
    const hashes = payloads.map(payload => messageHash(this.crypto, accountIdBytes(accountId), namespace, payload))
    await this.#ask(accountId, buildDelete(this.crypto, { hashes, required: true, signer }))
  }

  /** The account of a recovery password, for tests that speak in its name. */
  account(recoveryPassword: string): Account {
    return accountFromSeed(this.crypto, seedFromRecoveryPassword(recoveryPassword))
  }

  async #ask(account: AccountId, request: RpcRequest): Promise<unknown> {
    const [node] = await this.swarm(account)
    const { status, body } = await this.#transport.send(node!, encodeRequest(request), new AbortController().signal)
    if (status !== 200) throw new Error(`${request.method} was answered ${status}: ${decodeUtf8(body)}`)
    return JSON.parse(decodeUtf8(body))
  }
}

export function signerOf(account: Account): RequestSigner {
  return { accountId: account.id, publicKey: account.ed25519.publicKey, secretKey: account.ed25519.secretKey }
}
