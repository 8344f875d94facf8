/** Ten accounts with four devices each, over nine nodes in three swarms, for a day: every device ends with the same history. */
import type { Client } from '@session-v2/client'
import { type Random, seededRandom } from '@session-v2/crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DevicePeople } from './device-people.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { newClient } from './people.ts'
import { HOUR_MS, SimulatedTime } from './simulated-time.ts'

const ACCOUNTS = 10
const DEVICES = 4
const HOURS = 24
const MESSAGES_AN_HOUR = 12
/** Some 20 s of work, on a machine that may be busy. */
const PATIENCE_MS = 300_000

let network: NetworkUnderTest
let time: SimulatedTime
let people: DevicePeople
let dice: Random

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ nodes: 9, swarms: 3, clock: time })
  people = new DevicePeople(network, time)
  dice = seededRandom(network.crypto, new TextEncoder().encode('a day of traffic'))
})
afterAll(() => network.close())

const below = (limit: number) => dice.bytes(4).reduce((sum, byte) => sum * 256 + byte, 0) % limit
const pick = <T>(items: readonly T[]) => items[below(items.length)]!

async function account(name: string): Promise<Client[]> {
  const first = await newClient(network, name, { clock: time })
  const devices = [first]
  while (devices.length < DEVICES) devices.push(await people.second(first))
  await people.sync(...devices)
  return devices
}

/** What a device shows of all conversations, whatever the order in which it came. */
async function historyOf(device: Client): Promise<string[]> {
  const messages = await device.messages({ limit: 10_000 })
  return messages.map(({ conversation, sender, body, sentAtMs }) => `${conversation} ${sender} ${sentAtMs} ${body}`).sort()
}

it(
  'every device holds the same history, and nothing is left that does not open',
  async () => {
    const accounts: Client[][] = []
    for (let i = 0; i < ACCOUNTS; i++) accounts.push(await account(`Person ${i}`))
    const sent = new Map<string, number>()
    for (let hour = 0; hour < HOURS; hour++) {
      for (let i = 0; i < MESSAGES_AN_HOUR; i++) {
        time.advance(HOUR_MS / MESSAGES_AN_HOUR)
        const [from, to] = [pick(accounts), pick(accounts)]
        const [id, other] = [from[0]!.accountId, to[0]!.accountId]
        await pick(from).send(other, `${hour}:${i}`)
        for (const account of new Set([id, other])) sent.set(account, (sent.get(account) ?? 0) + 1)
      }
      // Some devices are on, others are not.
      for (const devices of accounts) for (const device of devices) if (below(3) === 0) await device.sync()
    }
    for (let round = 0; round < 3; round++) for (const devices of accounts) await people.sync(...devices)
    for (const devices of accounts) {
      const histories = await Promise.all(devices.map(historyOf))
      expect(histories[0]).toHaveLength(sent.get(devices[0]!.accountId) ?? 0)
      for (const history of histories) expect(history).toEqual(histories[0])
      for (const device of devices) {
        expect((await device.unreadable()).messages).toBe(0)
        expect(
          (await device.messages({ limit: 10_000 })).every(({ pfs, state }) => pfs && state !== 'queued' && state !== 'held'),
        ).toBe(true)
        expect(device.keys().accountKeys[0]).toEqual(devices[0]!.keys().accountKeys[0])
      }
      expect(devices[0]!.keys().accountKeys.length).toBeGreaterThan(1)
    }
    await Promise.all(accounts.flat().map(device => device.close()))
  },
  PATIENCE_MS,
)
