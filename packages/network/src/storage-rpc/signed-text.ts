/**
 * The texts that requests and answers sign: plain concatenations, with Ed25519 (RPC-20 to RPC-23).
 *
 * | request | text |
 * |---|---|
 * | store | `store` namespace sig_timestamp |
 * | retrieve | `retrieve` namespace timestamp |
 * | delete | `delete` hashes |
 * | delete_all, delete_before, expire_all | method namespace timestamp, before, expiry |
 * | expire | `expire` (`shorten`, `extend` or nothing) expiries hashes |
 * | get_expiries | `get_expiries` timestamp hashes |
 * | revoke_subaccount, unrevoke_subaccount | method timestamp tokens |
 * | revoked_subaccounts | `revoked_subaccounts` timestamp |
 * | monitor | `MONITOR` account seconds (`0` or `1`) namespaces, joined by commas |
 *
 * | answer of a swarm member | text |
 * |---|---|
 * | store | hash |
 * | delete | account, hashes asked for, hashes deleted |
 * | delete_all, delete_before, expire_all | account, the time of the request, hashes changed |
 * | expire | account, expiries, hashes asked for, hashes changed, and of each unchanged its hash and expiry |
 * | revoke_subaccount, unrevoke_subaccount | account, timestamp, tokens |
 *
 * A namespace is its decimal, nothing for 0 (but in monitor), or `all`. Times are milliseconds in decimal, accounts 66 lower-case
 * hexadecimal digits, tokens 36 bytes. What was asked for stands as it was sent, what was done is sorted. Nothing delimits the parts.
 */
import { concatBytes, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { type Namespace, namespaceText } from '../namespace.ts'

/** What a signed store signs. It covers neither the message nor its TTL. */
export function storeText(namespace: Namespace, sigTimestampMs: number): Uint8Array {
  return encodeUtf8(`store${namespaceText(namespace)}${sigTimestampMs}`)
}

/** What a retrieve signs. */
export function retrieveText(namespace: Namespace, timestampMs: number): Uint8Array {
  return encodeUtf8(`retrieve${namespaceText(namespace)}${timestampMs}`)
}

/** What a delete signs. It has no time: a captured request can be sent again. */
export function deleteText(hashes: readonly string[]): Uint8Array {
  return encodeUtf8(`delete${hashes.join('')}`)
}

/** What a delete_all signs. */
export function deleteAllText(namespace: Namespace | 'all', timestampMs: number): Uint8Array {
  return encodeUtf8(`delete_all${namespaceOrAllText(namespace)}${timestampMs}`)
}

/** What a delete_before signs. */
export function deleteBeforeText(namespace: Namespace | 'all', beforeMs: number): Uint8Array {
  return encodeUtf8(`delete_before${namespaceOrAllText(namespace)}${beforeMs}`)
}

/** What an expire_all signs. */
export function expireAllText(namespace: Namespace | 'all', expiryMs: number): Uint8Array {
  return encodeUtf8(`expire_all${namespaceOrAllText(namespace)}${expiryMs}`)
}

/** What an expire does with messages: sets their expiry, or only lowers or raises it. */
export type ExpireMode = 'set' | 'shorten' | 'extend'

/** What an expire signs. */
export function expireText(mode: ExpireMode, expiriesMs: readonly number[], hashes: readonly string[]): Uint8Array {
  return encodeUtf8(`expire${mode === 'set' ? '' : mode}${expiriesMs.join('')}${hashes.join('')}`)
}

/** What a get_expiries signs; to ask for all, `all` stands for the hashes. */
export function getExpiriesText(timestampMs: number, hashes: readonly string[] | 'all'): Uint8Array {
  return encodeUtf8(`get_expiries${timestampMs}${hashes === 'all' ? hashes : hashes.join('')}`)
}

/** What a revoke_subaccount or unrevoke_subaccount signs: tokens of 36 bytes, in the order sent. */
export function revokeText(
  method: 'revoke_subaccount' | 'unrevoke_subaccount',
  timestampMs: number,
  tokens: readonly Uint8Array[],
): Uint8Array {
  return concatBytes(encodeUtf8(`${method}${timestampMs}`), ...tokens)
}

/** What a revoked_subaccounts signs. */
export function revokedSubaccountsText(timestampMs: number): Uint8Array {
  return encodeUtf8(`revoked_subaccounts${timestampMs}`)
}

/** What a subscription signs. Its time is in seconds, and namespace 0 is written. `account` has 33 bytes. */
export function monitorText(
  account: Uint8Array,
  timestampS: number,
  wantData: boolean,
  namespaces: readonly Namespace[],
): Uint8Array {
  return encodeUtf8(`MONITOR${encodeHex(account)}${timestampS}${wantData ? 1 : 0}${namespaces.join(',')}`)
}

/** What a swarm member signs when it has stored a message. */
export function storedText(hash: string): Uint8Array {
  return encodeUtf8(hash)
}

/** What a swarm member signs when it has deleted messages. */
export function deletedText(account: Uint8Array, requested: readonly string[], deleted: readonly string[]): Uint8Array {
  return encodeUtf8(`${encodeHex(account)}${requested.join('')}${deleted.toSorted().join('')}`)
}

/**
 * What a swarm member signs that has deleted all messages, those before a time, or ended their keeping: the time that the request
 * names, and the hashes of all namespaces together.
 */
export function changedText(account: Uint8Array, timeMs: number, changed: readonly string[]): Uint8Array {
  return encodeUtf8(`${encodeHex(account)}${timeMs}${changed.toSorted().join('')}`)
}

/** What a member did for an expire. */
export interface ExpiredParts {
  readonly requested: readonly string[]
  /** The expiry in force of each changed message by hash; `expiriesMs` of an expire with one time for all is that alone. */
  readonly updated: readonly string[]
  /** The one expiry, or those of the updated messages in their sorted order. */
  readonly expiriesMs: readonly number[]
  readonly unchanged: ReadonlyMap<string, number>
}

/** What a swarm member signs when it has changed expiries. */
export function expiredText(account: Uint8Array, { requested, updated, expiriesMs, unchanged }: ExpiredParts): Uint8Array {
  const rest = [...unchanged].toSorted(([a], [b]) => (a < b ? -1 : 1)).flat()
  const parts = [encodeHex(account), ...expiriesMs, ...requested, ...updated.toSorted(), ...rest]
  return encodeUtf8(parts.join(''))
}

/** What a swarm member signs when it has revoked or readmitted subaccounts. */
export function revokedText(account: Uint8Array, timestampMs: number, tokens: readonly Uint8Array[]): Uint8Array {
  return concatBytes(encodeUtf8(`${encodeHex(account)}${timestampMs}`), ...tokens)
}

function namespaceOrAllText(namespace: Namespace | 'all'): string {
  return namespace === 'all' ? namespace : namespaceText(namespace)
}
