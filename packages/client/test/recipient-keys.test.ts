/** Whose keys are used for how long, and that no node can talk a sender into older or weaker ones. */
import { Client, openMemoryStore, type Transport, type TransportAnswer } from '@session-v2/client'
import { systemRandom } from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import {
  accountFromSeed,
  accountKeyFromSeed,
  buildAccountKeyRecord,
  emptyKeyring,
  generateSeed,
  openMessage,
  parseAccountId,
  recoveryPasswordOf,
} from '@session-v2/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { transportWith } from './faults.ts'
import { NetworkUnderTest, signerOf } from './network-under-test.ts'
import { bodies, eventsOf, newClient, reopen, UNLOCK } from './people.ts'
import { HOUR_MS, SimulatedTime } from './simulated-time.ts'

type Rewrite = (answer: TransportAnswer, node: string) => TransportAnswer

let network: NetworkUnderTest
let time: SimulatedTime
/** Look-ups of published keys: how many, and what becomes of their answers. */
let lookUps = 0
let rewrite: Rewrite | 'unanswered' | undefined
let onLookUp = () => {}

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ clock: time })
})
afterAll(() => network.close())
afterEach(() => {
  rewrite = undefined
})

const transport: Transport = transportWith(async ({ node, method, text }, send) => {
  if (method !== 'retrieve' || JSON.parse(text).params.namespace !== NAMESPACE.accountKeys) return send()
  lookUps++
  if (rewrite === 'unanswered') throw new Error('unanswered')
  const answer = await send()
  onLookUp()
  return rewrite === undefined ? answer : rewrite(answer, node.ed25519)
})

const json = (value: unknown): TransportAnswer => ({ status: 200, body: encodeUtf8(JSON.stringify(value)) })
const NOTHING: Rewrite = () => json({ messages: [], more: false, t: time.nowMs() })

const newAlice = (ports: object = {}) => newClient(network, 'Alice', { clock: time, transport, ...ports })
const newBob = () => newClient(network, 'Bob', { clock: time })

async function lookUpsDuring(action: () => Promise<unknown>): Promise<number> {
  const before = lookUps
  await action()
  return lookUps - before
}

describe('keys of a recipient', () => {
  it('are looked up once and used for a day, then also looked up again while they are used, and after two days before', async () => {
    const [alice, bob] = [await newAlice(), await newBob()]
    const send = (text: string) => alice.send(bob.accountId, text)
    expect(await lookUpsDuring(() => send('first'))).toBe(1)
    time.advance(23 * HOUR_MS)
    expect(await lookUpsDuring(() => send('fresh'))).toBe(0)
    time.advance(2 * HOUR_MS)
    const lookedUp = new Promise<void>(resolve => {
      onLookUp = resolve
    })
    rewrite = 'unanswered'
    expect((await send('stale, and the look-up fails')).state).toBe('stored')
    rewrite = undefined
    expect((await send('stale')).state).toBe('stored')
    await lookedUp
    time.advance(49 * HOUR_MS)
    rewrite = 'unanswered'
    expect((await send('expired')).state).toBe('queued')
    rewrite = undefined
    expect(await lookUpsDuring(() => alice.sync())).toBeGreaterThan(0)
    await bob.sync()
    expect(await bodies(bob)).toEqual(['first', 'fresh', 'stale, and the look-up fails', 'stale', 'expired'])
    expect((await bob.messages()).every(message => message.protocol === 'v2-pfs')).toBe(true)
    await Promise.all([alice.close(), bob.close()])
  })

  it('are looked up when a conversation is opened, once an hour at most', async () => {
    const [alice, bob] = [await newAlice(), await newBob()]
    const looking = () =>
      new Promise<void>(resolve => {
        onLookUp = resolve
      })
    let looked = looking()
    await alice.openConversation(bob.accountId)
    await looked
    // The answer is written down after it came: a send waits for that.
    await alice.send(bob.accountId, 'Hello')
    time.advance(HOUR_MS - 1)
    expect(await lookUpsDuring(() => alice.openConversation(bob.accountId))).toBe(0)
    time.advance(1)
    looked = looking()
    await alice.openConversation(bob.accountId)
    await looked
    await Promise.all([alice.close(), bob.close()])
  })
})

