/** The link requests of other devices: DS-26, DS-27, DS-28, and who may answer them (DS-30). */
import { INT64_MAX } from '@session-v2/encoding'
import {
  acceptLinkRequest,
  type DeviceRecord,
  type DeviceRow,
  deviceIdOf,
  encodeDeviceRecord,
  type GroupState,
  ignoreLinkRequest,
  isAsking,
  type ReceivedRequest,
  ROW_STATE,
  receiveLinkRequest,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import {
  bt,
  DAY_S,
  DETAILS,
  deviceKey,
  digestOf,
  expectNoChange,
  expectRefused,
  expectState,
  expectWiped,
  goneRow,
  heldKey,
  INDICES,
  idOf,
  insider,
  linkRequest,
  MINUTE_MS,
  NOW_MS,
  NOW_S,
  newKey,
  OWN_ROW,
  outsider,
  pendingRowOf,
  plain,
  recordOf,
  rowOf,
  SELF,
  seedOf,
  told,
} from './devices.ts'

const EXPIRY_MS = NOW_MS + 10 * MINUTE_MS
const record = recordOf(2, { seqno: 4n })
const REQUEST: ReceivedRequest = {
  ...{ hash: 'link', deviceId: idOf(2), record, digest: digestOf(record), indices: INDICES, receivedAtMs: NOW_MS },
  ...{ expiresAtMs: EXPIRY_MS, replaces: false, status: 'open' },
}
const asking = insider({ receivedRequests: [REQUEST] }, [[2, pendingRowOf(record)]])
const receive = (state: GroupState, ...args: Parameters<typeof linkRequest>) =>
  receiveLinkRequest(state, linkRequest(...args), NOW_MS)
const withRow = (row: DeviceRow) => insider({}, [[2, row]])
const rowsOf = (row: DeviceRow) =>
  new Map([
    [SELF, OWN_ROW],
    [idOf(2), row],
  ])

describe('DS-26: a request of a device that is no member', () => {
  it('makes a row that is Pending and not marked, and a request that is open until its message expires', () => {
    const change = receive(insider(), 2, record)
    expectState(change.state, insider(), { rows: rowsOf(pendingRowOf(record)), receivedRequests: [REQUEST] })
    expect(change.events).toEqual([{ type: 'link-request-added', hash: 'link' }])
    expectWiped(change)
  })

  it('is taken from a device that asks already when its seqno, or at the same one its digest, is greater', () => {
    const digest = Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9)
    const row = rowOf(record, { state: ROW_STATE.pending, digest })
    const asks = (seqno: bigint, byte: number) => isAsking(row, recordOf(2, { seqno }), new Uint8Array(8).fill(byte))
    expect([asks(5n, 0), asks(4n, 10), asks(4n, 9), asks(4n, 8), asks(3n, 10)]).toEqual([true, true, false, false, false])
    const again = recordOf(2, { seqno: 5n })
    expectState(receive(withRow(row), 2, again).state, withRow(row), {
      rows: rowsOf(pendingRowOf(again)),
      receivedRequests: [{ ...REQUEST, record: again, digest: digestOf(again) }],
    })
    expectNoChange(receive(withRow(row), 2, recordOf(2, { seqno: 3n })), withRow(row))
  })

  it('supersedes the open ones of that device, and no others', () => {
    const others: ReceivedRequest[] = [
      REQUEST,
      { ...REQUEST, hash: 'ignored', status: 'ignored' },
      { ...REQUEST, hash: 'of another', deviceId: idOf(3) },
      { ...REQUEST, hash: 'second' },
    ]
    const again = recordOf(2, { seqno: 5n })
    const change = receive(insider({ receivedRequests: others }, [[2, pendingRowOf(record)]]), 2, again, { hash: 'new' })
    expect(change.state.receivedRequests.map(({ hash, status }) => [hash, status])).toEqual([
      ['link', 'superseded'],
      ['ignored', 'ignored'],
      ['of another', 'open'],
      ['second', 'superseded'],
      ['new', 'open'],
    ])
    expect(told(change.events)).toEqual(['link superseded', 'second superseded', 'new added'])
  })
})

