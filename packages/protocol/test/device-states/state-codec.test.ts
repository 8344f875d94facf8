/** The state as bytes: DS-38. */
import { type BtDict, type BtValue, decodeBt, encodeBt, INT64_MAX, INT64_MIN } from '@session-v2/encoding'
import { decodeGroupState, encodeGroupState, type GroupState, type ReceivedRequest, ROW_STATE } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { codeThrownBy, native } from '../providers.ts'
import {
  accountKey,
  bt,
  DETAILS,
  deviceKey,
  digestOf,
  expectState,
  GROUP,
  goneRow,
  groupInView,
  heldKey,
  INDICES,
  idOf,
  insider,
  kicked,
  left,
  member,
  NOW_MS,
  NOW_S,
  newKey,
  OTHER_GROUP,
  OWN_ROW,
  outsider,
  pendingRowOf,
  plain,
  recordOf,
  rowOf,
  SELF,
} from './devices.ts'

const received: ReceivedRequest = {
  ...{ hash: 'é', deviceId: idOf(2), record: recordOf(2), digest: digestOf(recordOf(2)), indices: INDICES, receivedAtMs: 8 },
  ...{ expiresAtMs: NOW_MS + 9, replaces: true, status: 'open' },
}
const asked = {
  ...{
    groupId: OTHER_GROUP,
    timestampS: -5n,
    seqno: INT64_MAX,
    x25519: deviceKey(9).x25519,
    indices: INDICES,
    sentAtMs: 3,
    confirmed: false,
  },
  held: [{ hash: 'h', message: Uint8Array.of(0, 255), swarmTimeMs: 4, expiresAtMs: 5 }],
}
/** All that can be in a state. */
const FULL: GroupState = insider(
  {
    ...{ displacedAtMs: NOW_MS + 7, confirmedSeqno: INT64_MIN, rotationOwed: true, mergedHashes: ['a', 'ü', ''] },
    deviceKeys: {
      current: deviceKey(1, { confirmedAtS: NOW_S + 1 }),
      previous: [deviceKey(9, { confirmedAtS: 4, releasedAtS: 5, renewed: true })],
    },
    accountKeys: [heldKey(0xa0, NOW_S), newKey(0xa1, 5, 6)],
    retiredKeys: [accountKey(0xb0, 5, 6), accountKey(0xb1, 7)],
    groupsInView: [groupInView({ dismissed: true }), groupInView({ groupId: OTHER_GROUP, seenAtMs: Number.MAX_SAFE_INTEGER })],
    ownRequests: [
      { ...asked, deadlineMs: 6, confirmed: true },
      { ...asked, held: [] },
    ],
    receivedRequests: (['open', 'accepted', 'ignored', 'superseded', 'expired'] as const).map(status => ({
      ...{ ...received, status, replaces: status === 'open' },
    })),
    farewells: [
      {
        ...{ groupId: OTHER_GROUP, accountKeys: [heldKey(0xb2, 1, 2)], hashes: ['y', 'z'], leftAtMs: NOW_MS },
        devices: new Map([
          [SELF, left(7)],
          [idOf(2), member(recordOf(2))],
          [idOf(3), kicked(8)],
        ]),
      },
      { groupId: GROUP, accountKeys: [], hashes: [], leftAtMs: 0 },
    ],
    rows: new Map([
      [SELF, OWN_ROW],
      [idOf(2), pendingRowOf(recordOf(2))],
      [idOf(3), rowOf(recordOf(3, { seqno: INT64_MAX }), { state: ROW_STATE.left, removedAtS: 9n })],
      [idOf(4), rowOf(recordOf(4), { state: ROW_STATE.unregistered })],
      [idOf(7), goneRow(ROW_STATE.kicked, Number.MAX_SAFE_INTEGER, true)],
    ]),
    run: { fetched: true, membership: 'Displaced', appeared: ['02'] },
  },
  [],
)
const STARTED = { run: { fetched: false, membership: 'Unknown', appeared: [] } }
const encode = (state: GroupState) => encodeGroupState(state).expose()
const decode = (bytes: Uint8Array) => decodeGroupState(native, bytes)
const dictOf = (state: GroupState) => decodeBt(encode(state)) as BtDict

