/**
 * A storage node: the real requests, replication and upkeep of `packages/node` over its real SQLite store, which is kept in memory. Only
 * HTTP is not there: requests come over the simulated wires.
 *
 * | fault | |
 * |---|---|
 * | down | answers nobody; its store is there when it comes back, or is empty |
 * | wrong clock | up to 48 hours off: it refuses devices and members alike |
 * | stale | hears nothing from the other members, and answers devices all the same |
 * | censoring | leaves some messages out of what it shows |
 */
import type { TransportAnswer } from '@session-v2/client'
import type { Crypto } from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'
import type { ServiceNode } from '@session-v2/network'
import { serviceNodeUrl } from '@session-v2/network'
import {
  answerClient,
  answerPeer,
  identityFromSeed,
  isQuestion,
  LocalStoreEvents,
  type MessageStore,
  NodeError,
  type NodeIdentity,
  type NodeServices,
  openLog,
  openProof,
  openSqliteStore,
  type PeerHeaders,
  type PeerReply,
  type PeerSender,
  Replication,
  SwarmUpkeep,
  SwarmView,
  verifyPeerRequest,
} from '@session-v2/node/parts'
import type { Network } from './network.ts'
import type { World } from './world.ts'

const MINUTE_MS = 60_000
/** Hours of a simulation pass in milliseconds: a node compares and delivers seldom, and is made to at the end of a storm. */
const UPKEEP_TIMES = {
  roundMs: 36 * 60 * MINUTE_MS,
  deliveriesMs: 6 * 60 * MINUTE_MS,
  handOverMs: 30 * MINUTE_MS,
  joinMs: MINUTE_MS,
  patienceMs: 30 * MINUTE_MS,
}
const STORE_LIMIT_BYTES = 1e9
const PEER_PATH = '/swarm_rpc/v1'
const PEER_TIMEOUT_MS = 5_000
const log = openLog({ level: 'silent' })

export interface NodeWorld {
  readonly crypto: Crypto
  readonly world: World
  readonly network: Network
}

interface Running {
  readonly services: NodeServices
  readonly upkeep: SwarmUpkeep
}

export class StorageNode {
  readonly place: string
  readonly identity: NodeIdentity
  clockOffsetMs = 0
  /** Decides by the hash of a message whether the node hides it. */
  hides: ((hash: string) => boolean) | undefined
  /** Told of each message that was hidden. */
  onHidden: () => void = () => {}
  readonly #around: NodeWorld
  readonly #address: Pick<ServiceNode, 'host' | 'port' | 'protocol' | 'swarmId'>
  #store: MessageStore | undefined
  #running: Running | undefined

