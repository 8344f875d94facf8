/** What a group message lists: DS-33, DS-34. */
import { type DeviceId, type DeviceRow, deviceIdOf, encodeGroupPayload, ROW_STATE } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { listedAccountKeys, listedEntries, MAX_LISTED_GONE } from '../../src/device-states/listing.ts'
import { native } from '../providers.ts'
import {
  DAY_S,
  digestOf,
  goneRow,
  heldKey,
  idOf,
  kicked,
  left,
  member,
  NOW_S,
  OWN_ROW,
  pendingRowOf,
  recordOf,
  rowOf,
  SELF,
} from './devices.ts'

const NOW = BigInt(NOW_S)
const numbered = (number: number) => deviceIdOf(new Uint8Array(32).fill(number & 255).fill(number >> 8, 0, 1))
/** Devices that are gone since 1, 2, 3 … */
const goneRows = (count: number): [DeviceId, DeviceRow][] =>
  Array.from({ length: count }, (_, at) => [numbered(at + 1000), goneRow(at % 2 === 0 ? 3 : 4, at + 1)])

describe('DS-34: the rows of a message', () => {
  it('are all that are Registered, Left or Kicked, in their order', () => {
    const foreign = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    const rows = new Map<DeviceId, DeviceRow>([
      [idOf(5), pendingRowOf(recordOf(5))],
      [idOf(4), rowOf(recordOf(4), { state: ROW_STATE.left, removedAtS: 70n })],
      [SELF, OWN_ROW],
      [idOf(6), rowOf(recordOf(6), { state: ROW_STATE.unregistered })],
      [idOf(2), rowOf(recordOf(2), { digest: foreign })],
      [idOf(3), goneRow(ROW_STATE.kicked, 80)],
    ])
    expect([...listedEntries(native, rows, NOW)]).toEqual([
      [idOf(4), left(70)],
      [SELF, member(recordOf(1), digestOf(recordOf(1)))],
      [idOf(2), member(recordOf(2), foreign)],
      [idOf(3), kicked(80)],
    ])
  })

  it('are all of 256 that are gone', () => {
    expect(MAX_LISTED_GONE).toBe(256)
    const listed = listedEntries(native, new Map([...goneRows(256), [SELF, OWN_ROW]]), NOW)
    expect([...listed.keys()]).toEqual([...goneRows(256).map(([id]) => id), SELF])
  })

  const listedOf = (rows: ReadonlyMap<DeviceId, DeviceRow>) => new Set(listedEntries(native, rows, NOW).keys())
  /** The numbers from one to another, downwards. */
  const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, at) => from - at)

  it('are all members, and of more than 256 that are gone those that are marked, those with a record, and those that went last', () => {
    const rows = new Map<DeviceId, DeviceRow>([...goneRows(300), [SELF, OWN_ROW], [idOf(2), rowOf(recordOf(2))]])
    for (const at of [3, 9]) rows.set(numbered(at + 1000), goneRow(ROW_STATE.left, at + 1, true))
    for (const at of [2, 10])
      rows.set(numbered(at + 1000), rowOf(recordOf(5), { state: ROW_STATE.kicked, removedAtS: BigInt(at + 1) }))
    const wanted = [3, 9, 2, 10, ...down(299, 48)].map(at => numbered(at + 1000))
    expect(listedOf(rows)).toEqual(new Set([...wanted, SELF, idOf(2)]))
    expect(listedEntries(native, rows, NOW).get(numbered(1003))).toEqual(left(4))
  })

  it('that are marked come before those with a record, and both before any time', () => {
    const record = recordOf(5)
    const rows = new Map<DeviceId, DeviceRow>(goneRows(400).map(([id], at) => [id, goneRow(ROW_STATE.left, NOW_S + at)]))
    for (const at of down(299, 0))
      rows.set(numbered(at + 1000), rowOf(record, { state: ROW_STATE.left, removedAtS: BigInt(at + 1) }))
    expect(listedOf(rows)).toEqual(new Set(down(299, 44).map(at => numbered(at + 1000))))
    for (const at of down(9, 0)) rows.set(numbered(at + 1000), goneRow(ROW_STATE.left, 1, true))
    expect(listedOf(rows)).toEqual(new Set([...down(9, 0), ...down(299, 54)].map(at => numbered(at + 1000))))
  })

  it('that went more than 5 days ahead of now went never', () => {
    const rows = new Map<DeviceId, DeviceRow>(goneRows(257))
    const limitS = NOW_S + 5 * DAY_S
    rows.set(numbered(1000), goneRow(ROW_STATE.left, limitS + 1))
    rows.set(numbered(1100), goneRow(ROW_STATE.left, limitS))
    const listed = listedOf(rows)
    expect([listed.size, listed.has(numbered(1000)), listed.has(numbered(1100))]).toEqual([256, false, true])
  })
})

describe('DS-33: the account keys of a message', () => {
  const times = (...keys: ReturnType<typeof heldKey>[]) =>
    listedAccountKeys(keys, NOW_S).map(({ seed, createdAtS, rotatedAtS }) => [seed.expose()[0], createdAtS, rotatedAtS])

  it('have the times of rotation that hold, the current one first', () => {
    const keys = [heldKey(0xa1, NOW_S - 50, NOW_S - 1), heldKey(0xa2, NOW_S - 90, NOW_S - 49), heldKey(0xa0, NOW_S - 9)]
    expect(times(...keys)).toEqual([
      [0xa0, NOW_S - 9, undefined],
      [0xa1, NOW_S - 50, NOW_S - 9],
      [0xa2, NOW_S - 90, NOW_S - 50],
    ])
  })

  it('are those within 16 days of their rotation', () => {
    const limitS = NOW_S - 16 * DAY_S
    expect(times(heldKey(0xa0, limitS), heldKey(0xa1, 5), heldKey(0xa2, 4, limitS))).toEqual([
      [0xa0, limitS, undefined],
      [0xa1, 5, limitS],
    ])
    expect(times(heldKey(0xa1, 5, limitS - 1))).toEqual([])
    expect(times(heldKey(0xa0, 5))).toEqual([[0xa0, 5, undefined]])
  })

  it('are as many as a message carries, the newest', () => {
    const keys = Array.from({ length: 257 }, (_, at) => {
      const key = heldKey(at & 255, NOW_S - at)
      key.seed.expose()[0] = at >> 8
      return key
    })
    const listed = listedAccountKeys(keys, NOW_S)
    expect(listed.map(({ createdAtS }) => createdAtS)).toEqual(keys.slice(0, 256).map(({ createdAtS }) => createdAtS))
    expect(encodeGroupPayload({ devices: new Map(), accountKeys: listed })[0]).toBe(0x64)
  })
})
