/** The naive model does what the clauses say of merging: known answers, then histories written by hand. */
import { loadVectorsOfKind } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { addAccountKey, inOrder, listedAccountKeys, mergeAccountKeys } from './model-account-keys.ts'
import {
  converge,
  DAY_MS,
  digestOf,
  emptyMessage,
  GROUP,
  HOUR_MS,
  letIn,
  MINUTE_MS,
  messageOf,
  newDevice,
  newFounder,
  OTHER_GROUP,
  rowOf,
  START_MS,
  START_S,
  send,
  unreadable,
} from './model-people.ts'
import { mergeEntry, type RowChange } from './model-rows.ts'
import type { ModelAccountKey, ModelEntry, ModelKey, ModelMessage, ModelRecord, ModelRow } from './model-types.ts'

const RESULTS: Readonly<Record<RowChange, string>> = {
  none: 'stale',
  restated: 'refused-and-restated',
  joined: 'registered',
  updated: 'updated',
  left: 'tombstone-applied',
  kicked: 'tombstone-applied',
}

describe('known answers (DS-03, DS-04, DS-05, AK-04, AK-11)', () => {
  const cases = loadVectorsOfKind('device-states', 'merge')

  it('are six', () => expect(cases.length).toBe(6))

  it.each(cases.map(({ in: given, out }) => [given.name as string, given, out]))('%s', (_name, given, out) => {
    const rows = new Map<string, ModelRow>()
    let keys: ModelAccountKey[] = []
    const log = given.ops.map((op: Op) => {
      const nowS = op.now ?? 0
      if (op.op === 'rotate') addAccountKey(keys, op.seed, nowS)
      if (op.op === 'self') rows.set(given.self, { state: 'registered', record: recordOf(op), marked: false })
      if (op.op !== 'msg') return { op: op.op }
      const results = (op.devices ?? []).map(device => RESULTS[mergeEntry(rows, device.id, entryOf(device), nowS)])
      keys = mergeAccountKeys(keys, (op.account_keys ?? []).map(keyOf), nowS).keys
      return { op: 'msg', results, departed_rotation_due: false }
    })
    expect(log).toEqual(out.log)
    expect([...rows].map(([id, row]) => rowAnswer(id, row))).toEqual(out.devices)
    expect(inOrder(keys).map(keyAnswer)).toEqual(out.account_keys)
  })
})

interface Op extends OpDevice {
  readonly op: string
  readonly seed: string
  readonly now?: number
  readonly devices?: readonly OpDevice[]
  readonly account_keys?: readonly { readonly seed: string; readonly created: number; readonly rotated?: number }[]
}

interface OpDevice {
  readonly id: string
  readonly state: number
  readonly seqno: number
  readonly digest: string
  readonly desc?: string
  readonly kicked?: number
}

function recordOf({ seqno, desc }: OpDevice): ModelRecord {
  return { seqno: BigInt(seqno), timestampS: 0n, x25519: '', details: desc ?? '' }
}

function entryOf(device: OpDevice): ModelEntry {
  if (device.state === 2) return { member: recordOf(device), digest: device.digest }
  return { how: device.state === 3 ? 'left' : 'kicked', removedAtS: BigInt(device.kicked!) }
}

function keyOf({
  seed,
  created,
  rotated,
}: {
  readonly seed: string
  readonly created: number
  readonly rotated?: number
}): ModelKey {
  return { seed, createdAtS: created, ...(rotated === undefined ? {} : { rotatedAtS: rotated }) }
}

function rowAnswer(id: string, { state, record, digest, removedAtS, marked }: ModelRow): object {
  return {
    id,
    state: ['unregistered', 'pending', 'registered', 'left', 'kicked'].indexOf(state),
    seqno: Number(record?.seqno ?? 0n),
    desc: record?.details ?? '',
    kicked: removedAtS === undefined ? null : Number(removedAtS),
    broadcast_needed: marked ? 1 : 0,
    digest: digest ?? null,
  }
}

