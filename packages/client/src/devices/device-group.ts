/**
 * This device in the device group of its account: the state of `packages/protocol/device-states`, kept in the sealed store. Every
 * change of it goes through `change`: what is new is written down with what it means to others, then believed, then what it
 * replaces is wiped, on the medium and in memory (clauses DS-23, DS-37, DS-38, AK-06, DK-06).
 *
 * A thief of the store without its passphrase learns nothing; with it, what `GroupState` says.
 */
import type { Crypto, Random, Secret } from '@session-v2/crypto'
import { blake2b, Secret as SecretOf, wipe } from '@session-v2/crypto'
import { decodeHex, encodeHex, equalBytes } from '@session-v2/encoding'
import {
  type AccountKeySeed,
  currentKey,
  decodeGroupState,
  deviceIdOf,
  emptyKeyring,
  encodeGroupState,
  type GroupChange,
  type GroupEvent,
  type GroupState,
  type Keyring,
  keyringOfSeeds,
  newGroupState,
  type OwnDetails,
  resume,
  secretsOf,
  settleAccountKeys,
  wipeAccountKey,
} from '@session-v2/protocol'
import type { ClientEvent, EventLog } from '../events/event-log.ts'
import type { Change } from '../ports/store.ts'
import type { Table } from '../store/sealed/sealed-store.ts'
import type { DeviceLog } from './device-log.ts'
import { clientEvents } from './group-events.ts'

/** What is stored. */
export interface DeviceGroupRecord {
  /** As `encodeGroupState` writes it, in hexadecimal. */
  readonly state: string
  /** X25519 public keys of account keys that are erased by now, newest last. */
  readonly erased: readonly string[]
}

const RECORD = 'self'
const SEED_BYTES = 32
const DIGEST_BYTES = 32
/** Erased keys are still known by their public half for as long as a node may serve them: 30 days of two rotations, and more. */
const ERASED_KEPT = 80

export interface DeviceGroupParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly events: EventLog
  readonly table: Table<DeviceGroupRecord>
  readonly deviceLog: DeviceLog
  /** The time of the network. */
  readonly nowMs: () => number
}

/** Changes to be committed with a change of the state, or not at all. */
export interface AlsoCommitted {
  readonly changes?: readonly Change[]
  readonly events?: readonly ClientEvent[]
  /** The person at this device did it; otherwise it was read from the group, or time did it. */
  readonly byThisDevice?: boolean
}

interface Kept {
  readonly erased: readonly string[]
  readonly digest: Uint8Array
}

/** One step from a state to the next, as the functions of `device-states` make it. */
export type Step = (state: GroupState, nowMs: number) => GroupChange | GroupState

export class DeviceGroup {
  readonly #parts: DeviceGroupParts
  #state: GroupState
  #erased: readonly string[]
  #keyring: Keyring = emptyKeyring
  /** Of what is written: most polls change nothing that would have to be. */
  #digest: Uint8Array

  private constructor(parts: DeviceGroupParts, state: GroupState, { erased, digest }: Kept) {
    this.#parts = parts
    this.#state = state
    this.#erased = erased
    this.#digest = digest
    this.#keyring = keyringOf(parts.crypto, state, emptyKeyring)
  }

  /** The group as it was kept; undefined where there is none. @throws ClientError `store-damaged` */
  static async open(parts: DeviceGroupParts): Promise<DeviceGroup | undefined> {
    const record = await parts.table.get(RECORD)
    if (record === undefined) return undefined
    const encoded = decodeHex(record.state)
    const kept = decodeGroupState(parts.crypto, encoded)
    const digest = digestOf(parts.crypto, encoded)
    wipe(encoded)
    return new DeviceGroup(parts, resume(kept, parts.nowMs()), { erased: record.erased, digest })
  }

  /** A device that is in no group. It is not written down before its first change. */
  static begin(parts: DeviceGroupParts, state: GroupState): DeviceGroup {
    return new DeviceGroup(parts, state, { erased: [], digest: new Uint8Array(DIGEST_BYTES) })
  }

  get state(): GroupState {
    return this.#state
  }

  /** The account keys that messages are opened with, those of groups that were left among them. */
  get keyring(): Keyring {
    return this.#keyring
  }

  /** Whether an account key is or was one of the group's. */
  hasKnown(x25519: Uint8Array): boolean {
    const fingerprint = encodeHex(x25519)
    return this.#erased.includes(fingerprint) || this.#keyring.keys.some(key => encodeHex(key.x25519.publicKey) === fingerprint)
  }

