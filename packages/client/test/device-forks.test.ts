import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, openMemoryStore } from '@session-v2/client'
import { openSqliteStore } from '@session-v2/client/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DevicePeople } from './device-people.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { bodies, codeOf, eventTypes, newClient, reopen } from './people.ts'
import { DAY_MS, SimulatedTime } from './simulated-time.ts'

let network: NetworkUnderTest
let time: SimulatedTime
let people: DevicePeople

beforeAll(async () => {
  time = new SimulatedTime()
  network = await NetworkUnderTest.start({ clock: time })
  people = new DevicePeople(network, time)
})
afterAll(() => network.close())

const create = (name: string, ports: object = {}) => newClient(network, name, { clock: time, ...ports })
const close = (...clients: Client[]) => Promise.all(clients.map(client => client.close()))
const membership = (client: Client) => client.devices.view().membership

describe('a fork', () => {
  it('is reported on both sides, dismissed on one device, and undone by switching', async () => {
    const [alice, bob] = [await create('Alice'), await create('Bob')]
    const second = await people.restore(alice)
    await second.devices.startGroup()
    await people.sync(second, alice, second)
    expect([membership(alice), membership(second)]).toEqual(['InGroup', 'InGroup'])
    for (const client of [alice, second]) {
      expect(
        client.devices
          .view()
          .groups.map(({ isOurs }) => isOurs)
          .sort(),
      ).toEqual([false, true])
      expect(await eventTypes(client)).toContain('group_appeared')
      await people.sync(client, client)
      expect(await eventTypes(client)).not.toContain('account_keys_alarm')
    }
    const other = alice.devices.view().groups.find(({ isOurs }) => !isOurs)!
    await alice.devices.dismiss(other.id)
    expect(alice.devices.view().groups.find(({ id }) => id === other.id)!.isDismissed).toBe(true)
    await people.link(second, alice)
    expect(second.devices.view().group).toEqual(alice.devices.view().group)
    expect(alice.devices.view().devices.map(({ state }) => state)).toEqual(['member', 'member'])
    await bob.send(alice.accountId, 'after the fork')
    await people.sync(alice, second)
    for (const client of [alice, second]) expect(await bodies(client)).toEqual(['after the fork'])
    await close(alice, second, bob)
  })
})

describe('the log of a device that joins', () => {
  it('begins with its joining, and does not tell as news what was there', async () => {
    const alice = await create('Alice')
    const second = await people.second(alice)
    await second.devices.leave()
    await people.sync(second, alice)
    const third = await people.second(alice)
    expect((await third.devices.log()).map(({ kind, byThisDevice }) => `${kind} ${byThisDevice}`)).toEqual(['this-joined true'])
    expect((await alice.devices.log()).map(({ kind }) => kind)).toEqual(['joined', 'left', 'joined', 'founded'])
    await close(alice, second, third)
  })
})

describe('leaving', () => {
  it('is told to the others, who change the key', async () => {
    const alice = await create('Alice')
    const second = await people.second(alice)
    const before = alice.keys().accountKeys[0]!.createdAtMs
    const { deviceId } = second.account()
    await second.devices.leave()
    expect(second.account().deviceId).not.toBe(deviceId)
    await people.sync(second, alice)
    expect(membership(second)).toBe('GroupsVisible')
    expect(alice.devices.view().devices.map(({ id, state }) => [id === deviceId, state])).toEqual([
      [false, 'member'],
      [true, 'left'],
    ])
    expect(alice.keys().accountKeys[0]!.createdAtMs).toBeGreaterThan(before)
    expect((await alice.devices.log())[0]).toMatchObject({ kind: 'left', deviceId, byThisDevice: false })
    await close(alice, second)
  })
})

describe('a name', () => {
  it('reaches the other devices, cut to 64 bytes where it is longer', async () => {
    const alice = await create('Alice')
    const second = await people.second(alice)
    for (const [name, shown] of [['kitchen tablet', 'kitchen tablet'] as const, ['é'.repeat(33), 'é'.repeat(32)] as const]) {
      await second.devices.rename(name)
      await people.sync(second, alice)
      expect(alice.devices.view().devices.map(({ description }) => description)).toContain(shown)
    }
    await close(alice, second)
  })
})

