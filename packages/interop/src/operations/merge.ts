/** The rules of merging: rows of devices and account keys under a sequence of operations. */
import { type MlKem768PublicKey, mlKem768PublicKey, Secret, type X25519PublicKey, x25519PublicKey } from '@session-v2/crypto'
import { decodeUtf8, encodeHex, encodeUtf8, INT64_MIN } from '@session-v2/encoding'
import {
  ACCOUNT_KEY_RETENTION_S,
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
  type RowChange,
  removedRow,
  rotateAccountKeys,
} from '@session-v2/protocol'
import type { Fields } from '../fields.ts'
import { InteropError } from '../interop-error.ts'
import { type Answer, type Operation, SEED_BYTES } from '../operation.ts'
import { accountKeyOf } from './account-keys.ts'
import { numberOf } from './device-row.ts'

const MAX_OPERATIONS = 10_000
const MAX_ROWS = 1000
const DIGEST_BYTES = 8
/** Keys of devices play no part in merging. */
const NO_KEYS: { readonly mlKem768: MlKem768PublicKey; readonly x25519: X25519PublicKey } = {
  mlKem768: mlKem768PublicKey(new Uint8Array(1184)),
  x25519: x25519PublicKey(new Uint8Array(32)),
}

interface Merged {
  readonly self: DeviceId
  readonly rows: ReadonlyMap<DeviceId, DeviceRow>
  readonly accountKeys: readonly AccountKeySeed[]
}

type Step = (merged: Merged, input: Fields) => { readonly next: Merged; readonly log?: Answer }

/** self, ops → devices (by ID), account_keys (current first, then the last rotated first), log */
export const merge: Operation = (_, input) => {
  let merged: Merged = { self: parseDeviceId(input.text('self')), rows: new Map(), accountKeys: [] }
  const log: Answer[] = []
  for (const operation of input.records('ops', MAX_OPERATIONS)) {
    const op = operation.text('op')
    const step = STEPS.get(op)
    if (step === undefined) throw new InteropError('bad-input', `there is no operation ${op}`)
    const done = step(merged, operation)
    merged = done.next
    log.push({ op, ...done.log })
  }
  const devices = [...merged.rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, row]) => rowAnswer(id, row))
  return { log, devices, account_keys: merged.accountKeys.map(keyAnswer) }
}

const STEPS: ReadonlyMap<string, Step> = new Map([
  ['msg', mergeMessage],
  ['rotate', (merged: Merged, input: Fields) => ({ next: rotated(merged, input) })],
  ['remove', removeDevice],
  ['self', setOwnRow],
  ['link', receiveLink],
  ['accept', acceptLink],
  ['prune', (merged: Merged, input: Fields) => ({ next: pruned(merged, input) })],
])

/** devices, account_keys, now: all optional */
function mergeMessage(merged: Merged, input: Fields): ReturnType<Step> {
  const nowS = optionalInt64(input, 'now') ?? 0n
  const rows = new Map(merged.rows)
  const changes: RowChange[] = []
  let departed = false
  for (const device of optionalRecords(input, 'devices')) {
    const id = parseDeviceId(device.text('id'))
    const before = rows.get(id)
    const { row, change } = mergeEntry(before, entryOf(device), nowS)
    rows.set(id, row)
    changes.push(change)
    departed ||= change === 'left' && id !== merged.self && before?.removedAtS === undefined
  }
  const incoming = optionalRecords(input, 'account_keys').map(accountKeyOf)
  const accountKeys = mergeAccountKeys(merged.accountKeys, incoming, key => key).keys
  const isMember = rows.get(merged.self)?.state === ROW_STATE.registered
  const log = { results: changes.map(change => RESULTS[change]), departed_rotation_due: departed && isMember }
  return { next: { ...merged, rows, accountKeys }, log }
}

const RESULTS: Readonly<Record<RowChange, string>> = {
  registered: 'registered',
  updated: 'updated',
  left: 'tombstone-applied',
  kicked: 'tombstone-applied',
  restated: 'refused-and-restated',
  stale: 'stale',
}

function entryOf(device: Fields): GroupEntry {
  const state = device.integer('state')
  if (state === ROW_STATE.left || state === ROW_STATE.kicked) {
    const atS = optionalInt64(device, 'kicked') ?? optionalInt64(device, 'timestamp') ?? 0n
    if (atS === INT64_MIN) throw new InteropError('bad-input', 'the least integer is no time')
    return { kind: state === ROW_STATE.left ? 'left' : 'kicked', atS: atS < 0n ? -atS : atS }
  }
  if (state !== ROW_STATE.registered) throw new InteropError('bad-input', 'the state in a message is 2, 3 or 4')
  return { kind: 'member', record: recordOf(device), digest: digestOf(device) }
}

