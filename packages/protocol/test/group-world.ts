/** Devices and groups for tests, and a look at what the primitives were given and handed out. */
import { type Crypto, ed25519Sign, type Random } from '@session-v2/crypto'
import { BtDictReader, BtDictWriter } from '@session-v2/encoding'
import {
  type Account,
  type AccountKeySeed,
  type DeviceId,
  type DeviceRecord,
  deviceIdOf,
  deviceRecordDigest,
  type ExpandedKeyPair,
  encodeDeviceRecord,
  expandKeyPair,
  type GroupEntry,
  type OpenGroupOutcome,
  type OutgoingGroup,
  openGroupMessage,
  writeDeviceRecord,
} from '@session-v2/protocol'
import { someKey } from './providers.ts'

export interface TestDevice {
  readonly id: DeviceId
  readonly keys: ExpandedKeyPair
  readonly record: DeviceRecord
  readonly entry: GroupEntry
}

/** A device whose ID and seed repeat one byte. */
export function someDevice(crypto: Crypto, byte: number): TestDevice {
  const keys = expandKeyPair(crypto, 'SessionDeviceKeys', new Uint8Array(32).fill(byte))
  const record = writeDeviceRecord({
    seqno: 1n,
    timestampS: 1_700_000_000n,
    x25519: keys.x25519.publicKey,
    mlKem768: keys.mlKem768.publicKey,
    description: `device ${byte}`,
    type: 'd',
    version: [2, 0, byte],
  })
  return { id: deviceIdOf(new Uint8Array(32).fill(byte)), keys, record, entry: memberOf(crypto, record) }
}

export function memberOf(crypto: Crypto, record: DeviceRecord): GroupEntry {
  return { kind: 'member', record, digest: deviceRecordDigest(crypto, encodeDeviceRecord(record)) }
}

/** A group of these devices, and of other entries, with one account key (or the given ones, whose first is of byte 0x77). */
export function groupOf(
  crypto: Crypto,
  devices: readonly TestDevice[],
  others: readonly (readonly [DeviceId, GroupEntry])[] = [],
  olderKeys: readonly AccountKeySeed[] = [],
): OutgoingGroup {
  const current = someKey(crypto, 0x77, 5000)
  return {
    groupId: Uint8Array.of(0, 0xa9, 0xc3, 1, 1, 2, 3, 4),
    linkX25519: current.x25519.publicKey,
    devices: new Map([...devices.map(({ id, entry }) => [id, entry] as const), ...others]),
    accountKeys: [current, ...olderKeys].map(({ seed, createdAtS, rotatedAtS }) => ({
      seed,
      createdAtS,
      ...(rotatedAtS === undefined ? {} : { rotatedAtS }),
    })),
  }
}

/** Devices of the bytes 1 to `count`. */
export function devicesOf(crypto: Crypto, count: number): TestDevice[] {
  return Array.from({ length: count }, (_, at) => someDevice(crypto, at + 1))
}

/** A device that is gone. */
export function gone(byte: number, kind: 'left' | 'kicked'): readonly [DeviceId, GroupEntry] {
  return [deviceIdOf(new Uint8Array(32).fill(byte)), { kind, atS: BigInt(byte) }]
}

export function openAs(crypto: Crypto, account: Account, device: TestDevice, message: Uint8Array): OpenGroupOutcome {
  return openGroupMessage(crypto, account, device.id, [device.keys], message)
}

/** The fields of a group message by key. */
export function fieldsOf(message: Uint8Array): Map<string, Uint8Array> {
  const reader = new BtDictReader(message)
  const fields = ['', '@', 'A', 'C', 'K', 'X', 'd', 'k', '~'].map(key => [key, reader.optionalBytes(key)] as const)
  return new Map(fields.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])))
}

/** A group message of these fields, signed again. */
export function signedAgain(crypto: Crypto, account: Account, fields: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const writer = new BtDictWriter()
  for (const [key, value] of fields) if (key !== '~') writer.bytes(key, value)
  return writer.sign('~', body => ed25519Sign(crypto, account.ed25519.secretKey, body)).finish()
}

export interface Call {
  readonly operation: string
  /** Byte arrays among the arguments, and the result if it is one; live, not copied. */
  readonly bytes: readonly Uint8Array[]
  readonly result: Uint8Array | undefined
  /** The first byte array was zero when the call was made: an agreement that only asks whether a public key can be used. */
  readonly isProbe: boolean
}

/** The same provider, and a list of every call of a raw operation that it gets from now on. */
export function watched(crypto: Crypto): { crypto: Crypto; calls: Call[] } {
  const [raw] = Object.getOwnPropertySymbols(crypto)
  const operations = (crypto as unknown as Record<symbol, Record<string, (...args: unknown[]) => unknown>>)[raw!]!
  const calls: Call[] = []
  const watching = new Proxy(operations, {
    get: (target, operation: string) => {
      return (...args: unknown[]) => {
        const bytes = args.flat().filter(item => item instanceof Uint8Array)
        const isProbe = bytes[0] !== undefined && isZero(bytes[0])
        const result = target[operation]!(...args)
        calls.push({ operation, bytes, result: result instanceof Uint8Array ? result : undefined, isProbe })
        return result
      }
    },
  })
  return { crypto: { [raw!]: watching } as unknown as Crypto, calls }
}

/** The same randomness, and everything that was drawn from it; live, not copied. */
export function watchedRandom(random: Random): { random: Random; drawn: Uint8Array[] } {
  const drawn: Uint8Array[] = []
  return {
    drawn,
    random: {
      bytes(sizeBytes) {
        const bytes = random.bytes(sizeBytes)
        drawn.push(bytes)
        return bytes
      },
    },
  }
}

/** The same provider, on a machine that fails at one of the raw operations. */
export function failingAt(crypto: Crypto, operation: string, failure: Error): Crypto {
  const [raw] = Object.getOwnPropertySymbols(crypto) as [keyof Crypto]
  const fail = () => {
    throw failure
  }
  return {
    ...crypto,
    [raw]: new Proxy(crypto[raw] as object, { get: (all, name) => (name === operation ? fail : Reflect.get(all, name)) }),
  }
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every(byte => byte === 0)
}