describe('DS-26: a request to ignore', () => {
  it('is ignored from this device, from one that is gone or whose request was over, and past its expiry', () => {
    expectNoChange(receive(insider(), 1, recordOf(1, { seqno: 9n, timestampS: BigInt(NOW_S) + 9n })), insider())
    for (const row of [
      goneRow(ROW_STATE.left, 7),
      goneRow(ROW_STATE.kicked, 7),
      rowOf(record, { state: ROW_STATE.unregistered }),
    ]) {
      expectNoChange(receive(withRow(row), 2, recordOf(2, { seqno: 9n, timestampS: BigInt(NOW_S) + 9n })), withRow(row))
    }
    expectNoChange(receive(insider(), 2, record, { expiresAtMs: NOW_MS }), insider())
    expect(told(receive(insider(), 2, record, { expiresAtMs: NOW_MS + 1 }).events)).toEqual(['link added'])
  })

  it('is ignored by a device that is in no group or displaced', () => {
    expectNoChange(receive(outsider(), 2, record), outsider())
    expectNoChange(receive(insider({ displacedAtMs: 5 }), 2, record), insider({ displacedAtMs: 5 }))
  })
})

describe('DS-26: a request too many, too old or too large', () => {
  it('is ignored beside 64 open ones of other devices', () => {
    const others = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ ...REQUEST, hash: `other ${at}`, deviceId: idOf(at + 10) }))
    const more: ReceivedRequest[] = [
      { ...REQUEST, hash: 'ended', deviceId: idOf(3), status: 'expired' },
      { ...REQUEST, hash: 'own' },
    ]
    const full = insider({ receivedRequests: [...others(64), ...more] }, [[2, pendingRowOf(recordOf(2))]])
    expectNoChange(receive(full, 2, record), full)
    const free = { ...full, receivedRequests: [...others(63), ...more] }
    expect(told(receive(free, 2, record).events)).toEqual(['own superseded', 'link added'])
  })

  it('is ignored when it was made more than 5 days ago', () => {
    const asking = (timestampS: number) => receive(insider(), 2, recordOf(2, { timestampS: BigInt(timestampS) }))
    expectNoChange(asking(NOW_S - 5 * DAY_S - 1), insider())
    expect(told(asking(NOW_S - 5 * DAY_S).events)).toEqual(['link added'])
  })

  it('is ignored with a record of more than 4096 bytes', () => {
    const sized = (size: number): DeviceRecord => {
      const padding = (length: number) => new Map([['z', bt(`${length}:${'x'.repeat(length)}`)]])
      const rest = encodeDeviceRecord({ ...record, extras: padding(1000) }).length - 1000
      return { ...record, extras: padding(size - rest) }
    }
    expect(encodeDeviceRecord(sized(4097))).toHaveLength(4097)
    expectNoChange(receive(insider(), 2, sized(4097)), insider())
    expect(told(receive(insider(), 2, sized(4096)).events)).toEqual(['link added'])
  })

  it('makes the device forget all but the last 128 that have ended', () => {
    const ended = Array.from({ length: 129 }, (_, at) => ({
      ...REQUEST,
      hash: `ended ${at}`,
      deviceId: idOf(3),
      status: 'ignored' as const,
    }))
    const open = { ...REQUEST, hash: 'open', deviceId: idOf(4) }
    const after = (requests: ReceivedRequest[]) =>
      receive(insider({ receivedRequests: requests }), 2, record).state.receivedRequests.map(({ hash }) => hash)
    expect(after([open, ...ended])).toEqual(['open', ...ended.slice(1).map(({ hash }) => hash), 'link'])
    expect(after([open, ...ended.slice(1)])).toEqual(['open', ...ended.slice(1).map(({ hash }) => hash), 'link'])
    expect(after([{ ...REQUEST, hash: 'superseded now' }, ...ended.slice(1)])).toEqual([
      ...ended.slice(1).map(({ hash }) => hash),
      'link',
    ])
  })

  it('is taken once: a message that was seen is ignored, however its request ended', () => {
    const ended = insider({
      receivedRequests: [
        { ...REQUEST, status: 'ignored' },
        { ...REQUEST, hash: 'other', deviceId: idOf(3) },
      ],
    })
    expectNoChange(receive(ended, 2, record), ended)
    expect(told(receive(ended, 2, record, { hash: 'new' }).events)).toEqual(['new added'])
  })
})

