/**
 * What it means when an onion request gets no reply. Whatever is not sealed under the key of the destination can have been written by
 * any node of the path, so it is a hint about whom to avoid, never a fact (ON-50 to ON-55).
 *
 * | answer | blamed | again |
 * |---|---|---|
 * | the guard is not reached | the guard | now, over another path |
 * | 502 or 503, names a relay behind the guard | that node | now, over another path |
 * | 502 or 503, names the destination | that node | at another node |
 * | 429 | the path | later |
 * | to a server: a status and text that no node of a path writes | the destination | later |
 * | anything else, also no answer in time and a reply under no key of ours | the path | now, over another path |
 */
import { decodeUtf8, EncodingError } from '@session-v2/encoding'
import type { Retry } from '../network-error.ts'

export type Blame =
  /** Ed25519 key, 64 lower-case hexadecimal digits. */
  { readonly kind: 'node'; readonly ed25519: string } | { readonly kind: 'path' } | { readonly kind: 'destination' }

export interface PathFailure {
  readonly blame: Blame
  /** `now` is over another path, or the same one rebuilt. */
  readonly retry: Retry
}

/** Whom a request went through and to. */
export interface Route {
  /** Ed25519 keys of the relays, the guard first. */
  readonly relays: readonly string[]
  /** Ed25519 key of the node that was asked; undefined for a web server. */
  readonly destination: string | undefined
}

/** An answer of the guard that is no reply; or why there is none. */
export type FailedAnswer = { readonly status: number; readonly body: Uint8Array } | 'unreachable' | 'timeout' | 'unsealed'

const NAMES_NODE = /^(Next node not found|Next node is currently unreachable|Snode not ready): ([0-9a-f]{64})$/
/** What nodes write when they fail a request to a web server. */
const OF_NODES =
  /^(Request time out|Invalid response from snode|Service node is not ready: .*|Server busy, try again later|Invalid ciphertext)$/
/** No text of a node is longer. */
const TEXT_MAX_BYTES = 512
const THE_PATH: PathFailure = { blame: { kind: 'path' }, retry: 'now' }

/** Whom to blame, and whether to try again. `unsealed` is an answer with status 200 whose reply does not open. */
export function judgeFailure(answer: FailedAnswer, route: Route): PathFailure {
  const guard = route.relays[0] ?? route.destination
  if (answer === 'unreachable' && guard !== undefined) return nodeFailure(guard, route)
  if (typeof answer === 'string') return THE_PATH
  const text = textOf(answer.body)
  const named = answer.status === 502 || answer.status === 503 ? NAMES_NODE.exec(text)?.[2] : undefined
  if (named !== undefined) return isNextHop(named, route) ? nodeFailure(named, route) : THE_PATH
  if (answer.status === 429) return { blame: { kind: 'path' }, retry: 'later' }
  if (route.destination === undefined && isOfServer(answer.status, text))
    return { blame: { kind: 'destination' }, retry: 'later' }
  return THE_PATH
}

/** The guard is nobody's next hop, so no node can say that it was not found. */
function isNextHop(ed25519: string, { relays, destination }: Route): boolean {
  return relays.length > 0 && ed25519 !== relays[0] && (ed25519 === destination || relays.includes(ed25519))
}

function nodeFailure(ed25519: string, { destination }: Route): PathFailure {
  return { blame: { kind: 'node', ed25519 }, retry: ed25519 === destination ? 'other-node' : 'now' }
}

/** 400 is what relays answer to a request that they cannot open. */
function isOfServer(status: number, text: string): boolean {
  return status !== 200 && status !== 400 && !OF_NODES.test(text)
}

function textOf(body: Uint8Array): string {
  if (body.length > TEXT_MAX_BYTES) return ''
  try {
    return decodeUtf8(body)
  } catch (error) {
    if (error instanceof EncodingError) return ''
    throw error
  }
}
