/**
 * Proofs: signed requests of owners, kept with what they deleted, shortened or revoked, so that a member that missed one does not take
 * the word of another (clauses NODE-44, NODE-45, NODE-84). A proof is the request in canonical bt, as it is passed on.
 *
 * | request | covers | named by | changed at most |
 * |---|---|---|---|
 * | delete | a deletion | hash | – |
 * | delete_all | a deletion | namespace | 70 s after `timestamp` |
 * | delete_before | a deletion | namespace, timestamp of the message where it is known | – |
 * | expire, not `extend` | a life that is not shorter than asked for, or is over by it | hash | if over: 140 s after the expiry |
 * | expire_all | the same | namespace | 140 s after the expiry |
 * | revoke_subaccount | a revocation | token | 140 s after `timestamp` |
 * | unrevoke_subaccount | the end of one | token | 140 s after `timestamp` |
 */
import type { Crypto } from '@session-v2/crypto'
import { equalBytes } from '@session-v2/encoding'
import {
  checkDelete,
  checkDeleteAll,
  checkDeleteBefore,
  checkExpire,
  checkExpireAll,
  checkRevocation,
  decodeRequest,
  type ExpireParams,
  encodeDelete,
  encodeDeleteAll,
  encodeDeleteBefore,
  encodeExpire,
  encodeExpireAll,
  encodeRequest,
  encodeRevokeSubaccount,
  encodeUnrevokeSubaccount,
  expireMode,
  FORWARDED_TOLERANCE_MS,
  MAX_TTL_MS,
  NetworkError,
  type ParsedRequest,
  parseRequest,
  type RevokeParams,
  type RpcRequest,
} from '@session-v2/network'
import { tokenHash } from '../store/item-version.ts'
import { type Item, REVOCATIONS } from '../store/store.ts'
import type { Covers, ProofContext } from '../swarm/item-gate.ts'

/** A change that is asked for now counts one millisecond after the version that is held, whose clock was ahead by as much at most. */
const VERSION_TOLERANCE_MS = 2 * FORWARDED_TOLERANCE_MS

/** The proof that a request is, or undefined for a request that deletes, shortens and revokes nothing. */
export function encodeProof(request: ParsedRequest): Uint8Array | undefined {
  const proof = provingRequest(request)
  return proof && encodeRequest(proof, 'bt')
}

/**
 * Reads a proof once for all items that it may cover. What it returns says whether the owner's signature holds and covers that an item is
 * as it is: deleted, its life shortened, revoked. When it was signed is not checked, and neither is whether a subaccount that signed it
 * was revoked later. Never throws.
 */
export function openProof(crypto: Crypto, proof: Uint8Array): Covers {
  const request = decodeProof(proof)
  if (request === undefined || !isSigned(crypto, request)) return () => false
  const account = accountOf(request)
  const positions = positionsOf(crypto, request)
  return (item, context) => equalBytes(account, item.account) && covers({ ...request, positions }, item, context)
}

/** The same for one item. */
export function verifyProof(crypto: Crypto, proof: Uint8Array, item: Item, context: ProofContext): boolean {
  return openProof(crypto, proof)(item, context)
}

/** The request of a proof; undefined for what is not written as `encodeProof` does: junk in it would be kept and passed on. */
function decodeProof(proof: Uint8Array): ParsedRequest | undefined {
  try {
    const request = parseRequest(decodeRequest(proof))
    const encoded = encodeProof(request)
    return encoded !== undefined && equalBytes(encoded, proof) ? request : undefined
  } catch (error) {
    if (error instanceof NetworkError) return undefined
    throw error
  }
}

function provingRequest({ method, params }: ParsedRequest): RpcRequest | undefined {
  switch (method) {
    case 'delete':
      return encodeDelete(params)
    case 'delete_all':
      return encodeDeleteAll(params)
    case 'delete_before':
      return encodeDeleteBefore(params)
    case 'expire':
      return encodeExpire(params)
    case 'expire_all':
      return encodeExpireAll(params)
    case 'revoke_subaccount':
      return encodeRevokeSubaccount(params)
    case 'unrevoke_subaccount':
      return encodeUnrevokeSubaccount(params)
    default:
      return undefined
  }
}

