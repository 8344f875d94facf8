/**
 * The order in which a node checks a parsed request, with the answers it gives (RPC-70 to RPC-77, SUB-04, SUB-05). The swarm comes first and is the
 * node's own knowledge: 421 with the body of `get_swarm`. Then:
 *
 * | method | checks in order |
 * |---|---|
 * | store | TTL 403 → clock 406 → signature there 401 → its time 406 → the signature 401 |
 * | retrieve | signature there 401 → its time 406 → the signature 401 |
 * | delete | the signature 401 |
 * | delete_all, get_expiries, revoke_subaccount, unrevoke_subaccount, revoked_subaccounts | its time 406 → the signature 401 |
 * | delete_before | `before` 401 → the signature 401 |
 * | expire | expiry 401 → the signature 401 → a subaccount that may not delete does not shorten 400 |
 * | expire_all | expiry 406 → the signature 401 |
 *
 * Where a subaccount signs, `the signature` is: not revoked → prefix → rights → the owner's signature → its own, all 401.
 */
import type { Crypto } from '@session-v2/crypto'
import type { OwnerSignature } from '../account-signature.ts'
import { maxTtlMs, NAMESPACE, retrieveNeedsSignature, storeNeedsSignature } from '../namespace.ts'
import type { RpcFailure } from '../network-error.ts'
import { hasRights, revokedMayRetrieve, rightsToStore } from '../subaccount/permission.ts'
import { SUBACCOUNT_RIGHT } from '../subaccount/token.ts'
import { type RequestSignature, signatureFault } from './auth.ts'
import { FORWARDED_TOLERANCE_MS, SIGNATURE_TOLERANCE_MS, STORE_CLOCK_TOLERANCE_MS, TTL_MIN_MS } from './limits.ts'
import type { DeleteParams } from './methods/delete.ts'
import type { DeleteAllParams } from './methods/delete-all.ts'
import type { DeleteBeforeParams } from './methods/delete-before.ts'
import type { ExpireParams } from './methods/expire.ts'
import type { ExpireAllParams } from './methods/expire-all.ts'
import type { GetExpiriesParams } from './methods/get-expiries.ts'
import type { RetrieveParams } from './methods/retrieve.ts'
import type { RevokeParams } from './methods/revoke-subaccount.ts'
import type { RevokedSubaccountsParams } from './methods/revoked-subaccounts.ts'
import type { StoreParams } from './methods/store.ts'
import {
  deleteAllText,
  deleteBeforeText,
  deleteText,
  expireAllText,
  expireText,
  getExpiriesText,
  retrieveText,
  revokedSubaccountsText,
  revokeText,
  storeText,
} from './signed-text.ts'

/** What a check cannot see in the request. */
export interface RequestContext {
  /** Who sent it: a client, or a member of the swarm that passes it on. A client when absent. */
  readonly origin?: 'client' | 'peer'
  /** Whether the token of the subaccount that signed is revoked. When absent, every one counts as revoked. */
  readonly tokenRevoked?: boolean
}

/** Why a node refuses a store, or undefined. */
export function checkStore(crypto: Crypto, params: StoreParams, nowMs: number, context?: RequestContext): RpcFailure | undefined {
  const { account, namespace, signed, timestampMs, expiryMs } = params
  const ttlMs = expiryMs - timestampMs
  if (namespace === NAMESPACE.testing) return failure(403, `store: namespace ${namespace} takes no messages`)
  if (ttlMs < TTL_MIN_MS || ttlMs > maxTtlMs(namespace)) return failure(403, 'Provided expiry/TTL is not valid.')
  if (timestampMs > nowMs + STORE_CLOCK_TOLERANCE_MS || expiryMs < nowMs - STORE_CLOCK_TOLERANCE_MS) {
    return failure(406, 'Timestamp error: check your clock')
  }
  if (!storeNeedsSignature(namespace)) return undefined
  if (signed === undefined) return failure(401, `store: signature required to store to namespace ${namespace}`)
  if (isFar(signed.sigTimestampMs, nowMs)) return failure(406, 'store signature timestamp too far from current time')
  const text = storeText(namespace, signed.sigTimestampMs)
  return refuseSigner(crypto, 'store', { account, signed }, text, rightsToStore(namespace), context)
}

/** Why a node refuses a retrieve, or undefined. */
export function checkRetrieve(
  crypto: Crypto,
  params: RetrieveParams,
  nowMs: number,
  context?: RequestContext,
): RpcFailure | undefined {
  const { account, namespace, signed } = params
  if (signed === undefined) {
    return retrieveNeedsSignature(namespace) ? failure(401, 'retrieve: request signature required') : undefined
  }
  if (isFar(signed.timestampMs, nowMs)) return tooFar('retrieve')
  const text = retrieveText(namespace, signed.timestampMs)
  const known = revokedMayRetrieve(namespace) ? { ...context, tokenRevoked: false } : context
  return refuseSigner(crypto, 'retrieve', { account, signed }, text, SUBACCOUNT_RIGHT.read, known)
}

/** Why a node refuses a delete, or undefined. */
export function checkDelete(crypto: Crypto, params: DeleteParams, context?: RequestContext): RpcFailure | undefined {
  return refuseSigner(crypto, 'delete_msgs', params, deleteText(params.hashes), SUBACCOUNT_RIGHT.delete, context)
}

