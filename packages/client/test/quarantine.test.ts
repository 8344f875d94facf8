/** Messages that came before their key: kept, opened when the key is there, and never so many that they fill the store. */
import { openMemoryStore, type RecordStore } from '@session-v2/client'
import { type Crypto, loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { INBOX_MAX_TTL_MS, type RetrievedMessage } from '@session-v2/network'
import {
  type Account,
  accountFromSeed,
  currentKey,
  emptyKeyring,
  encodeContent,
  generateSeed,
  type Keyring,
  prepareRecipient,
  rotateKeyring,
  sealMessageV1,
  sealMessageV2,
  textContent,
} from '@session-v2/protocol'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EventLog } from '../src/events/event-log.ts'
import { Inbox } from '../src/messages/inbox.ts'
import { MessageLog } from '../src/messages/message-log.ts'
import { QUARANTINE_MAX_MESSAGES, Quarantine, type QuarantineReason } from '../src/messages/quarantine.ts'
import { SealedStore } from '../src/store/sealed/sealed-store.ts'
import { DAY_MS } from './simulated-time.ts'

const NOW_MS = Date.UTC(2026, 0, 5)
const random = systemRandom()

let crypto: Crypto
let raw: RecordStore
let account: Account
let keyring: Keyring
let inbox: Inbox
let log: MessageLog

beforeAll(async () => {
  crypto = await loadCrypto()
})
beforeEach(async () => {
  raw = openMemoryStore()
  account = accountFromSeed(crypto, generateSeed(random, 13))
  keyring = rotated(emptyKeyring)
  await openInbox()
})

const rotated = (before: Keyring): Keyring => rotateKeyring(crypto, before, random.bytes(32), NOW_MS / 1000).keyring

const sealedStore = () => new SealedStore(crypto, random, raw, Secret.of(new Uint8Array(32).fill(1), 'data-key'))

/** The inbox on the store, as after a start of the program. */
async function openInbox(): Promise<void> {
  const store = sealedStore()
  log = new MessageLog(store)
  const [events, quarantine] = [await EventLog.open(store), await Quarantine.open(store)]
  inbox = new Inbox({ crypto, account, store, events, log, quarantine, keyring: () => keyring })
}

function message(payload: Uint8Array, expiryMs = NOW_MS + DAY_MS): RetrievedMessage {
  return { hash: Buffer.from(random.bytes(32)).toString('base64').slice(0, 43), payload, timestampMs: NOW_MS, expiryMs }
}

/** A message sealed to the current key of a keyring. */
function sealedTo(ring: Keyring, body: string): Uint8Array {
  const key = currentKey(ring)!
  const keys = { x25519: key.x25519.publicKey, mlKem768: key.mlKem768.publicKey }
  const content = encodeContent(textContent({ body, sentAtMs: NOW_MS, messageId: random.bytes(8) }))
  const sender = accountFromSeed(crypto, generateSeed(random, 13))
  return sealMessageV2(crypto, random, { sender, recipient: prepareRecipient(crypto, account.id, keys), content })
}

const rubbish = (count: number) => Array.from({ length: count }, () => message(Uint8Array.of(0, 9, ...random.bytes(8))))
const bodies = async () => (await log.page({ limit: 100 })).map(({ value }) => value.body)
const rows = async (table: string) => (await raw.scan(table, { limit: 1_000_000 })).length

describe('a message before its key', () => {
  it('is opened when the key is there, also after a restart, and then kept no longer', async () => {
    const later = rotated(keyring)
    const early = [message(sealedTo(later, 'early')), message(sealedTo(rotated(keyring), 'never'))]
    expect(await inbox.take(early, [], NOW_MS)).toEqual({ received: 0, quarantined: 2 })
    expect(await inbox.retryQuarantine(NOW_MS)).toBe(0)
    await openInbox()
    expect(await inbox.retryQuarantine(NOW_MS)).toBe(0)
    keyring = later
    expect(await inbox.retryQuarantine(NOW_MS)).toBe(1)
    expect(await bodies()).toEqual(['early'])
    expect(await rows('quarantine')).toBe(1)
    expect(await inbox.take(early, [], NOW_MS)).toEqual({ received: 0, quarantined: 0 })
  })

  it('is dropped when its swarm drops it too', async () => {
    await inbox.take([message(sealedTo(rotated(keyring), 'too late'))], [], NOW_MS)
    keyring = rotated(keyring)
    await inbox.retryQuarantine(NOW_MS + 2 * DAY_MS)
    expect(await rows('quarantine')).toBe(0)
  })
})

describe('a message of version 1', () => {
  const sealedV1 = (recipient: Account, body: string) => {
    const content = encodeContent(textContent({ body, sentAtMs: NOW_MS, messageId: random.bytes(8) }))
    const sender = accountFromSeed(crypto, generateSeed(random, 13))
    return sealMessageV1(crypto, random, { sender, recipient: recipient.id, content, timestampMs: NOW_MS })
  }

  it('that an earlier program kept is opened after a start, or dropped when it never will be', async () => {
    const store = sealedStore()
    const [events, quarantine] = [await EventLog.open(store), await Quarantine.open(store)]
    const other = accountFromSeed(crypto, generateSeed(random, 13))
    const kept = [sealedV1(account, 'from before'), sealedV1(other, 'not for us')]
    const reason = 'v1' as QuarantineReason
    await events.commit(kept.map(payload => quarantine.keep(message(payload), reason, undefined)))
    await openInbox()
    expect(await inbox.retryQuarantine(NOW_MS)).toBe(1)
    expect(await bodies()).toEqual(['from before'])
    expect(await rows('quarantine')).toBe(0)
  })

  it('that is not for us does not wait, however many come', async () => {
    const other = accountFromSeed(crypto, generateSeed(random, 13))
    const flood = Array.from({ length: 20 }, (_, at) => message(sealedV1(other, `${at}`)))
    expect(await inbox.take(flood, [], NOW_MS)).toEqual({ received: 0, quarantined: 0 })
    expect(await rows('quarantine')).toBe(0)
  })
})

describe('a flood of what cannot be read', () => {
  it('drives out the oldest and no more, counted over restarts', async () => {
    const later = rotated(keyring)
    await inbox.take([message(sealedTo(later, 'driven out'))], [], NOW_MS)
    await inbox.take(rubbish(QUARANTINE_MAX_MESSAGES - 1), [], NOW_MS)
    expect(await rows('quarantine')).toBe(QUARANTINE_MAX_MESSAGES)
    await openInbox()
    await inbox.take([...rubbish(5), message(sealedTo(later, 'kept'))], [], NOW_MS)
    expect(await rows('quarantine')).toBe(QUARANTINE_MAX_MESSAGES)
    keyring = later
    expect(await inbox.retryQuarantine(NOW_MS)).toBe(1)
    expect(await bodies()).toEqual(['kept'])
  })

  it('is forgotten in time, whatever expiry a node tells', async () => {
    const forEver = rubbish(250).map(told => ({ ...told, expiryMs: Number.MAX_SAFE_INTEGER }))
    await inbox.take(forEver, [], NOW_MS)
    expect(await rows('seen')).toBe(250)
    const laterMs = NOW_MS + INBOX_MAX_TTL_MS + 1
    // 200 at a time, and no sooner than after ten seconds.
    await inbox.take([], [], laterMs)
    await inbox.take([], [], laterMs + 9_999)
    expect(await rows('seen')).toBe(50)
    await inbox.take([], [], laterMs + 10_000)
    await inbox.retryQuarantine(laterMs)
    expect([await rows('seen'), await rows('quarantine')]).toEqual([0, 0])
  })
})
