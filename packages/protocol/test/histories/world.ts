/**
 * Devices of one account and a swarm between them, without a network: what is stored can be lost, doubled, delivered late, in any
 * order, and again after it was deleted. Messages are not encrypted here; who can read one is decided as the key slots would decide
 * it. Everything else is the real code, with real keys and records, and beside each device its naive model.
 */
import { type Crypto, Secret } from '@session-v2/crypto'
import { decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { Account } from '../../src/account/account.ts'
import { accountKeyX25519, wipeExpandedKeyPair } from '../../src/account-keys/key-expansion.ts'
import { type DeviceId, deviceIdOf } from '../../src/device-group/device-id.ts'
import { type DeviceRecord, deviceRecordDigest, encodeDeviceRecord } from '../../src/device-group/device-record.ts'
import type { GroupEntry } from '../../src/device-group/group-payload.ts'
import { type OpenGroupOutcome, openGroupMessage } from '../../src/device-group/open.ts'
import { expandDeviceKeys } from '../../src/device-keys/device-keys.ts'
import { newGroupState } from '../../src/device-states/founding.ts'
import type { GroupChange, GroupState, OwnDetails } from '../../src/device-states/group-state.ts'
import { type GroupPush, sealPush } from '../../src/device-states/push.ts'

export const GROUP_TTL_MS = 30 * 86_400_000
const START_MS = 1_700_000_000_000

/** A group message or link request as the swarm keeps it. */
export interface Stored {
  readonly hash: string
  readonly swarmTimeMs: number
  readonly expiresAtMs: number
  readonly group?: StoredGroup
  /** A group message that was really sealed. */
  readonly sealed?: Uint8Array
  readonly link?: StoredLink
}

export interface StoredGroup {
  readonly groupId: Uint8Array
  readonly linkX25519: Uint8Array
  readonly devices: ReadonlyMap<DeviceId, GroupEntry>
  /** Made up by an insider: every device can read it, with its current key. */
  readonly forged?: boolean
  /** The seeds as hexadecimal text: every reader makes its own secrets of them. */
  readonly accountKeys: readonly { readonly seed: string; readonly createdAtS: number; readonly rotatedAtS?: number }[]
}

export interface StoredLink {
  readonly deviceId: DeviceId
  readonly record: DeviceRecord
  readonly linkX25519: string
}

type Opened = Extract<OpenGroupOutcome, { readonly outcome: 'opened' | 'not-for-us' }>

/** One device with a clock of its own. */
export interface Device {
  state: GroupState
  readonly skewMs: number
  /** What it has read, in order. */
  readonly read: string[]
  /** Its pushes that were stored, with their hashes. */
  readonly pushed: { readonly push: GroupPush; readonly hash: string | undefined }[]
  /** Every secret that was handed back to be wiped. */
  wipedCount: number
}

export class World {
  readonly crypto: Crypto
  nowMs = START_MS
  readonly devices: Device[] = []
  /** All that was ever stored. */
  readonly stored: Stored[] = []
  readonly deleted = new Set<string>()
  /** The secrets in messages that were opened and not yet merged. */
  readonly received: Secret[] = []
  #counter: number
  readonly #linkKeys = new Map<string, Uint8Array>()

  constructor(crypto: Crypto, seed: number) {
    this.crypto = crypto
    this.#counter = seed
  }

  /** Bytes that never come twice, in no order. */
  bytes(sizeBytes: number): Uint8Array {
    let x = (Math.imul(++this.#counter, 0x9e3779b1) ^ 0x5bd1e995) >>> 0
    const bytes = new Uint8Array(sizeBytes)
    for (let at = 0; at < sizeBytes; at++) {
      x = (Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) + at + 1) >>> 0
      bytes[at] = x >>> 24
    }
    bytes.set(
      [this.#counter & 0xff, (this.#counter >> 8) & 0xff, (this.#counter >> 16) & 0xff],
      sizeBytes > 8 ? 8 : sizeBytes - 3,
    )
    return bytes
  }

  seed<Role extends string>(role: Role): Secret<Role> {
    return Secret.of(this.bytes(32), role)
  }

  deviceId(): DeviceId {
    return deviceIdOf(this.bytes(32))
  }

  addDevice(details: OwnDetails, skewMs: number): Device {
    const identity = { self: this.deviceId(), deviceKeySeed: this.seed('device-key-seed') }
    const state = newGroupState(this.crypto, identity, details, this.nowMs + skewMs)
    const device = { state, skewMs, read: [], pushed: [], wipedCount: 0 }
    this.devices.push(device)
    return device
  }

  timeOf(device: Device): number {
    return this.nowMs + device.skewMs
  }

  /** Is shown every change before it is made. */
  audit: (device: Device, change: GroupChange) => void = () => {}

  /** Makes a change the state of the device and wipes what it says is to be wiped: a secret still in use would be missed at once. */
  apply(device: Device, change: GroupChange): void {
    this.audit(device, change)
    device.state = change.state
    for (const secret of change.wipe) secret.wipe()
    device.wipedCount += change.wipe.length
  }

  digestOf(record: DeviceRecord): Uint8Array {
    return deviceRecordDigest(this.crypto, encodeDeviceRecord(record))
  }

  linkKeyOf(seed: string, bytes: () => Uint8Array): Uint8Array {
    const known = this.#linkKeys.get(seed)
    if (known !== undefined) return known
    const key = accountKeyX25519(this.crypto, bytes())
    this.#linkKeys.set(seed, key)
    return key
  }

  /** With an account, group messages are really sealed, and opened with the device keys a device has. */
  account: Account | undefined

  /** Stores what a push carries and returns its hash. */
  store(push: GroupPush): string | undefined {
    if (push.group === undefined) return undefined
    if (this.account !== undefined) {
      const random = { bytes: (sizeBytes: number) => this.bytes(sizeBytes) }
      return this.#keep({ sealed: sealPush(this.crypto, random, this.account, push) }, GROUP_TTL_MS)
    }
    const { groupId, payload, linkX25519 } = push.group
    const accountKeys = payload.accountKeys.map(({ seed, createdAtS, rotatedAtS }) => ({
      ...{ seed: encodeHex(seed.expose()), createdAtS },
      ...(rotatedAtS === undefined ? {} : { rotatedAtS }),
    }))
    return this.#keep({ group: { groupId, linkX25519, devices: payload.devices, accountKeys } }, GROUP_TTL_MS)
  }

  /** Stores what somebody made up. */
  storeForged(group: StoredGroup): string {
    return this.#keep({ group }, GROUP_TTL_MS)
  }

  storeLink(link: StoredLink, ttlMs: number): string {
    return this.#keep({ link }, ttlMs)
  }

  #keep(message: Pick<Stored, 'group' | 'link' | 'sealed'>, ttlMs: number): string {
    const hash = `hash-${this.stored.length}`
    this.stored.push({ hash, swarmTimeMs: this.nowMs, expiresAtMs: this.nowMs + ttlMs, ...message })
    return hash
  }

  /** Opens a stored group message as the device would: with whichever of its keys the sender knew. */
  open(device: Device, { group, sealed }: Stored): Opened {
    if (sealed !== undefined) return this.#openSealed(device.state, sealed)
    const { groupId, linkX25519, devices, accountKeys, forged } = group!
    const facts = { groupId, linkX25519: linkX25519 as GroupState['groupsInView'][number]['linkX25519'] }
    const { self, deviceKeys } = device.state
    const entry = devices.get(self)
    const held = [deviceKeys.current, ...deviceKeys.previous]
    const isFor = ({ x25519 }: { readonly x25519: Uint8Array }) =>
      forged === true || (entry?.kind === 'member' && encodeHex(x25519) === encodeHex(entry.record.x25519))
    const key = held.find(isFor)
    if (key === undefined) return { outcome: 'not-for-us', facts, announcesRemoval: entry?.kind === 'kicked' }
    const payload = {
      devices,
      accountKeys: accountKeys.map(({ seed, ...times }) => ({
        ...times,
        seed: Secret.of(decodeHex(seed), 'account-key-seed' as const),
      })),
    }
    this.received.push(...payload.accountKeys.map(({ seed }) => seed))
    return { outcome: 'opened', facts, payload, openedWith: key.x25519 }
  }

  #openSealed({ self, deviceKeys }: GroupState, sealed: Uint8Array): Opened {
    const keys = expandDeviceKeys(this.crypto, deviceKeys)
    const opened = openGroupMessage(this.crypto, this.account!, self, keys, sealed)
    for (const key of keys) wipeExpandedKeyPair(key)
    if (opened.outcome === 'malformed' || opened.outcome === 'forged') throw new Error(`a sealed message is ${opened.outcome}`)
    if (opened.outcome === 'opened') this.received.push(...opened.payload.accountKeys.map(({ seed }) => seed))
    return opened
  }

  /** The stored message that these bytes stand for. */
  byBytes(bytes: Uint8Array): Stored {
    const hash = new TextDecoder().decode(bytes)
    return this.stored.find(each => each.hash === hash)!
  }

  bytesOf({ hash }: Stored): Uint8Array {
    return encodeUtf8(hash)
  }
}