  /** 32 fresh bytes for a key. */
  freshSeed<Role extends string>(role: Role): Secret<Role> {
    return SecretOf.of(this.#parts.random.bytes(SEED_BYTES), role)
  }

  /** Makes one step after the other and commits what comes out, all or nothing. Without a difference nothing is written. */
  async change(steps: readonly Step[], also: AlsoCommitted = {}): Promise<void> {
    const before = this.#state
    const made = this.#make(steps)
    const isNothing = made.state === before && also.changes === undefined && also.events === undefined
    try {
      if (!isNothing) await this.#commit(made, also)
    } catch (error) {
      // Not believed: what was made for it goes again.
      const held = secretsOf(before)
      for (const secret of [...secretsOf(made.state), ...made.wipe]) if (!held.has(secret)) secret.wipe()
      throw error
    }
    const kept = secretsOf(this.#state)
    for (const secret of made.wipe) if (!kept.has(secret)) secret.wipe()
  }

  /** Whether a step would change anything. For steps that make no secrets. */
  wouldChange(step: Step): boolean {
    const next = step(this.#state, this.#parts.nowMs())
    return ('run' in next ? next : next.state) !== this.#state
  }

  /** Wipes every secret. */
  close(): void {
    for (const secret of secretsOf(this.#state)) secret.wipe()
    for (const key of this.#keyring.keys) wipeAccountKey(key)
  }

  #make(steps: readonly Step[]): GroupChange {
    const nowMs = this.#parts.nowMs()
    let state = this.#state
    const events: GroupEvent[] = []
    const wiped = new Set<Secret>()
    for (const step of steps) {
      const next = step(state, nowMs)
      if ('run' in next) {
        state = next
        continue
      }
      state = next.state
      events.push(...next.events)
      for (const secret of next.wipe) wiped.add(secret)
    }
    const kept = secretsOf(state)
    return { state, events, wipe: [...wiped].filter(secret => !kept.has(secret)) }
  }

  async #commit({ state, events, wipe: gone }: GroupChange, also: AlsoCommitted): Promise<void> {
    const { crypto, table, deviceLog, nowMs } = this.#parts
    const { changes = [], events: told = [], byThisDevice = false } = also
    const keyring = keyringOf(crypto, state, this.#keyring)
    const dropped = this.#keyring.keys.filter(key => !keyring.keys.some(other => other.seed === key.seed))
    const erased = [...this.#erased, ...dropped.map(key => encodeHex(key.x25519.publicKey))].slice(-ERASED_KEPT)
    const encoded = encodeGroupState(state)
    const digest = digestOf(crypto, encoded.expose())
    const record: DeviceGroupRecord = { state: encodeHex(encoded.expose()), erased }
    encoded.wipe()
    const written = equalBytes(digest, this.#digest) ? [] : [table.put(RECORD, record)]
    const puts = [...written, ...deviceLog.entries(this.#state, state, events, { seenAtMs: nowMs(), byThisDevice })]
    const erasures: ClientEvent[] = dropped.length === 0 ? [] : [{ type: 'account_keys_erased', count: dropped.length }]
    const all = [...told, ...clientEvents(events, currentKey(keyring)), ...erasures]
    const isNothing = puts.length === 0 && changes.length === 0 && all.length === 0
    if (!isNothing) await this.#parts.events.commit([...puts, ...changes], all, { erase: gone.length > 0 })
    this.#state = state
    this.#digest = digest
    this.#erased = erased
    this.#keyring = keyring
    for (const key of dropped) wipeAccountKey(key)
  }
}

/** The state of a device that begins, with an identity of its own. */
export function newDevice(crypto: Crypto, random: Random, details: OwnDetails, nowMs: number): GroupState {
  const deviceKeySeed = SecretOf.of(random.bytes(SEED_BYTES), 'device-key-seed' as const)
  return newGroupState(crypto, { self: deviceIdOf(random.bytes(32)), deviceKeySeed }, details, nowMs)
}

function digestOf(crypto: Crypto, encoded: Uint8Array): Uint8Array {
  return blake2b(crypto, DIGEST_BYTES, [encoded])
}

/** The keys of the own group by their settled times, then those of groups that were left; only one of all is current (AK-12, DS-23). */
function keyringOf(crypto: Crypto, state: GroupState, known: Keyring): Keyring {
  const own: readonly AccountKeySeed[] = settleAccountKeys(state.accountKeys)
  return keyringOfSeeds(crypto, [...own, ...state.retiredKeys], known)
}
