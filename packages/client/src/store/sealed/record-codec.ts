/** Records as bytes: JSON of plain objects, binary within as hexadecimal. What does not parse is a damaged store. */
import { decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import { ClientError } from '../../client-error.ts'

/** The bytes of a record: what `JSON.stringify` keeps of it. */
export function encodeRecord(value: object): Uint8Array {
  return encodeUtf8(JSON.stringify(value))
}

/** @throws ClientError `store-damaged`. */
export function decodeRecord<T extends object>(bytes: Uint8Array): T {
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes))
    if (typeof value === 'object' && value !== null) return value as T
  } catch (cause) {
    throw damaged(cause)
  }
  throw damaged()
}

function damaged(cause?: unknown): ClientError {
  return new ClientError(
    'store-damaged',
    'A record of the account cannot be read. Restore it from a backup or the recovery password.',
    cause,
  )
}
