/**
 * Merging config messages that were written without knowledge of one another. Whoever merges the same messages gets the same bytes,
 * whatever their order.
 *
 *     drop   messages that others list among their past diffs, repetitions, and those 5 seqnos behind or more
 *     one left: it is adopted unchanged
 *     more:  data of the highest; then every diff that any of them carries is replayed on it, from the lowest up, each with the
 *            values of the message that carried it; seqno = highest + 1
 *
 * Messages are ordered by seqno, then by hash.
 *
 * Implements CFG-10, CFG-11, CFG-12.
 */
import { type ConfigDiff, draftOf, replayDiff } from './diff.ts'
import { CONFIG_LAG, type ConfigRow, type ConfigSigning, compareMessages, type FixedMessage, nameOf } from './message.ts'
import { type ConfigDict, pruned } from './value.ts'

/**
 * - `adopted`: the message at `index` says all that the others say.
 * - `merged`: the data are those of several messages; `rows` are all diffs that were replayed.
 */
export type ConfigMerge =
  | { readonly outcome: 'adopted'; readonly index: number; readonly message: FixedMessage }
  | { readonly outcome: 'merged'; readonly seqno: bigint; readonly data: ConfigDict; readonly rows: readonly ConfigRow[] }

/** Merges one message or more. Who can verify but not sign cannot write a merged message, and adopts the highest. */
export function mergeConfigMessages(messages: readonly FixedMessage[], { sign, verify }: ConfigSigning): ConfigMerge {
  const survivors = survivorsOf(messages)
  survivors.sort((a, b) => compareMessages(messages[b]!, messages[a]!))
  const highest = survivors[0]!
  if (survivors.length === 1 || (verify !== undefined && sign === undefined))
    return { outcome: 'adopted', index: highest, message: messages[highest]! }
  return merged(survivors.map(index => messages[index]!))
}

/** Indexes of the messages that say something no other says. */
function survivorsOf(messages: readonly FixedMessage[]): number[] {
  const max = messages.reduce((most, { seqno }) => (seqno > most ? seqno : most), 0n)
  const known = new Set(messages.flatMap(message => message.rows.map(nameOf)))
  return messages.flatMap((message, index) => {
    const name = nameOf(message)
    if (known.has(name) || message.seqno + CONFIG_LAG <= max) return []
    known.add(name)
    return index
  })
}

interface Replay extends ConfigRow {
  readonly source: ConfigDict
}

/** From messages in descending order. */
function merged(messages: readonly FixedMessage[]): ConfigMerge {
  const replays = new Map<string, Replay>()
  const add = (seqno: bigint, hash: Uint8Array, diff: ConfigDiff, source: ConfigDict) => {
    const name = nameOf({ seqno, hash })
    if (!replays.has(name)) replays.set(name, { seqno, hash, diff, source })
  }
  for (const { seqno, hash, diff, data, rows } of messages) {
    add(seqno, hash, diff, data)
    for (const row of rows) add(row.seqno, row.hash, row.diff, data)
  }
  const ascending = [...replays.values()].sort(compareMessages)
  const highest = messages[0]!
  const draft = draftOf(highest.data)
  for (const { diff, source } of ascending) replayDiff(draft, diff, source)
  const rows = ascending.map(({ seqno, hash, diff }) => ({ seqno, hash, diff }))
  return { outcome: 'merged', seqno: highest.seqno + 1n, data: pruned(draft), rows }
}
