/** What cannot be sent, the limits of what can, and what is decided for a person (CON-04 to CON-25). */
import { encodeUtf8 } from '@session-v2/encoding'
import {
  AFTER_READ_DEFAULT_S,
  AFTER_READ_TIMERS_S,
  AFTER_SEND_DEFAULT_S,
  AFTER_SEND_TIMERS_S,
  codePointsIn,
  dataExtractionContent,
  decodeContent,
  encodeContent,
  isReactionEmoji,
  type MessageReference,
  mayReact,
  messageContent,
  messageIdentity,
  messageTtlMs,
  msgIdOf,
  ownCopyOf,
  parseAccountId,
  profileSupersedes,
  RECEIPT_MAX_MESSAGES,
  RECEIPT_READ_MAX_MESSAGES,
  reactionContent,
  readAtMsBySwarm,
  readConversationContent,
  readReceiptContent,
  referenceIdentity,
  requestResponseContent,
  settingToFollow,
  TEXT_MAX_CODE_POINTS,
  TEXT_READ_MAX_CODE_POINTS,
  textContent,
  timerChangeContent,
  typingContent,
  unsendContent,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { refusalBy } from '../providers.ts'

const ALICE = parseAccountId(`05${'aa'.repeat(32)}`)
const BOB = parseAccountId(`05${'bb'.repeat(32)}`)
const SENDING = { sentAtMs: 1_700_000_000_123, msgId: 5n }
const TARGET: MessageReference = { author: ALICE, sentAtMs: 7, msgId: -3n }
const HELLO = { ...SENDING, body: 'hello' }
const NO_TIMES = [0, -1, 0.5, Number.NaN, 2 ** 53]
const fromBob = { self: ALICE, sender: BOB }
const day = { mode: 'after-send', timerS: 86_400 } as const

describe('texts (CON-09)', () => {
  it('are counted in code points', () => {
    expect([codePointsIn(''), codePointsIn('a👋é'), codePointsIn('👍🏽'), codePointsIn('\ud83d')]).toEqual([0, 3, 2, 1])
  })

  it('have at most 2000 of them', () => {
    const most = '👋'.repeat(TEXT_MAX_CODE_POINTS)
    const sent = readConversationContent(decodeContent(encodeContent(messageContent({ ...HELLO, body: most }))), fromBob)
    expect(sent.said).toMatchObject({ kind: 'message', body: most })
    expect(textContent({ body: most, sentAtMs: 1, messageId: new Uint8Array(8) }).dataMessage?.body).toBe(most)
    for (const build of [
      () => messageContent({ ...HELLO, body: `${most}a` }),
      () => messageContent({ ...HELLO, body: 'a\ud83d' }),
      () => messageContent({ ...HELLO, body: '' }),
      () => textContent({ body: `${most}a`, sentAtMs: 1, messageId: new Uint8Array(8) }),
    ]) {
      expect(refusalBy(build)).toBe('bad-input CON-09')
    }
  })

  it('are read up to 10,000', () => {
    const read = (body: string) => readConversationContent({ dataMessage: { body }, sigTimestamp: 1n }, fromBob).said
    const most = '👋'.repeat(TEXT_READ_MAX_CODE_POINTS)
    expect(read(most)).toMatchObject({ body: most })
    expect(refusalBy(() => read(`${most}a`))).toBe('malformed CON-09')
    expect(refusalBy(() => read('a'.repeat(TEXT_READ_MAX_CODE_POINTS + 1)))).toBe('malformed CON-09')
  })
})

describe('times and ids', () => {
  it.each(NO_TIMES)('%s is no time (CON-07)', timeMs => {
    const sending = { ...SENDING, sentAtMs: timeMs }
    const target = { ...TARGET, sentAtMs: timeMs }
    const refusals = [
      () => messageContent({ ...HELLO, sentAtMs: timeMs }),
      () => timerChangeContent(sending, undefined),
      () => requestResponseContent(sending),
      () => typingContent(sending, 'started'),
      () => messageContent({ ...HELLO, quote: target }),
      () => reactionContent(SENDING, { target, emoji: '👍', action: 'add' }),
      () => unsendContent(SENDING, ALICE, 'everyone', target),
      () => readReceiptContent(SENDING, [target]),
      () => dataExtractionContent(SENDING, { what: 'media-saved', message: target }),
    ].map(refusalBy)
    const clauses = ['07', '07', '07', '17', '10', '12', '14', '16', '18']
    expect(refusals).toEqual(clauses.map(clause => `bad-input CON-${clause}`))
  })

  it('of an envelope count only when they are times (CON-07)', () => {
    for (const envelopeMs of [...NO_TIMES, Number.POSITIVE_INFINITY]) {
      const read = () => readConversationContent({ typingMessage: { timestamp: 1n, action: 0 } }, { ...fromBob, envelopeMs })
      expect(refusalBy(read)).toBe('malformed CON-07')
    }
  })

  it('a msgId of zero is none, and a reference has the identity of what it means (CON-04)', () => {
    expect(messageIdentity(BOB, { sigTimestamp: 5n, msgId: 0n })).toBe(messageIdentity(BOB, { sigTimestamp: 5n }))
    const content = messageContent(HELLO)
    const { message } = readConversationContent(content, fromBob)
    expect(referenceIdentity(message)).toBe(messageIdentity(BOB, content))
    expect(referenceIdentity({ author: BOB, sentAtMs: 5, msgId: -1n })).toBe(`${BOB}/5/ffffffffffffffff`)
    expect(messageContent({ ...HELLO, msgId: 0n }).msgId).toBeUndefined()
    expect(reactionContent(SENDING, { target: { ...TARGET, msgId: 0n }, emoji: '👍', action: 'add' })).toMatchObject({
      dataMessage: { reaction: { msgId: undefined } },
    })
  })

  it('a msgId is made of 8 bytes (CON-04)', () => {
    expect(msgIdOf(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0x80))).toBe(1n - 2n ** 63n)
    for (const sizeBytes of [0, 7, 9]) expect(refusalBy(() => msgIdOf(new Uint8Array(sizeBytes)))).toBe('bad-input CON-04')
  })
})

