/** `revoked_subaccounts`: which tokens an owner has revoked, by one node's word (RPC-97). */
import type { Crypto } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import type { OwnerSignature } from '../../account-signature.ts'
import { badAnswer } from '../../network-error.ts'
import { SUBACCOUNT_TOKEN_BYTES } from '../../subaccount/token.ts'
import { nodeTimeMs, requireArray, requireBinary, requireObject } from '../answer.ts'
import { encodeSignature, type RequestSigner, requireOwnerSignature, signRequest } from '../auth.ts'
import { SUBACCOUNTS_MAX } from '../limits.ts'
import type { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'
import { revokedSubaccountsText } from '../signed-text.ts'

export interface RevokedSubaccountsParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly timestampMs: number
  readonly signed: OwnerSignature
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseRevokedSubaccounts(params: Params): RevokedSubaccountsParams {
  const account = params.account()
  const timestampMs = params.requireTimestamp('timestamp')
  return { account, timestampMs, signed: requireOwnerSignature(params, account) }
}

export interface RevokedSubaccountsOptions {
  readonly timestampMs: number
  /** The owner. */
  readonly signer: RequestSigner
}

/** The request, signed by the owner. */
export function buildRevokedSubaccounts(crypto: Crypto, { timestampMs, signer }: RevokedSubaccountsOptions): RpcRequest {
  const signed = signRequest(crypto, signer, revokedSubaccountsText(timestampMs))
  const pubkey = encodeHex(decodeHex(signer.accountId))
  return { method: 'revoked_subaccounts', params: { pubkey, timestamp: timestampMs, ...encodeSignature(signed) } }
}

/** The body of an answer. Tokens have 36 bytes. */
export function encodeRevokedSubaccounts(tokens: readonly Uint8Array[]): Record<string, unknown> {
  return { revoked_subaccounts: [...tokens] }
}

export interface RevokedSubaccountsResult {
  /** 36 bytes each. */
  readonly tokens: readonly Uint8Array[]
  readonly nodeTimeMs: number | undefined
}

/** Reads an answer. @throws NetworkError `malformed` */
export function parseRevokedSubaccountsResult(answer: unknown): RevokedSubaccountsResult {
  const fields = requireObject(answer, 'the answer')
  const tokens = requireArray(fields.revoked_subaccounts, 'revoked_subaccounts', SUBACCOUNTS_MAX).map(value => {
    const token = requireBinary(value, 'a subaccount')
    if (token.length !== SUBACCOUNT_TOKEN_BYTES) throw badAnswer(`a subaccount of ${token.length} bytes`)
    return token
  })
  return { tokens, nodeTimeMs: nodeTimeMs(fields) }
}
