/**
 * Messages of a hand-over of history, sealed a second time apart from the protocol package: some that must be read, and some that must
 * be refused, each for one reason. Alice's phone sends to her laptop.
 */
import {
  blake2b,
  type Crypto,
  ed25519Sign,
  generateX25519,
  mlKem768Encapsulate,
  prepareMlKem768PublicKey,
  x25519,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { BtDictWriter, concatBytes, encodeHex, encodeUtf8, padWithZeros } from '@session-v2/encoding'
import { type Account, type ExpandedKeyPair, expandKeyPair } from '@session-v2/protocol'
import type { Case, Failure } from './case.ts'
import { type Device, groupWorld, type World } from './group-sealing.ts'
import { historyPageCases, page } from './history-pages.ts'

const CHAPTER = 'history-transfer'
const STEPS = { A: 512, K: 512, C: 4096 } as const

type Type = keyof typeof STEPS
type Out = { readonly kind: string } & Readonly<Record<string, unknown>>
type Refusal = readonly [name: string, failure: Failure, clause: string, reason: string, message: Uint8Array]

interface Outside {
  readonly E: Uint8Array
  readonly M: Uint8Array
  readonly s: Uint8Array
}

interface HistoryWorld extends World {
  readonly accountKeys: ExpandedKeyPair
  readonly requestId: Uint8Array
}

/** The cases of the chapter, always the same. */
export function historyTransferCases(crypto: Crypto): Case[] {
  const group = groupWorld(crypto, CHAPTER)
  const accountKeys = expandKeyPair(crypto, 'SessionAccountKeys', group.accountKeySeed)
  const world: HistoryWorld = { ...group, accountKeys, requestId: group.random.bytes(16) }
  const rows = [...misshapen(world), ...asks(world), ...acks(world), ...chunks(world), ...forged(world), ...notForUs(world)]
  const refused = rows.map(([name, failure, clause, reason, message]): Case => {
    return { chapter: CHAPTER, name, reason, clause, failure, in: inputOf(world, message), out: {} }
  })
  return [...read(world), ...refused, ...historyPageCases()]
}

/** Who opens is the laptop, a member like the phone; acknowledgements, which the laptop wrote, the phone opens. */
function inputOf({ alice, accountKeySeed, laptop, phone }: HistoryWorld, message: Uint8Array, opener = laptop) {
  return {
    root_seed: encodeHex(alice.seed.expose()),
    account_key_seeds: [encodeHex(accountKeySeed)],
    device_seeds: [encodeHex(opener.seed)],
    members: [phone, laptop].map(({ id, keys }) => ({ id: encodeHex(id), x25519: encodeHex(keys.x25519.publicKey) })),
    message: encodeHex(message),
  }
}

const writer = () => new BtDictWriter()

function askText({ laptop, requestId }: HistoryWorld): Uint8Array {
  return writer().integer('@', 1_700_000_000_000).bytes('D', laptop.id).bytes('R', requestId).finish()
}

/** By the laptop, to the phone. */
function ackText(world: HistoryWorld, missing = 'li3ei5ee', next = 3): Uint8Array {
  const { phone, laptop, requestId } = world
  return writer()
    .integer('#', 2)
    .bytes('D', phone.id)
    .bytes('R', requestId)
    .raw('m', encodeUtf8(missing))
    .integer('n', next)
    .sign('~', body => proof(world, laptop, phone, body))
    .finish()
}

interface ChunkFields {
  readonly D?: Uint8Array
  readonly h?: number
  readonly i?: number
  readonly l?: number
  readonly p?: Uint8Array
  readonly t?: number
  readonly author?: Device
}

/** By the phone, to the laptop. */
function chunkText(world: HistoryWorld, fields: ChunkFields = {}): Uint8Array {
  const { phone, laptop, requestId } = world
  const { D = phone.id, h, i = 0, l, p = page(), t = 1, author = phone } = fields
  const dict = writer().bytes('D', D).bytes('R', requestId)
  if (h !== undefined) dict.integer('h', h)
  dict.integer('i', i)
  if (l !== undefined) dict.integer('l', l)
  return dict
    .bytes('p', p)
    .integer('t', t)
    .sign('~', body => proof(world, author, laptop, body))
    .finish()
}

function read(world: HistoryWorld): Case[] {
  const { laptop, phone, requestId } = world
  const opens = (name: string, clause: string, reason: string, bytes: Uint8Array, out: Out): Case => {
    const opener = out.kind === 'ack' ? phone : laptop
    return { chapter: CHAPTER, name, reason, clause, in: inputOf(world, bytes, opener), out: { ...out } }
  }
  const request = { request_id: encodeHex(requestId) }
  const asked = { kind: 'ask', ...request, device_id: encodeHex(laptop.id), asked_at_ms: 1_700_000_000_000 }
  const acked = { kind: 'ack', ...request, seqno: 2, sender: encodeHex(phone.id), next: 3, missing: [3, 5], proven: true }
  const chunk = {
    kind: 'chunk',
    ...request,
    sender: encodeHex(phone.id),
    index: 0,
    last: false,
    total: 1,
    page: encodeHex(page()),
  }
  const since = writer().integer('@', 1_700_000_000_000).bytes('D', laptop.id).bytes('R', requestId).integer('s', 5).finish()
  const future = writer()
    .integer('@', 1_700_000_000_000)
    .integer('A', 1)
    .bytes('D', laptop.id)
    .bytes('R', requestId)
    .integer('z', 1)
  const outside = sealed(world, 'A', askText(world))
  const unknown = signed(world, writer().bytes('', encodeUtf8('A')).bytes('E', outside.E).integer('F', 1), outside)
  const byAnother = ackText(world).map((byte, at, all) => (at === all.length - 5 ? byte ^ 1 : byte))
  return [
    opens('ask', 'HT-07', 'an ask for everything', whole(world, 'A', askText(world)), asked),
    opens('ask-since', 'HT-07', 'an ask for what is newer', whole(world, 'A', since), { ...asked, since_ms: 5 }),
    opens('ask-unknown-keys', 'HT-11', 'unknown keys of the plaintext', whole(world, 'A', future.finish()), asked),
    opens('unknown-key', 'HT-02', 'an unknown key of the message', unknown, asked),
    opens('ack', 'HT-08', 'two chunks are missing', whole(world, 'K', ackText(world)), acked),
    opens('ack-window', 'HT-08', 'the last index that can be missing', whole(world, 'K', ackText(world, 'li18ee')), {
      ...acked,
      missing: [18],
    }),
    opens('ack-not-proven', 'HT-06', 'a bit of the proof is flipped', whole(world, 'K', byAnother), { ...acked, proven: false }),
    opens('chunk', 'HT-09', 'a whole page', whole(world, 'C', chunkText(world)), chunk),
    opens('chunk-last', 'HT-09', 'the last chunk', whole(world, 'C', chunkText(world, { i: 7, l: 1, t: 40 })), {
      ...chunk,
      ...{ index: 7, last: true, total: 40 },
    }),
    opens('chunk-half', 'HT-09', 'the second half of a page', whole(world, 'C', chunkText(world, { h: 2, i: 1 })), {
      ...chunk,
      ...{ index: 1, half: 'second' },
    }),
    opens('chunk-padded', 'HT-04', 'a chunk of two steps', whole(world, 'C', chunkText(world, { p: new Uint8Array(4096) })), {
      ...chunk,
      page: encodeHex(new Uint8Array(4096)),
    }),
  ]
}

function misshapen(world: HistoryWorld): Refusal[] {
  const outside = sealed(world, 'A', askText(world))
  const { E, M, s } = outside
  const good = signedFields(world, 'A', outside)
  const bad = (name: string, reason: string, bytes: Uint8Array, clause = 'HT-02'): Refusal => [
    name,
    'malformed',
    clause,
    reason,
    bytes,
  ]
  const dict = (changed: Partial<Outside>) => signedFields(world, 'A', { E, M, s, ...changed })
  return [
    bad('no-dict', 'a list', encodeUtf8('le')),
    bad('empty', 'no bytes', new Uint8Array(0)),
    bad('truncated', 'the final e is missing', good.subarray(0, -1)),
    bad('trailing-bytes', 'a byte after the dict', concatBytes(good, Uint8Array.of(0))),
    bad('type-group', 'the type of group messages', signedFields(world, 'G', outside)),
    bad('type-of-two-bytes', 'the type has two bytes', signedFields(world, 'AA', outside)),
    bad('ephemeral-too-short', 'E has 31 bytes', dict({ E: E.subarray(1) })),
    bad('ciphertext-too-short', 'M has 1087 bytes', dict({ M: M.subarray(1) })),
    bad('sealed-without-text', 's has the 16 bytes of a tag', dict({ s: s.subarray(0, 16) })),
    bad('signature-missing', 'no ~', writer().bytes('', encodeUtf8('A')).bytes('E', E).bytes('M', M).bytes('s', s).finish()),
    bad('ephemeral-zero', 'X25519 with E = 0 is zero for every secret', dict({ E: new Uint8Array(32) }), 'HT-11'),
  ]
}

function asks(world: HistoryWorld): Refusal[] {
  const { laptop, requestId } = world
  const bad = (name: string, reason: string, text: Uint8Array): Refusal => {
    return [`ask-${name}`, 'malformed', 'HT-07', reason, whole(world, 'A', text)]
  }
  const dict = (at: number, D: Uint8Array, R: Uint8Array) => writer().integer('@', at).bytes('D', D).bytes('R', R)
  return [
    bad('no-dict', 'a list', encodeUtf8('le')),
    bad('without-device', 'no D', writer().integer('@', 1).bytes('R', requestId).finish()),
    bad('device-too-short', 'D has 31 bytes', dict(1, laptop.id.subarray(1), requestId).finish()),
    bad('request-too-long', 'R has 17 bytes', dict(1, laptop.id, new Uint8Array(17)).finish()),
    bad('time-negative', 'it was asked before the epoch', dict(-1, laptop.id, requestId).finish()),
    bad('since-negative', 's is negative', dict(1, laptop.id, requestId).integer('s', -1).finish()),
    bad('trailing-bytes', 'a byte after the dict that is no zero', concatBytes(askText(world), encodeUtf8('x'))),
  ]
}

function acks(world: HistoryWorld): Refusal[] {
  const bad = (name: string, reason: string, text: Uint8Array): Refusal => {
    return [`ack-${name}`, 'malformed', 'HT-08', reason, whole(world, 'K', text)]
  }
  return [
    bad('missing-not-ascending', 'm does not ascend', ackText(world, 'li5ei3ee')),
    bad('missing-twice', 'an index stands twice in m', ackText(world, 'li3ei3ee')),
    bad('missing-too-low', 'm has an index below n', ackText(world, 'li2ee')),
    bad('missing-too-high', 'm has the index n + 16', ackText(world, 'li19ee')),
    bad('missing-no-list', 'm is an integer', ackText(world, 'i3e')),
    bad('missing-no-integers', 'm has a text', ackText(world, 'l1:xe')),
    bad('next-too-great', 'n is more than 2²⁰', ackText(world, 'le', 2 ** 20 + 1)),
    bad('next-negative', 'n is negative', ackText(world, 'le', -1)),
    bad('without-proof', 'no ~', concatBytes(ackText(world).subarray(0, -39), encodeUtf8('e'))),
    bad('is-an-ask', 'an ask under the type of acknowledgements', askText(world)),
  ]
}

function chunks(world: HistoryWorld): Refusal[] {
  const bad = (name: string, reason: string, fields: ChunkFields): Refusal => {
    return [`chunk-${name}`, 'malformed', 'HT-09', reason, whole(world, 'C', chunkText(world, fields))]
  }
  return [
    bad('index-negative', 'i is negative', { i: -1 }),
    bad('index-too-great', 'i is 2²⁰', { i: 2 ** 20 }),
    bad('total-negative', 't is negative', { t: -1 }),
    bad('last-two', 'l is 2', { l: 2 }),
    bad('half-zero', 'h is 0', { h: 0 }),
    bad('half-three', 'h is 3', { h: 3 }),
    bad('sender-too-short', 'D has 31 bytes', { D: world.phone.id.subarray(1) }),
  ]
}

function forged(world: HistoryWorld): Refusal[] {
  const { mallory, laptop, random } = world
  const outside = sealed(world, 'A', askText(world))
  const good = signedFields(world, 'A', outside)
  const forgery = (name: string, clause: string, reason: string, bytes: Uint8Array): Refusal => [
    name,
    'forged',
    clause,
    reason,
    bytes,
  ]
  const flipped = (at: number) => good.map((byte, index) => (index === at ? byte ^ 1 : byte))
  const stranger: Device = {
    ...laptop,
    id: random.bytes(32),
    keys: expandKeyPair(world.crypto, 'SessionDeviceKeys', random.bytes(32)),
  }
  return [
    forgery('signed-by-another', 'HT-11', 'another account signed', signedFields(world, 'A', outside, mallory)),
    forgery('ephemeral-altered', 'HT-11', 'a bit of E is flipped', flipped(20)),
    forgery('sealed-altered', 'HT-11', 'a bit of s is flipped', flipped(1300)),
    forgery('type-altered', 'HT-11', 'an ask becomes an acknowledgement', good.with(5, 0x4b)),
    forgery(
      'chunk-by-a-stranger',
      'HT-11',
      'the sender is no member',
      whole(world, 'C', chunkText(world, { D: stranger.id, author: stranger })),
    ),
    forgery(
      'chunk-by-a-stranger-for-a-member',
      'HT-06',
      'the proof is by another key than that of the member it names',
      whole(world, 'C', chunkText(world, { author: stranger })),
    ),
    forgery(
      'chunk-by-the-addressee',
      'HT-06',
      'the proof has the roles exchanged',
      whole(world, 'C', chunkText(world, { author: laptop })),
    ),
  ]
}

function notForUs(world: HistoryWorld): Refusal[] {
  const { phone, laptop } = world
  const no = (name: string, clause: string, reason: string, bytes: Uint8Array): Refusal => [
    name,
    'not-for-us',
    clause,
    reason,
    bytes,
  ]
  const asAck = sealed(world, 'A', askText(world))
  return [
    no('ask-to-a-device', 'HT-05', 'an ask that is sealed to a device key', whole(world, 'A', askText(world), laptop.keys)),
    no('chunk-to-another', 'HT-05', 'a chunk that is sealed to another device', whole(world, 'C', chunkText(world), phone.keys)),
    no(
      'chunk-to-the-account',
      'HT-05',
      'a chunk that is sealed to the account key',
      whole(world, 'C', chunkText(world), world.accountKeys),
    ),
    no('type-exchanged', 'HT-03', 'an ask that was signed anew as an acknowledgement', signedFields(world, 'K', asAck)),
  ]
}

function whole(world: HistoryWorld, type: Type, text: Uint8Array, to?: ExpandedKeyPair): Uint8Array {
  return signedFields(world, type, sealed(world, type, text, to))
}

function signedFields(world: HistoryWorld, type: string, outside: Outside, signer: Account = world.alice): Uint8Array {
  return signed(world, writer().bytes('', encodeUtf8(type)).bytes('E', outside.E), outside, signer)
}

function signed({ crypto, alice }: HistoryWorld, begun: BtDictWriter, { M, s }: Outside, signer: Account = alice): Uint8Array {
  return begun
    .bytes('M', M)
    .bytes('s', s)
    .sign('~', body => ed25519Sign(crypto, signer.ed25519.secretKey, body))
    .finish()
}

function sealed(world: HistoryWorld, type: Type, text: Uint8Array, to?: ExpandedKeyPair): Outside {
  const { crypto, random, accountKeys, laptop } = world
  const { x25519: B, mlKem768: K } = to ?? (type === 'C' ? laptop.keys : accountKeys)
  const { secretKey, publicKey: E } = generateX25519(crypto, random)
  const { ciphertext: M, sharedSecret } = mlKem768Encapsulate(crypto, random, prepareMlKem768PublicKey(crypto, K.publicKey))
  const shared = x25519(crypto, secretKey, B.publicKey)
  const inputs = [encodeUtf8(type), shared, E, B.publicKey, sharedSecret, M, K.publicKey]
  const keyAndNonce = blake2b(crypto, 56, inputs, { personal: 'SessionV2History' })
  const padded = padWithZeros(text, Math.ceil(text.length / STEPS[type]) * STEPS[type])
  return { E, M, s: xchacha20Poly1305Encrypt(crypto, keyAndNonce.subarray(0, 32), keyAndNonce.subarray(32), padded) }
}

function proof({ crypto }: HistoryWorld, author: Device, addressee: Device, body: Uint8Array): Uint8Array {
  const [a, b] = [author.keys.x25519, addressee.keys.x25519]
  const inputs = [x25519(crypto, a.secretKey, b.publicKey), a.publicKey, b.publicKey]
  const key = blake2b(crypto, 32, inputs, { personal: 'SessionV2HistAut' })
  return blake2b(crypto, 32, [body], { key, personal: 'SessionV2HistAut' })
}
