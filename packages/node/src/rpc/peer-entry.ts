/**
 * What another member says it did, before it goes on to a client (clause NODE-34): only fields of the method, each of the form it must
 * have. Whether its signature is right is for the client to see.
 */
import { isMessageHash, TIMESTAMP_MIN_MS } from '@session-v2/network'
import type { EntryReader, SwarmEntry } from '../swarm/replication.ts'

type Form = (value: unknown) => boolean

const SIGNATURE_BYTES = 64
const REASON_MAX_CHARACTERS = 200
const NAMESPACE = /^(0|-?[1-9][0-9]{0,4})$/

const isHash: Form = value => typeof value === 'string' && isMessageHash(value)
const isHashList: Form = value => Array.isArray(value) && value.every(isHash)
const isSignature: Form = value => value instanceof Uint8Array && value.length === SIGNATURE_BYTES
const isTime: Form = value => typeof value === 'number' && Number.isSafeInteger(value) && value >= TIMESTAMP_MIN_MS
const isCount: Form = value => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
const isTrue: Form = value => value === true || value === 1
const isReason: Form = value => typeof value === 'string' && value.length <= REASON_MAX_CHARACTERS
const isTimeOrList: Form = value => isTime(value) || (Array.isArray(value) && value.every(isTime))
const isNamespacedHashes: Form = value => isHashList(value) || isDict(value, name => NAMESPACE.test(name), isHashList)
const isExpiries: Form = value => isDict(value, isMessageHash, isTime)

const readFailure = entry({ failed: isTrue, query_failure: isTrue }, { reason: isReason })

/** The entry of a store. */
export const readStored = entryOrFailure({ hash: isHash, signature: isSignature, expiry: isTime }, { already: isTrue })
/** The entry of a delete. */
export const readDeleted = entryOrFailure({ deleted: isHashList, signature: isSignature })
/** The entry of a delete_all or delete_before. */
export const readAllDeleted = entryOrFailure({ deleted: isNamespacedHashes, signature: isSignature })
/** The entry of an expire. */
export const readExpired = entryOrFailure(
  { expiry: isTimeOrList, updated: isHashList, signature: isSignature },
  { unchanged: isExpiries },
)
/** The entry of an expire_all. */
export const readAllExpired = entryOrFailure({ updated: isNamespacedHashes, signature: isSignature })
/** The entry of a revoke_subaccount. */
export const readRevoked = entryOrFailure({ signature: isSignature })
/** The entry of an unrevoke_subaccount. */
export const readUnrevoked = entryOrFailure({ count: isCount, signature: isSignature })

type Forms = Readonly<Record<string, Form>>

function entryOrFailure(required: Forms, optional: Forms = {}): EntryReader {
  const read = entry(required, optional)
  return fields => (fields.failed === undefined ? read(fields) : readFailure(fields))
}

function entry(required: Forms, optional: Forms): EntryReader {
  return fields => {
    const read: Record<string, unknown> = {}
    for (const [name, form] of Object.entries(required)) {
      if (!form(fields[name])) return undefined
      read[name] = fields[name]
    }
    for (const [name, form] of Object.entries(optional)) {
      if (fields[name] === undefined) continue
      if (!form(fields[name])) return undefined
      read[name] = fields[name]
    }
    return read satisfies SwarmEntry
  }
}

function isDict(value: unknown, isName: (name: string) => boolean, form: Form): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) return false
  return Object.entries(value).every(([name, item]) => isName(name) && form(item))
}
