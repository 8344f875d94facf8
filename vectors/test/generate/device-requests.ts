/** Cases of merging with what the person of a device does: letting in and removing. */
import type { KeyOut, Op } from './device-merging.ts'
import {
  A,
  ALL,
  accept,
  B,
  HIGH,
  kicked,
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
  remove,
  row,
  SELF,
} from './device-words.ts'

export function requests(): Row[] {
  return [
    ['link-unknown', 'DS-26', 'a device never heard of asks, and nobody has to be told', [link(5, LOW)], [row(1, 5, LOW)]],
    [
      'link-greater-seqno',
      'DS-26',
      'a device that asks again has a greater seqno',
      [link(5, ALL), link(6, NONE)],
      [row(1, 6, NONE)],
    ],
    [
      'link-lesser-seqno',
      'DS-26',
      'an earlier request that comes late does not count',
      [link(6, NONE), link(5, ALL)],
      [row(1, 6, NONE)],
    ],
    [
      'link-greater-digest',
      'DS-26',
      'of two requests with the same seqno the greater digest counts',
      [link(5, LOW), link(5, HIGH), link(5, LOW)],
      [row(1, 5, HIGH)],
    ],
    [
      'link-member',
      'DS-27',
      'the row of a member does not change by its asking',
      [read(member(5, LOW, 'phone')), link(9, ALL)],
      [row(2, 5, LOW, { desc: 'phone', ...marked })],
    ],
    ['link-left', 'DS-26', 'a device that left cannot ask', [read(left(100)), link(9, ALL)], [row(3, 0, null, { kicked: 100 })]],
    [
      'link-kicked',
      'DS-26',
      'a device that was removed cannot ask',
      [read(kicked(100)), link(9, ALL)],
      [row(4, 0, null, { kicked: 100 })],
    ],
    ['link-own', 'DS-26', 'nobody asks itself', [link(9, ALL, SELF)], []],
    [
      'accept-pending',
      'DS-28',
      'a device that is let in has the record it asked with, and others have to be told',
      [link(5, LOW), accept()],
      [row(2, 5, LOW, marked)],
    ],
    ['accept-unknown', 'DS-28', 'only a device that asks can be let in', [accept()], []],
    [
      'accept-kicked',
      'DS-28',
      'a device that was removed while it asked cannot be let in',
      [link(5, LOW), read(kicked(100)), accept()],
      [row(4, 5, LOW, { kicked: 100 })],
    ],
    [
      'accept-then-record',
      'DS-04',
      'after being let in a device is known by the record with the greater seqno',
      [link(5, ALL), accept(), read(member(4, ALL)), read(member(6, NONE, 'phone'))],
      [row(2, 6, NONE, { desc: 'phone', ...marked })],
    ],
  ]
}

export function removals(): Row[] {
  const rotate: Op = { op: 'rotate', seed: A, now: 100 }
  const keys = (createdB: number): KeyOut[] => [
    { seed: B, created: createdB, rotated: null },
    { seed: A, created: 100, rotated: createdB },
  ]
  const unrotated: KeyOut[] = [{ seed: A, created: 100, rotated: null }]
  return [
    [
      'remove-member',
      'DS-29',
      'a member that is removed is gone now, keeps its record, and the account key is rotated',
      [rotate, read(member(5, LOW, 'phone')), remove(200, B)],
      [row(4, 5, LOW, { desc: 'phone', kicked: 200, ...marked })],
      keys(200),
    ],
    [
      'remove-clock-behind',
      'DS-29',
      'the account key of a removal counts as newer than all before, though the clock is behind',
      [rotate, read(member(5, LOW)), remove(50, B)],
      [row(4, 5, LOW, { kicked: 50, ...marked })],
      keys(101),
    ],
    [
      'remove-pending',
      'DS-29',
      'a device that only asks cannot be removed, and nothing is rotated',
      [rotate, link(5, LOW), remove(200, B)],
      [row(1, 5, LOW)],
      unrotated,
    ],
    [
      'remove-unknown',
      'DS-29',
      'a device never heard of cannot be removed, and nothing is rotated',
      [rotate, remove(200, B)],
      [],
      unrotated,
    ],
    [
      'remove-own',
      'DS-29',
      'a device does not remove itself',
      [rotate, own(2, 3), remove(200, B, SELF)],
      [row(2, 3, null, { id: SELF })],
      unrotated,
    ],
    [
      'remove-then-record',
      'DS-03',
      'a member that others still list after it was removed stays removed',
      [rotate, read(member(5, LOW)), remove(200, B), readAt(300, member(6, ALL, 'back'))],
      [row(4, 5, LOW, { kicked: 300, ...marked })],
      keys(200),
    ],
    [
      'message-with-both',
      'DS-08',
      'a message has entries and account keys, and both are merged',
      [rotate, { op: 'msg', devices: [member(5, LOW)], account_keys: [{ seed: B, created: 150 }] }],
      [row(2, 5, LOW, marked)],
      keys(150),
    ],
  ]
}
