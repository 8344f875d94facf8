/**
 * A device dies at every single commit of a hand-over, on either side, before and after it is written. It is opened again, and the
 * hand-over goes on: nothing lost, nothing twice, nothing left in the swarm.
 */
import { type Client, directTransport, type RecordStore, type Transport } from '@session-v2/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DyingStore } from './faults.ts'
import { HistoryDevices, historyOf, listing } from './history-devices.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { newClient, reopen } from './people.ts'
import { ReplayedStore } from './replayed-store.ts'
import { DAY_MS, SimulatedTime } from './simulated-time.ts'

type Moment = 'before' | 'after'
type Side = 'asking' | 'sending'

const MESSAGES = 17
const MAX_COMMITS = 60

let network: NetworkUnderTest
let time: SimulatedTime
let devices: HistoryDevices
let homes: readonly [ReplayedStore, ReplayedStore]
let history: object[]

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ nodes: 1, clock: time })
  devices = new HistoryDevices(network, time)
  homes = [new ReplayedStore(), new ReplayedStore()]
  const alice = await newClient(network, 'Alice', { store: homes[0], clock: time })
  await devices.write(alice, MESSAGES)
  time.advance(15 * DAY_MS)
  const second = await devices.link(alice, homes[1])
  await devices.syncAll(alice, second, alice)
  history = await historyOf(alice)
  await Promise.all([alice.close(), second.close()])
})
afterAll(() => network.close())

/** A person's device, which dies once, is opened again and asked again. Time stands nearly still: no keys rotate. */
class Mortal {
  readonly #home: RecordStore
  readonly #store: DyingStore
  client: Client

  readonly #transport: Transport

  private constructor(home: RecordStore, store: DyingStore, client: Client, transport: Transport) {
    this.#home = home
    this.#store = store
    this.client = client
    this.#transport = transport
  }

  static async open(home: RecordStore, dieAt: number, moment: Moment, transport = directTransport()): Promise<Mortal> {
    const store = new DyingStore(home, dieAt, moment)
    return new Mortal(home, store, await reopen(store, { clock: time, transport }), transport)
  }

  get died(): boolean {
    return this.#store.dead
  }

  async does<T>(act: (client: Client) => Promise<T>): Promise<T> {
    time.advance(1000)
    try {
      return await act(this.client)
    } catch (error) {
      if (!this.#store.dead) throw error
      await this.client.close()
      this.client = await reopen(this.#home, { clock: time, transport: this.#transport })
      return act(this.client)
    }
  }
}

/** Loses the first chunk that it is ever shown, for as long as it lies there. */
function losing(): Transport {
  let lost: string | undefined
  return listing(chunks => {
    lost ??= chunks[0]?.data
    return chunks.filter(({ data }) => data !== lost)
  })
}

const sync = (client: Client) => client.sync()

/** Agrees unless that was done before the device died. */
async function agree(client: Client): Promise<void> {
  const open = (await client.history.requests()).find(({ status }) => status === 'open')
  if (open !== undefined) await client.history.agree(open.requestId)
}

/** One whole hand-over in which a chunk is lost, and one side dies at its commit `dieAt`. Resolves to whether it came to that. */
async function survives(side: Side, dieAt: number, moment: Moment): Promise<boolean> {
  const never = Number.POSITIVE_INFINITY
  const alice = await Mortal.open(await homes[0].replayed(), side === 'sending' ? dieAt : never, moment)
  const second = await Mortal.open(await homes[1].replayed(), side === 'asking' ? dieAt : never, moment, losing())
  await second.does(client => client.history.ask())
  await alice.does(sync)
  await alice.does(agree)
  for (let round = 0; round < 5; round++) for (const device of [second, alice]) await device.does(sync)
  const { client } = second
  expect(await client.history.own()).toMatchObject({ state: 'done', received: MESSAGES, total: MESSAGES })
  expect(await historyOf(client)).toEqual(history)
  expect(await client.conversations()).toMatchObject([{ messages: MESSAGES, unread: 0 }])
  expect((await alice.client.history.requests())[0]).toMatchObject({ status: 'done', sent: MESSAGES })
  expect(await devices.left(client)).toBe(0)
  const died = alice.died || second.died
  await Promise.all([alice.client.close(), client.close()])
  return died
}

describe.each<[Side, number]>([
  ['asking', 12],
  ['sending', 10],
])('a device that is %s dies', (side, atLeast) => {
  it.each<Moment>(['before', 'after'])(
    '%s a commit is written',
    async moment => {
      let deaths = 0
      while (deaths < MAX_COMMITS && (await survives(side, deaths + 1, moment))) deaths++
      expect(deaths).toBeGreaterThanOrEqual(atLeast)
      expect(deaths).toBeLessThan(MAX_COMMITS)
    },
    240_000,
  )
})
