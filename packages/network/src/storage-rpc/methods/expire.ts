/**
 * `expire`: changes the expiry of messages, in any namespace (RPC-93, RPC-94).
 *
 * | field | JSON | |
 * |---|---|---|
 * | `pubkey` | 66 hex digits | the account |
 * | `messages` | list of hashes | |
 * | `expiry` | ms, or a list of them | one for all messages, or one for each |
 * | `shorten`, `extend` | boolean | only lower, only raise; at most one of them |
 * | `signature`, `pubkey_ed25519` | base64, hex | always |
 * | `subaccount`, `subaccount_sig` | base64 | when a subaccount signs |
 */
import type { Crypto } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { MAX_TTL_MS } from '../../namespace.ts'
import { badAnswer, badRequest } from '../../network-error.ts'
import { hasRights } from '../../subaccount/permission.ts'
import { SUBACCOUNT_RIGHT } from '../../subaccount/token.ts'
import { type AnswerFields, requireArray, requireHash, requireHashList, requireInteger, requireObject } from '../answer.ts'
import { encodeSignature, type RequestSignature, type RequestSigner, requireSignatureOf, signRequest } from '../auth.ts'
import { ANSWER_MAX_HASHES, REQUEST_MAX_HASHES } from '../limits.ts'
import type { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'
import { type ExpireMode, expiredText, expireText } from '../signed-text.ts'
import { parseSignedAnswer, type SignedAnswer } from '../swarm-answer.ts'

export interface ExpireParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly hashes: readonly string[]
  /** One, or as many as hashes, in milliseconds. */
  readonly expiriesMs: readonly number[]
  /** As asked for and signed. What is done is `expireMode`. */
  readonly mode: ExpireMode
  readonly signed: RequestSignature
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseExpire(params: Params): ExpireParams {
  const account = params.account()
  const hashes = params.requireHashes()
  const expiriesMs = params.optionalIntegers('expiry', REQUEST_MAX_HASHES)
  if (expiriesMs === undefined) throw badRequest("Required field 'expiry' missing")
  if (expiriesMs.length !== 1 && expiriesMs.length !== hashes.length)
    throw badRequest("Invalid value given for 'expiry': expected one, or one for each of 'messages'")
  const [shorten, extend] = [params.optionalBoolean('shorten'), params.optionalBoolean('extend')]
  if (shorten && extend) throw badRequest("Cannot specify both 'shorten' and 'extend'")
  const mode = shorten ? 'shorten' : extend ? 'extend' : 'set'
  return { account, hashes, expiriesMs, mode, signed: requireSignatureOf(params, account) }
}

/** What is done: a subaccount that may not delete only raises, since with a lower expiry it could. */
export function expireMode({ mode, signed: { subaccount } }: ExpireParams): ExpireMode {
  const mayLower = subaccount === undefined || hasRights(subaccount, SUBACCOUNT_RIGHT.delete)
  return mode === 'set' && !mayLower ? 'extend' : mode
}

/** The expiry that a request sets at most, in any namespace, in milliseconds. */
export function cappedExpiryMs(expiryMs: number, nowMs: number): number {
  return Math.min(expiryMs, nowMs + MAX_TTL_MS)
}

/** The request of these parameters. */
export function encodeExpire({ account, hashes, expiriesMs, mode, signed }: ExpireParams): RpcRequest {
  return {
    method: 'expire',
    params: {
      pubkey: encodeHex(account),
      messages: [...hashes],
      expiry: expiriesMs.length === 1 ? expiriesMs[0] : [...expiriesMs],
      ...(mode === 'set' ? {} : { [mode]: true }),
      ...encodeSignature(signed),
    },
  }
}

export interface ExpireOptions {
  readonly hashes: readonly string[]
  /** One, or as many as hashes. */
  readonly expiriesMs: readonly number[]
  readonly mode?: ExpireMode
  readonly signer: RequestSigner
}

/** The request, signed. */
export function buildExpire(crypto: Crypto, { hashes, expiriesMs, mode = 'set', signer }: ExpireOptions): RpcRequest {
  const signed = signRequest(crypto, signer, expireText(mode, expiriesMs, hashes))
  return encodeExpire({ account: decodeHex(signer.accountId), hashes, expiriesMs, mode, signed })
}

/** What a member did. */
export interface ExpiredMessages {
  readonly updated: readonly string[]
  /** The one expiry that was set, or those of the updated messages, in the order of their sorted hashes. */
  readonly expiriesMs: number | readonly number[]
  /** Messages that were there and stayed as they are, with their expiry; only for shorten and extend. */
  readonly unchanged?: ReadonlyMap<string, number> | undefined
}

/** What a member answers that has changed expiries. */
export interface ExpiredEntry extends ExpiredMessages {
  /** The member's, 64 bytes, over `expiredEntryText`. */
  readonly signature: Uint8Array
}

/** What a member signs of it. `requested` are the hashes of the request. */
export function expiredEntryText(account: Uint8Array, requested: readonly string[], entry: ExpiredMessages): Uint8Array {
  const { updated, expiriesMs, unchanged = new Map<string, number>() } = entry
  return expiredText(account, { requested, updated, expiriesMs: [expiriesMs].flat(), unchanged })
}

/** A member's entry of the answer. */
export function encodeExpiredEntry({ updated, expiriesMs, unchanged, signature }: ExpiredEntry): Record<string, unknown> {
  return {
    expiry: expiriesMs,
    updated: updated.toSorted(),
    ...(unchanged && { unchanged: Object.fromEntries(unchanged) }),
    signature,
  }
}

/** Reads the answer to a request of an account and hashes. @throws NetworkError `malformed` */
export function parseExpireResult(
  crypto: Crypto,
  answer: unknown,
  { accountId, hashes }: { readonly accountId: string; readonly hashes: readonly string[] },
): SignedAnswer<ExpiredMessages> {
  const account = decodeHex(accountId)
  return parseSignedAnswer(crypto, answer, parseEntry, entry => expiredEntryText(account, hashes, entry))
}

function parseEntry(fields: AnswerFields): ExpiredMessages {
  const updated = requireHashList(fields.updated, 'updated')
  const unchanged = fields.unchanged === undefined ? undefined : parseExpiries(fields.unchanged, 'unchanged')
  if (!Array.isArray(fields.expiry)) return { updated, expiriesMs: requireInteger(fields.expiry, 'an expiry'), unchanged }
  const expiriesMs = requireArray(fields.expiry, 'expiry', ANSWER_MAX_HASHES).map(time => requireInteger(time, 'an expiry'))
  if (expiriesMs.length !== updated.length) throw badAnswer('not as many expiries as messages')
  return { updated, expiriesMs, unchanged }
}

/** Expiries in milliseconds by hash. @throws NetworkError `malformed` */
export function parseExpiries(value: unknown, what: string): Map<string, number> {
  const entries = requireArray(Object.entries(requireObject(value, what)), what, ANSWER_MAX_HASHES) as [string, unknown][]
  return new Map(entries.map(([hash, time]) => [requireHash(hash), requireInteger(time, 'an expiry')]))
}
