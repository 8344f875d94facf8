/**
 * A transport that shows what it carries: the `store` requests, exactly as a storage node gets them.
 */
import type { Transport } from '@session-v2/client'

/** What a storage node is told when it is asked to keep something. */
export interface SeenStore {
  /** Base URL of the node that was asked. */
  readonly nodeUrl: string
  /** Names of the fields of the request: all there is besides the payload's own bytes. */
  readonly fields: readonly string[]
  /** The account id on the envelope: whose mailbox. */
  readonly mailbox: string
  readonly namespace: number
  readonly payload: Uint8Array
  readonly ttlMs: number
}

interface StoreRequest {
  readonly method: string
  readonly params: { readonly pubkey: string; readonly namespace?: number; readonly data: string; readonly ttl: number }
}

export function watchedTransport(transport: Transport, onStore: (seen: SeenStore) => void): Transport {
  return {
    ...transport,
    send: (node, body, signal) => {
      const { method, params } = JSON.parse(Buffer.from(body).toString()) as StoreRequest
      if (method === 'store') {
        onStore({
          nodeUrl: `${node.protocol}://${node.host}:${node.port}`,
          fields: Object.keys(params),
          mailbox: params.pubkey,
          namespace: params.namespace ?? 0,
          payload: Buffer.from(params.data, 'base64'),
          ttlMs: params.ttl,
        })
      }
      return transport.send(node, body, signal)
    },
  }
}