describe('a recipient who never published keys', () => {
  it('gets messages marked on both sides as without forward secrecy, until there are keys', async () => {
    const seed = generateSeed(systemRandom(), 13)
    const recoveryPassword = recoveryPasswordOf(seed)
    const { id } = accountFromSeed(network.crypto, seed)
    const alice = await newAlice()
    expect(await alice.send(id, 'weak')).toMatchObject({ state: 'stored', protocol: 'v2' })
    expect(await alice.messages()).toMatchObject([{ protocol: 'v2', pfs: false }])
    time.advance(HOUR_MS - 1)
    expect(await lookUpsDuring(() => alice.send(id, 'weak again'))).toBe(0)
    const carol = await Client.restore({
      store: openMemoryStore(),
      unlock: UNLOCK,
      seeds: network.seeds,
      recoveryPassword,
      clock: time,
    })
    expect(await carol.messages()).toMatchObject([
      { body: 'weak', protocol: 'v2', pfs: false, keyCreatedAtMs: undefined },
      { body: 'weak again', protocol: 'v2', pfs: false },
    ])
    await carol.devices.startGroup()
    await carol.sync()
    time.advance(1)
    expect(await alice.send(id, 'strong')).toMatchObject({ state: 'stored', protocol: 'v2-pfs' })
    await carol.sync()
    expect((await carol.messages()).map(message => message.pfs)).toEqual([false, false, true])
    await Promise.all([alice.close(), carol.close()])
  })
})

describe('nodes that hide the keys of a recipient', () => {
  it('cannot weaken a message: it is held, tells so, and goes out in order when the keys are shown again', async () => {
    const [alice, bob] = [await newAlice(), await newBob()]
    await alice.send(bob.accountId, 'before')
    time.advance(49 * HOUR_MS)
    rewrite = NOTHING
    const stream = alice.events()
    expect(await alice.send(bob.accountId, 'held 1')).toMatchObject({ state: 'held', protocol: 'v2-pfs' })
    expect((await stream.next()).value).toMatchObject({ type: 'message_state_changed', state: 'held' })
    await stream.return(undefined)
    await alice.send(bob.accountId, 'held 2')
    await alice.sync()
    await bob.sync()
    expect(await bodies(bob)).toEqual(['before'])
    rewrite = undefined
    await alice.sync()
    await bob.sync()
    expect((await bob.messages()).map(({ body, pfs }) => `${body} ${pfs}`)).toEqual(['before true', 'held 1 true', 'held 2 true'])
    expect((await alice.messages()).every(message => message.state === 'stored')).toBe(true)
    await Promise.all([alice.close(), bob.close()])
  })

  it('are not believed alone: others are asked', async () => {
    const [alice, bob] = [await newAlice(), await newBob()]
    const [liar] = await network.swarm(parseAccountId(bob.accountId))
    rewrite = (answer, node) => (node === liar!.ed25519 ? NOTHING(answer, node) : answer)
    for (let i = 0; i < 6; i++) {
      time.advance(49 * HOUR_MS)
      await bob.sync()
      expect(await alice.send(bob.accountId, `message ${i}`)).toMatchObject({ state: 'stored', protocol: 'v2-pfs' })
    }
    await Promise.all([alice.close(), bob.close()])
  })
})

describe('the person decides', () => {
  it('of held messages that they go without forward secrecy, until there are keys again', async () => {
    const [alice, bob] = [await newAlice(), await newBob()]
    await alice.send(bob.accountId, 'before')
    time.advance(49 * HOUR_MS)
    rewrite = NOTHING
    expect(await alice.send(bob.accountId, 'held')).toMatchObject({ state: 'held' })
    await alice.sendWithoutForwardSecrecy(bob.accountId)
    expect(await alice.send(bob.accountId, 'goes too')).toMatchObject({ state: 'stored', protocol: 'v2' })
    rewrite = undefined
    time.advance(HOUR_MS)
    await alice.openConversation(bob.accountId)
    expect(await alice.send(bob.accountId, 'strong again')).toMatchObject({ state: 'stored' })
    rewrite = NOTHING
    time.advance(50 * HOUR_MS)
    expect(await alice.send(bob.accountId, 'held again')).toMatchObject({ state: 'held' })
    rewrite = undefined
    await bob.sync()
    const seen = (await bob.messages()).map(({ body, pfs }) => `${body} ${pfs}`)
    expect(seen.slice(0, 3)).toEqual(['before true', 'held false', 'goes too false'])
    // The copies to her own devices never went without.
    await alice.sync()
    const account = network.account(alice.recoveryPassword())
    const own = await network.retrieve(parseAccountId(alice.accountId), NAMESPACE.messages, signerOf(account))
    expect(own.length).toBeGreaterThan(0)
    for (const payload of own) expect(openMessage(network.crypto, account, emptyKeyring, payload).outcome).toBe('no-key')
    await Promise.all([alice.close(), bob.close()])
  })

  it('by a setting that survives a restart: strict holds, allow lets go, what has no keys', async () => {
    const stranger = accountFromSeed(network.crypto, generateSeed(systemRandom(), 13)).id
    const store = openMemoryStore()
    const [alice, bob] = [await newAlice({ store }), await newBob()]
    await alice.send(bob.accountId, 'before')
    await alice.changeSettings({ downgradePolicy: 'strict' })
    expect((await alice.send(stranger, 'not weakly')).state).toBe('held')
    await alice.close()
    const again = await reopen(store, { clock: time, transport })
    expect(again.settings()).toEqual({ downgradePolicy: 'strict' })
    await again.changeSettings({ downgradePolicy: 'allow' })
    time.advance(49 * HOUR_MS)
    rewrite = NOTHING
    expect(await again.send(bob.accountId, 'weakly')).toMatchObject({ state: 'stored', protocol: 'v2' })
    expect(await again.send(stranger, 'weakly too')).toMatchObject({ state: 'stored', protocol: 'v2' })
    rewrite = undefined
    await Promise.all([again.close(), bob.close()])
  })
})

