/**
 * The state as bytes, for a store that seals them: they hold the seeds. One bt-encoded dict with a version; what is true for one run
 * only is left out. Decoding gives a state that equals the one encoded but for that; `resume` then ends what did not survive the stop.
 *
 * Implements DS-38.
 */
import { type Crypto, Secret, x25519PublicKey } from '@session-v2/crypto'
import { type BtDict, type BtLimits, type BtValue, decodeBt, EncodingError, encodeBt, encodeUtf8 } from '@session-v2/encoding'
import type { AccountKeySeed } from '../account-keys/account-key.ts'
import { KEY_SEED_BYTES } from '../account-keys/key-expansion.ts'
import { type DeviceId, deviceIdBytes, deviceIdOf } from '../device-group/device-id.ts'
import { decodeDeviceRecord, encodeDeviceRecord } from '../device-group/device-record.ts'
import { GROUP_ID_BYTES } from '../device-group/group-id.ts'
import { decodeGroupPayload, encodeGroupPayload } from '../device-group/group-payload.ts'
import { type DeviceKey, deviceKeyOf } from '../device-keys/device-keys.ts'
import { ProtocolError } from '../protocol-error.ts'
import { type DeviceRow, ROW_STATE, type RowState } from './device-row.ts'
import type { Farewell, GroupAccountKey, GroupState, OwnRequest, ReceivedRequest } from './group-state.ts'
import { StateFields } from './state-fields.ts'

const VERSION = 1n
const X25519_BYTES = 32
const DIGEST_BYTES = 8
/** Far above what the bounds of a state allow: what was kept is always read again. */
const STATE_LIMITS: BtLimits = { sizeBytes: 512 * 1024 * 1024, depth: 16, values: 10_000_000 }

/** The bytes of a state. */
export function encodeGroupState(state: GroupState): Secret<'group-state'> {
  const { details, deviceKeys } = state
  const dict = new Map<string, BtValue>([
    ['version', VERSION],
    ['self', deviceIdBytes(state.self)],
    ['description', encodeUtf8(details.description)],
    ['type', encodeUtf8(details.type)],
    ['release', details.version.map(BigInt)],
    ['extras', new Map(details.extras)],
    ['deviceKeys', [deviceKeys.current, ...deviceKeys.previous].map(deviceKeyValue)],
    ['rows', [...state.rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, row]) => rowValue(id, row))],
    ['confirmedSeqno', state.confirmedSeqno],
    ['accountKeys', state.accountKeys.map(groupAccountKeyValue)],
    ['rotationOwed', flag(state.rotationOwed)],
    ['retiredKeys', state.retiredKeys.map(accountKeyValue)],
    ['mergedHashes', state.mergedHashes.map(encodeUtf8)],
    ['groupsInView', state.groupsInView.map(groupValue)],
    ['ownRequests', state.ownRequests.map(ownRequestValue)],
    ['receivedRequests', state.receivedRequests.map(receivedRequestValue)],
    ['farewells', state.farewells.map(farewellValue)],
    ...optional('groupId', state.groupId),
    ...optional('readAtMs', state.readAtMs),
    ...optional('displacedAtMs', state.displacedAtMs),
  ])
  return Secret.of(encodeBt(dict), 'group-state')
}

/** The state of its bytes, which stay the caller's. Throws `malformed`, also for a version of the future. */
export function decodeGroupState(crypto: Crypto, encoded: Uint8Array): GroupState {
  try {
    const fields = StateFields.of(decodeBt(encoded, STATE_LIMITS))
    if (fields.integer('version') !== VERSION) throw new ProtocolError('malformed', 'DS-38', 'a state of an unknown version')
    return stateOf(crypto, fields)
  } catch (cause) {
    if (!(cause instanceof EncodingError || (cause instanceof ProtocolError && cause.code === 'bad-input'))) throw cause
    throw new ProtocolError('malformed', 'DS-38', `this is no state of a device group: ${cause.message}`, { cause })
  }
}

