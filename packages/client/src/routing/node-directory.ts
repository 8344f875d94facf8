/** Which nodes there are and which swarm an account is in: from seeds, kept on disk, corrected by what nodes answer. */
import { decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import type { ServiceNode } from '@session-v2/network'
import { decodeServiceNodes, encodeServiceNode, NetworkError, parseServiceNodesResult, swarmOf } from '@session-v2/network'
import { type AccountId, accountIdBytes } from '@session-v2/protocol'
import { ClientError } from '../client-error.ts'
import type { Transport } from '../ports/transport.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'

const SEED_TIMEOUT_MS = 10_000

interface DirectoryRecord {
  readonly nodes: readonly Record<string, unknown>[]
}

const RECORD = 'nodes'

export class NodeDirectory {
  readonly #transport: Transport
  readonly #scheduler: Scheduler
  readonly #store: SealedStore
  readonly #table: Table<DirectoryRecord>
  readonly #seeds: readonly string[]
  readonly #corrections = new Map<AccountId, readonly ServiceNode[]>()
  #nodes: readonly ServiceNode[] = []

  private constructor(transport: Transport, scheduler: Scheduler, store: SealedStore, seeds: readonly string[]) {
    this.#transport = transport
    this.#scheduler = scheduler
    this.#store = store
    this.#table = store.table<DirectoryRecord>('network')
    this.#seeds = seeds
  }

  static async open(
    transport: Transport,
    scheduler: Scheduler,
    store: SealedStore,
    seeds: readonly string[],
  ): Promise<NodeDirectory> {
    const directory = new NodeDirectory(transport, scheduler, store, seeds)
    const record = await directory.#table.get(RECORD)
    if (record !== undefined) directory.#nodes = decodeServiceNodes(record.nodes)
    return directory
  }

  /** All known nodes; asks the seeds when there are none. @throws ClientError `network-unavailable`. */
  async nodes(): Promise<readonly ServiceNode[]> {
    if (this.#nodes.length === 0) await this.refresh()
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

  /** A node said that the account is elsewhere, and where. */
  correct(account: AccountId, members: readonly ServiceNode[]): void {
    if (members.length > 0) this.#corrections.set(account, members)
  }

  /** Asks the seeds, one after the other, for the list of nodes. @throws ClientError `network-unavailable`. */
  async refresh(): Promise<void> {
    let cause: unknown
    for (const seed of this.#seeds) {
      try {
        const nodes = await this.#askSeed(seed)
        if (nodes.length === 0) continue
        this.#nodes = nodes
        this.#corrections.clear()
        await this.#store.commit([this.#table.put(RECORD, { nodes: nodes.map(node => encodeServiceNode(node)) })])
        return
      } catch (error) {
        if (error instanceof ClientError) throw error
        cause = error
      }
    }
    const tried = this.#seeds.length === 0 ? 'No seed is known.' : `No seed answers (${this.#seeds.join(', ')}).`
    throw new ClientError('network-unavailable', `The network cannot be reached. ${tried} Nothing is lost; try again.`, cause)
  }

  async #askSeed(seed: string): Promise<ServiceNode[]> {
    const request = { jsonrpc: '2.0', id: 0, method: 'get_n_service_nodes', params: { active_only: true } }
    const limit = this.#scheduler.deadline(SEED_TIMEOUT_MS)
    try {
      const answer = await this.#transport.sendToSeed(seed, encodeUtf8(JSON.stringify(request)), limit.signal)
      if (answer.status !== 200) throw new NetworkError('server', `the seed answered ${answer.status}`)
      return parseServiceNodesResult(JSON.parse(decodeUtf8(answer.body)))
    } finally {
      limit.clear()
    }
  }
}