describe('keys that do not follow from those before', () => {
  it('are told of once, and used when nobody shows better ones', async () => {
    const [alice, bob] = [await newAlice(), await newBob()]
    await alice.send(bob.accountId, 'before')
    const account = network.account(bob.recoveryPassword())
    const thief = accountKeyFromSeed(network.crypto, systemRandom().bytes(32), Math.floor(time.nowMs() / 1000) + 60)
    time.advance(49 * HOUR_MS)
    const record = buildAccountKeyRecord(network.crypto, systemRandom(), account, thief)
    await network.store(parseAccountId(bob.accountId), record, NAMESPACE.accountKeys, signerOf(account))
    await alice.send(bob.accountId, 'to the thief, and she is told')
    const told = async () => (await eventsOf(alice)).filter(event => event.type === 'recipient_keys_unproven')
    expect(await told()).toMatchObject([{ account: bob.accountId }])
    time.advance(25 * HOUR_MS)
    await alice.send(bob.accountId, 'again')
    expect(await told()).toHaveLength(1)
    await Promise.all([alice.close(), bob.close()])
  })
})

describe('a key that was replaced', () => {
  /** Alice has seen Bob's first key and his second. */
  async function afterRotation(): Promise<{ alice: Client; bob: Client; first: Uint8Array }> {
    const [alice, bob] = [await newAlice(), await newBob()]
    await alice.send(bob.accountId, 'to the first')
    const [first] = await network.retrieve(parseAccountId(bob.accountId), NAMESPACE.accountKeys)
    time.advance(49 * HOUR_MS)
    await bob.sync()
    await alice.send(bob.accountId, 'to the second')
    await bob.sync()
    return { alice, bob, first: first! }
  }

  const replay = (record: Uint8Array) => {
    const message = { hash: 'A'.repeat(43), timestamp: time.nowMs(), expiration: time.nowMs() + HOUR_MS }
    return json({ messages: [{ ...message, data: Buffer.from(record).toString('base64') }], more: false })
  }

  it('is never used again, whoever shows it', async () => {
    const { alice, bob, first } = await afterRotation()
    time.advance(49 * HOUR_MS)
    rewrite = () => replay(first)
    expect((await alice.send(bob.accountId, 'not to the first')).state).toBe('held')
    rewrite = undefined
    await alice.sync()
    await bob.sync()
    const keys = (await bob.messages()).map(message => message.keyCreatedAtMs!)
    expect(keys.length).toBe(3)
    expect(keys[1]).toBeGreaterThan(keys[0]!)
    expect(keys[2]).toBe(keys[1])
    await Promise.all([alice.close(), bob.close()])
  })

  it('shown by one node is outvoted by one that shows the new one', async () => {
    const { alice, bob, first } = await afterRotation()
    const [liar] = await network.swarm(parseAccountId(bob.accountId))
    rewrite = (answer, node) => (node === liar!.ed25519 ? replay(first) : answer)
    for (let i = 0; i < 6; i++) {
      time.advance(49 * HOUR_MS)
      expect((await alice.send(bob.accountId, `message ${i}`)).state).toBe('stored')
    }
    await bob.sync()
    const [oldest, ...later] = (await bob.messages()).map(message => message.keyCreatedAtMs!)
    expect(later.length).toBe(7)
    expect(later.every(key => key > oldest!)).toBe(true)
    await Promise.all([alice.close(), bob.close()])
  })

  it('is not kept alive by a node that hides the new one', async () => {
    const [alice, bob] = [await newAlice(), await newBob()]
    await alice.send(bob.accountId, 'to the first')
    const [first] = await network.retrieve(parseAccountId(bob.accountId), NAMESPACE.accountKeys)
    const [honest] = await network.swarm(parseAccountId(bob.accountId))
    rewrite = (answer, node) => (node === honest!.ed25519 ? answer : replay(first!))
    time.advance(49 * HOUR_MS)
    await bob.sync()
    await alice.send(bob.accountId, 'to the second')
    await bob.sync()
    const [old, current] = (await bob.messages()).map(message => message.keyCreatedAtMs!)
    expect(current).toBeGreaterThan(old!)
    await Promise.all([alice.close(), bob.close()])
  })
})
