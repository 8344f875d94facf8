/**
 * A group message whose payload opens with two keys. XChaCha20-Poly1305 does not commit to its key: one block of the ciphertext can be
 * chosen so that the tags under two keys are equal. So a member can give two devices two keys for the same bytes, and what the second one
 * reads is not what the first one reads. Written from the specification (DG-10 to DG-15), as an insider would.
 *
 *     payload for the first device   … an unknown key with a string …     one aligned block in that string is free:
 *     tags   K1 + c · r1^m + s1  =  K2 + c · r2^m + s2   (mod 2¹³⁰ − 5)    solve for c, try again unless c is a block
 */
import {
  blake2b,
  type Crypto,
  ed25519Sign,
  generateX25519,
  mlKem768Encapsulate,
  prepareMlKem768PublicKey,
  x25519,
  xchacha20,
} from '@session-v2/crypto'
import { BtDictWriter, concatBytes, encodeUtf8, padWithZeros } from '@session-v2/encoding'
import {
  type Account,
  type AccountKey,
  cryptGroupId,
  type ExpandedKeyPair,
  encodeGroupPayload,
  type GroupPayload,
  paddedGroupPayloadBytes,
} from '@session-v2/protocol'
import type { Scene } from './scene.ts'

const P = 2n ** 130n - 5n
const BLOCK = 2n ** 128n
const BLOCK_BYTES = 16
/** Of the stream: what comes before is the one-time key. */
const TEXT_AT = 64
/** Long enough to have an aligned block in it wherever it lies. */
const FREE_BYTES = 47

interface OneTimeKey {
  readonly r: bigint
  readonly s: bigint
  readonly stream: Uint8Array
}

/** A group message for two devices, whose payload is `payload` to the first and whatever it comes to be to the second. */
export function sealForTwo(
  { crypto, random }: Scene,
  account: Account,
  group: { readonly groupId: Uint8Array; readonly linkKey: AccountKey; readonly payload: GroupPayload },
  devices: readonly [ExpandedKeyPair, ExpandedKeyPair],
): Uint8Array {
  const { publicKey: A, secretKey } = generateX25519(crypto, random)
  const slots = devices.map(({ x25519: B, mlKem768: M }) => ({
    ...mlKem768Encapsulate(crypto, random, prepareMlKem768PublicKey(crypto, M.publicKey)),
    shared: x25519(crypto, secretKey, B.publicKey),
    B: B.publicKey,
    M: M.publicKey,
  }))
  const C = concatBytes(...slots.map(({ ciphertext }) => ciphertext))
  const nonce = blake2b(crypto, 24, [C], { key: A, personal: 'SessionDevDNonce' })
  const bases = devices.map(() => random.bytes(32))
  const d = ambiguous(crypto, group.payload, [bases[0]!, bases[1]!], nonce, () => random.bytes(FREE_BYTES))
  const K = slots.map(({ B, M, ciphertext, sharedSecret, shared }, i) => {
    const k = blake2b(crypto, 32, [shared, A, B, sharedSecret, M], { personal: 'SessionDevKeyKey' })
    const slotNonce = blake2b(crypto, 24, [ciphertext, d], { key: A, personal: 'SessionDevKNonce' })
    const key = xchacha20(crypto, k, slotNonce, bases[i]!)
    return concatBytes(blake2b(crypto, 2, [A, B, M, ciphertext, key], { personal: 'SessionDevKeyIdx' }), key)
  })
  return new BtDictWriter()
    .bytes('', encodeUtf8('G'))
    .bytes('@', cryptGroupId(crypto, account.seed, A, group.groupId))
    .bytes('A', A)
    .bytes('C', C)
    .bytes('K', concatBytes(...K))
    .bytes('X', group.linkKey.x25519.publicKey)
    .bytes('d', d)
    .sign('~', body => ed25519Sign(crypto, account.ed25519.secretKey, body))
    .finish()
}