describe('copies for one’s own devices (CON-08)', () => {
  it('are made of data messages and of unsend requests, and of nothing else', () => {
    const unsend = unsendContent(SENDING, ALICE, 'everyone', TARGET)
    const sent = messageContent(HELLO)
    expect(ownCopyOf(sent, ALICE, BOB)).toEqual({ ...sent, dataMessage: { body: 'hello', syncTarget: BOB } })
    expect(ownCopyOf(unsend, ALICE, BOB)).toBe(unsend)
    expect(ownCopyOf(sent, ALICE, ALICE)).toBeUndefined()
    const others = [
      typingContent(SENDING, 'started'),
      readReceiptContent(SENDING, [TARGET]),
      dataExtractionContent(SENDING, { what: 'screenshot' }),
      requestResponseContent(SENDING),
    ]
    for (const content of others) expect(ownCopyOf(content, ALICE, BOB)).toBeUndefined()
  })

  it('say of the other notices nothing to oneself, whatever is in them', () => {
    const content = { typingMessage: { timestamp: 0n, action: 9 }, sigTimestamp: 1n }
    expect(readConversationContent(content, { self: ALICE, sender: ALICE }).said).toEqual({ kind: 'other' })
    expect(refusalBy(() => readConversationContent(content, fromBob))).toBe('malformed CON-17')
  })
})

describe('reactions', () => {
  it.each(['👍', '🫡', '🇨🇭', '👨‍👩‍👧‍👦', '#️⃣', '☝🏽', '🏳️‍🌈', '©'])('%s is one emoji (CON-12)', emoji => {
    expect(isReactionEmoji(emoji)).toBe(true)
  })

  it.each([
    '',
    ' ',
    'a',
    '1',
    '#',
    '👍 ',
    '👍👍',
    '🇨',
    '🇨🇭🇨🇭',
    '\u200d',
    '\ufe0f',
    '👍\u200d',
    '👍a',
    '\ud83d',
    '👍'.repeat(99),
    `🏴${'\u{e0067}'.repeat(16)}`,
  ])('%j is none (CON-12)', text => {
    expect(isReactionEmoji(text)).toBe(false)
    expect(refusalBy(() => reactionContent(SENDING, { target: TARGET, emoji: text, action: 'add' }))).toBe('bad-input CON-12')
  })

  it('have at most 64 bytes (CON-12)', () => {
    const most = `${Array(9).fill('👍').join('\u200d')}🏽`
    expect(encodeUtf8(most)).toHaveLength(64)
    expect(isReactionEmoji(most)).toBe(true)
    expect(isReactionEmoji(`${most}\ufe0f`)).toBe(false)
  })

  it('are 20 a minute at most (CON-13)', () => {
    const within = Array.from({ length: 20 }, (_, at) => 1000 + at)
    expect(mayReact(within, 60_999)).toBe(false)
    expect(mayReact(within, 61_000)).toBe(true)
    expect(mayReact(within.slice(1), 2000)).toBe(true)
    expect(mayReact([...within.slice(1), 9_000_000], 2000)).toBe(true)
    expect(mayReact(Array(20).fill(2000), 2000)).toBe(false)
    expect(mayReact([], 0)).toBe(true)
  })
})