function accountOf({ params }: ParsedRequest): Uint8Array {
  return (params as { readonly account: Uint8Array }).account
}

/** A request, and where in its list stands what it names: hashes, or tokens by their hash. The first place counts, as in the store. */
type OpenRequest = ParsedRequest & { readonly positions: ReadonlyMap<string, number> }

function positionsOf(crypto: Crypto, { params }: ParsedRequest): ReadonlyMap<string, number> {
  const { hashes, tokens } = params as { readonly hashes?: readonly string[]; readonly tokens?: readonly Uint8Array[] }
  const names = hashes ?? tokens?.map(token => tokenHash(crypto, token)) ?? []
  return new Map([...names.entries()].reverse().map(([at, name]) => [name, at]))
}

function covers(request: OpenRequest, item: Item, context: ProofContext): boolean {
  if (item.namespace === REVOCATIONS) return coversRevocation(request, item)
  const { method, params, positions } = request
  switch (method) {
    case 'delete':
      return item.isTombstone && positions.has(item.hash)
    case 'delete_all':
      return isBuried(item, params.namespace) && item.changedAtMs <= params.timestampMs + FORWARDED_TOLERANCE_MS
    case 'delete_before':
      return isBuried(item, params.namespace) && !(context.timestampMs !== undefined && context.timestampMs > params.beforeMs)
    case 'expire':
      return coversLife(item, askedExpiryMs(params, positions.get(item.hash)), context.nowMs)
    case 'expire_all':
      return isWithin(item, params.namespace) && coversLife(item, params.expiryMs, context.nowMs)
    default:
      return false
  }
}

function isBuried(item: Item, asked: number | 'all'): boolean {
  return item.isTombstone && isWithin(item, asked)
}

function isWithin({ namespace }: Item, asked: number | 'all'): boolean {
  return asked === 'all' || asked === namespace
}

/** The expiry that a request sets for the hash at this place; undefined when it does not name it or may not lower it. */
function askedExpiryMs(params: ExpireParams, at: number | undefined): number | undefined {
  return at === undefined || expireMode(params) === 'extend' ? undefined : (params.expiriesMs[at] ?? params.expiriesMs[0])
}

/**
 * A message may live as long as asked for, or as the longest life from its change, or longer: it may have been stored again. One whose
 * life is over has left a tombstone of its version; the request was taken before the expiry that it asks for.
 */
function coversLife(item: Item, askedMs: number | undefined, nowMs: number): boolean {
  if (askedMs === undefined) return false
  if (item.isTombstone) return askedMs <= nowMs && item.changedAtMs <= askedMs + VERSION_TOLERANCE_MS
  return item.expiryMs >= Math.min(askedMs, item.changedAtMs + MAX_TTL_MS - VERSION_TOLERANCE_MS)
}

function coversRevocation({ method, params, positions }: OpenRequest, item: Item): boolean {
  const wanted = item.isTombstone ? 'unrevoke_subaccount' : 'revoke_subaccount'
  const at = positions.get(item.hash)
  if (method !== wanted || at === undefined) return false
  const { tokens, timestampMs } = params as RevokeParams
  if (item.changedAtMs > timestampMs + VERSION_TOLERANCE_MS) return false
  return item.message === undefined || equalBytes(item.message.data, tokens[at]!)
}

/** Checks each request as of its own time: what is left of its checks are signature and rights. */
function isSigned(crypto: Crypto, { method, params }: ParsedRequest): boolean {
  const context = { tokenRevoked: false }
  switch (method) {
    case 'delete':
      return checkDelete(crypto, params, context) === undefined
    case 'delete_all':
      return checkDeleteAll(crypto, params, params.timestampMs, context) === undefined
    case 'delete_before':
      return checkDeleteBefore(crypto, params, params.beforeMs, context) === undefined
    case 'expire':
      return checkExpire(crypto, params, Math.min(...params.expiriesMs), context) === undefined
    case 'expire_all':
      return checkExpireAll(crypto, params, params.expiryMs, context) === undefined
    case 'revoke_subaccount':
    case 'unrevoke_subaccount':
      return checkRevocation(crypto, method, params, params.timestampMs) === undefined
    default:
      return false
  }
}
