/** What a device owes the others, and what is settled when the swarm has it: DS-24, DS-30, DS-34, DS-35. */
import { seededRandom } from '@session-v2/crypto'
import {
  changeDetails,
  confirmPush,
  deviceIdOf,
  duePush,
  type Farewell,
  type GroupPush,
  type GroupState,
  isPushDue,
  nameGroup,
  newGroupId,
  openGroupMessage,
  ROW_STATE,
  rotateAccountKey,
  sealPush,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native, someAccount } from '../providers.ts'
import {
  DAY_MS,
  deviceKey,
  expectNoChange,
  expectRefused,
  expectState,
  expectWiped,
  GROUP,
  goneRow,
  groupInView,
  heldKey,
  idOf,
  insider,
  linkKey,
  NOW_MS,
  NOW_S,
  newKey,
  OTHER_GROUP,
  OWN_ROW,
  outsider,
  pendingRowOf,
  plain,
  publicKeyOf,
  recordOf,
  rowOf,
  SELF,
  seedOf,
} from './devices.ts'

const LATER_MS = NOW_MS + 1999
const { groupId: _, ...unnamed } = insider({ confirmedSeqno: 0n })
const marked = rowOf(recordOf(2), { marked: true })
const owing = insider({ confirmedSeqno: 0n, mergedHashes: ['a', 'b'] }, [[2, marked]])
const due = (state: GroupState) => duePush(native, state, LATER_MS)
const confirm = (state: GroupState, push: GroupPush, hash: string | undefined = 'mine') =>
  confirmPush(state, push, hash, LATER_MS)
const VIEW = [groupInView({ linkX25519: publicKeyOf(0xa0), seenAtMs: LATER_MS, expiresAtMs: LATER_MS + 30 * DAY_MS })]

const numbered = (number: number) => deviceIdOf(new Uint8Array(32).fill(number & 255).fill(9 + (number >> 8), 0, 1))

describe('DS-34: a push is owed', () => {
  it.each([
    ['for a seqno that is not confirmed', insider({ confirmedSeqno: 0n }), true],
    ['for a row that is marked', insider({}, [[2, marked]]), true],
    ['for a tombstone that is marked', insider({}, [[2, goneRow(ROW_STATE.kicked, 7, true)]]), true],
    ['for the own row that is marked', insider({ rows: new Map([[SELF, { ...OWN_ROW, marked: true }]]) }), true],
    ['for an account key not passed on', insider({ accountKeys: [heldKey(0xa0, NOW_S), newKey(0xa1, NOW_S - 9, NOW_S)] }), true],
    ['for none of these', insider({ rotationOwed: true, mergedHashes: ['a'] }, [[2, rowOf(recordOf(2))]]), false],
    ['for a seqno below the confirmed one', insider({ confirmedSeqno: 2n }), false],
    ['never while displaced', { ...owing, displacedAtMs: 5 }, false],
    ['never by a device that is Kicked', { ...owing, rows: new Map([[SELF, goneRow(ROW_STATE.kicked, 7, true)]]) }, false],
    [
      'never by a device that is Pending',
      { ...owing, rows: new Map([[SELF, { ...pendingRowOf(recordOf(1)), marked: true }]]) },
      false,
    ],
    ['never outside a group', outsider(), false],
    [
      'never before a fetch since the start',
      { ...owing, run: { fetched: false, membership: 'Unknown', appeared: [] } as const },
      false,
    ],
    ['for no account key past retention', insider({ accountKeys: [heldKey(0xa0, NOW_S), newKey(0xa1, 5, 6)] }), false],
  ])('%s', (_name, state, expected) => {
    expect(isPushDue(state, NOW_MS)).toBe(expected)
    expect(due(state) !== undefined).toBe(expected)
  })

  it('with all rows that are sent and the account keys of now, and deletes what was merged', () => {
    const state = insider({ accountKeys: [heldKey(0xa0, NOW_S), heldKey(0xa1, 5, NOW_S)], mergedHashes: ['a', 'b'] }, [
      [2, marked],
      [3, pendingRowOf(recordOf(3))],
      [4, heldGone()],
    ])
    const push = due(state)!
    expect(push.group!.groupId).toBe(GROUP)
    expect([...push.group!.payload.devices.keys()]).toEqual([SELF, idOf(2), idOf(4)])
    // The times of AK-12; and past retention, as this one now is, none is sent.
    expect(plain(push.group!.payload.accountKeys)).toStrictEqual(plain([heldKey(0xa0, NOW_S), heldKey(0xa1, 5, NOW_S)]))
    expect(push.deletes).toEqual(['a', 'b'])
    const later = duePush(native, state, NOW_MS + 17 * DAY_MS)!
    expect(plain(later.group!.payload.accountKeys)).toStrictEqual(plain([heldKey(0xa0, NOW_S)]))
  })

  it('and cannot be made without a group ID, nor without an account key', () => {
    expectRefused('bad-input DS-34', unnamed, due)
    expectRefused('bad-input DS-33', insider({ confirmedSeqno: 0n, accountKeys: [] }), due)
    expectRefused('bad-input DS-33', insider({ confirmedSeqno: 0n, accountKeys: [heldKey(0xa0, 5, 6)] }), due)
  })

  function heldGone() {
    return rowOf(recordOf(4), { state: ROW_STATE.left, removedAtS: 7n })
  }
})

