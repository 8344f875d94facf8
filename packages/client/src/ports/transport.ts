/** The transport port: carries a request to a node or a seed and brings the answer back, whatever it says. */
import type { ServiceNode } from '@session-v2/network'

export interface TransportAnswer {
  /** HTTP status. */
  readonly status: number
  readonly body: Uint8Array
}

export interface Transport {
  /** The storage RPC of a node. Rejects when there is no answer; an answer with any status resolves. */
  send(node: ServiceNode, body: Uint8Array, signal: AbortSignal): Promise<TransportAnswer>
  /** The JSON-RPC of a seed, by its base URL. */
  sendToSeed(seedUrl: string, body: Uint8Array, signal: AbortSignal): Promise<TransportAnswer>
}
