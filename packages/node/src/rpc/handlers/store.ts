/** `store`: checks, keeps here, passes on to the swarm. */
import { encodeHex } from '@session-v2/encoding'
import {
  checkStore,
  encodeStoredEntry,
  isOutbox,
  messageHash,
  type RpcRequest,
  type StoreParams,
  storedText,
} from '@session-v2/network'
import type { SwarmEntry } from '../../swarm/replication.ts'
import { type NodeServices, type Origin, type RpcAnswer, refuseForeign } from '../services.ts'
import { writeToSwarm } from '../swarm-write.ts'
import { base64, signatureFields } from '../wire-fields.ts'

/** 200 with an entry per member; 421, 403, 406 and 401 as the checks of the network package say (NODE-24, NODE-25, NODE-32). */
export async function store(node: NodeServices, params: StoreParams, origin: Origin): Promise<RpcAnswer> {
  const refusal = refuseForeign(node, params.account) ?? checkStore(node.crypto, params, node.clock.nowMs())
  if (refusal !== undefined) return refusal
  const hash = messageHash(node.crypto, params.account, params.namespace, params.payload)
  return writeToSwarm(
    node,
    origin,
    () => encodeStore(params),
    () => keep(node, params, hash),
    { hash },
  )
}

async function keep(node: NodeServices, params: StoreParams, hash: string): Promise<SwarmEntry> {
  const { account, namespace, payload: data, timestampMs, expiryMs } = params
  const message = { account, namespace, hash, timestampMs, expiryMs, data }
  const kept = await node.store.store(message, isOutbox(namespace))
  const signature = node.identity.sign(storedText(hash))
  return encodeStoredEntry({ hash, signature, expiryMs: kept.expiryMs, already: kept.outcome === 'already' })
}

/** The request as peers get it: only fields that mean something, the expiry instead of a TTL. */
function encodeStore(params: StoreParams): RpcRequest {
  const { account, namespace, payload, timestampMs, expiryMs, signed } = params
  return {
    method: 'store',
    params: {
      pubkey: encodeHex(account),
      namespace,
      timestamp: timestampMs,
      expiry: expiryMs,
      data: base64(payload),
      ...(signed && { ...signatureFields(signed), sig_timestamp: signed.sigTimestampMs }),
    },
  }
}
