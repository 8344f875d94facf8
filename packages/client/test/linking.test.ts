import { Client, openMemoryStore } from '@session-v2/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { transportWith } from './faults.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { bodies, codeOf, eventTypes, newClient, UNLOCK } from './people.ts'
import { SimulatedTime } from './simulated-time.ts'

let network: NetworkUnderTest
let time: SimulatedTime

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ clock: time })
})
afterAll(() => network.close())

const create = (name: string, ports: object = {}) => newClient(network, name, { clock: time, ...ports })
const restore = (recoveryPassword: string, ports: object = {}) =>
  Client.restore({ store: openMemoryStore(), unlock: UNLOCK, seeds: network.seeds, recoveryPassword, clock: time, ...ports })

/** Time goes on and everybody syncs, one after the other. */
async function syncAll(...clients: Client[]): Promise<void> {
  for (const client of clients) {
    time.advance(1000)
    await client.sync()
  }
}

/** A second device of the account, let in by the first, with both confirmations. */
async function linked(first: Client): Promise<Client> {
  const second = await restore(first.recoveryPassword())
  const asked = await second.devices.ask()
  await syncAll(first)
  const [request] = first.devices.linkRequests()
  expect(request!.emoji).toEqual(asked.emoji)
  await first.devices.accept(request!.id)
  await syncAll(first, second)
  await second.devices.confirm()
  await syncAll(second, first, second)
  return second
}

describe('a new account', () => {
  it('founds its group, and it is in the swarm', async () => {
    const alice = await create('Alice', { device: { description: 'laptop', type: 'd', version: [1, 2, 3] } })
    const { membership, group, devices } = alice.devices.view()
    expect(membership).toBe('InGroup')
    expect(group).toMatchObject({ isOurs: true })
    expect(devices).toMatchObject([{ isThis: true, description: 'laptop', type: 'd', version: '1.2.3', state: 'member' }])
    expect(await alice.devices.log()).toMatchObject([{ kind: 'founded', byThisDevice: true }])
    const other = await restore(alice.recoveryPassword())
    expect(other.devices.view()).toMatchObject({ membership: 'GroupsVisible', groups: [{ id: group!.id, isOurs: false }] })
    await Promise.all([alice.close(), other.close()])
  })
})

describe('linking', () => {
  it('lets a device in that both sides confirm, and both read everything', async () => {
    const [alice, bob] = [await create('Alice'), await create('Bob')]
    await bob.send(alice.accountId, 'before the link')
    await syncAll(alice)
    const second = await linked(alice)
    for (const client of [alice, second]) {
      expect(client.devices.view()).toMatchObject({ membership: 'InGroup', devices: [{ state: 'member' }, { state: 'member' }] })
    }
    expect(await bodies(second)).toEqual(['before the link'])
    await second.send(bob.accountId, 'from the second')
    await alice.send(bob.accountId, 'from the first')
    await bob.send(alice.accountId, 'to both')
    await syncAll(alice, second, bob)
    const all = ['before the link', 'from the second', 'from the first', 'to both'].sort()
    for (const client of [alice, second]) expect((await bodies(client)).sort()).toEqual(all)
    expect((await alice.messages()).every(message => message.pfs)).toBe(true)
    await Promise.all([alice, second, bob].map(client => client.close()))
  })

  it('the person may confirm before a member lets the device in', async () => {
    const alice = await create('Alice')
    const second = await restore(alice.recoveryPassword())
    await second.devices.ask()
    await second.devices.confirm()
    await syncAll(alice)
    await alice.devices.accept(alice.devices.linkRequests()[0]!.id)
    await syncAll(alice, second)
    expect(second.devices.view().membership).toBe('InGroup')
    await Promise.all([alice.close(), second.close()])
  })

  it('ends when nobody answers', async () => {
    const alice = await create('Alice')
    const second = await restore(alice.recoveryPassword())
    await second.devices.ask()
    await syncAll(second, alice)
    expect(second.devices.view().membership).toBe('Waiting')
    time.advance(11 * 60_000)
    await syncAll(second, alice)
    expect(second.devices.view().membership).toBe('GroupsVisible')
    expect(alice.devices.view().requests).toEqual([])
    expect(await eventTypes(alice)).toContain('link_request_ended')
    expect(await codeOf(alice.devices.accept(alice.devices.linkRequests()[0]?.id ?? ''))).toBe('unknown-request')
    await Promise.all([alice.close(), second.close()])
  })
})

describe('removing', () => {
  it('tells the device, changes the key in the same step, and nothing new is readable', async () => {
    const [alice, bob] = [await create('Alice'), await create('Bob')]
    const second = await linked(alice)
    const before = alice.keys().accountKeys[0]!.createdAtMs
    const { id } = second.devices.view().devices[0]!
    await alice.devices.remove(id)
    expect(alice.keys().accountKeys[0]!.createdAtMs).toBeGreaterThan(before)
    await syncAll(alice)
    await bob.send(alice.accountId, 'not for the removed')
    await syncAll(second, alice)
    expect(second.devices.view().membership).toBe('Removed')
    expect(await bodies(second)).toEqual([])
    expect(await bodies(alice)).toEqual(['not for the removed'])
    await second.devices.renew()
    await syncAll(second)
    expect(second.devices.view().membership).toBe('GroupsVisible')
    await Promise.all([alice, second, bob].map(client => client.close()))
  })
})

const DEVICE_COUNTS = [1, 2, 5, 10, 20]

describe('sending', () => {
  it('costs two sealed messages, whatever the number of devices on either side', { timeout: 300_000 }, async () => {
    const stores: string[] = []
    const transport = transportWith(({ method, text }, send) => {
      if (method === 'store' && JSON.parse(text).params.namespace === undefined) stores.push(JSON.parse(text).params.pubkey)
      return send()
    })
    const [alice, bob] = [await create('Alice', { transport }), await create('Bob')]
    const others = [alice, bob]
    for (const devices of DEVICE_COUNTS) {
      while (others.length < 2 * devices) others.push(await linked(alice), await linked(bob))
      stores.length = 0
      await alice.send(bob.accountId, `to ${devices} devices`)
      expect(stores.sort()).toEqual([alice.accountId, bob.accountId].sort())
    }
    await syncAll(...others)
    for (const client of others) expect(await bodies(client)).toEqual(DEVICE_COUNTS.map(count => `to ${count} devices`))
    await Promise.all(others.map(client => client.close()))
  })
})

describe('what a thief of a device could read', () => {
  it('begins with the group, and never lies further back than 16 days and three more', async () => {
    const alice = await create('Alice')
    const founded = alice.devices.view().group!.createdAtMs
    expect(alice.keys().exposedSinceMs).toBeLessThanOrEqual(time.nowMs())
    expect(alice.keys().exposedSinceMs).toBeGreaterThanOrEqual(founded)
    for (let step = 0; step < 60; step++) {
      time.advance(12 * 3_600_000)
      await alice.sync()
    }
    const exposedMs = time.nowMs() - alice.keys().exposedSinceMs!
    expect(exposedMs).toBeGreaterThan(16 * 86_400_000)
    expect(exposedMs).toBeLessThanOrEqual(20.5 * 86_400_000)
    await alice.close()
  })
})
