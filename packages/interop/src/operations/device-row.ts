/**
 * A device as requests and answers show it:
 *
 *     id, seqno, timestamp, x25519, mlkem768, type, description, version [major, minor, patch], extra {key: encoded value}
 *     state   0 and 1 outside the group, 2 member, 3 left, 4 removed; the latter two with the time as `kicked`
 *
 * A request says `device_seed` instead of the public keys.
 */
import type { Crypto } from '@session-v2/crypto'
import { decodeBt, decodeHex, EncodingError, encodeHex, encodeUtf8 } from '@session-v2/encoding'
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
import type { Fields } from '../fields.ts'
import { InteropError } from '../interop-error.ts'
import { type Answer, SEED_BYTES } from '../operation.ts'

const VERSION_PARTS = 3
const MEMBER = 2
const LEFT = 3
const KICKED = 4

/** The state of a device in a request; a member if it is not said. */
export function stateOf(device: Fields): number {
  return device.has('state') ? device.integer('state') : MEMBER
}

/** What a group lists of a device; undefined for one that is not listed. */
export function entryOf(crypto: Crypto, device: Fields): GroupEntry | undefined {
  const state = stateOf(device)
  if (state < 0 || state > KICKED) throw new InteropError('bad-input', `${state} is no state of a device`)
  if (state < MEMBER) return undefined
  if (state > MEMBER) return { kind: state === LEFT ? 'left' : 'kicked', atS: BigInt(device.integer(timeName(device))) }
  const record = recordOf(crypto, device)
  return { kind: 'member', record, digest: deviceRecordDigest(crypto, encodeDeviceRecord(record)) }
}

/** The record of a device in a request. */
export function recordOf(crypto: Crypto, device: Fields): DeviceRecord {
  const { x25519, mlKem768 } = expandKeyPair(crypto, 'SessionDeviceKeys', device.bytes('device_seed', SEED_BYTES))
  return writeDeviceRecord({
    seqno: BigInt(device.integer('seqno')),
    timestampS: BigInt(device.integer('timestamp')),
    x25519: x25519.publicKey,
    mlKem768: mlKem768.publicKey,
    ...(device.has('description') ? { description: device.text('description') } : {}),
    ...(device.has('type') ? { type: device.text('type') } : {}),
    ...(device.has('version') ? { version: versionOf(device) } : {}),
    extras: device.has('extra') ? extrasOf(device.record('extra')) : new Map(),
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
  return device.has('left') ? 'left' : 'kicked'
}

function versionOf(device: Fields): [number, number, number] {
  return device.integers('version', VERSION_PARTS) as [number, number, number]
}

/** The values are encoded already, and that in hexadecimal or, since all of it may be text, as it is. */
function extrasOf(extra: Fields): ReadonlyMap<string, Uint8Array> {
  return new Map(
    extra.names().map(key => {
      const candidates = [() => decodeHex(extra.text(key)), () => encodeUtf8(extra.text(key))]
      const value = candidates.map(readEncoded).find(bytes => bytes !== undefined)
      if (value === undefined) throw new InteropError('bad-input', `extra.${key} is no encoded value`)
      return [key, value]
    }),
  )
}

function readEncoded(read: () => Uint8Array): Uint8Array | undefined {
  try {
    const bytes = read()
    decodeBt(bytes)
    return bytes
  } catch (error) {
    if (error instanceof EncodingError) return undefined
    throw error
  }
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes ?? new Uint8Array(0))
}

/** A number where that is exact, else decimal text. */
function numberOf(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : `${value}`
}
