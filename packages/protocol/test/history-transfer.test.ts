/** Messages of a hand-over of history: what is sealed opens for whom it is for, and what others wrote is told apart (HT-01 to HT-11). */
import { type Crypto, type MlKem768PublicKey, systemRandom, type X25519PublicKey } from '@session-v2/crypto'
import { BtDictReader, decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  type AccountId,
  accountKeyFromSeed,
  type DeviceId,
  decodeHistoryPage,
  encodeHandedMessage,
  encodeHistoryPage,
  expandKeyPair,
  type HandedMessage,
  HISTORY_MAX_CHUNKS,
  HISTORY_MESSAGE_MAX_BYTES,
  HISTORY_PAGE_MAX_BYTES,
  HISTORY_SPLIT_PAGE_MAX_BYTES,
  type HistoryChunk,
  historyRequestIdOf,
  isProvenAck,
  openHistoryChunk,
  openHistoryControl,
  parseAccountId,
  parseHistoryRequestId,
  sealHistoryAck,
  sealHistoryAsk,
  sealHistoryChunk,
} from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isZero, someDevice, watched, watchedRandom } from './group-world.ts'
import {
  accountOf,
  fuzzRuns,
  native,
  protocolErrorBy,
  providers,
  refusalBy,
  refusedAs,
  someAccount,
  someKey,
} from './providers.ts'

const CHAPTER = 'history-transfer'
const random = systemRandom()
const files = loadVectors(CHAPTER)
const messages = files.filter(file => file.in?.message !== undefined)
const pages = files.filter(file => file.in?.page !== undefined)
const named = (file: (typeof files)[number]) => [file.name, file.reason, file] as const

describe.each(providers)('messages as in the vectors, NOT-12 (%s)', (_, crypto) => {
  /** By the type that a message bears, a control or a chunk. */
  function openAny(given: (typeof messages)[number]['in']) {
    const account = accountOf(crypto, given.root_seed)
    const message = decodeHex(given.message)
    const pairs = given.device_seeds.map((seed: string) => expandKeyPair(crypto, 'SessionDeviceKeys', decodeHex(seed)))
    const members = new Map(
      given.members.map(({ id, x25519 }: { id: string; x25519: string }) => [id, decodeHex(x25519) as X25519PublicKey]),
    )
    const keyOf = (id: DeviceId) => members.get(id) as X25519PublicKey | undefined
    if (message[5] === 0x43) return openHistoryChunk(crypto, account, pairs, keyOf, message)
    const keys = given.account_key_seeds.map((seed: string) => accountKeyFromSeed(crypto, decodeHex(seed), 0))
    return openHistoryControl(crypto, account, keys, message)
  }

  it.each(messages.filter(({ failure }) => failure !== undefined).map(named))('%s: %s', (_name, _reason, file) => {
    expect(openAny(file.in)).toMatchObject(refusedAs(file))
  })

  it.each(messages.filter(({ failure, out }) => failure === undefined && out.kind === 'ask').map(named))(
    '%s: %s',
    (_name, _reason, { in: given, out }) => {
      const opened = openAny(given)
      const { request_id: requestId, device_id: deviceId, asked_at_ms: askedAtMs, since_ms: sinceMs } = out
      const ask = { requestId, deviceId, askedAtMs, ...(sinceMs === undefined ? {} : { sinceMs }) }
      expect(opened).toEqual({ outcome: 'ask', ask })
    },
  )

  it.each(messages.filter(({ failure, out }) => failure === undefined && out.kind === 'ack').map(named))(
    '%s: %s',
    (_name, _reason, { in: given, out }) => {
      const opened = openAny(given)
      if (opened.outcome !== 'ack') throw new Error(opened.outcome)
      const { request_id: requestId, seqno, sender, next, missing } = out
      expect(opened.ack).toMatchObject({ requestId, seqno, sender, next, missing })
      const pairs = given.device_seeds.map((seed: string) => expandKeyPair(crypto, 'SessionDeviceKeys', decodeHex(seed)))
      const author = decodeHex(given.members[1].x25519) as X25519PublicKey
      expect(isProvenAck(crypto, pairs, author, opened.ack)).toBe(out.proven)
    },
  )

  it.each(messages.filter(({ failure, out }) => failure === undefined && out.kind === 'chunk').map(named))(
    '%s: %s',
    (_name, _reason, { in: given, out }) => {
      const { request_id: requestId, sender, index, last: isLast, total, page, half } = out
      const chunk = { requestId, sender, index, isLast, total, page: decodeHex(page), ...(half === undefined ? {} : { half }) }
      expect(openAny(given)).toEqual({ outcome: 'opened', chunk })
    },
  )
})

