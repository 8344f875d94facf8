/**
 * `delete_all`: removes all messages of one namespace, or of all (RPC-90, RPC-43).
 *
 * | field | JSON | |
 * |---|---|---|
 * | `pubkey` | 66 hex digits | the account |
 * | `namespace` | integer, or `all` | 0 when absent |
 * | `timestamp` | ms | when it is signed |
 * | `signature`, `pubkey_ed25519` | base64, hex | always |
 * | `subaccount`, `subaccount_sig` | base64 | when a subaccount signs |
 */
import type { Crypto } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import type { Namespace } from '../../namespace.ts'
import { encodeSignature, type RequestSignature, type RequestSigner, requireSignatureOf, signRequest } from '../auth.ts'
import { encodeNamespacedHashes, type NamespacedHashes, parseChangedHashes } from '../namespaced-hashes.ts'
import type { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'
import { deleteAllText } from '../signed-text.ts'
import type { SignedAnswer } from '../swarm-answer.ts'

export interface DeleteAllParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly namespace: Namespace | 'all'
  readonly timestampMs: number
  readonly signed: RequestSignature
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseDeleteAll(params: Params): DeleteAllParams {
  const account = params.account()
  const timestampMs = params.requireTimestamp('timestamp')
  const namespace = params.namespaceOrAll()
  return { account, namespace, timestampMs, signed: requireSignatureOf(params, account) }
}

/** The request of these parameters. */
export function encodeDeleteAll({ account, namespace, timestampMs, signed }: DeleteAllParams): RpcRequest {
  return {
    method: 'delete_all',
    params: {
      pubkey: encodeHex(account),
      ...(namespace === 0 ? {} : { namespace }),
      timestamp: timestampMs,
      ...encodeSignature(signed),
    },
  }
}

export interface DeleteAllOptions {
  readonly namespace: Namespace | 'all'
  readonly timestampMs: number
  readonly signer: RequestSigner
}

/** The request, signed. */
export function buildDeleteAll(crypto: Crypto, { namespace, timestampMs, signer }: DeleteAllOptions): RpcRequest {
  const signed = signRequest(crypto, signer, deleteAllText(namespace, timestampMs))
  return encodeDeleteAll({ account: decodeHex(signer.accountId), namespace, timestampMs, signed })
}

/** What a member answers that has deleted all messages. */
export interface AllDeletedEntry {
  readonly deleted: NamespacedHashes
  /** The member's, 64 bytes, over `changedText`. */
  readonly signature: Uint8Array
}

/** A member's entry of the answer. */
export function encodeAllDeletedEntry({ deleted, signature }: AllDeletedEntry): Record<string, unknown> {
  return { deleted: encodeNamespacedHashes(deleted), signature }
}

/** Reads the answer to a request of an account and a time. @throws NetworkError `malformed` */
export function parseDeleteAllResult(
  crypto: Crypto,
  answer: unknown,
  { accountId, timestampMs }: { readonly accountId: string; readonly timestampMs: number },
): SignedAnswer<NamespacedHashes> {
  return parseChangedHashes(crypto, answer, { accountId, timeMs: timestampMs, field: 'deleted' })
}
