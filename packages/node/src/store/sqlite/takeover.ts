/** What members take over from one another, and what a node hands over and forgets (clauses NODE-80 to NODE-88). */
import { isLater, isSame, tombstoneExpiryMs } from '../item-version.ts'
import { type Item, type ItemVersion, REVOCATIONS, type StoredMessage } from '../store.ts'
import type { Items, Owner } from './items.ts'
import { emptySlot } from './message-writes.ts'
import { dropOldest } from './revocations.ts'
import type { Held } from './rows.ts'

/** Items of a slice; their data has to be written, or removed. */
export const TAKEOVER_SLICE = 64

export class Takeover {
  readonly #items: Items

  constructor(items: Items) {
    this.#items = items
  }

  /** Takes the later ones over, on the open transaction; returns how many. */
  merge(slice: readonly Item[], replaces: (namespace: number) => boolean): number {
    const proofIds = new Map<Uint8Array | undefined, () => number | null>()
    return slice.filter(item => {
      const proofId = proofIds.get(item.proof) ?? this.#items.proofs.idOf(item.proof)
      proofIds.set(item.proof, proofId)
      return item.isTombstone ? this.#mergeTombstone(item, proofId) : this.#mergeMessage(item, replaces(item.namespace), proofId)
    }).length
  }

  /** Forgets a slice of versions that are held as they are, on the open transaction; returns how many. */
  forget(slice: readonly ItemVersion[]): number {
    return slice.filter(version => {
      const owner = this.#items.owner(version.account)
      const held = owner && this.#items.held(owner, version)
      if (owner === undefined || held === undefined || !isSame(held, version)) return false
      this.#items.drop(owner, held)
      this.#items.dropIfEmpty(owner)
      return true
    }).length
  }

  #mergeTombstone(item: Item, proofId: () => number | null): boolean {
    const expiryMs = tombstoneExpiryMs(item.changedAtMs)
    const held = this.#held(item)
    if (expiryMs <= this.#items.nowMs() || !isLater({ ...item, expiryMs }, held)) return false
    this.#items.bury(this.#items.ownerOrNew(item.account), item, item, proofId(), held)
    return true
  }

  #mergeMessage(item: Item, replaces: boolean, proofId: () => number | null): boolean {
    const { account, namespace, hash, expiryMs, decidedAtMs, changedAtMs, message } = item
    const held = this.#held(item)
    if (message === undefined || expiryMs <= this.#items.nowMs() || !isLater(item, held)) return false
    if (held?.isTombstone === false) {
      const timestampMs = replaces ? Math.max(held.timestampMs, message.timestampMs) : message.timestampMs
      this.#items.change(held, { timestampMs, expiryMs, decidedAtMs, changedAtMs, proofId: proofId() ?? held.proofId })
      return true
    }
    const owner = this.#items.ownerOrNew(account)
    const added: StoredMessage = { account, namespace, hash, expiryMs, ...message }
    if (replaces && !emptySlot(this.#items, owner, added)) return false
    this.#items.add(owner, added, item, proofId(), held)
    return namespace !== REVOCATIONS || this.#isKept(owner, item)
  }

  /** False where the account has newer revocations, as many as are kept. */
  #isKept(owner: Owner, item: Item): boolean {
    dropOldest(this.#items, owner)
    return this.#items.held(owner, item) !== undefined
  }

  #held(item: Item): Held | undefined {
    const owner = this.#items.owner(item.account)
    return owner && this.#items.held(owner, item)
  }
}
