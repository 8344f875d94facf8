/** One well-formed request of every method, and what a node does with a request before it touches its store. */
import {
  buildActiveNodesBin,
  buildBatch,
  buildDelete,
  buildDeleteAll,
  buildDeleteBefore,
  buildExpire,
  buildExpireAll,
  buildGetExpiries,
  buildGetServiceNodes,
  buildGetSwarm,
  buildIfelse,
  buildInfo,
  buildRetrieve,
  buildRevokedSubaccounts,
  buildRevokeSubaccount,
  buildSequence,
  buildStore,
  buildUnrevokeSubaccount,
  checkDelete,
  checkDeleteAll,
  checkDeleteBefore,
  checkExpire,
  checkExpireAll,
  checkGetExpiries,
  checkRetrieve,
  checkRevocation,
  checkRevokedSubaccounts,
  checkStore,
  conditionHolds,
  type DecodedRequest,
  expireMode,
  grantSubaccount,
  type ParsedRequest,
  parseNamespace,
  parseRequest,
  type RequestSigner,
  type RpcRequest,
} from '@session-v2/network'
import { keyPair, NOW_MS, sessionOwner, wasm } from './owners.ts'

export const HASH = 'A'.repeat(43)
export const alice = sessionOwner(wasm, 1)

const { accountId } = alice
const namespace = parseNamespace(2)
const sub = keyPair(wasm, new Uint8Array(32).fill(9))
const grant = grantSubaccount(wasm, { accountId, secretKey: alice.secretKey, subaccountKey: sub.publicKey, rights: 15 })

/** A subaccount of alice that may do everything. */
export const signer: RequestSigner = { ...alice, secretKey: sub.secretKey, subaccount: grant }

const time = { timestampMs: NOW_MS }
const store = buildStore(wasm, { accountId, namespace, payload: new Uint8Array(8), ...time, ttlMs: 60_000, signer: alice })
const retrieve = buildRetrieve(wasm, { accountId, namespace, lastHash: HASH, maxSize: -5, ...time, signer })
const condition = { hfAtLeast: [19, 4], versionBefore: [3], heightAtLeast: 5 }

/** The requests; that of `info` stands fourth. */
export const requests: readonly RpcRequest[] = [
  store,
  retrieve,
  buildDelete(wasm, { hashes: [HASH], required: true, signer: alice }),
  buildInfo(),
  buildGetSwarm(accountId),
  buildGetServiceNodes(),
  buildBatch([store, retrieve]),
  buildSequence([retrieve, store]),
  buildDeleteAll(wasm, { namespace: 'all', ...time, signer }),
  buildDeleteBefore(wasm, { namespace, beforeMs: NOW_MS, signer }),
  buildExpireAll(wasm, { namespace, expiryMs: NOW_MS, signer }),
  buildExpire(wasm, { hashes: [HASH, HASH], expiriesMs: [NOW_MS, NOW_MS], mode: 'shorten', signer }),
  buildGetExpiries(wasm, { hashes: [HASH], ...time, signer }),
  buildRevokeSubaccount(wasm, { tokens: [grant.token], ...time, signer: alice }),
  buildUnrevokeSubaccount(wasm, { tokens: [grant.token], ...time, signer: alice }),
  buildRevokedSubaccounts(wasm, { ...time, signer: alice }),
  buildIfelse({ condition, whenHolds: buildBatch([store]), otherwise: retrieve }),
  buildActiveNodesBin(),
]

/** Parses and checks a request with all within it. Throws as the parsers do, and when a check gives no answer a node could send. */
export function readAtNode(request: DecodedRequest): ParsedRequest {
  const parsed = parseRequest(request)
  for (const part of partsOf(parsed)) {
    const refusal = check(part)
    if (refusal !== undefined && (refusal.status < 400 || refusal.status > 499)) throw new Error(`${refusal.status}`)
  }
  return parsed
}

function partsOf(parsed: ParsedRequest): readonly ParsedRequest[] {
  if (parsed.method === 'batch' || parsed.method === 'sequence') return parsed.params.requests
  if (parsed.method !== 'ifelse') return [parsed]
  const { condition: given, whenHolds, otherwise } = parsed.params
  const branch = conditionHolds(given, { hf: [19, 4], version: [2, 8, 0], height: 5 }) ? whenHolds : otherwise
  return branch === undefined ? [] : partsOf(branch)
}

function check({ method, params }: ParsedRequest) {
  const live = { tokenRevoked: false }
  switch (method) {
    case 'store':
      return checkStore(wasm, params, NOW_MS, live)
    case 'retrieve':
      return checkRetrieve(wasm, params, NOW_MS, live)
    case 'delete':
      return checkDelete(wasm, params, live)
    case 'delete_all':
      return checkDeleteAll(wasm, params, NOW_MS, live)
    case 'delete_before':
      return checkDeleteBefore(wasm, params, NOW_MS, live)
    case 'expire_all':
      return checkExpireAll(wasm, params, NOW_MS, live)
    case 'expire':
      return expireMode(params) && checkExpire(wasm, params, NOW_MS, live)
    case 'get_expiries':
      return checkGetExpiries(wasm, params, NOW_MS, live)
    case 'revoke_subaccount':
    case 'unrevoke_subaccount':
      return checkRevocation(wasm, method, params, NOW_MS)
    case 'revoked_subaccounts':
      return checkRevokedSubaccounts(wasm, params, NOW_MS)
    default:
      return undefined
  }
}
