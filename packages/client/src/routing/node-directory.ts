/** Which nodes there are and which swarm an account is in: from seeds, kept on disk, corrected by what nodes answer. */
import { decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import type { ServiceNode } from '@session-v2/network'
import { decodeServiceNodes, encodeServiceNode, NetworkError, parseServiceNodesResult, swarmOf } from '@session-v2/network'
import { type AccountId, accountIdBytes } from '@session-v2/protocol'
import { ClientError } from '../client-error.ts'
import type { EventLog } from '../events/event-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { Transport } from '../ports/transport.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { Table } from '../store/sealed/sealed-store.ts'

const SEED_TIMEOUT_MS = 10_000
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
   * A node said that the account is elsewhere, and where. Only nodes of the list are believed in: otherwise one node could hand an
   * account over to machines of its own.
   * @returns the members that are believed in
   */
  correct(account: AccountId, members: readonly ServiceNode[]): readonly ServiceNode[] {
    const known = new Set(this.#nodes.map(node => node.ed25519))
    const believed = members.filter(node => known.has(node.ed25519))
    if (believed.length > 0) this.#corrections.set(account, believed)
    return believed
  }

  /** Asks the seeds whether the list changed, unless they were asked a moment ago. A seed that is silent changes nothing. */
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
    this.#refreshing ??= this.#askSeeds().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  /** Asks the seeds, one after the other, for the list of nodes. */
  async #askSeeds(): Promise<boolean> {
    const { clock, seeds } = this.#parts
    this.#refreshedAtMs = clock.nowMs()
    let cause: unknown
    for (const seed of seeds) {
      try {
        const nodes = await this.#askSeed(seed)
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
    if (listText(nodes) === listText(this.#nodes)) return false
    const { events, table } = this.#parts
    const put = table.put(RECORD, { nodes: nodes.map(node => encodeServiceNode(node)) })
    await events.commit([put], [{ type: 'network_changed', nodes: nodes.length }])
    this.#nodes = nodes
    this.#corrections.clear()
    return true
  }

  async #askSeed(seed: string): Promise<ServiceNode[]> {
    const { scheduler, transport } = this.#parts
    const request = { jsonrpc: '2.0', id: 0, method: 'get_n_service_nodes', params: { active_only: true } }
    const limit = scheduler.deadline(SEED_TIMEOUT_MS)
    try {
      const answer = await transport.sendToSeed(seed, encodeUtf8(JSON.stringify(request)), limit.signal)
      if (answer.status !== 200) throw new NetworkError('server', `the seed answered ${answer.status}`)
      return parseServiceNodesResult(JSON.parse(decodeUtf8(answer.body)))
    } finally {
      limit.clear()
    }
  }
}

/** Equal for lists of the same nodes at the same places. */
function listText(nodes: readonly ServiceNode[]): string {
  return nodes
    .map(node => JSON.stringify(encodeServiceNode(node)))
    .sort()
    .join()
}
