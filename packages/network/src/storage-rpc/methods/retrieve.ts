/**
 * `retrieve`: the messages of one namespace, oldest first, from one node's own order (RPC-55 to RPC-58).
 *
 * | field | JSON | |
 * |---|---|---|
 * | `pubkey`, `namespace` | as in store | |
 * | `last_hash` | 43 characters | continue behind this message; unknown or empty: from the start |
 * | `max_count`, `max_size` | integers | `max_size` −k is 1/k of the budget, 0 is the default |
 * | `timestamp`, `signature`, `pubkey_ed25519` | ms, base64, hex | where the namespace is its owner's; if one is given, all count |
 * | `subaccount`, `subaccount_sig` | base64 | when a subaccount signs |
 */
import type { Crypto } from '@session-v2/crypto'
import { type Namespace, retrieveNeedsSignature } from '../../namespace.ts'
import { badAnswer, badRequest } from '../../network-error.ts'
import { nodeTimeMs, requireArray, requireBinary, requireHash, requireInteger, requireObject, truthy } from '../answer.ts'
import { encodeSignature, parseSignature, type RequestSignature, type RequestSigner, signRequest } from '../auth.ts'
import { MESSAGE_MAX_BYTES, RETRIEVE_MAX_MESSAGES } from '../limits.ts'
import { isMessageHash } from '../message-hash.ts'
import type { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'
import { retrieveText } from '../signed-text.ts'

export interface RetrieveParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly namespace: Namespace
  readonly lastHash: string | undefined
  readonly maxCount: number | undefined
  readonly maxSize: number | undefined
  readonly signed: (RequestSignature & { readonly timestampMs: number }) | undefined
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseRetrieve(params: Params): RetrieveParams {
  const account = params.account()
  const namespace = params.namespace()
  const lastHash = params.optionalString('last_hash', 'lastHash')
  if (lastHash !== undefined && lastHash !== '' && !isMessageHash(lastHash))
    throw badRequest('Invalid last_hash: expected base64')
  const maxCount = params.optionalInteger('max_count')
  const maxSize = params.optionalInteger('max_size')
  const signature = parseSignature(params, account)
  const timestampMs = params.optionalTimestamp('timestamp')
  const anyGiven =
    ['signature', 'timestamp', 'pubkey_ed25519'].some(name => params.has(name)) || params.optionalToken() !== undefined
  if (anyGiven || (namespace !== 0 && retrieveNeedsSignature(namespace))) {
    if (signature === undefined) throw badRequest("Required field 'signature' missing")
    if (timestampMs === undefined) throw badRequest("Required field 'timestamp' missing")
  }
  const signed = signature && timestampMs !== undefined ? { ...signature, timestampMs } : undefined
  return { account, namespace, lastHash: lastHash || undefined, maxCount, maxSize, signed }
}

export interface RetrieveOptions {
  readonly accountId: string
  readonly namespace: Namespace
  readonly lastHash?: string | undefined
  readonly maxSize?: number
  readonly timestampMs: number
  /** The owner or a subaccount, where the namespace is not open. */
  readonly signer?: RequestSigner
}

/** The request, signed when there is a signer. */
export function buildRetrieve(crypto: Crypto, options: RetrieveOptions): RpcRequest {
  const { signer, timestampMs, namespace } = options
  const signature =
    signer === undefined
      ? {}
      : { timestamp: timestampMs, ...encodeSignature(signRequest(crypto, signer, retrieveText(namespace, timestampMs))) }
  return {
    method: 'retrieve',
    params: {
      pubkey: options.accountId,
      ...(namespace === 0 ? {} : { namespace }),
      ...(options.lastHash === undefined ? {} : { last_hash: options.lastHash }),
      ...(options.maxSize === undefined ? {} : { max_size: options.maxSize }),
      ...signature,
    },
  }
}

/** A message as a node hands it out. */
export interface RetrievedMessage {
  readonly hash: string
  readonly payload: Uint8Array
  /** The sender's timestamp, in milliseconds. */
  readonly timestampMs: number
  readonly expiryMs: number
}

export interface RetrievedPage {
  readonly messages: readonly RetrievedMessage[]
  /** Whether the node has more behind the last one. */
  readonly more: boolean
}

/** The body of an answer. */
export function encodeRetrievedPage({ messages, more }: RetrievedPage): Record<string, unknown> {
  return {
    messages: messages.map(({ hash, payload, timestampMs, expiryMs }) => {
      return { hash, timestamp: timestampMs, expiration: expiryMs, data: payload }
    }),
    more,
  }
}

export interface RetrieveResult extends RetrievedPage {
  readonly nodeTimeMs: number | undefined
}

/** Reads an answer. The hashes are the node's word: nobody has signed them. @throws NetworkError `malformed` */
export function parseRetrieveResult(answer: unknown): RetrieveResult {
  const fields = requireObject(answer, 'the answer')
  const messages = requireArray(fields.messages, 'messages', RETRIEVE_MAX_MESSAGES).map(parseMessage)
  return { messages, more: truthy(fields.more), nodeTimeMs: nodeTimeMs(fields) }
}

function parseMessage(value: unknown): RetrievedMessage {
  const fields = requireObject(value, 'a message')
  return {
    hash: requireHash(fields.hash),
    payload: parsePayload(fields.data),
    timestampMs: requireInteger(fields.timestamp, 'a timestamp'),
    expiryMs: requireInteger(fields.expiration, 'an expiry'),
  }
}

function parsePayload(value: unknown): Uint8Array {
  const payload = requireBinary(value, 'a message body')
  if (payload.length > MESSAGE_MAX_BYTES) throw badAnswer(`a message of ${payload.length} bytes`)
  return payload
}
