/**
 * V1 messages, each for one reason: what a reader must open though we do not write it so, and what it must refuse. The messages are
 * made a second time here, from the primitives up and apart from the protocol package, so that they can have any form.
 */
import { type Crypto, ed25519Sign, type Random, sealBox, seededRandom } from '@session-v2/crypto'
import { concatBytes, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { type Account, accountFromSeed, accountIdBytes } from '@session-v2/protocol'
import type { Case, Failure } from './case.ts'
import { lengthField, numberField } from './protobuf-field.ts'

const TIMESTAMP_MS = 1_700_000_000_123n
const HELLO = encodeUtf8('hello')
const MARKER = Uint8Array.of(0x80)

interface World {
  readonly crypto: Crypto
  readonly random: Random
  readonly alice: Account
  readonly bob: Account
  readonly carol: Account
}

/** A message and the content it opens to, or why it does not. */
type Row = readonly [
  name: string,
  outcome: Failure | Uint8Array,
  clause: string,
  reason: string,
  message: Uint8Array,
  timestampMs?: bigint,
]

/** The cases, always the same. */
export function messageV1Cases(crypto: Crypto): Case[] {
  const random = seededRandom(crypto, encodeUtf8('vectors/message-v1'))
  const [alice, bob, carol] = [0, 1, 2].map(() => accountFromSeed(crypto, random.bytes(32))) as [Account, Account, Account]
  const world = { crypto, random, alice, bob, carol }
  const rows = [
    ...padded(world),
    ...tolerated(world),
    ...truncated(world),
    ...misshapen(world),
    ...closed(world),
    ...strangers(world),
    ...forged(world),
  ]
  return rows.map(([name, outcome, clause, reason, message, timestampMs = TIMESTAMP_MS]) => {
    const given = { recipient_seed: encodeHex(bob.seed.expose()), message: encodeHex(message) }
    const common = { chapter: 'message-v1', name, reason, clause }
    if (typeof outcome === 'string') return { ...common, failure: outcome, in: given, out: {} }
    const opened = { sender_session_id: alice.id, sender_ed25519: encodeHex(alice.ed25519.publicKey) }
    return { ...common, in: given, out: { ...opened, content: encodeHex(outcome), timestamp_ms: String(timestampMs) } }
  })
}

/** Contents at the borders of blocks as we pad them, then paddings that other writers have or had. */
function padded(world: World): Row[] {
  const bordering = [0, 158, 159, 160, 318, 319].map((sizeBytes): Row => {
    const content = world.random.bytes(sizeBytes)
    const blocks = Math.floor((sizeBytes + 1) / 160) + 1
    const text = zeroPadded(concatBytes(content, MARKER), 160 * blocks)
    return [`content-${sizeBytes}`, content, 'DM1-05', `content of ${sizeBytes} bytes fills ${blocks} blocks`, whole(world, text)]
  })
  const read = (name: string, reason: string, text: Uint8Array, content = HELLO): Row => {
    return [`padding-${name}`, content, 'DM1-09', reason, whole(world, text)]
  }
  const marked = concatBytes(HELLO, MARKER)
  const full = concatBytes(world.random.bytes(158), Uint8Array.of(1))
  return [
    ...bordering,
    read('none', 'no padding at all', HELLO),
    read('marker-alone', 'a marker and no zeros', marked),
    read('zeros-alone', 'zeros without a marker', zeroPadded(HELLO, 160)),
    read('exact-block', 'content and marker fill a block, and none follows', concatBytes(full, MARKER), full),
    read('extra-block', 'a block of zeros more than needed', zeroPadded(marked, 320)),
    read('no-multiple', 'a size that is no multiple of 160', zeroPadded(marked, 159)),
    read('two-markers', 'one marker is taken off, the second is content', zeroPadded(concatBytes(marked, MARKER), 160), marked),
    read('nothing', 'a sealed box of the least size, 144 bytes', new Uint8Array(0), new Uint8Array(0)),
    read(
      'zeros-in-content',
      'zeros before the marker are content',
      zeroPadded(Uint8Array.of(0, 0, 0x80), 160),
      new Uint8Array(2),
    ),
  ]
}

/** Outsides that differ from ours and open all the same. */
function tolerated(world: World): Row[] {
  const sealed = sealedBox(world, plaintext(world))
  const fields = envelopeFields(sealed)
  const body = concatBytes(...fields)
  const unknown = concatBytes(numberField(1000, 7n), lengthField(1001, HELLO), Uint8Array.of(0xd5, 0x3e, 1, 2, 3, 4))
  const request = (...parts: Uint8Array[]) => concatBytes(numberField(1, 1n), lengthField(2, concatBytes(...parts)))
  const opens = (name: string, reason: string, message: Uint8Array, clause = 'DM1-02'): Row => [
    name,
    HELLO,
    clause,
    reason,
    message,
  ]
  const olderRequest = request(
    lengthField(1, encodeUtf8('PUT')),
    lengthField(2, encodeUtf8('/api/v1/message')),
    lengthField(3, body),
  )
  const source = (text: string) => wrapped(concatBytes(numberField(1, 6n), lengthField(2, encodeUtf8(text)), ...fields.slice(1)))
  const withType = (type: bigint) => wrapped(concatBytes(numberField(1, type), ...fields.slice(1)))
  const twice = concatBytes(lengthField(8, sealedBox(world, plaintext(world), world.carol)), body)
  return [
    opens('unknown-fields-message', 'a newer writer has more fields around the request', concatBytes(wrapped(body), unknown)),
    opens('unknown-fields-request', 'a newer writer has more fields in the request', request(lengthField(3, body), unknown)),
    opens('unknown-fields-envelope', 'a newer writer has more fields in the envelope', wrapped(concatBytes(body, unknown))),
    opens('older-request', 'older writers name a verb and a path, and no request id', olderRequest),
    opens('body-alone', 'the request has a body and nothing else', request(lengthField(3, body))),
    opens(
      'request-before-type',
      'fields may stand in any order',
      concatBytes(lengthField(2, lengthField(3, body)), numberField(1, 1n)),
    ),
    opens('envelope-type-7', 'the type of the envelope is not read', withType(7n)),
    opens('envelope-type-unknown', 'the type of the envelope is not read, whatever it is', withType(2n ** 64n - 1n)),
    opens('envelope-type-missing', 'the type of the envelope is not read', wrapped(concatBytes(...fields.slice(1)))),
    opens('source-empty', 'older writers leave the source empty', source(''), 'DM1-04'),
    opens(
      'source-account-id',
      'older writers name the sender, in any case of letters',
      source(world.carol.id.toUpperCase()),
      'DM1-04',
    ),
    opens('pro-signature-missing', 'older writers do not sign for Pro', wrapped(concatBytes(...fields.slice(0, 4))), 'DM1-03'),
    opens('content-twice', 'of a field that stands twice the last one counts', wrapped(twice)),
    [
      'timestamp-greatest',
      HELLO,
      'DM1-04',
      'a time of 2^53 - 1 is the last that is read',
      wrapped(concatBytes(numberField(5, 2n ** 53n - 1n), lengthField(8, sealed))),
      2n ** 53n - 1n,
    ],
  ]
}

/** Cuts at every border between two fields, and within some. */
function truncated(world: World): Row[] {
  const body = concatBytes(...envelopeFields(sealedBox(world, plaintext(world))))
  const message = wrapped(body)
  const bodyAt = message.length - 2 - body.length
  const cut = (name: string, reason: string, sizeBytes: number): Row => {
    return [`truncated-${name}`, 'malformed', 'DM1-02', reason, message.subarray(0, sizeBytes)]
  }
  return [
    cut('in-type', 'the message ends within its type', 1),
    cut('before-request', 'the message ends behind its type', 2),
    cut('in-request-length', 'the message ends within the length of the request', 4),
    cut('before-verb', 'the message ends where the request begins', 5),
    cut('before-path', 'the message ends behind the verb', 7),
    cut('before-body', 'the message ends behind the path', 9),
    cut('before-timestamp', 'the message ends behind the type of the envelope', bodyAt + 2),
    cut('before-content', 'the message ends before the sealed box', bodyAt + 11),
    cut('in-content', 'the message ends within the sealed box', bodyAt + 100),
    cut('before-pro-signature', 'the message ends behind the sealed box', message.length - 68),
    cut('by-one', 'the message lacks its last byte', message.length - 1),
  ]
}

/** Outsides that lack something, or have it in a wrong form. */
function misshapen(world: World): Row[] {
  const sealed = sealedBox(world, plaintext(world))
  const [type, timestamp, device, content, proSig] = envelopeFields(sealed)
  const body = concatBytes(type, timestamp, device, content, proSig)
  const message = wrapped(body)
  const malformed = (name: string, clause: string, reason: string, bytes: Uint8Array): Row => [
    name,
    'malformed',
    clause,
    reason,
    bytes,
  ]
  const envelope = (name: string, reason: string, ...fields: Uint8Array[]) =>
    malformed(name, 'DM1-04', reason, wrapped(concatBytes(...fields)))
  const source = (text: Uint8Array) => [type, lengthField(2, text), timestamp, content] as const
  const signed = (sizeBytes: number) => [type, timestamp, content, lengthField(11, new Uint8Array(sizeBytes))] as const
  const request = lengthField(2, lengthField(3, body))
  return [
    malformed('appended-byte', 'DM1-02', 'a byte behind the message begins a field', concatBytes(message, Uint8Array.of(0x08))),
    malformed('type-missing', 'DM1-02', 'the message does not say that it is a request', request),
    malformed('type-response', 'DM1-02', 'the message is a response', concatBytes(numberField(1, 2n), request)),
    malformed(
      'type-unknown',
      'DM1-02',
      'the message has a type of which nothing is known',
      concatBytes(numberField(1, 0n), request),
    ),
    malformed('request-missing', 'DM1-02', 'there is no request', numberField(1, 1n)),
    malformed('request-no-message', 'DM1-02', 'the request is a number', concatBytes(numberField(1, 1n), numberField(2, 5n))),
    malformed(
      'body-missing',
      'DM1-02',
      'the request has no body',
      concatBytes(numberField(1, 1n), lengthField(2, numberField(4, 0n))),
    ),
    malformed('body-no-protobuf', 'DM1-04', 'the body is a text', wrapped(HELLO)),
    envelope('body-empty', 'the body is empty, and so is the envelope'),
    envelope('timestamp-missing', 'the envelope has no time', type, content, proSig),
    envelope('timestamp-no-number', 'the time is a text', type, lengthField(5, HELLO), content),
    envelope('timestamp-too-late', 'a time of 2^53', type, numberField(5, 2n ** 53n), content),
    envelope('content-missing', 'the envelope has no content', type, timestamp, device, proSig),
    envelope('content-empty', 'the sealed box is empty', type, timestamp, lengthField(8, new Uint8Array(0))),
    envelope('content-too-short', 'a sealed box of 143 bytes', type, timestamp, lengthField(8, sealed.subarray(0, 143))),
    envelope('pro-signature-empty', 'the Pro signature is empty', ...signed(0)),
    envelope('pro-signature-too-short', 'the Pro signature has 63 bytes', ...signed(63)),
    envelope('pro-signature-too-long', 'the Pro signature has 65 bytes', ...signed(65)),
    envelope('source-too-short', 'the source has 65 characters', ...source(encodeUtf8(world.alice.id.slice(1)))),
    envelope('source-too-long', 'the source has 67 characters', ...source(encodeUtf8(`${world.alice.id}0`))),
    envelope('source-no-hex', 'the source is no hexadecimal text', ...source(encodeUtf8(`${world.alice.id.slice(1)}g`))),
    envelope('source-with-line-end', 'a line end is no part of an account ID', ...source(encodeUtf8(`${world.alice.id}\n`))),
    envelope('source-not-utf8', 'the source is no text', ...source(new Uint8Array(66).fill(0xff))),
    [
      'first-byte-zero',
      'unknown-version',
      'DM2-12',
      'a first byte of zero is no V1 message',
      concatBytes(Uint8Array.of(0), message),
    ],
  ]
}

/** Sealed boxes that are not for Bob, or not any more. */
function closed(world: World): Row[] {
  const sealed = sealedBox(world, plaintext(world))
  const flipped = (at: number) =>
    wrapped(concatBytes(...envelopeFields(sealed.map((byte, index) => (index === at ? byte ^ 1 : byte)))))
  const smallOrder = concatBytes(new Uint8Array(32), sealed.subarray(32))
  const noKey = (name: string, reason: string, message: Uint8Array): Row => [name, 'no-key', 'DM1-11', reason, message]
  const toCarol = sealedBox(world, plaintext(world), world.carol)
  return [
    noKey('box-for-another', 'sealed to Carol, left with Bob', wrapped(concatBytes(...envelopeFields(toCarol)))),
    noKey('box-altered-ephemeral', 'another one-time key gives another secret', flipped(5)),
    noKey('box-altered', 'the box is authenticated', flipped(100)),
    noKey('box-altered-tag', 'the tag stands before the text', flipped(40)),
    noKey('box-truncated', 'a box without its last byte', wrapped(concatBytes(...envelopeFields(sealed.subarray(0, -1))))),
    noKey('box-random', 'random bytes are no box', wrapped(concatBytes(...envelopeFields(world.random.bytes(304))))),
    noKey(
      'box-small-order',
      'X25519 with this key is zero for every secret',
      wrapped(concatBytes(...envelopeFields(smallOrder))),
    ),
  ]
}

/** Senders that no account can be. Their signature is one that loose verifiers accept for any text. */
function strangers(world: World): Row[] {
  const identity = Uint8Array.of(1, ...new Uint8Array(31))
  const keys = {
    'small-order': [identity, 'A is the identity'],
    'order-eight': [
      Uint8Array.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'.match(/../g)!, hex =>
        Number.parseInt(hex, 16),
      ),
      'A has order eight',
    ],
    'not-canonical': [Uint8Array.of(0xee, ...new Uint8Array(30).fill(0xff), 0x7f), 'A is the identity, encoded with y = p + 1'],
    'off-the-curve': [Uint8Array.of(2, ...new Uint8Array(31)), 'A is no point'],
    zero: [new Uint8Array(32), 'A is zero, a point of order four'],
  } as const
  const signature = concatBytes(identity, new Uint8Array(32))
  return Object.entries(keys).map(([name, [A, reason]]): Row => {
    const text = concatBytes(ordinary(), A, signature)
    return [`sender-${name}`, 'malformed', 'ACC-06', reason, wrapped(concatBytes(...envelopeFields(sealedBox(world, text))))]
  })
}

