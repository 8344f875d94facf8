/**
 * A transport that shows what it carries: the `store` requests, exactly as a storage node gets them, once they are answered.
 */
import type { Transport, TransportAnswer } from '@session-v2/client'

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
  /** Base URLs of the relays, the guard first. */
  readonly relayUrls: readonly string[]
}

interface StoreRequest {
  readonly method: string
  readonly params: { readonly pubkey: string; readonly namespace?: number; readonly data: string; readonly ttl: number }
}

export function watchedTransport(transport: Transport, onStore: (seen: SeenStore) => void): Transport {
  return {
    ...transport,
    sendToSeed: (seedUrl, body, signal) => transport.sendToSeed(seedUrl, body, signal),
    hidesAddress: () => transport.hidesAddress?.() ?? false,
    send: async (node, body, signal) => {
      const { method, params } = JSON.parse(Buffer.from(body).toString()) as StoreRequest
      const answer = await transport.send(node, body, signal)
      if (method === 'store') {
        onStore({
          nodeUrl: urlOf(node),
          fields: Object.keys(params),
          mailbox: params.pubkey,
          namespace: params.namespace ?? 0,
          payload: Buffer.from(params.data, 'base64'),
          ttlMs: params.ttl,
          relayUrls: (answer.relays ?? []).map(urlOf),
        })
      }
      return answer
    },
  }
}

function urlOf({ protocol, host, port }: NonNullable<TransportAnswer['relays']>[number]): string {
  return `${protocol}://${host}:${port}`
}
