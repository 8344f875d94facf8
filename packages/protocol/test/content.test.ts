import { decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  type Content,
  decodeContent,
  ExpirationType,
  encodeContent,
  messageIdentity,
  ProtocolError,
  parseAccountId,
  textContent,
} from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fuzzRuns, refusalBy } from './providers.ts'

const ALICE = parseAccountId(`05${'aa'.repeat(32)}`)
const BOB = parseAccountId(`05${'bb'.repeat(32)}`)
const MESSAGE_ID = decodeHex('ff00000000000080')
const SENT_AT_MS = 1_700_000_000_123
const TEXT = { body: 'Hallo 👋', sentAtMs: SENT_AT_MS, messageId: MESSAGE_ID }

const attachment = {
  deprecatedId: 2n ** 64n - 1n,
  contentType: 'image/png',
  key: new Uint8Array(32),
  size: 5,
  digest: new Uint8Array(32),
  fileName: 'a.png',
  flags: 1,
  width: 3,
  height: 4,
  url: 'http://f/1',
}
const quote = {
  id: 1n,
  author: ALICE,
  text: 'old',
  attachments: [{ contentType: 'image/png', fileName: 'b', thumbnail: attachment, flags: 1 }],
  msgId: -5n,
}
const groupUpdateMessage = {
  inviteMessage: {
    groupSessionId: `03${'cc'.repeat(32)}`,
    name: 'g',
    memberAuthData: new Uint8Array(100),
    adminSignature: new Uint8Array(64),
  },
  infoChangeMessage: { type: 1, updatedName: 'h', updatedExpiration: 60, adminSignature: new Uint8Array(64) },
  memberChangeMessage: { type: 3, memberSessionIds: [ALICE, BOB], historyShared: true, adminSignature: new Uint8Array(64) },
  promoteMessage: { groupIdentitySeed: new Uint8Array(32), name: 'g' },
  memberLeftMessage: {},
  inviteResponse: { isApproved: false },
  deleteMemberContent: { memberSessionIds: [BOB], messageHashes: ['h'], adminSignature: new Uint8Array(64) },
  memberLeftNotificationMessage: {},
}

/** Every field that there is. */
const everything: Content = {
  dataMessage: {
    body: 'text',
    attachments: [attachment],
    flags: 2,
    profileKey: new Uint8Array(32),
    quote,
    preview: [{ url: 'https://a', title: 't', image: attachment }],
    reaction: { id: 1n, author: BOB, emoji: '👍', action: 1, msgId: 9n },
    profile: { displayName: 'Alice', profilePicture: 'http://f/2', lastProfileUpdateSeconds: 5n },
    communityInvitation: { url: 'https://c', name: 'c' },
    syncTarget: BOB,
    blocksCommunityMessageRequests: false,
    groupUpdateMessage,
  },
  callMessage: { type: 4, sdps: ['a'], sdpMLineIndexes: [0, 1], sdpMids: ['m'], uuid: 'u' },
  receiptMessage: { type: 1, timestamp: [1n, 2n], msgId: [0n, -1n] },
  typingMessage: { timestamp: 5n, action: 0 },
  dataExtractionNotification: { type: 2, timestamp: 5n, msgTimestamp: 4n, msgId: 3n, attIndex: -1 },
  unsendRequest: { timestamp: 5n, author: ALICE, msgId: 3n },
  messageRequestResponse: { isApproved: true, profileKey: new Uint8Array(32), profile: { displayName: 'B' } },
  sharedConfigMessage: { kind: 4, seqno: -1n, data: new Uint8Array(3) },
  expirationType: ExpirationType.deleteAfterSend,
  expirationTimer: 86_400,
  sigTimestamp: BigInt(SENT_AT_MS),
  proMessage: {
    proof: {
      version: 0,
      genIndexHash: new Uint8Array(32),
      rotatingPublicKey: new Uint8Array(32),
      expiry: 5n,
      sig: new Uint8Array(64),
    },
    profileBitset: 1n,
    messageBitset: 2n,
  },
  proSigForCommunityMessageOnly: new Uint8Array(64),
  msgId: -(2n ** 63n),
}

