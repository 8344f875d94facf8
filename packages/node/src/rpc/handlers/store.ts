/** `store`: checks, keeps here, passes on to the swarm. */
import { encodeHex } from '@session-v2/encoding'
import {
  checkStore,
  encodeSignature,
  encodeStoredEntry,
  isOutbox,
  messageHash,
  type RpcRequest,
  type StoreParams,
  storedText,
} from '@session-v2/network'
import type { Change } from '../../store/store.ts'
import type { SwarmEntry } from '../../swarm/replication.ts'
import { readStored } from '../peer-entry.ts'
import { type Asked, contextOf, type NodeServices, type RpcAnswer, refuseForeign } from '../services.ts'
import { writeToSwarm } from '../swarm-write.ts'

/** 200 with an entry per member; 421, 403, 406 and 401 as the checks of the network package say (NODE-24, NODE-25, NODE-32). */
export async function store(node: NodeServices, params: StoreParams, asked: Asked): Promise<RpcAnswer> {
  const foreign = refuseForeign(node, params.account)
  if (foreign !== undefined) return foreign
  const refusal = checkStore(node.crypto, params, asked.atMs, await contextOf(node, params, asked.origin))
  if (refusal !== undefined) return refusal
  const hash = messageHash(node.crypto, params.account, params.namespace, params.payload)
  return writeToSwarm(node, asked, {
    request: () => forwardedStore(params),
    execute: change => keep(node, params, hash, change),
    readEntry: readStored,
    isProof: false,
    extra: { hash },
  })
}

async function keep(node: NodeServices, params: StoreParams, hash: string, change: Change): Promise<SwarmEntry> {
  const { account, namespace, payload: data, timestampMs, expiryMs } = params
  const message = { account, namespace, hash, timestampMs, expiryMs, data }
  const kept = await node.store.store(message, isOutbox(namespace), change)
  if (kept.outcome === 'stored') node.events?.publish({ kind: 'stored', message })
  const signature = node.identity.sign(storedText(hash))
  return encodeStoredEntry({ hash, signature, expiryMs: kept.expiryMs, already: kept.outcome === 'already' })
}

/** The request as peers get it: only fields that mean something, the expiry instead of a TTL, and what is binary as it is in bt. */
function forwardedStore(params: StoreParams): RpcRequest {
  const { account, namespace, payload, timestampMs, expiryMs, signed } = params
  return {
    method: 'store',
    params: {
      pubkey: encodeHex(account),
      ...(namespace === 0 ? {} : { namespace }),
      timestamp: timestampMs,
      expiry: expiryMs,
      data: payload,
      ...(signed && { ...encodeSignature(signed), sig_timestamp: signed.sigTimestampMs }),
    },
  }
}