function stateOf(crypto: Crypto, fields: StateFields): GroupState {
  const [current, ...previous] = fields.dicts('deviceKeys').map(key => deviceKeyFrom(crypto, key))
  if (current === undefined) throw new ProtocolError('malformed', 'DS-38', 'a state has a device key')
  const [major = 0, minor = 0, patch = 0] = fields.integers('release').map(Number)
  return {
    self: deviceIdOf(fields.bytes('self')),
    details: {
      description: fields.text('description'),
      type: fields.text('type'),
      version: [major, minor, patch],
      extras: fields.byteMap('extras'),
    },
    deviceKeys: { current, previous },
    rows: new Map(fields.dicts('rows').map(rowFrom)),
    confirmedSeqno: fields.integer('confirmedSeqno'),
    accountKeys: fields.dicts('accountKeys').map(groupAccountKeyFrom),
    rotationOwed: fields.flag('rotationOwed'),
    retiredKeys: fields.dicts('retiredKeys').map(accountKeyFrom),
    mergedHashes: fields.texts('mergedHashes'),
    groupsInView: fields.dicts('groupsInView').map(group => ({
      groupId: group.bytes('groupId', GROUP_ID_BYTES),
      linkX25519: x25519PublicKey(group.bytes('linkX25519', X25519_BYTES)),
      seenAtMs: group.number('seenAtMs'),
      expiresAtMs: group.number('expiresAtMs'),
      dismissed: group.flag('dismissed'),
    })),
    ownRequests: fields.dicts('ownRequests').map(ownRequestFrom),
    receivedRequests: fields.dicts('receivedRequests').map(receivedRequestFrom),
    farewells: fields.dicts('farewells').map(farewell => farewellFrom(crypto, farewell)),
    ...(fields.has('groupId') ? { groupId: fields.bytes('groupId', GROUP_ID_BYTES) } : {}),
    ...(fields.has('readAtMs') ? { readAtMs: fields.number('readAtMs') } : {}),
    ...(fields.has('displacedAtMs') ? { displacedAtMs: fields.number('displacedAtMs') } : {}),
    run: { fetched: false, membership: 'Unknown', appeared: [] },
  }
}

function flag(value: boolean): bigint {
  return value ? 1n : 0n
}

/** An entry, or none for what is absent. */
function optional(name: string, value: Uint8Array | number | bigint | undefined): [string, BtValue][] {
  if (value === undefined) return []
  return [[name, typeof value === 'number' ? BigInt(value) : value]]
}

function accountKeyValue({ seed, createdAtS, rotatedAtS }: AccountKeySeed): BtDict {
  return new Map<string, BtValue>([
    ['seed', seed.expose()],
    ['createdAtS', BigInt(createdAtS)],
    ...optional('rotatedAtS', rotatedAtS),
  ])
}

function accountKeyFrom(key: StateFields): AccountKeySeed {
  const rotatedAtS = key.has('rotatedAtS') ? { rotatedAtS: key.number('rotatedAtS') } : {}
  const seed = Secret.of(key.bytes('seed', KEY_SEED_BYTES), 'account-key-seed')
  return { seed, createdAtS: key.number('createdAtS'), ...rotatedAtS }
}

function groupAccountKeyValue(key: GroupAccountKey): BtDict {
  return new Map(accountKeyValue(key)).set('x25519', key.x25519).set('distributed', flag(key.distributed))
}

function groupAccountKeyFrom(key: StateFields): GroupAccountKey {
  return {
    ...accountKeyFrom(key),
    x25519: x25519PublicKey(key.bytes('x25519', X25519_BYTES)),
    distributed: key.flag('distributed'),
  }
}

function deviceKeyValue({ seed, createdAtS, confirmedAtS, releasedAtS, renewed = false }: DeviceKey): BtDict {
  return new Map<string, BtValue>([
    ['seed', seed.expose()],
    ['createdAtS', BigInt(createdAtS)],
    ['renewed', flag(renewed)],
    ...optional('confirmedAtS', confirmedAtS),
    ...optional('releasedAtS', releasedAtS),
  ])
}

function deviceKeyFrom(crypto: Crypto, key: StateFields): DeviceKey {
  return deviceKeyOf(crypto, {
    seed: Secret.of(key.bytes('seed'), 'device-key-seed'),
    createdAtS: key.number('createdAtS'),
    ...(key.has('confirmedAtS') ? { confirmedAtS: key.number('confirmedAtS') } : {}),
    ...(key.has('releasedAtS') ? { releasedAtS: key.number('releasedAtS') } : {}),
    renewed: key.flag('renewed'),
  })
}

function rowValue(id: DeviceId, { state, record, digest, removedAtS, marked }: DeviceRow): BtDict {
  return new Map<string, BtValue>([
    ['id', deviceIdBytes(id)],
    ['state', BigInt(state)],
    ['marked', flag(marked)],
    ...optional('record', record === undefined ? undefined : encodeDeviceRecord(record)),
    ...optional('digest', digest),
    ...optional('removedAtS', removedAtS),
  ])
}

function rowFrom(row: StateFields): [DeviceId, DeviceRow] {
  const isGone = row.integer('state') >= BigInt(ROW_STATE.left)
  if (isGone !== row.has('removedAtS'))
    throw new ProtocolError('malformed', 'DS-38', 'a row of a state has no time of removal, or one too many')
  return [
    deviceIdOf(row.bytes('id')),
    {
      state: row.oneOf('state', Object.values(ROW_STATE)) as RowState,
      ...(row.has('record') ? { record: decodeDeviceRecord(row.bytes('record')) } : {}),
      ...(row.has('digest') ? { digest: row.bytes('digest', DIGEST_BYTES) } : {}),
      ...(row.has('removedAtS') ? { removedAtS: row.integer('removedAtS') } : {}),
      marked: row.flag('marked'),
    },
  ]
}

