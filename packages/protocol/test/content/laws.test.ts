/** Laws of contents of conversations: whatever comes is read or refused with a typed error, and orders do not matter (CON-03 to CON-23). */
import { concatBytes, decodeHex } from '@session-v2/encoding'
import {
  type Content,
  decodeContent,
  disappearingStartsAtMs,
  disappearsAtMs,
  encodeContent,
  type MessageReference,
  messageContent,
  messageIdentity,
  ProtocolError,
  parseAccountId,
  type ReactionMoment,
  reactionSupersedes,
  readConversationContent,
  referenceIdentity,
  resolveReference,
} from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fuzzRuns } from '../providers.ts'

const ALICE = parseAccountId(`05${'aa'.repeat(32)}`)
const BOB = parseAccountId(`05${'bb'.repeat(32)}`)
const sender = fc.constantFrom(ALICE, BOB)
/** Field 99, bytes: no schema of a content has it. */
const UNKNOWN = decodeHex('9a0602abcd')

const encoded = loadVectors('content')
  .filter(file => file.in.content !== undefined)
  .map(file => decodeHex(file.in.content))

const msgId = fc.option(fc.constantFrom(1n, 2n, -1n), { nil: undefined })
const reference = fc.record({ author: sender, sentAtMs: fc.constantFrom(1, 2), msgId }).map(named)

function named({ msgId, ...rest }: { author: typeof ALICE; sentAtMs: number; msgId: bigint | undefined }): MessageReference {
  return msgId === undefined ? rest : { ...rest, msgId }
}

describe('a reference (CON-11)', () => {
  it('means the message that has its identity, among any others, in any order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(reference, { selector: referenceIdentity, maxLength: 12 }), reference, (candidates, meant) => {
        const found = resolveReference(meant, candidates)
        expect(resolveReference(meant, [...candidates].reverse())).toBe(found)
        const fitting = candidates.filter(({ author, sentAtMs }) => author === meant.author && sentAtMs === meant.sentAtMs)
        if (meant.msgId !== undefined) {
          const same = fitting.filter(candidate => referenceIdentity(candidate) === referenceIdentity(meant))
          expect(found).toBe(same[0] ?? 'unknown')
        } else expect(found).toBe(fitting.length > 1 ? 'ambiguous' : (fitting[0] ?? 'unknown'))
      }),
    )
  })

  it('reads no more candidates than it needs to', () => {
    const bob = { author: BOB, sentAtMs: 1 }
    function* endless() {
      for (;;) yield { ...bob }
    }
    expect(resolveReference(bob, endless())).toBe('ambiguous')
  })
})

describe('reactions (CON-13)', () => {
  const moment: fc.Arbitrary<ReactionMoment> = fc
    .record({ sentAtMs: fc.constantFrom(1, 2), msgId, action: fc.constantFrom('add', 'remove') })
    .map(({ msgId, ...rest }) => (msgId === undefined ? rest : { ...rest, msgId }) as ReactionMoment)
  const last = (moments: readonly ReactionMoment[]) =>
    moments.reduce<ReactionMoment | undefined>((known, said) => (reactionSupersedes(said, known) ? said : known), undefined)

  it('end the same in whatever order they come', () => {
    const shuffled = fc.array(moment, { maxLength: 8 }).chain(moments => {
      return fc.tuple(fc.constant(moments), fc.shuffledSubarray(moments, { minLength: moments.length }))
    })
    fc.assert(
      fc.property(shuffled, ([moments, others]) => {
        expect(last(others)).toEqual(last(moments))
      }),
    )
  })
})

