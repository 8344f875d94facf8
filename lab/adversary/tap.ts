/**
 * A tap on the wire between clients and storage nodes: whoever records everything that swarms are given, for ever. Nothing that is
 * deleted or expires later is gone from it. Through it a node can lie as well, for one client or for all.
 */
import { directTransport, type Transport, type TransportAnswer } from '@session-v2/client'
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from '@session-v2/encoding'
import { NAMESPACE, type Namespace, type ServiceNode } from '@session-v2/network'
import { HOUR_MS, type SimulatedTime } from './simulated-time.ts'

/** A message that was given to a swarm. */
export interface Recorded {
  readonly account: string
  readonly namespace: Namespace
  readonly payload: Uint8Array
  readonly atMs: number
}

export interface Asked {
  readonly node: ServiceNode
  readonly method: string
  readonly namespace: Namespace | undefined
  /** Hexadecimal, 33 bytes. */
  readonly account: string | undefined
}

/** What a node answers instead; undefined: what it would. Throws when it does not answer. */
export type Lie = (asked: Asked) => readonly Uint8Array[] | undefined

interface Call {
  readonly method: string
  readonly params: {
    readonly pubkey?: string
    readonly namespace?: number
    readonly data?: string
    readonly requests?: readonly Call[]
  }
}

const MESSAGE_HASH_CHARACTERS = 43

export class Tap {
  readonly recorded: Recorded[] = []
  readonly #time: SimulatedTime
  readonly #direct = directTransport()

  constructor(time: SimulatedTime) {
    this.#time = time
  }

  /** What was stored for an account, the oldest first, each message once. */
  of(account: string, namespace: Namespace): readonly Recorded[] {
    const seen = new Set<string>()
    return this.recorded.filter(message => {
      const text = encodeBase64(message.payload)
      if (message.account !== account || message.namespace !== namespace || seen.has(text)) return false
      seen.add(text)
      return true
    })
  }

  /** The transport of a client whose line is tapped. */
  transport(lie: Lie = () => undefined): Transport {
    return {
      send: async (node, body, signal) => {
        const call = JSON.parse(decodeUtf8(body)) as Call
        this.#note(call)
        const answer = () => this.#direct.send(node, body, signal)
        return this.#answered(node, call, lie, answer)
      },
      sendToSeed: (seedUrl, body, signal) => this.#direct.sendToSeed(seedUrl, body, signal),
    }
  }

  #note({ method, params }: Call): void {
    for (const call of params.requests ?? []) this.#note(call)
    const { pubkey: account, namespace = NAMESPACE.messages, data } = params
    if (method !== 'store' || account === undefined || data === undefined) return
    this.recorded.push({ account, namespace: namespace as Namespace, payload: decodeBase64(data), atMs: this.#time.nowMs() })
  }

  async #answered(node: ServiceNode, call: Call, lie: Lie, answer: () => Promise<TransportAnswer>): Promise<TransportAnswer> {
    const lies = (call.params.requests ?? [call]).map(each => lie(askedOf(node, each)))
    if (lies.every(payloads => payloads === undefined)) return answer()
    if (call.params.requests === undefined) return { status: 200, body: jsonOf(this.#mailbox(lies[0]!)) }
    const told = await answer()
    const parsed = JSON.parse(decodeUtf8(told.body)) as { results: { code: number; body: unknown }[] }
    const results = parsed.results.map((result, i) => {
      const payloads = lies[i]
      return payloads === undefined ? result : { ...result, body: this.#mailbox(payloads) }
    })
    return { ...told, body: jsonOf({ ...parsed, results }) }
  }

  /** The answer of a node to a retrieve. */
  #mailbox(payloads: readonly Uint8Array[]): object {
    const nowMs = this.#time.nowMs()
    const messages = payloads.map((payload, i) => ({
      hash: String(i).padStart(MESSAGE_HASH_CHARACTERS, 'A'),
      timestamp: nowMs,
      expiration: nowMs + HOUR_MS,
      data: encodeBase64(payload),
    }))
    return { messages, more: false, t: nowMs }
  }
}

function askedOf(node: ServiceNode, { method, params }: Call): Asked {
  const namespace = params.namespace as Namespace | undefined
  return {
    node,
    method,
    account: params.pubkey,
    namespace: method === 'retrieve' ? (namespace ?? NAMESPACE.messages) : namespace,
  }
}

function jsonOf(value: object): Uint8Array {
  return encodeUtf8(JSON.stringify(value))
}

/** Of one namespace every node that is asked shows these messages; undefined: what it has. */
export function showing(messages: () => readonly Uint8Array[] | undefined, namespace: Namespace = NAMESPACE.accountKeys): Lie {
  return asked => (asked.method === 'retrieve' && asked.namespace === namespace ? messages() : undefined)
}
