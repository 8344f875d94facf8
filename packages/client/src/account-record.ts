/** The account as it lies in the store: all that is needed to open it again. */
import type { Random } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { ClientError } from './client-error.ts'

export interface AccountRecord {
  /** 32 bytes in hexadecimal. */
  readonly seed: string
  readonly name: string
  readonly seeds: readonly string[]
  /** 32 random bytes in hexadecimal: this device, never used again by another. */
  readonly deviceId: string
  readonly createdAtMs: number
}

export const ACCOUNT_TABLE = 'account'
export const ACCOUNT_KEY = 'self'

const DEVICE_ID_BYTES = 32
const NAME_MAX_BYTES = 100

/**
 * The record of an account that begins on this device, with a device id of its own.
 * @param seed 32 bytes, copied
 * @throws ClientError `bad-name`, `no-seed`
 */
export function newAccountRecord(
  random: Random,
  seed: Uint8Array,
  name: string,
  seeds: readonly string[],
  nowMs: number,
): AccountRecord {
  return {
    seed: encodeHex(seed),
    name: checkName(name),
    seeds: checkSeeds(seeds),
    deviceId: encodeHex(random.bytes(DEVICE_ID_BYTES)),
    createdAtMs: nowMs,
  }
}

/** A name without the space around it. @throws ClientError `bad-name`. */
export function checkName(name: string): string {
  const trimmed = name.trim()
  if (!isName(trimmed)) throw new ClientError('bad-name', `A display name has 1 to ${NAME_MAX_BYTES} bytes.`)
  return trimmed
}

/** Whether a text can be a name: 1 to 100 bytes of Unicode. */
export function isName(name: string): boolean {
  return name !== '' && name.isWellFormed() && encodeUtf8(name).length <= NAME_MAX_BYTES
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