describe('pages, HT-10', () => {
  it.each(pages.filter(({ failure }) => failure !== undefined).map(named))('%s: %s', (_name, _reason, { in: given, clause }) => {
    expect(refusalBy(() => decodeHistoryPage(decodeHex(given.page)))).toBe(`malformed ${clause}`)
  })

  it.each(pages.filter(({ failure }) => failure === undefined).map(named))('%s: %s', (name, _reason, { in: given, out }) => {
    const page = decodeHistoryPage(decodeHex(given.page))
    const shown = page.messages.map(({ messageId, receivedAtMs, sentAtMs, keyCreatedAtMs, ...rest }) => ({
      message_id: messageId,
      ...rest,
      received_at_ms: receivedAtMs,
      sent_at_ms: sentAtMs,
      ...(keyCreatedAtMs === undefined ? {} : { key_created_at_ms: keyCreatedAtMs }),
    }))
    expect({ messages: shown, names: Object.fromEntries(page.names) }).toEqual(out)
    if (name !== 'page-unknown-keys')
      expect(encodeHex(encodeHistoryPage(page.messages.map(encodeHandedMessage), page.names))).toBe(given.page)
  })
})

describe('pages that are written', () => {
  const someMessage: HandedMessage = {
    messageId: 'ab'.repeat(16),
    conversation: parseAccountId(`05${'cd'.repeat(32)}`),
    outgoing: false,
    body: 'Hello',
    sentAtMs: 1,
    receivedAtMs: 2,
    protocol: 'v2',
  }

  it('are read as they were written, whatever they hold', () => {
    const time = fc.nat(Number.MAX_SAFE_INTEGER)
    const account = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => parseAccountId(`05${encodeHex(bytes)}`))
    const message = fc.record(
      {
        messageId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(encodeHex),
        conversation: account,
        outgoing: fc.boolean(),
        body: fc.string({ unit: 'grapheme', minLength: 1 }),
        sentAtMs: time,
        receivedAtMs: time,
        protocol: fc.constantFrom('v2-pfs', 'v2', 'v1'),
        keyCreatedAtMs: time,
      },
      { requiredKeys: ['messageId', 'conversation', 'outgoing', 'body', 'sentAtMs', 'receivedAtMs', 'protocol'] },
    )
    const names = fc.array(fc.tuple(account, fc.string({ unit: 'grapheme' }))).map(entries => new Map<AccountId, string>(entries))
    fc.assert(
      fc.property(fc.array(message as fc.Arbitrary<HandedMessage>), names, (list, given) => {
        const page = decodeHistoryPage(encodeHistoryPage(list.map(encodeHandedMessage), given))
        expect(page).toEqual({ messages: list, names: given })
      }),
    )
  })

  it('have no text that is empty, no time that is none, and 114,000 bytes at most', () => {
    for (const changed of [{ body: '' }, { sentAtMs: -1 }, { receivedAtMs: 0.5 }, { keyCreatedAtMs: 2 ** 53 }])
      expect(refusalBy(() => encodeHandedMessage({ ...someMessage, ...changed }))).toBe('bad-input HT-10')
    const overhead =
      encodeHistoryPage([encodeHandedMessage({ ...someMessage, body: 'a'.repeat(100_000) })], new Map()).length - 100_000
    const fitting = [encodeHandedMessage({ ...someMessage, body: 'a'.repeat(HISTORY_SPLIT_PAGE_MAX_BYTES - overhead) })]
    const page = encodeHistoryPage(fitting, new Map())
    expect(page).toHaveLength(HISTORY_SPLIT_PAGE_MAX_BYTES)
    expect(decodeHistoryPage(page).messages).toHaveLength(1)
    const larger = [encodeHandedMessage({ ...someMessage, body: 'a'.repeat(HISTORY_SPLIT_PAGE_MAX_BYTES - overhead + 1) })]
    expect(refusalBy(() => encodeHistoryPage(larger, new Map()))).toBe('bad-input HT-10')
  })

  it('fuzz: any bytes are a page or malformed, soon', () => {
    const good = encodeHistoryPage([encodeHandedMessage(someMessage)], new Map([[someMessage.conversation, 'Bob']]))
    const mutated = fc
      .tuple(fc.nat(good.length), fc.nat(30), fc.uint8Array({ maxLength: 30 }))
      .map(([at, cut, inserted]) => Uint8Array.from([...good.subarray(0, at), ...inserted, ...good.subarray(at + cut)]))
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), bytes => {
        inTime(bytes, () => {
          try {
            decodeHistoryPage(bytes)
          } catch {
            expect(refusalBy(() => decodeHistoryPage(bytes))).toBe('malformed HT-10')
          }
        })
      }),
      { numRuns: fuzzRuns },
    )
  })
})

