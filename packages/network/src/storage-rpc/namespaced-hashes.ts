/** The messages that a request changed: a list, or after a request for `all` namespaces a list for each (RPC-43). */
import { type Namespace, parseNamespace } from '../namespace.ts'
import { badAnswer } from '../network-error.ts'
import { requireHashList, requireObject } from './answer.ts'

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

function readNamespace(number: number): Namespace {
  try {
    return parseNamespace(number)
  } catch (cause) {
    throw badAnswer('a namespace beyond 16 bits', cause)
  }
}
