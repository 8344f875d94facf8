/**
 * `delete_before`: removes the messages with a timestamp up to a time (RPC-91, RPC-43).
 *
 * | field | JSON | |
 * |---|---|---|
 * | `pubkey` | 66 hex digits | the account |
 * | `namespace` | integer, or `all` | 0 when absent |
 * | `before` | ms | the latest timestamp that is deleted |
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
import { deleteBeforeText } from '../signed-text.ts'
import type { SignedAnswer } from '../swarm-answer.ts'

export interface DeleteBeforeParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly namespace: Namespace | 'all'
  readonly beforeMs: number
  readonly signed: RequestSignature
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseDeleteBefore(params: Params): DeleteBeforeParams {
  const account = params.account()
  const beforeMs = params.requireTimestamp('before')
  const namespace = params.namespaceOrAll()
  return { account, namespace, beforeMs, signed: requireSignatureOf(params, account) }
}

/** The request of these parameters. */
export function encodeDeleteBefore({ account, namespace, beforeMs, signed }: DeleteBeforeParams): RpcRequest {
  return {
    method: 'delete_before',
    params: {
      pubkey: encodeHex(account),
      ...(namespace === 0 ? {} : { namespace }),
      before: beforeMs,
      ...encodeSignature(signed),
    },
  }
}

export interface DeleteBeforeOptions {
  readonly namespace: Namespace | 'all'
  readonly beforeMs: number
  readonly signer: RequestSigner
}

/** The request, signed. */
export function buildDeleteBefore(crypto: Crypto, { namespace, beforeMs, signer }: DeleteBeforeOptions): RpcRequest {
  const signed = signRequest(crypto, signer, deleteBeforeText(namespace, beforeMs))
  return encodeDeleteBefore({ account: decodeHex(signer.accountId), namespace, beforeMs, signed })
}

/** What a member answers that has deleted old messages. */
export interface DeletedBeforeEntry {
  readonly deleted: NamespacedHashes
  /** The member's, 64 bytes, over `changedText`. */
  readonly signature: Uint8Array
}

/** A member's entry of the answer. */
export function encodeDeletedBeforeEntry({ deleted, signature }: DeletedBeforeEntry): Record<string, unknown> {
  return { deleted: encodeNamespacedHashes(deleted), signature }
}

/** Reads the answer to a request of an account and a time. @throws NetworkError `malformed` */
export function parseDeleteBeforeResult(
  crypto: Crypto,
  answer: unknown,
  { accountId, beforeMs }: { readonly accountId: string; readonly beforeMs: number },
): SignedAnswer<NamespacedHashes> {
  return parseChangedHashes(crypto, answer, { accountId, timeMs: beforeMs, field: 'deleted' })
}