describe('DS-38: a state as bytes', () => {
  it('is read again as at a start, all of it', () => {
    expectState(decode(encode(FULL)), FULL, STARTED)
    expectState(decode(encode(outsider())), outsider(), STARTED)
    const { groupId: _, readAtMs: __, ...unnamed } = insider({ details: { ...DETAILS, version: [0, 0, 0], extras: new Map() } })
    expectState(decode(encode(unnamed)), unnamed, STARTED)
  })

  it('is a secret, the same each time', () => {
    const encoded = encodeGroupState(FULL)
    expect(encoded.role).toBe('group-state')
    expect(encode(FULL)).toEqual(encoded.expose())
    expect(encode(decode(encoded.expose()))).toEqual(encoded.expose())
    const rows = new Map([...FULL.rows].toReversed())
    expect(encode({ ...FULL, rows })).toEqual(encoded.expose())
  })

  it('keeps what was written before: a dict with a version, fields by name, and nothing of one run', () => {
    const state = outsider({ details: { description: 'é', type: 'c', version: [1, 2, 3], extras: new Map([['z', bt('i7e')]]) } })
    const expected = new Map<string, BtValue>([
      ['accountKeys', []],
      ['confirmedSeqno', 0n],
      ['description', bt('é')],
      [
        'deviceKeys',
        [
          new Map<string, BtValue>([
            ['createdAtS', BigInt(NOW_S)],
            ['renewed', 0n],
            ['seed', new Uint8Array(32).fill(1)],
          ]),
        ],
      ],
      ['extras', new Map([['z', bt('i7e')]])],
      ['farewells', []],
      ['groupsInView', []],
      ['mergedHashes', []],
      ['ownRequests', []],
      ['receivedRequests', []],
      ['release', [1n, 2n, 3n]],
      ['retiredKeys', []],
      ['rotationOwed', 0n],
      ['rows', []],
      ['self', new Uint8Array(32).fill(1)],
      ['type', bt('c')],
      ['version', 1n],
    ])
    expect(plain(dictOf(state))).toStrictEqual(plain(expected))
  })

  it('holds states, flags and ways to end as the numbers that stores have', () => {
    const rows = (dictOf(FULL).get('rows') as BtDict[]).map(row => [row.get('state'), row.get('marked')])
    expect(rows).toEqual([
      [2n, 0n],
      [1n, 0n],
      [3n, 0n],
      [0n, 0n],
      [4n, 1n],
    ])
    expect((dictOf(FULL).get('receivedRequests') as BtDict[]).map(one => one.get('status'))).toEqual([0n, 1n, 2n, 3n, 4n])
  })

  it('makes secrets of its own: wiping what was read leaves the other', () => {
    const state = decode(encode(FULL))
    state.accountKeys[0]!.seed.wipe()
    state.deviceKeys.current.seed.wipe()
    expect(FULL.accountKeys[0]!.seed.wiped || FULL.deviceKeys.current.seed.wiped).toBe(false)
  })
})

/** The places in a value, each as the way to it: names of dicts and numbers of lists. */
function* placesIn(value: BtValue, way: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (way.length > 0) yield way
  if (value instanceof Map) for (const [name, field] of value) yield* placesIn(field, [...way, name])
  else if (Array.isArray(value)) for (const [at, item] of value.entries()) yield* placesIn(item, [...way, at])
}

/** The value with another one in that place; undefined takes out what is there. */
function withChanged(value: BtValue, [first, ...rest]: readonly (string | number)[], changed: BtValue | undefined): BtValue {
  if (first === undefined) return changed!
  const inner = (value instanceof Map ? value.get(first) : (value as BtValue[])[first as number]) as BtValue
  const next = rest.length === 0 ? changed : withChanged(inner, rest, changed)
  if (!(value instanceof Map))
    return (value as BtValue[]).flatMap((item, at) => (at === first ? (next === undefined ? [] : [next]) : [item]))
  const dict = new Map(value as BtDict)
  if (next === undefined) dict.delete(first as string)
  else dict.set(first as string, next)
  return dict
}

const dict = dictOf(FULL)
const places = [...placesIn(dict)]
const valueAt = (way: readonly (string | number)[]) =>
  way.reduce<BtValue>((value, at) => (value instanceof Map ? value.get(at) : (value as BtValue[])[at as number]) as BtValue, dict)
const typeOf = (value: BtValue) =>
  typeof value === 'bigint' ? 'integer' : value instanceof Uint8Array ? 'bytes' : value.constructor.name

function wayOf(place: string): (string | number)[] {
  return place.split(' ').map(part => (/^\d+$/.test(part) ? Number(part) : part))
}

function isAccepted(value: BtValue): boolean {
  try {
    decode(encodeBt(value))
    return true
  } catch (error) {
    expect((error as { code?: string }).code).toBe('malformed')
    return false
  }
}

const refused = (value: BtValue) => expect(codeThrownBy(() => decode(encodeBt(value)))).toBe('malformed')

