/**
 * The transport port: carries a request to a node or a seed and brings the answer back, whatever it says; and below it the HTTP port,
 * by which both the direct and the onion transport post.
 */
import type { ServiceNode } from '@session-v2/network'

export interface TransportAnswer {
  /** HTTP status. */
  readonly status: number
  readonly body: Uint8Array
  /** The relays that it came through, the guard first; none where the node was asked directly. */
  readonly relays?: readonly ServiceNode[]
}

export interface Transport {
  /**
   * The storage RPC of a node. Rejects when there is no answer; an answer with any status resolves. A rejection counts against the node
   * unless it is a ClientError, or a NetworkError to be tried `later`: then the way to the node is at fault.
   */
  send(node: ServiceNode, body: Uint8Array, signal: AbortSignal): Promise<TransportAnswer>
  /** The JSON-RPC of a seed, by its base URL. */
  sendToSeed(seedUrl: string, body: Uint8Array, signal: AbortSignal): Promise<TransportAnswer>
  /** How long one request may take; 10 s where it does not say. */
  readonly timeoutMs?: number
  /** Whether nodes that are asked now see another address than this device's; false where it does not say. */
  hidesAddress?(): boolean
}

/** Posts bytes and brings back status and body, whatever they say. Rejects when there is no answer. */
export type HttpPost = (url: string, body: Uint8Array, signal: AbortSignal) => Promise<TransportAnswer>

export interface Http {
  readonly toNode: HttpPost
  readonly toSeed: HttpPost
}