function keyAnswer({ seed, createdAtS, rotatedAtS, distributed }: ModelAccountKey): object {
  return { seed, created: createdAtS, rotated: rotatedAtS ?? null, distributed: distributed ? 1 : 0 }
}

function memberEntry(seqno: bigint, changes: Partial<ModelRecord> = {}): ModelEntry {
  const member = { seqno, timestampS: BigInt(START_S), x25519: 'x', details: 'd', ...changes }
  return { member, digest: digestOf(member) }
}

/** A message of the group with these entries and keys. */
function saying(nowMs: number, entries: Readonly<Record<string, ModelEntry>>, keys: readonly ModelKey[] = []): ModelMessage {
  return emptyMessage(GROUP, nowMs, { opened: { devices: new Map(Object.entries(entries)), keys, openedWith: '' } })
}

describe('one entry', () => {
  it('a record against a row that is gone moves the removal to now, but never back, and marks it (DS-03)', () => {
    const device = newFounder('a')
    device.merge(saying(START_MS, { b: { how: 'left', removedAtS: BigInt(START_S + 100) } }), START_MS)
    device.merge(saying(START_MS, { b: memberEntry(9n) }), START_MS + 50_000)
    expect(rowOf(device, 'b')).toMatchObject({ state: 'left', removedAtS: BigInt(START_S + 100), record: null, marked: true })
    device.merge(saying(START_MS, { b: memberEntry(9n) }), START_MS + 200_000)
    expect(rowOf(device, 'b')).toMatchObject({ removedAtS: BigInt(START_S + 200) })
  })

  it('a tombstone that is later, or of the greater state, wins; a bare one is not marked (DS-02, DS-05)', () => {
    const device = newFounder('a')
    const tell = (how: 'left' | 'kicked', atS: bigint) =>
      device.merge(saying(START_MS, { b: { how, removedAtS: atS } }), START_MS)
    tell('left', 500n)
    expect(rowOf(device, 'b')).toEqual({ id: 'b', state: 'left', record: null, digest: null, removedAtS: 500n, marked: false })
    tell('left', 400n)
    expect(rowOf(device, 'b')).toMatchObject({ removedAtS: 500n })
    tell('kicked', 300n)
    expect(rowOf(device, 'b')).toMatchObject({ state: 'kicked', removedAtS: 300n, marked: false })
    tell('left', 900n)
    expect(rowOf(device, 'b')).toMatchObject({ state: 'kicked', removedAtS: 300n })
  })

  it('a tombstone of a member marks the row and keeps its record (DS-05)', () => {
    const device = newFounder('a')
    device.merge(saying(START_MS, { b: memberEntry(3n) }), START_MS)
    send(device, START_MS)
    device.merge(saying(START_MS, { b: { how: 'kicked', removedAtS: 7n } }), START_MS)
    expect(rowOf(device, 'b')).toMatchObject({ state: 'kicked', record: { seqno: 3n }, marked: true })
  })
})