  constructor(around: NodeWorld, seed: Uint8Array, index: number, swarmId: bigint) {
    this.#around = around
    this.place = `node ${index}`
    this.identity = identityFromSeed(around.crypto, seed)
    this.#address = { host: `10.0.0.${index + 1}`, port: 22021, protocol: 'http', swarmId }
    around.network.listen(serviceNodeUrl(this.listed), this.place, (path, body) => this.#serve(path, body))
  }

  get listed(): ServiceNode {
    const { ed25519, x25519 } = this.identity
    return { ed25519, x25519, ...this.#address }
  }

  get isUp(): boolean {
    return this.#running !== undefined
  }

  /** Starts it. @param list all nodes of the network */
  async start(list: readonly ServiceNode[]): Promise<void> {
    const { crypto, world } = this.#around
    const clock = { nowMs: () => world.nowMs() + this.clockOffsetMs }
    this.#store ??= await openSqliteStore(':memory:', { sizeLimitBytes: STORE_LIMIT_BYTES, clock, timers: world })
    const store = this.#store
    const swarms = new SwarmView(this.identity.ed25519)
    swarms.replace(list)
    const events = new LocalStoreEvents(log)
    const sender: PeerSender = { send: (peer, body, headers) => this.#sendToPeer(peer, body, headers), close: () => {} }
    const shared = { crypto, identity: this.identity, clock, store, swarms, sender, events, log }
    const timing = { timers: world, monotonic: world, times: UPKEEP_TIMES }
    const upkeep = new SwarmUpkeep({ ...shared, ...timing, openProof: proof => openProof(crypto, proof) })
    const replication = new Replication({ ...shared, timers: world, missed: upkeep.missed })
    this.#running = { services: { ...shared, replication }, upkeep }
    await upkeep.start()
  }

  /** Stops it at once. @param losesStore it begins anew with an empty one */
  crash(losesStore: boolean): void {
    void this.#running?.upkeep.close()
    this.#running = undefined
    if (losesStore) this.#store = undefined
  }

  /** Compares with the next member now. */
  compare(): void {
    this.#running?.upkeep.listChanged()
  }

  /** The messages of an account's mailbox as they are stored. */
  async mailbox(account: Uint8Array, namespace: number): Promise<readonly Uint8Array[]> {
    if (this.#store === undefined) return []
    const { messages } = await this.#store.retrieve({ account, namespace, budgetBytes: STORE_LIMIT_BYTES })
    return messages.map(({ data }) => data)
  }

  /** Names of the messages and tombstones that the node holds, and whether it took them while its clock was ahead. */
  async holdings(account: Uint8Array): Promise<ReadonlyMap<string, 'ahead' | 'past'>> {
    const versions = (await this.#store?.versionsOf(account, Number.MAX_SAFE_INTEGER)) ?? []
    const nowMs = this.#around.world.nowMs()
    return new Map(
      versions.map(({ namespace, hash, isTombstone, changedAtMs }) => {
        const name = `${isTombstone ? 'no ' : ''}${hash} at ${namespace}`
        return [name, changedAtMs > nowMs ? 'ahead' : 'past']
      }),
    )
  }

  async close(): Promise<void> {
    this.crash(false)
    await this.#store?.close()
  }

  async #serve(path: string, body: Uint8Array): Promise<TransportAnswer> {
    const running = this.#running
    if (running === undefined) throw new Error('the node is down')
    if (path === PEER_PATH) return this.#servePeer(running, body)
    if (!running.upkeep.isComplete) return { status: 503, body: encodeUtf8('Service node is not ready') }
    const { status, body: answered } = await answerClient(running.services, body)
    const shown = this.hides === undefined ? answered : this.#censored(answered)
    if (shown instanceof Uint8Array) return { status, body: shown }
    return { status, body: encodeUtf8(typeof shown === 'string' ? shown : JSON.stringify(shown)) }
  }

  /** Without the messages that the node hides. */
  #censored(answer: unknown): string | object {
    const copy = JSON.parse(JSON.stringify(answer)) as string | ({ results?: { body?: Mailbox }[] } & Mailbox)
    if (typeof copy === 'string') return copy
    for (const mailbox of [copy, ...(copy.results ?? []).map(result => result.body)]) {
      if (mailbox?.messages === undefined) continue
      const shown = mailbox.messages.filter(({ hash }) => this.hides?.(hash) !== true)
      if (shown.length < mailbox.messages.length) this.onHidden()
      mailbox.messages = shown
    }
    return copy
  }

  async #sendToPeer(peer: ServiceNode, body: Uint8Array, headers: PeerHeaders): Promise<PeerReply> {
    const { network, world } = this.#around
    const limit = new AbortController()
    const stop = world.after(PEER_TIMEOUT_MS, () => limit.abort())
    try {
      const wrapped = encodeUtf8(`${JSON.stringify(headers)}\n`)
      const joined = new Uint8Array(wrapped.length + body.length)
      joined.set(wrapped)
      joined.set(body, wrapped.length)
      const answer = await network.request(this.place, `${serviceNodeUrl(peer)}${PEER_PATH}`, joined, limit.signal)
      return { status: answer.status, body: Buffer.from(answer.body) }
    } catch (cause) {
      throw new NodeError(limit.signal.aborted ? 'peer-timeout' : 'peer-unreachable', 'a peer cannot be reached', { cause })
    } finally {
      stop()
    }
  }

  /** As the route of the requests of members. */
  async #servePeer({ services, upkeep }: Running, joined: Uint8Array): Promise<TransportAnswer> {
    const end = joined.indexOf(0x0a)
    const headers = JSON.parse(Buffer.from(joined.subarray(0, end)).toString()) as PeerHeaders
    const body = Buffer.from(joined.subarray(end + 1))
    const { swarms, crypto, clock } = services
    const isKnown = isQuestion(body) ? (key: string) => swarms.mayOffer(key) : (key: string) => swarms.isPeer(key)
    const verdict = verifyPeerRequest(crypto, headers, body, clock.nowMs(), isKnown)
    if (verdict !== 'genuine') return { status: verdict === 'stale' ? 406 : 403, body: encodeUtf8(verdict) }
    const answer = isQuestion(body) ? await upkeep.answer(headers['x-session-node'], body) : await answerPeer(services, body)
    const { status, body: answered } = answer
    return { status, body: answered instanceof Uint8Array ? answered : encodeUtf8(String(answered)) }
  }
}

interface Mailbox {
  messages?: { hash: string }[]
}