/** Two members of a group, and one that is none. */
function someHandOver(crypto: Crypto) {
  const account = someAccount(crypto, 1)
  const accountKey = someKey(crypto, 2)
  const recipient = { x25519: accountKey.x25519.publicKey, mlKem768: accountKey.mlKem768.publicKey }
  const [asker, sender, other] = [3, 4, 5].map(byte => someDevice(crypto, byte)) as [
    ReturnType<typeof someDevice>,
    ReturnType<typeof someDevice>,
    ReturnType<typeof someDevice>,
  ]
  const members = new Map([asker, sender].map(device => [device.id, device.record.x25519]))
  const keyOf = (id: DeviceId) => members.get(id)
  const requestId = historyRequestIdOf(new Uint8Array(16).fill(6))
  const ask = { requestId, deviceId: asker.id, askedAtMs: 1_700_000_000_000 }
  const ack = { requestId, seqno: 1, sender: sender.id, next: 2, missing: [2, 4] }
  const chunk: HistoryChunk = { requestId, sender: sender.id, index: 3, isLast: false, total: 9, page: encodeUtf8('a page') }
  const sealAck = (said = ack) =>
    sealHistoryAck(crypto, random, account, recipient, { author: asker.keys.x25519, addressee: sender.record.x25519 }, said)
  const sealChunk = (said = chunk, to = asker.record) => sealHistoryChunk(crypto, random, account, to, sender.keys.x25519, said)
  return { account, accountKey, recipient, asker, sender, other, keyOf, requestId, ask, ack, chunk, sealAck, sealChunk }
}

describe.each(providers)('a hand-over (%s)', (_, crypto) => {
  const { account, accountKey, recipient, asker, sender, other, keyOf, ask, ack, chunk, sealAck, sealChunk } =
    someHandOver(crypto)

  it('begins with an ask that any member opens, with an older account key too', () => {
    const message = sealHistoryAsk(crypto, random, account, recipient, { ...ask, sinceMs: 5 })
    const keys = [someKey(crypto, 9), { ...accountKey, rotatedAtS: 5000 }]
    expect(openHistoryControl(crypto, account, keys, message)).toEqual({ outcome: 'ask', ask: { ...ask, sinceMs: 5 } })
    expect(openHistoryControl(crypto, account, [someKey(crypto, 9)], message)).toEqual({ outcome: 'not-for-us' })
    expect(openHistoryControl(crypto, someAccount(crypto, 8), keys, message)).toEqual({ outcome: 'forged' })
    expect(openHistoryChunk(crypto, account, [asker.keys], keyOf, message)).toEqual({ outcome: 'not-for-us' })
  })

  it('has acknowledgements that every member opens, and only the sender can check (HT-06)', () => {
    const opened = openHistoryControl(crypto, account, [accountKey], sealAck())
    if (opened.outcome !== 'ack') throw new Error(opened.outcome)
    expect(opened.ack).toMatchObject(ack)
    expect(isProvenAck(crypto, [other.keys, sender.keys], asker.record.x25519, opened.ack)).toBe(true)
    expect(isProvenAck(crypto, [other.keys], asker.record.x25519, opened.ack)).toBe(false)
    expect(isProvenAck(crypto, [sender.keys], other.record.x25519, opened.ack)).toBe(false)
    expect(isProvenAck(crypto, [sender.keys], new Uint8Array(32) as X25519PublicKey, opened.ack)).toBe(false)
    expect(isProvenAck(crypto, [], asker.record.x25519, opened.ack)).toBe(false)
    expect(isProvenAck(crypto, [asker.keys], sender.record.x25519, opened.ack)).toBe(false)
  })

  it('has chunks for the device that asked alone, with any key that it holds', () => {
    const message = sealChunk()
    const open = (pairs: readonly (typeof asker.keys)[], of = keyOf) => openHistoryChunk(crypto, account, pairs, of, message)
    expect(open([other.keys, asker.keys])).toEqual({ outcome: 'opened', chunk })
    expect(open([sender.keys, other.keys])).toEqual({ outcome: 'not-for-us' })
    expect(open([])).toEqual({ outcome: 'not-for-us' })
    expect(open([asker.keys], () => undefined)).toEqual({ outcome: 'forged' })
    expect(open([asker.keys], () => other.record.x25519)).toEqual({ outcome: 'forged' })
    expect(openHistoryControl(crypto, account, [accountKey], message)).toEqual({ outcome: 'not-for-us' })
    for (const half of ['first', 'second'] as const)
      expect(openHistoryChunk(crypto, account, [asker.keys], keyOf, sealChunk({ ...chunk, half, isLast: true }))).toEqual({
        outcome: 'opened',
        chunk: { ...chunk, half, isLast: true },
      })
  })
})