const farewell = (fields: Partial<Farewell> = {}): Farewell => ({
  ...{ groupId: OTHER_GROUP, devices: new Map([[SELF, { kind: 'left', atS: 7n }]]), hashes: ['y', 'z'], leftAtMs: NOW_MS },
  ...{ accountKeys: [heldKey(0xb0, NOW_S - 5), heldKey(0xb1, 5, NOW_S - 5)], ...fields },
})

describe('DS-24: a last message', () => {
  it('is owed before anything else, the oldest first, also by a device in no group', () => {
    const [first, second] = [farewell(), farewell({ hashes: [] })]
    for (const state of [{ ...owing, farewells: [first, second] }, outsider({ farewells: [first, second] })]) {
      expect(isPushDue(state, NOW_MS)).toBe(true)
      const { devices, accountKeys } = first
      const group = { groupId: OTHER_GROUP, payload: { devices, accountKeys }, linkX25519: publicKeyOf(0xb0) }
      expect(plain(due(state))).toStrictEqual(plain({ group, deletes: ['y', 'z'], carries: first }))
    }
  })

  it('is only a deletion when nobody is to be told', () => {
    const { devices: _, ...alone } = farewell({ accountKeys: [] })
    expect(due(outsider({ farewells: [alone] }))).toEqual({ deletes: ['y', 'z'], carries: alone })
    expect(due(outsider({ farewells: [{ ...alone, hashes: [] }] }))).toBe(undefined)
  })

  it('is not owed, nor is anything deleted, without an account key within retention', () => {
    const past = heldKey(0xb0, 5, NOW_S - (16 * DAY_MS) / 1000)
    const [keyless, ending] = [farewell({ accountKeys: [] }), farewell({ accountKeys: [past] })]
    const state = outsider({ farewells: [keyless, ending] })
    expect(duePush(native, state, NOW_MS)!.carries).toBe(ending)
    expect(duePush(native, state, NOW_MS + 1000)).toBe(undefined)
    expect(isPushDue(outsider({ farewells: [keyless] }), NOW_MS)).toBe(false)
  })

  it('carries no account key past retention', () => {
    const accountKeys = [heldKey(0xb0, NOW_S - 5), heldKey(0xb1, 5, NOW_S - 16 * 86_400)]
    const state = outsider({ farewells: [farewell({ accountKeys })] })
    expect(duePush(native, state, NOW_MS)!.group!.payload.accountKeys).toHaveLength(2)
    expect(duePush(native, state, NOW_MS + 1000)!.group!.payload.accountKeys).toHaveLength(1)
  })

  it('is owed for a day', () => {
    const later = farewell({ hashes: ['later'], leftAtMs: NOW_MS + 1 })
    const state = outsider({ farewells: [farewell(), later] })
    expect(duePush(native, state, NOW_MS + DAY_MS - 1)!.deletes).toEqual(['y', 'z'])
    expect(duePush(native, state, NOW_MS + DAY_MS)!.deletes).toEqual(['later'])
    expect(duePush(native, state, NOW_MS + DAY_MS + 1)).toBe(undefined)
    expect([DAY_MS, DAY_MS + 1].map(ms => isPushDue(state, NOW_MS + ms))).toEqual([true, false])
    expect(duePush(native, { ...owing, farewells: [farewell()] }, NOW_MS + DAY_MS)!.deletes).toEqual(['a', 'b'])
    // By a clock that was a day ahead or more when the device left.
    expect([1 - DAY_MS, -DAY_MS].map(ms => isPushDue(outsider({ farewells: [farewell()] }), NOW_MS + ms))).toEqual([true, false])
  })
})

