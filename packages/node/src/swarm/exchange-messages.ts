/**
 * What members of a swarm ask each other to find what they lack (clauses NODE-90 to NODE-93): bt on POST /swarm_rpc/v1, signed as all
 * requests between nodes. A question is a dict of `method` and `params`; params and answers are dicts:
 *
 * | method | key | in params | at most |
 * |---|---|---|---|
 * | `sync_sums` | `r` | ranges of minutes: from, to, step, 12 bytes each, ascending | 1,000; 50,000 sums |
 * | `sync_versions` | `a` | the last version of the page before, 94 bytes; absent at first | |
 * | | `r` | ranges of minutes, step 1 | 4,000 |
 * | `sync_items` | `n` | names, 69 bytes each | 2,000 |
 * | `sync_offer` | `v` | versions, 94 bytes each | 2,000 |
 * | `sync_put` | `i`, `p` | items and proofs | 2,000; 8 MB |
 *
 * | answer to | key | |
 * |---|---|---|
 * | `sync_sums` | `f` | 1 when the member has compared itself since it came to its swarm, else 0 |
 * | | `s` | 8 bytes for each step |
 * | `sync_versions` | `m` | 1 when there is more, else 0 |
 * | | `v` | versions, at most 5,000, in the order of (expiry, account, namespace, hash) |
 * | `sync_items` | `i`, `p` | items in the order asked for, without those that are gone; where they end early, the rest is asked anew |
 * | `sync_offer` | `w` | a byte for each version: 1 wanted, 0 not |
 * | `sync_put` | `t` | a byte for each item: 0 refused, 1 done, 2 to be tried later |
 *
 * An item is a dict: `d` data and `t` timestamp of a message, both absent for a tombstone; `p` the index of its proof in the list
 * of proofs, where it has one; `v` its version, 94 bytes.
 */
import { type BtDict, type BtValue, decodeBt, EncodingError, encodeBt, encodeUtf8 } from '@session-v2/encoding'
import { MESSAGE_MAX_BYTES } from '@session-v2/network'
import { type Item, type ItemName, type ItemVersion, type MinuteRange, SUMS_MAX } from '../store/store.ts'
import {
  decodeNames,
  decodeRanges,
  decodeSums,
  decodeVersions,
  encodeNames,
  encodeRanges,
  encodeSums,
  encodeVersions,
  MalformedExchange,
  type SumsRange,
} from './exchange-records.ts'

export const SUMS_RANGES_MAX = 1_000
export const VERSION_RANGES_MAX = 4_000
export const VERSIONS_PAGE = 5_000
export const ITEMS_MAX = 2_000
/** Data and proofs of an answer or a put; with everything around them it stays below 8 MB. */
export const ITEMS_BUDGET_BYTES = 6_000_000
/** A request of 10,000 hashes takes less. */
export const PROOF_MAX_BYTES = 1024 * 1024
export const EXCHANGE_MAX_BYTES = 8 * 1024 * 1024

const LIMITS = { sizeBytes: EXCHANGE_MAX_BYTES, depth: 6, values: 20_000 }

export type Question =
  | { readonly method: 'sync_sums'; readonly ranges: readonly SumsRange[] }
  | { readonly method: 'sync_versions'; readonly ranges: readonly MinuteRange[]; readonly after?: ItemVersion | undefined }
  | { readonly method: 'sync_items'; readonly names: readonly ItemName[] }
  | { readonly method: 'sync_offer'; readonly versions: readonly ItemVersion[] }
  | { readonly method: 'sync_put'; readonly items: readonly Item[] }

export interface Answers {
  readonly sync_sums: { readonly isComplete: boolean; readonly sums: BigUint64Array }
  readonly sync_versions: { readonly more: boolean; readonly versions: readonly ItemVersion[] }
  readonly sync_items: { readonly items: readonly Item[] }
  readonly sync_offer: { readonly wanted: readonly boolean[] }
  readonly sync_put: { readonly outcomes: readonly PutOutcome[] }
}

export type PutOutcome = 'refused' | 'done' | 'later'
const PUT_OUTCOMES: readonly PutOutcome[] = ['refused', 'done', 'later']

/** A question as it goes over the wire. */
export function encodeQuestion(question: Question): Uint8Array {
  return encodeBt(
    new Map<string, BtValue>([
      ['method', encodeUtf8(question.method)],
      ['params', encodeParams(question)],
    ]),
  )
}

function encodeParams(question: Question): BtDict {
  switch (question.method) {
    case 'sync_sums':
      return dict({ r: encodeRanges(question.ranges) })
    case 'sync_versions': {
      const { ranges, after } = question
      return dict({ a: after && encodeVersions([after]), r: encodeRanges(ranges.map(range => ({ ...range, step: 1 }))) })
    }
    case 'sync_items':
      return dict({ n: encodeNames(question.names) })
    case 'sync_offer':
      return dict({ v: encodeVersions(question.versions) })
    case 'sync_put':
      return encodeItems(question.items)
  }
}

