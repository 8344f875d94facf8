/** How requests gather on their way to a member (NODE-47), and how a frame of them is answered (NODE-48). */
import { encodeUtf8 } from '@session-v2/encoding'
import { beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../src/node-error.ts'
import { decodeFrame, encodeFrameReply, FRAME_MAX_BYTES, FRAME_REQUESTS_MAX, isFrame } from '../src/swarm/forward-frame.ts'
import { LONE_BYTES, PATIENCE_MS, UNDER_WAY_LIMIT, UNDER_WAY_MAX } from '../src/swarm/forward-queue.ts'
import { verifyPeerRequest } from '../src/swarm/peer-authentication.ts'
import { agree, type Call, crypto, NOW_MS, peer, QueueUnderTest, type ToldTimers, textsOf } from './queue-under-test.ts'

let test: QueueUnderTest
let calls: Call[]
let timers: ToldTimers
const ask: QueueUnderTest['ask'] = (...of) => test.ask(...of)
const fillWay = () => test.fillWay()

beforeEach(() => {
  test = new QueueUnderTest()
  calls = test.calls
  timers = test.timers
})

describe('a request to the other members', () => {
  it('goes as it is while there is no other, with one signature for all members', async () => {
    const replies = ask('d1:ai1ee', [peer(1), peer(2)])
    await timers.turn()
    expect(calls.map(call => [call.peer.port, ...textsOf(call)])).toEqual([
      [1, 'd1:ai1ee'],
      [2, 'd1:ai1ee'],
    ])
    expect(calls[0]!.headers).toBe(calls[1]!.headers)
    for (const call of calls) {
      expect(isFrame(call.body)).toBe(false)
      expect(verifyPeerRequest(crypto, call.headers, call.body, NOW_MS, () => true)).toBe('genuine')
      agree(call)
    }
    expect(await Promise.all(replies)).toEqual(['d1:ai1ee!', 'd1:ai1ee!'])
    expect(timers.waits).toEqual([])
  })
  it('goes together with those that are there at the same time, in their order, signed once for all members', async () => {
    const replies = ['da', 'db', 'dc'].flatMap(text => ask(text, [peer(1), peer(2)]))
    await timers.turn()
    expect(calls.map(textsOf)).toEqual([
      ['da', 'db', 'dc'],
      ['da', 'db', 'dc'],
    ])
    expect(calls[0]!.headers).toBe(calls[1]!.headers)
    expect(verifyPeerRequest(crypto, calls[0]!.headers, calls[0]!.body, NOW_MS, () => true)).toBe('genuine')
    for (const call of calls) agree(call)
    expect(await Promise.all(replies)).toEqual(['da!', 'da!', 'db!', 'db!', 'dc!', 'dc!'])
    expect(timers.waits).toEqual([])
  })
  it('waits while enough is under way, and then goes with what has come meanwhile', async () => {
    await fillWay()
    const replies: Promise<string>[] = []
    for (const text of ['da', 'db', 'dc']) {
      replies.push(...ask(text))
      await timers.turn()
    }
    expect(calls).toHaveLength(UNDER_WAY_MAX)
    agree(calls[1]!)
    await timers.turn()
    expect(textsOf(calls[UNDER_WAY_MAX]!)).toEqual(['da', 'db', 'dc'])
    agree(calls[UNDER_WAY_MAX]!)
    expect(await Promise.all(replies)).toEqual(['da!', 'db!', 'dc!'])
  })
  it('does not wait for another member', async () => {
    await fillWay()
    ask('da', [peer(1), peer(2)])
    await timers.turn()
    expect(calls.slice(UNDER_WAY_MAX).map(call => call.peer.port)).toEqual([2])
  })
})

describe('a request that others are in front of', () => {
  it('waits for a far member a moment only, until as much is under way as may be', async () => {
    await fillWay()
    for (let i = UNDER_WAY_MAX; i < UNDER_WAY_LIMIT; i++) {
      ask(`d${i}`)
      ask(`e${i}`)
      await timers.turn()
      expect(timers.count(PATIENCE_MS)).toBe(1)
      await timers.pass(PATIENCE_MS)
      expect(textsOf(calls.at(-1)!)).toEqual([`d${i}`, `e${i}`])
    }
    ask('one more')
    await timers.turn()
    expect(timers.count(PATIENCE_MS)).toBe(0)
    expect(calls).toHaveLength(UNDER_WAY_LIMIT)
    for (const call of calls.slice(0, UNDER_WAY_LIMIT - 1)) agree(call)
    await timers.turn()
    expect(textsOf(calls.at(-1)!)).toEqual(['one more'])
  })
  it('goes alone, and at once, when it or its answer is large, behind those that came before', async () => {
    await fillWay()
    const large = new Uint8Array(LONE_BYTES + 1).fill(0x64)
    ask('before')
    ask(large)
    ask('mailbox', [peer(1)], { entryMaxBytes: 4_000_000 })
    ask('after')
    await timers.turn()
    expect(calls).toHaveLength(UNDER_WAY_MAX)
    agree(calls[0]!)
    await timers.turn()
    const sent = calls.slice(UNDER_WAY_MAX)
    expect(sent.map(({ body, limits }) => [body.length, limits.maxBytes])).toEqual([
      [6, 1024 * 1024],
      [LONE_BYTES + 1, 1024 * 1024],
      [7, 4_000_000],
    ])
    for (let i = 0; i < 3 * UNDER_WAY_LIMIT; i++) ask(large, [peer(2)])
    await timers.turn()
    expect(calls.filter(call => call.peer.port === 2)).toHaveLength(3 * UNDER_WAY_LIMIT)
  })
})

describe('a frame', () => {
  it('has at most 64 requests', async () => {
    for (let i = 0; i < FRAME_REQUESTS_MAX + 1; i++) ask(`d${i}`)
    await timers.turn()
    expect(calls.map(call => textsOf(call).length)).toEqual([FRAME_REQUESTS_MAX, 1])
  })
  it.each([1, 100, 1_200, 30_000, 43_670, LONE_BYTES])('of requests of %d bytes has at most 128 KiB', async sizeBytes => {
    for (let i = 0; i < 2 * FRAME_REQUESTS_MAX; i++) ask(new Uint8Array(sizeBytes).fill(0x64))
    await timers.turn()
    const { body } = calls[0]!
    const count = isFrame(body) ? decodeFrame(body)!.length : 1
    expect(body.length).toBeLessThanOrEqual(FRAME_MAX_BYTES)
    expect(count === FRAME_REQUESTS_MAX || body.length + sizeBytes + 64 > FRAME_MAX_BYTES).toBe(true)
  })
  it.each([
    ['a status of its own', [200, 401], ['da!', '401 db!']],
    ['one that is to be tried again', [503, 200], ['503 da!', 'db!']],
  ])('is answered each by itself: %s', async (_, statuses, expected) => {
    const replies = [...ask('da'), ...ask('db')]
    await timers.turn()
    const parts = textsOf(calls[0]!).map((text, i) => ({ status: statuses[i]!, body: encodeUtf8(`${text}!`) }))
    calls[0]!.answer(200, encodeFrameReply(parts))
    expect(await Promise.all(replies)).toEqual(expected)
  })
  it.each([
    ['too few answers', 200, encodeFrameReply([{ status: 200, body: encodeUtf8('x') }])],
    ['an entry that is none of a frame', 200, encodeUtf8('d4:hash1:ae')],
    ['nothing', 200, new Uint8Array()],
  ])('that is answered with %s has bad responses alone', async (_, status, body) => {
    const replies = [...ask('da'), ...ask('db')]
    await timers.turn()
    calls[0]!.answer(status, body)
    expect(await Promise.all(replies)).toEqual(['bad-peer-response', 'bad-peer-response'])
    await timers.turn()
    expect(calls).toHaveLength(1)
  })
  it.each([403, 406, 429, 500, 503])('that is refused whole with %d is refused to each, once', async status => {
    const replies = [...ask('da'), ...ask('db')]
    await timers.turn()
    calls[0]!.answer(status, encodeUtf8('no'))
    expect(await Promise.all(replies)).toEqual([`${status} no`, `${status} no`])
    await timers.turn()
    expect(calls).toHaveLength(1)
  })
  it('that does not arrive fails each of its requests, and others go on', async () => {
    const replies = [...ask('da'), ...ask('db')]
    await timers.turn()
    calls[0]!.fail(new NodeError('peer-unreachable', 'a peer cannot be reached'))
    expect(await Promise.all(replies)).toEqual(['peer-unreachable', 'peer-unreachable'])
    const [next] = ask('dc')
    await timers.turn()
    agree(calls[1]!)
    expect(await next).toBe('dc!')
    expect(timers.waits).toEqual([])
  })
})
