/**
 * `store`: keeps a message in a namespace of an account, at every member of its swarm (RPC-50 to RPC-54).
 *
 * | field | JSON | |
 * |---|---|---|
 * | `pubkey` | 66 hex digits | the account |
 * | `namespace` | integer | 0 when absent |
 * | `data` | base64 | at most 76,800 bytes |
 * | `timestamp` | ms | integer or digits |
 * | `ttl` or `expiry` | ms | integer or digits |
 * | `signature`, `pubkey_ed25519`, `sig_timestamp` | base64, hex, ms | where the namespace is its owner's; `sig_timestamp` is `timestamp` when absent |
 */
import type { Crypto } from '@session-v2/crypto'
import { type Ed25519Signature, ed25519PublicKey, ed25519Verify } from '@session-v2/crypto'
import { decodeBase64, decodeHex, encodeBase64 } from '@session-v2/encoding'
import type { Namespace } from '../../namespace.ts'
import { badAnswer, badRequest } from '../../network-error.ts'
import { requireText, truthy } from '../answer.ts'
import { parseSignature, type RequestSignature, type RequestSigner, signatureFields } from '../auth.ts'
import { MESSAGE_MAX_BYTES } from '../limits.ts'
import { isMessageHash } from '../message-hash.ts'
import { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'
import { storedText, storeText } from '../signed-text.ts'
import { parseSwarmAnswer } from '../swarm-answer.ts'

export interface StoreParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly namespace: Namespace
  readonly payload: Uint8Array
  readonly timestampMs: number
  readonly expiryMs: number
  readonly signed: (RequestSignature & { readonly sigTimestampMs: number }) | undefined
}

export function parseStore(fields: Readonly<Record<string, unknown>>): StoreParams {
  const params = new Params(fields)
  const account = params.account()
  const timestampMs = params.optionalInteger('timestamp', { digits: true })
  if (timestampMs === undefined) throw badRequest("Required field 'timestamp' missing")
  const ttlMs = params.optionalInteger('ttl', { digits: true })
  const expiryMs = params.optionalInteger('expiry', { digits: true })
  if (ttlMs !== undefined && expiryMs !== undefined) throw badRequest("Cannot specify both 'ttl' and 'expiry'")
  const until = expiryMs ?? (ttlMs === undefined ? undefined : timestampMs + ttlMs)
  if (until === undefined) throw badRequest("Required field 'expiry' missing")
  const namespace = params.namespace()
  const signature = parseSignature(params, account)
  const sigTimestampMs = params.optionalTimestamp('sig_timestamp') ?? timestampMs
  const payload = params.requireBase64('data')
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
  /** The owner, where the namespace wants a signature. */
  readonly signer?: RequestSigner
}

export function buildStore(crypto: Crypto, options: StoreOptions): RpcRequest {
  const { signer, timestampMs, namespace } = options
  const signature = signer === undefined ? {} : signatureFields(crypto, signer, storeText(namespace, timestampMs))
  return {
    method: 'store',
    params: {
      pubkey: options.accountId,
      ...(namespace === 0 ? {} : { namespace }),
      data: encodeBase64(options.payload),
      timestamp: timestampMs,
      ttl: options.ttlMs,
      ...signature,
    },
  }
}

/** How the members of the swarm took a message. */
export interface StoreResult {
  readonly hash: string
  readonly stored: readonly { readonly node: string; readonly already: boolean }[]
  readonly failed: readonly string[]
  readonly nodeTimeMs: number | undefined
}

/**
 * Reads an answer; a member counts as having stored only with its valid signature over the hash.
 * @throws NetworkError `malformed`, also when members name different hashes.
 */
export function parseStoreResult(crypto: Crypto, answer: unknown): StoreResult {
  const { members, nodeTimeMs } = parseSwarmAnswer(answer)
  const stored: { node: string; already: boolean }[] = []
  const failed: string[] = []
  let hash: string | undefined
  for (const member of members) {
    const entryHash = member.fields.hash
    if (
      member.failed ||
      typeof entryHash !== 'string' ||
      !verifyStored(crypto, member.node, entryHash, member.fields.signature)
    ) {
      failed.push(member.node)
      continue
    }
    if (hash !== undefined && hash !== entryHash) throw badAnswer('the members of the swarm name different hashes')
    hash = entryHash
    stored.push({ node: member.node, already: truthy(member.fields.already) })
  }
  return { hash: hash ?? '', stored, failed, nodeTimeMs }
}

function verifyStored(crypto: Crypto, node: string, hash: string, signature: unknown): boolean {
  if (!isMessageHash(hash)) return false
  try {
    const bytes = decodeBase64(requireText(signature, 'a signature')) as Ed25519Signature
    return bytes.length === 64 && ed25519Verify(crypto, ed25519PublicKey(decodeHex(node)), storedText(hash), bytes)
  } catch {
    return false
  }
}
