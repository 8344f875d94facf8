/** The link requests that a device makes: DS-19, DS-22. */
import { INT64_MAX } from '@session-v2/encoding'
import {
  askForLink,
  draftLinkRequest,
  type GroupState,
  LINK_TTL_MS,
  type LinkRequestDraft,
  linkRequestStored,
  newestRequest,
  type OwnRequest,
  ROW_STATE,
  resume,
  withdrawLinkRequest,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { expireOwnRequests } from '../../src/device-states/own-request.ts'
import {
  DAY_MS,
  deviceKey,
  expectRefused,
  expectState,
  expectWiped,
  GROUP,
  groupInView,
  INDICES,
  insider,
  LINK_KEY,
  linkKey,
  MINUTE_MS,
  NOW_MS,
  NOW_S,
  OTHER_GROUP,
  OWN_ROW,
  outsider,
  ownRequest,
  plain,
  recordOf,
  rowOf,
  SELF,
  told,
} from './devices.ts'

const THIRD_GROUP = Uint8Array.of(3, 3, 3, 3, 3, 3, 3, 3)
const other = groupInView({ groupId: OTHER_GROUP, linkX25519: linkKey(0x4c) })
const visible = outsider({
  groupsInView: [groupInView(), other],
  run: { fetched: true, membership: 'GroupsVisible', appeared: [] },
})
const DEADLINE_MS = NOW_MS + 10 * MINUTE_MS
const { deadlineMs: _, ...REQUEST }: OwnRequest = ownRequest()
const STORED: OwnRequest = { ...REQUEST, deadlineMs: DEADLINE_MS }
const HELD = [{ hash: 'h', message: Uint8Array.of(1), swarmTimeMs: 1, expiresAtMs: 2 }]
const pendingRow = { state: ROW_STATE.pending, record: recordOf(1), marked: false }
const unregisteredRow = { ...pendingRow, state: ROW_STATE.unregistered }
const pending = (ownRequests: readonly OwnRequest[]): GroupState => ({
  ...visible,
  ...{ rows: new Map([[SELF, pendingRow]]), ownRequests },
  run: { fetched: true, membership: 'Waiting', appeared: [] },
})
const again = recordOf(1, { seqno: 2n, timestampS: BigInt(NOW_S) + 1n })
const draft: LinkRequestDraft = { groupId: GROUP, record: recordOf(1), linkX25519: LINK_KEY }

describe('DS-19: a request', () => {
  const timesOf = (requests: readonly OwnRequest[], nowMs = NOW_MS) =>
    draftLinkRequest({ ...visible, ownRequests: requests }, GROUP, nowMs).record.timestampS

  it('has the first seqno, the current device key and the time of now, and goes to the link key of the group', () => {
    expect(draftLinkRequest(visible, GROUP, NOW_MS + 999)).toStrictEqual(draft)
    expect(draftLinkRequest(visible, OTHER_GROUP, NOW_MS)).toStrictEqual({
      ...draft,
      ...{ groupId: OTHER_GROUP, linkX25519: linkKey(0x4c) },
    })
    const renewed = { ...visible, deviceKeys: { current: deviceKey(9), previous: [deviceKey(1)] } }
    expect(draftLinkRequest(renewed, GROUP, NOW_MS).record).toStrictEqual(recordOf(1, { key: 9 }))
  })

  it('has the seqno after all that were used: of the own row, confirmed, asked with; and 1 at least', () => {
    const next = (seqno: bigint, confirmedSeqno: bigint, ...asked: bigint[]) => {
      const rows = new Map([[SELF, { ...unregisteredRow, record: recordOf(1, { seqno }) }]])
      const ownRequests = asked.map(each => ({ ...STORED, seqno: each }))
      return draftLinkRequest({ ...visible, rows, confirmedSeqno, ownRequests }, GROUP, NOW_MS).record.seqno
    }
    expect([next(7n, 0n), next(1n, 5n), next(1n, 0n, 4n, 9n, 3n), next(-5n, -7n, -9n)]).toEqual([8n, 6n, 10n, 1n])
    const last = { ...visible, rows: new Map([[SELF, { ...unregisteredRow, record: recordOf(1, { seqno: INT64_MAX }) }]]) }
    expectRefused('bad-input DS-31', last, state => draftLinkRequest(state, GROUP, NOW_MS))
  })

  it('has the time of now or one second after the last request, whichever is later', () => {
    const at = (timestampS: number) => ({ ...STORED, timestampS: BigInt(timestampS) })
    expect(timesOf([at(NOW_S - 1)])).toBe(BigInt(NOW_S))
    expect(timesOf([at(NOW_S)])).toBe(BigInt(NOW_S + 1))
    expect(timesOf([at(NOW_S + 50)])).toBe(BigInt(NOW_S + 51))
    expect(timesOf([at(NOW_S - 9), at(NOW_S + 3)])).toBe(BigInt(NOW_S + 4))
  })

  it('makes a device outside a group Pending, and remembers what was asked', () => {
    const change = askForLink(visible, draft, INDICES, NOW_MS)
    expectState(change.state, visible, {
      ...{ rows: new Map([[SELF, pendingRow]]), ownRequests: [REQUEST] },
      run: { fetched: true, membership: 'Waiting', appeared: [] },
    })
    expect(change.events).toEqual([{ type: 'membership-changed', membership: 'Waiting' }])
    expectWiped(change)
  })
})

describe('DS-19: a request that is noted', () => {
  it('leaves the row of a member as it is', () => {
    const member = insider({ groupsInView: [groupInView(), other] })
    const toOther = { groupId: OTHER_GROUP, record: recordOf(1, { seqno: 2n }), linkX25519: linkKey(0x4c) }
    const change = askForLink(member, toOther, [], NOW_MS)
    expectState(change.state, member, {
      ownRequests: [{ ...REQUEST, groupId: OTHER_GROUP, seqno: 2n, indices: [] }],
      run: { fetched: true, membership: 'InGroup', appeared: ['02'.repeat(8)] },
    })
    expect(told(change.events)).toEqual(['other group appeared'])
  })

  it('is the newest from now on, and what was held for earlier ones is dropped', () => {
    const earlier = { ...STORED, confirmed: true, held: HELD }
    const { state } = askForLink(pending([earlier]), { ...draft, record: again }, [1], NOW_MS + 9)
    const newest = { ...REQUEST, timestampS: again.timestampS, seqno: 2n, indices: [1], sentAtMs: NOW_MS + 9 }
    expect(plain(state.ownRequests)).toStrictEqual(plain([{ ...earlier, held: [] }, newest]))
    expect(newestRequest(state)).toBe(state.ownRequests[1])
    expect(newestRequest(visible)).toBe(undefined)
  })

  it('is refused when the draft is not of now: another was made since, or the group may not be asked any more', () => {
    const ask = (code: string, state: GroupState, given = draft, nowMs = NOW_MS) =>
      expectRefused(code, state, before => askForLink(before, given, [], nowMs))
    ask('bad-input DS-19', pending([STORED]))
    ask('bad-input DS-19', visible, { ...draft, record: again })
    ask('unknown-group DS-19', visible, { ...draft, groupId: THIRD_GROUP })
    ask('unknown-group DS-19', visible, draft, groupInView().expiresAtMs)
    ask('already-registered DS-19', insider())
    ask('membership-unknown DS-19', { ...visible, run: { ...visible.run, fetched: false } })
  })
})

describe('DS-19: a request is possible or not. It', () => {
  it('may be made while waiting, in another group and cut off from the own one', () => {
    for (const state of [
      pending([STORED]),
      insider({ groupsInView: [groupInView(), other] }),
      insider({ groupsInView: [other] }),
    ]) {
      expect(draftLinkRequest(state, OTHER_GROUP, NOW_MS).groupId).toBe(OTHER_GROUP)
    }
    const { groupId: _, ...unnamed } = insider()
    expect(draftLinkRequest(unnamed, GROUP, NOW_MS).groupId).toBe(GROUP)
  })

  it('is refused before the first fetch, after a removal, while displaced, to the own group and to one not in view', () => {
    const draftFor = (code: string, state: GroupState, groupId = OTHER_GROUP, nowMs = NOW_MS) =>
      expectRefused(code, state, given => draftLinkRequest(given, groupId, nowMs))
    const inView = { groupsInView: [groupInView(), other] }
    draftFor('membership-unknown DS-19', { ...visible, run: { ...visible.run, fetched: false } })
    draftFor(
      'removed DS-19',
      outsider({ ...inView, rows: new Map([[SELF, { ...OWN_ROW, state: ROW_STATE.kicked, removedAtS: 7n }]]) }),
    )
    draftFor('displaced DS-19', insider({ ...inView, displacedAtMs: 5 }))
    const left = { ...OWN_ROW, state: ROW_STATE.left, removedAtS: 7n }
    draftFor('removed DS-19', outsider({ ...inView, rows: new Map([[SELF, left]]) }))
    draftFor('already-registered DS-19', insider(inView), GROUP)
    draftFor('unknown-group DS-19', visible, THIRD_GROUP)
    draftFor('unknown-group DS-19', visible, OTHER_GROUP, other.expiresAtMs)
    expect(draftLinkRequest(visible, OTHER_GROUP, other.expiresAtMs - 1).groupId).toBe(OTHER_GROUP)
  })
})

describe('DS-19: the time of a request', () => {
  it('is ten minutes from when it was sent, once it is stored', () => {
    expect(LINK_TTL_MS).toBe(10 * MINUTE_MS)
    const earlier = { ...REQUEST, timestampS: 5n }
    const state = pending([earlier, REQUEST])
    expectState(linkRequestStored(state, BigInt(NOW_S)), state, { ownRequests: [earlier, STORED] })
    const storedEarlier = { ...earlier, deadlineMs: DEADLINE_MS }
    expectState(linkRequestStored(state, 5n), state, { ownRequests: [storedEarlier, REQUEST] })
    expectRefused('unknown-request DS-19', state, given => linkRequestStored(given, 6n))
  })

  it('ends a Pending row, but not the request', () => {
    const state = pending([STORED])
    expectState(expireOwnRequests(state, DEADLINE_MS - 1), state)
    expectState(expireOwnRequests(state, DEADLINE_MS), state, { rows: new Map([[SELF, unregisteredRow]]) })
  })

  it('that counts is that of the newest request', () => {
    const newer = { ...STORED, deadlineMs: DEADLINE_MS + 1 }
    expectState(expireOwnRequests(pending([STORED, newer]), DEADLINE_MS), pending([STORED, newer]))
    expectState(expireOwnRequests(pending([STORED, REQUEST]), DEADLINE_MS + DAY_MS), pending([STORED, REQUEST]))
  })

  it('leaves a row that is not Pending', () => {
    const state = insider({ ownRequests: [STORED] })
    expectState(expireOwnRequests(state, DEADLINE_MS), state)
    expectState(expireOwnRequests(outsider({ ownRequests: [STORED] }), DEADLINE_MS), outsider({ ownRequests: [STORED] }))
  })

  it('is followed by 30 days in which it is remembered', () => {
    const forgottenMs = DEADLINE_MS + 30 * DAY_MS
    const later = { ...STORED, deadlineMs: DEADLINE_MS + 1 }
    const state = { ...pending([STORED, later]), rows: new Map([[SELF, unregisteredRow]]) }
    expectState(expireOwnRequests(state, forgottenMs - 1), state)
    expectState(expireOwnRequests(state, forgottenMs), state, { ownRequests: [later] })
    expectState(expireOwnRequests(pending([STORED]), forgottenMs), pending([]), { rows: new Map([[SELF, unregisteredRow]]) })
  })
})

describe('DS-19: taking a request back', () => {
  const earlier = { ...STORED, timestampS: 5n }

  it('drops the newest one, and the row is Unregistered again', () => {
    const state = pending([earlier, REQUEST])
    const change = withdrawLinkRequest(state, REQUEST.timestampS, NOW_MS)
    expectState(change.state, state, {
      ...{ ownRequests: [earlier], rows: new Map([[SELF, unregisteredRow]]) },
      run: { fetched: true, membership: 'GroupsVisible', appeared: [] },
    })
    expect(told(change.events)).toEqual(['GroupsVisible'])
    expectWiped(change)
  })

  it('drops an earlier one, and the newest goes on', () => {
    const change = withdrawLinkRequest(pending([earlier, REQUEST]), 5n, NOW_MS)
    expectState(change.state, pending([REQUEST]))
    expect(change.events).toEqual([])
  })

  it('leaves the row of a member', () => {
    const state = insider({ ownRequests: [REQUEST] })
    expectState(withdrawLinkRequest(state, REQUEST.timestampS, NOW_MS).state, state, { ownRequests: [] })
  })

  it('of what was not asked is refused', () => {
    expectRefused('unknown-request DS-19', visible, state => withdrawLinkRequest(state, REQUEST.timestampS, NOW_MS))
    expectRefused('unknown-request DS-19', pending([earlier]), state => withdrawLinkRequest(state, REQUEST.timestampS, NOW_MS))
  })
})

describe('DS-22: at a start', () => {
  const started = { run: { fetched: false, membership: 'Unknown', appeared: [] } }
  const ran = (state: GroupState): GroupState => ({ ...state, run: { ...state.run, appeared: ['02'] } })

  it('membership is not known, and nothing was told', () => {
    expectState(resume(ran(insider()), NOW_MS), insider(), started)
    expectState(resume(visible, NOW_MS), visible, started)
  })

  it('a request that was not known to be stored is withdrawn', () => {
    const rows = new Map([[SELF, unregisteredRow]])
    expectState(resume(pending([REQUEST]), NOW_MS), pending([]), { ...started, rows })
    expectState(resume(pending([STORED, REQUEST]), NOW_MS), pending([STORED]), { ...started, rows })
  })

  it('a request that was stored waits on, with what is held for it', () => {
    const state = pending([{ ...STORED, confirmed: true, held: HELD }])
    expectState(resume(ran(state), NOW_MS), state, started)
    expectState(resume(pending([REQUEST, STORED]), NOW_MS), pending([STORED]), started)
    const both = pending([{ ...STORED, timestampS: 5n }, STORED])
    expectState(resume(both, NOW_MS), both, started)
  })

  it('a request that was not known to be stored stays when an admission is held for it', () => {
    const answered = { ...REQUEST, held: HELD }
    expectState(resume(pending([answered]), DEADLINE_MS), pending([answered]), started)
  })

  it('a request past its deadline is one', () => {
    expectState(resume(pending([STORED]), DEADLINE_MS), pending([STORED]), {
      ...started,
      rows: new Map([[SELF, unregisteredRow]]),
    })
    expectState(resume(pending([STORED]), DEADLINE_MS - 1), pending([STORED]), started)
  })

  it('a member stays one', () => {
    const state = insider({ ownRequests: [REQUEST], rows: new Map([[SELF, rowOf(recordOf(1))]]) })
    expectState(resume(state, NOW_MS), state, { ...started, ownRequests: [] })
  })
})
