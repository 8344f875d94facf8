/** From an envelope, in JSON or bt, to the typed parameters of its method (RPC-03, RPC-15). */
import { badRequest, NetworkError } from '../network-error.ts'
import { IFELSE_MAX_DEPTH } from './limits.ts'
import { parseBatch } from './methods/batch.ts'
import { type DeleteParams, parseDelete } from './methods/delete.ts'
import { type DeleteAllParams, parseDeleteAll } from './methods/delete-all.ts'
import { type DeleteBeforeParams, parseDeleteBefore } from './methods/delete-before.ts'
import { type ExpireParams, parseExpire } from './methods/expire.ts'
import { type ExpireAllParams, parseExpireAll } from './methods/expire-all.ts'
import { type GetExpiriesParams, parseGetExpiries } from './methods/get-expiries.ts'
import { type GetSwarmParams, parseGetSwarm } from './methods/get-swarm.ts'
import { type IfelseCondition, parseIfelse } from './methods/ifelse.ts'
import { type OxendRequestParams, parseOxendRequest } from './methods/oxend-request.ts'
import { parseRetrieve, type RetrieveParams } from './methods/retrieve.ts'
import { parseRevokeSubaccount, type RevokeParams } from './methods/revoke-subaccount.ts'
import { parseRevokedSubaccounts, type RevokedSubaccountsParams } from './methods/revoked-subaccounts.ts'
import { parseStore, type StoreParams } from './methods/store.ts'
import { parseUnrevokeSubaccount } from './methods/unrevoke-subaccount.ts'
import { Params } from './params.ts'
import type { ReceivedRequest } from './rpc-request.ts'

export interface IfelseParams {
  readonly condition: IfelseCondition
  readonly whenHolds: ParsedRequest | undefined
  readonly otherwise: ParsedRequest | undefined
}

/** A request that could be read, with the type of its parameters. */
export type ParsedRequest =
  | { readonly method: 'info' | 'active_nodes_bin'; readonly params: Readonly<Record<string, never>> }
  | { readonly method: 'get_swarm'; readonly params: GetSwarmParams }
  | { readonly method: 'store'; readonly params: StoreParams }
  | { readonly method: 'retrieve'; readonly params: RetrieveParams }
  | { readonly method: 'delete'; readonly params: DeleteParams }
  | { readonly method: 'delete_all'; readonly params: DeleteAllParams }
  | { readonly method: 'delete_before'; readonly params: DeleteBeforeParams }
  | { readonly method: 'expire'; readonly params: ExpireParams }
  | { readonly method: 'expire_all'; readonly params: ExpireAllParams }
  | { readonly method: 'get_expiries'; readonly params: GetExpiriesParams }
  | { readonly method: 'revoke_subaccount' | 'unrevoke_subaccount'; readonly params: RevokeParams }
  | { readonly method: 'revoked_subaccounts'; readonly params: RevokedSubaccountsParams }
  | { readonly method: 'oxend_request'; readonly params: OxendRequestParams }
  | { readonly method: 'batch' | 'sequence'; readonly params: { readonly requests: readonly ParsedRequest[] } }
  | { readonly method: 'ifelse'; readonly params: IfelseParams }

/**
 * Parses the parameters of a request; those of a batch or ifelse with all within, so that one bad part refuses the whole (RPC-68,
 * RPC-99).
 * @throws NetworkError `malformed`, status 400: `no method X`, or `invalid request: …`.
 */
export function parseRequest(request: ReceivedRequest): ParsedRequest {
  return parseNested(request, 0)
}

/** `depth`: how many ifelse this request stands in. */
function parseNested({ method, params: fields }: ReceivedRequest, depth: number): ParsedRequest {
  const params = new Params(fields)
  switch (method) {
    case 'batch':
    case 'sequence':
      return { method, params: { requests: parseBatch(params).map(parseRequest) } }
    case 'ifelse':
      return { method, params: parseBranches(params, depth + 1) }
    default:
      return parseSingle(method, params)
  }
}

function parseBranches(params: Params, depth: number): IfelseParams {
  if (depth > IFELSE_MAX_DEPTH) throw badRequest(`Invalid ifelse request: nested more than ${IFELSE_MAX_DEPTH} deep`)
  const { condition, whenHolds, otherwise } = parseIfelse(params)
  return {
    condition,
    whenHolds: whenHolds && parseNested(whenHolds, depth),
    otherwise: otherwise && parseNested(otherwise, depth),
  }
}

/** A request that holds no other. */
function parseSingle(method: string, params: Params): ParsedRequest {
  switch (method) {
    case 'store':
      return { method, params: parseStore(params) }
    case 'retrieve':
      return { method, params: parseRetrieve(params) }
    case 'info':
    case 'active_nodes_bin':
      return { method, params: {} }
    case 'get_swarm':
    case 'get_snodes_for_pubkey':
      return { method: 'get_swarm', params: parseGetSwarm(params) }
    case 'delete':
      return { method, params: parseDelete(params) }
    case 'delete_all':
      return { method, params: parseDeleteAll(params) }
    case 'delete_before':
      return { method, params: parseDeleteBefore(params) }
    case 'expire':
      return { method, params: parseExpire(params) }
    case 'expire_all':
      return { method, params: parseExpireAll(params) }
    case 'get_expiries':
      return { method, params: parseGetExpiries(params) }
    case 'revoke_subaccount':
      return { method, params: parseRevokeSubaccount(params) }
    case 'unrevoke_subaccount':
      return { method, params: parseUnrevokeSubaccount(params) }
    case 'revoked_subaccounts':
      return { method, params: parseRevokedSubaccounts(params) }
    case 'oxend_request':
      return { method, params: parseOxendRequest(params) }
    default:
      throw new NetworkError('malformed', `no method ${method}`, { status: 400 })
  }
}
