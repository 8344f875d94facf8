/**
 * Answers what other nodes ask about items (clauses NODE-90 to NODE-94, NODE-97). Members of our swarm may ask everything; other nodes
 * of the network may only offer and put, and only items of accounts that fall to our swarm.
 */
import { describeException, type Log } from '../log.ts'
import { NodeError } from '../node-error.ts'
import { TokenBuckets } from '../operations/token-bucket.ts'
import type { Clock } from '../ports.ts'
import { isLater } from '../store/item-version.ts'
import type { Item, ItemVersion, MinuteRange, SwarmStore } from '../store/store.ts'
import {
  decodeQuestion,
  encodeItemsAnswer,
  encodeOfferAnswer,
  encodePutAnswer,
  encodeSumsAnswer,
  encodeVersionsAnswer,
  ITEMS_BUDGET_BYTES,
  type PutOutcome,
  type Question,
  VERSIONS_PAGE,
} from './exchange-messages.ts'
import { MalformedExchange, type SumsRange } from './exchange-records.ts'
import { type GateParts, judgeVersion, takeOver, type Verdict } from './item-gate.ts'

/** Questions that are answered at once; each may hold an answer of 8 MB. */
const RUNNING_MAX = 8
/** Questions of one node: enough to fill it at once, too few to keep us busy. */
const RATE = { burst: 500, perSecond: 100 }
const TRACKED_MAX = 1_000

const NOT_A_MEMBER = { status: 403, body: 'swarm request is not signed by a member of this swarm' } as const
const FOREIGN = { status: 421, body: 'an account is not of this swarm' } as const
const BUSY = { status: 503, body: 'Server busy, try again later' } as const
const FAILED = { status: 500, body: 'request failed' } as const

export interface ExchangeAnswer {
  readonly status: number
  readonly body: string | Uint8Array
}

export interface ExchangeAnswersParts extends GateParts {
  readonly clock: Clock
  /** A clock that only moves on. */
  readonly monotonic: Clock
  /** Whether the key is that of another member of our swarm. */
  readonly isPeer: (ed25519: string) => boolean
  /** Whether we have compared ourselves since we came to our swarm. */
  readonly isComplete: () => boolean
  readonly log: Log
}

export class ExchangeAnswers {
  readonly #parts: ExchangeAnswersParts
  readonly #rates: TokenBuckets
  readonly #running = new Set<string>()

  constructor(parts: ExchangeAnswersParts) {
    this.#parts = parts
    this.#rates = new TokenBuckets(RATE, TRACKED_MAX, parts.monotonic)
  }

  /** Answers a question that a node of the network signed; never rejects. */
  async answer(sender: string, body: Uint8Array): Promise<ExchangeAnswer> {
    if (this.#running.has(sender) || this.#running.size >= RUNNING_MAX || !this.#rates.take(sender)) return BUSY
    this.#running.add(sender)
    try {
      const question = decodeQuestion(body)
      const isForMembers = question.method !== 'sync_offer' && question.method !== 'sync_put'
      if (isForMembers && !this.#parts.isPeer(sender)) return NOT_A_MEMBER
      return await this.#answer(question)
    } catch (error) {
      if (error instanceof MalformedExchange) return { status: 422, body: error.message }
      if (!(error instanceof NodeError)) this.#parts.log.error(describeException(error), 'a question of a node failed')
      return FAILED
    } finally {
      this.#running.delete(sender)
    }
  }

  async #answer(question: Question): Promise<ExchangeAnswer> {
    switch (question.method) {
      case 'sync_sums':
        return ok(encodeSumsAnswer(this.#parts.isComplete(), await this.#sums(question.ranges)))
      case 'sync_versions':
        return ok(encodeVersionsAnswer(await versionsPage(this.#parts.store, question.ranges, question.after)))
      case 'sync_items':
        return ok(encodeItemsAnswer(await this.#parts.store.items(question.names, ITEMS_BUDGET_BYTES)))
      case 'sync_offer':
        return this.#offer(question.versions)
      case 'sync_put':
        return this.#put(question.items)
    }
  }

  #sums(ranges: readonly SumsRange[]): Promise<BigUint64Array[]> {
    return Promise.all(ranges.map(range => this.#parts.store.sums(range, range.step)))
  }

  async #offer(versions: readonly ItemVersion[]): Promise<ExchangeAnswer> {
    const { store, clock, isOurs } = this.#parts
    if (versions.some(({ account }) => !isOurs(account))) return FOREIGN
    const nowMs = clock.nowMs()
    const held = await store.heldVersions(versions)
    const wanted = versions.map((version, i) => judgeVersion(version, nowMs, isOurs) !== 'bad' && isLater(version, held[i]))
    return ok(encodeOfferAnswer(wanted))
  }

  async #put(items: readonly Item[]): Promise<ExchangeAnswer> {
    if (items.some(({ account }) => !this.#parts.isOurs(account))) return FOREIGN
    const verdicts = await takeOver(this.#parts, items, this.#parts.clock.nowMs())
    return ok(encodePutAnswer(verdicts.map(outcomeOf)))
  }
}

function outcomeOf(verdict: Verdict): PutOutcome {
  return verdict === 'good' ? 'done' : verdict === 'later' ? 'later' : 'refused'
}

function ok(body: Uint8Array): ExchangeAnswer {
  return { status: 200, body }
}

async function versionsPage(
  store: SwarmStore,
  ranges: readonly MinuteRange[],
  after: ItemVersion | undefined,
): Promise<{ more: boolean; versions: ItemVersion[] }> {
  const versions: ItemVersion[] = []
  for (const range of ranges) {
    const wanted = VERSIONS_PAGE + 1 - versions.length
    versions.push(...(await store.versions(range, wanted, after)))
    if (versions.length > VERSIONS_PAGE) return { more: true, versions: versions.slice(0, VERSIONS_PAGE) }
  }
  return { more: false, versions }
}
