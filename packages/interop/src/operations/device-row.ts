/**
 * A device as requests and answers show it:
 *
 *     id, seqno, timestamp, x25519, mlkem768, type, description, version [major, minor, patch], extra {key: encoded value}
 *     state   0 and 1 outside the group, 2 member, 3 left, 4 removed; the latter two with the time as `kicked`
 *
 * A request says `device_seed` instead of the public keys, and may give the values of `extra` in any form of `btValueOf`, under their
 * keys or as pairs [key, value].
 */
import type { Crypto } from '@session-v2/crypto'
import { encodeBt, encodeHex } from '@session-v2/encoding'
import {
  type DeviceId,
  type DeviceRecord,
  deviceRecordDigest,
  encodeDeviceRecord,
  expandKeyPair,
  type GroupEntry,
  parseDeviceId,
  writeDeviceRecord,
} from '@session-v2/protocol'
import { btValueOf } from '../bt-input.ts'
import type { Fields } from '../fields.ts'
import { InteropError } from '../interop-error.ts'
import { type Answer, SEED_BYTES } from '../operation.ts'

const VERSION_PARTS = 3
const MEMBER = 2
const LEFT = 3
const KICKED = 4

/** The state of a device in a request; a member if it is not said. */
function stateOf(device: Fields): number {
  return device.isSet('state') ? device.integer('state') : MEMBER
}

/** What a group lists of a device; undefined for one that is not listed. */
export function entryOf(crypto: Crypto, device: Fields): GroupEntry | undefined {
  const state = stateOf(device)
  if (state < 0 || state > KICKED) throw new InteropError('bad-input', `${state} is no state of a device`)
  if (state < MEMBER) return undefined
  if (state > MEMBER) return { kind: state === LEFT ? 'left' : 'kicked', atS: device.int64(timeName(device)) }
  const record = recordOf(crypto, device)
  return { kind: 'member', record, digest: deviceRecordDigest(crypto, encodeDeviceRecord(record)) }
}

/** The record of a device in a request. */
export function recordOf(crypto: Crypto, device: Fields): DeviceRecord {
  const { x25519, mlKem768 } = expandKeyPair(crypto, 'SessionDeviceKeys', device.bytes('device_seed', SEED_BYTES))
  return writeDeviceRecord({
    seqno: device.int64('seqno'),
    timestampS: device.int64('timestamp'),
    x25519: x25519.publicKey,
    mlKem768: mlKem768.publicKey,
    ...(device.isSet('description') ? { description: device.text('description') } : {}),
    ...(device.isSet('type') ? { type: device.text('type') } : {}),
    ...(device.isSet('version') ? { version: versionOf(device) } : {}),
    extras: device.isSet('extra') ? extrasOf(device.json('extra')) : new Map(),
  })
}

/** A listed device, for an answer. */
export function entryAnswer(id: DeviceId, entry: GroupEntry): Answer {
  if (entry.kind !== 'member') return { id, state: entry.kind === 'left' ? LEFT : KICKED, kicked: numberOf(entry.atS) }
  return {
    ...recordAnswer(id, MEMBER, entry.record),
    digest: encodeHex(entry.digest),
    record: encodeHex(encodeDeviceRecord(entry.record)),
  }
}

/** The record of a device, for an answer. */
export function recordAnswer(id: DeviceId, state: number, record: DeviceRecord): Answer {
  const { version = 0n } = record
  return {
    id,
    state,
    seqno: numberOf(record.seqno),
    timestamp: numberOf(record.timestampS),
    type: textOf(record.type),
    description: textOf(record.description),
    version: [version / 1_000_000n, (version / 1000n) % 1000n, version % 1000n].map(numberOf),
    x25519: encodeHex(record.x25519),
    mlkem768: encodeHex(record.mlKem768),
    extra: Object.fromEntries([...record.extras].map(([key, value]) => [key, encodeHex(value)])),
  }
}

/** `id` of a device in a request. */
export function idOf(device: Fields): DeviceId {
  return parseDeviceId(device.text('id'))
}

function timeName(device: Fields): string {
  return device.isSet('left') ? 'left' : 'kicked'
}

function versionOf(device: Fields): [number, number, number] {
  return device.integers('version', VERSION_PARTS) as [number, number, number]
}

function extrasOf(extra: unknown): ReadonlyMap<string, Uint8Array> {
  if (typeof extra !== 'object' || extra === null) throw new InteropError('bad-input', 'extra is neither an object nor pairs')
  const pairs = Array.isArray(extra) ? extra.map(requirePair) : Object.entries(extra)
  const extras = new Map(pairs.map(([key, value]) => [key, encodeBt(btValueOf(value, `extra.${key}`))]))
  if (extras.size !== pairs.length) throw new InteropError('bad-input', 'a key of extra is there twice')
  return extras
}

function requirePair(pair: unknown): [string, unknown] {
  const isPair = Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string'
  if (!isPair) throw new InteropError('bad-input', 'extra has something else than pairs of a key and a value')
  return pair as [string, unknown]
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes ?? new Uint8Array(0))
}

/** A number where that is exact, else decimal text. */
export function numberOf(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : `${value}`
}
