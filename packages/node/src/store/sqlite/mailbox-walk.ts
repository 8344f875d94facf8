/**
 * Goes through all messages of an account, or of one of its namespaces, a slice at a time, so that a request that concerns a mailbox of
 * any size keeps nobody else waiting (clause NODE-87).
 */
import { type AffectedMessage, type NamespaceChoice, REVOCATIONS } from '../store.ts'
import type { Items, Owner } from './items.ts'
import { type Held, heldMessage } from './rows.ts'

/** Rows of a slice: some milliseconds. */
export const SLICE_ROWS = 256

/** Before the namespaces of all messages. */
const BEFORE_ALL = -REVOCATIONS

/** Behind which row a walk goes on. */
export interface WalkPosition {
  readonly namespace: number
  readonly id: number
}

export interface WalkSlice {
  /** The messages that were visited with effect. */
  readonly affected: readonly AffectedMessage[]
  /** Where the next slice begins; undefined at the end. */
  readonly next: WalkPosition | undefined
}

/**
 * Visits the next messages that live, on the open transaction. The account's row is looked up each time: between slices it may go, and
 * another account may get its number.
 */
export function walkSlice(
  items: Items,
  account: Uint8Array,
  namespaces: NamespaceChoice,
  from: WalkPosition | undefined,
  visit: (owner: Owner, held: Held) => boolean,
): WalkSlice {
  const owner = items.owner(account)
  const affected: AffectedMessage[] = []
  if (owner === undefined) return { affected, next: undefined }
  let namespace = from?.namespace ?? (namespaces === 'all' ? nextNamespace(items, owner, BEFORE_ALL) : namespaces)
  let id = from?.id ?? 0
  let left = SLICE_ROWS
  while (namespace !== undefined) {
    const rows = items.sql.walk.all(owner.id, namespace, id, left)
    for (const row of rows) {
      const held = heldMessage(row, account, items.nowMs())
      if (held?.isTombstone === false && visit(owner, held)) affected.push({ namespace, hash: held.hash })
    }
    left -= rows.length
    if (left === 0) return { affected, next: { namespace, id: Number(rows.at(-1)!.id) } }
    id = 0
    namespace = namespaces === 'all' ? nextNamespace(items, owner, namespace) : undefined
  }
  items.dropIfEmpty(owner)
  return { affected, next: undefined }
}

function nextNamespace(items: Items, owner: Owner, behind: number): number | undefined {
  const namespace = items.sql.nextNamespace.get(owner.id, behind)?.namespace
  return namespace === null || namespace === undefined ? undefined : Number(namespace)
}

/** In the order of namespace and hash. */
export function sortAffected(affected: AffectedMessage[]): AffectedMessage[] {
  return affected.sort((a, b) => a.namespace - b.namespace || (a.hash < b.hash ? -1 : 1))
}
