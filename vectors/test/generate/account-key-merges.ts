/** What a device makes of account keys that it reads, makes and erases. Nothing is calculated: both sides are written out. */
import type { Case } from './case.ts'

const A = 'aa'.repeat(32)
const B = 'bb'.repeat(32)
const C = 'cc'.repeat(32)
const LOW = `7f${'ff'.repeat(31)}`
const HIGH = `80${'00'.repeat(31)}`
const RETENTION_S = 16 * 86_400

interface Key {
  readonly seed: string
  readonly created: number
  readonly rotated?: number | null
}

type Op = { op: 'msg'; account_keys: Key[] } | { op: 'rotate'; seed: string; now: number } | { op: 'prune'; now: number }
type Row = readonly [name: string, clause: string, reason: string, ops: Op[], out: Key[]]

const key = (seed: string, created: number, rotated?: number): Key =>
  rotated === undefined ? { seed, created } : { seed, created, rotated }
const msg = (...account_keys: Key[]): Op => ({ op: 'msg', account_keys })
const rotate = (seed: string, now: number): Op => ({ op: 'rotate', seed, now })
const prune = (now: number): Op => ({ op: 'prune', now })

/** The cases, always the same. */
export function accountKeyMergeCases(): Case[] {
  return [...insertions(), ...knownKeys(), ...rotations(), ...prunings()].map(([name, clause, reason, ops, out]) => ({
    chapter: 'account-keys',
    name,
    reason,
    clause,
    in: { ops },
    out: { account_keys: out.map(one => ({ rotated: null, ...one })) },
  }))
}

function insertions(): Row[] {
  return [
    [
      'merge-one-after-another',
      'AK-11',
      'keys are inserted in the order given: A is rotated when B was created, which comes before C does',
      [msg(key(A, 10), key(B, 20), key(C, 30))],
      [key(C, 30), key(B, 20, 30), key(A, 10, 20)],
    ],
    [
      'merge-newest-first',
      'AK-11',
      'keys are inserted in the order given: A and B both give way to C, which comes before B does',
      [msg(key(A, 10), key(C, 30), key(B, 20))],
      [key(C, 30), key(B, 20, 30), key(A, 10, 30)],
    ],
    [
      'merge-tie',
      'AK-11',
      'of two keys of the same second the lower seed wins',
      [msg(key(B, 10)), msg(key(A, 10))],
      [key(A, 10), key(B, 10, 10)],
    ],
    [
      'merge-tie-unsigned',
      'AK-11',
      'seeds are compared as unsigned bytes, the first one first',
      [msg(key(HIGH, 10)), msg(key(LOW, 10))],
      [key(LOW, 10), key(HIGH, 10, 10)],
    ],
  ]
}

function knownKeys(): Row[] {
  return [
    [
      'merge-earlier-rotation',
      'AK-11',
      'of two times of rotation the earlier one counts, whichever comes first',
      [msg(key(A, 10, 40)), msg(key(A, 10, 30)), msg(key(A, 10, 35))],
      [key(A, 10, 30)],
    ],
    [
      'merge-rotation-learnt',
      'AK-11',
      'a time of rotation counts more than none',
      [msg(key(A, 10)), msg(key(A, 10, 30))],
      [key(A, 10, 30)],
    ],
    [
      'merge-rotation-kept',
      'AK-11',
      'a key that is rotated does not become current again',
      [msg(key(A, 10, 30)), msg(key(A, 10))],
      [key(A, 10, 30)],
    ],
    [
      'merge-creation-kept',
      'AK-11',
      'when a key was created never changes',
      [msg(key(A, 10)), msg(key(A, 5)), msg(key(A, 50))],
      [key(A, 10)],
    ],
    [
      'merge-rotated-newer',
      'AK-11',
      'only keys that are not rotated contend: a newer one that is rotated leaves the current one alone',
      [msg(key(A, 10)), msg(key(B, 50, 60))],
      [key(A, 10), key(B, 50, 60)],
    ],
    [
      'merge-order',
      'AK-13',
      'of keys rotated at the same time the one created last comes first',
      [msg(key(A, 10, 40), key(B, 20, 40), key(C, 5, 60))],
      [key(C, 5, 60), key(B, 20, 40), key(A, 10, 40)],
    ],
  ]
}

function rotations(): Row[] {
  return [
    ['rotate-first', 'AK-04', 'the first key is created now', [rotate(A, 100)], [key(A, 100)]],
    [
      'rotate-after-the-future',
      'AK-04',
      'a fresh key counts as created after every key held, though its clock is behind that of the others',
      [msg(key(A, 500), key(B, 900, 950)), rotate(C, 100)],
      [key(C, 901), key(B, 900, 950), key(A, 500, 901)],
    ],
    [
      'rotate-without-current',
      'AK-04',
      'a key that is rotated already keeps its time',
      [msg(key(A, 10, 30)), rotate(B, 100)],
      [key(B, 100), key(A, 10, 30)],
    ],
  ]
}

function prunings(): Row[] {
  const rotated = [key(A, 10, 20), key(B, 20)]
  const late = [msg(key(A, 10), key(C, 500)), msg(key(B, 20))]
  const replayed = [msg(key(A, 10)), rotate(B, 20), rotate(C, 500), prune(21 + RETENTION_S), msg(key(A, 10))]
  return [
    ['prune-last-second', 'AK-06', 'a key is kept for 16 days', [msg(...rotated), prune(20 + RETENTION_S)], rotated.toReversed()],
    ['prune-next-second', 'AK-06', 'a key is erased after 16 days', [msg(...rotated), prune(21 + RETENTION_S)], [key(B, 20)]],
    ['prune-current', 'AK-06', 'the current key is kept, however old', [msg(key(A, 10)), prune(100 * RETENTION_S)], [key(A, 10)]],
    [
      'prune-settled',
      'AK-12',
      'A is past, since B was created when it was: that its rotation was first told as 500 does not keep it',
      [...late, prune(21 + RETENTION_S)],
      [key(C, 500), key(B, 20, 500)],
    ],
    [
      'prune-replayed',
      'AK-12',
      'a key that was erased does not live again because an old message is sent again',
      [...replayed, prune(21 + RETENTION_S)],
      [key(C, 500), key(B, 20, 500)],
    ],
  ]
}