const PREFIX = encodeUtf8('d6:method')
const SYNC = encodeUtf8('sync_')
const LENGTH_DIGITS_MAX = 3

/** Whether a body between nodes is a question of this kind, without reading it whole. */
export function isQuestion(body: Uint8Array): boolean {
  if (!startsWith(body, PREFIX, 0)) return false
  const colon = body.subarray(PREFIX.length, PREFIX.length + LENGTH_DIGITS_MAX).indexOf(0x3a)
  return colon !== -1 && startsWith(body, SYNC, PREFIX.length + colon + 1)
}

function startsWith(body: Uint8Array, part: Uint8Array, at: number): boolean {
  return part.every((byte, i) => body[at + i] === byte)
}

/** Throws MalformedExchange. */
export function decodeQuestion(body: Uint8Array): Question {
  const envelope = fieldsOf(decode(body))
  const method = new TextDecoder().decode(envelope.bytes('method'))
  const params = fieldsOf(envelope.value('params'))
  envelope.end()
  const question = decodeParams(method, params)
  params.end()
  return question
}

function decodeParams(method: string, params: Fields): Question {
  switch (method) {
    case 'sync_sums': {
      const ranges = decodeRanges(params.bytes('r'), SUMS_RANGES_MAX)
      if (stepsIn(ranges) > SUMS_MAX) throw new MalformedExchange('more sums are asked for than one answer has')
      return { method, ranges }
    }
    case 'sync_versions': {
      const after = params.optionalBytes('a')
      const [last] = after === undefined ? [] : decodeVersions(after, 1)
      const ranges = decodeRanges(params.bytes('r'), VERSION_RANGES_MAX)
      return { method, ranges: ranges.map(({ from, to }) => ({ from, to })), ...(last && { after: last }) }
    }
    case 'sync_items':
      return { method, names: decodeNames(params.bytes('n'), ITEMS_MAX) }
    case 'sync_offer':
      return { method, versions: decodeVersions(params.bytes('v'), ITEMS_MAX) }
    case 'sync_put':
      return { method, items: decodeItems(params) }
    default:
      throw new MalformedExchange('there is no such question')
  }
}

/** How many sums there are for these ranges. */
export function stepsIn(ranges: readonly SumsRange[]): number {
  return ranges.reduce((total, { from, to, step }) => total + (to - from) / step, 0)
}

/** `isComplete`: whether we have compared ourselves since we came to our swarm. */
export function encodeSumsAnswer(isComplete: boolean, sums: readonly BigUint64Array[]): Uint8Array {
  return encodeBt(dict({ f: isComplete ? 1n : 0n, s: encodeSums(sums) }))
}

/** A page of versions. */
export function encodeVersionsAnswer({ more, versions }: Answers['sync_versions']): Uint8Array {
  return encodeBt(dict({ m: more ? 1n : 0n, v: encodeVersions(versions) }))
}

/** Items; those with the same array as proof share it. */
export function encodeItemsAnswer(items: readonly Item[]): Uint8Array {
  return encodeBt(encodeItems(items))
}

/** Whether each version is wanted, in the order of the offer. */
export function encodeOfferAnswer(wanted: readonly boolean[]): Uint8Array {
  return encodeBt(dict({ w: Uint8Array.from(wanted, Number) }))
}

/** What became of each item, in the order of the put. */
export function encodePutAnswer(outcomes: readonly PutOutcome[]): Uint8Array {
  return encodeBt(dict({ t: Uint8Array.from(outcomes, outcome => PUT_OUTCOMES.indexOf(outcome)) }))
}

/** The answer to a question. Throws MalformedExchange. */
export function decodeAnswerTo<Q extends Question>(question: Q, body: Uint8Array): Answers[Q['method']] {
  const fields = fieldsOf(decode(body))
  const answer = decodeFields(question, fields)
  fields.end()
  return answer as Answers[Q['method']]
}

function decodeFields(question: Question, fields: Fields): Answers[Question['method']] {
  switch (question.method) {
    case 'sync_sums':
      return { isComplete: fields.bool('f'), sums: decodeSums(fields.bytes('s'), stepsIn(question.ranges)) }
    case 'sync_versions':
      return { more: fields.bool('m'), versions: decodeVersions(fields.bytes('v'), VERSIONS_PAGE) }
    case 'sync_items':
      return { items: decodeItems(fields) }
    case 'sync_offer':
      return { wanted: oneEach(fields.bytes('w'), question.versions.length, [false, true]) }
    case 'sync_put':
      return { outcomes: oneEach(fields.bytes('t'), question.items.length, PUT_OUTCOMES) }
  }
}

