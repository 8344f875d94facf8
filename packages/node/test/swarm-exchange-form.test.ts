/** The form of what nodes ask each other (NODE-90, NODE-91): what is written is read, and nothing else does harm. */
import { encodeBase64 } from '@session-v2/encoding'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Item, type ItemVersion, REVOCATIONS } from '../src/store/store.ts'
import {
  decodeAnswerTo,
  decodeQuestion,
  encodeItemsAnswer,
  encodeOfferAnswer,
  encodePutAnswer,
  encodeQuestion,
  encodeSumsAnswer,
  encodeVersionsAnswer,
  isQuestion,
  type PutOutcome,
  type Question,
  stepsIn,
} from '../src/swarm/exchange-messages.ts'
import { MalformedExchange } from '../src/swarm/exchange-records.ts'

const RUNS = Math.min(2_000, Number(process.env.FUZZ_RUNS ?? 300))

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const name = {
  account: bytes(33),
  namespace: fc.oneof(fc.integer({ min: -32_768, max: 32_767 }), fc.constant(REVOCATIONS)),
  hash: bytes(32).map(raw => encodeBase64(raw, { padding: false })),
}
const version: fc.Arbitrary<ItemVersion> = fc
  .record({ ...name, times: fc.tuple(time, time), expiryMs: time, isTombstone: fc.boolean() })
  .map(({ times: [a, b], ...rest }) => ({ ...rest, decidedAtMs: Math.min(a, b), changedAtMs: Math.max(a, b) }))
const proofs = [Uint8Array.of(1), Uint8Array.of(2, 3)]
const item: fc.Arbitrary<Item> = fc
  .record({ version, data: fc.uint8Array({ maxLength: 40 }), timestampMs: time, proof: fc.constantFrom(undefined, ...proofs) })
  .map(({ version: one, data, timestampMs, proof }) => ({
    ...one,
    ...(!one.isTombstone && { message: { data, timestampMs } }),
    ...(proof && { proof }),
  }))
const ranges = fc
  .array(fc.record({ gap: fc.nat(50), steps: fc.integer({ min: 1, max: 20 }), step: fc.integer({ min: 1, max: 60 }) }), {
    maxLength: 6,
  })
  .map(list => {
    let at = 1
    return list.map(({ gap, steps, step }) => {
      const from = at + gap
      at = from + steps * step
      return { from, to: at, step }
    })
  })
const question: fc.Arbitrary<Question> = fc.oneof(
  fc.record({ method: fc.constant('sync_sums' as const), ranges }),
  fc.record(
    {
      method: fc.constant('sync_versions' as const),
      ranges: ranges.map(list => list.map(({ from, to }) => ({ from, to }))),
      after: version,
    },
    { requiredKeys: ['method', 'ranges'] },
  ),
  fc.record({ method: fc.constant('sync_items' as const), names: fc.array(fc.record(name), { maxLength: 5 }) }),
  fc.record({ method: fc.constant('sync_offer' as const), versions: fc.array(version, { maxLength: 5 }) }),
  fc.record({ method: fc.constant('sync_put' as const), items: fc.array(item, { maxLength: 5 }) }),
)

/** An answer that fits a question, and what it has to be read as. */
function answerTo(asked: Question, items: readonly Item[]): [Uint8Array, unknown] {
  switch (asked.method) {
    case 'sync_sums': {
      const sums = BigUint64Array.from({ length: stepsIn(asked.ranges) }, (_, i) => BigInt(i) << 40n)
      return [encodeSumsAnswer(true, [sums]), { isComplete: true, sums }]
    }
    case 'sync_versions': {
      const versions = items.map(({ message, proof, ...one }) => one)
      return [encodeVersionsAnswer({ more: false, versions }), { more: false, versions }]
    }
    case 'sync_items':
      return [encodeItemsAnswer(items), { items }]
    case 'sync_offer': {
      const wanted = asked.versions.map((_, i) => i % 2 === 0)
      return [encodeOfferAnswer(wanted), { wanted }]
    }
    case 'sync_put': {
      const outcomes = asked.items.map((_, i): PutOutcome => (['refused', 'done', 'later'] as const)[i % 3]!)
      return [encodePutAnswer(outcomes), { outcomes }]
    }
  }
}

/** Reads it; what comes of it does not matter, as long as nothing but MalformedExchange is thrown. */
function attempt(read: () => unknown): void {
  try {
    read()
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedExchange)
  }
}

describe('a question and its answer', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(question, fc.array(item, { maxLength: 5 }), (asked, items) => {
        const encoded = encodeQuestion(asked)
        expect(isQuestion(encoded)).toBe(true)
        expect(decodeQuestion(encoded)).toEqual(asked)
        const [answer, meaning] = answerTo(asked, items)
        expect(decodeAnswerTo(asked, answer)).toEqual(meaning)
      }),
      { numRuns: RUNS },
    )
  })
  it('share a proof: it is written once, and read as one array', () => {
    const one: ItemVersion = {
      account: new Uint8Array(33),
      namespace: 0,
      hash: 'A'.repeat(43),
      decidedAtMs: 1,
      changedAtMs: 1,
      expiryMs: 2,
      isTombstone: true,
    }
    const proof = new Uint8Array(1_000)
    const encoded = encodeItemsAnswer([
      { ...one, proof },
      { ...one, changedAtMs: 5, proof },
    ])
    expect(encoded.length).toBeLessThan(1_400)
    const { items } = decodeAnswerTo({ method: 'sync_items', names: [] }, encoded)
    expect(items[0]!.proof).toBe(items[1]!.proof)
  })
  it('have both times of a version: one that changed before it was decided is none', () => {
    fc.assert(
      fc.property(version, time, (one, other) => {
        const decidedAtMs = Math.max(one.changedAtMs, other)
        const spoilt = { ...one, decidedAtMs }
        const decode = (versions: ItemVersion[]) => decodeQuestion(encodeQuestion({ method: 'sync_offer', versions }))
        if (decidedAtMs > one.changedAtMs) expect(() => decode([one, spoilt])).toThrow(MalformedExchange)
        else expect(decode([spoilt])).toEqual({ method: 'sync_offer', versions: [spoilt] })
      }),
    )
  })
  it('that are changed in a byte, cut or made up are refused or read, and nothing else (fuzz)', () => {
    const change = fc.record({ at: fc.nat(), to: fc.nat(255), cut: fc.boolean() })
    fc.assert(
      fc.property(
        question,
        fc.array(item, { maxLength: 3 }),
        change,
        fc.uint8Array({ maxLength: 60 }),
        (asked, items, { at, to, cut }, junk) => {
          const spoilt = (whole: Uint8Array): Uint8Array => {
            const copy = whole.slice(0, cut ? at % whole.length : whole.length)
            if (!cut) copy[at % copy.length] = to
            return copy
          }
          for (const body of [spoilt(encodeQuestion(asked)), junk]) {
            isQuestion(body)
            attempt(() => decodeQuestion(body))
          }
          for (const body of [spoilt(answerTo(asked, items)[0]), junk]) attempt(() => decodeAnswerTo(asked, body))
        },
      ),
      { numRuns: RUNS },
    )
  })
})
