/** Contents of conversations, encoded apart from the protocol package: what each says to Alice, and which she must refuse. */
import { concatBytes, decodeHex, encodeHex } from '@session-v2/encoding'
import type { Case } from './case.ts'
import {
  ALICE,
  BOB,
  bytes,
  CAROL,
  type ContentRow,
  content,
  dataContent,
  EARLIER_ID,
  EARLIER_ID_NUMBER,
  EARLIER_MS,
  fixed,
  MSG_ID,
  message,
  number,
  SENT_AT_MS,
  TAIL,
  TIME,
  text,
} from './content-fields.ts'
import { contentReferenceCases } from './content-references.ts'
import { REFUSED } from './content-refusals.ts'

const KEY = '11'.repeat(32)
const URL = 'http://f/1'
const FROM_BOB = { author: BOB, sent_at_ms: Number(SENT_AT_MS), msg_id: MSG_ID, conversation: BOB }
const OWN = { ...FROM_BOB, author: ALICE }
const EARLIER = { sent_at_ms: Number(EARLIER_MS), msg_id: EARLIER_ID }
const HELLO = text(1, 'hello')
const IS_TEXT = { ...FROM_BOB, kind: 'message', body: 'hello', attachments: 0 }
const OTHER = { ...FROM_BOB, kind: 'other' }
const CHANGED = number(4, 2n)
const attachment = message(2, fixed(1, 0n), text(101, URL))
const named = (author: string, id = EARLIER_MS) => concatBytes(number(1, id), text(2, author))
const byOwn = { sender: ALICE }

/** The cases of the chapter, always the same. */
export function contentCases(): Case[] {
  const rows = [
    ...texts(),
    ...replies(),
    ...reactions(),
    ...unsends(),
    ...notices(),
    ...profiles(),
    ...expiries(),
    ...responses(),
  ]
  return [...[...rows, ...REFUSED].map(caseOf), ...contentReferenceCases()]
}

function caseOf([name, clause, reason, encoded, out, from]: ContentRow): Case {
  const given = { self: ALICE, sender: BOB, ...from, content: encodeHex(encoded) }
  const common = { chapter: 'content', name, reason, clause, in: given }
  return typeof out === 'string' ? { ...common, failure: out, out: {} } : { ...common, out }
}

function texts(): ContentRow[] {
  const target = text(105, BOB)
  const noteToSelf = { ...IS_TEXT, ...OWN, conversation: ALICE }
  const { msg_id: _, ...unidentified } = IS_TEXT
  const unknown = concatBytes(number(1000, 7n), text(1001, 'new'))
  return [
    ['text', 'CON-09', 'a text and nothing else', dataContent(HELLO), IS_TEXT],
    ['text-own-copy', 'CON-08', 'what Alice wrote on another device', dataContent(HELLO, target), { ...IS_TEXT, ...OWN }, byOwn],
    ['text-note-to-self', 'CON-08', 'what Alice wrote to herself', dataContent(HELLO), noteToSelf, byOwn],
    ['text-older', 'CON-04', 'an older client: no msgId', concatBytes(message(1, HELLO), TIME), unidentified],
    ['text-msg-id-zero', 'CON-04', 'a msgId of zero is none', concatBytes(message(1, HELLO), TIME, fixed(18, 0n)), unidentified],
    [
      'text-envelope-time',
      'CON-07',
      'the time of the envelope',
      message(1, HELLO),
      { ...unidentified, sent_at_ms: 5 },
      { envelope_ms: 5 },
    ],
    ['text-content-time', 'CON-07', 'the time of the content goes first', dataContent(HELLO), IS_TEXT, { envelope_ms: 5 }],
    [
      'text-unknown-fields',
      'CON-03',
      'a newer client says more',
      concatBytes(message(1, HELLO, unknown), TAIL, unknown),
      IS_TEXT,
    ],
    ['text-other-flags', 'CON-06', 'a flag that says something else', dataContent(HELLO, number(4, 5n)), IS_TEXT],
    ['attachment-alone', 'CON-09', 'no text', dataContent(attachment), { ...IS_TEXT, body: '', attachments: 1 }],
    ['nothing', 'CON-06', 'a data message that says nothing', dataContent(), OTHER],
    ['nothing-known', 'CON-06', 'only what a newer client says', content(text(99, 'new')), OTHER],
    ['call', 'CON-06', 'a call', content(message(3, number(1, 1n), text(5, 'u'))), OTHER],
    [
      'invitation',
      'CON-06',
      'an invitation, with or without a text beside it',
      dataContent(HELLO, message(102, text(1, 'https://c'), text(3, 'c'))),
      OTHER,
    ],
  ]
}

