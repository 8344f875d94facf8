/** How a node answers a frame (NODE-41, NODE-48), over HTTP and by itself. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@session-v2/crypto'
import { decodeHex, encodeUtf8 } from '@session-v2/encoding'
import { buildDeleteAll, encodeRequest, type RpcRequest } from '@session-v2/network'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { identityFromSeed } from '../src/identity.ts'
import { FRAMED_RUNNING_MAX, FrameAnswers, REFUSAL_MAX_BYTES } from '../src/rpc/frame-answers.ts'
import type { AffectedMessage, MessageStore } from '../src/store/store.ts'
import {
  decodeFrameReply,
  encodeFrame,
  FRAME_MAX_BYTES,
  FRAME_REPLY_MAX_BYTES,
  FRAME_REQUESTS_MAX,
} from '../src/swarm/forward-frame.ts'
import { encodeForwarded } from '../src/swarm/forwarded-request.ts'
import { signPeerRequest } from '../src/swarm/peer-authentication.ts'
import { PEER_PATH } from '../src/swarm/peer-sender.ts'
import { ManualClock } from './manual-clock.ts'
import { NetworkUnderTest, openServices } from './network-under-test.ts'
import { SwarmUnderTest } from './swarm-under-test.ts'

let test: NetworkUnderTest

function identity() {
  const seed = decodeHex(readFileSync(join(test.directory, 'node-2', 'node.key'), 'utf8').trim())
  return identityFromSeed(test.crypto, seed)
}

/** As the second member, whose key file is ours to read. */
async function send(body: Uint8Array, sender = identity()): Promise<{ status: number; body: Buffer }> {
  const headers = signPeerRequest(test.crypto, sender, body, test.clock.ms)
  const url = test.network.nodes[0]!.url + PEER_PATH
  const response = await fetch(url, { method: 'POST', body: body as Uint8Array<ArrayBuffer>, headers })
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) }
}

function forwarded(request: RpcRequest): Uint8Array {
  return encodeForwarded(encodeRequest(request, 'bt'), { atMs: test.clock.ms, late: false })
}

/** The answers to these requests in one frame: `200`, or status and text. */
async function answers(requests: readonly Uint8Array[]): Promise<string[]> {
  const { status, body } = await send(encodeFrame(requests))
  expect(status).toBe(200)
  const replies = decodeFrameReply(body, requests.length)
  expect(replies).toBeDefined()
  return replies!.map(reply => (reply.status === 200 ? '200' : `${reply.status} ${Buffer.from(reply.body)}`))
}

describe('frames on /swarm_rpc/v1 (NODE-41, NODE-48)', () => {
  beforeAll(async () => {
    test = await NetworkUnderTest.start({ nodes: 2 })
    await test.network.nodes[1]!.close()
  })
  afterAll(() => test.close())

  it('have each request checked, done and answered by itself', async () => {
    const alice = test.account()
    const { params } = test.storeRequest(alice, 'unsigned', 2)
    const late = encodeForwarded(encodeRequest(test.storeRequest(alice, 'old'), 'bt'), {
      atMs: test.clock.ms - 70_001,
      late: false,
    })
    const requests = [
      forwarded(test.storeRequest(alice, 'one')),
      forwarded({ method: 'store', params: { ...params, signature: undefined, pubkey_ed25519: undefined } }),
      late,
      forwarded({ method: 'info', params: {} }),
      encodeUtf8('d'),
      new Uint8Array(),
      encodeFrame([forwarded(test.storeRequest(alice, 'within'))]),
      encodeUtf8(JSON.stringify(test.storeRequest(alice, 'two'))),
      forwarded(test.deleteRequest(alice, ['A'.repeat(43)])),
    ]
    expect(await answers(requests)).toEqual([
      '200',
      expect.stringMatching(/^401 /),
      '406 swarm request timestamp too far from current time',
      '400 no method info',
      '400 invalid json',
      '400 invalid json',
      '400 invalid json',
      '200',
      '200',
    ])
    expect((await test.texts(alice)).sort()).toEqual(['one', 'two'])
  })
  it('do no question of a node', async () => {
    const question = encodeUtf8('d6:method9:sync_sums6:paramsd1:r0:ee')
    expect(await answers([question])).toEqual(['400 no method sync_sums'])
  })
  it('are refused to who is no member, and where they are none', async () => {
    const alice = test.account()
    const store = forwarded(test.storeRequest(alice, 'x'))
    expect((await send(encodeFrame([store]), identityFromSeed(test.crypto, systemRandom().bytes(32)))).status).toBe(403)
    const many = Array.from({ length: FRAME_REQUESTS_MAX + 1 }, () => store)
    const large = [new Uint8Array(FRAME_MAX_BYTES)]
    for (const body of [encodeFrame([]), encodeFrame(many), encodeFrame(large), encodeUtf8('ldee'), encodeUtf8('l')]) {
      const { status, body: text } = await send(body)
      expect([status, text.toString()]).toEqual([422, 'not a list of requests'])
    }
    expect(await test.texts(alice)).toEqual([])
  })
})

