/** Contents that must be refused, each for one reason. */
import { concatBytes } from '@session-v2/encoding'
import {
  ALICE,
  BOB,
  bytes,
  CAROL,
  type ContentRow,
  content,
  dataContent,
  EARLIER_ID_NUMBER,
  EARLIER_MS,
  type From,
  fixed,
  message,
  number,
  TAIL,
  text,
} from './content-fields.ts'

const bad = (name: string, clause: string, reason: string, encoded: Uint8Array, from?: From): ContentRow => {
  return from === undefined ? [name, clause, reason, encoded, 'malformed'] : [name, clause, reason, encoded, 'malformed', from]
}
const reaction = (emoji = '👍', action = 0n, id = EARLIER_MS, author = ALICE) =>
  message(11, number(1, id), text(2, author), text(3, emoji), number(4, action))
const unsend = (author: string, timestamp = EARLIER_MS) => content(message(9, number(1, timestamp), text(2, author)))
const receipt = (...parts: readonly Uint8Array[]) => content(message(5, ...parts))
const extraction = (...parts: readonly Uint8Array[]) => content(message(8, ...parts))
const typing = message(6, number(1, EARLIER_MS), number(2, 0n))
const HELLO = text(1, 'hello')
const CHANGED = number(4, 2n)

/** The rows, always the same. */
export const REFUSED: readonly ContentRow[] = [
  bad('refused-two-things', 'CON-06', 'a text, and that its sender types', concatBytes(message(1, HELLO), typing, TAIL)),
  bad('refused-unsend-and-text', 'CON-06', 'takes a message back and writes one', concatBytes(message(1, HELLO), unsend(BOB))),
  bad('refused-reaction-and-text', 'CON-06', 'a reaction with a text', dataContent(HELLO, reaction())),
  bad('refused-timer-and-text', 'CON-06', 'a change of the timer with a text', dataContent(HELLO, CHANGED)),
  bad('refused-timer-and-reaction', 'CON-06', 'a change of the timer that reacts', dataContent(CHANGED, reaction())),
  bad(
    'refused-reaction-and-quote',
    'CON-06',
    'a reaction that replies',
    dataContent(message(8, number(1, 1n), text(2, BOB)), reaction()),
  ),
  bad('refused-no-time', 'CON-07', 'neither content nor envelope has a time', message(1, HELLO)),
  bad('refused-time-zero', 'CON-07', 'sent at 0', concatBytes(message(1, HELLO), number(15, 0n))),
  bad('refused-time-too-great', 'CON-07', 'sent at 2⁵³', concatBytes(message(1, HELLO), number(15, 2n ** 53n))),
  bad('refused-envelope-zero', 'CON-07', 'no time, and an envelope of 0', message(1, HELLO), { envelope_ms: 0 }),
  bad('refused-foreign-sync-target', 'CON-08', 'another account names the conversation', dataContent(HELLO, text(105, CAROL))),
  bad('refused-sync-target', 'CON-08', 'the copy of what went to no account', dataContent(HELLO, text(105, 'bob')), {
    sender: ALICE,
  }),
  bad(
    'refused-reply-alone',
    'CON-10',
    'a reply that says nothing',
    dataContent(message(8, number(1, EARLIER_MS), text(2, ALICE))),
  ),
  bad('refused-reply-no-author', 'CON-01', 'a quote without an author', dataContent(HELLO, message(8, number(1, EARLIER_MS)))),
  bad('refused-reaction-no-emoji', 'CON-12', 'no emoji', dataContent(message(11, number(1, 1n), text(2, ALICE), number(4, 0n)))),
  bad('refused-reaction-empty', 'CON-12', 'an empty emoji', dataContent(reaction(''))),
  bad('refused-reaction-two', 'CON-12', 'two emoji', dataContent(reaction('👍👍'))),
  bad('refused-reaction-letter', 'CON-12', 'a letter', dataContent(reaction('a'))),
  bad('refused-reaction-digit', 'CON-12', 'a digit, which is an emoji only as a key', dataContent(reaction('1'))),
  bad('refused-reaction-joiner', 'CON-12', 'a joiner that joins nothing', dataContent(reaction('👍\u200d'))),
  bad(
    'refused-reaction-long',
    'CON-12',
    '67 bytes: ten emoji joined',
    dataContent(reaction(Array(10).fill('👍').join('\u200d'))),
  ),
  bad('refused-reaction-action', 'CON-12', 'an action that is none', dataContent(reaction('👍', 2n))),
  bad('refused-reaction-time', 'CON-12', 'to a message of no time', dataContent(reaction('👍', 0n, 0n))),
  bad('refused-reaction-author', 'CON-12', 'to a message of no account', dataContent(reaction('👍', 0n, EARLIER_MS, 'alice'))),
  bad('refused-unsend-mine', 'CON-14', 'Bob takes back what Alice wrote', unsend(ALICE)),
  bad('refused-unsend-third', 'CON-14', 'Bob takes back what Carol wrote', unsend(CAROL)),
  bad('refused-unsend-time', 'CON-14', 'what was written at 0', unsend(BOB, 0n)),
  bad('refused-unsend-author', 'CON-14', 'the author is no account ID', unsend('bob')),
  bad('refused-unsend-no-author', 'CON-01', 'there is no author', content(message(9, number(1, EARLIER_MS)))),
  bad('refused-receipt-none', 'CON-16', 'nothing was read', receipt(number(1, 1n))),
  bad('refused-receipt-time', 'CON-16', 'one of two times is none', receipt(number(1, 1n), number(2, 1n), number(2, 2n ** 53n))),
  bad('refused-receipt-no-type', 'CON-01', 'there is no type', receipt(number(2, 1n))),
  bad('refused-typing-action', 'CON-17', 'an action that is none', content(message(6, number(1, 1n), number(2, 2n)))),
  bad('refused-extraction-type', 'CON-18', 'a type that is none', extraction(number(1, 0n))),
  bad('refused-extraction-index', 'CON-18', 'the attachment −2', extraction(number(1, 2n), number(3, EARLIER_MS), number(5, 3n))),
  bad('refused-extraction-id', 'CON-18', 'a msgId without time', extraction(number(1, 2n), fixed(4, EARLIER_ID_NUMBER))),
  bad('refused-extraction-time', 'CON-18', 'a time of 2⁵³', extraction(number(1, 2n), number(3, 2n ** 53n))),
  bad(
    'refused-timer-type',
    'CON-22',
    'a timer of type 3',
    concatBytes(message(1, CHANGED), number(12, 3n), number(13, 60n), TAIL),
  ),
  bad('refused-timer-no-type', 'CON-22', 'a timer without a type', concatBytes(message(1, CHANGED), number(13, 60n), TAIL)),
  bad('refused-response-empty', 'CON-01', 'a request response that says neither', content(bytes(10, new Uint8Array(0)))),
]