describe('DS-24: a last message that was sent', () => {
  it('is settled by itself, whichever others there are, and its secrets are handed back', () => {
    const farewells = [
      farewell({ groupId: GROUP }),
      farewell({ leftAtMs: NOW_MS - 1 }),
      farewell({ leftAtMs: NOW_MS + 1 }),
      farewell(),
    ]
    const state = { ...owing, farewells }
    const push: GroupPush = { deletes: ['y', 'z'], carries: farewell() }
    for (const hash of ['mine', undefined]) {
      const change = confirmPush(state, push, hash, LATER_MS)
      expectState(change.state, state, { farewells: farewells.slice(0, 3) })
      expect(change.events).toEqual([])
      expectWiped(change, ...farewells[3]!.accountKeys.map(({ seed }) => seed))
    }
  })

  it('is settled once', () => {
    const state = outsider({ farewells: [farewell(), farewell({ leftAtMs: NOW_MS + 1 })] })
    const once = confirm(state, due(state)!).state
    expect(once.farewells).toHaveLength(1)
    expectNoChange(confirm(outsider(), due(state)!), outsider())
  })

  it('keeps a secret that is retired too', () => {
    const retired = heldKey(0xb0, NOW_S - 5, NOW_S)
    const state = outsider({ retiredKeys: [retired], farewells: [farewell({ accountKeys: [retired] })] })
    expectWiped(confirm(state, due(state)!))
  })
})

const settles = (carried: Partial<typeof marked>, now: Partial<typeof marked>) => {
  const before = insider({}, [[2, { ...marked, ...carried }]])
  const after = insider({}, [[2, { ...marked, ...now }]])
  return !confirm(after, due(before)!).state.rows.get(idOf(2))!.marked
}

describe('DS-35: confirming a push', () => {
  it('settles the seqno, the marks, the account keys and the device key, and exchanges the hashes', () => {
    const accountKeys = [newKey(0xa0, NOW_S), newKey(0xa1, 5, NOW_S)]
    const deviceKeys = { current: deviceKey(1), previous: [deviceKey(9)] }
    const state: GroupState = {
      ...owing,
      accountKeys,
      deviceKeys,
      rows: new Map(owing.rows).set(SELF, { ...OWN_ROW, marked: true }),
    }
    const change = confirm(state, due(state)!)
    expectState(change.state, state, {
      rows: new Map([
        [SELF, OWN_ROW],
        [idOf(2), rowOf(recordOf(2))],
      ]),
      ...{ confirmedSeqno: 1n, mergedHashes: ['mine'], groupsInView: VIEW },
      accountKeys: [heldKey(0xa0, NOW_S), heldKey(0xa1, 5, NOW_S)],
      deviceKeys: {
        current: deviceKey(1, { confirmedAtS: NOW_S + 1 }),
        previous: [deviceKey(9, { releasedAtS: NOW_S + 1 })],
      },
    })
    expect(change.events).toEqual([])
    expectWiped(change)
    expect(isPushDue(change.state, LATER_MS)).toBe(false)
  })

  it('leaves owed what has changed since', () => {
    const push = due(owing)!
    const rotated = rotateAccountKey(native, changeDetails(owing, { type: 'x' }, NOW_MS).state, seedOf(0x20), NOW_MS).state
    const state = { ...rotated, mergedHashes: ['a', 'b', 'c'], rows: new Map(rotated.rows).set(idOf(3), marked) }
    const { state: after } = confirm(state, push)
    expectState(after, state, {
      ...{ confirmedSeqno: 1n, mergedHashes: ['c', 'mine'], groupsInView: VIEW },
      rows: new Map(state.rows).set(idOf(2), rowOf(recordOf(2))),
    })
    expect(after.accountKeys.map(({ distributed }) => distributed)).toEqual([false, true])
    expect(isPushDue(after, LATER_MS)).toBe(true)
  })
})

