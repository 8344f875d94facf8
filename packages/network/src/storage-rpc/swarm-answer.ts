/**
 * The answer of write methods: one entry per swarm member, named by its Ed25519 key (RPC-40).
 *
 * | entry | meaning |
 * |---|---|
 * | `{ …, signature }` | done; the signature is the member's |
 * | `{ failed, timeout }` | no answer in time |
 * | `{ failed, code, reason }` | refused; `code` is a string |
 * | `{ failed, bad_peer_response }` | an answer that is none |
 * | `{ failed, query_failure }` | its store failed |
 */
import { badAnswer } from '../network-error.ts'
import type { AnswerFields } from './answer.ts'
import { nodeTimeMs, requireObject } from './answer.ts'
import { SWARM_MAX_MEMBERS } from './limits.ts'
import { isObject } from './params.ts'

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
