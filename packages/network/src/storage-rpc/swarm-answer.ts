/**
 * The answer of write methods: one entry per swarm member, named by its Ed25519 key (RPC-40, RPC-42).
 *
 * | entry | meaning |
 * |---|---|
 * | `{ …, signature }` | done; the signature is the member's |
 * | `{ failed, timeout }` | no answer in time |
 * | `{ failed, code, reason }` | refused; `code` is a string |
 * | `{ failed, bad_peer_response }` | an answer that is none |
 * | `{ failed, query_failure }` | its store failed |
 */
import type { Crypto } from '@session-v2/crypto'
import { ed25519PublicKey, ed25519Signature, ed25519Verify } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import { badAnswer, NetworkError } from '../network-error.ts'
import type { AnswerFields } from './answer.ts'
import { nodeTimeMs, requireObject, requireSignature } from './answer.ts'
import { isObject } from './fields.ts'
import { SWARM_MAX_MEMBERS } from './limits.ts'

/** How one member fared. `fields` are those of its entry. */
export interface MemberAnswer {
  /** Ed25519 public key of the member, 64 hexadecimal digits. */
  readonly node: string
  readonly failed: boolean
  readonly fields: AnswerFields
}

export interface SwarmAnswer {
  readonly members: readonly MemberAnswer[]
  readonly nodeTimeMs: number | undefined
}

/** Why a member failed, as its entry says it. */
export type MemberFailure =
  | { readonly failed: true; readonly timeout: true }
  | { readonly failed: true; readonly code: string; readonly reason: string }
  | { readonly failed: true; readonly bad_peer_response: true }
  | { readonly failed: true; readonly query_failure: true; readonly reason?: string }

const NODE_KEY = /^[0-9a-f]{64}$/

/** The members of an answer. @throws NetworkError `malformed`. */
export function parseSwarmAnswer(answer: unknown): SwarmAnswer {
  const fields = requireObject(answer, 'the answer')
  const swarm = Object.entries(requireObject(fields.swarm, 'swarm'))
  if (swarm.length === 0 || swarm.length > SWARM_MAX_MEMBERS) throw badAnswer(`a swarm of ${swarm.length} members`)
  const members = swarm.map(([node, entry]) => {
    if (!NODE_KEY.test(node) || !isObject(entry)) throw badAnswer('an entry of the swarm is not one')
    return { node, failed: entry.failed === true || entry.failed === 1, fields: entry }
  })
  return { members, nodeTimeMs: nodeTimeMs(fields) }
}

/** The members that have signed what they say they did; the others have failed, whatever they say. */
export interface SignedAnswer<T> {
  readonly done: readonly { readonly node: string; readonly entry: T }[]
  readonly failed: readonly string[]
  readonly nodeTimeMs: number | undefined
}

/**
 * Reads the entries of an answer and verifies each by its member's key over `textOf` it. An entry that cannot be read fails its
 * member alone. @throws NetworkError `malformed` for an answer that is none
 */
export function parseSignedAnswer<T>(
  crypto: Crypto,
  answer: unknown,
  read: (fields: AnswerFields) => T,
  textOf: (entry: T) => Uint8Array,
): SignedAnswer<T> {
  const { members, nodeTimeMs } = parseSwarmAnswer(answer)
  const done: { node: string; entry: T }[] = []
  const failed: string[] = []
  for (const member of members) {
    const signed = member.failed ? undefined : signedEntry(crypto, member, read, textOf)
    if (signed === undefined) failed.push(member.node)
    else done.push({ node: member.node, ...signed })
  }
  return { done, failed, nodeTimeMs }
}

function signedEntry<T>(
  crypto: Crypto,
  { node, fields }: MemberAnswer,
  read: (fields: AnswerFields) => T,
  textOf: (entry: T) => Uint8Array,
): { readonly entry: T } | undefined {
  try {
    const entry = read(fields)
    const signature = ed25519Signature(requireSignature(fields.signature))
    return ed25519Verify(crypto, ed25519PublicKey(decodeHex(node)), textOf(entry), signature) ? { entry } : undefined
  } catch (error) {
    if (error instanceof NetworkError) return undefined
    throw error
  }
}
