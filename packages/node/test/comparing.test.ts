import {
  buildDelete,
  buildDeleteAll,
  buildExpire,
  buildRevokeSubaccount,
  grantSubaccount,
  type RequestSigner,
} from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import { DAY_MS, HOUR_MS, SwarmUnderTest } from './swarm-under-test.ts'

let swarm: SwarmUnderTest

afterEach(() => swarm.close())

async function allHold(texts: string[], owner: { account: Uint8Array }, namespace = 0): Promise<void> {
  for (const member of swarm.members) expect(await member.texts(owner, namespace)).toEqual(texts)
}

/** The second member misses what the first is asked meanwhile. */
async function whileAway(work: () => Promise<unknown>): Promise<void> {
  swarm.cut(0, 1)
  swarm.clock.ms += 1_000
  await work()
  swarm.clock.ms += 1_000
  swarm.mend()
}

describe('two members that compare (NODE-90)', () => {
  it('end with the same messages, whatever namespace they are in', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    const owner = swarm.owner()
    await whileAway(async () => {
      await one!.put(owner, 'first')
      await one!.put(owner, 'secret', 5)
      await two!.put(owner, 'second')
    })
    expect(await two!.texts(owner)).toEqual(['second'])
    await swarm.settle()
    await allHold(['first', 'second'], owner)
    await allHold(['secret'], owner, 5)
    expect(await two!.versions(owner)).toEqual(await one!.versions(owner))
  })
  it('agree on a deletion, also of everything, and nothing comes back', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one] = swarm.members
    const owner = swarm.owner()
    for (const text of ['a', 'b', 'c']) await one!.put(owner, text)
    for (const text of ['d', 'e']) await one!.put(owner, text, 5)
    await whileAway(async () => {
      await one!.ask(buildDelete(swarm.crypto, { signer: owner, hashes: [swarm.hashOf(owner, 'a')] }))
      await one!.ask(buildDeleteAll(swarm.crypto, { signer: owner, namespace: 5 as never, timestampMs: swarm.clock.ms }))
    })
    await swarm.settle()
    await allHold(['b', 'c'], owner)
    await allHold([], owner, 5)
  })
  it('keep deleted what was deleted, although its expiry was set where that was missed, until it is stored again', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    const owner = swarm.owner()
    for (const text of ['a', 'b']) await one!.put(owner, text, 0, DAY_MS)
    const hashes = ['a', 'b'].map(text => swarm.hashOf(owner, text))
    await whileAway(() => one!.ask(buildDelete(swarm.crypto, { signer: owner, hashes: hashes.slice(0, 1) })))
    const longer = { signer: owner, hashes, expiriesMs: [swarm.clock.ms + 9 * DAY_MS] }
    const { swarm: entries } = await two!.ask(buildExpire(swarm.crypto, { ...longer, mode: 'extend' }))
    expect(entries[two!.identity.ed25519].updated, 'the second has missed the deletion').toEqual(hashes.toSorted())
    await swarm.settle()
    await allHold(['b'], owner)
    expect(await two!.versions(owner)).toEqual(await one!.versions(owner))
    await whileAway(() => two!.put(owner, 'a'))
    await swarm.settle()
    await allHold(['a', 'b'], owner)
  })
  it('keep a message that was deleted and stored again', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    const owner = swarm.owner()
    await one!.put(owner, 'a', 0, 2 * HOUR_MS)
    await whileAway(async () => {
      await one!.ask(buildDelete(swarm.crypto, { signer: owner, hashes: [swarm.hashOf(owner, 'a')] }))
      swarm.clock.ms += 10
      await one!.put(owner, 'a', 0, HOUR_MS)
    })
    await swarm.settle()
    await allHold(['a'], owner)
    const lives = await Promise.all([one, two].map(async member => (await member!.versions(owner))[0]!.expiryMs))
    expect(lives[0], 'nobody shortens a life by its own word, and both end with the same').toBe(lives[1])
  })
})

describe('members that missed a change of what they hold (NODE-84, NODE-94)', () => {
  it('agree on a life that was shortened, and that is over', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one] = swarm.members
    const owner = swarm.owner()
    for (const text of ['a', 'b']) await one!.put(owner, text, 0, DAY_MS)
    const shorten = (text: string, lifeMs: number) => {
      const hashes = [swarm.hashOf(owner, text)]
      return one!.ask(
        buildExpire(swarm.crypto, { signer: owner, hashes, expiriesMs: [swarm.clock.ms + lifeMs], mode: 'shorten' }),
      )
    }
    await whileAway(async () => {
      await shorten('a', HOUR_MS)
      await shorten('b', 60_000)
    })
    swarm.clock.ms += 120_000
    for (const { store } of swarm.members) await store.sweep()
    await swarm.settle()
    await allHold(['a'], owner)
    swarm.clock.ms += HOUR_MS
    for (const { store } of swarm.members) await store.sweep()
    await swarm.settle()
    await allHold([], owner)
  })
  it('agree on an outbox: the later timestamp counts', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    const owner = swarm.owner()
    await whileAway(async () => {
      await one!.put(owner, 'earlier', -21)
      swarm.clock.ms += 5
      await two!.put(owner, 'later', -21)
      swarm.clock.ms += 5
      await one!.put(owner, 'latest', -21)
    })
    await swarm.settle()
    await allHold(['latest'], owner, -21)
  })
  it('agree on revoked tokens', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    const owner = swarm.owner()
    const { token } = grantSubaccount(swarm.crypto, {
      accountId: '05',
      secretKey: owner.secretKey,
      subaccountKey: swarm.owner().publicKey,
      rights: 1,
    })
    await whileAway(() =>
      one!.ask(
        buildRevokeSubaccount(swarm.crypto, { tokens: [token], timestampMs: swarm.clock.ms, signer: owner as RequestSigner }),
      ),
    )
    expect(await two!.store.isRevoked(owner.account, token)).toBe(false)
    await swarm.settle()
    expect(await two!.store.isRevoked(owner.account, token)).toBe(true)
  })
})