describe('disappearing (CON-23)', () => {
  const message = fc.record(
    {
      expiry: fc.record({
        mode: fc.constantFrom('after-read' as const, 'after-send' as const),
        timerS: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      }),
      outgoing: fc.boolean(),
      sentAtMs: fc.integer({ min: 1, max: 2 ** 45 }),
      readAtMs: fc.integer({ min: 1, max: 2 ** 45 }),
    },
    { requiredKeys: ['expiry', 'outgoing', 'sentAtMs'] },
  )

  it('begins when the message was sent or later, ends after its timer, and runs always but before reading', () => {
    fc.assert(
      fc.property(message, one => {
        const startMs = disappearingStartsAtMs(one)
        const waits = one.expiry.mode === 'after-read' && !one.outgoing && one.readAtMs === undefined
        expect(startMs === undefined).toBe(waits)
        if (startMs === undefined) expect(disappearsAtMs(one)).toBeUndefined()
        else {
          expect(startMs).toBeGreaterThanOrEqual(one.sentAtMs)
          expect(disappearsAtMs(one)).toBe(startMs + one.expiry.timerS * 1000)
        }
      }),
    )
  })
})

describe('contents', () => {
  it('are the same message to both sides and in the copy, whatever is written (CON-04, CON-05)', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 1 }),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        (body, sentAtMs, msgId) => {
          const sent = decodeContent(encodeContent(messageContent({ body, sentAtMs, msgId })))
          const { said, message } = readConversationContent(sent, { self: ALICE, sender: BOB })
          expect(said).toEqual({ kind: 'message', body, attachments: [], previews: [] })
          expect(referenceIdentity(message)).toBe(messageIdentity(BOB, sent))
        },
      ),
    )
  })

  it('keep what they do not know, in every part of every depth (CON-03)', () => {
    const parts = new Set<string>()
    for (const bytes of encoded) {
      const content = decodedOrUndefined(bytes)
      if (content === undefined) continue
      const grown = withUnknown(content) as Content
      expect(decodeContent(encodeContent(grown))).toEqual(grown)
      for (const name of Object.keys({ ...content, ...content.dataMessage })) parts.add(name)
    }
    const known = ['quote', 'reaction', 'profile', 'unsendRequest', 'receiptMessage', 'typingMessage', 'messageRequestResponse']
    expect([...parts]).toEqual(expect.arrayContaining(known))
  })

  it('say the same with what is not known behind them (CON-03)', () => {
    for (const bytes of encoded) {
      const origin = { self: ALICE, sender: BOB, envelopeMs: 9 }
      expect(outcomeOf(concatBytes(bytes, UNKNOWN), origin)).toEqual(outcomeOf(bytes, origin))
    }
  })
})

/** A message with unknown fields in it and in every message within. */
function withUnknown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withUnknown)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  const fields = Object.entries(value).map(([name, field]) => [name, withUnknown(field)])
  return { ...Object.fromEntries(fields), unknownFields: UNKNOWN }
}

function decodedOrUndefined(bytes: Uint8Array): Content | undefined {
  try {
    return decodeContent(bytes)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

/** What is said, or the clause by which it is refused. */
function outcomeOf(bytes: Uint8Array, origin: Parameters<typeof readConversationContent>[1]): unknown {
  try {
    return withoutUnknown(readConversationContent(decodeContent(bytes), origin))
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'malformed') return error.clause
    throw error
  }
}

const withoutUnknown = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part)))

describe('fuzz contents of conversations', () => {
  const mutated = fc
    .tuple(fc.constantFrom(...encoded), fc.nat(300), fc.nat(4), fc.uint8Array({ maxLength: 4 }))
    .map(([bytes, at, cut, inserted]) => {
      const start = at % (bytes.length + 1)
      return concatBytes(bytes.subarray(0, start), inserted, bytes.subarray(start + cut))
    })
  const joined = fc.tuple(fc.constantFrom(...encoded), fc.constantFrom(...encoded)).map(([a, b]) => concatBytes(a, b))

  it('reads a content or refuses it as malformed, soon, and the same after it was written again', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, joined, fc.uint8Array({ maxLength: 200 })), sender, (bytes, from) => {
        const origin = { self: ALICE, sender: from, envelopeMs: 9 }
        const outcome = inTime(bytes, () => outcomeOf(bytes, origin))
        const content = decodedOrUndefined(bytes)
        if (content !== undefined) expect(outcomeOf(encodeContent(content), origin)).toEqual(outcome)
      }),
      { numRuns: fuzzRuns },
    )
  })
})