describe('DS-35: confirming a push, of marks and seqnos,', () => {
  it('takes the mark of a row that is as it was sent', () => {
    expect(settles({}, {})).toBe(true)
    expect(settles({ digest: new Uint8Array(8) }, { digest: new Uint8Array(8) })).toBe(true)
    const gone = { state: ROW_STATE.left, removedAtS: 7n }
    expect(settles(gone, gone)).toBe(true)
  })

  it('leaves the mark of a row with another state, time, seqno or digest', () => {
    const gone = { state: ROW_STATE.left, removedAtS: 7n }
    expect(settles({}, gone)).toBe(false)
    expect(settles(gone, { ...gone, state: ROW_STATE.kicked })).toBe(false)
    expect(settles(gone, { ...gone, removedAtS: 8n })).toBe(false)
    expect(settles({}, { record: recordOf(2, { seqno: 2n }) })).toBe(false)
    expect(settles({}, { digest: new Uint8Array(8) })).toBe(false)
  })

  it('leaves the mark of a row that lost or got its digest', () => {
    const own: typeof OWN_ROW = { ...OWN_ROW, marked: true }
    const read = { ...own, digest: marked.digest! }
    const confirmOwn = (carried: typeof own, now: typeof own) =>
      confirm(insider({ rows: new Map([[SELF, now]]) }), due(insider({ rows: new Map([[SELF, carried]]) }))!).state.rows.get(
        SELF,
      )!.marked
    expect([confirmOwn(own, own), confirmOwn(own, read), confirmOwn(read, own)]).toEqual([false, true, true])
  })

  it('never makes the confirmed seqno less', () => {
    const push = due(owing)!
    expect(confirm({ ...owing, confirmedSeqno: 7n }, push).state.confirmedSeqno).toBe(7n)
    expect(confirm({ ...owing, confirmedSeqno: 0n }, push).state.confirmedSeqno).toBe(1n)
  })

  it('confirms the device key that was announced, though another is current by now', () => {
    const push = due(owing)!
    const deviceKeys = { current: deviceKey(8), previous: [deviceKey(1), deviceKey(9)] }
    const after = confirm({ ...owing, deviceKeys }, push).state.deviceKeys
    expect([after.current, ...after.previous].map(({ confirmedAtS, releasedAtS }) => [confirmedAtS, releasedAtS])).toEqual([
      [undefined, undefined],
      [NOW_S + 1, undefined],
      [undefined, NOW_S + 1],
    ])
  })
})

