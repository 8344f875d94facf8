/** How long requests wait for a member, how many do, and one that does not know frames (NODE-32, NODE-47, NODE-48). */
import { encodeUtf8 } from '@session-v2/encoding'
import { beforeEach, describe, expect, it } from 'vitest'
import { NodeError } from '../src/node-error.ts'
import { isFrame } from '../src/swarm/forward-frame.ts'
import { UNAWARE_MS, UNDER_WAY_LIMIT, UNDER_WAY_MAX, WAITING_MAX, WAITING_MAX_BYTES } from '../src/swarm/forward-queue.ts'
import { PEER_TIMEOUT_MS } from '../src/swarm/peer-sender.ts'
import { agree, type Call, peer, QueueUnderTest, type ToldTimers, textsOf } from './queue-under-test.ts'

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

describe('the time that a member has (NODE-32)', () => {
  it('is counted from when the request is done here, for each request of a frame', async () => {
    let finish = (): void => {}
    const executed = new Promise<void>(resolve => {
      finish = resolve
    })
    const [slow] = ask('slow', [peer(1)], { executed })
    const [quick] = ask('quick')
    await timers.turn()
    expect(textsOf(calls[0]!)).toEqual(['slow', 'quick'])
    expect(timers.count(PEER_TIMEOUT_MS)).toBe(1)
    await timers.pass(PEER_TIMEOUT_MS)
    expect(await quick).toBe('peer-timeout')
    expect(calls[0]!.isGivenUp).toBe(false)
    finish()
    await timers.turn()
    agree(calls[0]!)
    expect(await slow).toBe('slow!')
    expect(timers.count(PEER_TIMEOUT_MS)).toBe(0)
  })
  it('ends for what still waits, too, and a body nobody waits for any more is given up', async () => {
    await fillWay()
    const [waiting] = ask('waiting')
    await timers.turn()
    expect(timers.count(PEER_TIMEOUT_MS)).toBe(UNDER_WAY_MAX + 1)
    await timers.pass(PEER_TIMEOUT_MS)
    expect(await waiting).toBe('peer-timeout')
    expect(calls.map(call => call.isGivenUp)).toEqual(calls.map(() => true))
    expect(calls.map(call => call.limits.timeoutMs)).toEqual(calls.map(() => 0))
    for (const call of calls) call.fail(new NodeError('peer-timeout', 'given up'))
    const [next] = ask('next')
    await timers.turn()
    expect(calls.slice(UNDER_WAY_MAX).map(textsOf)).toEqual([['next']])
    agree(calls[UNDER_WAY_MAX]!)
    expect(await next).toBe('next!')
  })
  it('has no end before the request is done here, and is counted although that failed', async () => {
    const [failed] = ask('failed', [peer(1)], { executed: Promise.reject(new Error('the store refused')) })
    await timers.turn()
    await timers.pass(PEER_TIMEOUT_MS)
    expect(await failed).toBe('peer-timeout')
    ask('never', [peer(1)], { executed: new Promise(() => {}) })
    await timers.turn()
    expect(timers.count(PEER_TIMEOUT_MS)).toBe(0)
  })
})

describe('what waits for a member', () => {
  it('has a number, above which a request fails at once', async () => {
    await fillWay()
    const replies = Array.from({ length: WAITING_MAX + 1 }, (_, i) => ask(`d${i}`)[0]!)
    expect(await replies[WAITING_MAX]).toBe('peer-timeout')
    const [elsewhere] = ask('de', [peer(2)])
    await timers.turn()
    agree(calls.at(-1)!)
    expect(await elsewhere).toBe('de!')
    await timers.pass(PEER_TIMEOUT_MS)
    expect(new Set(await Promise.all(replies))).toEqual(new Set(['peer-timeout']))
    for (const call of calls) call.fail(new NodeError('peer-timeout', 'given up'))
    const [next] = ask('next')
    await timers.turn()
    agree(calls.at(-1)!)
    expect(await next).toBe('next!')
  })
  it('has a size, which is given back when it goes', async () => {
    const sizeBytes = 1024 * 1024
    await fillWay()
    const text = new Uint8Array(sizeBytes).fill(0x64)
    ask('stands in front')
    const fitting = Math.floor((WAITING_MAX_BYTES - 'stands in front'.length) / sizeBytes)
    for (let i = 0; i < fitting; i++) ask(text)
    expect(await ask(text)[0]).toBe('peer-timeout')
    agree(calls[0]!)
    await timers.turn()
    expect(calls).toHaveLength(UNDER_WAY_MAX + 1 + fitting)
    ask(text)
    await timers.turn()
    expect(calls).toHaveLength(UNDER_WAY_MAX + 2 + fitting)
  })
})

describe('a member that does not know frames', () => {
  it.each([400, 404, 405])('answers %d, and is sent each by itself, in order, for ten minutes', async status => {
    const replies = [...ask('da'), ...ask('db'), ...ask('dc')]
    await timers.turn()
    calls[0]!.answer(status, encodeUtf8('invalid json'))
    await timers.turn()
    expect(calls.slice(1).map(textsOf)).toEqual([['da'], ['db'], ['dc']])
    for (const call of calls.slice(1)) agree(call)
    expect(await Promise.all(replies)).toEqual(['da!', 'db!', 'dc!'])
    for (let i = 0; i < 2 * UNDER_WAY_LIMIT; i++) ask(`d${i}`)
    await timers.turn()
    expect(calls).toHaveLength(4 + UNDER_WAY_LIMIT)
    expect(calls.some((call, i) => i > 0 && isFrame(call.body))).toBe(false)
    for (const call of calls) agree(call)
    await timers.turn()
    for (const call of calls) agree(call)
    await timers.pass(UNAWARE_MS)
    ask('da')
    ask('db')
    await timers.turn()
    expect(textsOf(calls.at(-1)!)).toEqual(['da', 'db'])
  })
  it('is not sent again what nobody waits for any more', async () => {
    const replies = [...ask('da'), ...ask('db', [peer(1)], { executed: new Promise(() => {}) })]
    await timers.turn()
    await timers.pass(PEER_TIMEOUT_MS)
    calls[0]!.answer(400, encodeUtf8('invalid json'))
    await timers.turn()
    expect(calls.slice(1).map(textsOf)).toEqual([['db']])
    expect(await replies[0]).toBe('peer-timeout')
  })
  it('is told from one that refuses a request that went alone', async () => {
    const [refused] = ask('da')
    await timers.turn()
    calls[0]!.answer(400, encodeUtf8('no method'))
    expect(await refused).toBe('400 no method')
    ask('db')
    ask('dc')
    await timers.turn()
    expect(textsOf(calls[1]!)).toEqual(['db', 'dc'])
  })
})
