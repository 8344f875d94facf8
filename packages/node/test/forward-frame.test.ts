/** The form of a frame and of its reply (NODE-47, NODE-48): what is written is read, and nothing else. */
import { encodeBt, encodeUtf8 } from '@session-v2/encoding'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeFrame,
  decodeFrameReply,
  encodeFrame,
  encodeFrameReply,
  FRAME_MAX_BYTES,
  FRAME_REPLY_MAX_BYTES,
  FRAME_REQUESTS_MAX,
  isFrame,
} from '../src/swarm/forward-frame.ts'

const RUNS = Math.min(2_000, Number(process.env.FUZZ_RUNS ?? 300))
const bytes = fc.uint8Array({ maxLength: 100 })
const replies = fc.array(fc.record({ status: fc.integer({ min: 100, max: 599 }), body: bytes }), { minLength: 1, maxLength: 20 })

describe('a frame (NODE-47)', () => {
  it('is read as it was written', () => {
    expect(Buffer.from(encodeFrame([encodeUtf8('de'), encodeUtf8('d1:ai1ee')])).toString()).toBe('l2:de8:d1:ai1eee')
    const written = fc.array(bytes, { minLength: 1, maxLength: FRAME_REQUESTS_MAX })
    fc.assert(
      fc.property(written, requests => {
        const frame = encodeFrame(requests)
        expect(isFrame(frame)).toBe(true)
        expect(decodeFrame(frame)).toEqual(requests)
      }),
      { numRuns: RUNS },
    )
  })
  it('has its requests for itself: they are no view of what came', () => {
    const frame = Buffer.from('l2:dee')
    const [request] = decodeFrame(frame)!
    frame.fill(0)
    expect(request).toEqual(encodeUtf8('de'))
  })
  it.each([
    ['nothing', ''],
    ['no requests', 'le'],
    ['a list in the list', 'll2:deee'],
    ['an integer', 'li1ee'],
    ['a dict that is not a byte string', 'ldee'],
    ['an end that is missing', 'l2:de'],
    ['bytes behind it', 'l2:deex'],
    ['a length that is too long', 'l9999999999:dee'],
    ['a length with a zero in front', 'l02:dee'],
    ['a dict', 'd1:al2:deee'],
  ])('is none with %s', (_, text) => {
    expect(decodeFrame(encodeUtf8(text))).toBeUndefined()
  })
  it('has at most 64 requests and 128 KiB', () => {
    const full = Array.from({ length: FRAME_REQUESTS_MAX }, () => encodeUtf8('de'))
    expect(decodeFrame(encodeFrame(full))).toHaveLength(FRAME_REQUESTS_MAX)
    expect(decodeFrame(encodeFrame([...full, encodeUtf8('de')]))).toBeUndefined()
    const around = 'l131000:e'.length
    expect(decodeFrame(encodeFrame([new Uint8Array(FRAME_MAX_BYTES - around)]))).toHaveLength(1)
    expect(decodeFrame(encodeFrame([new Uint8Array(FRAME_MAX_BYTES - around + 1)]))).toBeUndefined()
  })
  it('is never anything but whole, whatever comes', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 60 }).map(rest => Buffer.concat([Buffer.from('l'), rest])),
      fc.array(bytes, { minLength: 1, maxLength: 4 }).chain(requests => {
        const frame = encodeFrame(requests)
        return fc.tuple(fc.nat(frame.length - 1), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
          const changed = Uint8Array.from(frame)
          changed[at] = byte
          return changed
        })
      }),
    )
    fc.assert(
      fc.property(anything, body => {
        const requests = decodeFrame(body)
        if (requests !== undefined) expect(Buffer.from(encodeFrame(requests)).equals(body)).toBe(true)
      }),
      { numRuns: RUNS },
    )
  })
})

describe('the reply to a frame (NODE-48)', () => {
  it('is read as it was written, for as many as were asked', () => {
    expect(Buffer.from(encodeFrameReply([{ status: 200, body: encodeUtf8('de') }])).toString()).toBe('li200e2:dee')
    fc.assert(
      fc.property(replies, list => {
        expect(decodeFrameReply(encodeFrameReply(list), list.length)).toEqual(list)
        expect(decodeFrameReply(encodeFrameReply(list), list.length + 1)).toBeUndefined()
        expect(decodeFrameReply(encodeFrameReply(list), list.length - 1)).toBeUndefined()
      }),
      { numRuns: RUNS },
    )
  })
  it.each([
    ['nothing', ''],
    ['an entry alone', '2:de'],
    ['a dict', 'd1:ai1ee'],
    ['a status alone', 'li200ee'],
    ['a body alone', 'l2:dee'],
    ['body and status', 'l2:dei200ee'],
    ['a status as text', 'l3:2002:dee'],
    ['a body that is no byte string', 'li200edee'],
    ['a status below 100', 'li99e2:dee'],
    ['a status above 599', 'li600e2:dee'],
    ['a status of 64 bits', 'li9223372036854775807e2:dee'],
    ['bytes behind it', 'li200e2:deex'],
  ])('is none with %s', (_, text) => {
    expect(decodeFrameReply(encodeUtf8(text), 1)).toBeUndefined()
  })
  it('has at most 1 MiB', () => {
    const around = 'li200e1048000:e'.length
    const of = (sizeBytes: number) => encodeBt([200n, new Uint8Array(sizeBytes)])
    expect(decodeFrameReply(of(FRAME_REPLY_MAX_BYTES - around), 1)).toHaveLength(1)
    expect(decodeFrameReply(of(FRAME_REPLY_MAX_BYTES - around + 1), 1)).toBeUndefined()
  })
})
