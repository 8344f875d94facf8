/**
 * V2 messages that must be refused, each for one reason. The sealing below is written a second time, from the primitives up and
 * apart from the protocol package, so that it can seal plaintexts that no writer makes.
 */
import {
  blake2b,
  type Crypto,
  type Ed25519KeyPair,
  ed25519Sign,
  generateX25519,
  mlKem768Encapsulate,
  prepareMlKem768PublicKey,
  type Random,
  seededRandom,
  sha3_256,
  shake256,
  x25519,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { BtDictWriter, concatBytes, encodeHex, encodeUtf8, padWithZeros, xorBytes } from '@session-v2/encoding'
import { type Account, accountFromSeed, accountIdBytes, expandKeyPair } from '@session-v2/protocol'
import type { Case, Row } from './case.ts'

const PLAINTEXT_BYTES = 396

interface World {
  readonly crypto: Crypto
  readonly random: Random
  readonly alice: Ed25519KeyPair
  readonly bob: Account
  readonly carol: Account
  readonly accountKeySeed: Uint8Array
}

/** The cases, always the same. */
export function messageV2Cases(crypto: Crypto): Case[] {
  const random = seededRandom(crypto, encodeUtf8('vectors/message-v2'))
  const [alice, bob, carol] = [0, 1, 2].map(() => accountFromSeed(crypto, random.bytes(32))) as [Account, Account, Account]
  const world = { crypto, random, alice: alice.ed25519, bob, carol, accountKeySeed: random.bytes(32) }
  const seeds = { recipient_seed: encodeHex(bob.seed.expose()), account_key_seeds: [encodeHex(world.accountKeySeed)] }
  const rows = [...truncated(world), ...altered(world), ...misshapen(world), ...forged(world)]
  return rows.map(([name, failure, clause, reason, message]) => ({
    chapter: 'message-v2',
    name,
    reason,
    clause,
    failure,
    in: { ...seeds, message: encodeHex(message) },
    out: {},
  }))
}

/** Cuts at every border between two fields, and one byte before the least size. */
function truncated(world: World): Row[] {
  const whole = seal(world, plaintext(world))
  const cut = (sizeBytes: number) => whole.subarray(0, sizeBytes)
  return [
    ['truncated-to-nothing', 'malformed', 'DM2-12', 'there is no first byte to tell the version', cut(0)],
    ['truncated-in-version', 'unknown-version', 'DM2-12', 'a lone zero byte is no version that is known', cut(1)],
    ['truncated-before-indicator', 'malformed', 'DM2-03', 'the message ends before the key indicator', cut(2)],
    ['truncated-before-ephemeral', 'malformed', 'DM2-03', 'the message ends before the ephemeral key', cut(4)],
    ['truncated-before-ciphertext', 'malformed', 'DM2-03', 'the message ends before the ML-KEM ciphertext', cut(36)],
    ['truncated-before-sealed', 'malformed', 'DM2-03', 'the message ends before the sealed content', cut(1124)],
    ['truncated-by-one', 'malformed', 'DM2-03', 'one byte less than the least size', cut(1535)],
  ]
}

function altered(world: World): Row[] {
  const whole = seal(world, plaintext(world))
  const flipped = (at: number) => whole.map((byte, index) => (index === at ? byte ^ 1 : byte))
  const zeroEphemeral = whole.map((byte, index) => (index >= 4 && index < 36 ? 0 : byte))
  const toCarol = seal({ ...world, bob: world.carol }, plaintext(world))
  return [
    ['version-1', 'malformed', 'DM1-02', 'a first byte other than zero is version 1, which has another form', flipped(0)],
    ['version-3', 'unknown-version', 'DM2-12', 'a zero byte and a version of the future', flipped(1)],
    ['altered-indicator', 'no-key', 'DM2-11', 'the indicator names a key that is not held', flipped(3)],
    ['altered-ephemeral', 'no-key', 'DM2-11', 'another ephemeral key gives another indicator', flipped(20)],
    ['altered-ciphertext', 'no-key', 'DM2-11', 'an altered ML-KEM ciphertext gives another secret', flipped(500)],
    ['altered-sealed', 'no-key', 'DM2-11', 'the sealed content is authenticated', flipped(1200)],
    ['altered-tag', 'no-key', 'DM2-11', 'the tag is the last part of the message', flipped(1535)],
    ['appended-byte', 'no-key', 'DM2-11', 'a byte behind the tag moves the tag', concatBytes(whole, Uint8Array.of(0))],
    ['small-order-ephemeral', 'malformed', 'DM2-10', 'X25519 with this key is zero for every secret', zeroEphemeral],
    ['to-another-account', 'no-key', 'DM2-11', 'sealed to the same account key and another account', toCarol],
  ]
}

/** Messages that open and then turn out to have a wrong form. No other key may be tried for them. */
function misshapen(world: World): Row[] {
  const good = plaintext(world)
  const S = world.alice.publicKey
  const c = encodeUtf8('hello')
  const signed = (write: (writer: BtDictWriter) => BtDictWriter) =>
    write(new BtDictWriter())
      .sign('~', body => signatureOf(world, body))
      .finish()
  const dict = (...fields: [string, Uint8Array][]) =>
    fields.reduce((writer, [key, value]) => writer.bytes(key, value), new BtDictWriter()).finish()
  const any = (sizeBytes: number) => world.random.bytes(sizeBytes)
  const padding = padWithZeros(good, PLAINTEXT_BYTES).fill(1, PLAINTEXT_BYTES - 1)
  const swapped = concatBytes(encodeUtf8('d1:c5:hello1:S32:'), S, encodeUtf8('1:~64:'), any(64), encodeUtf8('e'))
  const twice = concatBytes(good.subarray(0, -1), encodeUtf8('1:~64:'), any(64), encodeUtf8('e'))
  const malformed = (name: string, reason: string, text: Uint8Array, clause = 'DM2-09'): Row => {
    return [name, 'malformed', clause, reason, seal(world, text)]
  }
  const proOfSize = (sizeBytes: number) => concatBytes(good.subarray(0, -1), dict(['~P', any(sizeBytes)]).subarray(1))
  return [
    malformed('plaintext-empty', 'nothing but padding', new Uint8Array(0)),
    malformed('plaintext-no-dict', 'the plaintext is a list', encodeUtf8('le')),
    malformed('plaintext-unfinished', 'the dict has no end', good.subarray(0, -1)),
    malformed('plaintext-trailing-bytes', 'bytes between the dict and the padding', concatBytes(good, encodeUtf8('x'))),
    malformed('padding-not-zero', 'the last byte of the padding is not zero', padding),
    malformed('plaintext-key-order', 'c stands before S', swapped),
    malformed('plaintext-key-twice', 'two signatures', twice),
    malformed('plaintext-leading-zero', 'a length with a leading zero', replaced(good, '1:S32:', '1:S032:')),
    malformed(
      'plaintext-content-too-long',
      'the content claims more bytes than there are',
      replaced(good, '5:hello', '999:hello'),
    ),
    malformed(
      'sender-missing',
      'no S',
      signed(writer => writer.bytes('c', c)),
    ),
    malformed(
      'content-missing',
      'no c',
      signed(writer => writer.bytes('S', S)),
    ),
    malformed('signature-missing', 'no ~', dict(['S', S], ['c', c])),
    malformed(
      'sender-too-short',
      'S has 31 bytes',
      signed(writer => writer.bytes('S', S.subarray(1)).bytes('c', c)),
    ),
    malformed('signature-too-short', '~ has 63 bytes', dict(['S', S], ['c', c], ['~', any(63)])),
    malformed('signature-too-long', '~ has 65 bytes', dict(['S', S], ['c', c], ['~', any(65)])),
    malformed('pro-signature-too-short', '~P has 63 bytes', proOfSize(63)),
    malformed(
      'content-not-bytes',
      'c is an integer',
      signed(writer => writer.bytes('S', S).integer('c', 5)),
    ),
    ...impossibleSenders(world),
  ]
}

function impossibleSenders(world: World): Row[] {
  const identity = Uint8Array.of(1, ...new Uint8Array(31))
  const notCanonical = Uint8Array.of(0xee, ...new Uint8Array(30).fill(0xff), 0x7f)
  const offTheCurve = Uint8Array.of(2, ...new Uint8Array(31))
  const signature = concatBytes(identity, new Uint8Array(32))
  const from = (S: Uint8Array) =>
    seal(world, new BtDictWriter().bytes('S', S).bytes('c', encodeUtf8('hello')).bytes('~', signature).finish())
  return [
    ['sender-small-order', 'malformed', 'ACC-06', 'loose verifiers accept this S and signature for any text', from(identity)],
    ['sender-not-canonical', 'malformed', 'ACC-06', 'S is the identity, encoded with y = p + 1', from(notCanonical)],
    ['sender-off-the-curve', 'malformed', 'ACC-06', 'S is no point', from(offTheCurve)],
  ]
}

function forged(world: World): Row[] {
  const { alice, bob, carol } = world
  const by = (signer: (body: Uint8Array) => Uint8Array, S: Uint8Array = alice.publicKey) =>
    new BtDictWriter().bytes('S', S).bytes('c', encodeUtf8('hello')).sign('~', signer).finish()
  const altered = by(body => signatureOf(world, body).map((byte, at) => (at === 40 ? byte ^ 1 : byte)))
  const toCarol = by(body => signatureOf({ ...world, bob: carol }, body))
  const overBody = by(body => ed25519Sign(world.crypto, alice.secretKey, body))
  const noPrefix = by(body =>
    ed25519Sign(world.crypto, alice.secretKey, hashFor(world, accountIdBytes(bob.id).subarray(1), body)),
  )
  const negative = alice.publicKey.map((byte, at) => (at === 31 ? byte ^ 0x80 : byte))
  const negated = by(body => signatureOf(world, body), negative)
  const clause = 'DM2-08'
  return [
    ['signature-altered', 'forged', clause, 'a bit of the signature is flipped', seal(world, altered)],
    ['signature-altered-no-pfs', 'forged', clause, 'the same in a message without forward secrecy', sealNoPfs(world, altered)],
    ['signed-for-another', 'forged', clause, 'written to Carol, passed on to Bob', seal(world, toCarol)],
    ['signed-body', 'forged', clause, 'the signature is over the body instead of its hash', seal(world, overBody)],
    [
      'signed-without-prefix',
      'forged',
      clause,
      'the hash is keyed with the X25519 key instead of the account ID',
      seal(world, noPrefix),
    ],
    ['sender-negated', 'forged', clause, 'S is negated: the same account ID, another key', seal(world, negated)],
  ]
}

function plaintext(world: World): Uint8Array {
  return new BtDictWriter()
    .bytes('S', world.alice.publicKey)
    .bytes('c', encodeUtf8('hello'))
    .sign('~', body => signatureOf(world, body))
    .finish()
}

function signatureOf(world: World, body: Uint8Array): Uint8Array {
  return ed25519Sign(world.crypto, world.alice.secretKey, hashFor(world, accountIdBytes(world.bob.id), body))
}

function hashFor({ crypto }: World, key: Uint8Array, body: Uint8Array): Uint8Array {
  return blake2b(crypto, 64, [body], { key, personal: 'SessionV2Message' })
}

function seal({ crypto, random, bob, accountKeySeed }: World, text: Uint8Array): Uint8Array {
  const accountKey = expandKeyPair(crypto, 'SessionAccountKeys', accountKeySeed)
  const [X, M, S] = [accountKey.x25519.publicKey, accountKey.mlKem768.publicKey, bob.x25519.publicKey]
  const { secretKey, publicKey: E } = generateX25519(crypto, random)
  const { ciphertext, sharedSecret } = mlKem768Encapsulate(crypto, random, prepareMlKem768PublicKey(crypto, M))
  const kiss = blake2b(crypto, 2, [E, S], { key: x25519(crypto, secretKey, S), personal: 'Session-Msg-KISS' })
  const secret = sha3_256(crypto, [
    sharedSecret,
    x25519(crypto, secretKey, X),
    E,
    X,
    Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c),
  ])
  const sealed = encrypt(crypto, 'SessionV2MessageSS', secret, text)
  return concatBytes(Uint8Array.of(0, 2), xorBytes(M.subarray(0, 2), kiss), E, ciphertext, sealed)
}

function sealNoPfs({ crypto, random, bob }: World, text: Uint8Array): Uint8Array {
  const R = bob.x25519.publicKey
  const { secretKey, publicKey: E } = generateX25519(crypto, random)
  const secret = sha3_256(crypto, [x25519(crypto, secretKey, R), R, E, encodeUtf8('SessionV2NonPFS')])
  const sealed = encrypt(crypto, 'SessionV2NonPFSSS', secret, text)
  return concatBytes(Uint8Array.of(0, 2), random.bytes(2), E, random.bytes(1088), sealed)
}

function encrypt(crypto: Crypto, label: string, secret: Uint8Array, text: Uint8Array): Uint8Array {
  const [key, nonce] = shake256(crypto, [encodeUtf8(label), secret], [32, 24]) as [Uint8Array, Uint8Array]
  return xchacha20Poly1305Encrypt(crypto, key, nonce, padWithZeros(text, PLAINTEXT_BYTES))
}

/** `bytes` with the first occurrence of one text replaced by another. */
function replaced(bytes: Uint8Array, text: string, by: string): Uint8Array {
  const latin1 = String.fromCharCode(...bytes).replace(text, by)
  return Uint8Array.from(latin1, character => character.charCodeAt(0))
}
