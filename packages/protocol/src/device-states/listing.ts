/**
 * What a group message lists of the rows and account keys a device holds.
 *
 * Implements DS-33, DS-34.
 */
import type { Crypto } from '@session-v2/crypto'
import { INT64_MAX } from '@session-v2/encoding'
import type { AccountKeySeed } from '../account-keys/account-key.ts'
import { ACCOUNT_KEY_RETENTION_S, settleAccountKeys } from '../account-keys/account-key-set.ts'
import type { DeviceId } from '../device-group/device-id.ts'
import { deviceRecordDigest, encodeDeviceRecord } from '../device-group/device-record.ts'
import { type GroupEntry, MAX_CARRIED_ACCOUNT_KEYS } from '../device-group/group-payload.ts'
import { entryOf } from './device-row.ts'
import type { GroupState } from './group-state.ts'

/** Devices that are gone, listed at most in one message: 12 KB. */
export const MAX_LISTED_GONE = 256

/**
 * The rows as entries: all members, and of the devices that are gone those that others have not heard of and those that went last:
 * with all of them the message of an old account would outgrow what a swarm takes. Each device keeps its own rows.
 */
export function listedEntries(crypto: Crypto, rows: GroupState['rows']): ReadonlyMap<DeviceId, GroupEntry> {
  const entries = [...rows].flatMap(([id, row]): [DeviceId, GroupEntry][] => {
    const entry = entryOf(row, record => deviceRecordDigest(crypto, encodeDeviceRecord(record)))
    return entry === undefined ? [] : [[id, entry]]
  })
  const gone = entries.filter(([, { kind }]) => kind !== 'member')
  if (gone.length <= MAX_LISTED_GONE) return new Map(entries)
  const rank = ([id]: readonly [DeviceId, GroupEntry]) => {
    const { marked = false, removedAtS = 0n } = rows.get(id) ?? {}
    return (marked ? INT64_MAX : 0n) + removedAtS
  }
  const last = gone.toSorted((a, b) => (rank(a) < rank(b) ? 1 : -1)).slice(0, MAX_LISTED_GONE)
  return new Map([...entries.filter(([, { kind }]) => kind === 'member'), ...last])
}

/** The keys with their settled times, those within retention at `nowS`, in their order, as many as a message carries. */
export function listedAccountKeys<K extends AccountKeySeed>(accountKeys: readonly K[], nowS: number): readonly K[] {
  return settleAccountKeys(accountKeys)
    .filter(({ rotatedAtS }) => rotatedAtS === undefined || rotatedAtS >= nowS - ACCOUNT_KEY_RETENTION_S)
    .slice(0, MAX_CARRIED_ACCOUNT_KEYS)
}
