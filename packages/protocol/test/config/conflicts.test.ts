/** What a merge makes of edits that contradict one another (CFG-10 to CFG-12). */
import {
  type ConfigDict,
  type ConfigValue,
  emptyConfigMessage,
  encodeConfigMessage,
  type FixedMessage,
  mergeConfigMessages,
  nextMessage,
  parseConfigMessage,
  withValue,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native as crypto } from '../providers.ts'
import { configValueOf, dictOf, type Plain } from './config-world.ts'

/** The message after `before` in which these keys have these values; null erases. */
function after(before: FixedMessage, change: Readonly<Record<string, Plain | null>>): FixedMessage {
  const next = nextMessage(crypto, before, {})
  const valueOrNone = (plain: Plain | null): ConfigValue | undefined => (plain === null ? undefined : configValueOf(plain))
  const data = Object.entries(change).reduce((held, [key, plain]) => withValue(held, [key], valueOrNone(plain)), next.data)
  return parseConfigMessage(crypto, encodeConfigMessage({ ...next, data }, {}), {})
}

function dataOf(...messages: FixedMessage[]): ConfigDict {
  const merge = mergeConfigMessages(messages, {})
  if (merge.outcome !== 'merged') throw new Error('nothing was merged')
  return merge.data
}

const root = after(emptyConfigMessage(crypto), { x: 0, s: [1, 2], d: { a: 1, b: 2 } })
/** The one of two messages that counts as the later: their seqnos are equal. */
const later = (a: FixedMessage, b: FixedMessage) => (Buffer.compare(a.hash, b.hash) > 0 ? a : b)

describe('of two edits', () => {
  it('of one value, that of the later message stays', () => {
    const [a, b] = [after(root, { x: 1 }), after(root, { x: 2 })]
    expect(dataOf(a, b).get('x')).toBe(later(a, b).data.get('x'))
  })

  it('of which one erases, the later message decides', () => {
    for (const value of [1, 2, 3, 4, 5, 6]) {
      const [a, b] = [after(root, { x: value }), after(root, { x: null })]
      expect(dataOf(a, b).get('x')).toBe(later(a, b).data.get('x'))
    }
  })

  it('of one set, everything that came is there, and nothing that went', () => {
    const [a, b] = [after(root, { s: [1, 3] }), after(root, { s: [2, 4] })]
    expect(dataOf(a, b).get('s')).toEqual([3n, 4n])
  })

  it('that together empty a set, nothing is left of it', () => {
    expect(dataOf(after(root, { s: [1] }), after(root, { s: [2] })).has('s')).toBe(false)
  })

  it('within one dict, both stay', () => {
    const [a, b] = [after(root, { d: { a: 9, b: 2 } }), after(root, { d: { a: 1, b: 8 } })]
    expect(dataOf(a, b).get('d')).toEqual(dictOf({ a: 9, b: 8 }))
  })

  it('of which one erases a dict that the other adds to, the later decides whether what was added stays', () => {
    const outcomes = Array.from({ length: 60 }, (_, at) => at + 3).map(c => {
      const [a, b] = [after(root, { d: null }), after(root, { d: { a: 1, b: 2, c } })]
      const erasedLast = later(a, b) === a
      expect(dataOf(a, b).get('d')).toEqual(erasedLast ? undefined : dictOf({ c }))
      return erasedLast
    })
    expect(new Set(outcomes).size).toBe(2)
  })

  it('of which one makes another kind of a value, the later message decides', () => {
    for (const value of [1, 2, 3, 4]) {
      const [a, b] = [after(root, { x: value }), after(root, { x: { y: value } })]
      expect(dataOf(a, b).get('x')).toEqual(later(a, b).data.get('x'))
    }
  })
})

describe('a diff of an earlier message', () => {
  it('is replayed with the values of the message that carries it', () => {
    const branch = after(after(root, { x: 1 }), { x: 2 })
    const short = after(root, { y: 1 })
    expect(dataOf(branch, short)).toEqual(dictOf({ x: 2, y: 1, s: [1, 2], d: { a: 1, b: 2 } }))
  })

  it('deletes what that message has as another kind, before its own diff makes it again', () => {
    const branch = after(after(root, { x: 1 }), { x: [5] })
    expect(dataOf(branch, after(root, { y: 1 })).get('x')).toEqual([5n])
    const gone = after(after(root, { s: [1, 2, 3] }), { s: null })
    expect(dataOf(gone, after(root, { s: [1, 2, 4] })).has('s')).toBe(false)
  })

  it('does not count twice when two branches carry it', () => {
    const shared = after(root, { x: 1 })
    const [a, b] = [after(shared, { y: 1 }), after(shared, { z: 1 })]
    const merge = mergeConfigMessages([a, b], {})
    const seqnos = merge.outcome === 'merged' ? merge.rows.map(({ seqno }) => seqno) : []
    expect(seqnos).toEqual([0n, 1n, 2n, 3n, 3n])
  })
})

describe('a message', () => {
  const chain = (length: number) => Array.from({ length }, (_, at) => at).reduce((held, at) => after(held, { x: at + 10 }), root)

  it('that is four seqnos behind is merged, and one that is five behind is not', () => {
    const [lost, kept] = [chain(5), chain(4)].map(ahead =>
      mergeConfigMessages([after(emptyConfigMessage(crypto), { y: 1 }), ahead], {}),
    )
    expect(lost).toMatchObject({ outcome: 'adopted', index: 1 })
    expect(kept).toMatchObject({ outcome: 'merged', seqno: 6n })
    if (kept?.outcome === 'merged') expect(kept.data.get('y')).toBe(1n)
  })

  it('that is there twice is adopted the first time', () => {
    expect(mergeConfigMessages([root, root], {})).toMatchObject({ outcome: 'adopted', index: 0 })
    expect(mergeConfigMessages([emptyConfigMessage(crypto), root, root], {})).toMatchObject({ outcome: 'adopted', index: 1 })
  })
})
