/** Members that come, go and come back, over HTTP; nothing is timed: each test waits for a state. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { RequestSigner } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import type { UpkeepTimes } from '../src/config/swarm-config.ts'
import { damageAllPages } from './faults/damage.ts'
import { NetworkUnderTest } from './network-under-test.ts'

const QUICK: UpkeepTimes = { roundMs: 30, deliveriesMs: 50, handOverMs: 50, joinMs: 30, patienceMs: 300 }
const NO_ROUNDS: UpkeepTimes = { ...QUICK, roundMs: 3_600_000, joinMs: 3_600_000 }
const LEFT = 1n << 62n
const RIGHT = 3n << 62n

let test: NetworkUnderTest

afterEach(() => test.close())

/** Waits until what is read is what is expected; vitest ends it when that never happens. */
async function until<T>(read: () => Promise<T>, expected: T): Promise<void> {
  await expect.poll(read, { timeout: 30_000, interval: 30 }).toEqual(expected)
}

async function start(nodes: number, upkeep = QUICK): Promise<NetworkUnderTest> {
  test = await NetworkUnderTest.start({ nodes, upkeep })
  return test
}

/** Databases that were put aside, without the files beside them. */
const asides = (file: string) => readdirSync(dirname(file)).filter(name => /\.damaged-\d+$/.test(name))
const ownSwarm = (): bigint => BigInt(`0x${test.network.nodes[0]!.swarm}`)
const textsAt = (who: RequestSigner, node: number) => async () => (await test.texts(who, 0, node).catch(() => [])).sort()

describe('a member (NODE-90)', () => {
  it('that was down while messages were stored and deleted has what the others have when it is back', {
    timeout: 60_000,
  }, async () => {
    await start(3)
    const alice = test.account()
    const { hash } = (await test.store(alice, 'before')).body
    await test.network.stop(2)
    await test.store(alice, 'meanwhile')
    await test.request(test.deleteRequest(alice, [hash]))
    await test.network.start(2)
    await until(textsAt(alice, 2), ['meanwhile'])
    await until(textsAt(alice, 0), ['meanwhile'])
  })
  it('that was cut off with another has what the rest has, and gives what it has', { timeout: 60_000 }, async () => {
    await start(6)
    const alice = test.account()
    test.network.separate([
      [0, 1, 2, 3],
      [4, 5],
    ])
    await test.store(alice, 'here')
    await test.store(alice, 'there', 0, { node: 4 })
    expect(await textsAt(alice, 0)()).toEqual(['here'])
    expect(await textsAt(alice, 5)()).toEqual(['there'])
    test.network.unite()
    for (const node of [0, 1, 2, 3, 4, 5]) await until(textsAt(alice, node), ['here', 'there'])
  })
  it('gets by delivery what it missed, if nobody compares (NODE-95)', { timeout: 60_000 }, async () => {
    await start(2, NO_ROUNDS)
    const alice = test.account()
    await test.network.stop(1)
    await test.store(alice, 'late')
    await test.network.start(1)
    expect(await textsAt(alice, 1)()).toEqual([])
    test.clock.ms += 15_000
    await until(textsAt(alice, 1), ['late'])
    expect(test.network.nodes[0]!.upkeep()!.deliveries).toMatchObject({ queued: 1, delivered: 1 })
  })
  it('gets it also when the node that owes it was down meanwhile (NODE-89)', { timeout: 60_000 }, async () => {
    await start(2, NO_ROUNDS)
    const alice = test.account()
    await test.network.stop(1)
    await test.store(alice, 'late')
    await test.network.stop(0)
    await test.network.start(0)
    await test.network.start(1)
    test.clock.ms += 15_000
    await until(textsAt(alice, 1), ['late'])
  })
})

describe('a node that joins (NODE-96)', () => {
  it('answers 503 until it holds what its swarm holds, and then with it', { timeout: 60_000 }, async () => {
    await start(2)
    const alice = test.account()
    for (const text of ['a', 'b', 'c']) await test.store(alice, text)
    const joiner = await test.network.add(ownSwarm())
    const answers: number[] = []
    for (;;) {
      const { status, body } = await test.request(test.retrieveRequest(alice), joiner)
      answers.push(status)
      if (status === 200) {
        expect(body.messages).toHaveLength(3)
        break
      }
      expect(body).toBe('Service node is not ready: not done syncing')
    }
    await test.network.nodes[joiner]!.complete()
    await test.store(alice, 'd')
    await until(textsAt(alice, joiner), ['a', 'b', 'c', 'd'])
  })
  it('takes what is written meanwhile, though it does not answer clients', { timeout: 60_000 }, async () => {
    await start(2, { ...NO_ROUNDS, patienceMs: 3_600_000 })
    const alice = test.account()
    await test.store(alice, 'before')
    test.network.separate([[0, 1]])
    const joiner = await test.network.add(ownSwarm())
    const { ed25519 } = test.network.nodes[joiner]!
    await expect.poll(() => test.network.nodes[joiner]!.upkeep()!.traffic.questions, { timeout: 30_000 }).toBe(2)
    test.network.unite()
    const { body } = await test.store(alice, 'meanwhile')
    expect(body.swarm[ed25519]).toMatchObject({ hash: body.hash })
    expect((await test.request(test.retrieveRequest(alice), joiner)).status).toBe(503)
  })
  it('serves nevertheless when nobody answers', { timeout: 60_000 }, async () => {
    await start(2)
    test.network.separate([])
    const joiner = await test.network.add(ownSwarm())
    expect((await test.ask('info', {}, joiner)).status).toBe(503)
    await test.network.nodes[joiner]!.complete()
    expect((await test.ask('info', {}, joiner)).status).toBe(200)
  })
  it('is ready at once when it comes back to the swarm that it left', { timeout: 60_000 }, async () => {
    await start(2)
    await test.network.stop(1)
    test.network.separate([])
    await test.network.start(1)
    expect((await test.ask('info', {}, 1)).status).toBe(200)
  })
})

