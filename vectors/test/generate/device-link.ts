/** Link requests: some that must be refused, each for one reason, and some that must be read. */
import { blake2b, type Crypto, ed25519Sign, generateX25519, x25519, xchacha20Poly1305Encrypt } from '@session-v2/crypto'
import { BtDictWriter, concatBytes, encodeHex, encodeUtf8, xorBytes } from '@session-v2/encoding'
import { type Account, expandKeyPair } from '@session-v2/protocol'
import type { Case, Failure } from './case.ts'
import { groupWorld, record, type World } from './group-sealing.ts'

type Refusal = readonly [name: string, failure: Failure, clause: string, reason: string, message: Uint8Array]

interface Request {
  readonly E: Uint8Array
  readonly L: Uint8Array
  readonly i: Uint8Array
}

/** The cases of the chapter, always the same. */
export function deviceLinkCases(crypto: Crypto): Case[] {
  const world = groupWorld(crypto, 'device-link')
  const rows = [
    ...truncated(world),
    ...misshapen(world),
    ...plaintexts(world),
    ...unusable(world),
    ...forged(world),
    ...noKey(world),
  ]
  const refused = rows.map(([name, failure, clause, reason, message]): Case => {
    return { chapter: 'device-link', name, reason, clause, failure, in: inputOf(world, message), out: {} }
  })
  return [...refused, ...read(world)]
}

/** Who opens holds a newer account key and the one the request is sealed to. */
function inputOf({ alice, accountKeySeed, laptop }: World, message: Uint8Array) {
  return {
    root_seed: encodeHex(alice.seed.expose()),
    account_key_seeds: [encodeHex(laptop.seed), encodeHex(accountKeySeed)],
    message: encodeHex(message),
  }
}

function truncated(world: World): Refusal[] {
  const whole = encoded(sealed(world, plaintext(world)))
  const cut = (name: string, reason: string, sizeBytes: number): Refusal => {
    return [`truncated-${name}`, 'malformed', 'LINK-05', reason, whole.subarray(0, sizeBytes)]
  }
  return [
    cut('to-nothing', 'no request at all', 0),
    cut('in-type', 'the request ends within the type', 4),
    cut('before-ephemeral', 'the request ends before E', 6),
    cut('in-ephemeral', 'the request ends within E', 30),
    cut('before-sealed', 'the request ends before L', 44),
    cut('in-sealed', 'the request ends within L', 700),
    cut('before-indicator', 'the request ends before i', whole.length - 8),
    cut('in-indicator', 'the request ends within i', whole.length - 2),
    cut('by-one', 'the final e is missing', whole.length - 1),
  ]
}

function misshapen(world: World): Refusal[] {
  const request = sealed(world, plaintext(world))
  const { E, L, i } = request
  const dict = (...fields: [string, Uint8Array][]) =>
    fields.reduce((writer, [key, value]) => writer.bytes(key, value), new BtDictWriter()).finish()
  const malformed = (name: string, reason: string, message: Uint8Array): Refusal => [
    name,
    'malformed',
    'LINK-05',
    reason,
    message,
  ]
  const type = encodeUtf8('L')
  const whole = encoded(request)
  const swapped = concatBytes(
    encodeUtf8('d0:1:L1:i2:'),
    i,
    encodeUtf8('1:E32:'),
    E,
    encodeUtf8(`1:L${L.length}:`),
    L,
    encodeUtf8('e'),
  )
  return [
    malformed('request-no-dict', 'a list', encodeUtf8('le')),
    malformed('type-missing', 'no type', dict(['E', E], ['L', L], ['i', i])),
    malformed('type-group', 'the type of group messages', dict(['', encodeUtf8('G')], ['E', E], ['L', L], ['i', i])),
    malformed('ephemeral-missing', 'no E', dict(['', type], ['L', L], ['i', i])),
    malformed('sealed-missing', 'no L', dict(['', type], ['E', E], ['i', i])),
    malformed('indicator-missing', 'no i', dict(['', type], ['E', E], ['L', L])),
    malformed('ephemeral-too-short', 'E has 31 bytes', encoded({ ...request, E: E.subarray(1) })),
    malformed('indicator-too-long', 'i has 3 bytes', encoded({ ...request, i: concatBytes(i, i.subarray(1)) })),
    malformed('sealed-shorter-than-a-tag', 'L has 15 bytes', encoded({ ...request, L: L.subarray(0, 15) })),
    malformed('key-order', 'i stands before E', swapped),
    malformed('trailing-bytes', 'a byte after the dict', concatBytes(whole, Uint8Array.of(0))),
    malformed('ephemeral-zero', 'X25519 with E = 0 is zero for every secret', encoded({ ...request, E: new Uint8Array(32) })),
  ]
}

