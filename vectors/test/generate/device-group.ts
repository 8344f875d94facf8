/** Group messages: some that must be refused, each for one reason, some that are not for the phone, and some that must be read. */
import { type Crypto, ed25519Sign } from '@session-v2/crypto'
import { BtDictWriter, concatBytes, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { Case, Failure } from './case.ts'
import { recordCases } from './device-record.ts'
import { payloadCases } from './group-payload.ts'
import {
  encodedField,
  type Field,
  type GroupFields,
  groupFields,
  groupInput,
  groupWorld,
  payload,
  removal,
  signedBody,
  signedFields,
  signedGroup,
  slotIndex,
  type World,
} from './group-sealing.ts'

/** `kicked` is what the message says of the removal of the phone. */
type Refusal = readonly [name: string, failure: Failure, clause: string, reason: string, message: Uint8Array, kicked?: boolean]

/** What stands behind the body of a signed message: key, signature, e. */
const SIGNATURE_FIELD_BYTES = 71

/** The cases of the chapter, always the same. */
export function deviceGroupCases(crypto: Crypto): Case[] {
  const world = groupWorld(crypto, 'device-group')
  const rows = [...truncated(world), ...misshapen(world), ...wrongSizes(world), ...forged(world), ...notForUs(world)]
  const refused = rows.map(
    ([name, failure, clause, reason, message, kicked]): Case => ({
      chapter: 'device-group',
      name,
      reason,
      clause,
      failure,
      in: groupInput(world, message),
      out: kicked === undefined ? {} : { kicked },
    }),
  )
  return [...refused, ...read(world), ...payloadCases(world), ...recordCases(world)]
}

function truncated(world: World): Refusal[] {
  const unannounced = groupFields(world, payload(world))
  const fields = { ...unannounced, k: removal(world, unannounced, world.laptop) }
  const whole = signedGroup(world, fields)
  const cut = (name: string, reason: string, sizeBytes: number): Refusal => {
    return [`truncated-${name}`, 'malformed', 'DG-10', reason, whole.subarray(0, sizeBytes)]
  }
  const at = (key: string) =>
    signedFields(
      world,
      entries(fields).filter(([other]) => other < key),
    ).length - SIGNATURE_FIELD_BYTES
  return [
    cut('to-nothing', 'no message at all', 0),
    cut('in-type', 'the message ends within the type', 5),
    cut('before-group-id', 'the message ends before @', at('@')),
    cut('in-group-id', 'the message ends within @', at('@') + 9),
    cut('before-ephemeral', 'the message ends before A', at('A')),
    cut('in-ephemeral', 'the message ends within A', at('A') + 20),
    cut('in-ciphertexts', 'the message ends within C', at('C') + 600),
    cut('before-keys', 'the message ends before K', at('K')),
    cut('in-keys', 'the message ends within K', at('K') + 20),
    cut('in-link-key', 'the message ends within X', at('X') + 20),
    cut('before-payload', 'the message ends before d', at('d')),
    cut('in-payload', 'the message ends within d', at('d') + 700),
    cut('in-removals', 'the message ends within k', at('k') + 10),
    cut('before-signature', 'the message ends before ~', whole.length - 71),
    cut('in-signature', 'the message ends within ~', whole.length - 10),
    cut('by-one', 'the final e is missing', whole.length - 1),
  ]
}

/** The fields of a message with its type. */
function entries(fields: GroupFields): Field[] {
  return [['', encodeUtf8('G')], ...(Object.entries(fields) as Field[])]
}

function misshapen(world: World): Refusal[] {
  const all = entries(groupFields(world, payload(world)))
  const malformed = (name: string, reason: string, message: Uint8Array): Refusal => [name, 'malformed', 'DG-10', reason, message]
  const without = (key: string) =>
    signedFields(
      world,
      all.filter(([other]) => other !== key),
    )
  const withType = (type: string) => signedFields(world, [['', encodeUtf8(type)], ...all.slice(1)])
  const encoded = all.map(encodedField)
  const swapped = concatBytes(encodeUtf8('d'), ...[0, 1, 2, 4, 3, 5, 6].map(at => encoded[at]!))
  const twice = concatBytes(encodeUtf8('d'), ...[0, 1, 2, 2, 3, 4, 5, 6].map(at => encoded[at]!))
  const whole = signedFields(world, all)
  const unsigned = concatBytes(encodeUtf8('d'), ...encoded, encodeUtf8('e'))
  const integerForX = [...encoded.slice(0, 5), encodeUtf8('1:Xi5e'), encoded[6]!]
  return [
    malformed('message-no-dict', 'a list', encodeUtf8('le')),
    malformed('type-missing', 'no type', without('')),
    malformed('type-link-request', 'the type of link requests', withType('L')),
    malformed('type-longer', 'a type that begins with G', withType('GG')),
    malformed('ephemeral-missing', 'no A', without('A')),
    malformed('ciphertexts-missing', 'no C', without('C')),
    malformed('keys-missing', 'no K', without('K')),
    malformed('payload-missing', 'no d', without('d')),
    malformed('signature-missing', 'no ~', unsigned),
    malformed('key-order', 'K stands before C', signedBody(world, swapped)),
    malformed('key-twice', 'A stands twice', signedBody(world, twice)),
    malformed('link-key-not-bytes', 'X is an integer', signedBody(world, concatBytes(encodeUtf8('d'), ...integerForX))),
    malformed('message-trailing-bytes', 'a byte after the dict', concatBytes(whole, Uint8Array.of(0))),
    malformed('message-padded', 'zeros after the dict: only the payload is padded', concatBytes(whole, new Uint8Array(16))),
  ]
}

function wrongSizes(world: World): Refusal[] {
  const fields = groupFields(world, payload(world))
  const { A, C, K, X, d } = fields
  const longer = (bytes: Uint8Array) => concatBytes(bytes, Uint8Array.of(0))
  const malformed = (name: string, reason: string, changed: Partial<GroupFields>, clause = 'DG-16'): Refusal => {
    return [name, 'malformed', clause, reason, signedGroup(world, { ...fields, ...changed })]
  }
  const all = entries(fields).reduce((dict, [key, value]) => dict.bytes(key, value), new BtDictWriter())
  const shortSignature = all.bytes('~', world.random.bytes(63)).finish()
  return [
    malformed('group-id-too-short', '@ has 7 bytes', { '@': world.random.bytes(7) }, 'DG-10'),
    malformed('ephemeral-too-short', 'A has 31 bytes', { A: A.subarray(1) }, 'DG-10'),
    malformed('link-key-too-long', 'X has 33 bytes', { X: longer(X) }, 'DG-10'),
    ['signature-too-short', 'malformed', 'DG-10', '~ has 63 bytes', shortSignature],
    malformed('ciphertexts-uneven', 'C has 1089 bytes', { C: longer(C) }),
    malformed('keys-uneven', 'K has 33 bytes', { K: K.subarray(1) }),
    malformed('more-keys-than-ciphertexts', 'one slot in C, two in K', { K: concatBytes(K, K) }),
    malformed('more-ciphertexts-than-keys', 'two slots in C, one in K', { C: concatBytes(C, C) }),
    malformed('payload-of-16-bytes', 'd is a tag and nothing else', { d: d.subarray(0, 16) }),
    malformed('removals-uneven', 'k has 17 bytes', { k: world.random.bytes(17) }),
    malformed('ephemeral-zero', 'X25519 with A = 0 is zero for every secret', { A: new Uint8Array(32) }),
    malformed('ephemeral-small-order', 'A has order 8', { A: orderEightPoint() }),
    malformed('link-key-zero', 'nothing can be sealed to X = 0', { X: new Uint8Array(32) }),
    malformed('link-key-small-order', 'X has order 8', { X: orderEightPoint() }),
  ]
}

function forged(world: World): Refusal[] {
  const { crypto, alice, mallory, phone } = world
  const own = groupFields(world, payload(world))
  const fields = { ...own, k: removal(world, own, phone) }
  const whole = signedGroup(world, fields)
  const signature = whole.subarray(whole.length - 65, whole.length - 1)
  const resealed = (changed: Partial<GroupFields>) => {
    const all = entries({ ...fields, ...changed }).reduce((dict, [key, value]) => dict.bytes(key, value), new BtDictWriter())
    return all.bytes('~', signature).finish()
  }
  const flipped = (bytes: Uint8Array) => bytes.map((byte, at) => (at === 5 ? byte ^ 1 : byte))
  const forgery = (name: string, reason: string, message: Uint8Array): Refusal => [
    name,
    'forged',
    'DG-11',
    reason,
    message,
    false,
  ]
  const beyond = concatBytes(whole.subarray(0, -71), encodeUtf8('1:l0:'))
  const overMore = ed25519Sign(crypto, alice.ed25519.secretKey, whole.subarray(0, -1))
  return [
    forgery(
      'signed-by-another',
      'another account signed, and announces the removal of the phone',
      signedGroup(world, fields, mallory),
    ),
    forgery(
      'signature-altered',
      'a bit of the signature is flipped',
      whole.map((byte, at) => (at === whole.length - 40 ? byte ^ 1 : byte)),
    ),
    forgery(
      'trailing-bytes-unsigned',
      'a byte after the dict, and the signature is wrong: it comes first',
      concatBytes(signedGroup(world, fields, mallory), Uint8Array.of(0)),
    ),
    forgery('group-id-altered', 'a bit of @ is flipped', resealed({ '@': flipped(own['@']!) })),
    forgery('ephemeral-altered', 'a bit of A is flipped', resealed({ A: flipped(own.A) })),
    forgery('ciphertexts-altered', 'a bit of C is flipped', resealed({ C: flipped(own.C) })),
    forgery('keys-altered', 'a bit of K is flipped', resealed({ K: flipped(own.K) })),
    forgery('link-key-altered', 'a bit of X is flipped', resealed({ X: flipped(own.X) })),
    forgery('payload-altered', 'a bit of d is flipped', resealed({ d: flipped(own.d) })),
    forgery('removals-altered', 'a bit of k is flipped', resealed({ k: flipped(fields.k) })),
    forgery('key-added', 'a key that nobody signed stands before the signature', concatBytes(beyond, whole.subarray(-71))),
    forgery(
      'signature-over-its-own-key',
      'the signed text has the key of the signature in it',
      concatBytes(whole.subarray(0, -65), overMore, encodeUtf8('e')),
    ),
    forgery(
      'sizes-wrong-too',
      'C and K differ in number, and the signature is wrong: it comes first',
      resealed({ K: concatBytes(own.K, own.K) }),
    ),
    forgery('ephemeral-zero-unsigned', 'A has small order, and the signature is wrong', resealed({ A: new Uint8Array(32) })),
  ]
}

function notForUs(world: World): Refusal[] {
  const { crypto, phone, laptop } = world
  const other = groupFields(world, payload(world), [laptop])
  const own = groupFields(world, payload(world))
  const both = groupFields(world, payload(world), [phone, laptop])
  const not = (name: string, clause: string, reason: string, fields: GroupFields, kicked = false): Refusal => {
    return [name, 'not-for-us', clause, reason, signedGroup(world, fields), kicked]
  }
  const flipped = (bytes: Uint8Array, flip: number) => bytes.map((byte, at) => (at === flip ? byte ^ 1 : byte))
  const swapped = (bytes: Uint8Array) => concatBytes(bytes.subarray(bytes.length / 2), bytes.subarray(0, bytes.length / 2))
  const wrongKey = flipped(own.K, 20)
  const keys = { B: phone.keys.x25519.publicKey, M: phone.keys.mlKem768.publicKey }
  const reindexed = concatBytes(slotIndex(crypto, own.A, keys, own.C, wrongKey.subarray(2)), wrongKey.subarray(2))
  const ofLaptop = removal(world, other, laptop)
  const ofPhone = removal(world, other, phone)
  return [
    not('sealed-to-another-device', 'DG-18', 'no slot for the phone', other),
    not('no-slots', 'DG-16', 'a message for nobody has the form of one', { ...own, C: new Uint8Array(0), K: new Uint8Array(0) }),
    not('removed', 'DG-14', 'the removal of the phone is announced', { ...other, k: ofPhone }, true),
    not('another-removed', 'DG-14', 'the removal of the laptop is announced', { ...other, k: ofLaptop }),
    not(
      'removed-among-others',
      'DG-14',
      'the entry of the phone is the last of four',
      { ...other, k: concatBytes(ofLaptop, world.random.bytes(32), ofPhone) },
      true,
    ),
    not('removal-across-entries', 'DG-14', 'the entry of the phone lies across two entries', {
      ...other,
      k: concatBytes(world.random.bytes(8), ofPhone, world.random.bytes(8)),
    }),
    not('removal-of-another-message', 'DG-14', 'the entry was made for another A', { ...other, k: removal(world, own, phone) }),
    not('slots-swapped', 'DG-15', 'the slots of C and K have changed places: the nonce of the payload is another', {
      ...both,
      C: swapped(both.C),
      K: swapped(both.K),
    }),
    not('ciphertexts-swapped', 'DG-13', 'the slots of C have changed places', { ...both, C: swapped(both.C) }),
    not('slot-index-altered', 'DG-13', 'a bit of the index is flipped', { ...own, K: flipped(own.K, 0) }),
    not('slot-key-altered', 'DG-13', 'a bit of the encrypted key is flipped, with an index that fits', { ...own, K: reindexed }),
    not('payload-replaced', 'DG-13', 'the payload of another message', { ...own, d: other.d }),
    not('ephemeral-replaced', 'DG-13', 'A of another message', { ...own, A: other.A }),
  ]
}

function read(world: World): Case[] {
  const { random, phone, laptop } = world
  const own = groupFields(world, payload(world))
  const both = groupFields(world, payload(world), [laptop, phone])
  const { '@': _, ...withoutId } = own
  const withoutLinkKey = entries(own).filter(([key]) => key !== 'X')
  const opens = (
    name: string,
    clause: string,
    reason: string,
    message: Uint8Array,
    groupId: string | null = encodeHex(world.groupId),
    linkKey: string | null = encodeHex(world.X),
  ): Case => ({
    chapter: 'device-group',
    name,
    reason,
    clause,
    in: groupInput(world, message),
    out: {
      group_id: groupId,
      link_x25519: linkKey,
      devices: [{ id: encodeHex(phone.id), state: 2, seqno: 1, timestamp: 1_700_000_000 }],
      account_keys: [{ created: 1_700_000_000, seed: encodeHex(world.accountKeySeed) }],
    },
  })
  const withKeys = signedFields(
    world,
    entries(own).flatMap((field): Field[] => (field[0] === 'K' ? [field, ['U', random.bytes(3)]] : [field])),
  )
  const whole = signedGroup(world, own)
  const unsignedKey = concatBytes(whole.subarray(0, -1), encodeUtf8('2:~xi5ee'))
  const collision = collidingSlot(world)
  return [
    opens('one-slot', 'DG-16', 'one slot, no filling', whole),
    opens('second-slot', 'DG-17', 'the slot of the phone is the second', signedGroup(world, both)),
    opens('no-group-id', 'DG-16', 'a message without @', signedGroup(world, withoutId), null),
    opens('no-link-key', 'DG-16', 'a message without X', signedFields(world, withoutLinkKey), undefined, null),
    opens('unknown-key-signed', 'DG-11', 'an unknown key between K and X', withKeys),
    opens('unknown-key-unsigned', 'DG-11', 'an unknown key after the signature', unsignedKey),
    opens(
      'removed-and-opened',
      'DG-18',
      'a device that can open the message looks at no removals',
      signedGroup(world, { ...own, k: removal(world, own, phone) }),
    ),
    opens('index-by-chance', 'DG-17', 'an index fits by chance, and its slot opens nothing', collision),
  ]
}

/** A message whose first slot is random and yet has the index of the phone; the second opens. */
function collidingSlot(world: World): Uint8Array {
  const { crypto, random, phone, laptop } = world
  const fields = groupFields(world, payload(world), [laptop, phone])
  const keys = { B: phone.keys.x25519.publicKey, M: phone.keys.mlKem768.publicKey }
  const encrypted = random.bytes(32)
  const index = slotIndex(crypto, fields.A, keys, fields.C.subarray(0, 1088), encrypted)
  return signedGroup(world, { ...fields, K: concatBytes(index, encrypted, fields.K.subarray(34)) })
}

/** The u-coordinate 325606250916557431795983626356110631294008115727848805560023387167927233504 of RFC 7748, section 7. */
function orderEightPoint(): Uint8Array {
  return Uint8Array.from(Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex'))
}
