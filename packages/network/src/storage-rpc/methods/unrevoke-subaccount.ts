/** `unrevoke_subaccount`: lets revoked subaccounts in again. Like revoke_subaccount, with the tokens in `unrevoke` (RPC-96). */
import type { Crypto } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import { requireInteger } from '../answer.ts'
import { signRequest } from '../auth.ts'
import type { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'
import { revokedText, revokeText } from '../signed-text.ts'
import { parseSignedAnswer, type SignedAnswer } from '../swarm-answer.ts'
import {
  type AskedRevocation,
  encodeRevocation,
  parseRevocation,
  type RevokeOptions,
  type RevokeParams,
} from './revoke-subaccount.ts'

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseUnrevokeSubaccount(params: Params): RevokeParams {
  return parseRevocation(params, 'unrevoke')
}

/** The request of these parameters. */
export function encodeUnrevokeSubaccount(params: RevokeParams): RpcRequest {
  return encodeRevocation('unrevoke_subaccount', 'unrevoke', params)
}

/** The request, signed by the owner. */
export function buildUnrevokeSubaccount(crypto: Crypto, { tokens, timestampMs, signer }: RevokeOptions): RpcRequest {
  const signed = signRequest(crypto, signer, revokeText('unrevoke_subaccount', timestampMs, tokens))
  return encodeUnrevokeSubaccount({ account: decodeHex(signer.accountId), timestampMs, tokens, signed })
}

/** What a member answers that has readmitted `count` subaccounts. Its signature, 64 bytes, is over `revokedText`. */
export function encodeUnrevokedEntry(count: number, signature: Uint8Array): Record<string, unknown> {
  return { count, signature }
}

/** Reads an answer: how many were revoked, and are not any more, at each member. @throws NetworkError `malformed` */
export function parseUnrevokeResult(crypto: Crypto, answer: unknown, asked: AskedRevocation): SignedAnswer<number> {
  const text = revokedText(decodeHex(asked.accountId), asked.timestampMs, asked.tokens)
  return parseSignedAnswer(
    crypto,
    answer,
    fields => requireInteger(fields.count, 'a count'),
    () => text,
  )
}
