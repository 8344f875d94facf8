/** The account as it lies in the store: all that is needed to open it again. */
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { DISPLAY_NAME_MAX_BYTES } from '@session-v2/protocol'
import { ClientError } from './client-error.ts'

export interface AccountRecord {
  /** 32 bytes in hexadecimal. */
  readonly seed: string
  readonly name: string
  readonly seeds: readonly string[]
  readonly createdAtMs: number
  /** The account was made here and has no device group yet: this device founds it before it does anything else. */
  readonly owesGroup?: boolean
}

export const ACCOUNT_TABLE = 'account'
export const ACCOUNT_KEY = 'self'

/**
 * The record of an account that begins on this device.
 * @param seed 32 bytes, copied
 * @throws ClientError `bad-name`, `no-seed`
 */
export function newAccountRecord(
  seed: Uint8Array,
  name: string,
  seeds: readonly string[],
  { nowMs, owesGroup }: { readonly nowMs: number; readonly owesGroup: boolean },
): AccountRecord {
  const record = { seed: encodeHex(seed), name: checkName(name), seeds: checkSeeds(seeds), createdAtMs: nowMs }
  return owesGroup ? { ...record, owesGroup } : record
}

/** A name without the space around it. @throws ClientError `bad-name`. */
export function checkName(name: string): string {
  const trimmed = name.trim()
  if (!isName(trimmed)) throw new ClientError('bad-name', `A display name has 1 to ${DISPLAY_NAME_MAX_BYTES} bytes.`)
  return trimmed
}

/** Whether a text can be a name: 1 to 100 bytes of Unicode. */
export function isName(name: string): boolean {
  return name !== '' && name.isWellFormed() && encodeUtf8(name).length <= DISPLAY_NAME_MAX_BYTES
}

/** @throws ClientError `no-seed` when a seed is no http or https URL, or there is none. */
export function checkSeeds(seeds: readonly string[]): readonly string[] {
  for (const seed of seeds) {
    if (!/^https?:\/\/[^\s/?#]+\/*$/.test(seed))
      throw new ClientError('no-seed', `${seed} is not the URL of a seed, like http://127.0.0.1:22500.`)
  }
  if (seeds.length === 0) throw new ClientError('no-seed', 'Give the URL of at least one seed of the network.')
  return seeds
}