describe('a group message', () => {
  it('is recorded by its group, readable or not: latest link key, latest time, latest expiry (DS-06)', () => {
    const device = newDevice('a')
    device.merge({ ...unreadable(GROUP, START_MS), linkKey: '05', expiresAtMs: START_MS + 9 }, START_MS)
    device.merge({ ...unreadable(GROUP, START_MS), linkKey: '04', expiresAtMs: START_MS + 5 }, START_MS)
    device.merge({ ...unreadable(GROUP, START_MS - 1), linkKey: '09', expiresAtMs: START_MS + 7 }, START_MS)
    device.merge(unreadable(undefined, START_MS), START_MS)
    expect(device.snapshot().groupsInView).toEqual([
      { groupId: GROUP, linkKey: '05', seenAtMs: START_MS, expiresAtMs: START_MS + 9, dismissed: false },
    ])
  })

  it('of another group is not merged, of a group without ID it is (DS-07)', () => {
    const device = newFounder('a')
    device.merge({ ...saying(START_MS, { b: memberEntry(1n) }), groupId: OTHER_GROUP }, START_MS)
    expect(rowOf(device, 'b')).toBeUndefined()
    const { groupId: _, ...withoutId } = saying(START_MS, { b: memberEntry(1n) })
    device.merge(withoutId, START_MS)
    expect(rowOf(device, 'b')).toMatchObject({ state: 'registered', marked: true })
  })

  it('brings no key of the far future and none that is long rotated (DS-08)', () => {
    const device = newFounder('a')
    const keys = [
      { seed: 'ahead', createdAtS: START_S + 5 * 86_400 + 1 },
      { seed: 'near', createdAtS: START_S + 5 * 86_400 },
      { seed: 'old', createdAtS: START_S - 40 * 86_400, rotatedAtS: START_S - 16 * 86_400 - 1 },
      { seed: 'late', createdAtS: START_S - 39 * 86_400, rotatedAtS: START_S - 16 * 86_400 },
      // Never said to be rotated, but another was made since.
      { seed: 'forged', createdAtS: START_S - 39 * 86_400 - 1, rotatedAtS: START_S },
    ]
    device.merge(saying(START_MS, {}, keys), START_MS)
    expect(device.snapshot().accountKeys).toEqual([
      { seed: 'near', createdAtS: START_S + 5 * 86_400, rotatedAtS: null, distributed: false },
      { seed: `seed-${GROUP}`, createdAtS: START_S, rotatedAtS: START_S + 5 * 86_400, distributed: false },
      { seed: 'late', createdAtS: START_S - 39 * 86_400, rotatedAtS: START_S - 16 * 86_400, distributed: false },
    ])
  })

  it('leaves keys that are held to the end of a complete fetch (DS-08, DS-37)', () => {
    const device = newFounder('a')
    device.rotate('next', START_MS + HOUR_MS)
    device.merge(saying(START_MS + 20 * DAY_MS, {}), START_MS + 20 * DAY_MS)
    expect(device.snapshot().accountKeys.length).toBe(2)
  })
})

describe('what a group message leads to', () => {
  it('makes a rotation due for a departure, not for a removal, nor for one that was gone (DS-09)', () => {
    const device = newFounder('a')
    device.merge(saying(START_MS, { b: { how: 'kicked', removedAtS: 7n } }), START_MS)
    device.merge(saying(START_MS, { b: { how: 'left', removedAtS: 8n } }), START_MS)
    expect(device.snapshot().rotationOwed).toBe(false)
    device.merge(saying(START_MS, { c: { how: 'left', removedAtS: 8n } }), START_MS)
    expect(device.snapshot().rotationOwed).toBe(true)
    expect(device.rotate('fresh', START_MS)).toBe('done')
    device.merge(saying(START_MS, { c: { how: 'left', removedAtS: 9n } }), START_MS)
    expect(device.snapshot().rotationOwed).toBe(false)
  })

  it('changes the own details, but never the own keys (DS-10)', () => {
    const device = newFounder('a')
    device.merge(saying(START_MS, { a: memberEntry(5n, { x25519: 'x-a', details: 'new' }) }), START_MS)
    expect(device.snapshot().details).toBe('new')
    expect(rowOf(device, 'a')).toMatchObject({ record: { seqno: 5n }, digest: expect.any(String) })
    device.merge(saying(START_MS, { a: memberEntry(6n, { x25519: 'foreign', details: 'newer' }) }), START_MS + 1000)
    expect(rowOf(device, 'a')).toMatchObject({
      record: { seqno: 7n, timestampS: BigInt(START_S + 1), x25519: 'x-a', details: 'newer' },
      digest: null,
    })
  })

  it('is remembered by its hash until a push has deleted it (DS-11, DS-34, DS-35)', () => {
    const device = newFounder('a')
    device.merge({ ...saying(START_MS + 9, {}), hash: 'one' }, START_MS)
    device.merge({ ...saying(START_MS + 3, {}), hash: 'two' }, START_MS)
    expect(device.snapshot()).toMatchObject({ readAtMs: START_MS + 9, mergedHashes: ['one', 'two'] })
    const push = device.push(START_MS)!
    device.merge({ ...saying(START_MS, {}), hash: 'three' }, START_MS)
    device.confirmPush(push, 'own', START_MS)
    expect(push.deletes).toEqual(['one', 'two'])
    expect(device.snapshot().mergedHashes).toEqual(['three', 'own'])
  })
})

