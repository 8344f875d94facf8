/** The naive model: the rows of a group and how one entry of a message changes them (DS-01 to DS-05). */
import type { ModelEntry, ModelRecord, ModelRow, ModelRowState } from './model-types.ts'

const RANK: Readonly<Record<ModelRowState, number>> = { unregistered: 0, pending: 1, registered: 2, left: 3, kicked: 4 }

export type RowChange = 'none' | 'restated' | 'joined' | 'updated' | 'left' | 'kicked'

export function isRemoved(row: ModelRow | undefined): boolean {
  return row?.state === 'left' || row?.state === 'kicked'
}

/** DS-02: a row without a record counts with seqno 0. */
export function seqnoOf(row: ModelRow | undefined): bigint {
  return row?.record?.seqno ?? 0n
}

/** Whether (state, seqno, digest) is greater than that of the row (DS-04, DS-26). */
export function isGreater(state: ModelRowState, record: ModelRecord, digest: string, row: ModelRow): boolean {
  if (RANK[state] !== RANK[row.state]) return RANK[state] > RANK[row.state]
  if (record.seqno !== seqnoOf(row)) return record.seqno > seqnoOf(row)
  // DS-04: against a row without a digest the same state and seqno are not greater.
  return row.digest !== undefined && digest > row.digest
}

/** Merges one entry, and says what became of the row. */
export function mergeEntry(rows: Map<string, ModelRow>, id: string, entry: ModelEntry, nowS: number): RowChange {
  const row = rows.get(id)
  if ('how' in entry) return mergeTombstone(rows, id, entry, row)
  if (row !== undefined && isRemoved(row)) {
    // DS-03: refused, and restated.
    const now = BigInt(nowS)
    if (row.removedAtS! < now) row.removedAtS = now
    row.marked = true
    return 'restated'
  }
  // DS-04
  if (row !== undefined && !isGreater('registered', entry.member, entry.digest, row)) return 'none'
  const joins = row?.state !== 'registered'
  const marked = joins || row!.marked
  rows.set(id, { state: 'registered', record: entry.member, digest: entry.digest, marked })
  return joins ? 'joined' : 'updated'
}

/** DS-05 */
function mergeTombstone(
  rows: Map<string, ModelRow>,
  id: string,
  { how, removedAtS }: { readonly how: 'left' | 'kicked'; readonly removedAtS: bigint },
  row: ModelRow | undefined,
): RowChange {
  if (row === undefined) {
    // DS-02: a row made of a tombstone alone.
    rows.set(id, { state: how, removedAtS, marked: false })
    return how
  }
  if (isRemoved(row)) {
    const isLater = row.state === how ? removedAtS > row.removedAtS! : RANK[how] > RANK[row.state]
    if (!isLater) return 'none'
  }
  if (row.state === 'registered') row.marked = true
  row.state = how
  row.removedAtS = removedAtS
  return how
}

/** DS-34: every row that is Registered, Left or Kicked. */
export function listedRows(
  rows: ReadonlyMap<string, ModelRow>,
  digestOf: (record: ModelRecord) => string,
): Map<string, ModelEntry> {
  const entries = new Map<string, ModelEntry>()
  for (const [id, row] of rows) {
    const entry = entryOf(row, digestOf)
    if (entry !== undefined) entries.set(id, entry)
  }
  return entries
}

function entryOf(row: ModelRow, digestOf: (record: ModelRecord) => string): ModelEntry | undefined {
  if (row.state === 'registered') return { member: row.record!, digest: row.digest ?? digestOf(row.record!) }
  if (row.state === 'left' || row.state === 'kicked') return { how: row.state, removedAtS: row.removedAtS! }
  return undefined
}

/** DS-35: whether a row has not changed since it was listed as `listed`. */
export function isUnchanged(row: ModelRow, listed: ModelEntry, digestOf: (record: ModelRecord) => string): boolean {
  const entry = entryOf(row, digestOf)
  if (entry === undefined) return false
  if ('how' in entry) return 'how' in listed && entry.how === listed.how && entry.removedAtS === listed.removedAtS
  if ('how' in listed) return false
  const [a, b] = [entry.member, listed.member]
  return (
    entry.digest === listed.digest &&
    a.seqno === b.seqno &&
    a.timestampS === b.timestampS &&
    a.x25519 === b.x25519 &&
    a.details === b.details
  )
}
