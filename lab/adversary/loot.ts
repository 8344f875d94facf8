/**
 * What a thief takes: the seeds in an unlocked store. Those of the device group are read as the client reads them; besides, everything in
 * any record that could be a seed by its size is taken along, whatever it is there for.
 */
import type { Crypto, Secret } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { decodeGroupState, type GroupState, secretsOf } from '@session-v2/protocol'
import type { DeviceStore } from './device.ts'

/** Seeds of 32 bytes in hexadecimal. */
export type Loot = ReadonlySet<string>

const SEED_SIZED = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g

/** What an unlocked store gives away. */
export async function lootOf(crypto: Crypto, store: DeviceStore): Promise<Loot> {
  const records = await store.records(crypto)
  const found = records.flatMap(({ text }) => text.match(SEED_SIZED) ?? [])
  const state = await groupStateOf(crypto, store)
  return new Set([...found, ...(state === undefined ? [] : [...secretsOf(state)].map(hexOf))])
}

/** Only the keys of the device itself, the current one first. */
export async function deviceKeySeeds(crypto: Crypto, store: DeviceStore): Promise<string[]> {
  const state = await groupStateOf(crypto, store)
  return state === undefined ? [] : [state.deviceKeys.current, ...state.deviceKeys.previous].map(({ seed }) => hexOf(seed))
}

/** The device group as the store has it. */
export async function groupStateOf(crypto: Crypto, store: DeviceStore): Promise<GroupState | undefined> {
  const record = await store.record<{ state: string }>(crypto, 'device-group', 'self')
  return record && decodeGroupState(crypto, decodeHex(record.state))
}

function hexOf(seed: Secret): string {
  return encodeHex(seed.expose())
}
