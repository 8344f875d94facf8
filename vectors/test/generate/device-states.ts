/**
 * What a device makes of what it reads about others, asks, accepts and removes. Both sides are written out; the rules of the protocol
 * package are asked too, and have to agree.
 */
import type { Case } from './case.ts'
import { type Holding, merged } from './device-merging.ts'
import { removals, requests } from './device-requests.ts'
import {
  ALL,
  GREATEST,
  HIGH,
  kicked,
  LAPTOP,
  LOW,
  left,
  link,
  marked,
  member,
  NONE,
  own,
  type Row,
  read,
  readAt,
  row,
  SELF,
} from './device-words.ts'

/** The cases, always the same. */
export function deviceStatesCases(): Case[] {
  const rows = [
    ...records(),
    ...moreRecords(),
    ...ownRecords(),
    ...restated(),
    ...tombstones(),
    ...laterTombstones(),
    ...requests(),
    ...removals(),
  ]
  return rows.map(([name, clause, reason, ops, devices, keys = []]) => {
    const out: Holding = { devices, account_keys: keys }
    const calculated = merged(SELF, ops)
    if (JSON.stringify(calculated) !== JSON.stringify(out)) {
      throw new Error(`${name}: the rules say ${JSON.stringify(calculated)}, not ${JSON.stringify(out)}`)
    }
    return { chapter: 'device-states', name, reason, clause, in: { self: SELF, ops }, out: { ...out } }
  })
}

function records(): Row[] {
  return [
    [
      'record-unknown',
      'DS-04',
      'a device never heard of is a member, and others have to be told',
      [read(member(5, LOW, 'phone'))],
      [row(2, 5, LOW, { desc: 'phone', ...marked })],
    ],
    [
      'record-greater-seqno',
      'DS-04',
      'a greater seqno counts, whatever the digest',
      [read(member(5, ALL, 'old')), read(member(6, NONE, 'new'))],
      [row(2, 6, NONE, { desc: 'new', ...marked })],
    ],
    [
      'record-lesser-seqno',
      'DS-04',
      'a lesser seqno does not count, whatever the digest',
      [read(member(6, NONE, 'new')), read(member(5, ALL, 'old'))],
      [row(2, 6, NONE, { desc: 'new', ...marked })],
    ],
    [
      'record-twice',
      'DS-04',
      'the same record again changes nothing',
      [read(member(5, LOW, 'phone')), read(member(5, LOW, 'phone'))],
      [row(2, 5, LOW, { desc: 'phone', ...marked })],
    ],
    [
      'record-digest-unsigned',
      'DS-04',
      'at the same seqno digests are compared as unsigned bytes',
      [read(member(5, LOW, 'low')), read(member(5, HIGH, 'high'))],
      [row(2, 5, HIGH, { desc: 'high', ...marked })],
    ],
    [
      'record-digest-first-byte',
      'DS-04',
      'of a digest the first byte counts most, and the greater one stays whichever comes first',
      [read(member(5, '0200000000000000', 'second')), read(member(5, '01ffffffffffffff', 'first'))],
      [row(2, 5, '0200000000000000', { desc: 'second', ...marked })],
    ],
  ]
}

function moreRecords(): Row[] {
  return [
    [
      'record-two-devices',
      'DS-04',
      'records count by device, two of one message as if they came alone',
      [read(member(5, LOW), member(7, HIGH, '', LAPTOP)), read(member(6, HIGH, '', LAPTOP), member(6, LOW))],
      [row(2, 6, LOW, marked), row(2, 7, HIGH, { id: LAPTOP, ...marked })],
    ],
    [
      'record-after-pending',
      'DS-04',
      'a member is more than a device that asks, whatever the seqno',
      [link(9, ALL), read(member(3, NONE))],
      [row(2, 3, NONE, marked)],
    ],
    [
      'record-greatest-seqno',
      'DS-04',
      'seqnos are not rounded where numbers end',
      [read(member(GREATEST - 1, ALL)), read(member(GREATEST, NONE)), read(member(GREATEST - 1, ALL))],
      [row(2, GREATEST, NONE, marked)],
    ],
    [
      'record-negative-seqno',
      'DS-04',
      'a seqno may be negative, and is less than 0 then',
      [read(member(-GREATEST, ALL)), read(member(-1, LOW)), read(member(0, NONE)), read(member(-1, ALL))],
      [row(2, 0, NONE, marked)],
    ],
  ]
}

