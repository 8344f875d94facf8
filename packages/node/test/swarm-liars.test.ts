/** What a member gets by lying, and what it does not (NODE-91, NODE-94). */
import { encodeBt } from '@session-v2/encoding'
import { buildDelete, encodeRequest } from '@session-v2/network'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Item, type ItemVersion, NEVER_MS, REVOCATIONS } from '../src/store/store.ts'
import {
  encodeItemsAnswer,
  encodeSumsAnswer,
  encodeVersionsAnswer,
  type Question,
  stepsIn,
} from '../src/swarm/exchange-messages.ts'
import { takeOver } from '../src/swarm/item-gate.ts'
import { DAY_MS, HOUR_MS, type Member, type Owner, SwarmUnderTest } from './swarm-under-test.ts'

let swarm: SwarmUnderTest
let liar: Member
let victim: Member
let owner: Owner

beforeEach(async () => {
  swarm = await SwarmUnderTest.start(2)
  liar = swarm.members[0]!
  victim = swarm.members[1]!
  owner = swarm.owner()
})
afterEach(() => swarm.close())

function messageItem(text: string, parts: Partial<Item> = {}, timestampMs = swarm.clock.ms): Item {
  const data = new TextEncoder().encode(text)
  const times = { decidedAtMs: swarm.clock.ms, changedAtMs: swarm.clock.ms, expiryMs: swarm.clock.ms + HOUR_MS }
  const name = { account: owner.account, namespace: 0, hash: swarm.hashOf(owner, text) }
  return { ...name, ...times, isTombstone: false, message: { timestampMs, data }, ...parts }
}

function tombstoneItem(hash: string, changedAtMs = swarm.clock.ms + 1): Item {
  const times = { decidedAtMs: changedAtMs, changedAtMs, expiryMs: changedAtMs + 30 * DAY_MS }
  return { account: owner.account, namespace: 0, hash, ...times, isTombstone: true }
}

/** The liar has these versions, and these items whatever is asked for. */
function pretend(versions: readonly ItemVersion[], items: readonly Item[]): void {
  liar.lie = question => ({ status: 200, body: answerTo(question, versions, items) })
}

function answerTo(question: Question, versions: readonly ItemVersion[], items: readonly Item[]): Uint8Array {
  if (question.method === 'sync_sums') return encodeSumsAnswer(true, [new BigUint64Array(stepsIn(question.ranges)).fill(7n)])
  if (question.method === 'sync_versions') return encodeVersionsAnswer({ more: false, versions })
  return encodeItemsAnswer(items)
}

const round = () => victim.comparing.round(victim.swarms.peers[0]!, true)