/** The payload under the first key, with one tag for both. */
function ambiguous(
  crypto: Crypto,
  payload: GroupPayload,
  keys: readonly [Uint8Array, Uint8Array],
  nonce: Uint8Array,
  fresh: () => Uint8Array,
): Uint8Array {
  for (;;) {
    const { padded, freeAt } = withFreeBytes(payload, fresh())
    const [first, second] = keys.map(key => oneTimeKey(crypto, key, nonce, padded.length))
    const text = padded.map((byte, i) => byte ^ first!.stream[i]!)
    const at = Math.ceil(freeAt / BLOCK_BYTES)
    for (let k = -4n; k <= 4n; k++) {
      const block = solved(text, at, first!, second!, k)
      if (block === undefined) continue
      text.set(bytesOf(block), at * BLOCK_BYTES)
      const tag = tagOf(text, first!)
      if (tag === tagOf(text, second!)) return concatBytes(text, bytesOf(tag))
    }
  }
}

/** The payload with an unknown key at its end, whose string may hold anything. */
function withFreeBytes(payload: GroupPayload, free: Uint8Array): { readonly padded: Uint8Array; readonly freeAt: number } {
  const encoded = encodeGroupPayload(payload)
  const head = concatBytes(encoded.subarray(0, -1), encodeUtf8(`1:z${free.length}:`))
  const whole = concatBytes(head, free, encodeUtf8('e'))
  return { padded: padWithZeros(whole, paddedGroupPayloadBytes(whole.length)), freeAt: head.length }
}

function oneTimeKey(crypto: Crypto, key: Uint8Array, nonce: Uint8Array, sizeBytes: number): OneTimeKey {
  const stream = xchacha20(crypto, key, nonce, new Uint8Array(TEXT_AT + sizeBytes))
  const clamp = 0x0ffffffc0ffffffc0ffffffc0fffffffn
  return { r: numberOf(stream.subarray(0, 16)) & clamp, s: numberOf(stream.subarray(16, 32)), stream: stream.subarray(TEXT_AT) }
}

/** The block at a place for which both tags are equal, if there is one; `k` counts how often the sums run over. */
function solved(text: Uint8Array, at: number, first: OneTimeKey, second: OneTimeKey, k: bigint): bigint | undefined {
  const without = text.slice()
  without.fill(0, at * BLOCK_BYTES, (at + 1) * BLOCK_BYTES)
  const power = BigInt(blocksOf(text).length - at)
  const difference = sumOf(without, second) + second.s - sumOf(without, first) - first.s + k * BLOCK
  const factor = mod(raised(first.r, power) - raised(second.r, power))
  const block = mod(difference * raised(factor, P - 2n))
  return block < BLOCK ? block : undefined
}

function tagOf(text: Uint8Array, key: OneTimeKey): bigint {
  return (sumOf(text, key) + key.s) % BLOCK
}

/** The polynomial of Poly1305 over a text without associated data, and the lengths. */
function sumOf(text: Uint8Array, { r }: OneTimeKey): bigint {
  return blocksOf(text).reduce((sum, block) => mod((sum + block + BLOCK) * r), 0n)
}

function blocksOf(text: Uint8Array): bigint[] {
  const count = Math.ceil(text.length / BLOCK_BYTES)
  const blocks = Array.from({ length: count }, (_, i) => numberOf(text.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES)))
  return [...blocks, BigInt(text.length) << 64n]
}

function mod(value: bigint): bigint {
  return ((value % P) + P) % P
}

function raised(base: bigint, exponent: bigint): bigint {
  let result = 1n
  let square = mod(base)
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square)
    square = mod(square * square)
  }
  return result
}

/** Little-endian. */
function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n)
}

function bytesOf(number: bigint): Uint8Array {
  return Uint8Array.from({ length: BLOCK_BYTES }, (_, i) => Number((number >> BigInt(8 * i)) & 0xffn))
}
