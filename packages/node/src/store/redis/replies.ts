/** What a script answers, as texts and bytes (clause NODE-141). */
import type { Reply } from './cluster-connection.ts'

/** One text; empty where there is none. */
export function textOfReply(reply: Reply | undefined): string {
  return reply === null || reply === undefined ? '' : String(reply)
}

/** One string of bytes. */
export function bytesOf(reply: Reply | undefined): Buffer {
  return Buffer.isBuffer(reply) ? reply : Buffer.from(textOfReply(reply))
}

/** The texts of a list; what is not there is undefined. */
export function textsOf(reply: Reply): (string | undefined)[] {
  return (reply as Reply[]).map(part => (part === null ? undefined : String(part)))
}

/** Values by key, in the order in which they came. */
export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const group = groups.get(keyOf(value))
    if (group === undefined) groups.set(keyOf(value), [value])
    else group.push(value)
  }
  return groups
}
