/**
 * The daemon of a chain, over its JSON-RPC on this machine, as the registry, and what it wants to hear from a storage node (clause
 * NODE-127). No other part of the node knows that there is a chain.
 *
 * | method | when | parameters | read of the result |
 * |---|---|---|---|
 * | `get_service_nodes` | every 5 s | `fields`, `active_only` false, `poll_block_hash` | `height`, `block_hash`, `service_node_states`, `unchanged` |
 * | `storage_server_ping` | every 30 s | `version`, `https_port`, `omq_port`, `pubkey_ed25519`, `error` | – |
 * | `report_peer_status` | after each test of a node | `type` "storage", `pubkey`, `passed` | – |
 */
import { legacyKey, type ServiceNode } from '@session-v2/network'
import type { Log } from '../log.ts'
import { NodeError } from '../node-error.ts'
import { VERSION } from '../version.ts'
import { askJsonRpc, type QuestionParts, type RpcEndpoint, rpcEndpoint } from './json-rpc.ts'
import { decodeList, type Entry, LIST_FIELDS } from './list-decoder.ts'
import { type PollOutcome, polledRegistry } from './polled-registry.ts'
import { type LearnedList, MemoryRegistry, type Registry, type RegistryParts } from './registry.ts'

export const DAEMON_POLL_MS = 5_000
export const DAEMON_SLOWEST_POLL_MS = 60_000
export const DAEMON_PING_MS = 30_000

/** Reports under way at once; what comes while there are so many is left out, the node is tested again anyway. */
export const REPORTS_MAX = 8

export interface DaemonOptions extends RegistryParts, QuestionParts {
  /** Base URL of the daemon's RPC: `http://127.0.0.1:22023`. */
  readonly url: string
}

/** What the daemon passes on to the chain about this node. */
export interface Announcement {
  readonly ed25519: string
  readonly port: number
  readonly omqPort: number
  /** Why the node does not serve, for the operator; absent when it does. */
  readonly error?: string
}

/** A registry that follows the daemon. Rejects with NodeError `bad-config` for no URL, `bad-registry` when it does not answer now. */
export async function openDaemonRegistry(options: DaemonOptions): Promise<Registry> {
  const endpoint = rpcEndpoint(options.url)
  const first = await askDaemon(options, endpoint, {})
  if (first === undefined) throw unreadable(endpoint, 'it says that nothing has changed')
  const held = new MemoryRegistry(options, first)
  const poll = async (signal: AbortSignal): Promise<PollOutcome> => {
    const list = await askDaemon(options, endpoint, { poll_block_hash: held.nodes().blockHash }, signal)
    if (list !== undefined) held.replace(list)
    return 'learned'
  }
  const pace = { intervalMs: DAEMON_POLL_MS, slowestMs: DAEMON_SLOWEST_POLL_MS, startsNow: false }
  return polledRegistry(options, held, { poll, ...pace })
}

/**
 * Tells the daemon every 30 s that this node runs, without which the chain holds it for dead; the returned function ends that. Throws
 * NodeError `bad-config`.
 */
export function startDaemonPing(options: DaemonOptions, announcement: () => Announcement): () => void {
  const endpoint = rpcEndpoint(options.url)
  const stopping = new AbortController()
  let cancel = (): void => {}
  const tell = teller(options, endpoint, stopping.signal)
  const ping = async (): Promise<void> => {
    await tell('storage_server_ping', () => encodeAnnouncement(announcement()))
    if (!stopping.signal.aborted) cancel = options.timers.after(DAEMON_PING_MS, () => void ping())
  }
  void ping()
  return () => {
    stopping.abort()
    cancel()
  }
}

function encodeAnnouncement({ ed25519, port, omqPort, error }: Announcement): object {
  const told = { version: VERSION, https_port: port, omq_port: omqPort, pubkey_ed25519: ed25519 }
  return { ...told, ...(error !== undefined && { error }) }
}

/** Reports of reachability, to be called with each result; they are sent one by one and never awaited. */
export interface PeerReports {
  report(node: ServiceNode, passed: boolean): void
  close(): void
}

/** Reports to the daemon, which votes on the nodes that fail. Throws NodeError `bad-config`. */
export function daemonPeerReports(options: DaemonOptions): PeerReports {
  const stopping = new AbortController()
  const tell = teller(options, rpcEndpoint(options.url), stopping.signal)
  let underWay = 0
  const send = async (node: ServiceNode, passed: boolean): Promise<void> => {
    underWay++
    await tell('report_peer_status', () => ({ type: 'storage', pubkey: legacyKey(node), passed }))
    underWay--
  }
  return {
    report(node, passed) {
      if (underWay < REPORTS_MAX && !stopping.signal.aborted) void send(node, passed)
    },
    close: () => stopping.abort(),
  }
}

/** Tells the daemon something; never rejects. The first failure of a row is logged. */
function teller(parts: QuestionParts & { readonly log: Log }, endpoint: RpcEndpoint, signal: AbortSignal) {
  let failing = false
  return async (method: string, params: () => object): Promise<void> => {
    try {
      await askJsonRpc(parts, endpoint, { method, params: params(), signal })
      failing = false
    } catch (error) {
      if (!failing && !signal.aborted) parts.log.warn({ reason: (error as Error).message }, 'the daemon does not take a message')
      failing = true
    }
  }
}

async function askDaemon(
  parts: QuestionParts,
  endpoint: RpcEndpoint,
  extra: { readonly poll_block_hash?: string },
  signal?: AbortSignal,
): Promise<LearnedList | undefined> {
  const params = { active_only: false, fields: { ...LIST_FIELDS, funded: true }, ...extra }
  const result = await askJsonRpc(parts, endpoint, { method: 'get_service_nodes', params, ...(signal && { signal }) })
  try {
    return decodeList(result, isRunning)
  } catch (cause) {
    throw unreadable(endpoint, (cause as Error).message, cause)
  }
}

/** A registration that is not paid up, or whose node has never told the chain its keys and address, is no node yet. */
function isRunning({ funded, public_ip: address, pubkey_ed25519: key }: Entry): boolean {
  return funded !== false && typeof address === 'string' && key !== undefined && key !== ''
}

function unreadable({ url }: RpcEndpoint, reason: string, cause?: unknown): NodeError {
  return new NodeError('bad-registry', `the node list of ${url.origin} cannot be read: ${reason}`, { cause })
}