describe('DS-27: a request of a member', () => {
  const later = recordOf(2, { timestampS: BigInt(NOW_S) + 1n, key: 8 })

  it('asks to replace it, and leaves its row', () => {
    const state = withRow(rowOf(record))
    const change = receive(state, 2, later)
    const added = { ...REQUEST, record: later, digest: digestOf(later), replaces: true }
    expectState(change.state, state, { receivedRequests: [added] })
    expect(told(change.events)).toEqual(['link added'])
  })

  it('is taken by its timestamp alone', () => {
    const state = withRow(rowOf(record))
    for (const timestampS of [BigInt(NOW_S), BigInt(NOW_S) - 1n]) {
      expectNoChange(receive(state, 2, recordOf(2, { seqno: 99n, timestampS })), state)
    }
    expect(isAsking(rowOf(record), recordOf(2, { seqno: 1n, timestampS: BigInt(NOW_S) + 1n }), new Uint8Array(8))).toBe(true)
    const bare: DeviceRow = { state: ROW_STATE.registered, marked: false }
    expect(isAsking(bare, later, new Uint8Array(8))).toBe(false)
  })
})

const accept = (state: GroupState, seed = seedOf(0x20), nowMs = NOW_MS) => acceptLinkRequest(native, state, 'link', seed, nowMs)

describe('DS-28: accepting', () => {
  it('lets a device in with the record it asked with, marked, and rotates nothing', () => {
    const seed = seedOf(0x20)
    const change = accept(asking, seed)
    expectState(change.state, asking, {
      rows: rowsOf(rowOf(record, { marked: true })),
      receivedRequests: [{ ...REQUEST, status: 'accepted' }],
    })
    expect(told(change.events)).toEqual(['link accepted', 'device 2 joined'])
    expectWiped(change, seed)
  })

  it.each([
    [4n, 9n, 10n],
    [9n, 4n, 10n],
    [4n, 4n, 5n],
    [4n, INT64_MAX - 1n, INT64_MAX],
  ])(
    'replaces a member with seqno %i that asks with %i: its record gets %i, and the account key is rotated',
    (held, asked, next) => {
      const wanted = recordOf(2, { seqno: asked, timestampS: BigInt(NOW_S) + 1n, key: 8, description: 'new phone' })
      const request = { ...REQUEST, record: wanted, digest: digestOf(wanted), replaces: true }
      const state = insider({ receivedRequests: [request], rotationOwed: true }, [[2, rowOf(recordOf(2, { seqno: held }))]])
      const seed = seedOf(0x20)
      const change = accept(state, seed, NOW_MS + 1999)
      expectState(change.state, state, {
        rows: rowsOf(rowOf({ ...wanted, seqno: next }, { marked: true })),
        receivedRequests: [{ ...request, status: 'accepted' }],
        accountKeys: [{ ...newKey(0x20, NOW_S + 1), seed }, heldKey(0xa0, NOW_S, NOW_S + 1)],
        rotationOwed: false,
      })
      expect(told(change.events)).toEqual(['link accepted', 'device 2 updated', 'account-key-changed'])
      expectWiped(change)
    },
  )

  it('DK-09: takes the releases of its device keys back for a member that it did not know, not for a replacement', () => {
    const deviceKeys = { current: deviceKey(1), previous: [deviceKey(9, { releasedAtS: NOW_S })] }
    const renewed = { ...deviceKeys, previous: [deviceKey(9, { renewed: true })] }
    expect(plain(accept({ ...asking, deviceKeys }).state.deviceKeys)).toStrictEqual(plain(renewed))
    const request = { ...REQUEST, replaces: true }
    const replacing = insider({ receivedRequests: [request], deviceKeys }, [[2, rowOf(record)]])
    expect(accept(replacing).state.deviceKeys).toBe(deviceKeys)
  })

  it('DS-39: is refused when the group is full', () => {
    const numbered = (at: number) => deviceIdOf(new Uint8Array(32).fill(9).fill(at, 0, 1))
    const members = (count: number) => Array.from({ length: count }, (_, at) => [numbered(at), rowOf(record)] as const)
    const groupOf = (count: number) => ({ ...asking, rows: new Map([...asking.rows, ...members(count)]) })
    expect(told(accept(groupOf(254)).events)).toEqual(['link accepted', 'device 2 joined'])
    expectRefused('bad-input DS-39', groupOf(255), accept)
  })

  it('is refused where no seqno follows', () => {
    const last = recordOf(2, { seqno: INT64_MAX })
    const request = { ...REQUEST, replaces: true }
    expectRefused('bad-input DS-31', insider({ receivedRequests: [request] }, [[2, rowOf(last)]]), accept)
    expectRefused('bad-input DS-31', insider({ receivedRequests: [{ ...request, record: last }] }, [[2, rowOf(record)]]), accept)
  })
})