function recordOf(device: Fields): DeviceRecord {
  const seqno = optionalInt64(device, 'seqno') ?? 0n
  const timestampS = optionalInt64(device, 'timestamp') ?? 0n
  const description = encodeUtf8(device.isSet('desc') ? device.text('desc') : '')
  return { seqno, timestampS, ...NO_KEYS, description, extras: new Map() }
}

function digestOf(device: Fields): Uint8Array {
  return device.isSet('digest') ? device.bytes('digest', DIGEST_BYTES) : new Uint8Array(DIGEST_BYTES)
}

/** seed, now */
function rotated(merged: Merged, input: Fields): Merged {
  const seed = Secret.of(input.bytes('seed', SEED_BYTES), 'account-key-seed')
  return { ...merged, accountKeys: rotateAccountKeys(merged.accountKeys, seed, input.safeInt64('now'), key => key) }
}

/** id, now, seed */
function removeDevice(merged: Merged, input: Fields): ReturnType<Step> {
  const id = parseDeviceId(input.text('id'))
  const row = merged.rows.get(id)
  if (row?.state !== ROW_STATE.registered || id === merged.self) return { next: merged, log: { result: 'ignored' } }
  const rows = new Map(merged.rows).set(id, removedRow(row, input.int64('now')))
  return { next: rotated({ ...merged, rows }, input) }
}

/** state, seqno */
function setOwnRow(merged: Merged, input: Fields): ReturnType<Step> {
  const state = Object.values(ROW_STATE).find(known => known === input.integer('state'))
  if (state === undefined) throw new InteropError('bad-input', 'state is none of 0 to 4')
  const isGone = state === ROW_STATE.left || state === ROW_STATE.kicked
  const removedAtS = isGone ? { removedAtS: optionalInt64(input, 'kicked') ?? 0n } : {}
  const row: DeviceRow = { state, record: recordOf(input), marked: false, ...removedAtS }
  return { next: { ...merged, rows: new Map(merged.rows).set(merged.self, row) } }
}

/** id, seqno, digest */
function receiveLink(merged: Merged, input: Fields): ReturnType<Step> {
  const id = parseDeviceId(input.text('id'))
  const [record, digest, row] = [recordOf(input), digestOf(input), merged.rows.get(id)]
  const isTaken = id !== merged.self && row?.state !== ROW_STATE.registered && isAsking(row, record, digest)
  if (!isTaken) return { next: merged, log: { result: 'ignored' } }
  return { next: { ...merged, rows: new Map(merged.rows).set(id, pendingRow(record, digest)) }, log: { result: 'pending' } }
}

/** id */
function acceptLink(merged: Merged, input: Fields): ReturnType<Step> {
  const id = parseDeviceId(input.text('id'))
  const row = merged.rows.get(id)
  if (row?.state !== ROW_STATE.pending) return { next: merged, log: { result: 'ignored' } }
  return { next: { ...merged, rows: new Map(merged.rows).set(id, acceptedRow(row)) }, log: { result: 'registered' } }
}

/**
 * now. Erases by the times of rotation that were told, as other implementations do. A device erases by those that hold (AK-12), which
 * are never later.
 */
function pruned(merged: Merged, input: Fields): Merged {
  const oldestS = input.safeInt64('now') - ACCOUNT_KEY_RETENTION_S
  const isPast = ({ rotatedAtS }: AccountKeySeed) => rotatedAtS !== undefined && rotatedAtS < oldestS
  for (const { seed } of merged.accountKeys.filter(isPast)) seed.wipe()
  return { ...merged, accountKeys: merged.accountKeys.filter(key => !isPast(key)) }
}

function rowAnswer(id: DeviceId, row: DeviceRow): Answer {
  const { state, record, digest, removedAtS, marked } = row
  return {
    id,
    state,
    seqno: numberOf(record?.seqno ?? 0n),
    desc: decodeUtf8(record?.description ?? new Uint8Array(0)),
    kicked: removedAtS === undefined ? null : numberOf(removedAtS),
    broadcast_needed: marked ? 1 : 0,
    digest: digest === undefined ? null : encodeHex(digest),
  }
}

/** Nothing is ever passed on here, so every key is still to be distributed. */
function keyAnswer({ seed, createdAtS, rotatedAtS }: AccountKeySeed): Answer {
  return { seed: encodeHex(seed.expose()), created: createdAtS, rotated: rotatedAtS ?? null, distributed: 0 }
}

function optionalInt64(input: Fields, name: string): bigint | undefined {
  return input.isSet(name) ? input.int64(name) : undefined
}

function optionalRecords(input: Fields, name: string): readonly Fields[] {
  return input.isSet(name) ? input.records(name, MAX_ROWS) : []
}