describe('a message that cannot be read', () => {
  it('removes the device that it names, in its own group only (DS-14)', () => {
    const device = newFounder('a')
    device.merge(unreadable(OTHER_GROUP, START_MS, true), START_MS)
    expect(rowOf(device, 'a')).toMatchObject({ state: 'registered' })
    device.merge(unreadable(GROUP, START_MS, true), START_MS + 5000)
    expect(rowOf(device, 'a')).toMatchObject({ state: 'kicked', removedAtS: BigInt(START_S + 5) })
    expect(device.snapshot().membership).toBe('InGroup')
    device.completeFetch(START_MS)
    expect(device.snapshot().membership).toBe('Removed')
    expect(device.push(START_MS)).toBeUndefined()
  })

  it('displaces after five minutes, until something later is merged (DS-15, DS-30)', () => {
    const device = newFounder('a')
    device.merge(unreadable(GROUP, START_MS + 5 * MINUTE_MS), START_MS)
    expect(device.snapshot().displacedAtMs).toBeNull()
    device.merge(unreadable(GROUP, START_MS + 5 * MINUTE_MS + 1), START_MS)
    device.merge(unreadable(GROUP, START_MS + 4 * MINUTE_MS), START_MS)
    device.completeFetch(START_MS)
    expect(device.snapshot()).toMatchObject({ displacedAtMs: START_MS + 5 * MINUTE_MS + 1, membership: 'Displaced' })
    expect([device.push(START_MS), device.rotate('seed', START_MS)]).toEqual([undefined, 'refused'])
    device.merge(saying(START_MS + 5 * MINUTE_MS, {}), START_MS)
    device.completeFetch(START_MS)
    expect(device.snapshot().membership).toBe('Displaced')
    device.merge(saying(START_MS + 5 * MINUTE_MS + 1, {}), START_MS)
    device.completeFetch(START_MS)
    expect(device.snapshot()).toMatchObject({ displacedAtMs: null, membership: 'InGroup' })
  })
})

describe('account keys', () => {
  it('count as rotated when the next newer one was made (AK-12, DS-33)', () => {
    const keys = [
      { seed: '02', createdAtS: 10 },
      { seed: '01', createdAtS: 10, rotatedAtS: 99 },
      { seed: '03', createdAtS: 30, rotatedAtS: 31 },
    ]
    expect(listedAccountKeys(keys, 100)).toEqual([
      { seed: '03', createdAtS: 30, rotatedAtS: 31 },
      { seed: '01', createdAtS: 10, rotatedAtS: 30 },
      { seed: '02', createdAtS: 10, rotatedAtS: 10 },
    ])
    expect(listedAccountKeys(keys, 31 + 16 * 86_400).map(({ seed }) => seed)).toEqual(['03'])
  })

  it('end up the same in whatever order messages come, once a rotation is made in each half (AK-11, DS-32)', () => {
    const [a, b] = [newFounder('a'), newDevice('b')]
    letIn(a, b, START_MS)
    a.rotate('seed-of-a', START_MS + HOUR_MS)
    b.rotate('seed-of-b', START_MS + 2 * HOUR_MS)
    converge([a, b], START_MS + 3 * HOUR_MS)
    const [ofA, ofB] = [a.snapshot().accountKeys, b.snapshot().accountKeys]
    expect(ofA.map(key => (key as ModelKey).seed)).toEqual(['seed-of-b', 'seed-of-a', `seed-${GROUP}`])
    expect(ofA).toEqual(ofB)
  })

  it('are erased sixteen days after their rotation (DS-37)', () => {
    const device = newFounder('a')
    device.rotate('next', START_MS + HOUR_MS)
    device.completeFetch(START_MS + HOUR_MS + 16 * DAY_MS)
    expect(device.snapshot().accountKeys.length).toBe(2)
    device.completeFetch(START_MS + HOUR_MS + 16 * DAY_MS + 1000)
    expect(device.snapshot().accountKeys).toMatchObject([{ seed: 'next' }])
  })
})