describe('DS-38: bytes that are no state', () => {
  it('are refused when they end anywhere before the end, or go on', () => {
    const bytes = encode(insider({ ownRequests: FULL.ownRequests, farewells: FULL.farewells, accountKeys: FULL.accountKeys }))
    const codes = new Set(Array.from(bytes, (_, end) => codeThrownBy(() => decode(bytes.subarray(0, end)))))
    expect(codes).toEqual(new Set(['malformed']))
    expect(codeThrownBy(() => decode(Uint8Array.of(...bytes, 0x65)))).toBe('malformed')
  })

  it('are refused when they are no dict, or of another version', () => {
    for (const value of [7n, bt('text'), [], new Map(), [dictOf(outsider())]]) refused(value)
    for (const version of [0n, 2n, -1n]) refused(new Map(dictOf(FULL)).set('version', version))
  })

  it('are refused with a value of another type in any place', () => {
    expect(places.length).toBeGreaterThan(300)
    const accepted = places.filter((way, at) => {
      const others = [7n, bt('text'), [], new Map()].filter(other => typeOf(other) !== typeOf(valueAt(way)))
      return isAccepted(withChanged(dict, way, others[at % others.length]))
    })
    expect(accepted).toEqual([])
  })

  it('are refused without a field, but for those that may be absent', () => {
    const accepted = new Set(
      places
        .filter(way => typeof way.at(-1) === 'string' && isAccepted(withChanged(dict, way, undefined)))
        .map(way => way.at(-1)),
    )
    const optional = ['groupId', 'readAtMs', 'displacedAtMs', 'rotatedAtS', 'confirmedAtS', 'releasedAtS', 'record', 'digest']
    expect(accepted).toEqual(new Set([...optional, 'deadlineMs', 'devices', 'q']))
    for (const list of ['ownRequests', 'receivedRequests', 'groupsInView', 'farewells'] as const) {
      for (const name of ['groupId', 'record', 'digest']) {
        const way = [list, 0, name]
        if ((valueAt([list, 0]) as BtDict).has(name)) refused(withChanged(dict, way, undefined))
      }
    }
  })
})

describe('DS-38: bytes of values that no state has', () => {
  it('are refused with a number that is none of those that can be there', () => {
    const beyond = BigInt(Number.MAX_SAFE_INTEGER) + 1n
    for (const flag of [
      'deviceKeys 0 renewed',
      'rotationOwed',
      'rows 0 marked',
      'accountKeys 0 distributed',
      'groupsInView 0 dismissed',
      'ownRequests 0 confirmed',
      'receivedRequests 0 replaces',
    ]) {
      for (const value of [2n, -1n, beyond]) refused(withChanged(dict, wayOf(flag), value))
    }
    // Gone, and no time; a time, and not gone.
    for (const [at, state] of [
      [0, 3n],
      [1, 4n],
      [2, 0n],
      [2, 1n],
      [2, 2n],
      [4, 2n],
    ] as const) {
      refused(withChanged(dict, ['rows', at, 'state'], state))
    }
    for (const value of [5n, -1n]) {
      refused(withChanged(dict, ['rows', 0, 'state'], value))
      refused(withChanged(dict, ['receivedRequests', 0, 'status'], value))
    }
    const times = places.filter(way => /At[SM]|deadlineMs|swarmTimeMs/.test(String(way.at(-1))) && way.at(-1) !== 'removedAtS')
    expect(times.length).toBeGreaterThan(30)
    for (const way of times) for (const value of [-1n, beyond]) refused(withChanged(dict, way, value))
    expect(isAccepted(withChanged(dict, ['readAtMs'], beyond - 1n))).toBe(true)
    expect(isAccepted(withChanged(dict, ['readAtMs'], 0n))).toBe(true)
  })

  it('are refused with an ID, a seed or a record of another size, text that is none, and no device key', () => {
    for (const place of ['self', 'rows 0 id', 'receivedRequests 0 deviceId', 'deviceKeys 0 seed', 'deviceKeys 1 seed']) {
      for (const size of [0, 31, 33]) refused(withChanged(dict, wayOf(place), new Uint8Array(size)))
    }
    const sized = [
      'groupId',
      'accountKeys 0 seed',
      'accountKeys 0 x25519',
      'retiredKeys 0 seed',
      'groupsInView 0 groupId',
      'rows 1 digest',
    ]
    const inRequests = ['ownRequests 0 groupId', 'ownRequests 0 x25519', 'receivedRequests 0 digest', 'groupsInView 0 linkX25519']
    for (const place of [...sized, ...inRequests, 'farewells 0 groupId', 'farewells 0 accountKeys 0 x25519']) {
      const { length } = valueAt(wayOf(place)) as Uint8Array
      for (const size of [0, length - 1, length + 1]) refused(withChanged(dict, wayOf(place), new Uint8Array(size)))
    }
    for (const place of ['rows 1 record', 'receivedRequests 0 record', 'farewells 0 devices']) {
      refused(withChanged(dict, wayOf(place), (valueAt(wayOf(place)) as Uint8Array).subarray(1)))
    }
    for (const place of [
      'description',
      'type',
      'mergedHashes 0',
      'ownRequests 0 held 0 hash',
      'receivedRequests 0 hash',
      'farewells 0 hashes 0',
    ]) {
      refused(withChanged(dict, wayOf(place), Uint8Array.of(0xff)))
    }
    refused(withChanged(dict, ['deviceKeys'], []))
  })
})
