import { buildDelete, encodeRequest } from '@session-v2/network'
import { afterEach, describe, expect, it } from 'vitest'
import { handOver } from '../src/swarm/handing-over.ts'
import { forgetAll } from './message-store-contract-parts.ts'
import { type Member, type Owner, SwarmUnderTest } from './swarm-under-test.ts'

let swarm: SwarmUnderTest

afterEach(() => swarm.close())

const LEFT = 1n << 62n
const RIGHT = 3n << 62n

const give = (member: Member) => handOver({ ...member, isStopped: () => false })

/** Owners that fall to the swarm of a member. */
function ownersOf(member: Member, count: number): Owner[] {
  const owners: Owner[] = []
  while (owners.length < count) {
    const owner = swarm.owner()
    if (member.swarms.swarmOf(owner.account) === member.swarms.own) owners.push(owner)
  }
  return owners
}

describe('handing over (NODE-97)', () => {
  it('gives a new swarm what falls to it, deletions too, and forgets it', async () => {
    swarm = await SwarmUnderTest.start(4)
    const [one, two, three, four] = swarm.members
    swarm.place(() => LEFT)
    const owners = Array.from({ length: 40 }, () => swarm.owner())
    for (const owner of owners) {
      for (const text of ['a', 'b']) await one!.put(owner, text)
      await one!.ask(buildDelete(swarm.crypto, { signer: owner, hashes: [swarm.hashOf(owner, 'b')] }))
    }
    swarm.place(i => (i < 2 ? LEFT : RIGHT))
    const moved = owners.filter(({ account }) => one!.swarms.swarmOf(account)?.id === RIGHT)
    expect(moved.length).toBeGreaterThan(0)
    for (const member of [three, four]) for (const owner of moved) await forgetAll(member!.store, owner.account)
    const given = await give(one!)
    expect(given).toEqual({ foreign: moved.length, forgotten: moved.length * 2, sent: moved.length * 4 })
    for (const owner of moved) {
      expect(await one!.versions(owner)).toEqual([])
      for (const member of [three, four]) {
        expect(await member!.texts(owner)).toEqual(['a'])
        expect(await member!.versions(owner)).toHaveLength(2)
      }
    }
    expect(await give(two!), 'the second finds that all is there').toMatchObject({ forgotten: moved.length * 2, sent: 0 })
    expect(await give(one!)).toEqual({ foreign: 0, forgotten: 0, sent: 0 })
    const stayed = owners.filter(owner => !moved.includes(owner))
    for (const owner of stayed) expect(await one!.texts(owner)).toEqual(['a'])
  })
  it('keeps what nobody takes, and forgets it when all who answer have it', async () => {
    swarm = await SwarmUnderTest.start(3)
    const [one, two] = swarm.members
    swarm.place(() => LEFT)
    const owner = swarm.owner()
    await one!.put(owner, 'a')
    const isRight = () => one!.swarms.swarmOf(owner.account) !== one!.swarms.own
    swarm.place(i => (i === 0 ? RIGHT : LEFT))
    if (!isRight()) swarm.place(i => (i === 0 ? LEFT : RIGHT))
    expect(isRight()).toBe(true)
    for (const member of swarm.members.slice(1)) await forgetAll(member.store, owner.account)
    swarm.cut(0, 1)
    swarm.cut(0, 2)
    expect(await give(one!)).toEqual({ foreign: 1, forgotten: 0, sent: 0 })
    expect(await one!.texts(owner)).toEqual(['a'])
    swarm.mend()
    swarm.cut(0, 2)
    expect(await give(one!)).toEqual({ foreign: 1, forgotten: 1, sent: 1 })
    expect(await two!.texts(owner)).toEqual(['a'])
    swarm.mend()
    await swarm.settle()
    expect(await swarm.members[2]!.texts(owner)).toEqual(['a'])
  })
})