describe('what is taken over (NODE-94)', () => {
  it('is told to those who wait for it, once', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    const owner = swarm.owner()
    const told: string[] = []
    two!.events.listen(event => {
      if (event.kind === 'stored') told.push(new TextDecoder().decode(event.message.data))
    })
    await whileAway(async () => {
      await one!.put(owner, 'a')
      await one!.put(owner, 'old', -21)
      swarm.clock.ms += 5
      await one!.put(owner, 'new', -21)
    })
    await swarm.settle()
    await swarm.settle()
    expect(told.sort()).toEqual(['a', 'new'])
  })
})

describe('who has nothing (NODE-93)', () => {
  it('gets 10,000 messages of 1 KB in few questions', { timeout: 120_000 }, async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    const owners = Array.from({ length: 20 }, () => swarm.owner())
    const change = { atMs: swarm.clock.ms, mode: 'asked' as const }
    const stores = Array.from({ length: 10_000 }, (_, i) => {
      const owner = owners[i % owners.length]!
      const text = `${i} `.padEnd(1_024, 'x')
      const times = { timestampMs: swarm.clock.ms, expiryMs: swarm.clock.ms + HOUR_MS + i * 60_000 }
      const name = { account: owner.account, namespace: 0, hash: swarm.hashOf(owner, text) }
      return one!.store.store({ ...name, ...times, data: new TextEncoder().encode(text) }, false, change)
    })
    await Promise.all(stores)
    const startedMs = performance.now()
    expect(await two!.comparing.round(two!.swarms.peers[0]!, true)).toMatchObject({ isComplete: true, fetched: 10_000 })
    const { questions, sentBytes, receivedBytes } = two!.client.traffic
    const seconds = (performance.now() - startedMs) / 1_000
    console.info(`10,000 messages of 1 KB: ${seconds.toFixed(2)} s, ${questions} questions, ${sentBytes + receivedBytes} bytes`)
    expect(questions).toBeLessThan(20)
    expect(sentBytes + receivedBytes).toBeLessThan(14_000_000)
    expect(await two!.store.count()).toBe(10_000)
    expect(await two!.comparing.round(two!.swarms.peers[0]!, true)).toMatchObject({ differing: 0 })
  })
})

describe('a round (NODE-92)', () => {
  it('leaves a minute alone that is being written, and looks at one that keeps changing after six rounds', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    const owner = swarm.owner()
    const peer = two!.swarms.peers[0]!
    let rounds = 0
    do {
      await whileAway(() => one!.put(owner, `at ${rounds}`, 0, HOUR_MS - (swarm.clock.ms % 60_000)))
      await two!.comparing.round(peer, false)
      rounds += 1
    } while ((await two!.texts(owner)).length === 0)
    expect(rounds).toBe(7)
  })
  it('asks 6 KB when nothing differs', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    await one!.put(swarm.owner(), 'a')
    const round = await two!.comparing.round(two!.swarms.peers[0]!, false)
    expect(round).toEqual({ isComplete: true, isPeerComplete: true, differing: 0, fetched: 0 })
    const { questions, sentBytes, receivedBytes } = two!.client.traffic
    expect(questions).toBe(1)
    expect(sentBytes + receivedBytes).toBeLessThan(6_200)
    console.info(`a quiet round: ${sentBytes + receivedBytes} bytes`)
  })
  it('ends when the node shuts down', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    await whileAway(() => one!.put(swarm.owner(), 'a'))
    one!.lie = () => {
      two!.client.close()
      return undefined
    }
    await expect(two!.comparing.round(two!.swarms.peers[0]!, true)).rejects.toMatchObject({ code: 'closed' })
  })
  it('takes no answer of an older member for ten minutes (NODE-96)', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    const peer = two!.swarms.peers[0]!
    one!.lie = () => ({ status: 404, body: new Uint8Array() })
    await expect(two!.comparing.round(peer, false)).rejects.toMatchObject({ code: 'bad-peer-response' })
    expect(two!.client.isUnaware(peer)).toBe(true)
    swarm.clock.ms += 600_000
    expect(two!.client.isUnaware(peer)).toBe(false)
  })
})