function oneEach<T>(bytes: Uint8Array, count: number, meanings: readonly T[]): T[] {
  if (bytes.length !== count) throw new MalformedExchange('there is not a byte for each')
  return Array.from(bytes, byte => {
    if (byte >= meanings.length) throw new MalformedExchange('a byte has no meaning')
    return meanings[byte]!
  })
}

function encodeItems(items: readonly Item[]): BtDict {
  const proofs: Uint8Array[] = []
  const indexes = new Map<Uint8Array, bigint>()
  const indexOf = (proof: Uint8Array): bigint => {
    const known = indexes.get(proof)
    if (known !== undefined) return known
    const index = BigInt(proofs.push(proof) - 1)
    indexes.set(proof, index)
    return index
  }
  const encoded = items.map(item =>
    dict({
      d: item.message?.data,
      p: item.proof && indexOf(item.proof),
      t: item.message && BigInt(item.message.timestampMs),
      v: encodeVersions([item]),
    }),
  )
  return dict({ i: encoded, p: proofs })
}

/** Items with the same proof share one array. */
function decodeItems(fields: Fields): Item[] {
  const values = fields.list('i', ITEMS_MAX)
  const proofs = fields.list('p', ITEMS_MAX).map(proof => {
    if (proof instanceof Uint8Array && proof.length <= PROOF_MAX_BYTES) return proof
    throw new MalformedExchange('a proof is none')
  })
  return values.map(value => decodeItem(fieldsOf(value), proofs))
}

function decodeItem(fields: Fields, proofs: readonly Uint8Array[]): Item {
  const [version] = decodeVersions(fields.bytes('v'), 1)
  if (version === undefined) throw new MalformedExchange('an item has no version')
  const data = fields.optionalBytes('d')
  const timestamp = fields.optionalInteger('t')
  const proof = proofAt(proofs, fields.optionalInteger('p'))
  fields.end()
  if (version.isTombstone ? data !== undefined || timestamp !== undefined : data === undefined || timestamp === undefined) {
    throw new MalformedExchange('a message has content, a tombstone none')
  }
  if (data !== undefined && data.length > MESSAGE_MAX_BYTES) throw new MalformedExchange('a message is too large')
  const message = data && { timestampMs: Number(timestamp), data }
  return { ...version, ...(message && { message }), ...(proof && { proof }) }
}

function proofAt(proofs: readonly Uint8Array[], index: bigint | undefined): Uint8Array | undefined {
  if (index === undefined) return undefined
  const proof = proofs[Number(index)]
  if (index < 0n || proof === undefined) throw new MalformedExchange('there is no such proof')
  return proof
}

function dict(fields: Readonly<Record<string, BtValue | undefined>>): BtDict {
  const given = Object.entries(fields).filter((field): field is [string, BtValue] => field[1] !== undefined)
  return new Map(given)
}

function decode(body: Uint8Array): BtValue {
  try {
    return decodeBt(body, LIMITS)
  } catch (error) {
    if (error instanceof EncodingError) throw new MalformedExchange('it is not written in bt', { cause: error })
    throw error
  }
}

function fieldsOf(value: BtValue): Fields {
  if (value instanceof Map) return new Fields(value)
  throw new MalformedExchange('it is no dict')
}

/** Takes fields out of a dict, each of one form. */
class Fields {
  readonly #left: Map<string, BtValue>

  constructor(dict: BtDict) {
    this.#left = new Map(dict)
  }

  value(key: string): BtValue {
    const value = this.#take(key)
    if (value === undefined) throw new MalformedExchange(`the field ${key} is missing`)
    return value
  }

  optionalBytes(key: string): Uint8Array | undefined {
    const value = this.#take(key)
    if (value === undefined || value instanceof Uint8Array) return value
    throw new MalformedExchange(`the field ${key} is not bytes`)
  }

  bytes(key: string): Uint8Array {
    const value = this.value(key)
    if (value instanceof Uint8Array) return value
    throw new MalformedExchange(`the field ${key} is not bytes`)
  }

  /** One that a number holds exactly. */
  optionalInteger(key: string): bigint | undefined {
    const value = this.#take(key)
    if (value === undefined) return undefined
    if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return value
    throw new MalformedExchange(`the field ${key} is no integer`)
  }

  bool(key: string): boolean {
    const value = this.value(key)
    if (value === 0n || value === 1n) return value === 1n
    throw new MalformedExchange(`the field ${key} is neither 0 nor 1`)
  }

  list(key: string, max: number): readonly BtValue[] {
    const value = this.value(key)
    if (Array.isArray(value) && value.length <= max) return value
    throw new MalformedExchange(`the field ${key} is no list of at most ${max}`)
  }

  /** Throws when a field is left that nobody took. */
  end(): void {
    if (this.#left.size > 0) throw new MalformedExchange('there is an unknown field')
  }

  #take(key: string): BtValue | undefined {
    const value = this.#left.get(key)
    this.#left.delete(key)
    return value
  }
}