describe('content', () => {
  it('comes back with every field it had (CON-02)', () => {
    expect(decodeContent(encodeContent(everything))).toEqual(everything)
    expect(decodeContent(encodeContent({}))).toEqual({})
  })

  it('is written as these bytes (CON-02)', () => {
    const encoded = encodeContent(textContent({ ...TEXT, body: 'hi', displayName: 'A', syncTarget: BOB }))
    const profile = 'aa0603' + '0a0141'
    const syncTarget = `ca0642${encodeHex(encodeUtf8(BOB))}`
    const dataMessage = `0a026869${profile}${syncTarget}`
    const sigTimestamp = '78' + 'fbd095ffbc31'
    const msgId = '9101' + 'ff00000000000080'
    expect(encodeHex(encoded)).toBe(`0a4f${dataMessage}${sigTimestamp}${msgId}`)
  })

  it('keeps the fields it does not know and writes them again (CON-03)', () => {
    // Field 100, a varint, in the content; field 99, bytes, in the data message.
    const encoded = decodeHex('0a05' + '9a0602' + 'abcd' + 'a00605')
    expect(encodeHex(encodeContent(decodeContent(encoded)))).toBe(encodeHex(encoded))
  })

  it('does not know the numbers that are reserved (CON-02)', () => {
    const contentFields = '3a0161' + '720161'
    const dataMessageFields = '1a0161' + '2a0161' + '3a0161' + 'c2060161'
    const attachmentFields = '2a0161' + '5a0161'
    const attachment = `12${'0f'}090000000000000000${attachmentFields}`
    const dataMessage = attachment + dataMessageFields
    const encoded = decodeHex(`0a${(dataMessage.length / 2).toString(16)}${dataMessage}${contentFields}`)
    expect(decodeContent(encoded)).toEqual({
      dataMessage: {
        attachments: [{ deprecatedId: 0n, unknownFields: decodeHex(attachmentFields) }],
        unknownFields: decodeHex(dataMessageFields),
      },
      unknownFields: decodeHex(contentFields),
    })
  })

  it('is malformed without a required field, in any depth (CON-01)', () => {
    const typingWithoutAction = '3202' + '0805'
    const attachmentWithoutId = '0a05' + '1203' + '2a0101'
    for (const hex of [typingWithoutAction, attachmentWithoutId, '0aff', 'ff', '0a02c328']) {
      expect(refusalBy(() => decodeContent(decodeHex(hex)))).toBe('malformed CON-01')
    }
  })

  it('cannot hold what its fields cannot', () => {
    expect(refusalBy(() => encodeContent({ expirationTimer: -1 }))).toBe('bad-input CON-01')
    expect(refusalBy(() => encodeContent({ msgId: 2n ** 63n }))).toBe('bad-input CON-01')
  })
})

describe('text content (CON-05)', () => {
  it('has the text, the time and the message id', () => {
    const content = decodeContent(encodeContent(textContent(TEXT)))
    expect(content).toEqual({ dataMessage: { body: TEXT.body }, sigTimestamp: BigInt(SENT_AT_MS), msgId: -(2n ** 63n) + 255n })
  })

  it('refuses a message id or a time that is none', () => {
    expect(refusalBy(() => textContent({ ...TEXT, messageId: new Uint8Array(7) }))).toBe('bad-input CON-04')
    for (const sentAtMs of [-1, 0.5, Number.NaN]) {
      expect(refusalBy(() => textContent({ ...TEXT, sentAtMs }))).toBe('bad-input CON-05')
    }
  })
})

describe('message identity (CON-04)', () => {
  it('is the same for both copies of a message and for no other', () => {
    const sent = textContent(TEXT)
    const identity = messageIdentity(ALICE, sent)
    expect(messageIdentity(ALICE, decodeContent(encodeContent(textContent({ ...TEXT, syncTarget: BOB }))))).toBe(identity)
    const others = [
      messageIdentity(BOB, sent),
      messageIdentity(ALICE, { ...sent, sigTimestamp: 1n }),
      messageIdentity(ALICE, { ...sent, msgId: 1n }),
      messageIdentity(ALICE, { sigTimestamp: sent.sigTimestamp }),
      messageIdentity(ALICE, {}),
    ]
    expect(new Set([identity, ...others]).size).toBe(others.length + 1)
    expect(identity).toBe(`${ALICE}/1700000000123/80000000000000ff`)
  })
})

describe('fuzz content', () => {
  const encoded = encodeContent(everything)
  const mutated = fc
    .tuple(fc.nat(encoded.length), fc.nat(8), fc.uint8Array({ maxLength: 8 }))
    .map(([at, cut, inserted]) => Uint8Array.from([...encoded.subarray(0, at), ...inserted, ...encoded.subarray(at + cut)]))

  it('gives a content that can be written again, or a typed error, soon', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 500 })), bytes => {
        inTime(bytes, () => {
          try {
            const content = decodeContent(bytes)
            expect(decodeContent(encodeContent(content))).toEqual(content)
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError)
          }
        })
      }),
      { numRuns: fuzzRuns },
    )
  })
})
