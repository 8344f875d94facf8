/**
 * What a device says about itself, as group messages and link requests carry it:
 *
 *     d  #  sequence number, one more with each change                          integer
 *        @  when it changed, in seconds since the epoch                         integer
 *        M  ML-KEM-768 public key of the device                                 1184 bytes
 *        X  X25519 public key of the device                                       32
 *        d  description, UTF-8; written even when it is empty
 *        t  type: i iOS, a Android, d Desktop, c command line, or any text; left out when it is empty
 *        v  version 1000000 · major + 1000 · minor + patch; left out when it is 0                          e
 *
 * Other keys belong to the device as well: they are kept as they are and written again in their sorted place. So a record that
 * passes through another device keeps its bytes, and with them its digest, BLAKE2b-8 of the whole dict.
 *
 * Implements DG-04, DG-05, DG-06, DG-19.
 */
import {
  blake2b,
  type Crypto,
  type MlKem768PublicKey,
  mlKem768PublicKey,
  type X25519PublicKey,
  x25519PublicKey,
} from '@session-v2/crypto'
import {
  BtDictReader,
  BtDictWriter,
  type BtLimits,
  type ByteKey,
  copyBytes,
  cutUtf8,
  decodeBt,
  EncodingError,
  encodeUtf8,
  INT64_MAX,
} from '@session-v2/encoding'
import { ProtocolError, requireSize } from '../protocol-error.ts'
import { readForm } from '../wire-form.ts'

const ML_KEM_PUBLIC_BYTES = 1184
const X25519_PUBLIC_BYTES = 32
const DIGEST_BYTES = 8
/** What we write of a description at most, in bytes; what others wrote may be longer. */
const MAX_DESCRIPTION_BYTES = 64
/** A record has some 1300 bytes; this leaves room for long descriptions and for fields of the future. */
export const RECORD_LIMITS: BtLimits = { sizeBytes: 65_536, depth: 16, values: 1000 }
const KNOWN_KEYS: ReadonlySet<ByteKey> = new Set(['#', '@', 'M', 'X', 'd', 't', 'v'])
const VERSION_BASE = 1000n
const MAX_VERSION_PART = 999

export interface DeviceRecord {
  /** Any signed 64-bit integer. */
  readonly seqno: bigint
  /** Seconds since the epoch, any signed 64-bit integer. */
  readonly timestampS: bigint
  readonly mlKem768: MlKem768PublicKey
  readonly x25519: X25519PublicKey
  /** As it came, UTF-8 or not. Absent only when the record came without. */
  readonly description?: Uint8Array
  readonly type?: Uint8Array
  readonly version?: bigint
  /** The keys not known here with their encoded values. */
  readonly extras: ReadonlyMap<ByteKey, Uint8Array>
}

/** What `writeDeviceRecord` takes. */
export interface DeviceRecordFields {
  readonly seqno: bigint
  readonly timestampS: bigint
  readonly mlKem768: MlKem768PublicKey
  readonly x25519: X25519PublicKey
  readonly description?: string
  readonly type?: string
  /** Major, minor, patch; the latter two end at 999. */
  readonly version?: readonly [number, number, number]
  readonly extras?: ReadonlyMap<ByteKey, Uint8Array>
}

/** A record of our own. The description is cut to 64 bytes between two characters. Throws `bad-input` for a value that has no encoding. */
export function writeDeviceRecord(fields: DeviceRecordFields): DeviceRecord {
  requireKeySizes(fields)
  const type = encodeText(fields.type ?? '')
  const version = versionNumber(fields.version ?? [0, 0, 0])
  const record: DeviceRecord = {
    seqno: fields.seqno,
    timestampS: fields.timestampS,
    mlKem768: mlKem768PublicKey(copyBytes(fields.mlKem768)),
    x25519: x25519PublicKey(copyBytes(fields.x25519)),
    description: cutDescription(fields.description ?? ''),
    ...(type.length === 0 ? {} : { type }),
    ...(version === 0n ? {} : { version }),
    extras: new Map([...(fields.extras ?? [])].map(([key, value]) => [key, copyBytes(value)])),
  }
  encodeDeviceRecord(record)
  return record
}

/**
 * The dict of a record. Throws `bad-input` for keys of another size, integers beyond 64 bits, extras that are not one encoded value
 * each or stand under a known key, and whatever `decodeDeviceRecord` would refuse for its size.
 */
export function encodeDeviceRecord(record: DeviceRecord): Uint8Array {
  requireKeySizes(record)
  try {
    const encoded = writeFields(record)
    if (record.extras.size > 0 || encoded.length > RECORD_LIMITS.sizeBytes) decodeDeviceRecord(encoded)
    return encoded
  } catch (cause) {
    if (!(cause instanceof EncodingError || cause instanceof ProtocolError)) throw cause
    throw new ProtocolError('bad-input', 'DG-06', `the record of a device cannot be written: ${cause.message}`, { cause })
  }
}

