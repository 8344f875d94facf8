/** Payloads of group messages, sealed for the phone: some that must be refused, and some that must be read. */
import { BtDictWriter, concatBytes, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { Case } from './case.ts'
import { accountKeys, devices, groupFields, groupInput, payload, record, signedGroup, type World } from './group-sealing.ts'

const INT64_MAX = 2n ** 63n - 1n

export function payloadCases(world: World): Case[] {
  return [...misshapen(world), ...wrongDevices(world), ...wrongAccountKeys(world), ...read(world)]
}

function refused(world: World, name: string, clause: string, reason: string, plaintext: Uint8Array): Case {
  const message = signedGroup(world, groupFields(world, plaintext))
  return { chapter: 'device-group', name, reason, clause, failure: 'malformed', in: groupInput(world, message), out: {} }
}

function misshapen(world: World): Case[] {
  const good = payload(world)
  const malformed = (name: string, reason: string, plaintext: Uint8Array) => refused(world, name, 'DG-09', reason, plaintext)
  const padded = concatBytes(good, new Uint8Array(40))
  const [D, K] = [devices(world), accountKeys(world)]
  const dict = (...parts: (string | Uint8Array)[]) => {
    return concatBytes(...parts.map(part => (typeof part === 'string' ? encodeUtf8(part) : part)))
  }
  return [
    malformed('payload-of-zeros', 'nothing but padding', new Uint8Array(64)),
    malformed('payload-no-dict', 'a list', encodeUtf8('le')),
    malformed('payload-unfinished', 'the final e is missing', good.subarray(0, -1)),
    malformed(
      'payload-trailing-bytes',
      'a byte between the dict and the padding',
      concatBytes(good, encodeUtf8('x'), new Uint8Array(20)),
    ),
    malformed('padding-not-zero', 'the last byte of the padding is not zero', padded.fill(1, padded.length - 1)),
    malformed('padding-before', 'zeros before the dict', concatBytes(new Uint8Array(16), good)),
    malformed('devices-integer', 'D is an integer', payload(world, { D: encodeUtf8('i5e') })),
    malformed('account-keys-missing', 'no K', new BtDictWriter().raw('D', D).finish()),
    malformed('payload-key-order', 'K stands before D', dict('d1:K', K, '1:D', D, 'e')),
    malformed('payload-key-twice', 'two K, which may differ', dict('d1:D', D, '1:K', K, '1:K', K, 'e')),
    malformed('devices-no-dict', 'D is a list', payload(world, { D: encodeUtf8('le') })),
    malformed('account-keys-no-list', 'K is a dict', payload(world, { K: encodeUtf8('de') })),
  ]
}

function wrongDevices(world: World): Case[] {
  const { random, phone, laptop } = world
  const [lower, higher] = [phone, laptop].sort((a, b) => Buffer.compare(a.id, b.id)) as [typeof phone, typeof phone]
  const id = random.bytes(32)
  const listed = (name: string, clause: string, reason: string, value: string) => {
    return refused(world, name, clause, reason, payload(world, { D: devices(world, [id, encodeUtf8(value)]) }))
  }
  const ofSize = (name: string, sizeBytes: number) => {
    const D = devices(world, [random.bytes(sizeBytes), encodeUtf8('i5e')])
    return refused(world, name, 'DG-09', `a device ID of ${sizeBytes} bytes`, payload(world, { D }))
  }
  const raw = (...order: (typeof phone)[]) =>
    concatBytes(encodeUtf8('d'), ...order.flatMap(device => [encodeUtf8('32:'), device.id, record(device)]), encodeUtf8('e'))
  return [
    listed('tombstone-zero', 'DG-09', 'a device that is gone since the time 0', 'i0e'),
    listed('tombstone-least', 'DG-09', 'the time −2^63, which has no opposite', `i${-INT64_MAX - 1n}e`),
    listed('tombstone-too-great', 'DG-09', 'the time 2^63, which has not 64 bits', `i${INT64_MAX + 1n}e`),
    listed('tombstone-minus-zero', 'DG-09', 'the time −0', 'i-0e'),
    listed('device-bytes', 'DG-09', 'a byte string instead of a record', '2:de'),
    listed('device-list', 'DG-09', 'a list instead of a record', 'le'),
    listed('device-empty-record', 'DG-06', 'a record without fields', 'de'),
    ofSize('device-id-too-short', 31),
    ofSize('device-id-too-long', 33),
    ofSize('device-id-empty', 0),
    refused(world, 'device-order', 'DG-09', 'device IDs that descend', payload(world, { D: raw(higher, lower) })),
    refused(world, 'device-twice', 'DG-09', 'a device that stands twice', payload(world, { D: raw(lower, lower) })),
  ]
}

function wrongAccountKeys(world: World): Case[] {
  const { random } = world
  const seed = random.bytes(32)
  const list = (...parts: (string | Uint8Array)[]) =>
    concatBytes(encodeUtf8('l'), ...parts.map(part => (typeof part === 'string' ? encodeUtf8(part) : part)), encodeUtf8('e'))
  const keyed = (name: string, reason: string, ...parts: (string | Uint8Array)[]) => {
    return refused(world, name, 'DG-09', reason, payload(world, { K: list(...parts) }))
  }
  const many = Array.from({ length: 257 }, () => new BtDictWriter().integer('c', 5).bytes('s', random.bytes(32)).finish())
  return [
    keyed('account-key-no-dict', 'a seed instead of a dict', '32:', seed),
    keyed('account-key-empty', 'an account key without fields', 'de'),
    keyed('account-key-without-time', 'no c', 'd1:s32:', seed, 'e'),
    keyed('account-key-without-seed', 'no s', 'd1:ci5ee'),
    keyed('account-key-seed-too-short', 's has 31 bytes', 'd1:ci5e1:s31:', seed.subarray(1), 'e'),
    keyed('account-key-seed-too-long', 's has 33 bytes', 'd1:ci5e1:s33:', seed, 'xe'),
    keyed('account-key-seed-no-bytes', 's is an integer', 'd1:ci5e1:si5ee'),
    keyed('account-key-created-negative', 'c is −1', 'd1:ci-1e1:s32:', seed, 'e'),
    keyed('account-key-created-too-great', 'c is 2^53, which is not exact everywhere', `d1:ci${2n ** 53n}e1:s32:`, seed, 'e'),
    keyed('account-key-created-no-integer', 'c is a text', 'd1:c1:51:s32:', seed, 'e'),
    keyed('account-key-rotated-negative', 'r is −1', 'd1:ci5e1:ri-1e1:s32:', seed, 'e'),
    keyed('account-key-rotated-no-integer', 'r is a list', 'd1:ci5e1:rle1:s32:', seed, 'e'),
    keyed('account-key-key-order', 's stands before c', 'd1:s32:', seed, '1:ci5ee'),
    keyed('too-many-account-keys', '257 account keys', ...many),
  ]
}

function read(world: World): Case[] {
  const { random, phone, accountKeySeed } = world
  const seed = random.bytes(32)
  const [left, kicked] = [random.bytes(32), random.bytes(32)]
  const own = { id: encodeHex(phone.id), state: 2, seqno: 1, timestamp: 1_700_000_000 }
  const accountKey = { created: 1_700_000_000, seed: encodeHex(accountKeySeed) }
  const opens = (name: string, clause: string, reason: string, plaintext: Uint8Array, out: object): Case => ({
    chapter: 'device-group',
    name,
    reason,
    clause,
    in: groupInput(world, signedGroup(world, groupFields(world, plaintext))),
    out: {
      group_id: encodeHex(world.groupId),
      link_x25519: encodeHex(world.X),
      devices: [own],
      account_keys: [accountKey],
      ...out,
    },
  })
  const gone = devices(world, [left, encodeUtf8(`i${-INT64_MAX}e`)], [kicked, encodeUtf8(`i${INT64_MAX}e`)])
  const rows = [
    own,
    { id: encodeHex(left), state: 3, kicked: `${INT64_MAX}` },
    { id: encodeHex(kicked), state: 4, kicked: `${INT64_MAX}` },
  ]
  const unknown = new BtDictWriter()
    .integer('A', 5)
    .raw('D', devices(world))
    .integer('E', 5)
    .raw('K', accountKeys(world))
    .integer('Z', 5)
  const keyWithMore = new BtDictWriter()
    .integer('a', 1)
    .integer('c', 7)
    .integer('d', 1)
    .integer('r', 9)
    .bytes('s', seed)
    .bytes('z', seed)
    .finish()
  const K = concatBytes(encodeUtf8('l'), keyWithMore, encodeUtf8('e'))
  return [
    opens('tombstones-greatest', 'DG-08', 'the greatest times at which devices can be gone', payload(world, { D: gone }), {
      devices: rows.sort((a, b) => (a.id < b.id ? -1 : 1)),
    }),
    opens('payload-padded', 'DG-09', 'any number of zeros behind the dict', concatBytes(payload(world), new Uint8Array(777)), {}),
    opens('payload-unknown-keys', 'DG-09', 'unknown keys around D and K', unknown.finish(), {}),
    opens('account-key-unknown-keys', 'DG-09', 'an account key with unknown keys', payload(world, { K }), {
      account_keys: [{ created: 7, rotated: 9, seed: encodeHex(seed) }],
    }),
    opens('no-account-keys', 'DG-09', 'K is there and empty', payload(world, { K: encodeUtf8('le') }), { account_keys: [] }),
    opens('devices-missing', 'DG-09', 'no D: no devices', new BtDictWriter().raw('K', accountKeys(world)).finish(), {
      devices: [],
    }),
  ]
}
