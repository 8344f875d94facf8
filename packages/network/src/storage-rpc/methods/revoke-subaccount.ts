/**
 * `revoke_subaccount`: takes back what the owner let subaccounts do, at every member of the swarm (RPC-96).
 *
 * | field | JSON | |
 * |---|---|---|
 * | `pubkey` | 66 hex digits | the account |
 * | `revoke` | token, or a list of them | base64 or hex, 36 bytes each |
 * | `timestamp` | ms | |
 * | `signature`, `pubkey_ed25519` | base64, hex | the owner's |
 */
import type { Crypto } from '@session-v2/crypto'
import { decodeHex, encodeBase64, encodeHex } from '@session-v2/encoding'
import type { OwnerSignature } from '../../account-signature.ts'
import { encodeSignature, type RequestSigner, requireOwnerSignature, signRequest } from '../auth.ts'
import type { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'
import { revokedText, revokeText } from '../signed-text.ts'
import { parseSignedAnswer, type SignedAnswer } from '../swarm-answer.ts'

/** The parameters of revoke_subaccount and unrevoke_subaccount. */
export interface RevokeParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly timestampMs: number
  /** 36 bytes each. */
  readonly tokens: readonly Uint8Array[]
  readonly signed: OwnerSignature
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseRevokeSubaccount(params: Params): RevokeParams {
  return parseRevocation(params, 'revoke')
}

/** Reads either request; `field` is the name of the list of tokens. @throws NetworkError `malformed`, status 400 */
export function parseRevocation(params: Params, field: 'revoke' | 'unrevoke'): RevokeParams {
  const account = params.account()
  const tokens = params.requireTokens(field)
  const timestampMs = params.requireTimestamp('timestamp')
  return { account, timestampMs, tokens, signed: requireOwnerSignature(params, account) }
}

/** The request of these parameters. */
export function encodeRevokeSubaccount(params: RevokeParams): RpcRequest {
  return encodeRevocation('revoke_subaccount', 'revoke', params)
}

/** Either request of these parameters. */
export function encodeRevocation(method: string, field: 'revoke' | 'unrevoke', params: RevokeParams): RpcRequest {
  const { account, timestampMs, tokens, signed } = params
  const fields = { [field]: tokens.map(token => encodeBase64(token)), timestamp: timestampMs, ...encodeSignature(signed) }
  return { method, params: { pubkey: encodeHex(account), ...fields } }
}

export interface RevokeOptions {
  /** 36 bytes each, 1 to 50. */
  readonly tokens: readonly Uint8Array[]
  readonly timestampMs: number
  /** The owner. */
  readonly signer: RequestSigner
}

/** The request, signed by the owner. */
export function buildRevokeSubaccount(crypto: Crypto, { tokens, timestampMs, signer }: RevokeOptions): RpcRequest {
  const signed = signRequest(crypto, signer, revokeText('revoke_subaccount', timestampMs, tokens))
  return encodeRevokeSubaccount({ account: decodeHex(signer.accountId), timestampMs, tokens, signed })
}

/** What a member answers that has revoked. Its signature, 64 bytes, is over `revokedText`. */
export function encodeRevokedEntry(signature: Uint8Array): Record<string, unknown> {
  return { signature }
}

/** What was asked, to read the answer with. */
export interface AskedRevocation {
  readonly accountId: string
  readonly timestampMs: number
  readonly tokens: readonly Uint8Array[]
}

/** Reads an answer: who has revoked. @throws NetworkError `malformed` */
export function parseRevokeResult(crypto: Crypto, answer: unknown, asked: AskedRevocation): SignedAnswer<undefined> {
  const text = revokedText(decodeHex(asked.accountId), asked.timestampMs, asked.tokens)
  return parseSignedAnswer<undefined>(
    crypto,
    answer,
    () => undefined,
    () => text,
  )
}