describe('DS-28: accepting an open request', () => {
  it('is of the one request', () => {
    const others = ['before', 'after'].map((hash, at) => ({ ...REQUEST, hash, deviceId: idOf(3 + at) }))
    const state = { ...asking, receivedRequests: [others[0]!, REQUEST, others[1]!] }
    expect(accept(state).state.receivedRequests.map(({ status }) => status)).toEqual(['open', 'accepted', 'open'])
  })

  it('is refused for a request that is unknown, has ended or is past its expiry', () => {
    expectRefused('unknown-request DS-28', insider(), accept)
    expectRefused('unknown-request DS-28', { ...asking, receivedRequests: [{ ...REQUEST, hash: 'another' }] }, accept)
    for (const status of ['accepted', 'ignored', 'superseded', 'expired'] as const) {
      expectRefused('unknown-request DS-28', { ...asking, receivedRequests: [{ ...REQUEST, status }] }, accept)
    }
    expectRefused('unknown-request DS-28', insider({ receivedRequests: [REQUEST] }), accept)
    expectRefused('unknown-request DS-28', asking, state => accept(state, seedOf(0x20), EXPIRY_MS))
    expect(told(accept(asking, seedOf(0x20), EXPIRY_MS - 1).events)).toEqual(['link accepted', 'device 2 joined'])
  })

  it('DS-30: is for a member that is not displaced', () => {
    expectRefused(
      'not-registered DS-30',
      { ...asking, rows: rowsOf(pendingRowOf(record)).set(SELF, pendingRowOf(recordOf(1))) },
      accept,
    )
    expectRefused('displaced DS-30', { ...asking, displacedAtMs: 5 }, accept)
  })
})

describe('DS-28: ignoring', () => {
  it('ends the request on this device: the row stays', () => {
    const others = { ...REQUEST, hash: 'other', deviceId: idOf(3) }
    const state = { ...asking, receivedRequests: [others, REQUEST] }
    expectState(ignoreLinkRequest(state, 'link'), state, { receivedRequests: [others, { ...REQUEST, status: 'ignored' }] })
    expect(state.details).toBe(DETAILS)
  })

  it('is refused for a request that is unknown or has ended', () => {
    const refuse = (requests: ReceivedRequest[]) =>
      expectRefused('unknown-request DS-28', insider({ receivedRequests: requests }), state => ignoreLinkRequest(state, 'link'))
    refuse([])
    refuse([{ ...REQUEST, hash: 'another' }])
    for (const status of ['accepted', 'ignored', 'superseded', 'expired'] as const) refuse([{ ...REQUEST, status }])
  })
})
