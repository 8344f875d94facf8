/**
 * The order in which a node checks a parsed request, with the answers it gives (RPC-70 to RPC-73). The swarm comes first and is the
 * node's own knowledge: 421 with the body of `get_swarm`. Then:
 *
 * | method | checks in order |
 * |---|---|
 * | store | TTL 403 → clock 406 → signature there 401 → its time 406 → the signature 401 |
 * | retrieve | signature there 401 → its time 406 → the signature 401 |
 * | delete | the signature 401 |
 */
import type { Crypto } from '@session-v2/crypto'
import { maxTtlMs, NAMESPACE, retrieveNeedsSignature, storeNeedsSignature } from '../namespace.ts'
import type { RpcFailure } from '../network-error.ts'
import { verifyAccountSignature } from './auth.ts'
import { SIGNATURE_TOLERANCE_MS, STORE_CLOCK_TOLERANCE_MS, TTL_MIN_MS } from './limits.ts'
import type { DeleteParams } from './methods/delete.ts'
import type { RetrieveParams } from './methods/retrieve.ts'
import type { StoreParams } from './methods/store.ts'
import { deleteText, retrieveText, storeText } from './signed-text.ts'

/** Why a node refuses a store, or undefined. */
export function checkStore(crypto: Crypto, params: StoreParams, nowMs: number): RpcFailure | undefined {
  const { namespace, signed, timestampMs, expiryMs } = params
  const ttlMs = expiryMs - timestampMs
  if (namespace === NAMESPACE.testing) return { status: 403, body: `store: namespace ${namespace} takes no messages` }
  if (ttlMs < TTL_MIN_MS || ttlMs > maxTtlMs(namespace)) return { status: 403, body: 'Provided expiry/TTL is not valid.' }
  if (timestampMs > nowMs + STORE_CLOCK_TOLERANCE_MS || expiryMs < nowMs - STORE_CLOCK_TOLERANCE_MS) {
    return { status: 406, body: 'Timestamp error: check your clock' }
  }
  if (!storeNeedsSignature(namespace)) return undefined
  if (signed === undefined) return { status: 401, body: `store: signature required to store to namespace ${namespace}` }
  if (Math.abs(signed.sigTimestampMs - nowMs) > SIGNATURE_TOLERANCE_MS) {
    return { status: 406, body: 'store signature timestamp too far from current time' }
  }
  const valid = verifyAccountSignature(crypto, params.account, signed, storeText(namespace, signed.sigTimestampMs))
  return valid ? undefined : { status: 401, body: 'store signature verification failed' }
}

/** Why a node refuses a retrieve, or undefined. */
export function checkRetrieve(crypto: Crypto, params: RetrieveParams, nowMs: number): RpcFailure | undefined {
  const { namespace, signed } = params
  if (signed === undefined) {
    return retrieveNeedsSignature(namespace) ? { status: 401, body: 'retrieve: request signature required' } : undefined
  }
  if (Math.abs(signed.timestampMs - nowMs) > SIGNATURE_TOLERANCE_MS) {
    return { status: 406, body: 'retrieve timestamp too far from current time' }
  }
  const valid = verifyAccountSignature(crypto, params.account, signed, retrieveText(namespace, signed.timestampMs))
  return valid ? undefined : { status: 401, body: 'retrieve signature verification failed' }
}

/** Why a node refuses a delete, or undefined. */
export function checkDelete(crypto: Crypto, params: DeleteParams): RpcFailure | undefined {
  const valid = verifyAccountSignature(crypto, params.account, params.signed, deleteText(params.hashes))
  return valid ? undefined : { status: 401, body: 'delete_msgs signature verification failed' }
}
