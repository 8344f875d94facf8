/**
 * `delete`: removes messages by hash, in any namespace, at every member of the swarm (RPC-60 to RPC-62).
 *
 * | field | JSON | |
 * |---|---|---|
 * | `pubkey` | 66 hex digits | the account |
 * | `messages` | list of hashes | |
 * | `required` | boolean | 404 when no member deleted anything |
 * | `signature`, `pubkey_ed25519` | base64, hex | always; it has no time |
 */
import type { Crypto } from '@session-v2/crypto'
import { encodeBase64 } from '@session-v2/encoding'
import { badRequest } from '../../network-error.ts'
import { requireArray, requireHash } from '../answer.ts'
import { parseSignature, type RequestSignature, type RequestSigner, signatureFields } from '../auth.ts'
import { DELETE_MAX_HASHES } from '../limits.ts'
import { isMessageHash } from '../message-hash.ts'
import { Params } from '../params.ts'
import type { RpcRequest } from '../rpc-request.ts'
import { deleteText } from '../signed-text.ts'
import { parseSwarmAnswer } from '../swarm-answer.ts'

export interface DeleteParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  readonly hashes: readonly string[]
  readonly required: boolean
  readonly signed: RequestSignature
}

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseDelete(fields: Readonly<Record<string, unknown>>): DeleteParams {
  const params = new Params(fields)
  const account = params.account()
  const hashes = params.requireStrings('messages', DELETE_MAX_HASHES)
  if (hashes.length === 0) throw badRequest('messages does not contain any message hashes')
  if (!hashes.every(isMessageHash)) throw badRequest('invalid message hash: expected base64')
  const signed = parseSignature(params, account)
  if (signed === undefined) throw badRequest("Required field 'signature' missing")
  return { account, hashes, required: params.optionalBoolean('required') ?? false, signed }
}

export interface DeleteOptions {
  readonly hashes: readonly string[]
  readonly required?: boolean
  readonly signer: RequestSigner
}

/** The request, signed by the owner. */
export function buildDelete(crypto: Crypto, { hashes, required, signer }: DeleteOptions): RpcRequest {
  return {
    method: 'delete',
    params: {
      pubkey: signer.accountId,
      messages: [...hashes],
      ...(required === undefined ? {} : { required }),
      ...signatureFields(crypto, signer, deleteText(hashes)),
    },
  }
}

/** What a member answers that has deleted what it had of the messages. */
export interface DeletedEntry {
  readonly deleted: readonly string[]
  /** The member's, 64 bytes, over `deletedText`. */
  readonly signature: Uint8Array
}

/** A member's entry of the answer. */
export function encodeDeletedEntry({ deleted, signature }: DeletedEntry): Record<string, unknown> {
  return { deleted: deleted.toSorted(), signature: encodeBase64(signature) }
}

export interface DeleteResult {
  /** The hashes that at least one member deleted. */
  readonly deleted: ReadonlySet<string>
  readonly failed: readonly string[]
  readonly nodeTimeMs: number | undefined
}

/** Reads an answer. What members say they deleted is not verified: nothing follows from it. @throws NetworkError `malformed` */
export function parseDeleteResult(answer: unknown): DeleteResult {
  const { members, nodeTimeMs } = parseSwarmAnswer(answer)
  const deleted = new Set<string>()
  const failed: string[] = []
  for (const member of members) {
    if (member.failed) failed.push(member.node)
    else for (const hash of requireArray(member.fields.deleted, 'deleted', DELETE_MAX_HASHES)) deleted.add(requireHash(hash))
  }
  return { deleted, failed, nodeTimeMs }
}