function forged(world: World): Row[] {
  const { crypto, alice, bob, carol } = world
  const A = alice.ed25519.publicKey
  const [toBob, toCarol] = [bob.x25519.publicKey, carol.x25519.publicKey]
  const sign = (signer: Account, ...parts: Uint8Array[]) => ed25519Sign(crypto, signer.ed25519.secretKey, concatBytes(...parts))
  const text = ordinary()
  const good = sign(alice, text, A, toBob)
  const row = (name: string, reason: string, signature: Uint8Array, sender: Uint8Array = A, signed = text): Row => {
    const box = sealedBox(world, concatBytes(signed, sender, signature))
    return [name, 'forged', 'DM1-10', reason, wrapped(concatBytes(...envelopeFields(box)))]
  }
  const otherPadding = zeroPadded(concatBytes(HELLO, MARKER), 320)
  const negated = A.map((byte, at) => (at === 31 ? byte ^ 0x80 : byte))
  return [
    row(
      'signature-altered',
      'a bit of the signature is flipped',
      good.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
    ),
    row('signature-zero', 'the signature is zero', new Uint8Array(64)),
    row('signed-by-another', 'Carol signs in the name of Alice', sign(carol, text, A, toBob)),
    row('sender-replaced', 'the signature is by Alice, the key of Carol stands before it', good, carol.ed25519.publicKey),
    row('sender-negated', 'A is negated: the same account ID, another key', good, negated),
    row('signed-for-another', 'written to Carol, passed on to Bob', sign(alice, text, A, toCarol)),
    row('signed-for-account-id', 'the recipient is signed with its prefix 05', sign(alice, text, A, accountIdBytes(bob.id))),
    row('signed-without-recipient', 'the recipient is not signed', sign(alice, text, A)),
    row('signed-without-sender', 'the key of the sender is not signed', sign(alice, text, toBob)),
    row('signed-without-padding', 'the content is signed without its padding', sign(alice, HELLO, A, toBob)),
    row('padded-again', 'the padding is signed too', good, A, otherPadding),
  ]
}

