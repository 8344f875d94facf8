/**
 * What stands around the answer to a parsed request: how much of a client's and an account's allowance it takes (clauses NODE-101,
 * NODE-102), and what the metrics learn of it.
 */
import type { ParsedRequest } from '@session-v2/network'
import type { Admission } from '../operations/admission.ts'
import type { NodeMetrics } from '../operations/metrics.ts'
import type { RequestGuard } from '../rpc/rpc.ts'
import type { RpcAnswer } from '../rpc/services.ts'
import type { HttpAnswer } from './http-answer.ts'

export const TOO_MANY = { status: 429, body: '' } as const satisfies HttpAnswer

const OK = 200
/** Refusals that come before a signature has been found good: whoever knows an account can bring them about. */
const UNPROVEN: ReadonlySet<number | undefined> = new Set([401, 403, 406, 421])

/** How a request comes: its one part of the allowance of an address is paid already, or, through an onion, none is due. */
export type Arrival = { readonly address: string } | 'onion'

export class GuardedRequest implements RequestGuard {
  readonly #admission: Admission
  readonly #metrics: NodeMetrics
  readonly #arrival: Arrival
  /** What was asked; empty while nobody could read it. */
  method = ''

  constructor(admission: Admission, metrics: NodeMetrics, arrival: Arrival) {
    this.#admission = admission
    this.#metrics = metrics
    this.#arrival = arrival
  }

  admit(request: ParsedRequest): RpcAnswer | undefined {
    this.method = request.method
    const parts = partsOf(request)
    if (this.#arrival !== 'onion' && parts.length > 1 && !this.#admission.address(this.#arrival.address, parts.length - 1))
      return TOO_MANY
    for (const { params } of parts) {
      const { account, signed } = params as Subject
      if (account !== undefined && !this.#admission.account(account, signed !== undefined)) return TOO_MANY
    }
    return undefined
  }

  answered(request: ParsedRequest, answer: RpcAnswer): void {
    const { status, body } = answer
    const parts = partsOf(request)
    // Of several parts each has a status of its own; a branch of an ifelse that was not taken has none.
    const results = typeof body === 'string' ? undefined : (body.results as readonly { readonly code?: number }[] | undefined)
    for (let i = 0; i < parts.length; i++) {
      const code = results === undefined ? (parts.length === 1 ? status : undefined) : results[i]?.code
      if (code === OK && parts[i]!.method === 'store') this.#metrics.stored(1)
      if (UNPROVEN.has(code)) this.#giveBack(parts[i]!.params as Subject)
    }
  }

  #giveBack({ account, signed }: Subject): void {
    if (account !== undefined && signed !== undefined) this.#admission.giveBack(account)
  }
}

/** Whose request it is, where it is somebody's, and the signature. */
interface Subject {
  readonly account?: Uint8Array
  readonly signed?: object
}

/** The requests within: those of a batch or sequence, the larger branch of an ifelse, else the request itself. */
export function partsOf(request: ParsedRequest): readonly ParsedRequest[] {
  const { requests, whenHolds, otherwise } = request.params as {
    readonly requests?: readonly ParsedRequest[]
    readonly whenHolds?: ParsedRequest
    readonly otherwise?: ParsedRequest
  }
  if (requests !== undefined) return requests
  if (whenHolds === undefined && otherwise === undefined) return [request]
  const first = whenHolds === undefined ? [] : partsOf(whenHolds)
  const second = otherwise === undefined ? [] : partsOf(otherwise)
  return first.length >= second.length ? first : second
}