/** Requests that open and then turn out to have a wrong form. */
function plaintexts(world: World): Refusal[] {
  const { phone } = world
  const good = plaintext(world)
  const i = record(phone)
  const malformed = (name: string, reason: string, text: Uint8Array, clause = 'LINK-05'): Refusal => {
    return [`plaintext-${name}`, 'malformed', clause, reason, encoded(sealed(world, text))]
  }
  const signed = (writer: BtDictWriter) => writer.sign('~', body => signature(world, body)).finish()
  const swapped = concatBytes(encodeUtf8('d1:i'), i, encodeUtf8('1:I32:'), phone.id)
  const swappedAndSigned = concatBytes(swapped, encodeUtf8('1:~64:'), signature(world, swapped), encodeUtf8('e'))
  return [
    malformed('empty', 'an empty plaintext', new Uint8Array(0)),
    malformed('no-dict', 'a list', encodeUtf8('le')),
    malformed('unfinished', 'the final e is missing', good.subarray(0, -1)),
    malformed('trailing-bytes', 'a byte after the dict', concatBytes(good, encodeUtf8('x'))),
    malformed('padded', 'a zero after the dict: requests are not padded', concatBytes(good, Uint8Array.of(0))),
    malformed('device-id-missing', 'no I', signed(new BtDictWriter().raw('i', i))),
    malformed('record-missing', 'no i', signed(new BtDictWriter().bytes('I', phone.id))),
    malformed('signature-missing', 'no ~', new BtDictWriter().bytes('I', phone.id).raw('i', i).finish()),
    malformed('device-id-too-short', 'I has 31 bytes', signed(new BtDictWriter().bytes('I', phone.id.subarray(1)).raw('i', i))),
    malformed('record-no-dict', 'i is an integer', signed(new BtDictWriter().bytes('I', phone.id).integer('i', 5)), 'DG-06'),
    malformed(
      'record-in-bytes',
      'i is a byte string that holds a record',
      signed(new BtDictWriter().bytes('I', phone.id).bytes('i', i)),
      'DG-06',
    ),
    malformed(
      'record-without-keys',
      'a record without M and X',
      signed(new BtDictWriter().bytes('I', phone.id).raw('i', encodeUtf8('d1:#i1e1:@i1ee'))),
      'DG-06',
    ),
    malformed(
      'signature-too-short',
      '~ has 63 bytes',
      new BtDictWriter().bytes('I', phone.id).raw('i', i).bytes('~', world.random.bytes(63)).finish(),
    ),
    malformed('key-order', 'i stands before I', swappedAndSigned),
  ]
}

