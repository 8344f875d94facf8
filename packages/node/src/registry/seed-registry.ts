/**
 * The list of nodes as seeds answer it (clauses NODE-122 to NODE-126). Seeds are asked in the order in which they are given, until
 * one has a list. What looks like a mistake, or like an attempt to take the network away, needs a second voice:
 *
 * | the list | against the one in force | taken |
 * |---|---|---|
 * | malformed, empty | | never: the next seed is asked |
 * | of an earlier block, or without more than half of the nodes | doubtful | when another seed, or the poll before, said the same |
 * | any other | | at once |
 */
import type { ServiceNode } from '@session-v2/network'
import { NodeError } from '../node-error.ts'
import { askJsonRpc, type QuestionParts, type RpcEndpoint, rpcEndpoint } from './json-rpc.ts'
import { decodeList, LIST_FIELDS } from './list-decoder.ts'
import { listHash } from './list-hash.ts'
import { keepList, readKeptList } from './list-memory.ts'
import { type PollOutcome, polledRegistry } from './polled-registry.ts'
import { type LearnedList, MemoryRegistry, type NodeList, type Registry, type RegistryParts } from './registry.ts'

export const SEED_POLL_MS = 30_000
export const SEED_SLOWEST_POLL_MS = 300_000

export interface SeedSource {
  readonly url: string
  /** SHA-256 of the certificate's public key (SPKI), as hexadecimal or base64; without it, HTTPS is verified as on the web. */
  readonly pin?: string
}

export interface SeedRegistryOptions extends RegistryParts, QuestionParts {
  /** At least one. */
  readonly seeds: readonly SeedSource[]
  /** Where the last list is kept. */
  readonly file: string
}

/**
 * A registry that follows seeds. With a kept list it is ready at once. Rejects with NodeError `bad-config` for a seed that is no URL
 * or pin, `bad-registry` when no list was kept and no seed has one.
 */
export async function openSeedRegistry(options: SeedRegistryOptions): Promise<Registry> {
  const endpoints = options.seeds.map(({ url, pin }) => rpcEndpoint(url, pin))
  if (endpoints.length === 0) throw new NodeError('bad-config', 'configuration: there is no seed to ask for the nodes')
  const kept = await readKeptList(options.file, options.log)
  const first = kept ?? (await firstList(options, endpoints))
  const seeds = new SeedList(options, endpoints, new MemoryRegistry(options, first))
  if (kept === undefined) await keepList(options.file, seeds.held.nodes(), options.log)
  return polledRegistry(options, seeds.held, {
    poll: signal => seeds.poll(signal),
    intervalMs: SEED_POLL_MS,
    slowestMs: SEED_SLOWEST_POLL_MS,
    startsNow: kept !== undefined,
  })
}

/** There is nothing to compare it with: the first seed that answers is believed. */
async function firstList(options: SeedRegistryOptions, endpoints: readonly RpcEndpoint[]): Promise<LearnedList> {
  const causes: unknown[] = []
  for (const endpoint of endpoints) {
    try {
      const list = await askSeed(options, endpoint, {})
      if (list !== undefined) return list
    } catch (cause) {
      causes.push(cause)
    }
  }
  throw noSeed(causes)
}

/** The list in force, and the doubtful one that waits for a second voice. */
class SeedList {
  readonly held: MemoryRegistry
  readonly #options: SeedRegistryOptions
  readonly #endpoints: readonly RpcEndpoint[]
  /** `listHash` of the doubtful list of the last poll. */
  #doubted: string | undefined

  constructor(options: SeedRegistryOptions, endpoints: readonly RpcEndpoint[], held: MemoryRegistry) {
    this.#options = options
    this.#endpoints = endpoints
    this.held = held
  }

  async poll(signal: AbortSignal): Promise<PollOutcome> {
    const said = new Map<string, LearnedList>()
    const causes: unknown[] = []
    const { blockHash } = this.held.nodes()
    for (const endpoint of this.#endpoints) {
      try {
        const list = await askSeed(this.#options, endpoint, { poll_block_hash: blockHash }, signal)
        if (list === undefined) return this.#believe(undefined)
        const hash = listHash(this.#options.crypto, list.nodes)
        if (hash === this.held.hash || !isDoubtful(list, this.held.nodes()) || said.has(hash)) return await this.#believe(list)
        said.set(hash, list)
      } catch (cause) {
        if (signal.aborted) throw cause
        causes.push(cause)
      }
    }
    if (said.size === 0) throw noSeed(causes)
    return this.#doubt(said)
  }

  async #doubt(said: ReadonlyMap<string, LearnedList>): Promise<PollOutcome> {
    const again = this.#doubted === undefined ? undefined : said.get(this.#doubted)
    if (again !== undefined) return this.#believe(again)
    const [[hash, { nodes }]] = [...said] as [[string, LearnedList]]
    this.#doubted = hash
    this.#options.log.warn(
      { nodes: nodes.length, before: this.held.nodes().nodes.length },
      'a doubtful node list is not taken yet',
    )
    return 'learned'
  }

  async #believe(list: LearnedList | undefined): Promise<PollOutcome> {
    this.#doubted = undefined
    if (list === undefined) return 'learned'
    const before = this.held.hash
    this.held.replace(list)
    if (this.held.hash !== before) await keepList(this.#options.file, this.held.nodes(), this.#options.log)
    return 'learned'
  }
}

/** The seed's list; undefined when it says that ours is still right. Rejects with NodeError `bad-registry`. */
async function askSeed(
  parts: QuestionParts,
  endpoint: RpcEndpoint,
  extra: { readonly poll_block_hash?: string },
  signal?: AbortSignal,
): Promise<LearnedList | undefined> {
  const params = { active_only: true, fields: LIST_FIELDS, ...extra }
  const result = await askJsonRpc(parts, endpoint, { method: 'get_n_service_nodes', params, ...(signal && { signal }) })
  try {
    const list = decodeList(result)
    if (list?.nodes.length === 0) throw new Error('it is empty')
    if (list === undefined && extra.poll_block_hash === undefined) throw new Error('it says that nothing has changed')
    return list
  } catch (cause) {
    throw new NodeError('bad-registry', `the node list of ${endpoint.url.origin} cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
}

function isDoubtful(list: LearnedList, inForce: NodeList): boolean {
  return isEarlier(list, inForce) || keptOf(list.nodes, inForce.nodes) * 2 < inForce.nodes.length
}

function isEarlier({ height = 0 }: LearnedList, inForce: NodeList): boolean {
  return height < inForce.height
}

/** How many of the nodes in force the list still has: one that names others instead takes the network away as well. */
function keptOf(nodes: readonly ServiceNode[], inForce: readonly ServiceNode[]): number {
  const keys = new Set(nodes.map(node => node.ed25519))
  return inForce.filter(node => keys.has(node.ed25519)).length
}

function noSeed(causes: readonly unknown[]): NodeError {
  const reasons = causes.map(cause => (cause as Error).message).join('; ')
  return new NodeError('bad-registry', `no seed has a list of nodes: ${reasons}`, { cause: causes[0] })
}