describe('the gate (NODE-94)', () => {
  const judge = async (item: Item) => (await takeOver(victim.gate, [item], swarm.clock.ms))[0]

  it('takes a message that is what it says', async () => {
    expect(await judge(messageItem('a'))).toBe('good')
    expect(await victim.texts(owner)).toEqual(['a'])
  })
  it('takes none with another hash, a life or a namespace that cannot be, or that is over', async () => {
    expect(await judge(messageItem('a', { hash: swarm.hashOf(owner, 'b') }))).toBe('bad')
    expect(await judge(messageItem('a', { expiryMs: swarm.clock.ms + 31 * DAY_MS }))).toBe('bad')
    expect(await judge(messageItem('a', { expiryMs: swarm.clock.ms }))).toBe('bad')
    expect(await judge(messageItem('a', { hash: swarm.hashOf(owner, 'a', -3741), namespace: -3741 }))).toBe('bad')
    expect(await judge(messageItem('a', {}, 5))).toBe('bad')
    expect(await judge({ ...messageItem('a'), namespace: REVOCATIONS, expiryMs: NEVER_MS })).toBe('bad')
    expect(await victim.store.count()).toBe(0)
  })
  it('leaves for later what is decided, changed or sent ahead of our clock', async () => {
    const tooFar = swarm.clock.ms + 70_001
    expect(await judge(messageItem('a', { decidedAtMs: tooFar, changedAtMs: tooFar }))).toBe('later')
    expect(await judge(messageItem('a', { changedAtMs: tooFar }))).toBe('later')
    expect(await judge(messageItem('a', { decidedAtMs: tooFar }))).toBe('later')
    expect(await judge(messageItem('a', {}, swarm.clock.ms + 70_001))).toBe('later')
    expect(await judge(messageItem('a', { changedAtMs: swarm.clock.ms + 70_000 }))).toBe('good')
  })
  it('takes no account of another swarm', async () => {
    swarm.place(i => BigInt(i + 1) << 62n)
    const isOurs = (account: Uint8Array) => victim.swarms.swarmOf(account) === victim.swarms.own
    while (isOurs(owner.account)) owner = swarm.owner()
    expect(await judge(messageItem('a'))).toBe('bad')
  })
  it('deletes nothing without a proof, with that of another, or for another message', async () => {
    await victim.put(owner, 'a')
    const hash = swarm.hashOf(owner, 'a')
    expect(await judge(tombstoneItem(hash))).toBe('bad')
    const proof = encodeRequest(buildDelete(swarm.crypto, { signer: owner, hashes: [swarm.hashOf(owner, 'b')] }), 'bt')
    expect(await judge({ ...tombstoneItem(hash), proof })).toBe('bad')
    const stranger = encodeRequest(buildDelete(swarm.crypto, { signer: swarm.owner(), hashes: [hash] }), 'bt')
    expect(await judge({ ...tombstoneItem(hash), proof: stranger })).toBe('bad')
    expect(await judge({ ...tombstoneItem(hash), proof: Uint8Array.of(1, 2, 3) })).toBe('bad')
    expect(await judge({ ...tombstoneItem(hash), expiryMs: swarm.clock.ms + HOUR_MS })).toBe('bad')
    expect(await victim.texts(owner)).toEqual(['a'])
    const right = encodeRequest(buildDelete(swarm.crypto, { signer: owner, hashes: [hash] }), 'bt')
    expect(await judge({ ...tombstoneItem(hash), proof: right })).toBe('good')
    expect(await victim.texts(owner)).toEqual([])
  })
  it('shortens no life without a proof', async () => {
    await victim.put(owner, 'a', 0, DAY_MS)
    const [before] = await victim.versions(owner)
    expect(await judge(messageItem('a', { changedAtMs: swarm.clock.ms + 1, expiryMs: swarm.clock.ms + 60_000 }))).toBe('good')
    const [after] = await victim.versions(owner)
    expect(after).toEqual({ ...before, changedAtMs: swarm.clock.ms + 1 })
  })
})

describe('a round with a liar (NODE-93)', () => {
  it('takes nothing that was not asked for', async () => {
    pretend([messageItem('a')], [messageItem('b')])
    await expect(round()).rejects.toMatchObject({ code: 'bad-peer-response' })
    expect(await victim.store.count()).toBe(0)
  })
  it('ends when versions are out of order, repeated or elsewhere', async () => {
    const [first, second] = [messageItem('a'), messageItem('b', { expiryMs: swarm.clock.ms + 2 * HOUR_MS })]
    for (const versions of [[second, first], [first, first], [messageItem('a', { expiryMs: swarm.clock.ms + 90 * DAY_MS })]]) {
      pretend(versions, [])
      await expect(round()).rejects.toMatchObject({ code: 'bad-peer-response' })
    }
  })
  it('ends with a list that never ends', async () => {
    let asked = 0
    liar.lie = question => {
      if (question.method !== 'sync_versions') return { status: 200, body: answerTo(question, [], []) }
      asked += 1
      const versions = [messageItem('a', { expiryMs: swarm.clock.ms + HOUR_MS + asked, changedAtMs: swarm.clock.ms + DAY_MS })]
      return { status: 200, body: encodeVersionsAnswer({ more: true, versions }) }
    }
    expect(await round()).toMatchObject({ isComplete: false, fetched: 0 })
    expect(asked).toBe(200)
  })
  it('stops asking for what the other says it has and does not give', async () => {
    pretend([messageItem('a')], [])
    expect(await round()).toMatchObject({ fetched: 0 })
  })
  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['no dict', encodeBt([1n])],
    ['a dict without fields', encodeBt(new Map())],
    ['too few sums', encodeSumsAnswer(true, [new BigUint64Array(3)])],
    [
      'a wrong type',
      encodeBt(
        new Map([
          ['f', 1n],
          ['s', 2n],
        ]),
      ),
    ],
    [
      'another field',
      encodeBt(
        new Map<string, bigint | Uint8Array>([
          ['f', 1n],
          ['s', new Uint8Array()],
          ['z', 1n],
        ]),
      ),
    ],
    ['deep lists', new TextEncoder().encode('l'.repeat(5_000) + 'e'.repeat(5_000))],
  ])('refuses %s', async (_, body) => {
    liar.lie = () => ({ status: 200, body })
    await expect(round()).rejects.toMatchObject({ code: 'bad-peer-response' })
  })
  it('looks ever less often at what it has refused', async () => {
    pretend([tombstoneItem(swarm.hashOf(owner, 'a'))], [tombstoneItem(swarm.hashOf(owner, 'a'))])
    let looked = 0
    const lie = liar.lie!
    liar.lie = question => {
      if (question.method === 'sync_versions') looked += 1
      return lie(question)
    }
    for (let i = 0; i < 40; i++) await victim.comparing.round(victim.swarms.peers[0]!, false)
    expect(looked).toBeGreaterThan(2)
    expect(looked).toBeLessThan(8)
  })
})

