/**
 * Which nodes there are and which swarm an account is in: from seeds, kept on disk, corrected by what nodes answer. Once there is a list
 * a new one is asked of three nodes, where they do not see this device's address; seeds are asked when those do not agree.
 */
import { decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import type { ServiceNode } from '@session-v2/network'
import {
  buildGetServiceNodes,
  decodeServiceNodes,
  encodeRequest,
  encodeServiceNode,
  NetworkError,
  parseServiceNodesResult,
  swarmOf,
} from '@session-v2/network'
import { type AccountId, accountIdBytes } from '@session-v2/protocol'
import { ClientError } from '../client-error.ts'
import type { ClientEvent, EventLog } from '../events/event-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { Transport, TransportAnswer } from '../ports/transport.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { Table } from '../store/sealed/sealed-store.ts'
import { agreedNodes, isSameList } from './node-consensus.ts'

const SEED_TIMEOUT_MS = 10_000
const NODE_TIMEOUT_MS = 30_000
/** Nodes that have to agree on a list. */
const WITNESSES = 3
/** When nodes do not answer the list may be old; but seeds are not asked again within this time. */
const REFRESH_PAUSE_MS = 60_000

/** What is stored: the nodes as a seed lists them. */
export interface DirectoryRecord {
  readonly nodes: readonly Record<string, unknown>[]
}

const RECORD = 'nodes'

export interface DirectoryParts {
  readonly clock: Clock
  readonly transport: Transport
  readonly scheduler: Scheduler
  readonly events: EventLog
  readonly table: Table<DirectoryRecord>
  readonly seeds: readonly string[]
  /** Told each list that counts: the one that was kept, and every new one. */
  readonly learn: (nodes: readonly ServiceNode[]) => void
  /** What is to be told together with a new list. */
  readonly notices: (nodes: readonly ServiceNode[]) => readonly ClientEvent[]
}

export class NodeDirectory {
  readonly #parts: DirectoryParts
  readonly #corrections = new Map<AccountId, readonly ServiceNode[]>()
  #nodes: readonly ServiceNode[] = []
  #refreshing: Promise<boolean> | undefined
  #refreshedAtMs = Number.NEGATIVE_INFINITY

  private constructor(parts: DirectoryParts) {
    this.#parts = parts
  }

  static async open(parts: DirectoryParts): Promise<NodeDirectory> {
    const directory = new NodeDirectory(parts)
    const record = await parts.table.get(RECORD)
    if (record !== undefined) directory.#nodes = decodeServiceNodes(record.nodes)
    parts.learn(directory.#nodes)
    return directory
  }

  /** All known nodes; asks the seeds when there are none. @throws ClientError `network-unavailable`. */
  async nodes(): Promise<readonly ServiceNode[]> {
    if (this.#nodes.length === 0) await this.#refresh()
    return this.#nodes
  }

  /** The members of an account's swarm. @throws ClientError `network-unavailable`. */
  async swarm(account: AccountId): Promise<readonly ServiceNode[]> {
    const corrected = this.#corrections.get(account)
    if (corrected !== undefined) return corrected
    const nodes = await this.nodes()
    const id = swarmOf(accountIdBytes(account), [...new Set(nodes.map(node => node.swarmId))])
    return nodes.filter(node => node.swarmId === id)
  }

  /**
   * A node said that the account is elsewhere, and where. Only nodes of the list are believed in, at the addresses of the list:
   * otherwise one node could hand an account over to machines of its own.
   * @returns the members that are believed in
   */
  correct(account: AccountId, members: readonly ServiceNode[]): readonly ServiceNode[] {
    const named = new Set(members.map(node => node.ed25519))
    const believed = this.#nodes.filter(node => named.has(node.ed25519))
    if (believed.length > 0) this.#corrections.set(account, believed)
    return believed
  }

  /** Asks whether the list changed, unless that was asked a moment ago. Silence changes nothing. */
  async changed(): Promise<boolean> {
    if (this.#parts.clock.nowMs() - this.#refreshedAtMs < REFRESH_PAUSE_MS) return false
    try {
      return await this.#refresh()
    } catch (error) {
      if (error instanceof ClientError && error.code === 'network-unavailable') return false
      throw error
    }
  }

  /** True when the list changed. @throws ClientError `network-unavailable`. */
  #refresh(): Promise<boolean> {
    this.#refreshing ??= this.#renew().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #renew(): Promise<boolean> {
    this.#refreshedAtMs = this.#parts.clock.nowMs()
    const agreed = await this.#askNodes()
    return agreed === undefined ? this.#askSeeds() : this.#adopt(agreed)
  }

  /** The list that three nodes agree on, undefined when they do not, or would see who asks. */
  async #askNodes(): Promise<readonly ServiceNode[] | undefined> {
    const { scheduler, transport } = this.#parts
    const nodes = [...this.#nodes]
    if (nodes.length < WITNESSES || transport.hidesAddress?.() !== true) return undefined
    const witnesses = Array.from({ length: WITNESSES }, () => nodes.splice(scheduler.below(nodes.length), 1)[0]!)
    const request = encodeRequest(buildGetServiceNodes())
    const asked = witnesses.map(node => this.#askList(NODE_TIMEOUT_MS, signal => transport.send(node, request, signal)))
    const lists = (await Promise.allSettled(asked)).flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    return lists.length < WITNESSES ? undefined : agreedNodes(lists)
  }

  /** Asks the seeds, one after the other, for the list of nodes. */
  async #askSeeds(): Promise<boolean> {
    const { seeds, transport } = this.#parts
    const question = { jsonrpc: '2.0', id: 0, method: 'get_n_service_nodes', params: { active_only: true } }
    const request = encodeUtf8(JSON.stringify(question))
    let cause: unknown
    for (const seed of seeds) {
      try {
        const nodes = await this.#askList(SEED_TIMEOUT_MS, signal => transport.sendToSeed(seed, request, signal))
        if (nodes.length > 0) return await this.#adopt(nodes)
      } catch (error) {
        if (error instanceof ClientError) throw error
        cause = error
      }
    }
    const tried = `No seed answers (${seeds.join(', ')}).`
    throw new ClientError('network-unavailable', `The network cannot be reached. ${tried} Nothing is lost; try again.`, cause)
  }

  async #adopt(nodes: readonly ServiceNode[]): Promise<boolean> {
    if (isSameList(nodes, this.#nodes)) return false
    const { events, table, notices, learn } = this.#parts
    const put = table.put(RECORD, { nodes: nodes.map(node => encodeServiceNode(node)) })
    await events.commit([put], [{ type: 'network_changed', nodes: nodes.length }, ...notices(nodes)])
    this.#nodes = nodes
    learn(nodes)
    this.#corrections.clear()
    return true
  }

  async #askList(timeoutMs: number, send: (signal: AbortSignal) => Promise<TransportAnswer>): Promise<ServiceNode[]> {
    const limit = this.#parts.scheduler.deadline(timeoutMs)
    try {
      const answer = await send(limit.signal)
      if (answer.status !== 200) throw new NetworkError('server', `the list of nodes was answered with ${answer.status}`)
      return parseServiceNodesResult(JSON.parse(decodeUtf8(answer.body)))
    } finally {
      limit.clear()
    }
  }
}