function replies(): ContentRow[] {
  const quoting = (...parts: readonly Uint8Array[]) => dataContent(HELLO, message(8, ...parts))
  const { msg_id: _, ...older } = EARLIER
  const says = (quote: unknown) => ({ ...IS_TEXT, quote })
  return [
    [
      'reply',
      'CON-10',
      'to what Alice wrote',
      quoting(named(ALICE), fixed(5, EARLIER_ID_NUMBER)),
      says({ author: ALICE, ...EARLIER }),
    ],
    ['reply-older', 'CON-10', 'by an older client', quoting(named(BOB), text(3, 'forged')), says({ author: BOB, ...older })],
    ['reply-blinded', 'CON-10', 'its author is no account', quoting(named(`15${'dd'.repeat(32)}`)), says('unresolvable')],
    ['reply-time-zero', 'CON-10', 'its time is none', quoting(named(ALICE, 0n)), says('unresolvable')],
  ]
}

function reactions(): ContentRow[] {
  const puts = (emoji: string, action = 0n, ...more: readonly Uint8Array[]) =>
    dataContent(message(11, named(ALICE), text(3, emoji), number(4, action), ...more))
  const { msg_id: _, ...older } = EARLIER
  const says = (emoji: string, action = 'add', target: object = older) => {
    return { ...FROM_BOB, kind: 'reaction', emoji, action, target: { author: ALICE, ...target } }
  }
  const good = (name: string, reason: string, emoji: string): ContentRow => {
    return [`reaction-${name}`, 'CON-12', reason, puts(emoji), says(emoji)]
  }
  return [
    ['reaction', 'CON-12', 'put on', puts('👍', 0n, fixed(5, EARLIER_ID_NUMBER)), says('👍', 'add', EARLIER)],
    ['reaction-removed', 'CON-12', 'taken off', puts('😡', 1n), says('😡', 'remove')],
    good('skin', 'with a colour of skin', '👍🏽'),
    good('joined', 'four people in one emoji', '👨‍👩‍👧‍👦'),
    good('longest', 'the longest that there is, 35 bytes', '👩🏻‍❤️‍💋‍👩🏿'),
    good('flag', 'a flag of two letters', '🇨🇭'),
    good('flag-of-tags', 'a flag of tags', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'),
    good('key', 'a key with a digit', '1️⃣'),
    good('heart', 'with a variation selector', '❤️'),
    good('heart-bare', 'and without', '❤'),
  ]
}

function unsends(): ContentRow[] {
  const request = (author: string, ...more: readonly Uint8Array[]) => content(message(9, named(author), ...more))
  const { msg_id: _, ...older } = EARLIER
  const { conversation: _2, ...own } = OWN
  const mine = (author: string) => ({ ...own, kind: 'unsend', target: { author, ...older } })
  return [
    [
      'unsend',
      'CON-14',
      'Bob takes his message back',
      request(BOB, fixed(3, EARLIER_ID_NUMBER)),
      { ...FROM_BOB, kind: 'unsend', target: { author: BOB, ...EARLIER } },
    ],
    ['unsend-own', 'CON-14', 'Alice takes hers back on another device', request(ALICE), mine(ALICE), byOwn],
    ['unsend-own-devices', 'CON-14', 'Alice deletes what Bob wrote', request(BOB), mine(BOB), byOwn],
  ]
}

function notices(): ContentRow[] {
  const receipt = (...parts: readonly Uint8Array[]) => content(message(5, number(1, 1n), ...parts))
  const times = concatBytes(number(2, 7n), number(2, 8n))
  const ids = bytes(3, decodeHex(`${EARLIER_ID}0000000000000000`))
  const read = (...messages: readonly object[]) => ({ ...FROM_BOB, kind: 'read', messages })
  const [at7, at8] = [7, 8].map(sent_at_ms => ({ author: ALICE, sent_at_ms })) as [object, object]
  const typing = (action: bigint) => content(message(6, number(1, SENT_AT_MS), number(2, action)))
  const extraction = (...parts: readonly Uint8Array[]) => content(message(8, ...parts))
  const kept = (what: string, more: object = {}) => ({ ...FROM_BOB, kind: 'data-extraction', what, ...more })
  const { msg_id: _, ...older } = EARLIER
  const saved = concatBytes(number(1, 2n), number(2, EARLIER_MS))
  const identified = concatBytes(saved, number(3, EARLIER_MS), fixed(4, EARLIER_ID_NUMBER))
  return [
    ['receipt', 'CON-16', 'two messages of an older client', receipt(times), read(at7, at8)],
    ['receipt-msg-ids', 'CON-16', 'one has a msgId', receipt(times, ids), read({ ...at7, msg_id: EARLIER_ID }, at8)],
    ['receipt-misaligned', 'CON-16', 'a msgId too few', receipt(times, bytes(3, decodeHex(EARLIER_ID))), read(at7, at8)],
    ['receipt-packed', 'CON-16', 'times in one run', receipt(bytes(2, Uint8Array.of(7, 8))), read(at7, at8)],
    ['receipt-delivery', 'CON-16', 'of the type that is gone', content(message(5, number(1, 0n), times)), OTHER],
    ['receipt-own', 'CON-08', 'from oneself', receipt(times), { ...OTHER, ...OWN, conversation: ALICE }, byOwn],
    ['typing', 'CON-17', 'Bob types', typing(0n), { ...FROM_BOB, kind: 'typing', action: 'started' }],
    ['typing-stopped', 'CON-17', 'Bob stops', typing(1n), { ...FROM_BOB, kind: 'typing', action: 'stopped' }],
    ['extraction-screenshot', 'CON-18', 'a screenshot', extraction(number(1, 1n)), kept('screenshot')],
    [
      'extraction-media',
      'CON-18',
      'the first attachment',
      extraction(identified, number(5, 0n)),
      kept('media-saved', { message: EARLIER, attachment: 0 }),
    ],
    [
      'extraction-all',
      'CON-18',
      'all attachments',
      extraction(identified, number(5, 1n)),
      kept('media-saved', { message: EARLIER, attachment: 'all' }),
    ],
    ['extraction-older', 'CON-18', 'an older client', extraction(saved), kept('media-saved', { message: older })],
    ['extraction-no-time', 'CON-18', 'a time of 0', extraction(number(1, 2n), number(2, 0n)), kept('media-saved')],
  ]
}

function profiles(): ContentRow[] {
  const key = bytes(6, decodeHex(KEY))
  const name = text(1, 'Bob')
  const sends = (profile: readonly Uint8Array[], ...around: readonly Uint8Array[]) =>
    dataContent(HELLO, ...around, message(101, ...profile))
  const good = (label: string, reason: string, encoded: Uint8Array, profile?: object): ContentRow => {
    return [`profile-${label}`, 'CON-19', reason, encoded, profile === undefined ? IS_TEXT : { ...IS_TEXT, profile }]
  }
  const display_name = 'Bob'
  const picture = { url: URL, key: KEY }
  const cut = `${'a'.repeat(98)}€`
  return [
    good('all', 'name, picture and time', sends([name, text(2, URL), number(3, 5n)], key), {
      display_name,
      picture,
      updated_at_s: 5,
    }),
    good('name', 'a name alone, so no picture', sends([name]), { display_name }),
    good('name-long', '101 bytes are cut before the character that does not fit', sends([text(1, cut)]), {
      display_name: 'a'.repeat(98),
    }),
    good('name-empty', 'an empty name is not said', sends([text(1, '')]), {}),
    good('key-missing', 'a picture without a key', sends([name, text(2, URL)]), { display_name }),
    good('key-short', 'a key of 31 bytes', sends([name, text(2, URL)], bytes(6, decodeHex(KEY).subarray(1))), { display_name }),
    good('key-alone', 'a key and no profile', dataContent(HELLO, key)),
    good('url-empty', 'a key without a picture', sends([name, text(2, '')], key), { display_name }),
    good('url-long', 'a URL of 224 bytes', sends([name, text(2, 'h'.repeat(224))], key), { display_name }),
    good('time-too-great', 'a time of 2⁵³', sends([name, number(3, 2n ** 53n)]), { display_name }),
  ]
}

function expiries(): ContentRow[] {
  const timed = (type: bigint | undefined, timer: bigint, ...parts: readonly Uint8Array[]) =>
    concatBytes(message(1, ...parts), ...(type === undefined ? [] : [number(12, type)]), number(13, timer), TAIL)
  const expiry = (mode: string, timer_s: number) => ({ expiry: { mode, timer_s } })
  const changed = { ...FROM_BOB, kind: 'timer-change' }
  const ownCopy = timed(2n, 86_400n, CHANGED, text(105, BOB))
  const hour = { mode: 'after-read', timer_s: 3600 }
  const day = { mode: 'after-send', timer_s: 86_400 }
  return [
    ['expiry-after-read', 'CON-21', 'after it was read', timed(1n, 300n, HELLO), { ...IS_TEXT, ...expiry('after-read', 300) }],
    ['expiry-after-send', 'CON-21', 'after it was sent', timed(2n, 60n, HELLO), { ...IS_TEXT, ...expiry('after-send', 60) }],
    ['expiry-zero', 'CON-21', 'a timer of 0 is none', timed(2n, 0n, HELLO), IS_TEXT],
    [
      'expiry-no-type',
      'CON-21',
      'a timer without a type',
      timed(undefined, 60n, HELLO),
      { ...IS_TEXT, ...expiry('after-read', 60) },
    ],
    ['expiry-type-3', 'CON-21', 'a timer of a new type', timed(3n, 60n, HELLO), { ...IS_TEXT, ...expiry('after-read', 60) }],
    ['timer-change', 'CON-22', 'after an hour', timed(1n, 3600n, CHANGED), { ...changed, setting: hour, expiry: hour }],
    ['timer-change-off', 'CON-22', 'switched off', timed(0n, 0n, CHANGED), changed],
    ['timer-change-bare', 'CON-22', 'switched off, without the fields', dataContent(CHANGED), changed],
    ['timer-change-own', 'CON-22', 'made by Alice', ownCopy, { ...changed, ...OWN, setting: day, expiry: day }, byOwn],
  ]
}

function responses(): ContentRow[] {
  const response = (approved: bigint, ...parts: readonly Uint8Array[]) => content(message(10, number(1, approved), ...parts))
  const says = (approved: boolean) => ({ ...FROM_BOB, kind: 'request-response', approved })
  const whole = response(1n, bytes(2, decodeHex(KEY)), message(3, text(1, 'Bob'), text(2, URL)))
  return [
    ['response', 'CON-25', 'Bob accepts', response(1n), says(true)],
    ['response-no', 'CON-25', 'what nobody sends', response(0n), says(false)],
    [
      'response-profile',
      'CON-19',
      'and his profile',
      whole,
      { ...says(true), profile: { display_name: 'Bob', picture: { url: URL, key: KEY } } },
    ],
    ['response-own', 'CON-08', 'from oneself', response(1n), { ...OTHER, ...OWN, conversation: ALICE }, byOwn],
    [
      'response-third',
      'CON-25',
      'from Carol',
      response(1n),
      { ...says(true), author: CAROL, conversation: CAROL },
      { sender: CAROL },
    ],
  ]
}
