/** Which message a reference means, when messages begin to disappear, and which of two statements stands. */
import type { Case } from './case.ts'
import { ALICE, BOB, EARLIER_ID, MSG_ID } from './content-fields.ts'

const reference = (author: string, sent_at_ms: number, msg_id?: string) => ({ author, sent_at_ms, ...(msg_id && { msg_id }) })
const AT = 1_600_000_000_456
const [OLD, FIRST, SECOND] = [reference(BOB, AT), reference(BOB, AT, MSG_ID), reference(BOB, AT, EARLIER_ID)]

type Reference = ReturnType<typeof reference>

function means(name: string, reason: string, named: Reference, candidates: Reference[], meant: number | string): Case {
  const given = { reference: named, candidates }
  return { chapter: 'content', name: `reference-${name}`, reason, clause: 'CON-11', in: given, out: { meant } }
}

interface Moment {
  readonly mode: 'after-read' | 'after-send'
  readonly timer_s: number
  readonly outgoing: boolean
  readonly sent_at_ms: number
  readonly read_at_ms?: number
}

function moment(name: string, reason: string, given: Moment, starts_at_ms?: number): Case {
  const out = starts_at_ms === undefined ? {} : { starts_at_ms, disappears_at_ms: starts_at_ms + given.timer_s * 1000 }
  return { chapter: 'content', name: `moment-${name}`, reason, clause: 'CON-23', in: { ...given }, out }
}

const READ = { mode: 'after-read', timer_s: 300, outgoing: false, sent_at_ms: 10_000 } as const
const SENT = { ...READ, mode: 'after-send' } as const

interface Said {
  readonly sent_at_ms: number
  readonly msg_id?: string
  readonly action: 'add' | 'remove'
}

function stands(name: string, reason: string, said: Said, known: Said, supersedes: boolean): Case {
  return { chapter: 'content', name: `reactions-${name}`, reason, clause: 'CON-13', in: { said, known }, out: { supersedes } }
}

/** The cases, always the same. */
export function contentReferenceCases(): Case[] {
  const add = (sent_at_ms: number, msg_id?: string): Said => ({ sent_at_ms, ...(msg_id && { msg_id }), action: 'add' })
  const remove = (sent_at_ms: number, msg_id?: string): Said => ({ ...add(sent_at_ms, msg_id), action: 'remove' })
  return [
    means('one', 'author and time fit one message', OLD, [reference(ALICE, AT), reference(BOB, AT + 1), FIRST], 2),
    means('by-msg-id', 'two of one millisecond, told apart', SECOND, [FIRST, SECOND], 1),
    means('ambiguous', 'two of one millisecond, and an older client refers to one', OLD, [FIRST, SECOND], 'ambiguous'),
    means('ambiguous-old', 'two of one millisecond by an older client', OLD, [OLD, OLD], 'ambiguous'),
    means('other-msg-id', 'only another message of that millisecond is there', SECOND, [FIRST], 'unknown'),
    means('without-msg-id', 'the message has no msgId, so it is another one', SECOND, [OLD], 'unknown'),
    means('other-author', 'the msgId of another author is no proof', SECOND, [reference(ALICE, AT, EARLIER_ID)], 'unknown'),
    means('none', 'no message at all', OLD, [], 'unknown'),
    moment('unread', 'nobody has read it', READ),
    moment('read', 'from when it was read', { ...READ, read_at_ms: 90_000 }, 90_000),
    moment('read-before-sent', 'the clock of the reader is behind', { ...READ, read_at_ms: 9_000 }, 10_000),
    moment('own-after-read', 'on its author’s devices it counts as read', { ...READ, outgoing: true }, 10_000),
    moment('sent', 'from when it was sent, read or not', SENT, 10_000),
    moment('sent-and-read', 'reading changes nothing', { ...SENT, read_at_ms: 90_000 }, 10_000),
    moment('own-after-send', 'the same on its author’s devices', { ...SENT, outgoing: true }, 10_000),
    stands('later', 'taken off after it was put on', remove(2), add(1), true),
    stands('earlier', 'the removal came first and was made later', add(1), remove(2), false),
    stands('greater-id', 'the greater msgId, as a number without sign', add(1, MSG_ID), remove(1, EARLIER_ID), true),
    stands('no-id', 'none is the least', remove(1), add(1, EARLIER_ID), false),
    stands('removal', 'at one time, without msgId, the removal', remove(1), add(1), true),
    stands('same', 'the same one again changes nothing', add(1), add(1), false),
  ]
}
