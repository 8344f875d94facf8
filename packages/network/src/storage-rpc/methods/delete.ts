/**
 * `delete`: removes messages by hash, in any namespace, at every member of the swarm (RPC-60 to RPC-62).
 *
 * | field | JSON | |
 * |---|---|---|
 * | `pubkey` | 66 hex digits | the account |
 * | `messages` | list of hashes | |
 * | `required` | boolean | 404 when no member deleted anything |
 * | `signature`, `pubkey_ed25519` | base64, hex | always; it has no time |
 * | `subaccount`, `subaccount_sig` | base64 | when a subaccount signs |
 */
import type { Crypto } from '@session-v2/crypto'
import { encodeHex } from '@session-v2/encoding'
import { requireHashList } from '../answer.ts'
import { encodeSignature, type RequestSignature, type RequestSigner, requireSignatureOf, signRequest } from '../auth.ts'
import type { Params } from '../params.ts'
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
export function parseDelete(params: Params): DeleteParams {
  const account = params.account()
  const hashes = params.requireHashes()
  const signed = requireSignatureOf(params, account)
  return { account, hashes, required: params.optionalBoolean('required') ?? false, signed }
}

/** The request of these parameters, as one member of a swarm passes it on to another: `required` is between client and node. */
export function encodeDelete({ account, hashes, signed }: Omit<DeleteParams, 'required'>): RpcRequest {
  return { method: 'delete', params: { pubkey: encodeHex(account), messages: [...hashes], ...encodeSignature(signed) } }
}

export interface DeleteOptions {
  readonly hashes: readonly string[]
  readonly required?: boolean
  readonly signer: RequestSigner
}

/** The request, signed. */
export function buildDelete(crypto: Crypto, { hashes, required, signer }: DeleteOptions): RpcRequest {
  return {
    method: 'delete',
    params: {
      pubkey: signer.accountId,
      messages: [...hashes],
      ...(required === undefined ? {} : { required }),
      ...encodeSignature(signRequest(crypto, signer, deleteText(hashes))),
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
  return { deleted: deleted.toSorted(), signature }
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
    else for (const hash of requireHashList(member.fields.deleted, 'deleted')) deleted.add(hash)
  }
  return { deleted, failed, nodeTimeMs }
}
