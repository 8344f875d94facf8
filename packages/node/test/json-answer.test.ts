import { describe, expect, it } from 'vitest'
import { contentOf } from '../src/http/http-answer.ts'
import { jsonAnswer, LongAnswer } from '../src/rpc/json-answer.ts'

/** Bytes of all values, so that base64 has all its characters. */
const data = (sizeBytes: number) => Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 7 + (i >> 8)) % 256)

/** The same body, written by the engine. */
const expected = (body: object) =>
  JSON.stringify(body, (_, value) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value))

describe('answers in JSON (NODE-104)', () => {
  it.each([
    ['one large message', { messages: [{ hash: 'a', data: data(100_000) }], more: false }],
    ['many small ones', { messages: Array.from({ length: 2000 }, (_, i) => ({ hash: `h${i}`, data: data(50 + (i % 3)) })) }],
    ['a list within a list', { results: [{ code: 200, body: { messages: [{ data: data(70_000) }, { data: data(0) }] } }, []] }],
    [
      'other values',
      { data: data(65_537), t: 1.5, no: null, gone: undefined, 'é"\\': 'ü"\n\u2028\u{1f600}', empty: {}, none: [] },
    ],
    ['long texts beside it', { reason: 'ä'.repeat(50_000), data: data(65_537) }],
  ])('are the same when they are long: %s', (_, body) => {
    const long = jsonAnswer(body)
    expect(long).toBeInstanceOf(LongAnswer)
    const { body: bytes, sizeBytes, type } = contentOf({ status: 200, body: long })
    expect(type).toBe('application/json')
    expect(Buffer.from(bytes as Uint8Array).toString()).toBe(expected(body))
    expect(sizeBytes).toBe(Buffer.byteLength(expected(body)))
    expect(JSON.stringify(long)).toBe(expected(body))
  })
  it('are values while they are short', () => {
    const body = { messages: [{ data: data(65_536) }], t: 1 }
    const { body: text, type } = contentOf({ status: 200, body: jsonAnswer(body) })
    expect(type).toBe('application/json')
    expect(text).toBe(expected(body))
  })
})
