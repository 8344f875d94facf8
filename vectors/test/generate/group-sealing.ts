/**
 * Group messages, sealed a second time from the primitives up and apart from the protocol package, so that every part of them can be
 * what no writer makes. Slots stand in the order of the recipients, and nothing fills them up.
 */
import {
  blake2b,
  type Crypto,
  ed25519Sign,
  generateX25519,
  mlKem768Encapsulate,
  prepareMlKem768PublicKey,
  type Random,
  seededRandom,
  x25519,
  xchacha20,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { BtDictWriter, byteKey, concatBytes, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { type Account, accountFromSeed, cryptGroupId, type ExpandedKeyPair, expandKeyPair } from '@session-v2/protocol'

export interface Device {
  readonly id: Uint8Array
  readonly seed: Uint8Array
  readonly keys: ExpandedKeyPair
}

export interface World {
  readonly crypto: Crypto
  readonly random: Random
  readonly alice: Account
  readonly mallory: Account
  /** Who opens the messages. */
  readonly phone: Device
  readonly laptop: Device
  readonly accountKeySeed: Uint8Array
  readonly groupId: Uint8Array
  /** Link key: the X25519 half of the account key. */
  readonly X: Uint8Array
}

export type Field = readonly [key: string, value: Uint8Array]

/** The fields of a message by key, without type and signature. */
export interface GroupFields {
  readonly '@'?: Uint8Array
  readonly A: Uint8Array
  readonly C: Uint8Array
  readonly K: Uint8Array
  readonly X: Uint8Array
  readonly d: Uint8Array
  readonly k?: Uint8Array
}

export function groupWorld(crypto: Crypto, chapter: string): World {
  const random = seededRandom(crypto, encodeUtf8(`vectors/${chapter}`))
  const [alice, mallory] = [0, 1].map(() => accountFromSeed(crypto, random.bytes(32))) as [Account, Account]
  const [phone, laptop] = [0, 1].map((): Device => {
    const [id, seed] = [random.bytes(32), random.bytes(32)]
    return { id, seed, keys: expandKeyPair(crypto, 'SessionDeviceKeys', seed) }
  }) as [Device, Device]
  const accountKeySeed = random.bytes(32)
  const groupId = concatBytes(Uint8Array.of(0x00, 0xa9, 0xc3, 0x01), random.bytes(4))
  const X = expandKeyPair(crypto, 'SessionAccountKeys', accountKeySeed).x25519.publicKey
  return { crypto, random, alice, mallory, phone, laptop, accountKeySeed, groupId, X }
}

/** The input of a case: whoever opens holds the key of the phone. */
export function groupInput({ alice, phone }: World, message: Uint8Array) {
  return {
    root_seed: encodeHex(alice.seed.expose()),
    device_seeds: [encodeHex(phone.seed)],
    device_id: encodeHex(phone.id),
    message: encodeHex(message),
  }
}

/** The record of a device, with further fields behind the required ones. */
export function record({ keys }: Device, ...more: Field[]): Uint8Array {
  const writer = new BtDictWriter()
    .integer('#', 1)
    .integer('@', 1_700_000_000)
    .bytes('M', keys.mlKem768.publicKey)
    .bytes('X', keys.x25519.publicKey)
  return [['d', encodeUtf8('phone')] as Field, ...more].reduce((dict, [key, value]) => dict.bytes(key, value), writer).finish()
}

/** The usual payload, or one with other values (encoded) under D and K. */
export function payload(world: World, { D = devices(world), K = accountKeys(world) } = {}): Uint8Array {
  return new BtDictWriter().raw('D', D).raw('K', K).finish()
}

/** D: the phone, and what else is given. */
export function devices({ phone }: World, ...more: [id: Uint8Array, encoded: Uint8Array][]): Uint8Array {
  const entries = [[phone.id, record(phone)] as (typeof more)[number], ...more].map(
    ([id, value]) => [byteKey(id), value] as const,
  )
  const writer = new BtDictWriter()
  for (const [key, value] of entries.sort(([a], [b]) => (a < b ? -1 : 1))) writer.raw(key, value)
  return writer.finish()
}

/** K: the account key. */
export function accountKeys({ accountKeySeed }: World): Uint8Array {
  const key = new BtDictWriter().integer('c', 1_700_000_000).bytes('s', accountKeySeed).finish()
  return concatBytes(encodeUtf8('l'), key, encodeUtf8('e'))
}

/** The fields of a message with this plaintext, for these recipients. The plaintext is not padded further. */
export function groupFields(world: World, plaintext: Uint8Array, recipients: readonly Device[] = [world.phone]): GroupFields {
  const { crypto, random, alice, groupId, X } = world
  const { secretKey, publicKey: A } = generateX25519(crypto, random)
  const slots = recipients.map(({ keys }) => {
    const [B, M] = [keys.x25519.publicKey, keys.mlKem768.publicKey]
    return { B, M, ...mlKem768Encapsulate(crypto, random, prepareMlKem768PublicKey(crypto, M)) }
  })
  const C = concatBytes(...slots.map(({ ciphertext }) => ciphertext))
  const keyBase = random.bytes(32)
  const nonce = blake2b(crypto, 24, [C], { key: A, personal: 'SessionDevDNonce' })
  const d = xchacha20Poly1305Encrypt(crypto, keyBase, nonce, plaintext)
  const wrapped = slots.map(({ B, M, ciphertext, sharedSecret }) => {
    const shared = x25519(crypto, secretKey, B)
    const key = blake2b(crypto, 32, [shared, A, B, sharedSecret, M], { personal: 'SessionDevKeyKey' })
    const keyNonce = blake2b(crypto, 24, [ciphertext, d], { key: A, personal: 'SessionDevKNonce' })
    const encrypted = xchacha20(crypto, key, keyNonce, keyBase)
    return concatBytes(slotIndex(crypto, A, { B, M }, ciphertext, encrypted), encrypted)
  })
  return { '@': cryptGroupId(crypto, alice.seed, A, groupId), A, C, K: concatBytes(...wrapped), X, d }
}

export function slotIndex(
  crypto: Crypto,
  A: Uint8Array,
  { B, M }: { B: Uint8Array; M: Uint8Array },
  ciphertext: Uint8Array,
  encrypted: Uint8Array,
): Uint8Array {
  return blake2b(crypto, 2, [A, B, M, ciphertext, encrypted], { personal: 'SessionDevKeyIdx' })
}

/** What announces that a device is removed. */
export function removal({ crypto, alice }: World, { A }: GroupFields, { id }: Device): Uint8Array {
  return blake2b(crypto, 16, [alice.seed.expose(), id], { key: A, personal: 'SessionDevKicked' })
}

/** The message of these fields, signed. */
export function signedGroup(world: World, fields: GroupFields, signer: Account = world.alice): Uint8Array {
  return signedFields(world, [['', encodeUtf8('G')], ...(Object.entries(fields) as Field[])], signer)
}

/** A signed message of any fields in ascending order. */
export function signedFields({ crypto, alice }: World, fields: readonly Field[], signer: Account = alice): Uint8Array {
  const writer = fields.reduce((dict, [key, value]) => dict.bytes(key, value), new BtDictWriter())
  return writer.sign('~', body => ed25519Sign(crypto, signer.ed25519.secretKey, body)).finish()
}

/** A signed message with this body, which need not be one a writer makes: everything from the opening d on. */
export function signedBody({ crypto, alice }: World, body: Uint8Array): Uint8Array {
  const signature = ed25519Sign(crypto, alice.ed25519.secretKey, body)
  return concatBytes(body, encodeUtf8('1:~64:'), signature, encodeUtf8('e'))
}

/** One key and byte string as a dict has them. */
export function encodedField([key, value]: Field): Uint8Array {
  return new BtDictWriter().bytes(key, value).finish().subarray(1, -1)
}
