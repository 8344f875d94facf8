/** The times that a swarm gives, and how much a group can grow: DS-39, DS-40. */
import {
  type DeviceRow,
  deviceIdOf,
  type GroupState,
  LINK_TTL_MS,
  mergeGroupMessage,
  ROW_STATE,
  receiveLinkRequest,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { believedTimes } from '../../src/device-states/swarm-times.ts'
import { native } from '../providers.ts'
import {
  DAY_MS,
  expectRefused,
  GROUP,
  goneRow,
  groupInView,
  insider,
  kicked,
  LINK_KEY,
  linkRequest,
  MINUTE_MS,
  member,
  NOW_MS,
  OWN_ROW,
  outsider,
  ownRequest,
  pendingRowOf,
  plain,
  readable,
  recordOf,
  rowOf,
  SELF,
  unreadable,
} from './devices.ts'

const merge = (state: GroupState, message: ReturnType<typeof readable>) => mergeGroupMessage(native, state, message, NOW_MS).state
const AHEAD_MS = NOW_MS + 5 * DAY_MS

describe('DS-40: the times of a swarm', () => {
  it('are whole milliseconds since the epoch, or the message is refused', () => {
    for (const time of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      const given = { swarmTimeMs: NOW_MS, expiresAtMs: NOW_MS + 1 }
      for (const words of [{ swarmTimeMs: time }, { expiresAtMs: time }]) {
        const message = { ...readable([]), ...given, ...words }
        expectRefused('bad-input DS-40', insider(), state => merge(state, message))
        expectRefused('bad-input DS-40', insider(), state => merge(state, { ...unreadable(), ...given, ...words }))
        const request = linkRequest(2, recordOf(2), { ...given, ...words })
        expectRefused('bad-input DS-40', insider(), state => receiveLinkRequest(state, request, NOW_MS))
      }
      expectRefused('bad-input DS-40', insider(), state => mergeGroupMessage(native, state, readable([]), time))
    }
    expect(believedTimes({ swarmTimeMs: 0, expiresAtMs: 0 }, 5, 0)).toEqual({ swarmTimeMs: 0, expiresAtMs: 0 })
  })

  it('count as 5 days ahead when they are further ahead', () => {
    const times = (ms: number) => believedTimes({ swarmTimeMs: ms, expiresAtMs: ms + 5 }, 10, NOW_MS)
    expect(times(AHEAD_MS)).toEqual({ swarmTimeMs: AHEAD_MS, expiresAtMs: AHEAD_MS + 5 })
    expect(times(AHEAD_MS + 1)).toEqual({ swarmTimeMs: AHEAD_MS, expiresAtMs: AHEAD_MS + 6 })
    expect(times(AHEAD_MS + DAY_MS)).toEqual({ swarmTimeMs: AHEAD_MS, expiresAtMs: AHEAD_MS + 10 })
  })

  it('of a group message are believed as far as that, and it lives 30 days', () => {
    const far = { atMs: AHEAD_MS + 9, expiresAtMs: Number.MAX_SAFE_INTEGER }
    const seen = { groupsInView: [groupInView({ seenAtMs: AHEAD_MS, expiresAtMs: AHEAD_MS + 30 * DAY_MS })] }
    expect(merge(insider(), readable([], far))).toMatchObject({ readAtMs: AHEAD_MS, ...seen })
    expect(merge(insider(), unreadable(far))).toMatchObject({ displacedAtMs: AHEAD_MS, ...seen })
    const asked = outsider({ rows: new Map([[SELF, pendingRowOf(recordOf(1))]]), ownRequests: [ownRequest()] })
    const [waiting] = merge(asked, readable([[1, member(recordOf(1))]], far)).ownRequests
    expect(waiting!.held).toMatchObject([{ swarmTimeMs: AHEAD_MS, expiresAtMs: AHEAD_MS + 30 * DAY_MS }])
    const confirmed = { ...asked, ownRequests: [ownRequest({ confirmed: true })] }
    expect(merge(confirmed, readable([[1, member(recordOf(1))]], far)).readAtMs).toBe(AHEAD_MS)
  })

  it('of a link request are believed for 10 minutes', () => {
    expect(LINK_TTL_MS).toBe(10 * MINUTE_MS)
    const receive = (swarmTimeMs: number, expiresAtMs: number) =>
      receiveLinkRequest(insider(), linkRequest(2, recordOf(2), { swarmTimeMs, expiresAtMs }), NOW_MS).state.receivedRequests
    expect(receive(NOW_MS, NOW_MS + DAY_MS)).toMatchObject([{ expiresAtMs: NOW_MS + LINK_TTL_MS }])
    expect(receive(NOW_MS, NOW_MS + 5)).toMatchObject([{ expiresAtMs: NOW_MS + 5 }])
    expect(receive(NOW_MS - LINK_TTL_MS, NOW_MS + DAY_MS)).toEqual([])
    expect(receive(NOW_MS - LINK_TTL_MS + 1, NOW_MS + DAY_MS)).toMatchObject([{ expiresAtMs: NOW_MS + 1 }])
  })
})

describe('DS-39: a group that no message could carry', () => {
  const numbered = (number: number) => deviceIdOf(new Uint8Array(32).fill(number & 255).fill(9 + (number >> 8), 0, 1))
  const rows = (count: number, row: DeviceRow) => Array.from({ length: count }, (_, at) => [numbered(at), row] as const)
  const holding = (...others: (readonly [ReturnType<typeof numbered>, DeviceRow])[]) =>
    insider({ rows: new Map([[SELF, OWN_ROW], ...others]) })
  const message = (...entries: Parameters<typeof readable>[0]) => readable(entries)
  const record = recordOf(2)

  it('is not let come so far: at most 256 are members', () => {
    const state = holding(...rows(254, rowOf(record)))
    expect(merge(state, message([2, member(record)])).rows.size).toBe(256)
    expectRefused('malformed DS-39', state, given => merge(given, message([2, member(record)], [3, member(record)])))
    // Those that are gone or only ask do not count.
    const full = holding(
      ...rows(255, rowOf(record)),
      [numbered(300), goneRow(ROW_STATE.left, 7)],
      [numbered(301), pendingRowOf(record)],
    )
    expect(merge(full, message([2, kicked(7)])).rows.size).toBe(259)
    expectRefused('malformed DS-39', full, given => merge(given, message([2, member(record)])))
  })

  it('is not let come so far: at most 4096 are known', () => {
    const state = holding(...rows(4094, goneRow(ROW_STATE.kicked, 7)))
    expect(merge(state, message([2, kicked(7)])).rows.size).toBe(4096)
    // Those that only ask are listed in no message.
    const asked = { ...state, rows: new Map([...state.rows, ...rows(4100, pendingRowOf(record)).slice(4094)]) }
    expect(merge(asked, message([2, kicked(7)])).rows.size).toBe(4102)
    expectRefused('malformed DS-39', state, given => merge(given, message([2, kicked(7)], [3, kicked(7)])))
  })

  it('is not joined either', () => {
    const asked = outsider({ rows: new Map([[SELF, pendingRowOf(recordOf(1))]]), ownRequests: [ownRequest({ confirmed: true })] })
    const entries = new Map([
      ...rows(256, rowOf(record)).map(([id]) => [id, member(record)] as const),
      [SELF, member(recordOf(1))] as const,
    ])
    const tooMany = readable([])
    const opened = { ...tooMany.opened, payload: { devices: entries, accountKeys: [] } } as typeof tooMany.opened
    expectRefused('malformed DS-39', asked, state => merge(state, { ...tooMany, opened }))
  })
})

describe('DS-06: a message of older writers', () => {
  it('that names no link key is merged, but no group to ask is seen', () => {
    const { opened, ...envelope } = readable([[2, member(recordOf(2))]])
    const facts = { groupId: GROUP }
    const state = merge(insider({ groupsInView: [] }), { ...envelope, opened: { ...opened, facts } })
    expect([state.groupsInView, state.rows.size, state.mergedHashes]).toEqual([[], 2, ['hash']])
    const unnamed = { ...envelope, opened: { outcome: 'not-for-us', facts, announcesRemoval: false } } as const
    expect(plain(merge(insider(), unnamed).groupsInView)).toStrictEqual(plain([groupInView({ linkX25519: LINK_KEY })]))
    const later = { ...unnamed, swarmTimeMs: NOW_MS + 5 * MINUTE_MS + 1 }
    expect(merge(insider(), later).displacedAtMs).toBe(NOW_MS + 5 * MINUTE_MS + 1)
  })
})