function ownRecords(): Row[] {
  const self = { id: SELF }
  return [
    [
      'own-record-same-seqno',
      'DS-04',
      'what a device wrote about itself does not yield to its own seqno, whatever the digest',
      [own(2, 3), read(member(3, ALL, 'not mine', SELF))],
      [row(2, 3, null, self)],
    ],
    [
      'own-record-greater-seqno',
      'DS-10',
      'what others wrote about a device counts with a greater seqno, and nobody has to be told',
      [own(2, 3), read(member(4, NONE, 'named by others', SELF))],
      [row(2, 4, NONE, { ...self, desc: 'named by others' })],
    ],
    [
      'own-record-lesser-seqno',
      'DS-04',
      'what others wrote about a device before does not count',
      [own(2, 3), read(member(2, ALL, 'old', SELF))],
      [row(2, 3, null, self)],
    ],
    [
      'own-record-admitted',
      'DS-04',
      'a device that asks is let in by any record, and then tells it too',
      [own(1, 9), read(member(3, NONE, '', SELF))],
      [row(2, 3, NONE, { ...self, ...marked })],
    ],
    [
      'own-record-unregistered',
      'DS-04',
      'a device whose request was over is let in all the same',
      [own(0, 9), read(member(3, NONE, '', SELF))],
      [row(2, 3, NONE, { ...self, ...marked })],
    ],
    [
      'own-tombstone',
      'DS-05',
      'a device that reads of its own removal is removed, and keeps what it wrote',
      [own(2, 3), read(kicked(100, SELF))],
      [row(4, 3, null, { ...self, kicked: 100, ...marked })],
    ],
  ]
}

function restated(): Row[] {
  return [
    [
      'restated-left',
      'DS-03',
      'a record of a device that left is refused, and the leaving told again with the time of now',
      [read(left(100)), readAt(500, member(9, ALL, 'back'))],
      [row(3, 0, null, { kicked: 500, ...marked })],
    ],
    [
      'restated-kicked',
      'DS-03',
      'a record of a device that was removed is refused; the record it had stays',
      [read(member(5, LOW, 'phone')), read(kicked(100)), readAt(500, member(9, ALL, 'back'))],
      [row(4, 5, LOW, { desc: 'phone', kicked: 500, ...marked })],
    ],
    [
      'restated-left-clock-behind',
      'DS-03',
      'a clock that is behind does not make the time of a leaving earlier',
      [read(left(600)), readAt(500, member(9, ALL))],
      [row(3, 0, null, { kicked: 600, ...marked })],
    ],
    [
      'restated-kicked-clock-behind',
      'DS-03',
      'a clock that is behind does not make the time of a removal earlier',
      [read(kicked(600)), readAt(500, member(9, ALL))],
      [row(4, 0, null, { kicked: 600, ...marked })],
    ],
    [
      'restated-same-record',
      'DS-03',
      'the very record that a device was removed with is refused as well',
      [read(member(5, LOW)), read(kicked(100)), readAt(500, member(5, LOW))],
      [row(4, 5, LOW, { kicked: 500, ...marked })],
    ],
  ]
}

function tombstones(): Row[] {
  return [
    [
      'left-unknown',
      'DS-05',
      'a device never heard of is known to have left, and nobody has to be told',
      [read(left(100))],
      [row(3, 0, null, { kicked: 100 })],
    ],
    [
      'kicked-unknown',
      'DS-05',
      'a device never heard of is known to be removed, and nobody has to be told',
      [read(kicked(100))],
      [row(4, 0, null, { kicked: 100 })],
    ],
    [
      'left-member',
      'DS-05',
      'a member that left keeps its record, and others have to be told',
      [read(member(5, LOW, 'phone')), read(left(100))],
      [row(3, 5, LOW, { desc: 'phone', kicked: 100, ...marked })],
    ],
    [
      'kicked-member',
      'DS-05',
      'a member that was removed keeps its record, and others have to be told',
      [read(member(5, LOW, 'phone')), read(kicked(100))],
      [row(4, 5, LOW, { desc: 'phone', kicked: 100, ...marked })],
    ],
    [
      'left-pending',
      'DS-05',
      'a device that asks and left before is gone, and nobody has to be told',
      [link(5, LOW), read(left(100))],
      [row(3, 5, LOW, { kicked: 100 })],
    ],
  ]
}

function laterTombstones(): Row[] {
  return [
    [
      'left-later',
      'DS-05',
      'of two times of leaving the later one counts',
      [read(left(100)), read(left(101))],
      [row(3, 0, null, { kicked: 101 })],
    ],
    [
      'left-earlier',
      'DS-05',
      'of two times of leaving the earlier one does not count',
      [read(left(101)), read(left(100))],
      [row(3, 0, null, { kicked: 101 })],
    ],
    [
      'kicked-later',
      'DS-05',
      'of two times of removal the later one counts',
      [read(kicked(100)), read(kicked(101))],
      [row(4, 0, null, { kicked: 101 })],
    ],
    [
      'kicked-earlier',
      'DS-05',
      'of two times of removal the earlier one does not count',
      [read(kicked(101)), read(kicked(100))],
      [row(4, 0, null, { kicked: 101 })],
    ],
    [
      'left-then-kicked',
      'DS-05',
      'a removal is more than a leaving, and its time counts though it is earlier',
      [read(left(100)), read(kicked(50))],
      [row(4, 0, null, { kicked: 50 })],
    ],
    [
      'kicked-then-left',
      'DS-05',
      'a leaving is less than a removal, though it is later',
      [read(kicked(50)), read(left(100))],
      [row(4, 0, null, { kicked: 50 })],
    ],
    [
      'tombstone-greatest-time',
      'DS-05',
      'times of removal are not rounded where numbers end',
      [read(kicked(GREATEST)), read(kicked(GREATEST - 1))],
      [row(4, 0, null, { kicked: GREATEST })],
    ],
  ]
}
