/**
 * `store`: keeps a message in a namespace of an account, at every member of its swarm (RPC-50 to RPC-54).
 *
 * | field | JSON | |
 * |---|---|---|
 * | `pubkey` | 66 hex digits | the account |
 * | `namespace` | integer | 0 when absent |
 * | `data` | base64 | at most 76,800 bytes |
 * | `timestamp` | ms | integer or digits |
 * | `ttl` or `expiry` | ms | `ttl` also as digits |
 * | `signature`, `pubkey_ed25519`, `sig_timestamp` | base64, hex, ms | where the namespace is its owner's; `sig_timestamp` is `timestamp` when absent |
 * | `subaccount`, `subaccount_sig` | base64 | when a subaccount signs |
 */
import type { Crypto } from '@session-v2/crypto'
import { ed25519PublicKey, ed25519Signature, ed25519Verify } from '@session-v2/crypto'
import { decodeHex, encodeBase64 } from '@session-v2/encoding'
import type { Namespace } from '../../namespace.ts'
import { badRequest } from '../../network-error.ts'
import { requireSignature, truthy } from '../answer.ts'
import { encodeSignature, parseSignature, type RequestSignature, type RequestSigner, signRequest } from '../auth.ts'
import { MESSAGE_MAX_BYTES } from '../limits.ts'
import { isMessageHash } from '../message-hash.ts'
import type { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'
import { storedText, storeText } from '../signed-text.ts'
import { type MemberAnswer, parseSwarmAnswer } from '../swarm-answer.ts'

export interface StoreParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly namespace: Namespace
  readonly payload: Uint8Array
  readonly timestampMs: number
  readonly expiryMs: number
  readonly signed: (RequestSignature & { readonly sigTimestampMs: number }) | undefined
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseStore(params: Params): StoreParams {
  const account = params.account()
  const timestampMs = params.optionalInteger('timestamp', { digits: true })
  if (timestampMs === undefined) throw badRequest("Required field 'timestamp' missing")
  const ttlMs = params.optionalInteger('ttl', { digits: true })
  const expiryMs = params.optionalTimestamp('expiry')
  if (ttlMs !== undefined && expiryMs !== undefined) throw badRequest("Cannot specify both 'ttl' and 'expiry'")
  const until = expiryMs ?? (ttlMs === undefined ? undefined : timestampMs + ttlMs)
  if (until === undefined) throw badRequest("Required field 'expiry' missing")
  const namespace = params.namespace()
  const signature = parseSignature(params, account)
  const sigTimestampMs = params.optionalTimestamp('sig_timestamp') ?? timestampMs
  const payload = params.requireBytes('data')
  if (payload.length > MESSAGE_MAX_BYTES) {
    throw badRequest(`Message body exceeds maximum allowed length of ${MESSAGE_MAX_BYTES} bytes`)
  }
  return { account, namespace, payload, timestampMs, expiryMs: until, signed: signature && { ...signature, sigTimestampMs } }
}

export interface StoreOptions {
  readonly accountId: string
  readonly namespace: Namespace
  readonly payload: Uint8Array
  readonly timestampMs: number
  readonly ttlMs: number
  /** The owner or a subaccount, where the namespace wants a signature. */
  readonly signer?: RequestSigner
}

/** The request, signed when there is a signer. */
export function buildStore(crypto: Crypto, options: StoreOptions): RpcRequest {
  const { signer, timestampMs, namespace } = options
  const signature = signer && signRequest(crypto, signer, storeText(namespace, timestampMs))
  return {
    method: 'store',
    params: {
      pubkey: options.accountId,
      ...(namespace === 0 ? {} : { namespace }),
      data: encodeBase64(options.payload),
      timestamp: timestampMs,
      ttl: options.ttlMs,
      ...(signature && encodeSignature(signature)),
    },
  }
}

/** What a member answers that has stored a message, or had it already. */
export interface StoredEntry {
  readonly hash: string
  /** The member's, 64 bytes, over the hash. */
  readonly signature: Uint8Array
  /** The expiry in force. */
  readonly expiryMs: number
  readonly already: boolean
}

/** A member's entry of the answer. */
export function encodeStoredEntry({ hash, signature, expiryMs, already }: StoredEntry): Record<string, unknown> {
  return { hash, signature, expiry: expiryMs, ...(already && { already }) }
}

/** How the members of the swarm took a message. */
export interface StoreResult {
  /** Empty when no member has stored the message. */
  readonly hash: string
  readonly stored: readonly { readonly node: string; readonly already: boolean }[]
  readonly failed: readonly string[]
  readonly nodeTimeMs: number | undefined
}

/**
 * Reads an answer. A member counts as having stored only with its valid signature over the hash; where members name different
 * hashes, that of most of them counts, so that one alone cannot make a store fail. Callers who know the hash compare it.
 * @throws NetworkError `malformed`
 */
export function parseStoreResult(crypto: Crypto, answer: unknown): StoreResult {
  const { members, nodeTimeMs } = parseSwarmAnswer(answer)
  const signed = members.map(member => ({ ...member, hash: signedHash(crypto, member) }))
  const hash = mostNamed(signed.map(member => member.hash))
  const stored = signed.filter(member => member.hash !== undefined && member.hash === hash)
  const failed = signed.filter(member => !stored.includes(member)).map(({ node }) => node)
  return {
    hash: hash ?? '',
    stored: stored.map(({ node, fields }) => ({ node, already: truthy(fields.already) })),
    failed,
    nodeTimeMs,
  }
}

/** The hash of a member's entry, if the member has signed it. */
function signedHash(crypto: Crypto, { node, failed, fields }: MemberAnswer): string | undefined {
  if (failed || typeof fields.hash !== 'string' || !isMessageHash(fields.hash)) return undefined
  try {
    const signature = ed25519Signature(requireSignature(fields.signature))
    const valid = ed25519Verify(crypto, ed25519PublicKey(decodeHex(node)), storedText(fields.hash), signature)
    return valid ? fields.hash : undefined
  } catch {
    return undefined
  }
}

/** The hash that stands most often; among equals the first. */
function mostNamed(hashes: readonly (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>()
  for (const hash of hashes) if (hash !== undefined) counts.set(hash, (counts.get(hash) ?? 0) + 1)
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0]
}
