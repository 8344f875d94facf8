/**
 * A subaccount token: what an owner lets another key do with the account (SUB-01, SUB-02).
 *
 * | bytes | |
 * |---|---|
 * | 1 | prefix of the account |
 * | 1 | rights: 1 read, 2 write, 4 delete, 8 with accounts of any prefix |
 * | 2 | written 0, not read |
 * | 32 | Ed25519 public key of the subaccount |
 */
import { concatBytes } from '@session-v2/encoding'
import { NetworkError } from '../network-error.ts'

export const SUBACCOUNT_TOKEN_BYTES = 36

/** Bits of the rights. Others mean nothing yet. */
export const SUBACCOUNT_RIGHT = { read: 1, write: 2, delete: 4, anyPrefix: 8 } as const

const KEY_BYTES = 32
const KEY_OFFSET = 4
const BYTE_MAX = 0xff

export interface SubaccountToken {
  /** First byte of the account ids that it is good for. */
  readonly prefix: number
  /** Sum of `SUBACCOUNT_RIGHT`. */
  readonly rights: number
  /** 32 bytes, Ed25519. */
  readonly publicKey: Uint8Array
}

/** The 36 bytes of a token. @throws NetworkError `malformed` for a key that has not 32 bytes, or a prefix or rights beyond a byte. */
export function encodeSubaccountToken({ prefix, rights, publicKey }: SubaccountToken): Uint8Array {
  if (publicKey.length !== KEY_BYTES) throw malformed(`a subaccount key has ${KEY_BYTES} bytes, not ${publicKey.length}`)
  if (!isByte(prefix) || !isByte(rights)) throw malformed('prefix and rights of a subaccount are one byte each')
  return concatBytes(Uint8Array.of(prefix, rights, 0, 0), publicKey)
}

/** The token of 36 bytes. @throws NetworkError `malformed` for another length. */
export function parseSubaccountToken(bytes: Uint8Array): SubaccountToken {
  if (bytes.length !== SUBACCOUNT_TOKEN_BYTES)
    throw malformed(`a subaccount token has ${SUBACCOUNT_TOKEN_BYTES} bytes, not ${bytes.length}`)
  return { prefix: bytes[0]!, rights: bytes[1]!, publicKey: bytes.slice(KEY_OFFSET) }
}

function isByte(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= BYTE_MAX
}

function malformed(message: string): NetworkError {
  return new NetworkError('malformed', message)
}
