/** The messages that a request changed: a list, or after a request for `all` namespaces a list for each (RPC-43). */
import type { Crypto } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import { type Namespace, parseNamespace } from '../namespace.ts'
import { badAnswer } from '../network-error.ts'
import { requireHashList, requireObject } from './answer.ts'
import { changedText } from './signed-text.ts'
import { parseSignedAnswer, type SignedAnswer } from './swarm-answer.ts'

export type NamespacedHashes = readonly string[] | ReadonlyMap<Namespace, readonly string[]>

const NAMESPACE_TEXT = /^(0|-?[1-9][0-9]{0,4})$/

/** The hashes of all namespaces together. */
export function allHashes(hashes: NamespacedHashes): string[] {
  return hashes instanceof Map ? [...hashes.values()].flat() : [...(hashes as readonly string[])]
}

/** The value of an entry's field: each list sorted. */
export function encodeNamespacedHashes(hashes: NamespacedHashes): string[] | Record<string, string[]> {
  if (!(hashes instanceof Map)) return (hashes as readonly string[]).toSorted()
  return Object.fromEntries([...hashes].map(([namespace, list]) => [String(namespace), list.toSorted()]))
}

/** Reads the value of an entry's field. @throws NetworkError `malformed` */
export function parseNamespacedHashes(value: unknown, what: string): NamespacedHashes {
  if (Array.isArray(value)) return requireHashList(value, what)
  return new Map(
    Object.entries(requireObject(value, what)).map(([text, list]) => {
      if (!NAMESPACE_TEXT.test(text)) throw badAnswer(`${what} of a namespace that is none`)
      return [readNamespace(Number(text)), requireHashList(list, what)] as const
    }),
  )
}

/**
 * Reads the answer of a swarm whose members sign what they changed of an account (33 bytes in hexadecimal) at a time, and name it in
 * `field`. @throws NetworkError `malformed`
 */
export function parseChangedHashes(
  crypto: Crypto,
  answer: unknown,
  { accountId, timeMs, field }: { readonly accountId: string; readonly timeMs: number; readonly field: 'deleted' | 'updated' },
): SignedAnswer<NamespacedHashes> {
  const account = decodeHex(accountId)
  return parseSignedAnswer(
    crypto,
    answer,
    fields => parseNamespacedHashes(fields[field], field),
    changed => changedText(account, timeMs, allHashes(changed)),
  )
}

function readNamespace(number: number): Namespace {
  try {
    return parseNamespace(number)
  } catch (cause) {
    throw badAnswer('a namespace beyond 16 bits', cause)
  }
}
