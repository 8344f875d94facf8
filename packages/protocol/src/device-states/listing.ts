/**
 * What a group message lists of the rows and account keys a device holds.
 *
 * Implements DS-33, DS-34.
 */
import type { Crypto } from '@session-v2/crypto'
import type { AccountKeySeed } from '../account-keys/account-key.ts'
import { ACCOUNT_KEY_RETENTION_S, settleAccountKeys } from '../account-keys/account-key-set.ts'
import type { DeviceId } from '../device-group/device-id.ts'
import { deviceRecordDigest, encodeDeviceRecord } from '../device-group/device-record.ts'
import { type GroupEntry, MAX_CARRIED_ACCOUNT_KEYS } from '../device-group/group-payload.ts'
import { type DeviceRow, entryOf } from './device-row.ts'
import type { GroupState } from './group-state.ts'
import { CLOCK_TOLERANCE_S } from './held-account-keys.ts'

/** Devices that are gone, listed at most in one message: 12 KB. */
export const MAX_LISTED_GONE = 256
/** Above every time in seconds that counts. */
const RANK_STEP = 2n ** 50n

/**
 * The rows as entries: all members, and of the devices that are gone those that others have not heard of, then those that went last:
 * with all of them the message of an old account would outgrow what a swarm takes. Each device keeps its own rows.
 */
export function listedEntries(crypto: Crypto, rows: GroupState['rows'], nowS: bigint): ReadonlyMap<DeviceId, GroupEntry> {
  const entries = [...rows].flatMap(([id, row]): [DeviceId, GroupEntry][] => {
    const entry = entryOf(row, record => deviceRecordDigest(crypto, encodeDeviceRecord(record)))
    return entry === undefined ? [] : [[id, entry]]
  })
  const gone = entries.filter(([, { kind }]) => kind !== 'member')
  if (gone.length <= MAX_LISTED_GONE) return new Map(entries)
  const rank = ([id]: readonly [DeviceId, GroupEntry]) => rankOf(rows.get(id)!, nowS)
  const last = gone.toSorted((a, b) => Number(rank(b) - rank(a))).slice(0, MAX_LISTED_GONE)
  return new Map([...entries.filter(([, { kind }]) => kind === 'member'), ...last])
}

/** What others have not heard first, then devices that were members, then the latest; a time that has not come yet is made up. */
function rankOf({ marked, record, removedAtS = 0n }: DeviceRow, nowS: bigint): bigint {
  const gone = removedAtS > nowS + BigInt(CLOCK_TOLERANCE_S) ? 0n : removedAtS
  return (marked ? 4n * RANK_STEP : 0n) + (record === undefined ? 0n : 2n * RANK_STEP) + gone
}

/** The keys with their settled times, those within retention at `nowS`, in their order, as many as a message carries. */
export function listedAccountKeys<K extends AccountKeySeed>(accountKeys: readonly K[], nowS: number): readonly K[] {
  return settleAccountKeys(accountKeys)
    .filter(({ rotatedAtS }) => rotatedAtS === undefined || rotatedAtS >= nowS - ACCOUNT_KEY_RETENTION_S)
    .slice(0, MAX_CARRIED_ACCOUNT_KEYS)
}