describe('a push', () => {
  it('settles only what has not changed since, and then nothing is owed (DS-34, DS-35)', () => {
    const device = newFounder('a')
    device.merge(saying(START_MS, { b: memberEntry(1n), c: memberEntry(1n) }), START_MS)
    const push = device.push(START_MS)!
    device.merge(saying(START_MS, { c: memberEntry(2n) }), START_MS)
    device.changeDetails('changed', START_MS + 1000)
    device.rotate('second', START_MS + 1000)
    device.confirmPush(push, 'own', START_MS + 2000)
    expect([rowOf(device, 'a'), rowOf(device, 'b'), rowOf(device, 'c')]).toMatchObject([
      { marked: true, record: { seqno: 2n, details: 'changed' } },
      { marked: false },
      { marked: true },
    ])
    expect(device.snapshot()).toMatchObject({
      confirmedSeqno: 1n,
      accountKeys: [{ distributed: false }, { distributed: true }],
      groupsInView: [{ groupId: GROUP, linkKey: `link-seed-${GROUP}`, expiresAtMs: START_MS + 2000 + 30 * DAY_MS }],
    })
    send(device, START_MS + 3000)
    expect(device.push(START_MS + 3000)).toBeUndefined()
  })

  it('lists 256 rows that are gone: those that are marked, then those that went last (DS-34)', () => {
    const device = newFounder('a')
    const gone = (atS: number): ModelEntry => ({ how: 'left', removedAtS: BigInt(atS) })
    device.merge(saying(START_MS, { first: memberEntry(1n) }), START_MS)
    const entries = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`gone ${at}`, gone(at + 2)]))
    device.merge(saying(START_MS, { first: gone(1), ...entries }), START_MS)
    const listed = [...device.push(START_MS)!.entries.keys()]
    expect(listed.length).toBe(1 + 256)
    expect(listed).toEqual(expect.arrayContaining(['a', 'first', 'gone 299', 'gone 45']))
    expect(listed).not.toContain('gone 44')
  })

  it('of a group that was left since settles nothing of the next (DS-35)', () => {
    const device = newFounder('a')
    const push = device.push(START_MS)!
    device.leave('a2', 'x2', START_MS)
    device.found(OTHER_GROUP, 'seed', START_MS, false)
    const before = device.snapshot()
    expect(device.confirmPush(push, 'late', START_MS)).toBe('refused')
    expect(device.snapshot()).toEqual(before)
  })

  it('releases older device keys, and a message read with one does not keep it (DK-06, DS-36, DS-37)', () => {
    const device = newFounder('a')
    send(device, START_MS)
    device.rotateDeviceKey('second', START_MS + DAY_MS)
    device.completeFetch(START_MS + 9 * DAY_MS)
    expect(device.snapshot().deviceKeys).toMatchObject([{ x25519: 'second' }, { x25519: 'x-a', releasedAtS: null }])
    const push = device.push(START_MS + 9 * DAY_MS)!
    device.confirmPush(push, 'own', START_MS + 9 * DAY_MS)
    device.merge(messageOf(push, START_MS + 10 * DAY_MS, 'x-a'), START_MS + 10 * DAY_MS)
    device.completeFetch(START_MS + 11 * DAY_MS - 1000)
    expect(device.snapshot().deviceKeys).toMatchObject([
      { x25519: 'second', confirmedAtS: START_S + 9 * 86_400 },
      { x25519: 'x-a', releasedAtS: START_S + 9 * 86_400 },
    ])
    device.completeFetch(START_MS + 11 * DAY_MS)
    expect(device.snapshot().deviceKeys).toMatchObject([{ x25519: 'second' }])
  })
})