describe('a replacement', () => {
  it('from an old copy of the store is displaced, says so, and begins anew', async () => {
    const file = (name: string) => join(network.folder, name)
    const alice = await create('Alice')
    const second = await people.restore(alice, { store: await openSqliteStore(file('second.db')) })
    await people.link(second, alice)
    await second.close()
    await copyFile(file('second.db'), file('copy.db'))
    // The device lives on, and replaces the keys that the copy has.
    const lived = await reopen(await openSqliteStore(file('second.db')), { clock: time })
    for (let day = 0; day < 4; day++) {
      time.advance(DAY_MS)
      await people.sync(lived, alice, lived, alice)
    }
    const copy = await reopen(await openSqliteStore(file('copy.db')), { clock: time })
    await people.sync(copy)
    expect(membership(copy)).toBe('Displaced')
    expect(await codeOf(copy.devices.ask())).toBe('device-displaced')
    const pushed = await copy.sync()
    expect(pushed.pushed).toBe(0)
    await copy.devices.renew()
    await people.sync(copy)
    expect(membership(copy)).toBe('GroupsVisible')
    await people.link(copy, alice)
    expect(alice.devices.view().devices.filter(({ state }) => state === 'member')).toHaveLength(3)
    await close(alice, lived, copy)
  })
})

describe('requests', () => {
  it('that are ignored and deleted are seen by nobody', async () => {
    const alice = await create('Alice')
    const second = await people.second(alice)
    const third = await people.restore(alice)
    await third.devices.ask()
    await people.sync(alice)
    await alice.devices.ignore(alice.devices.view().requests[0]!.id, { deletes: true })
    expect(alice.devices.view().requests).toEqual([])
    await people.sync(second)
    expect(second.devices.view().requests).toEqual([])
    await close(alice, second, third)
  })

  it('asked anew supersede the one before, with other emoji', async () => {
    const alice = await create('Alice')
    const second = await people.restore(alice)
    const first = await second.devices.ask()
    time.advance(1000)
    const again = await second.devices.ask()
    expect(again.emoji).not.toEqual(first.emoji)
    await people.sync(alice)
    expect(alice.devices.view().requests.map(({ emoji }) => emoji)).toEqual([again.emoji])
    await second.devices.cancel()
    expect(second.devices.view().ownRequest).not.toEqual(again)
    expect(await codeOf(alice.devices.accept('unknown'))).toBe('unknown-request')
    await close(alice, second)
  })

  it('are refused in the wrong state', async () => {
    const alice = await create('Alice')
    expect(await codeOf(alice.devices.ask())).toBe('unknown-group')
    expect(await codeOf(alice.devices.ask(alice.devices.view().group!.id))).toBe('already-in-group')
    expect(await codeOf(alice.devices.startGroup())).toBe('already-in-group')
    expect(await codeOf(alice.devices.renew())).toBe('already-in-group')
    expect(await codeOf(alice.devices.confirm())).toBe('unknown-request')
    expect(await codeOf(alice.devices.cancel())).toBe('unknown-request')
    expect(await codeOf(alice.devices.remove(alice.account().deviceId))).toBe('unknown-device')
    expect(await codeOf(alice.devices.remove('no id'))).toBe('bad-device')
    const store = openMemoryStore()
    const second = await people.restore(alice, { store })
    expect(await codeOf(second.devices.leave())).toBe('not-in-group')
    await second.close()
    const again = await reopen(store, { clock: time })
    expect(await codeOf(again.devices.ask('0'.repeat(16)))).toBe('membership-unknown')
    await again.sync()
    expect(await codeOf(again.devices.ask('0'.repeat(16)))).toBe('unknown-group')
    expect(await codeOf(again.devices.ask('group'))).toBe('unknown-group')
    await again.close()
    expect(await codeOf(again.devices.ask())).toBe('closed')
    await alice.close()
  })
})