describe('questions (NODE-90, NODE-91)', () => {
  const ask = (body: Uint8Array, sender = liar.identity.ed25519) => victim.answers.answer(sender, body)
  const question = (method: string, params: [string, bigint | Uint8Array][]) =>
    encodeBt(
      new Map<string, Uint8Array | Map<string, bigint | Uint8Array>>([
        ['method', new TextEncoder().encode(method)],
        ['params', new Map(params)],
      ]),
    )

  it.each<[string, [string, bigint | Uint8Array][]]>([
    ['sync_sums', []],
    ['sync_sums', [['r', 1n]]],
    ['sync_sums', [['r', new Uint8Array(11)]]],
    ['sync_sums', [['r', new Uint8Array(12)]]],
    ['sync_sums', [['r', Uint8Array.of(0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 1)]]],
    ['sync_sums', [['r', new Uint8Array(12 * 1_001)]]],
    [
      'sync_versions',
      [
        ['r', new Uint8Array(0)],
        ['x', 1n],
      ],
    ],
    ['sync_items', [['n', new Uint8Array(69 * 2_001)]]],
    ['sync_offer', [['v', new Uint8Array(93)]]],
    ['sync_offer', [['v', new Uint8Array(94).fill(255)]]],
    ['sync_offer', [['v', new Uint8Array(94).fill(1, 69, 77)]]],
    [
      'sync_put',
      [
        ['i', 1n],
        ['p', 1n],
      ],
    ],
    ['sync_nothing', []],
  ])('that are malformed are 422: %s %#', async (method, params) => {
    expect((await ask(question(method, params))).status).toBe(422)
  })
  it('are for members; another node may offer what falls to us alone', async () => {
    const elsewhere = await swarm.add()
    swarm.place(i => (i < 2 ? 1n << 62n : 3n << 62n))
    const key = elsewhere.identity.ed25519
    expect((await ask(question('sync_items', [['n', new Uint8Array()]]), key)).status).toBe(403)
    const isOurs = (account: Uint8Array) => victim.swarms.swarmOf(account) === victim.swarms.own
    while (!isOurs(owner.account)) owner = swarm.owner()
    const [member] = elsewhere.swarms.swarmOf(owner.account)!.members
    const offered = await elsewhere.client.ask(member!, { method: 'sync_offer', versions: [messageItem('a')] })
    expect(offered.wanted).toEqual([true])
    while (isOurs(owner.account)) owner = swarm.owner()
    const foreign = elsewhere.client.ask(member!, { method: 'sync_put', items: [messageItem('a')] })
    await expect(foreign).rejects.toMatchObject({ code: 'bad-peer-response' })
  })
  it('of one node are answered one after the other', async () => {
    const body = question('sync_items', [['n', new Uint8Array()]])
    const answers = await Promise.all([ask(body), ask(body)])
    expect(answers.map(({ status }) => status)).toEqual([200, 503])
  })
})
