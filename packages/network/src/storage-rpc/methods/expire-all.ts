/**
 * `expire_all`: lowers the expiry of all messages of one namespace, or of all (RPC-92, RPC-43).
 *
 * | field | JSON | |
 * |---|---|---|
 * | `pubkey` | 66 hex digits | the account |
 * | `namespace` | integer, or `all` | 0 when absent |
 * | `expiry` | ms | what no message outlives any more |
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
import { expireAllText } from '../signed-text.ts'
import type { SignedAnswer } from '../swarm-answer.ts'

export interface ExpireAllParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly namespace: Namespace | 'all'
  readonly expiryMs: number
  readonly signed: RequestSignature
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseExpireAll(params: Params): ExpireAllParams {
  const account = params.account()
  const expiryMs = params.requireTimestamp('expiry')
  const namespace = params.namespaceOrAll()
  return { account, namespace, expiryMs, signed: requireSignatureOf(params, account) }
}

/** The request of these parameters. */
export function encodeExpireAll({ account, namespace, expiryMs, signed }: ExpireAllParams): RpcRequest {
  return {
    method: 'expire_all',
    params: {
      pubkey: encodeHex(account),
      ...(namespace === 0 ? {} : { namespace }),
      expiry: expiryMs,
      ...encodeSignature(signed),
    },
  }
}

export interface ExpireAllOptions {
  readonly namespace: Namespace | 'all'
  readonly expiryMs: number
  readonly signer: RequestSigner
}

/** The request, signed. */
export function buildExpireAll(crypto: Crypto, { namespace, expiryMs, signer }: ExpireAllOptions): RpcRequest {
  const signed = signRequest(crypto, signer, expireAllText(namespace, expiryMs))
  return encodeExpireAll({ account: decodeHex(signer.accountId), namespace, expiryMs, signed })
}

/** What a member answers that has lowered expiries. */
export interface AllExpiredEntry {
  readonly updated: NamespacedHashes
  /** The member's, 64 bytes, over `changedText`. */
  readonly signature: Uint8Array
}

/** A member's entry of the answer. */
export function encodeAllExpiredEntry({ updated, signature }: AllExpiredEntry): Record<string, unknown> {
  return { updated: encodeNamespacedHashes(updated), signature }
}

/** Reads the answer to a request of an account and a time. @throws NetworkError `malformed` */
export function parseExpireAllResult(
  crypto: Crypto,
  answer: unknown,
  { accountId, expiryMs }: { readonly accountId: string; readonly expiryMs: number },
): SignedAnswer<NamespacedHashes> {
  return parseChangedHashes(crypto, answer, { accountId, timeMs: expiryMs, field: 'updated' })
}
