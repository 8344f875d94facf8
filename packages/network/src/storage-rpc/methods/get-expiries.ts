/**
 * `get_expiries`: when messages expire, by one node's word (RPC-95).
 *
 * | field | JSON | |
 * |---|---|---|
 * | `pubkey` | 66 hex digits | the account |
 * | `messages` | list of hashes, or `all` | |
 * | `timestamp` | ms | |
 * | `signature`, `pubkey_ed25519` | base64, hex | always |
 * | `subaccount`, `subaccount_sig` | base64 | when a subaccount signs |
 */
import type { Crypto } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { requireObject } from '../answer.ts'
import { encodeSignature, type RequestSignature, type RequestSigner, requireSignatureOf, signRequest } from '../auth.ts'
import type { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'
import { getExpiriesText } from '../signed-text.ts'
import { parseExpiries } from './expire.ts'

export interface GetExpiriesParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly hashes: readonly string[] | 'all'
  readonly timestampMs: number
  readonly signed: RequestSignature
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseGetExpiries(params: Params): GetExpiriesParams {
  const account = params.account()
  const hashes = params.requireHashesOrAll()
  const timestampMs = params.requireTimestamp('timestamp')
  return { account, hashes, timestampMs, signed: requireSignatureOf(params, account) }
}

export interface GetExpiriesOptions {
  readonly hashes: readonly string[] | 'all'
  readonly timestampMs: number
  readonly signer: RequestSigner
}

/** The request, signed. */
export function buildGetExpiries(crypto: Crypto, { hashes, timestampMs, signer }: GetExpiriesOptions): RpcRequest {
  const signed = signRequest(crypto, signer, getExpiriesText(timestampMs, hashes))
  return {
    method: 'get_expiries',
    params: {
      pubkey: encodeHex(decodeHex(signer.accountId)),
      messages: hashes === 'all' ? hashes : [...hashes],
      timestamp: timestampMs,
      ...encodeSignature(signed),
    },
  }
}

/** The body of an answer: the expiry, in milliseconds, of each message that is there. It carries neither time nor hard fork. */
export function encodeExpiries(expiriesMs: ReadonlyMap<string, number>): Record<string, unknown> {
  return { expiries: Object.fromEntries(expiriesMs) }
}

/** Reads an answer. @throws NetworkError `malformed` */
export function parseGetExpiriesResult(answer: unknown): Map<string, number> {
  return parseExpiries(requireObject(answer, 'the answer').expiries, 'expiries')
}