/** The record of a dict. Throws `malformed` when a field is missing or has another form, and above 64 KiB. */
export function decodeDeviceRecord(bytes: Uint8Array): DeviceRecord {
  return readForm('DG-06', 'this is no record of a device', () => {
    const reader = new BtDictReader(bytes, RECORD_LIMITS)
    const seqno = reader.requireInteger('#')
    const timestampS = reader.requireInteger('@')
    const mlKem768 = reader.requireBytes('M', { size: ML_KEM_PUBLIC_BYTES })
    const x25519 = reader.requireBytes('X', { size: X25519_PUBLIC_BYTES })
    const description = reader.optionalBytes('d')
    const type = reader.optionalBytes('t')
    const version = reader.optionalInteger('v')
    reader.finish({ unknown: 'allow' })
    return {
      seqno,
      timestampS,
      mlKem768: mlKem768PublicKey(copyBytes(mlKem768)),
      x25519: x25519PublicKey(copyBytes(x25519)),
      ...(description === undefined ? {} : { description: copyBytes(description) }),
      ...(type === undefined ? {} : { type: copyBytes(type) }),
      ...(version === undefined ? {} : { version }),
      extras: new Map(reader.unknown.map(([key, value]) => [key, copyBytes(value)])),
    }
  })
}

/** The 8-byte digest of a record, from its bytes as they came or as `encodeDeviceRecord` writes them. */
export function deviceRecordDigest(crypto: Crypto, encoded: Uint8Array): Uint8Array {
  return blake2b(crypto, DIGEST_BYTES, [encoded])
}

/** What to show of a record, which somebody else wrote. `version` is absent when it is missing or no version. */
export function deviceRecordText(record: DeviceRecord): {
  readonly description: string
  readonly type: string
  readonly version: readonly [number, number, number] | undefined
} {
  const { version } = record
  return {
    description: shownText(record.description),
    type: shownText(record.type),
    version: version === undefined || version < 0n ? undefined : versionParts(version),
  }
}

function requireKeySizes({ mlKem768, x25519 }: Pick<DeviceRecord, 'mlKem768' | 'x25519'>): void {
  requireSize(mlKem768, ML_KEM_PUBLIC_BYTES, 'DG-06', 'the ML-KEM-768 key of a device')
  requireSize(x25519, X25519_PUBLIC_BYTES, 'DG-06', 'the X25519 key of a device')
}

function writeFields(record: DeviceRecord): Uint8Array {
  const writer = new BtDictWriter()
  const fields: [ByteKey, () => void][] = [
    ['#', () => writer.integer('#', record.seqno)],
    ['@', () => writer.integer('@', record.timestampS)],
    ['M', () => writer.bytes('M', record.mlKem768)],
    ['X', () => writer.bytes('X', record.x25519)],
  ]
  const { description, type, version } = record
  if (description !== undefined) fields.push(['d', () => writer.bytes('d', description)])
  if (type !== undefined) fields.push(['t', () => writer.bytes('t', type)])
  if (version !== undefined) fields.push(['v', () => writer.integer('v', version)])
  for (const [key, value] of record.extras) {
    if (KNOWN_KEYS.has(key)) throw new ProtocolError('bad-input', 'DG-06', `the extra key ${JSON.stringify(key)} is a known one`)
    decodeBt(value, RECORD_LIMITS)
    fields.push([key, () => writer.raw(key, value)])
  }
  for (const [, write] of fields.sort(([a], [b]) => (a < b ? -1 : 1))) write()
  return writer.finish()
}

function encodeText(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new ProtocolError('bad-input', 'ENC-01', 'a text holds half of a surrogate pair')
  return encodeUtf8(text)
}

/** The characters that fit into 64 bytes, in UTF-8. */
function cutDescription(text: string): Uint8Array {
  return copyBytes(cutUtf8(encodeText(text), MAX_DESCRIPTION_BYTES))
}

function versionNumber([major, minor, patch]: readonly [number, number, number]): bigint {
  if (![major, minor, patch].every(part => Number.isSafeInteger(part) && part >= 0)) {
    throw new ProtocolError('bad-input', 'DG-05', 'a version has three whole numbers')
  }
  const clamped = (part: number) => BigInt(Math.min(part, MAX_VERSION_PART))
  const version = (BigInt(major) * VERSION_BASE + clamped(minor)) * VERSION_BASE + clamped(patch)
  if (version > INT64_MAX) throw new ProtocolError('bad-input', 'DG-06', `${major} is too great for a version`)
  return version
}

function versionParts(version: bigint): readonly [number, number, number] {
  const minorAndMajor = version / VERSION_BASE
  return [Number(minorAndMajor / VERSION_BASE), Number(minorAndMajor % VERSION_BASE), Number(version % VERSION_BASE)]
}

/** What would move the cursor, end the line or turn the direction of writing; joiners within emoji may stay. */
const NOT_SHOWN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

function shownText(bytes: Uint8Array | undefined): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes ?? new Uint8Array(0)).replace(NOT_SHOWN, '')
}