/** Why a node refuses a delete_all, or undefined. */
export function checkDeleteAll(
  crypto: Crypto,
  params: DeleteAllParams,
  nowMs: number,
  context?: RequestContext,
): RpcFailure | undefined {
  const { namespace, timestampMs } = params
  if (isFar(timestampMs, nowMs, toleranceMs(context))) return tooFar('delete_all')
  return refuseSigner(crypto, 'delete_all', params, deleteAllText(namespace, timestampMs), SUBACCOUNT_RIGHT.delete, context)
}

/** Why a node refuses a delete_before, or undefined. */
export function checkDeleteBefore(
  crypto: Crypto,
  params: DeleteBeforeParams,
  nowMs: number,
  context?: RequestContext,
): RpcFailure | undefined {
  const { namespace, beforeMs } = params
  if (beforeMs > nowMs + SIGNATURE_TOLERANCE_MS) return failure(401, 'delete_before timestamp too far in the future')
  return refuseSigner(crypto, 'delete_before', params, deleteBeforeText(namespace, beforeMs), SUBACCOUNT_RIGHT.delete, context)
}

/** Why a node refuses an expire, or undefined. What it does for a subaccount that may not delete is `expireMode`. */
export function checkExpire(
  crypto: Crypto,
  params: ExpireParams,
  nowMs: number,
  context?: RequestContext,
): RpcFailure | undefined {
  const { mode, expiriesMs, hashes, signed } = params
  if (expiriesMs.some(expiryMs => expiryMs < nowMs - SIGNATURE_TOLERANCE_MS))
    return failure(401, 'expire: timestamp should be >= current time')
  const text = expireText(mode, expiriesMs, hashes)
  const refusal = refuseSigner(crypto, 'expire:', params, text, SUBACCOUNT_RIGHT.write, context)
  if (refusal !== undefined) return refusal
  const mayShorten = signed.subaccount === undefined || hasRights(signed.subaccount, SUBACCOUNT_RIGHT.delete)
  if (mode === 'shorten' && !mayShorten) return failure(400, 'expire: this subaccount may not shorten expiries')
  return undefined
}

/** Why a node refuses an expire_all, or undefined. */
export function checkExpireAll(
  crypto: Crypto,
  params: ExpireAllParams,
  nowMs: number,
  context?: RequestContext,
): RpcFailure | undefined {
  const { namespace, expiryMs } = params
  if (expiryMs < nowMs - toleranceMs(context)) return failure(406, 'expire_all timestamp should be >= current time')
  return refuseSigner(crypto, 'expire_all', params, expireAllText(namespace, expiryMs), SUBACCOUNT_RIGHT.delete, context)
}

/** Why a node refuses a get_expiries, or undefined. */
export function checkGetExpiries(
  crypto: Crypto,
  params: GetExpiriesParams,
  nowMs: number,
  context?: RequestContext,
): RpcFailure | undefined {
  const { timestampMs, hashes } = params
  if (isFar(timestampMs, nowMs)) return tooFar('get_expiries')
  return refuseSigner(crypto, 'get_expiries', params, getExpiriesText(timestampMs, hashes), SUBACCOUNT_RIGHT.read, context)
}

/** Why a node refuses to revoke or readmit subaccounts, or undefined. */
export function checkRevocation(
  crypto: Crypto,
  method: 'revoke_subaccount' | 'unrevoke_subaccount',
  params: RevokeParams,
  nowMs: number,
): RpcFailure | undefined {
  const { timestampMs, tokens } = params
  if (isFar(timestampMs, nowMs)) return tooFar(method)
  return refuseSigner(crypto, method, params, revokeText(method, timestampMs, tokens), 0)
}

/** Why a node does not tell revocations, or undefined. */
export function checkRevokedSubaccounts(crypto: Crypto, params: RevokedSubaccountsParams, nowMs: number): RpcFailure | undefined {
  if (isFar(params.timestampMs, nowMs)) return tooFar('revoked_subaccounts')
  return refuseSigner(crypto, 'revoked_subaccounts', params, revokedSubaccountsText(params.timestampMs), 0)
}

interface Signed {
  readonly account: Uint8Array
  readonly signed: OwnerSignature | RequestSignature
}

/** `needed`: the rights that a subaccount must have. A wrong token and a wrong signature are answered alike. */
function refuseSigner(
  crypto: Crypto,
  method: string,
  { account, signed }: Signed,
  text: Uint8Array,
  needed: number,
  { tokenRevoked = true }: RequestContext = {},
): RpcFailure | undefined {
  const fault = signatureFault(crypto, account, signed, text, { needed, revoked: tokenRevoked })
  switch (fault) {
    case undefined:
      return undefined
    case 'revoked':
      return failure(401, `${method} subaccount is revoked`)
    case 'prefix':
      return failure(401, `${method} subaccount is for accounts with another prefix`)
    case 'rights':
      return failure(401, `${method} subaccount lacks permission`)
    default:
      return failure(401, `${method} signature verification failed`)
  }
}

function isFar(timestampMs: number, nowMs: number, limitMs = SIGNATURE_TOLERANCE_MS): boolean {
  return Math.abs(timestampMs - nowMs) > limitMs
}

function toleranceMs(context: RequestContext | undefined): number {
  return context?.origin === 'peer' ? FORWARDED_TOLERANCE_MS : SIGNATURE_TOLERANCE_MS
}

function tooFar(method: string): RpcFailure {
  return failure(406, `${method} timestamp too far from current time`)
}

function failure(status: number, body: string): RpcFailure {
  return { status, body }
}