describe('unsend requests and receipts', () => {
  it('only the author takes back from everyone; from one’s own devices anything is deleted (CON-14)', () => {
    expect(refusalBy(() => unsendContent(SENDING, BOB, 'everyone', TARGET))).toBe('bad-input CON-14')
    expect(unsendContent(SENDING, BOB, 'own-devices', TARGET).unsendRequest).toEqual({ timestamp: 7n, author: ALICE, msgId: -3n })
  })

  it('a receipt is of 1 to 1000 messages of one author, and read up to 8192 (CON-16)', () => {
    const messages = (count: number) => Array.from({ length: count }, () => TARGET)
    expect(readReceiptContent(SENDING, messages(RECEIPT_MAX_MESSAGES)).receiptMessage?.timestamp).toHaveLength(1000)
    for (const wrong of [[], messages(RECEIPT_MAX_MESSAGES + 1), [TARGET, { ...TARGET, author: BOB }]])
      expect(refusalBy(() => readReceiptContent(SENDING, wrong))).toBe('bad-input CON-16')
    const read = (count: number) =>
      readConversationContent({ receiptMessage: { type: 1, timestamp: Array(count).fill(7n) }, sigTimestamp: 1n }, fromBob).said
    expect(read(RECEIPT_READ_MAX_MESSAGES)).toMatchObject({ messages: { length: RECEIPT_READ_MAX_MESSAGES } })
    expect(refusalBy(() => read(RECEIPT_READ_MAX_MESSAGES + 1))).toBe('malformed CON-16')
  })

  it('a notice names an attachment by its index (CON-18)', () => {
    const message = { sentAtMs: 7 }
    for (const attachment of [-1, -2, 0.5, 2 ** 31, Number.NaN])
      expect(refusalBy(() => dataExtractionContent(SENDING, { what: 'media-saved', message, attachment }))).toBe(
        'bad-input CON-18',
      )
    const notice = dataExtractionContent(SENDING, { what: 'media-saved', message, attachment: 2 ** 31 - 1 }, day)
    const { said, expiry } = readConversationContent(decodeContent(encodeContent(notice)), fromBob)
    expect(said).toEqual({ kind: 'data-extraction', what: 'media-saved', message, attachment: 2 ** 31 - 1 })
    expect(expiry).toEqual(day)
  })
})

describe('profiles', () => {
  const key = new Uint8Array(32)

  it('cannot have another form (CON-19)', () => {
    const wrong = [
      { displayName: '' },
      { displayName: 'é'.repeat(51) },
      { displayName: '\ud83d' },
      { updatedAtS: 0 },
      { updatedAtS: 0.5 },
      { picture: { url: '', key } },
      { picture: { url: 'h'.repeat(224), key } },
      { picture: { url: 'http://f', key: key.subarray(1) } },
    ]
    for (const profile of wrong) expect(refusalBy(() => messageContent({ ...HELLO, profile }))).toBe('bad-input CON-19')
  })

  it('are read as they were sent, at their limits (CON-19)', () => {
    const profile = { displayName: 'é'.repeat(50), picture: { url: 'h'.repeat(223), key }, updatedAtS: 2 ** 53 - 1 }
    for (const content of [messageContent({ ...HELLO, profile }), requestResponseContent(SENDING, profile)])
      expect(readConversationContent(decodeContent(encodeContent(content)), fromBob).profile).toEqual(profile)
  })

  it('are cut between characters (CON-19)', () => {
    const read = (displayName: string) =>
      readConversationContent({ dataMessage: { body: 'a', profile: { displayName } }, sigTimestamp: 1n }, fromBob).profile
    for (const character of ['a', 'é', '€', '👋']) {
      const name = read(character.repeat(1000))?.displayName ?? ''
      expect(name).toBe(character.repeat(Math.floor(100 / encodeUtf8(character).length)))
    }
  })

  it('are replaced by later ones, and without a time only those without (CON-20)', () => {
    expect(profileSupersedes({ updatedAtS: 5 }, 4)).toBe(true)
    expect(profileSupersedes({ updatedAtS: 5 }, 5)).toBe(false)
    expect(profileSupersedes({ updatedAtS: 5 }, undefined)).toBe(true)
    expect(profileSupersedes({}, undefined)).toBe(true)
    expect(profileSupersedes({}, 5)).toBe(false)
  })
})