describe('DS-35: confirming a push, of the group,', () => {
  it('DK-09: confirms the device key only when every member that is known by now could read the push', () => {
    const deviceKeys = { current: deviceKey(1), previous: [deviceKey(9)] }
    const confirmed = (now: Parameters<typeof insider>[1], carried: Parameters<typeof insider>[1] = []) => {
      const before = insider({ confirmedSeqno: 0n, deviceKeys }, carried)
      const { state } = confirm(insider({ confirmedSeqno: 0n, deviceKeys }, now), due(before)!)
      expect(state.confirmedSeqno).toBe(1n)
      return [state.deviceKeys.current.confirmedAtS, state.deviceKeys.previous[0]!.releasedAtS]
    }
    const known = [2, rowOf(recordOf(2))] as const
    const asking = [2, pendingRowOf(recordOf(2))] as const
    expect(confirmed([known], [known])).toEqual([NOW_S + 1, NOW_S + 1])
    expect(confirmed([asking])).toEqual([NOW_S + 1, NOW_S + 1])
    expect(confirmed([[2, goneRow(ROW_STATE.left, 7)]])).toEqual([NOW_S + 1, NOW_S + 1])
    expect(confirmed([known])).toEqual([undefined, undefined])
    expect(confirmed([known], [asking])).toEqual([undefined, undefined])
    expect(confirmed([known, [3, rowOf(recordOf(3))]], [known])).toEqual([undefined, undefined])
  })

  it('makes the group seen now, for requests to the key that was sent', () => {
    const state = { ...owing, groupsInView: [groupInView({ linkX25519: linkKey(1), dismissed: true, expiresAtMs: 5 })] }
    expect(plain(confirm(state, due(state)!).state.groupsInView)).toStrictEqual(plain([{ ...VIEW[0], dismissed: true }]))
  })

  it('leaves owed what the push did not carry: account keys past retention, and rows that were too many', () => {
    const past = newKey(0xa1, 5, 6)
    const gone = Array.from({ length: 300 }, (_, at) => [numbered(at), goneRow(ROW_STATE.kicked, at + 1, true)] as const)
    const state = insider({ accountKeys: [heldKey(0xa0, NOW_S), past], rows: new Map([[SELF, OWN_ROW], ...gone]) })
    const { state: after } = confirm(state, due(state)!)
    expect(after.accountKeys.map(({ distributed }) => distributed)).toEqual([true, false])
    const marks = [...after.rows.values()].map(row => row.marked)
    expect(marks).toEqual([false, ...gone.map((_, at) => at < 44)])
    expect([...due(after)!.group!.payload.devices.keys()]).toEqual(expect.arrayContaining(gone.slice(0, 44).map(([id]) => id)))
  })

  it('of a device that is displaced by now settles it all the same', () => {
    const { state } = confirm({ ...owing, displacedAtMs: 5 }, due(owing)!)
    expect([state.confirmedSeqno, state.displacedAtMs]).toEqual([1n, 5])
  })

  it('of a group that the device has left, or without a hash, settles nothing', () => {
    const push = due(owing)!
    const other = { ...owing, groupId: OTHER_GROUP }
    const left = { ...owing, rows: new Map(owing.rows).set(SELF, pendingRowOf(recordOf(1))) }
    const { groupId: _, ...nameless } = owing
    for (const state of [other, left, nameless, outsider()]) expectNoChange(confirm(state, push), state)
    expectNoChange(confirmPush(owing, push, undefined, LATER_MS), owing)
    for (const time of [-1, 0.5, Number.NaN, 2 ** 53])
      expectRefused('bad-input DS-40', owing, state => confirmPush(state, push, 'mine', time))
    const { group: __, ...without } = push
    expectNoChange(confirm(owing, without), owing)
  })
})

describe('sealing a push', () => {
  it('gives the message of its group, sealed by its first account key', () => {
    const account = someAccount(native, 7)
    const random = seededRandom(native, new Uint8Array(32).fill(3))
    const message = sealPush(native, random, account, due(owing)!)
    const opened = openGroupMessage(native, account, idOf(5), [], message)
    if (opened.outcome !== 'not-for-us') throw new Error(opened.outcome)
    expect(opened.facts.groupId).toEqual(GROUP)
    expect(opened.facts.linkX25519).toEqual(publicKeyOf(0xa0))
  })

  it('that only deletes, or carries no account key, is refused', () => {
    const account = someAccount(native, 7)
    const random = seededRandom(native, new Uint8Array(32).fill(3))
    const seal = (push: GroupPush) => () => sealPush(native, random, account, push)
    expectRefused('bad-input DS-24', owing, seal({ deletes: [], carries: due(owing)!.carries }))
    const group = { ...due(owing)!.group!, payload: { devices: new Map(), accountKeys: [] } }
    expectRefused('bad-input DG-07', owing, seal({ ...due(owing)!, group }))
  })
})

describe('a group ID', () => {
  it('says in which minute it was made, and is random else', () => {
    const random = seededRandom(native, new Uint8Array(32).fill(3))
    const [first, second] = [newGroupId(random, 0x01020304 * 60_000 + 59_999), newGroupId(random, 0)]
    expect([...first.subarray(0, 4), ...second.subarray(0, 4)]).toEqual([4, 3, 2, 1, 0, 0, 0, 0])
    expect(first).toHaveLength(8)
    expect(first.subarray(4)).not.toEqual(second.subarray(4))
  })

  it('is given to a group that has none, by a member', () => {
    expectState(nameGroup(unnamed, OTHER_GROUP), unnamed, { groupId: OTHER_GROUP })
    expectState(nameGroup(insider(), OTHER_GROUP), insider())
    expectState(nameGroup(outsider(), OTHER_GROUP), outsider())
  })
})
