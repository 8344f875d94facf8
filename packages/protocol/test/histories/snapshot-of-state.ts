/** A real state as the plain data that the naive model gives of itself: bytes as hexadecimal texts, what is absent as null. */
import { encodeHex, keyBytes } from '@session-v2/encoding'
import type { AccountKeySeed } from '../../src/account-keys/account-key.ts'
import type { DeviceRecord } from '../../src/device-group/device-record.ts'
import type { Farewell, GroupState, OwnDetails, OwnRequest, ReceivedRequest } from '../../src/device-states/group-state.ts'
import { byText } from './model-snapshot.ts'
import type { ModelRowState, ModelSnapshot } from './model-types.ts'

/** By rank, which is what the real state keeps. */
const STATES: readonly ModelRowState[] = ['unregistered', 'pending', 'registered', 'left', 'kicked']

type RowOfState = GroupState['rows'] extends ReadonlyMap<unknown, infer Row> ? Row : never

export function snapshotOfState(state: GroupState): ModelSnapshot {
  const deviceKeys = [state.deviceKeys.current, ...state.deviceKeys.previous]
  return {
    self: state.self,
    details: textOfDetails(state.details),
    groupId: hexOrNull(state.groupId),
    readAtMs: state.readAtMs ?? null,
    displacedAtMs: state.displacedAtMs ?? null,
    rows: byText([...state.rows], ([id]) => id).map(([id, row]) => snapshotOfRow(id, row)),
    confirmedSeqno: state.confirmedSeqno,
    accountKeys: state.accountKeys.map(key => ({ ...snapshotOfKey(key), distributed: key.distributed })),
    rotationOwed: state.rotationOwed,
    retiredKeys: state.retiredKeys.map(snapshotOfKey),
    mergedHashes: [...state.mergedHashes],
    groupsInView: byText(
      state.groupsInView.map(({ groupId, linkX25519, seenAtMs, expiresAtMs, dismissed }) => ({
        groupId: encodeHex(groupId),
        linkKey: encodeHex(linkX25519),
        seenAtMs,
        expiresAtMs,
        dismissed,
      })),
      ({ groupId }) => groupId,
    ),
    ownRequests: state.ownRequests.map(snapshotOfOwnRequest),
    receivedRequests: state.receivedRequests.map(snapshotOfReceivedRequest),
    farewells: state.farewells.map(snapshotOfFarewell),
    fetched: state.run.fetched,
    membership: state.run.membership,
    appeared: [...state.run.appeared].sort(),
    deviceKeys: deviceKeys.map(({ x25519, createdAtS, confirmedAtS, releasedAtS, renewed = false }) => ({
      renewed,
      x25519: encodeHex(x25519),
      createdAtS,
      confirmedAtS: confirmedAtS ?? null,
      releasedAtS: releasedAtS ?? null,
    })),
  }
}

/** What a model calls details: JSON of description, type, version and extras, the latter as pairs of hexadecimal texts. */
export function textOfDetails({ description, type, version, extras }: OwnDetails): string {
  const pairs = byText([...extras], ([key]) => key).map(([key, value]) => [encodeHex(keyBytes(key)), encodeHex(value)])
  return JSON.stringify([description, type, version, pairs])
}

/** The details of a record. A description or type that is missing counts as empty, a version that is none as 0.0.0. */
export function detailsOfRecord({ description, type, version, extras }: DeviceRecord): string {
  const number = version === undefined || version < 0n ? 0n : version
  const parts = [number / 1_000_000n, (number / 1000n) % 1000n, number % 1000n].map(Number)
  return textOfDetails({
    description: textOf(description),
    type: textOf(type),
    version: [parts[0]!, parts[1]!, parts[2]!],
    extras,
  })
}

function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes ?? new Uint8Array(0))
}

function snapshotOfRow(id: string, row: RowOfState): object {
  return {
    id,
    state: STATES[row.state],
    record: row.record === undefined ? null : snapshotOfRecord(row.record),
    digest: hexOrNull(row.digest),
    removedAtS: row.removedAtS ?? null,
    marked: row.marked,
  }
}

function snapshotOfRecord(record: DeviceRecord): object {
  const { seqno, timestampS, x25519 } = record
  return { seqno, timestampS, x25519: encodeHex(x25519), details: detailsOfRecord(record) }
}

function snapshotOfKey({ seed, createdAtS, rotatedAtS }: AccountKeySeed): object {
  return { seed: encodeHex(seed.expose()), createdAtS, rotatedAtS: rotatedAtS ?? null }
}

function snapshotOfOwnRequest({ groupId, timestampS, x25519, sentAtMs, deadlineMs, confirmed, held }: OwnRequest): object {
  return {
    groupId: encodeHex(groupId),
    timestampS,
    x25519: encodeHex(x25519),
    sentAtMs,
    deadlineMs: deadlineMs ?? null,
    confirmed,
    held: held.map(({ hash, swarmTimeMs, expiresAtMs }) => ({ hash, swarmTimeMs, expiresAtMs })),
  }
}

function snapshotOfReceivedRequest(request: ReceivedRequest): object {
  const { hash, deviceId, record, digest, receivedAtMs, expiresAtMs, replaces, status } = request
  return {
    hash,
    deviceId,
    record: snapshotOfRecord(record),
    digest: encodeHex(digest),
    receivedAtMs,
    expiresAtMs,
    replaces,
    status,
  }
}

function snapshotOfFarewell({ groupId, devices, accountKeys, hashes, leftAtMs }: Farewell): object {
  const entries = devices === undefined ? [] : byText([...devices], ([id]) => id)
  return {
    groupId: encodeHex(groupId),
    entries: entries.map(([id, entry]) =>
      entry.kind === 'member'
        ? { id, member: snapshotOfRecord(entry.record), digest: encodeHex(entry.digest) }
        : { id, how: entry.kind, removedAtS: entry.atS },
    ),
    keys: accountKeys.map(snapshotOfKey),
    leftAtMs,
    hashes: [...hashes],
  }
}

function hexOrNull(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : encodeHex(bytes)
}
