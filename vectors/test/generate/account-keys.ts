/** Records of published account keys: some that must be refused, each for one reason, and some that must be read in spite of it. */
import { type Crypto, ed25519Sign, type Random, seededRandom, x25519PublicKey, xed25519Sign } from '@session-v2/crypto'
import { BtDictWriter, concatBytes, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { type Account, accountFromSeed, accountIdOf, expandKeyPair } from '@session-v2/protocol'
import { accountKeyExtrasCases } from './account-key-extras.ts'
import { accountKeyMergeCases } from './account-key-merges.ts'
import type { Case, Row } from './case.ts'

interface World {
  readonly crypto: Crypto
  readonly random: Random
  readonly alice: Account
  readonly bob: Account
  readonly M: Uint8Array
  readonly X: Uint8Array
}

/** The cases of the chapter, always the same. */
export function accountKeysCases(crypto: Crypto): Case[] {
  const random = seededRandom(crypto, encodeUtf8('vectors/account-keys'))
  const alice = negativeAccount(crypto, random)
  const bob = accountFromSeed(crypto, random.bytes(32))
  const keys = expandKeyPair(crypto, 'SessionAccountKeys', random.bytes(32))
  const world = { crypto, random, alice, bob, M: keys.mlKem768.publicKey, X: keys.x25519.publicKey }
  return [...refused(world), ...tolerated(world), ...accountKeyExtrasCases(crypto), ...accountKeyMergeCases()]
}

function refused(world: World): Case[] {
  const rows = [...truncated(world), ...misshapen(world), ...unusable(world), ...forged(world)]
  const cases = rows.map(([name, failure, clause, reason, message]): Case => {
    return {
      chapter: 'account-keys',
      name,
      reason,
      clause,
      failure,
      in: { session_id: world.alice.id, message: encodeHex(message) },
      out: {},
    }
  })
  const twisted = accountIdOf(x25519PublicKey(Uint8Array.of(2, ...new Uint8Array(31))))
  return [
    ...cases,
    {
      chapter: 'account-keys',
      name: 'account-without-ed25519-key',
      reason: 'the account ID is on the twist of the curve: nobody can sign for it',
      clause: 'AK-09',
      failure: 'forged',
      in: { session_id: twisted, message: encodeHex(record(world)) },
      out: {},
    },
  ]
}

function tolerated(world: World): Case[] {
  const { M, X } = world
  const read = (name: string, reason: string, message: Uint8Array): Case => ({
    chapter: 'account-keys',
    name,
    reason,
    clause: 'AK-10',
    in: { session_id: world.alice.id, message: encodeHex(message) },
    out: { M: encodeHex(M), X: encodeHex(X) },
  })
  const sign = (body: Uint8Array) => signatureOf(world, body)
  const whole = record(world)
  return [
    read(
      'unknown-key-first',
      'a key before M, signed',
      new BtDictWriter().integer('A', 1).bytes('M', M).bytes('X', X).sign('~', sign).finish(),
    ),
    read(
      'unknown-key-signed',
      'a key before the signature, signed',
      new BtDictWriter().bytes('M', M).bytes('X', X).integer('z', 5).sign('~', sign).finish(),
    ),
    read(
      'unknown-key-unsigned',
      'a key after the signature, not signed',
      new BtDictWriter().bytes('M', M).bytes('X', X).sign('~', sign).integer('~x', 5).finish(),
    ),
    read('bytes-behind', 'bytes after the dict', concatBytes(whole, encodeUtf8('xyz'))),
    read('no-end', 'the final e is missing', whole.subarray(0, -1)),
  ]
}

/** An account whose Ed25519 public key has sign bit 1: its own key does not verify what its X25519 key signs. */
function negativeAccount(crypto: Crypto, random: Random): Account {
  for (;;) {
    const account = accountFromSeed(crypto, random.bytes(32))
    if ((account.ed25519.publicKey[31] as number) >= 0x80) return account
  }
}

function truncated(world: World): Row[] {
  const whole = record(world)
  const cut = (name: string, reason: string, sizeBytes: number): Row => [
    name,
    'malformed',
    'AK-08',
    reason,
    whole.subarray(0, sizeBytes),
  ]
  return [
    cut('record-empty', 'no record at all', 0),
    cut('record-truncated-in-m', 'the record ends within M', 700),
    cut('record-truncated-before-x', 'the record ends before X', 1193),
    cut('record-truncated-in-x', 'the record ends within X', 1215),
    cut('record-truncated-before-signature', 'the record ends before the signature', 1231),
    cut('record-truncated-in-signature', 'the record ends within the signature', 1290),
  ]
}

function misshapen(world: World): Row[] {
  const { M, X } = world
  const malformed = (name: string, reason: string, message: Uint8Array): Row => [name, 'malformed', 'AK-08', reason, message]
  const signed = (...fields: [string, Uint8Array][]) => {
    const writer = fields.reduce((dict, [key, value]) => dict.bytes(key, value), new BtDictWriter())
    return writer.sign('~', body => signatureOf(world, body)).finish()
  }
  const swapped = concatBytes(encodeUtf8('d1:X32:'), X, encodeUtf8('1:M1184:'), M)
  const swappedAndSigned = concatBytes(swapped, encodeUtf8('1:~64:'), signatureOf(world, swapped), encodeUtf8('e'))
  const shortSignature = new BtDictWriter().bytes('M', M).bytes('X', X).bytes('~', world.random.bytes(63)).finish()
  return [
    malformed('record-no-dict', 'a list', encodeUtf8('le')),
    malformed('m-missing', 'no M', signed(['X', X])),
    malformed('x-missing', 'no X', signed(['M', M])),
    malformed('signature-missing', 'no ~', new BtDictWriter().bytes('M', M).bytes('X', X).finish()),
    malformed('m-too-short', 'M has 1183 bytes', signed(['M', M.subarray(1)], ['X', X])),
    malformed('x-too-long', 'X has 33 bytes', signed(['M', M], ['X', concatBytes(X, Uint8Array.of(0))])),
    malformed('signature-too-short', '~ has 63 bytes', shortSignature),
    malformed('key-order', 'X stands before M', swappedAndSigned),
  ]
}

/** Signed by the right account, and still nothing that can be sealed to. */
function unusable(world: World): Row[] {
  const notReduced = world.M.map((byte, at) => (at < 2 ? 0xff : byte))
  const zero = new Uint8Array(32)
  const orderEight = orderEightPoint()
  return [
    ['m-not-reduced', 'malformed', 'AK-09', 'a coefficient of M is 4095, not below 3329', record({ ...world, M: notReduced })],
    ['x-zero', 'malformed', 'AK-09', 'X25519 with X = 0 is zero for every secret', record({ ...world, X: zero })],
    ['x-small-order', 'malformed', 'AK-09', 'X has order 8', record({ ...world, X: orderEight })],
  ]
}

function forged(world: World): Row[] {
  const { crypto, alice, bob, M, X } = world
  const signedBy = (sign: (body: Uint8Array) => Uint8Array) =>
    new BtDictWriter().bytes('M', M).bytes('X', X).sign('~', sign).finish()
  const flipped = (at: number) => record(world).map((byte, index) => (index === at ? byte ^ 1 : byte))
  const byBob = signedBy(body => signatureOf({ ...world, alice: bob }, body))
  const byEd25519 = signedBy(body => ed25519Sign(crypto, alice.ed25519.secretKey, body))
  return [
    ['m-altered', 'forged', 'AK-09', 'a bit of M is flipped', flipped(100)],
    ['x-altered', 'forged', 'AK-09', 'a bit of X is flipped', flipped(1210)],
    ['signature-altered', 'forged', 'AK-09', 'a bit of the signature is flipped', flipped(1250)],
    ['signed-by-another', 'forged', 'AK-09', 'signed by another account', byBob],
    ['signed-by-negative-key', 'forged', 'AK-09', 'signed by the Ed25519 key, which has sign bit 1', byEd25519],
  ]
}

function record(world: World): Uint8Array {
  return new BtDictWriter()
    .bytes('M', world.M)
    .bytes('X', world.X)
    .sign('~', body => signatureOf(world, body))
    .finish()
}

function signatureOf({ crypto, random, alice }: World, body: Uint8Array): Uint8Array {
  return xed25519Sign(crypto, random, alice.x25519.secretKey, body)
}

/** The u-coordinate 325606250916557431795983626356110631294008115727848805560023387167927233504 of RFC 7748, section 7. */
function orderEightPoint(): Uint8Array {
  return Uint8Array.from(Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex'))
}
