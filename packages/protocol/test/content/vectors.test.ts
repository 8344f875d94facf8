/** Contents of conversations as in the vectors: read, refused, resolved, timed; and what we write is what they show (CON-06 to CON-25). */
import { decodeHex, encodeHex } from '@session-v2/encoding'
import {
  type Content,
  type ContentOrigin,
  dataExtractionContent,
  decodeContent,
  disappearingStartsAtMs,
  disappearsAtMs,
  encodeContent,
  messageContent,
  ownCopyOf,
  parseAccountId,
  reactionContent,
  reactionSupersedes,
  readConversationContent,
  readReceiptContent,
  requestResponseContent,
  resolveReference,
  timerChangeContent,
  typingContent,
  unsendContent,
} from '@session-v2/protocol'
import { loadVectors } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { refusalBy } from '../providers.ts'
import { contentJson, msgIdOfHex, type ReferenceJson, referenceOf } from './content-as-json.ts'

const files = loadVectors('content')
const contents = files.filter(file => file.in.content !== undefined)
const named = (file: (typeof files)[number]) => [file.name, file.reason, file] as const

function read(given: (typeof files)[number]['in']) {
  const origin: ContentOrigin = {
    self: parseAccountId(given.self),
    sender: parseAccountId(given.sender),
    ...(given.envelope_ms === undefined ? {} : { envelopeMs: given.envelope_ms }),
  }
  return readConversationContent(decodeContent(decodeHex(given.content)), origin)
}

describe('contents as in the vectors', () => {
  it.each(contents.filter(({ failure }) => failure === undefined).map(named))('%s: %s', (_name, _reason, file) => {
    expect(contentJson(read(file.in))).toEqual(file.out)
    const content = decodeContent(decodeHex(file.in.content))
    expect(decodeContent(encodeContent(content))).toEqual(content)
  })

  it.each(contents.filter(({ failure }) => failure !== undefined).map(named))('%s: %s', (_name, _reason, file) => {
    expect(refusalBy(() => read(file.in))).toBe(`${file.failure} ${file.clause}`)
  })
})

describe('what is decided by values, as in the vectors', () => {
  it.each(files.filter(file => file.in.reference !== undefined).map(named))('%s: %s', (_name, _reason, file) => {
    const candidates = file.in.candidates.map((candidate: ReferenceJson) => ({ ...referenceOf(candidate) }))
    const meant = resolveReference(referenceOf(file.in.reference), candidates)
    expect(typeof meant === 'string' ? meant : candidates.indexOf(meant)).toBe(file.out.meant)
  })

  it.each(files.filter(file => file.in.mode !== undefined).map(named))('%s: %s', (_name, _reason, file) => {
    const { mode, timer_s: timerS, outgoing, sent_at_ms: sentAtMs, read_at_ms: readAtMs } = file.in
    const message = { expiry: { mode, timerS }, outgoing, sentAtMs, ...(readAtMs === undefined ? {} : { readAtMs }) }
    expect(disappearingStartsAtMs(message)).toBe(file.out.starts_at_ms)
    expect(disappearsAtMs(message)).toBe(file.out.disappears_at_ms)
  })

  it.each(files.filter(file => file.in.said !== undefined).map(named))('%s: %s', (_name, _reason, file) => {
    const [said, known] = [file.in.said, file.in.known].map(({ sent_at_ms: sentAtMs, msg_id, action }) => {
      return { sentAtMs, action, ...(msg_id === undefined ? {} : { msgId: msgIdOfHex(msg_id) }) }
    })
    expect(reactionSupersedes(said!, known)).toBe(file.out.supersedes)
  })
})

describe('what we write', () => {
  const alice = parseAccountId(`05${'aa'.repeat(32)}`)
  const bob = parseAccountId(`05${'bb'.repeat(32)}`)
  const sending = { sentAtMs: 1_700_000_000_123, msgId: msgIdOfHex('01000000000000f0') }
  const earlier = { sentAtMs: 1_600_000_000_456, msgId: 2n }
  const old = { sentAtMs: earlier.sentAtMs }
  const picture = { url: 'http://f/1', key: new Uint8Array(32).fill(0x11) }
  const hello = { ...sending, body: 'hello' }
  const own = (content: Content) => ownCopyOf(content, alice, bob) as Content
  const written: Record<string, Content> = {
    text: messageContent(hello),
    'text-own-copy': own(messageContent(hello)),
    reply: messageContent({ ...hello, quote: { author: alice, ...earlier } }),
    'attachment-alone': messageContent({ ...hello, body: '', attachments: [{ deprecatedId: 0n, url: picture.url }] }),
    reaction: reactionContent(sending, { target: { author: alice, ...earlier }, emoji: '👍', action: 'add' }),
    'reaction-removed': reactionContent(sending, { target: { author: alice, ...old }, emoji: '😡', action: 'remove' }),
    unsend: unsendContent(sending, bob, 'everyone', { author: bob, ...earlier }),
    'unsend-own': own(unsendContent(sending, alice, 'everyone', { author: alice, ...old })),
    'unsend-own-devices': unsendContent(sending, alice, 'own-devices', { author: bob, ...old }),
    receipt: readReceiptContent(
      sending,
      [7, 8].map(sentAtMs => ({ author: alice, sentAtMs })),
    ),
    'receipt-msg-ids': readReceiptContent(sending, [
      { author: alice, sentAtMs: 7, msgId: 2n },
      { author: alice, sentAtMs: 8 },
    ]),
    typing: typingContent(sending, 'started'),
    'typing-stopped': typingContent(sending, 'stopped'),
    'extraction-screenshot': dataExtractionContent(sending, { what: 'screenshot' }),
    'extraction-media': dataExtractionContent(sending, { what: 'media-saved', message: earlier, attachment: 0 }),
    'extraction-all': dataExtractionContent(sending, { what: 'media-saved', message: earlier, attachment: 'all' }),
    'profile-all': messageContent({ ...hello, profile: { displayName: 'Bob', picture, updatedAtS: 5 } }),
    'profile-name': messageContent({ ...hello, profile: { displayName: 'Bob' } }),
    'expiry-after-read': messageContent({ ...hello, expiry: { mode: 'after-read', timerS: 300 } }),
    'expiry-after-send': messageContent({ ...hello, expiry: { mode: 'after-send', timerS: 60 } }),
    'timer-change': timerChangeContent(sending, { mode: 'after-read', timerS: 3600 }),
    'timer-change-off': timerChangeContent(sending, undefined),
    'timer-change-own': own(timerChangeContent(sending, { mode: 'after-send', timerS: 86_400 })),
    response: requestResponseContent(sending),
    'response-profile': requestResponseContent(sending, { displayName: 'Bob', picture }),
  }

  it.each(Object.entries(written))('is, field by field, the vector %s', (name, content) => {
    expect(encodeHex(encodeContent(content))).toBe(files.find(file => file.name === name)?.in.content)
  })
})