describe.each(providers)('what is said in a hand-over (%s)', (_, crypto) => {
  const { account, recipient, asker, sender, keyOf, ask, ack, chunk, sealAck, sealChunk } = someHandOver(crypto)

  it('has sizes in steps (HT-04)', () => {
    const sizeOf = (pageBytes: number) => sealChunk({ ...chunk, page: new Uint8Array(pageBytes) }).length
    expect([sizeOf(0), sizeOf(1), sizeOf(3000)].map(size => size - sizeOf(0))).toEqual([0, 0, 0])
    expect(sizeOf(4096) - sizeOf(0)).toBe(4096)
    expect(sizeOf(HISTORY_PAGE_MAX_BYTES)).toBe(58_580)
    expect(sizeOf(HISTORY_PAGE_MAX_BYTES)).toBeLessThan(HISTORY_MESSAGE_MAX_BYTES)
    const asked = sealHistoryAsk(crypto, random, account, recipient, ask).length
    expect([sealAck().length, sealAck({ ...ack, missing: Array.from({ length: 16 }, (_, at) => 2 + at) }).length]).toEqual([
      asked,
      asked,
    ])
  })

  it('says nothing that is out of its bounds (HT-07 to HT-09)', () => {
    const refusedAsk = (changed: object) =>
      refusalBy(() => sealHistoryAsk(crypto, random, account, recipient, { ...ask, ...changed }))
    expect([refusedAsk({ askedAtMs: -1 }), refusedAsk({ sinceMs: 0.5 })]).toEqual(['bad-input HT-07', 'bad-input HT-07'])
    const acks = [
      { next: -1, missing: [] },
      { next: HISTORY_MAX_CHUNKS + 1, missing: [] },
      { seqno: 0.5 },
      { missing: [1] },
      { missing: [18] },
      { missing: [4, 2] },
    ]
    for (const changed of acks) expect(refusalBy(() => sealAck({ ...ack, ...changed }))).toBe('bad-input HT-08')
    const chunks = [
      { index: -1 },
      { index: HISTORY_MAX_CHUNKS },
      { total: -1 },
      { page: new Uint8Array(HISTORY_PAGE_MAX_BYTES + 1) },
    ]
    for (const changed of chunks) expect(refusalBy(() => sealChunk({ ...chunk, ...changed }))).toBe('bad-input HT-09')
  })

  it('is sealed to no key that cannot be used (HT-03)', () => {
    const zero = new Uint8Array(32) as X25519PublicKey
    const notReduced = asker.record.mlKem768.map(() => 0xff) as MlKem768PublicKey
    expect(refusalBy(() => sealChunk(chunk, { ...asker.record, mlKem768: notReduced }))).toBe('malformed HT-03')
    // The proof is made first.
    expect(refusalBy(() => sealChunk(chunk, { ...asker.record, x25519: zero }))).toBe('malformed HT-06')
    expect(refusalBy(() => sealHistoryAsk(crypto, random, account, { ...recipient, x25519: zero }, ask))).toBe('malformed HT-03')
  })

  it('leaves no secret in memory', () => {
    const { random: drawing, drawn } = watchedRandom(systemRandom())
    const sealing = watched(crypto)
    const message = sealHistoryChunk(sealing.crypto, drawing, account, asker.record, sender.keys.x25519, chunk)
    const opening = watched(crypto)
    expect(openHistoryChunk(opening.crypto, account, [asker.keys], keyOf, message).outcome).toBe('opened')
    const secrets = [sealing, opening].flatMap(({ calls }) =>
      calls.flatMap(({ operation, result, isProbe }) => {
        const isSecret = operation === 'x25519' || (operation === 'blake2b' && result?.length === 56)
        return isSecret && !isProbe && result !== undefined ? [result] : []
      }),
    )
    expect(secrets.length).toBeGreaterThanOrEqual(6)
    expect(drawn.length).toBeGreaterThan(0)
    const keys = secrets.map(bytes => (bytes.length === 56 ? bytes.subarray(0, 32) : bytes))
    expect([drawn[0]!, ...keys].filter(bytes => !isZero(bytes))).toEqual([])
  })
})

