/**
 * Whole stories with sealed messages, each with devices that run through and with devices that are killed before every fetch
 * (DS-38): DS-07, DS-14, DS-15, DS-18, DS-20, DS-21, DS-24, DS-25, DS-28, DS-29, DS-35.
 */
import { encodeHex } from '@session-v2/encoding'
import {
  changeDetails,
  decodeGroupState,
  encodeGroupState,
  leaveGroup,
  newestRequest,
  ROW_STATE,
  removeDevice,
  renewIdentity,
  resume,
  rotateAccountKey,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import { DAY_MS, deviceSeedOf, expectState, GROUP, idOf, MINUTE_MS, OTHER_GROUP, plain } from './devices.ts'
import {
  accept,
  addDevice,
  addFounder,
  ask,
  change,
  confirm,
  type Device,
  fetch,
  freshSeed,
  groupOf,
  link,
  membership,
  newSwarm,
  news,
  push,
  read,
  settle,
} from './swarm.ts'

const rowState = ({ state }: Device, byte: number) => state.rows.get(idOf(byte))?.state
const identity = (byte: number) => ({ self: idOf(byte), deviceKeySeed: deviceSeedOf(byte) })
const keys = ({ state }: Device) => state.accountKeys.map(({ seed }) => encodeHex(seed.expose().subarray(0, 1)))

const MANNERS = [
  ['running through', false],
  ['killed before every fetch', true],
] as const

describe.each(MANNERS)('linking: devices %s', (_, isRough) => {
  it('are let in, removed, take a new identity and are let in again', () => {
    const swarm = newSwarm({ isRough })
    const founder = addFounder(swarm, 1, GROUP)
    expect(membership(swarm, founder)).toBe('InGroup')
    expect(news(founder)).toEqual(['devices-replaced', 'account-key-changed'])

    const phone = addDevice(swarm, 2)
    fetch(swarm, phone)
    expect(membership(swarm, phone)).toBe('GroupsVisible')
    const hash = ask(swarm, phone, GROUP)
    expect(membership(swarm, phone)).toBe('Waiting')

    fetch(swarm, founder)
    expect(news(founder)).toEqual([`${hash} added`])
    expect(founder.state.receivedRequests[0]!.indices).toEqual(newestRequest(phone.state)!.indices)
    accept(swarm, founder, hash)
    expect(news(founder)).toEqual([`${hash} accepted`, 'device 2 joined'])

    fetch(swarm, phone)
    expect(news(phone)).toEqual(['admission-held'])
    expect([membership(swarm, phone), rowState(phone, 2)]).toEqual(['Waiting', ROW_STATE.pending])
    confirm(swarm, phone)
    expect(news(phone)).toEqual(['device 1 joined', 'devices-replaced', 'account-key-changed'])
    settle(swarm, phone, founder)
    expect([membership(swarm, phone), membership(swarm, founder)]).toEqual(['InGroup', 'InGroup'])
    expect(groupOf(phone)).toStrictEqual(groupOf(founder))
    expect(swarm.messages.size).toBe(2)
    news(phone)
    news(founder)

    change(founder, removeDevice(native, founder.state, idOf(2), freshSeed(swarm), swarm.nowMs))
    push(swarm, founder)
    expect(news(founder)).toEqual(['device 2 removed', 'account-key-changed'])
    fetch(swarm, phone)
    expect(news(phone)).toEqual(['device 2 removed'])
    expect(membership(swarm, phone)).toBe('Removed')
    expect(keys(phone)).toEqual(['41'])
    expect(keys(founder)).toEqual(['43', '41'])

    change(phone, renewIdentity(native, phone.state, identity(3), swarm.nowMs))
    expect(membership(swarm, phone)).toBe('GroupsVisible')
    link(swarm, phone, founder)
    expect([membership(swarm, phone), rowState(phone, 3), rowState(phone, 2)]).toEqual([
      ...['InGroup', ROW_STATE.registered, ROW_STATE.kicked],
    ])
    expect(groupOf(phone)).toStrictEqual(groupOf(founder))
  })

  it('are let in late, after their deadline', () => {
    const swarm = newSwarm({ isRough })
    const founder = addFounder(swarm, 1, GROUP)
    const phone = addDevice(swarm, 2)
    fetch(swarm, phone)
    const hash = ask(swarm, phone, GROUP)
    fetch(swarm, founder)
    accept(swarm, founder, hash)
    const message = swarm.history.at(-1)!
    swarm.messages.delete(message.hash)
    swarm.nowMs += 20 * MINUTE_MS
    fetch(swarm, phone)
    expect([membership(swarm, phone), rowState(phone, 2)]).toEqual(['GroupsVisible', ROW_STATE.unregistered])
    read(swarm, phone, message)
    expect(membership(swarm, phone)).toBe('Waiting')
    confirm(swarm, phone)
    expect([membership(swarm, phone), rowState(phone, 2)]).toEqual(['InGroup', ROW_STATE.registered])
  })
})

describe.each(MANNERS)('switching: devices %s', (_, isRough) => {
  it('switch to another group: the old one is told, and both agree with whom they have', () => {
    const swarm = newSwarm({ isRough })
    const [first, second] = [addFounder(swarm, 1, GROUP), addFounder(swarm, 2, OTHER_GROUP)]
    const third = addDevice(swarm, 3)
    link(swarm, third, first)
    settle(swarm, first, third)
    expect(membership(swarm, third)).toBe('InGroup')
    const oldKeys = keys(third)
    news(first)

    link(swarm, third, second)
    expect(encodeHex(third.state.groupId!)).toBe(encodeHex(OTHER_GROUP))
    expect(third.state.farewells).toEqual([])
    expect(third.state.retiredKeys.map(({ seed }) => encodeHex(seed.expose().subarray(0, 1)))).toEqual(oldKeys)
    fetch(swarm, first)
    expect(news(first)).toEqual(['device 3 left'])
    expect([rowState(first, 3), first.state.rotationOwed, first.state.displacedAtMs]).toEqual([ROW_STATE.left, true, undefined])
    change(first, rotateAccountKey(native, first.state, freshSeed(swarm), swarm.nowMs))
    settle(swarm, first, second, third)
    expect(groupOf(third)).toStrictEqual(groupOf(second))
    expect(third.state.groupsInView.map(({ dismissed }) => dismissed).sort()).toEqual([false, true])

    swarm.nowMs += 17 * DAY_MS
    fetch(swarm, third)
    expect(third.state.retiredKeys).toEqual([])
  })

  it('leave for no group: the others learn of it, and the name that was used is spent', () => {
    const swarm = newSwarm({ isRough })
    const [founder, phone] = [addFounder(swarm, 1, GROUP), addDevice(swarm, 2)]
    link(swarm, phone, founder)
    news(founder)
    change(phone, leaveGroup(native, phone.state, identity(3), swarm.nowMs))
    expect(push(swarm, phone)).toBe(1)
    expect(membership(swarm, phone)).toBe('GroupsVisible')
    fetch(swarm, founder)
    expect(news(founder)).toEqual(['device 2 left'])
    expect(founder.state.rotationOwed).toBe(true)
    fetch(swarm, phone)
    expect(membership(swarm, phone)).toBe('GroupsVisible')
  })
})

describe.each(MANNERS)('replacing: devices %s', (_, isRough) => {
  it('that ask again are replaced: the record asked for, one seqno higher, and a new account key', () => {
    const swarm = newSwarm({ isRough })
    const [founder, phone] = [addFounder(swarm, 1, GROUP), addDevice(swarm, 2)]
    const backup = encodeGroupState(phone.state)
    link(swarm, phone, founder)
    const [before] = keys(founder)

    // The phone comes back from a backup of before it was let in, with a device key that nobody knows.
    phone.state = resume(decodeGroupState(native, backup.expose()), swarm.nowMs)
    phone.state = { ...phone.state, deviceKeys: addDevice(swarm, 9).state.deviceKeys }
    phone.read.clear()
    fetch(swarm, phone)
    const hash = ask(swarm, phone, GROUP)
    fetch(swarm, founder)
    expect(founder.state.receivedRequests.at(-1)).toMatchObject({ hash, replaces: true, status: 'open' })
    news(founder)
    accept(swarm, founder, hash)
    expect(news(founder)).toEqual([`${hash} accepted`, 'device 2 updated', 'account-key-changed'])
    expect(founder.state.rows.get(idOf(2))!.record!.seqno).toBe(2n)
    expect(keys(founder)[0]).not.toBe(before)
    fetch(swarm, phone)
    confirm(swarm, phone)
    settle(swarm, phone, founder)
    expect(membership(swarm, phone)).toBe('InGroup')
    expect(groupOf(phone)).toStrictEqual(groupOf(founder))
  })

  it('that were replaced are displaced, until a message to them comes', () => {
    const swarm = newSwarm({ isRough })
    const [founder, phone] = [addFounder(swarm, 1, GROUP), addDevice(swarm, 2)]
    link(swarm, phone, founder)
    const own = phone.state.deviceKeys
    swarm.nowMs += 5 * MINUTE_MS
    const clone = addDevice(swarm, 9)
    clone.state = { ...clone.state, self: idOf(2) }
    fetch(swarm, clone)
    const hash = ask(swarm, clone, GROUP)
    confirm(swarm, clone)
    fetch(swarm, founder)
    accept(swarm, founder, hash)
    fetch(swarm, phone)
    expect(membership(swarm, phone)).toBe('Displaced')
    expect(phone.state.displacedAtMs).toBe(swarm.history.at(-1)!.swarmTimeMs)
    change(phone, changeDetails(phone.state, { description: 'still here' }, swarm.nowMs))
    expect(push(swarm, phone)).toBe(0)

    // The founder takes it back: the phone is a member with its old key again.
    settle(swarm, clone, founder)
    const record = founder.state.rows.get(idOf(2))!.record!
    const { x25519, mlKem768 } = own.current
    const corrected = { ...record, seqno: record.seqno + 1n, x25519, mlKem768 }
    const rows = new Map(founder.state.rows).set(idOf(2), { state: ROW_STATE.registered, record: corrected, marked: true })
    founder.state = { ...founder.state, rows }
    push(swarm, founder)
    fetch(swarm, phone)
    expect(membership(swarm, phone)).toBe('InGroup')
    expect(push(swarm, phone)).toBe(1)
    settle(swarm, phone, founder)
    expect(groupOf(phone)).toStrictEqual(groupOf(founder))
  })
})

describe.each(MANNERS)('rotating: devices %s', (_, isRough) => {
  it('rotate and push in turn, and delete what they have read: two messages remain', () => {
    const swarm = newSwarm({ isRough })
    const [founder, phone] = [addFounder(swarm, 1, GROUP), addDevice(swarm, 2)]
    link(swarm, phone, founder)
    for (const device of [founder, phone, founder]) {
      change(device, rotateAccountKey(native, device.state, freshSeed(swarm), swarm.nowMs))
      settle(swarm, founder, phone)
    }
    expect(keys(phone)).toEqual(keys(founder))
    expect(keys(phone)).toHaveLength(4)
    expect(swarm.messages.size).toBeLessThanOrEqual(3)
  })
})

describe('DS-38: a device that starts again', () => {
  it.each(['Unknown', 'NoGroup', 'GroupsVisible', 'Waiting', 'InGroup', 'CutOff', 'Displaced', 'Removed'])(
    'is as it was when it was %s, after a fetch that brings nothing',
    name => {
      const swarm = newSwarm()
      const [founder, phone] = [addFounder(swarm, 1, GROUP), addDevice(swarm, 2)]
      if (name === 'NoGroup') swarm.messages.clear()
      if (name !== 'Unknown') fetch(swarm, phone)
      if (name === 'Waiting') ask(swarm, phone, GROUP)
      if (['InGroup', 'CutOff', 'Displaced', 'Removed'].includes(name)) link(swarm, phone, founder)
      if (name === 'Removed') change(founder, removeDevice(native, founder.state, idOf(2), freshSeed(swarm), swarm.nowMs))
      if (name === 'Removed') push(swarm, founder)
      if (name === 'Displaced') phone.state = { ...phone.state, displacedAtMs: swarm.nowMs }
      if (name === 'CutOff') {
        swarm.nowMs += 25 * DAY_MS
        addFounder(swarm, 7, OTHER_GROUP)
        swarm.nowMs += 6 * DAY_MS
      }
      if (name !== 'Unknown' && name !== 'Waiting') fetch(swarm, phone)
      expect(membership(swarm, phone)).toBe(name)
      const before = phone.state
      const encoded = encodeGroupState(before)
      const started = resume(decodeGroupState(native, encoded.expose()), swarm.nowMs)
      expectState(started, before, { run: { fetched: false, membership: 'Unknown', appeared: [] } })
      phone.state = started
      if (name === 'Unknown') return
      fetch(swarm, phone)
      expect(membership(swarm, phone)).toBe(name)
      expect(plain(phone.state.run.membership)).toBe(name)
    },
  )
})
