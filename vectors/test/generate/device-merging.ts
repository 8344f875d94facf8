/** The rules of merging under a sequence of operations, by the functions of the protocol package. */
import { mlKem768PublicKey, Secret, x25519PublicKey } from '@session-v2/crypto'
import { decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  type AccountKeySeed,
  acceptedRow,
  type DeviceId,
  type DeviceRecord,
  type DeviceRow,
  type GroupEntry,
  isAsking,
  mergeAccountKeys,
  mergeEntry,
  parseDeviceId,
  pendingRow,
  ROW_STATE,
  type RowState,
  removedRow,
  rotateAccountKeys,
} from '@session-v2/protocol'

export interface Op {
  readonly op: 'msg' | 'self' | 'link' | 'accept' | 'remove' | 'rotate'
  readonly id?: string
  readonly state?: number
  readonly seqno?: number
  readonly digest?: string
  readonly seed?: string
  readonly now?: number
  readonly devices?: readonly DeviceIn[]
  readonly account_keys?: readonly { readonly seed: string; readonly created: number }[]
}

export interface DeviceIn {
  readonly id: string
  readonly state: number
  readonly seqno?: number
  readonly digest?: string
  readonly desc?: string
  readonly kicked?: number
}

export interface RowOut {
  readonly id: string
  readonly state: number
  readonly seqno: number
  readonly desc: string
  readonly kicked: number | null
  readonly broadcast_needed: 0 | 1
  readonly digest: string | null
}

export interface KeyOut {
  readonly seed: string
  readonly created: number
  readonly rotated: number | null
}

/** What a device holds: rows by ID, keys in their order. */
export interface Holding {
  readonly devices: readonly RowOut[]
  readonly account_keys: readonly KeyOut[]
}

interface Held {
  readonly self: DeviceId
  readonly rows: Map<DeviceId, DeviceRow>
  keys: readonly AccountKeySeed[]
}

/** What the operations, in their order, leave a device with that held nothing. */
export function merged(self: string, ops: readonly Op[]): Holding {
  const held: Held = { self: parseDeviceId(self), rows: new Map(), keys: [] }
  for (const op of ops) apply(held, op)
  const rows = [...held.rows].sort(([a], [b]) => (a < b ? -1 : 1))
  return { devices: rows.map(([id, row]) => rowOut(id, row)), account_keys: held.keys.map(keyOut) }
}

function apply(held: Held, op: Op): void {
  if (op.op === 'msg') mergeMessage(held, op)
  else if (op.op === 'rotate') rotate(held, op)
  else if (op.op === 'self') {
    held.rows.set(held.self, { state: op.state as RowState, record: recordOf(op), marked: false })
  } else {
    const id = parseDeviceId(op.id!)
    const row = held.rows.get(id)
    if (op.op === 'link') {
      const [record, digest] = [recordOf(op), decodeHex(op.digest!)]
      const isTaken = id !== held.self && row?.state !== ROW_STATE.registered && isAsking(row, record, digest)
      if (isTaken) held.rows.set(id, pendingRow(record, digest))
    } else if (op.op === 'accept') {
      if (row?.state === ROW_STATE.pending) held.rows.set(id, acceptedRow(row))
    } else if (row?.state === ROW_STATE.registered && id !== held.self) {
      held.rows.set(id, removedRow(row, BigInt(op.now!)))
      rotate(held, op)
    }
  }
}

function mergeMessage(held: Held, { devices = [], account_keys = [], now = 0 }: Op): void {
  for (const device of devices) {
    const id = parseDeviceId(device.id)
    held.rows.set(id, mergeEntry(held.rows.get(id), entryOf(device), BigInt(now)).row)
  }
  const incoming = account_keys.map(({ seed, created }) => ({ seed: secretOf(seed), createdAtS: created }))
  held.keys = mergeAccountKeys(held.keys, incoming, key => key).keys
}

function rotate(held: Held, { seed, now }: Op): void {
  held.keys = rotateAccountKeys(held.keys, secretOf(seed!), now!, key => key)
}

function entryOf(device: DeviceIn): GroupEntry {
  if (device.state !== ROW_STATE.registered) {
    return { kind: device.state === ROW_STATE.left ? 'left' : 'kicked', atS: BigInt(device.kicked!) }
  }
  return { kind: 'member', record: recordOf(device), digest: decodeHex(device.digest!) }
}

/** Keys of devices play no part in merging. */
function recordOf({ seqno = 0, desc = '' }: { readonly seqno?: number; readonly desc?: string }): DeviceRecord {
  return {
    seqno: BigInt(seqno),
    timestampS: 0n,
    mlKem768: mlKem768PublicKey(new Uint8Array(1184)),
    x25519: x25519PublicKey(new Uint8Array(32)),
    description: encodeUtf8(desc),
    extras: new Map(),
  }
}

function secretOf(seed: string): Secret<'account-key-seed'> {
  return Secret.of(decodeHex(seed), 'account-key-seed')
}

function rowOut(id: DeviceId, { state, record, removedAtS, marked, digest }: DeviceRow): RowOut {
  return {
    id,
    state,
    seqno: Number(record?.seqno ?? 0n),
    desc: new TextDecoder().decode(record?.description),
    kicked: removedAtS === undefined ? null : Number(removedAtS),
    broadcast_needed: marked ? 1 : 0,
    digest: digest === undefined ? null : encodeHex(digest),
  }
}

function keyOut({ seed, createdAtS, rotatedAtS }: AccountKeySeed): KeyOut {
  return { seed: encodeHex(seed.expose()), created: createdAtS, rotated: rotatedAtS ?? null }
}