describe('who hands over (NODE-97)', () => {
  it('keeps what a member says is not its own: the lists of nodes differ for a while', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    swarm.place(i => (i === 0 ? LEFT : RIGHT))
    const [owner] = ownersOf(two!, 1)
    swarm.place(() => LEFT)
    await one!.put(owner!, 'a')
    await forgetAll(two!.store, owner!.account)
    const before = two!.swarms.nodes
    swarm.place(i => (i === 0 ? LEFT : RIGHT))
    two!.swarms.replace(before.map(node => ({ ...node, swarmId: node.port === 1 ? RIGHT : LEFT })))
    expect(await give(one!)).toEqual({ foreign: 1, forgotten: 0, sent: 0 })
    expect(await one!.texts(owner!)).toEqual(['a'])
  })
  it('keeps what a request made of an item while it was given, and gives that next', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    swarm.place(i => (i === 0 ? LEFT : RIGHT))
    const [owner] = ownersOf(two!, 1)
    swarm.place(() => LEFT)
    for (const text of ['deleted', 'kept']) await one!.put(owner!, text)
    await forgetAll(two!.store, owner!.account)
    swarm.place(i => (i === 0 ? LEFT : RIGHT))
    const proof = encodeRequest(buildDelete(swarm.crypto, { signer: owner!, hashes: [swarm.hashOf(owner!, 'deleted')] }), 'bt')
    let deleted: Promise<unknown> | undefined
    two!.lie = ({ method }) => {
      const change = { atMs: swarm.clock.ms + 1, mode: 'asked', proof } as const
      if (method === 'sync_put') deleted ??= one!.store.delete(owner!.account, [swarm.hashOf(owner!, 'deleted')], change)
      return undefined
    }
    expect(await give(one!)).toEqual({ foreign: 1, forgotten: 1, sent: 2 })
    await deleted
    expect(await give(one!)).toEqual({ foreign: 1, forgotten: 1, sent: 1 })
    expect(await two!.texts(owner!)).toEqual(['kept'])
    expect(await give(one!)).toEqual({ foreign: 0, forgotten: 0, sent: 0 })
  })
  it('goes page by page through an account with more items than one offer has', async () => {
    swarm = await SwarmUnderTest.start(2)
    const [one, two] = swarm.members
    swarm.place(i => (i === 0 ? LEFT : RIGHT))
    const [owner] = ownersOf(two!, 1)
    const at = { atMs: swarm.clock.ms, mode: 'asked' as const }
    const texts = Array.from({ length: 2_500 }, (_, i) => `text ${i}`)
    const times = { timestampMs: swarm.clock.ms, expiryMs: swarm.clock.ms + 3_600_000 }
    const data = (text: string) => new TextEncoder().encode(text)
    await Promise.all(
      texts.map(text =>
        one!.store.store(
          { account: owner!.account, namespace: 0, hash: swarm.hashOf(owner!, text), ...times, data: data(text) },
          false,
          at,
        ),
      ),
    )
    expect(await give(one!)).toEqual({ foreign: 1, forgotten: 2_500, sent: 2_500 })
    expect(await two!.texts(owner!)).toEqual(texts.toSorted())
  })
})

describe('who has left (NODE-90, NODE-97)', () => {
  it('takes a change from a node that nobody lists any more, and no questions of it; a stranger may not even offer', async () => {
    swarm = await SwarmUnderTest.start(3)
    const four = await swarm.add()
    const [one, two, three] = swarm.members
    swarm.place(i => (i === 3 ? undefined : LEFT))
    const owner = swarm.owner()
    await one!.put(owner, 'a')
    swarm.cut(0, 2)
    swarm.cut(1, 2)
    await three!.ask(buildDelete(swarm.crypto, { signer: owner, hashes: [swarm.hashOf(owner, 'a')] }))
    swarm.mend()
    swarm.place(i => (i < 2 ? LEFT : undefined))
    expect(await one!.texts(owner)).toEqual(['a'])
    expect(await give(three!)).toEqual({ foreign: 1, forgotten: 1, sent: 2 })
    for (const member of [one, two]) expect(await member!.texts(owner)).toEqual([])
    const [peer] = one!.swarms.nodes
    await expect(three!.comparing.round(peer!, true)).rejects.toThrow('403')
    await four.store.merge(await one!.store.items(await one!.versions(owner), 1e6), () => false)
    expect(await give(four)).toMatchObject({ foreign: 1, forgotten: 0, sent: 0 })
    for (let lists = 0; lists < 20; lists++) {
      expect(one!.swarms.mayOffer(three!.identity.ed25519)).toBe(true)
      swarm.place(i => (i === 0 ? LEFT : undefined))
    }
    expect(one!.swarms.mayOffer(three!.identity.ed25519)).toBe(false)
  })
})
