/**
 * A device dies at every single commit of linking, removing and rotating, before and after it is written. It is opened again, what it
 * had not answered is asked of it again, and the account goes on as if nothing had happened: no dead end, nothing twice.
 */
import { Client, ClientError, openMemoryStore, type RecordStore } from '@session-v2/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DyingStore } from './faults.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { bodies, newClient, reopen, UNLOCK } from './people.ts'
import { HOUR_MS, SimulatedTime } from './simulated-time.ts'

let network: NetworkUnderTest
let time: SimulatedTime

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ nodes: 1, clock: time })
})
afterAll(() => network.close())

type Moment = 'before' | 'after'
const MAX_COMMITS = 60

/** A person's device, whose store dies once and is opened again. */
class Mortal {
  readonly #home: RecordStore
  #store: DyingStore
  client: Client

  private constructor(home: RecordStore, store: DyingStore, client: Client) {
    this.#home = home
    this.#store = store
    this.client = client
  }

  static async open(home: RecordStore, dieAt: number, moment: Moment): Promise<Mortal> {
    const store = new DyingStore(home, dieAt, moment)
    return new Mortal(home, store, await reopen(store, { clock: time }))
  }

  get died(): boolean {
    return this.#store.dead
  }

  /** What follows is looked at with a store that does not die. */
  async survive(): Promise<void> {
    await this.client.close()
    this.client = await reopen(this.#home, { clock: time })
  }

  /** Does something; after a death it is opened again and asked again. What was done before it died is not done twice. */
  async does(act: (client: Client) => Promise<unknown>, done: (error: ClientError) => boolean = () => false): Promise<void> {
    try {
      await act(this.client)
    } catch (error) {
      if (!this.#store.dead) throw error
      await this.client.close()
      this.client = await reopen(this.#home, { clock: time })
      await this.client.sync()
      await act(this.client).catch((again: unknown) => {
        if (!(again instanceof ClientError) || !done(again)) throw again
      })
    }
    time.advance(1000)
  }
}

/** Lets something die at its first commit, its second and so on, until it lives through. Resolves to how many deaths there were. */
async function atEveryCommit(trial: (dieAt: number) => Promise<boolean>): Promise<number> {
  for (let dieAt = 1; dieAt <= MAX_COMMITS; dieAt++) if (!(await trial(dieAt))) return dieAt - 1
  throw new Error(`still dying at commit ${MAX_COMMITS}`)
}

const open = (home: RecordStore, dieAt = Number.POSITIVE_INFINITY, moment: Moment = 'before') => Mortal.open(home, dieAt, moment)
const sync = (client: Client) => client.sync()
const code =
  (...codes: string[]) =>
  (error: ClientError) =>
    codes.includes(error.code)

/** Two homes: of an account with its group, and of the same account restored. */
async function twoHomes(): Promise<[RecordStore, RecordStore]> {
  const [first, second] = [openMemoryStore(), openMemoryStore()]
  const alice = await newClient(network, 'Alice', { store: first, clock: time })
  const options = { unlock: UNLOCK, seeds: network.seeds, recoveryPassword: alice.recoveryPassword(), clock: time }
  const joiner = await Client.restore({ ...options, store: second })
  await Promise.all([alice.close(), joiner.close()])
  return [first, second]
}

async function link(alice: Mortal, second: Mortal): Promise<void> {
  await second.does(sync)
  await second.does(client => client.devices.ask())
  await alice.does(sync)
  const accepted = code('unknown-request')
  await alice.does(client => client.devices.accept(client.devices.view().requests[0]?.id ?? ''), accepted)
  await alice.does(sync)
  await second.does(sync)
  await second.does(client => client.devices.confirm(), accepted)
}

/** Everybody syncs until nothing is owed, and reads what a stranger wrote last. */
async function expectOneGroup(alice: Mortal, second: Mortal): Promise<void> {
  for (const device of [alice, second]) await device.survive()
  for (let round = 0; round < 3; round++) for (const device of [alice, second]) await device.does(sync)
  const views = [alice, second].map(({ client }) => client.devices.view())
  for (const { membership, devices } of views) {
    expect(membership).toBe('InGroup')
    expect(devices.map(({ state }) => state)).toEqual(['member', 'member'])
  }
  expect(views[0]!.group?.id).toBe(views[1]!.group?.id)
  expect(second.client.keys().accountKeys[0]).toEqual(alice.client.keys().accountKeys[0])
  expect((await alice.client.sync()).pushed + (await second.client.sync()).pushed).toBe(0)
  await alice.client.send(alice.client.accountId, 'to myself')
  for (const { client } of [alice, second]) {
    await client.sync()
    expect(await bodies(client)).toEqual(['to myself'])
  }
}

const close = (...devices: Mortal[]) => Promise.all(devices.map(({ client }) => client.close()))

for (const moment of ['before', 'after'] as const) {
  describe(`dying ${moment} a commit is written`, () => {
    it('while it lets another device in', async () => {
      const deaths = await atEveryCommit(async dieAt => {
        const [first, other] = await twoHomes()
        const [alice, second] = [await open(first, dieAt, moment), await open(other)]
        await link(alice, second)
        await expectOneGroup(alice, second)
        await close(alice, second)
        return alice.died
      })
      expect(deaths).toBeGreaterThanOrEqual(5)
    })

    it('while it is let in', async () => {
      const deaths = await atEveryCommit(async dieAt => {
        const [first, other] = await twoHomes()
        const [alice, second] = [await open(first), await open(other, dieAt, moment)]
        await link(alice, second)
        await expectOneGroup(alice, second)
        await close(alice, second)
        return second.died
      })
      expect(deaths).toBeGreaterThanOrEqual(5)
    })
  })
}

for (const moment of ['before', 'after'] as const) {
  describe(`dying ${moment} a commit is written, as a member,`, () => {
    it('while it removes another, which rotates and publishes', async () => {
      const deaths = await atEveryCommit(async dieAt => {
        const [first, other] = await twoHomes()
        const [linking, second] = [await open(first), await open(other)]
        await link(linking, second)
        await expectOneGroup(linking, second)
        await close(linking)
        const alice = await open(first, dieAt, moment)
        await alice.does(sync)
        const { id } = second.client.devices.view().devices[0]!
        const before = alice.client.keys().accountKeys[0]!
        await alice.does(client => client.devices.remove(id), code('unknown-device'))
        await alice.does(sync)
        await alice.survive()
        await alice.does(sync)
        await second.does(sync)
        expect(second.client.devices.view().membership).toBe('Removed')
        const keys = alice.client.keys().accountKeys
        expect(keys.filter(({ createdAtMs }) => createdAtMs > before.createdAtMs)).toHaveLength(1)
        expect(alice.client.devices.view().devices.map(({ state }) => state)).toEqual(['member', 'removed'])
        expect((await alice.client.sync()).pushed).toBe(0)
        await close(alice, second)
        return alice.died
      })
      expect(deaths).toBeGreaterThanOrEqual(4)
    })

    it('while it rotates its keys by the clock', async () => {
      const deaths = await atEveryCommit(async dieAt => {
        const home = openMemoryStore()
        await (await newClient(network, 'Alice', { store: home, clock: time })).close()
        const alice = await open(home, dieAt, moment)
        time.advance(25 * HOUR_MS)
        await alice.does(sync)
        await alice.survive()
        await alice.does(sync)
        const { accountKeys, deviceKeys } = alice.client.keys()
        expect(accountKeys.map(({ current }) => current)).toEqual([true, false])
        expect(deviceKeys.map(({ current }) => current)).toEqual([true, false])
        expect((await alice.client.sync()).pushed).toBe(0)
        await close(alice)
        return alice.died
      })
      expect(deaths).toBeGreaterThanOrEqual(4)
    })
  })
}
