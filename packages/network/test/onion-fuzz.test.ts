import { Secret, seededRandom } from '@session-v2/crypto'
import { concatBytes, encodeBase64, encodeUtf8, uint32Le } from '@session-v2/encoding'
import {
  decodeGuards,
  judgeFailure,
  type LayerKey,
  NetworkError,
  openReply,
  openServerReply,
  type Peeled,
  peelOnion,
  sealOnion,
  sealReply,
} from '@session-v2/network'
import { inTime } from '@session-v2/tools/fuzz'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { encodeFrame } from '../src/onion-request/frame.ts'
import { encryptWithLayerKey, type OnionEncryption, sealLayer } from '../src/onion-request/layer.ts'
import { keyedNode } from './onion-nodes.ts'
import { fuzzRuns, native } from './owners.ts'

const random = seededRandom(native, Uint8Array.of(1))
const [node, next] = [keyedNode(native, 1), keyedNode(native, 2)]
const REQUEST = encodeUtf8('{"method":"info","params":{}}')
const anyEncryption = fc.constantFrom<OnionEncryption>('aes-gcm', 'xchacha20')
const TEXTS = [
  'Error parsing onion request: malformed',
  'Error parsing onion request: unsupported enc_type',
  'onion request max path length exceeded',
  'Invalid ciphertext',
  'Invalid json',
]

/** A node peels `body` into something it can act on, or refuses it in words that are known. */
function expectPeeledOrRefused(body: Uint8Array): Peeled {
  const peeled = inTime(body, () => peelOnion(native, node.keys, body))
  if (peeled.kind !== 'refused') return peeled
  if (peeled.status !== 400 || !TEXTS.includes(peeled.text)) throw new Error(`not a refusal: ${peeled.text}`)
  if ((peeled.replyKey === undefined) !== (peeled.reason !== 'control')) throw new Error('refused in the wrong place')
  return peeled
}

function changed(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
  return fc.tuple(changes, fc.nat(bytes.length)).map(([list, sizeBytes]) => {
    const copy = bytes.slice()
    for (const [at, byte] of list) copy[at] = byte
    return sizeBytes % 3 === 0 ? copy.subarray(0, sizeBytes) : copy
  })
}

const FIELDS = [
  'headers',
  'json',
  'base64',
  'host',
  'target',
  'port',
  'protocol',
  'destination',
  'ephemeral_key',
  'enc_type',
  'hop_no',
]
const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(node.ed25519, next.x25519, '00'.repeat(32), 'gcm', 'xchacha20', 'cbc', 15, 16, -1, 1e308, 2 ** 53, -0),
  fc.constantFrom('example.org', '::1', '/oxen/v4/lsrpc', '/loki/../lsrpc', 'http', 443, 65536, true, false, null, '__proto__'),
)
const anyControl = fc.dictionary(fc.constantFrom(...FIELDS, '__proto__', 'constructor'), anyValue, { maxKeys: 8 })
const anyFrame = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.uint8Array({ maxLength: 20 }), anyControl).map(parts => encodeFrame(...parts)) },
  fc.tuple(fc.nat(40), fc.uint8Array({ maxLength: 40 })).map(([length, rest]) => concatBytes(uint32Le(length), rest)),
  fc.uint8Array({ maxLength: 40 }),
)

describe('fuzz: onion requests', () => {
  it.each(['aes-gcm', 'xchacha20'] as const)('%s with changed bytes', encryption => {
    const to = { kind: 'node', ...next } as const
    const { body } = sealOnion(native, random, [node], to, REQUEST, { encryption })
    fc.assert(
      fc.property(changed(body), bytes => {
        expectPeeledOrRefused(bytes)
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('any frame for a body', () => {
    fc.assert(
      fc.property(anyFrame, bytes => {
        expectPeeledOrRefused(bytes)
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('any frame within a layer', () => {
    fc.assert(
      fc.property(anyFrame, anyEncryption, fc.dictionary(fc.constant('hop_no'), anyValue), (text, encryption, more) => {
        const { ciphertext, ephemeralKey } = sealLayer(native, random, encryption, node.keys.publicKey, text)
        const control = { ephemeral_key: Buffer.from(ephemeralKey).toString('hex'), enc_type: encryption, ...more }
        const peeled = expectPeeledOrRefused(encodeFrame(ciphertext, control))
        if (peeled.kind === 'refused' && peeled.reason === 'ciphertext') throw new Error('refused as forged')
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('controls of any depth and length', () => {
    const deep = ['[', '{"headers":', '"\\'].flatMap(part => [10, 16_000, 200_000].map(times => part.repeat(times)))
    for (const text of [...deep, `{"headers":${'['.repeat(8000)}${']'.repeat(8000)}}`]) {
      const inner = concatBytes(uint32Le(0), encodeUtf8(text))
      expectPeeledOrRefused(inner)
      const { ciphertext, ephemeralKey } = sealLayer(native, random, 'aes-gcm', node.keys.publicKey, inner)
      const peeled = expectPeeledOrRefused(encodeFrame(ciphertext, { ephemeral_key: Buffer.from(ephemeralKey).toString('hex') }))
      if (peeled.kind !== 'refused' || peeled.reason !== 'control') throw new Error(peeled.kind)
    }
  })
})

/** Passes, or throws the error of this package for the destination to be blamed. */
function expectReadOrBlamed(bytes: Uint8Array, read: () => unknown): void {
  inTime(bytes, () => {
    try {
      read()
    } catch (error) {
      if (!(error instanceof NetworkError) || error.code !== 'malformed') throw error
    }
  })
}

describe('fuzz: onion replies', () => {
  const form = { json: false, base64: true }
  const key = (encryption: OnionEncryption): LayerKey => ({
    encryption,
    secret: Secret.of(new Uint8Array(32).fill(3), 'onion-layer'),
  })
  const anyText = fc.oneof(
    fc.json(),
    fc
      .record({ status: fc.oneof(fc.nat(700), fc.jsonValue()), body: fc.oneof(fc.json(), fc.jsonValue()) })
      .map(reply => JSON.stringify(reply)),
    fc.tuple(fc.nat(60), fc.json()).map(([length, head]) => `l${length % 2 ? length : head.length}:${head}2:hie`),
    fc.string(),
  )

  it('with changed bytes', () => {
    const reply = sealReply(native, random, key('xchacha20'), { status: 200, body: { a: 1 } }, form)
    fc.assert(
      fc.property(changed(reply), bytes => {
        expectReadOrBlamed(bytes, () => openReply(native, key('xchacha20'), bytes, form))
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('that say anything', () => {
    fc.assert(
      fc.property(anyText, anyEncryption, fc.boolean(), fc.boolean(), (text, encryption, json, base64) => {
        const sealed = encryptWithLayerKey(native, random, key(encryption), encodeUtf8(text.toWellFormed()))
        const bytes = base64 ? encodeUtf8(encodeBase64(sealed)) : sealed
        expectReadOrBlamed(bytes, () => openReply(native, key(encryption), bytes, { json, base64 }))
        expectReadOrBlamed(sealed, () => openServerReply(native, key(encryption), sealed))
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('that are none, and guards', () => {
    const route = { relays: [node.ed25519, next.ed25519], destination: node.ed25519 }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 100, max: 599 }), (body, status) => {
        inTime(body, () => judgeFailure({ status, body }, route))
        expectReadOrBlamed(body, () => decodeGuards(body))
      }),
      { numRuns: fuzzRuns },
    )
  })
})
