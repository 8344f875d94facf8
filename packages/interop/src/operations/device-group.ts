/** Group messages and the records of devices in them. */
import type { Crypto } from '@session-v2/crypto'
import { BtDictReader, encodeHex } from '@session-v2/encoding'
import {
  type Account,
  accountFromSeed,
  accountKeyFromSeed,
  type DeviceId,
  decodeDeviceRecord,
  deviceRecordDigest,
  type ExpandedKeyPair,
  expandKeyPair,
  type GroupEntry,
  type GroupPayload,
  type OpenGroupOutcome,
  openGroupMessage,
  ProtocolError,
  parseDeviceId,
  removalEntry,
  sealGroupMessage,
} from '@session-v2/protocol'
import type { Fields } from '../fields.ts'
import { InteropError } from '../interop-error.ts'
import { type Answer, type Context, MAX_ACCOUNT_KEYS, type Operation, SEED_BYTES } from '../operation.ts'
import { accountKeyOf } from './account-keys.ts'
import { entryAnswer, entryOf, idOf } from './device-row.ts'

const MAX_DEVICES = 300
const MAX_DEVICE_SEEDS = 100
/** Where it does not matter which device asks. */
const NO_DEVICE = parseDeviceId('00'.repeat(SEED_BYTES))

/** root_seed, group_id, devices, account_keys [{seed, created, rotated?}] → message */
export const sealGroup: Operation = (context, input) => ({ message: encodeHex(sealed(context, input)) })

/**
 * root_seed, device_seeds, message → group_id and link_x25519 (null if it has none), devices, account_keys. Fails with bad_format,
 * bad_signature or not_for_us.
 */
export const openGroup: Operation = ({ crypto }, input) => {
  const seeds = input.bytesList('device_seeds', SEED_BYTES, MAX_DEVICE_SEEDS)
  const deviceKeys = seeds.map(seed => expandKeyPair(crypto, 'SessionDeviceKeys', seed))
  const opened = openedOf(openGroupMessage(crypto, accountOf(crypto, input), NO_DEVICE, deviceKeys, input.bytes('message')))
  const { groupId, linkX25519 } = opened.facts
  return {
    group_id: groupId === undefined ? null : encodeHex(groupId),
    link_x25519: linkX25519 === undefined ? null : encodeHex(linkX25519),
    opened_with: encodeHex(opened.openedWith),
    ...payloadAnswer(opened.payload),
  }
}

/** root_seed, device_id, message → kicked, and the entry that would say so if removals are announced. Fails with bad_format or bad_signature. */
export const kickedCheck: Operation = ({ crypto }, input) => {
  const account = accountOf(crypto, input)
  return removalAnswer(crypto, account, parseDeviceId(input.text('device_id')), input.bytes('message'))
}

/** record → digest. Fails with bad_format. */
export const recordDigest: Operation = ({ crypto }, input) => {
  const record = input.bytes('record')
  try {
    decodeDeviceRecord(record)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new InteropError('bad_format', cause.message, { cause })
  }
  return { digest: encodeHex(deviceRecordDigest(crypto, record)) }
}

/** As `sealGroup` → message, size, payload, link_x25519, kicked_field, decrypts_for, kicked_check: of the message made. */
export const groupKind: Operation = (context, input) => {
  const { crypto } = context
  const message = sealed(context, input)
  const account = accountOf(crypto, input)
  const rows = input.records('devices', MAX_DEVICES)
  const members = rows.filter(row => entryOf(crypto, row)?.kind === 'member')
  const openedBy = (row: Fields) => openGroupMessage(crypto, account, idOf(row), [deviceKeyOf(crypto, row)], message)
  const opened = openedOf(openedBy(members[0]!))
  const kicked = [...opened.payload.devices].filter(([, entry]) => entry.kind === 'kicked')
  const removals = new BtDictReader(message).optionalBytes('k')
  return {
    message: encodeHex(message),
    size: message.length,
    payload: payloadAnswer(opened.payload),
    link_x25519: encodeHex(opened.facts.linkX25519!),
    kicked_field: removals === undefined ? null : encodeHex(removals),
    decrypts_for: Object.fromEntries(members.map(row => [idOf(row), openedBy(row).outcome === 'opened'])),
    kicked_check: Object.fromEntries(
      [...kicked.map(([id]) => [id, id] as const), ['none', NO_DEVICE] as const].map(([name, id]) => [
        name,
        removalAnswer(crypto, account, id, message),
      ]),
    ),
  }
}

function sealed({ crypto, random }: Context, input: Fields): Uint8Array {
  const accountKeys = input.records('account_keys', MAX_ACCOUNT_KEYS).map(accountKeyOf)
  const current = accountKeys.find(key => key.rotatedAtS === undefined)
  if (current === undefined) throw new InteropError('bad-input', 'none of account_keys is current')
  return sealGroupMessage(crypto, random, accountOf(crypto, input), {
    groupId: input.bytes('group_id'),
    linkX25519: accountKeyFromSeed(crypto, current.seed.expose(), current.createdAtS).x25519.publicKey,
    devices: devicesOf(crypto, input),
    accountKeys,
  })
}

function devicesOf(crypto: Crypto, input: Fields): ReadonlyMap<DeviceId, GroupEntry> {
  const devices = new Map<DeviceId, GroupEntry>()
  for (const row of input.records('devices', MAX_DEVICES)) {
    const entry = entryOf(crypto, row)
    if (entry !== undefined) devices.set(idOf(row), entry)
  }
  return devices
}

function deviceKeyOf(crypto: Crypto, row: Fields): ExpandedKeyPair {
  return expandKeyPair(crypto, 'SessionDeviceKeys', row.bytes('device_seed', SEED_BYTES))
}

function accountOf(crypto: Crypto, input: Fields): Account {
  return accountFromSeed(crypto, input.bytes('root_seed', SEED_BYTES))
}

function payloadAnswer({ devices, accountKeys }: GroupPayload): Answer {
  return {
    devices: [...devices].map(([id, entry]) => entryAnswer(id, entry)),
    account_keys: accountKeys.map(({ seed, createdAtS, rotatedAtS }) => ({
      created: createdAtS,
      ...(rotatedAtS === undefined ? {} : { rotated: rotatedAtS }),
      seed: encodeHex(seed.expose()),
    })),
  }
}

function removalAnswer(crypto: Crypto, account: Account, id: DeviceId, message: Uint8Array): Answer {
  const outcome = requireReadable(openGroupMessage(crypto, account, id, [], message))
  const kicked = outcome.outcome === 'not-for-us' && outcome.announcesRemoval
  const reader = new BtDictReader(message)
  const ephemeral = reader.requireBytes('A')
  if (reader.optionalBytes('k') === undefined) return { kicked }
  return { kicked, entry: encodeHex(removalEntry(crypto, account.seed, ephemeral, id)) }
}

function openedOf(outcome: OpenGroupOutcome): OpenGroupOutcome & { outcome: 'opened' } {
  const readable = requireReadable(outcome)
  if (readable.outcome !== 'opened') throw new InteropError('not_for_us', 'none of the keys opens the message')
  return readable
}

function requireReadable(outcome: OpenGroupOutcome): OpenGroupOutcome & { outcome: 'opened' | 'not-for-us' } {
  if (outcome.outcome === 'malformed') throw new InteropError('bad_format', outcome.cause.message)
  if (outcome.outcome === 'forged') throw new InteropError('bad_signature', 'the account did not sign the message')
  return outcome
}