function groupValue(group: GroupState['groupsInView'][number]): BtDict {
  return new Map<string, BtValue>([
    ['groupId', group.groupId],
    ['linkX25519', group.linkX25519],
    ['seenAtMs', BigInt(group.seenAtMs)],
    ['expiresAtMs', BigInt(group.expiresAtMs)],
    ['dismissed', flag(group.dismissed)],
  ])
}

function ownRequestValue(request: OwnRequest): BtDict {
  const held = request.held.map(
    ({ hash, message, swarmTimeMs, expiresAtMs }): BtDict =>
      new Map<string, BtValue>([
        ['hash', encodeUtf8(hash)],
        ['message', message],
        ['swarmTimeMs', BigInt(swarmTimeMs)],
        ['expiresAtMs', BigInt(expiresAtMs)],
      ]),
  )
  return new Map<string, BtValue>([
    ['groupId', request.groupId],
    ['timestampS', request.timestampS],
    ['seqno', request.seqno],
    ['x25519', request.x25519],
    ['indices', request.indices.map(BigInt)],
    ['sentAtMs', BigInt(request.sentAtMs)],
    ['confirmed', flag(request.confirmed)],
    ['held', held],
    ...optional('deadlineMs', request.deadlineMs),
  ])
}

function ownRequestFrom(request: StateFields): OwnRequest {
  return {
    groupId: request.bytes('groupId', GROUP_ID_BYTES),
    timestampS: request.integer('timestampS'),
    seqno: request.integer('seqno'),
    x25519: x25519PublicKey(request.bytes('x25519', X25519_BYTES)),
    indices: request.integers('indices').map(Number),
    sentAtMs: request.number('sentAtMs'),
    confirmed: request.flag('confirmed'),
    held: request.dicts('held').map(held => ({
      hash: held.text('hash'),
      message: held.bytes('message'),
      swarmTimeMs: held.number('swarmTimeMs'),
      expiresAtMs: held.number('expiresAtMs'),
    })),
    ...(request.has('deadlineMs') ? { deadlineMs: request.number('deadlineMs') } : {}),
  }
}

const STATUSES = ['open', 'accepted', 'ignored', 'superseded', 'expired'] as const

function receivedRequestValue(request: ReceivedRequest): BtDict {
  return new Map<string, BtValue>([
    ['hash', encodeUtf8(request.hash)],
    ['deviceId', deviceIdBytes(request.deviceId)],
    ['record', encodeDeviceRecord(request.record)],
    ['digest', request.digest],
    ['indices', request.indices.map(BigInt)],
    ['receivedAtMs', BigInt(request.receivedAtMs)],
    ['expiresAtMs', BigInt(request.expiresAtMs)],
    ['replaces', flag(request.replaces)],
    ['status', BigInt(STATUSES.indexOf(request.status))],
  ])
}

function receivedRequestFrom(request: StateFields): ReceivedRequest {
  return {
    hash: request.text('hash'),
    deviceId: deviceIdOf(request.bytes('deviceId')),
    record: decodeDeviceRecord(request.bytes('record')),
    digest: request.bytes('digest', DIGEST_BYTES),
    indices: request.integers('indices').map(Number),
    receivedAtMs: request.number('receivedAtMs'),
    expiresAtMs: request.number('expiresAtMs'),
    replaces: request.flag('replaces'),
    status: STATUSES[request.oneOf('status', [...STATUSES.keys()])]!,
  }
}

function farewellValue({ groupId, devices, accountKeys, hashes, leftAtMs }: Farewell): BtDict {
  return new Map<string, BtValue>([
    ['groupId', groupId],
    ['accountKeys', accountKeys.map(groupAccountKeyValue)],
    ['hashes', hashes.map(encodeUtf8)],
    ['leftAtMs', BigInt(leftAtMs)],
    // Without keys it holds no secret.
    ...optional('devices', devices === undefined ? undefined : encodeGroupPayload({ devices, accountKeys: [] })),
  ])
}

function farewellFrom(crypto: Crypto, farewell: StateFields): Farewell {
  return {
    groupId: farewell.bytes('groupId', GROUP_ID_BYTES),
    ...(farewell.has('devices') ? { devices: decodeGroupPayload(crypto, farewell.bytes('devices')).devices } : {}),
    accountKeys: farewell.dicts('accountKeys').map(groupAccountKeyFrom),
    hashes: farewell.texts('hashes'),
    leftAtMs: farewell.number('leftAtMs'),
  }
}
