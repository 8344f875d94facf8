/**
 * What lies in the store of a device, unsealed: the simulator knows the key of every store. With it the checkers see the device group as
 * it is kept, and can search every record for bytes that should be gone.
 */

import { openMemoryStore, type RecordStore } from '@session-v2/client'
import { openVault, SealedStore } from '@session-v2/client/testing'
import type { Crypto, Random } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { decodeGroupState, type GroupState, settleAccountKeys } from '@session-v2/protocol'
import type { Disk } from './disk.ts'

/** A key as it lies in a store. Times are in seconds. */
export interface KeyAtRest {
  /** Hexadecimal. */
  readonly seed: string
  readonly createdAtS: number
  /** When it was rotated (an account key, by the times that hold) or released (a device key). */
  readonly endedAtS: number | undefined
}

/** The device group as a device keeps it. */
export interface GroupAtRest {
  readonly state: GroupState
  /** 16 hexadecimal digits. */
  readonly groupId: string | undefined
  readonly accountKeys: readonly KeyAtRest[]
  readonly retiredKeys: readonly KeyAtRest[]
  /** The current one first. */
  readonly deviceKeys: readonly KeyAtRest[]
}

/** How the stores of all devices are opened. */
export const UNLOCK = { key: new Uint8Array(32).fill(7) }

const ALL = Number.MAX_SAFE_INTEGER

/** The records of a disk, unsealed; undefined while there is no account on it. Nothing can be written through it. */
export async function unsealed(crypto: Crypto, random: Random, disk: Disk): Promise<SealedStore | undefined> {
  if (disk.writes === 0) return undefined
  const store: RecordStore = { ...openMemoryStore(), ...readsOf(disk) }
  return new SealedStore(crypto, random, store, await openVault(crypto, store, UNLOCK))
}

function readsOf(disk: Disk): RecordStore {
  return {
    get: (table, key) => disk.atRest.get(table, key),
    scan: (table, query) => disk.atRest.scan(table, query),
    commit: () => Promise.reject(new Error('only looked at')),
    close: async () => {},
  }
}

/** The device group on a disk, if there is one. */
export async function groupAtRest(crypto: Crypto, store: SealedStore): Promise<GroupAtRest | undefined> {
  const record = await store.get<{ state: string }>('device-group', 'self')
  if (record === undefined) return undefined
  const state = decodeGroupState(crypto, decodeHex(record.value.state))
  const account = ({ seed, createdAtS, rotatedAtS }: (typeof state.retiredKeys)[number]): KeyAtRest => {
    return { seed: encodeHex(seed.expose()), createdAtS, endedAtS: rotatedAtS }
  }
  const { current, previous } = state.deviceKeys
  return {
    state,
    groupId: state.groupId && encodeHex(state.groupId),
    accountKeys: settleAccountKeys(state.accountKeys).map(account),
    retiredKeys: state.retiredKeys.map(account),
    deviceKeys: [current, ...previous].map(({ seed, createdAtS, releasedAtS }) => {
      return { seed: encodeHex(seed.expose()), createdAtS, endedAtS: releasedAtS }
    }),
  }
}

/** Every record of a disk as text, with the table it is in. */
export async function allRecords(disk: Disk, store: SealedStore): Promise<{ readonly table: string; readonly text: string }[]> {
  const records: { table: string; text: string }[] = []
  for (const table of disk.tables) {
    if (table === 'vault') continue
    const page = await store.page<object>(table, { limit: ALL })
    records.push(...page.map(({ value }) => ({ table, text: JSON.stringify(value) })))
  }
  return records
}