describe('the ID of a request', () => {
  it('has 16 bytes (HT-07)', () => {
    expect(parseHistoryRequestId('AB'.repeat(16))).toBe('ab'.repeat(16))
    expect(refusalBy(() => parseHistoryRequestId('ab'))).toBe('bad-input HT-07')
    expect(refusalBy(() => historyRequestIdOf(new Uint8Array(15)))).toBe('bad-input HT-07')
  })
})

describe('a message of a hand-over, altered', () => {
  const account = someAccount(native, 1)
  const accountKey = someKey(native, 2)
  const [asker, sender] = [someDevice(native, 3), someDevice(native, 4)]
  const recipient = { x25519: accountKey.x25519.publicKey, mlKem768: accountKey.mlKem768.publicKey }
  const requestId = historyRequestIdOf(new Uint8Array(16).fill(6))
  const message = sealHistoryAsk(native, random, account, recipient, { requestId, deviceId: asker.id, askedAtMs: 5 })
  const said = { requestId, sender: sender.id, index: 0, isLast: true, total: 0, page: new Uint8Array(0) }
  const chunk = sealHistoryChunk(native, random, account, asker.record, sender.keys.x25519, said)
  const open = (bytes: Uint8Array) => openHistoryControl(native, account, [accountKey], bytes).outcome
  const openChunk = (bytes: Uint8Array) =>
    openHistoryChunk(native, account, [asker.keys], id => (id === sender.id ? sender.record.x25519 : undefined), bytes).outcome

  it('with one bit flipped is malformed or forged', () => {
    const outcomes = new Set<string>()
    for (let at = 0; at < message.length; at++) outcomes.add(open(message.with(at, message[at]! ^ 1)))
    for (let at = 0; at < chunk.length; at += 7) outcomes.add(openChunk(chunk.with(at, chunk[at]! ^ 0x10)))
    expect([...outcomes].sort()).toEqual(['forged', 'malformed'])
  })

  it('of more than 61,440 bytes is malformed (HT-02)', () => {
    const withFuture = (sizeBytes: number) =>
      Buffer.concat([message.subarray(0, -1), encodeUtf8(`2:~z${sizeBytes}:${'a'.repeat(sizeBytes)}e`)])
    const room = HISTORY_MESSAGE_MAX_BYTES - withFuture(50_000).length + 50_000
    expect([open(withFuture(room)), open(withFuture(room + 1))]).toEqual(['ask', 'malformed'])
  })

  it('says what is wrong with it', () => {
    const opened = openHistoryControl(native, account, [accountKey], encodeUtf8('le'))
    expect(
      opened.outcome === 'malformed' &&
        protocolErrorBy(() => {
          throw opened.cause
        }).message,
    ).toMatch(/^this is no message of a hand-over/)
    expect(new BtDictReader(message).requireBytes('')).toEqual(encodeUtf8('A'))
  })

  it('fuzz: gives an outcome, soon', () => {
    const mutationOf = (good: Uint8Array) =>
      fc
        .tuple(fc.nat(good.length), fc.nat(30), fc.uint8Array({ maxLength: 30 }))
        .map(([at, cut, inserted]) => Uint8Array.from([...good.subarray(0, at), ...inserted, ...good.subarray(at + cut)]))
    const structured = fc
      .array(
        fc.constantFrom('d', 'e', 'l', '0:', '1:A', '1:K', '1:C', '1:E', '1:M', '1:s', '1:~', `32:${'a'.repeat(32)}`, 'i5e'),
        {
          maxLength: 20,
        },
      )
      .map(parts => encodeUtf8(parts.join('')))
    const bytes = fc.oneof(mutationOf(message), mutationOf(chunk), structured, fc.uint8Array({ maxLength: 300 }))
    fc.assert(
      fc.property(bytes, input => {
        const outcomes = inTime(input, () => [open(input), openChunk(input)])
        for (const outcome of outcomes) expect(['ask', 'opened', 'not-for-us', 'malformed', 'forged']).toContain(outcome)
      }),
      { numRuns: fuzzRuns },
    )
  })
})
