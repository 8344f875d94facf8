/** The naive model: a state as plain data in fixed orders, to be compared with the snapshot of a real state. */
import { inOrder } from './model-account-keys.ts'
import type { ModelFarewell, ModelRecord, ModelRow, ModelSnapshot, ModelState } from './model-types.ts'

export function snapshotOfModel(state: ModelState): ModelSnapshot {
  return {
    self: state.id,
    details: state.details,
    groupId: state.groupId ?? null,
    readAtMs: state.readAtMs ?? null,
    displacedAtMs: state.displacedAtMs ?? null,
    rows: byText([...state.rows], ([id]) => id).map(([id, row]) => snapshotOfRow(id, row)),
    confirmedSeqno: state.confirmedSeqno,
    accountKeys: inOrder(state.accountKeys).map(({ seed, createdAtS, rotatedAtS, distributed }) => ({
      seed,
      createdAtS,
      rotatedAtS: rotatedAtS ?? null,
      distributed,
    })),
    rotationOwed: state.rotationOwed,
    retiredKeys: inOrder(state.retiredKeys).map(({ seed, createdAtS, rotatedAtS }) => ({
      seed,
      createdAtS,
      rotatedAtS: rotatedAtS ?? null,
    })),
    mergedHashes: [...state.mergedHashes],
    groupsInView: byText([...state.groupsInView], ([groupId]) => groupId).map(([groupId, group]) => ({ groupId, ...group })),
    ownRequests: state.ownRequests.map(({ groupId, timestampS, x25519, sentAtMs, deadlineMs, confirmed, held }) => ({
      groupId,
      timestampS,
      x25519,
      sentAtMs,
      deadlineMs: deadlineMs ?? null,
      confirmed,
      held: held.map(({ hash, swarmTimeMs, expiresAtMs }) => ({ hash, swarmTimeMs, expiresAtMs })),
    })),
    receivedRequests: state.receivedRequests.map(request => ({ ...request, record: snapshotOfRecord(request.record) })),
    farewells: state.farewells.map(snapshotOfFarewell),
    fetched: state.fetched,
    membership: state.membership,
    appeared: [...state.appeared].sort(),
    deviceKeys: state.deviceKeys.map(({ x25519, createdAtS, confirmedAtS, releasedAtS, renewed = false }) => ({
      renewed,
      x25519,
      createdAtS,
      confirmedAtS: confirmedAtS ?? null,
      releasedAtS: releasedAtS ?? null,
    })),
  }
}

function snapshotOfRow(id: string, { state, record, digest, removedAtS, marked }: ModelRow): object {
  return {
    id,
    state,
    record: record === undefined ? null : snapshotOfRecord(record),
    digest: digest ?? null,
    removedAtS: removedAtS ?? null,
    marked,
  }
}

function snapshotOfRecord({ seqno, timestampS, x25519, details }: ModelRecord): object {
  return { seqno, timestampS, x25519, details }
}

function snapshotOfFarewell({ groupId, payload, hashes, leftAtMs }: ModelFarewell): object {
  const entries = payload === undefined ? [] : byText([...payload.entries], ([id]) => id)
  return {
    groupId: groupId ?? null,
    entries: entries.map(([id, entry]) =>
      'how' in entry ? { id, ...entry } : { id, member: snapshotOfRecord(entry.member), digest: entry.digest },
    ),
    keys: payload?.keys.map(({ seed, createdAtS, rotatedAtS }) => ({ seed, createdAtS, rotatedAtS: rotatedAtS ?? null })) ?? [],
    leftAtMs,
    hashes: [...hashes],
  }
}

export function byText<T>(items: readonly T[], textOf: (item: T) => string): T[] {
  return items.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
}