describe('a node that has lost what it held (NODE-28, NODE-96)', () => {
  it('with a damaged database puts it aside and is filled by its swarm', { timeout: 60_000 }, async () => {
    await start(2)
    const alice = test.account()
    await test.store(alice, 'kept by the other')
    const { databaseFile } = test.network.nodes[1]!
    await test.network.stop(1)
    for (const suffix of ['-wal', '-shm']) rmSync(databaseFile + suffix, { force: true })
    writeFileSync(databaseFile, 'this is no database. '.repeat(1_000))
    await test.network.start(1)
    await until(textsAt(alice, 1), ['kept by the other'])
    expect(asides(databaseFile)).toHaveLength(1)
  })
  it('whose database is damaged while it runs puts it aside, begins anew, and is filled', { timeout: 60_000 }, async () => {
    await start(2)
    // More than is kept in memory.
    const people = Array.from({ length: 260 }, () => test.account())
    const text = 'x'.repeat(75_000)
    await Promise.all(people.map(person => test.store(person, text)))
    const { databaseFile } = test.network.nodes[1]!
    damageAllPages(databaseFile)
    for (const person of people) await until(async () => (await textsAt(person, 1)()).every(found => found === text), true)
    await until(async () => asides(databaseFile).length, 1)
    for (const person of people) await until(async () => (await textsAt(person, 1)()).map(found => found.length), [75_000])
  })
  it('with a new disk is filled, and so is one after another until none has its old one', { timeout: 60_000 }, async () => {
    await start(3)
    const alice = test.account()
    for (const text of ['a', 'b']) await test.store(alice, text)
    for (const node of [0, 1, 2]) {
      await test.network.stop(node)
      for (const suffix of ['', '-wal', '-shm'])
        rmSync(join(test.directory, `node-${node + 1}`, `messages.db${suffix}`), { force: true })
      await test.network.start(node)
      await test.network.nodes[node]!.complete()
      expect(await textsAt(alice, node)()).toEqual(['a', 'b'])
    }
  })
})

describe('another list of nodes (NODE-97)', () => {
  const placeOf = async (who: RequestSigner) => {
    const { body } = await test.ask('get_swarm', { pubkey: who.accountId })
    return body.snodes.map((node: { pubkey_ed25519: string }) =>
      test.network.nodes.findIndex(one => one.ed25519 === node.pubkey_ed25519),
    )
  }

  it('brings accounts to their new swarm', { timeout: 60_000 }, async () => {
    await start(4)
    const people = Array.from({ length: 8 }, () => test.account())
    for (const person of people) await test.store(person, 'moves')
    test.network.place(node => (node < 2 ? LEFT : RIGHT))
    await Promise.all(test.network.nodes.map(node => node.complete()))
    for (const person of people) {
      for (const node of await placeOf(person)) await until(textsAt(person, node), ['moves'])
    }
  })
  it('loses nothing of a swarm that is dissolved', { timeout: 60_000 }, async () => {
    test = await NetworkUnderTest.start({ nodes: 4, swarms: 2, upkeep: QUICK })
    const people = Array.from({ length: 8 }, () => test.account())
    for (const person of people) await test.store(person, 'stays', 0, { node: (await placeOf(person))[0] })
    test.network.place(node => (node % 2 === 0 ? LEFT : undefined))
    for (const person of people) {
      for (const node of [0, 2]) await until(textsAt(person, node), ['stays'])
    }
  })
  it('loses nothing when a member leaves and another comes', { timeout: 60_000 }, async () => {
    await start(3)
    const alice = test.account()
    await test.store(alice, 'stays')
    const joiner = await test.network.add(ownSwarm())
    await test.network.nodes[joiner]!.complete()
    test.network.place(node => (node === 0 ? undefined : LEFT))
    await test.network.stop(0)
    for (const node of [1, 2, joiner]) await until(textsAt(alice, node), ['stays'])
  })
})