/** "hello", padded as we do. */
function ordinary(): Uint8Array {
  return zeroPadded(concatBytes(HELLO, MARKER), 160)
}

function zeroPadded(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  return concatBytes(bytes, new Uint8Array(sizeBytes - bytes.length))
}

/** Signed by Alice for Bob. */
function plaintext({ crypto, alice, bob }: World, text: Uint8Array = ordinary()): Uint8Array {
  const { publicKey, secretKey } = alice.ed25519
  return concatBytes(text, publicKey, ed25519Sign(crypto, secretKey, concatBytes(text, publicKey, bob.x25519.publicKey)))
}

function sealedBox({ crypto, random, bob }: World, text: Uint8Array, recipient: Account = bob): Uint8Array {
  return sealBox(crypto, random, recipient.x25519.publicKey, text)
}

/** type, timestamp, sourceDevice, content and a Pro signature that is none: nobody here verifies it. */
function envelopeFields(sealed: Uint8Array) {
  const proSig = lengthField(11, new Uint8Array(64).fill(0x5a))
  return [numberField(1, 6n), numberField(5, TIMESTAMP_MS), numberField(7, 1n), lengthField(8, sealed), proSig] as const
}

function wrapped(envelope: Uint8Array): Uint8Array {
  const none = new Uint8Array(0)
  const request = concatBytes(lengthField(1, none), lengthField(2, none), lengthField(3, envelope), numberField(4, 0n))
  return concatBytes(numberField(1, 1n), lengthField(2, request))
}

/** A whole message of a padded text, as Alice sends it to Bob. */
function whole(world: World, text: Uint8Array): Uint8Array {
  return wrapped(concatBytes(...envelopeFields(sealedBox(world, plaintext(world, text)))))
}
