/**
 * The texts that requests and answers sign: plain concatenations, with Ed25519 (RPC-20 to RPC-22).
 *
 * | request | text |
 * |---|---|
 * | store | `store` namespace sig_timestamp |
 * | retrieve | `retrieve` namespace timestamp |
 * | delete | `delete` hash₁…hashₙ, in the order sent |
 *
 * | answer of a swarm member | text |
 * |---|---|
 * | store | hash |
 * | delete | account in hexadecimal, requested hashes, deleted hashes sorted |
 *
 * The namespace is its decimal, nothing for 0. Times are milliseconds in decimal. Nothing delimits the parts.
 */
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
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

/** What a swarm member signs when it has stored a message. */
export function storedText(hash: string): Uint8Array {
  return encodeUtf8(hash)
}

/** What a swarm member signs when it has deleted messages. */
export function deletedText(account: Uint8Array, requested: readonly string[], deleted: readonly string[]): Uint8Array {
  return encodeUtf8(`${encodeHex(account)}${requested.join('')}${deleted.toSorted().join('')}`)
}
