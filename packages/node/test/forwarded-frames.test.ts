/** Members that pass requests on to one another by the frame (NODE-47, NODE-48): real stores, keys and handlers. */
import { encodeUtf8 } from '@session-v2/encoding'
import { buildDelete } from '@session-v2/network'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  decodeFrame,
  encodeFrame,
  encodeFrameReply,
  FRAME_REPLY_MAX_BYTES,
  isFrame,
  type PartReply,
} from '../src/swarm/forward-frame.ts'
import { type Member, type Owner, SwarmUnderTest } from './swarm-under-test.ts'

const COUNT = 40
const TEXTS = Array.from({ length: COUNT }, (_, i) => `text ${i}`)

let swarm: SwarmUnderTest
let members: Member[]
let owner: Owner

beforeEach(async () => {
  swarm = await SwarmUnderTest.start(3)
  members = swarm.members
  owner = swarm.owner()
})
afterEach(() => swarm.close())

/** Stores all texts at once through the first member; the entries of another. */
async function storeAll(member = members[1]!): Promise<unknown[]> {
  // biome-ignore lint/suspicious/noExplicitAny: an answer of every shape
  const answers = (await Promise.all(TEXTS.map(text => members[0]!.put(owner, text)))) as any[]
  return answers.map(({ swarm: entries }) => entries[member.identity.ed25519])
}

describe('a swarm whose members know frames', () => {
  it('stores what comes at once everywhere, each with its entry, in few bodies', async () => {
    const entries = await storeAll()
    expect(entries).toEqual(TEXTS.map(text => expect.objectContaining({ hash: swarm.hashOf(owner, text) })))
    for (const member of members) expect(await member.texts(owner)).toEqual([...TEXTS].sort())
    for (const { written } of members.slice(1)) {
      expect(written.length).toBeLessThan(COUNT / 4)
      expect(written.flatMap(body => (isFrame(body) ? decodeFrame(body)! : [body]))).toHaveLength(COUNT)
    }
    expect(await swarm.settle()).toBe(1)
  })
  it('sends a request that is alone as it always did', async () => {
    await members[0]!.put(owner, 'alone')
    const [body, ...more] = members[1]!.written
    expect(more).toEqual([])
    expect(isFrame(body!)).toBe(false)
  })
  it('works with one among them that does not know frames, and repeats nothing for the others', async () => {
    members[1]!.knowsFrames = false
    expect(await storeAll()).toEqual(TEXTS.map(text => expect.objectContaining({ hash: swarm.hashOf(owner, text) })))
    for (const member of members) expect(await member.texts(owner)).toEqual([...TEXTS].sort())
    expect(members[1]!.written.filter(body => !isFrame(body))).toHaveLength(COUNT)
    expect(members[2]!.written.flatMap(body => (isFrame(body) ? decodeFrame(body)! : [body]))).toHaveLength(COUNT)
    members[1]!.written.length = 0
    await storeAll()
    expect(members[1]!.written.filter(isFrame)).toEqual([])
    expect(members[0]!.deliveries.counts.queued).toBe(0)
  })
  it('does requests of every method side by side', async () => {
    const hash = swarm.hashOf(owner, 'to be deleted')
    await members[0]!.put(owner, 'to be deleted')
    const gone = buildDelete(swarm.crypto, { signer: owner, hashes: [hash] })
    const [deleted] = await Promise.all([members[0]!.ask(gone), ...TEXTS.map(text => members[0]!.put(owner, text))])
    expect(deleted.swarm[members[1]!.identity.ed25519]).toMatchObject({ deleted: [hash] })
    for (const member of members) expect(await member.texts(owner)).toEqual([...TEXTS].sort())
  })
  it('delivers late, each by itself, what a frame did not bring', async () => {
    swarm.cut(0, 1)
    expect(await storeAll()).toEqual(TEXTS.map(() => ({ failed: 1, timeout: 1 })))
    expect(members[0]!.deliveries.counts.queued).toBe(COUNT)
    swarm.mend()
    swarm.clock.ms += 15_000
    await members[0]!.deliveries.send()
    expect(await members[1]!.texts(owner)).toEqual([...TEXTS].sort())
    expect(await members[1]!.versions(owner)).toEqual(await members[0]!.versions(owner))
  })
})

describe('a member that does not answer a frame as it should', () => {
  it.each([
    ['an entry alone', (parts: PartReply[]) => Buffer.from(parts[0]!.body)],
    ['one answer less', (parts: PartReply[]) => encodeFrameReply(parts.slice(1))],
    ['one answer more', (parts: PartReply[]) => encodeFrameReply([...parts, parts[0]!])],
    ['no bt', () => encodeUtf8('yes')],
    ['a frame', (parts: PartReply[]) => encodeFrame(parts.map(({ body }) => body))],
    ['more than there is room for', () => new Uint8Array(FRAME_REPLY_MAX_BYTES + 1)],
  ])('believes a member nothing that answers with %s', async (_, lie) => {
    members[1]!.writeLie = body => {
      const count = isFrame(body) ? decodeFrame(body)!.length : 0
      if (count === 0) return undefined
      const parts = Array.from({ length: count }, () => ({ status: 200, body: encodeUtf8('de') }))
      return { status: 200, body: Buffer.from(lie(parts)) }
    }
    const entries = await storeAll()
    expect(new Set(entries.map(entry => JSON.stringify(entry)))).toEqual(new Set(['{"bad_peer_response":1,"failed":1}']))
    expect(await members[2]!.texts(owner)).toEqual([...TEXTS].sort())
    expect(members[0]!.deliveries.counts.queued).toBe(0)
  })
  it('takes from a frame what is right of it, and keeps for later what is to be tried again', async () => {
    members[1]!.writeLie = body => {
      if (!isFrame(body)) return undefined
      const statuses = [503, 401, 200]
      const parts = decodeFrame(body)!.map((_, i) => ({ status: statuses[i % 3]!, body: encodeUtf8('no') }))
      return { status: 200, body: Buffer.from(encodeFrameReply(parts)) }
    }
    const entries = await storeAll()
    expect(entries).toContainEqual({ failed: 1, code: '401', reason: 'no' })
    expect(entries).toContainEqual({ failed: 1, code: '503', reason: 'no' })
    expect(entries).toContainEqual({ failed: 1, bad_peer_response: 1 })
    const again = entries.filter(entry => (entry as { code?: string }).code === '503')
    expect(members[0]!.deliveries.counts.queued).toBe(again.length)
  })
})