/** Signed by the account, and still no device that a message could reach. */
function unusable(world: World): Refusal[] {
  const { phone } = world
  const withKeys = (changed: { M?: Uint8Array; X?: Uint8Array }): Uint8Array => {
    const { M = phone.keys.mlKem768.publicKey, X = phone.keys.x25519.publicKey } = changed
    const i = new BtDictWriter()
      .integer('#', 1)
      .integer('@', 1)
      .bytes('M', M)
      .bytes('X', X)
      .bytes('d', new Uint8Array(0))
      .finish()
    return encoded(sealed(world, plaintext(world, i)))
  }
  const notReduced = phone.keys.mlKem768.publicKey.map((byte, at) => (at < 2 ? 0xff : byte))
  const orderEight = Uint8Array.from(Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex'))
  const clause = 'LINK-05'
  return [
    ['record-key-not-reduced', 'malformed', clause, 'a coefficient of M is 4095, not below 3329', withKeys({ M: notReduced })],
    ['record-key-zero', 'malformed', clause, 'nothing can be sealed to X = 0', withKeys({ X: new Uint8Array(32) })],
    ['record-key-small-order', 'malformed', clause, 'X has order 8', withKeys({ X: orderEight })],
  ]
}

function forged(world: World): Refusal[] {
  const { mallory } = world
  const good = plaintext(world)
  const forgery = (name: string, reason: string, text: Uint8Array): Refusal => {
    return [name, 'forged', 'LINK-05', reason, encoded(sealed(world, text))]
  }
  const flipped = (at: number) => good.map((byte, index) => (index === at ? byte ^ 1 : byte))
  const beyond = concatBytes(good.subarray(0, -71), encodeUtf8('1:zi5e'), good.subarray(-71))
  return [
    forgery('signed-by-another', 'another account signed', plaintext(world, record(world.phone), mallory)),
    forgery('signature-altered', 'a bit of the signature is flipped', flipped(good.length - 20)),
    forgery('device-id-altered', 'a bit of the device ID is flipped', flipped(20)),
    forgery('record-altered', 'a bit of the ML-KEM key is flipped', flipped(600)),
    forgery('key-added', 'a key that nobody signed stands before the signature', beyond),
  ]
}

function noKey(world: World): Refusal[] {
  const { mallory, laptop } = world
  const request = sealed(world, plaintext(world))
  const flipped = (bytes: Uint8Array, flip: number) => bytes.map((byte, at) => (at === flip ? byte ^ 1 : byte))
  const no = (name: string, reason: string, changed: Partial<Request>): Refusal => {
    return [name, 'no-key', 'LINK-04', reason, encoded({ ...request, ...changed })]
  }
  const toLaptop = sealed({ ...world, X: laptop.keys.x25519.publicKey }, plaintext(world))
  const toMallory = sealed({ ...world, alice: mallory }, plaintext(world))
  return [
    no('sealed-to-another-key', 'sealed to a key that is no account key', toLaptop),
    no('sealed-for-another-account', 'the indicator is masked for another account', { ...toMallory }),
    no('indicator-altered', 'a bit of the indicator is flipped', { i: flipped(request.i, 0) }),
    no('ephemeral-altered', 'a bit of E is flipped', { E: flipped(request.E, 3) }),
    no('sealed-altered', 'a bit of L is flipped', { L: flipped(request.L, 100) }),
    no('tag-altered', 'a bit of the tag is flipped', { L: flipped(request.L, request.L.length - 1) }),
    no('indicator-of-the-ml-kem-key', 'the indicator is that of messages: of the ML-KEM key', {
      i: mlKemIndicator(world, request),
    }),
  ]
}

function read(world: World): Case[] {
  const { phone, crypto } = world
  const i = record(phone)
  const opens = (
    name: string,
    clause: string,
    reason: string,
    text: Uint8Array,
    message = encoded(sealed(world, text)),
  ): Case => ({
    chapter: 'device-link',
    name,
    reason,
    clause,
    in: inputOf(world, message),
    out: {
      device: { id: encodeHex(phone.id), state: 1, seqno: 1, timestamp: 1_700_000_000, description: 'phone' },
      plaintext: encodeHex(text),
      digest: encodeHex(blake2b(crypto, 8, [i])),
    },
  })
  const good = plaintext(world)
  const between = new BtDictWriter().integer('A', 5).bytes('I', phone.id).integer('Z', 5).raw('i', i).integer('z', 5)
  const { E, L, i: indicator } = sealed(world, good)
  const outside = new BtDictWriter().bytes('', encodeUtf8('L')).bytes('E', E).integer('F', 5).bytes('L', L).bytes('i', indicator)
  return [
    opens('usual', 'LINK-04', 'sealed to the older of two account keys', good),
    opens(
      'plaintext-unknown-keys',
      'LINK-05',
      'unknown keys are signed with the rest',
      between.sign('~', body => signature(world, body)).finish(),
    ),
    opens(
      'plaintext-unsigned-key',
      'LINK-05',
      'an unknown key after the signature is part of the plaintext',
      concatBytes(good.subarray(0, -1), encodeUtf8('2:~xi5ee')),
    ),
    opens('unknown-key', 'LINK-05', 'an unknown key of the request', good, outside.finish()),
  ]
}

function plaintext(world: World, i: Uint8Array = record(world.phone), signer: Account = world.alice): Uint8Array {
  return new BtDictWriter()
    .bytes('I', world.phone.id)
    .raw('i', i)
    .sign('~', body => signature(world, body, signer))
    .finish()
}

function signature({ crypto, alice }: World, body: Uint8Array, signer: Account = alice): Uint8Array {
  return ed25519Sign(crypto, signer.ed25519.secretKey, body)
}

function encoded({ E, L, i }: Request): Uint8Array {
  return new BtDictWriter().bytes('', encodeUtf8('L')).bytes('E', E).bytes('L', L).bytes('i', i).finish()
}

/** Written a second time, apart from the protocol package. */
function sealed({ crypto, random, alice, X }: World, text: Uint8Array): Request {
  const S = alice.x25519.publicKey
  const { secretKey, publicKey: E } = generateX25519(crypto, random)
  const kiss = blake2b(crypto, 2, [E, S], { key: x25519(crypto, secretKey, S), personal: 'SessionDvGrpKISS' })
  const keyAndNonce = blake2b(crypto, 56, [x25519(crypto, secretKey, X), E, X], { personal: 'SessionDvGrpLink' })
  const L = xchacha20Poly1305Encrypt(crypto, keyAndNonce.subarray(0, 32), keyAndNonce.subarray(32), text)
  return { E, L, i: xorBytes(X.subarray(0, 2), kiss) }
}

function mlKemIndicator({ crypto, X, accountKeySeed }: World, { i }: Request): Uint8Array {
  const { mlKem768 } = expandKeyPair(crypto, 'SessionAccountKeys', accountKeySeed)
  return xorBytes(xorBytes(i, X.subarray(0, 2)), mlKem768.publicKey.subarray(0, 2))
}