describe('what one member may ask for by frames (NODE-48)', () => {
  const clock = new ManualClock()
  let swarm: SwarmUnderTest
  let directory: string
  let real: MessageStore

  beforeEach(async () => {
    swarm = await SwarmUnderTest.start(1)
    directory = mkdtempSync(join(tmpdir(), 'frame-answers-'))
  })
  afterEach(async () => {
    await real.close()
    await swarm.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** Answers frames with a store whose `deleteAll` does what the test says. */
  async function open(deleteAll: MessageStore['deleteAll']): Promise<FrameAnswers> {
    const services = await openServices(directory, clock)
    real = services.store
    const store = Object.assign(Object.create(real) as MessageStore, { deleteAll })
    return new FrameAnswers({ ...services, store })
  }

  function deleteAllRequest(): Uint8Array {
    const request = buildDeleteAll(swarm.crypto, { namespace: 'all', timestampMs: clock.ms, signer: swarm.owner() })
    return encodeForwarded(encodeRequest(request, 'bt'), { atMs: clock.ms, late: false })
  }

  it('is so many requests at a time, each of them counted, and as many again when they are done', async () => {
    let finish = (_: AffectedMessage[]): void => {}
    const finished = new Promise<AffectedMessage[]>(resolve => {
      finish = resolve
    })
    const frames = await open(() => finished)
    const full = encodeFrame(Array.from({ length: FRAME_REQUESTS_MAX }, deleteAllRequest))
    const one = encodeFrame([deleteAllRequest()])
    const running = Array.from({ length: FRAMED_RUNNING_MAX / FRAME_REQUESTS_MAX }, () => frames.answer('a', full))
    expect(await frames.answer('a', one)).toEqual({ status: 503, body: 'Server busy, try again later' })
    const other = frames.answer('b', one)
    finish([])
    expect((await other).status).toBe(200)
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual(running.map(() => 200))
    expect((await frames.answer('a', full)).status).toBe(200)
  })
  it('is answered within 1 MiB: a request for whose answer there is no room is 413 among the others', async () => {
    const affected = Array.from({ length: 10_000 }, (_, i) => ({ namespace: 0, hash: String(i).padStart(43, 'A') }))
    const frames = await open(async () => affected)
    const requests = Array.from({ length: 5 }, deleteAllRequest)
    const { status, body } = await frames.answer('a', encodeFrame(requests))
    expect([status, (body as Uint8Array).length < FRAME_REPLY_MAX_BYTES]).toEqual([200, true])
    const replies = decodeFrameReply(body as Uint8Array, requests.length)!
    expect(replies.map(reply => reply.status)).toEqual([200, 200, 413, 413, 413])
    expect(Buffer.from(replies[4]!.body).toString()).toBe('the entry has no room beside the others')
  })
  it('is told of a refusal as much as it keeps', async () => {
    const frames = await open(async () => [])
    const method = 'm'.repeat(2 * REFUSAL_MAX_BYTES)
    const { body } = await frames.answer('a', encodeFrame([encodeUtf8(`d6:method${method.length}:${method}6:paramsdee`)]))
    const [reply] = decodeFrameReply(body as Uint8Array, 1)!
    expect([reply!.status, reply!.body.length]).toEqual([400, REFUSAL_MAX_BYTES])
  })
})