describe('disappearing', () => {
  it('has a timer of 1 s up to 2³² − 1 s (CON-21)', () => {
    for (const timerS of [0, -1, 0.5, 2 ** 32, Number.NaN]) {
      const expiry = { mode: 'after-read', timerS } as const
      expect(refusalBy(() => messageContent({ ...HELLO, expiry }))).toBe('bad-input CON-21')
      expect(refusalBy(() => timerChangeContent(SENDING, expiry))).toBe('bad-input CON-21')
    }
    for (const timerS of [1, 2 ** 32 - 1]) {
      const setting = { mode: 'after-read', timerS } as const
      const content = decodeContent(encodeContent(timerChangeContent(SENDING, setting)))
      expect(readConversationContent(content, fromBob).said).toEqual({ kind: 'timer-change', setting })
    }
  })

  it('offers what clients offer, the default among it (CON-21)', () => {
    expect(AFTER_READ_TIMERS_S).toContain(AFTER_READ_DEFAULT_S)
    expect(AFTER_SEND_TIMERS_S).toContain(AFTER_SEND_DEFAULT_S)
    expect(AFTER_READ_TIMERS_S).toEqual(expect.arrayContaining([...AFTER_SEND_TIMERS_S]))
  })

  it('takes the time of reading from the expiry in the swarm, never before sending or after it is known (CON-23)', () => {
    const message = { expiry: { mode: 'after-read', timerS: 300 }, sentAtMs: 100_000 } as const
    expect(readAtMsBySwarm(message, 1_000_000, 900_000)).toBe(700_000)
    expect(readAtMsBySwarm(message, 9_000_000, 900_000)).toBe(900_000)
    expect(readAtMsBySwarm(message, 0, 900_000)).toBe(100_000)
  })

  it('learns nothing from an expiry that nobody has shortened (CON-23)', () => {
    const dayMs = 86_400_000
    const message = { expiry: { mode: 'after-read', timerS: 13 * 86_400 }, sentAtMs: 100_000 } as const
    expect(readAtMsBySwarm(message, 100_000 + 14 * dayMs, 5 * dayMs)).toBe(5 * dayMs)
    expect(readAtMsBySwarm(message, 100_000 + 14 * dayMs - 1, 5 * dayMs)).toBe(100_000 + dayMs - 1)
  })

  it('shortens the storage of what disappears after sending alone (CON-24)', () => {
    expect(messageTtlMs(day)).toBe(86_400_000)
    expect(messageTtlMs({ ...day, timerS: 2 ** 32 - 1 })).toBe(14 * 86_400_000)
    expect(messageTtlMs({ ...day, mode: 'after-read' })).toBe(14 * 86_400_000)
    expect(messageTtlMs(undefined)).toBe(14 * 86_400_000)
  })

  it('offers to follow another setting, off too, and not the same one (CON-24)', () => {
    expect(settingToFollow(undefined, day)).toEqual({ setting: day })
    expect(settingToFollow({ ...day, mode: 'after-read' }, day)).toEqual({ setting: day })
    expect(settingToFollow({ ...day, timerS: 1 }, day)).toEqual({ setting: day })
    expect(settingToFollow(day, undefined)).toEqual({ setting: undefined })
    expect(settingToFollow(day, { ...day })).toBeUndefined()
    expect(settingToFollow(undefined, undefined)).toBeUndefined()
  })
})
