/** Real ports with faults: a transport that loses, doubles and delays, a store that dies at a chosen commit. */
import {
  type Change,
  type CommitOptions,
  directTransport,
  type RecordStore,
  type Transport,
  type TransportAnswer,
} from '@session-v2/client'
import { decodeUtf8 } from '@session-v2/encoding'
import type { ServiceNode } from '@session-v2/network'

/** What happens to a request. `answer-lost`: it arrives, but whoever sent it never learns. */
export type Fault = 'none' | 'request-lost' | 'answer-lost' | 'doubled'

export interface Sent {
  readonly node: ServiceNode
  readonly method: string
  /** The text of the request. */
  readonly text: string
}

type Send = () => Promise<TransportAnswer>

/** The direct transport, where `around` decides what becomes of every request to a node. */
export function transportWith(around: (sent: Sent, send: Send) => Promise<TransportAnswer>): Transport {
  const real = directTransport()
  return {
    send: (node, body, signal) => {
      const text = decodeUtf8(body)
      const { method } = JSON.parse(text) as { method: string }
      return around({ node, method, text }, () => real.send(node, body, signal))
    },
    sendToSeed: (seedUrl, body, signal) => real.sendToSeed(seedUrl, body, signal),
  }
}

export function faultyTransport(faultOf: (sent: Sent) => Fault): Transport {
  return transportWith(async (sent, send) => {
    const fault = faultOf(sent)
    if (fault === 'request-lost') throw new Error('lost')
    if (fault === 'doubled') await send()
    const answer = await send()
    if (fault === 'answer-lost') throw new Error('answer lost')
    return answer
  })
}

/** A store that dies at its n-th commit (1 and up), before or after it is written, and does nothing from then on. */
export class DyingStore implements RecordStore {
  readonly #inner: RecordStore
  readonly #dieAt: number
  readonly #moment: 'before' | 'after'
  #commits = 0
  #dead = false

  constructor(inner: RecordStore, dieAt: number, moment: 'before' | 'after') {
    this.#inner = inner
    this.#dieAt = dieAt
    this.#moment = moment
  }

  /** Whether it came to that. */
  get dead(): boolean {
    return this.#dead
  }

  async get(table: string, key: Uint8Array) {
    this.#requireLife()
    return this.#inner.get(table, key)
  }

  async scan(table: string, query: Parameters<RecordStore['scan']>[1]) {
    this.#requireLife()
    return this.#inner.scan(table, query)
  }

  async commit(changes: readonly Change[], options?: CommitOptions): Promise<void> {
    this.#requireLife()
    const isLast = ++this.#commits === this.#dieAt
    if (isLast && this.#moment === 'before') this.#die()
    await this.#inner.commit(changes, options)
    if (isLast) this.#die()
  }

  async close(): Promise<void> {}

  #die(): never {
    this.#dead = true
    throw new Error('died')
  }

  #requireLife(): void {
    if (this.#dead) throw new Error('dead')
  }
}
