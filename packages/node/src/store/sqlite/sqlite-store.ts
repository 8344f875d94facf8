/** The store of a node in one SQLite file (clauses NODE-20 to NODE-28, NODE-80 to NODE-89): who waits for which transaction. */
import { type Crypto, loadCrypto } from '@session-v2/crypto'
import { NodeError } from '../../node-error.ts'
import type { Clock, Timers } from '../../ports.ts'
import { addAffected } from '../affected.ts'
import { timesOfDeletion } from '../item-version.ts'
import type {
  AffectedMessage,
  Change,
  Delivery,
  ExpiryMode,
  ExpiryOutcome,
  Item,
  ItemName,
  ItemVersion,
  MessageStore,
  MinuteRange,
  NamespaceChoice,
  RetrievePage,
  RetrieveQuery,
  StoredMessage,
  StoreOutcome,
} from '../store.ts'
import { SUMS_MAX } from '../store.ts'
import { Deliveries } from './deliveries.ts'
import { closeDatabase, type Database, databaseError, openDatabase } from './driver.ts'
import { GroupCommit } from './group-commit.ts'
import { ItemBatch, ItemReads } from './item-reads.ts'
import { Items, type Owner } from './items.ts'
import { sortAffected, type WalkPosition, type WalkSlice, walkSlice } from './mailbox-walk.ts'
import { MessageReads } from './message-reads.ts'
import { deleteHashes, setExpiries, setExpiry, storeMessage } from './message-writes.ts'
import { Proofs } from './proofs.ts'
import { Revocations } from './revocations.ts'
import type { Held } from './rows.ts'
import { prepareDatabase } from './schema.ts'
import { prepareAll, type Statements } from './statements.ts'
import { SumLedger } from './sum-ledger.ts'
import { SWEEP_SLICE, Sweep } from './sweep.ts'
import { TAKEOVER_SLICE, Takeover } from './takeover.ts'

const NOTES = {
  read: 'SELECT text FROM notes WHERE name = ?',
  write: 'INSERT INTO notes (name, text) VALUES (?, ?) ON CONFLICT DO UPDATE SET text = excluded.text',
} as const

/** Names that are looked up at a time. */
const READ_SLICE = 128

class SqliteStore implements MessageStore {
  readonly #database: Database
  readonly #options: SqliteStoreOptions
  readonly #commits: GroupCommit
  readonly #ledger: SumLedger
  readonly #proofs: Proofs
  readonly #items: Items
  readonly #reads: MessageReads
  readonly #itemReads: ItemReads
  readonly #revocations: Revocations
  readonly #takeover: Takeover
  readonly #sweep: Sweep
  readonly #deliveries: Deliveries
  readonly #notes: Statements<typeof NOTES>
  #closed = false

  constructor(database: Database, crypto: Crypto, options: SqliteStoreOptions) {
    const { clock, timers } = options
    this.#database = database
    this.#options = options
    this.#ledger = new SumLedger(database)
    this.#proofs = new Proofs(database, crypto)
    this.#items = new Items(database, this.#ledger, this.#proofs, clock)
    this.#reads = new MessageReads(database, this.#items)
    this.#itemReads = new ItemReads(database, this.#items, this.#proofs)
    this.#revocations = new Revocations(database, crypto, this.#items)
    this.#takeover = new Takeover(this.#items)
    this.#sweep = new Sweep(database, this.#items)
    this.#deliveries = new Deliveries(database)
    this.#notes = prepareAll(database, NOTES)
    this.#commits = new GroupCommit(database, timers, {
      finish: () => this.#ledger.flush(clock.nowMs()),
      undone: () => {
        this.#ledger.reset()
        this.#deliveries.recount()
      },
    })
  }

  store(message: StoredMessage, replaces: boolean, change: Change): Promise<StoreOutcome> {
    return this.#commits.write(() => storeMessage(this.#items, message, replaces, change))
  }

  async retrieve(query: RetrieveQuery): Promise<RetrievePage> {
    return this.#read(() => this.#reads.retrieve(query))
  }

  delete(account: Uint8Array, hashes: readonly string[], change: Change): Promise<string[]> {
    return this.#commits.write(() => deleteHashes(this.#items, account, hashes, change))
  }

  async deleteAll(
    account: Uint8Array,
    namespaces: NamespaceChoice,
    change: Change,
    untilMs = Number.POSITIVE_INFINITY,
  ): Promise<AffectedMessage[]> {
    return this.#walk(account, namespaces, change, (owner, held, proofId) => {
      const times = held.decidedAtMs > change.atMs || held.timestampMs > untilMs ? undefined : timesOfDeletion(change, held)
      if (times !== undefined) this.#items.bury(owner, held, times, proofId(), held)
      return times !== undefined
    })
  }

  setExpiries(
    account: Uint8Array,
    hashes: readonly string[],
    expiriesMs: readonly number[],
    mode: ExpiryMode,
    change: Change,
  ): Promise<ExpiryOutcome> {
    return this.#commits.write(() => setExpiries(this.#items, account, hashes, expiriesMs, mode, change))
  }

  async expireAll(
    account: Uint8Array,
    namespaces: NamespaceChoice,
    expiryMs: number,
    change: Change,
  ): Promise<AffectedMessage[]> {
    return this.#walk(account, namespaces, change, (_, held, proofId) =>
      setExpiry(this.#items, held, expiryMs, 'shorten', change, proofId),
    )
  }

  async expiries(account: Uint8Array, hashes: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#read(() => this.#reads.expiries(account, hashes))
  }

  revoke(account: Uint8Array, tokens: readonly Uint8Array[], change: Change): Promise<void> {
    return this.#commits.write(() => this.#revocations.revoke(account, tokens, change))
  }

  unrevoke(account: Uint8Array, tokens: readonly Uint8Array[], change: Change): Promise<number> {
    return this.#commits.write(() => this.#revocations.unrevoke(account, tokens, change))
  }

  async revokedTokens(account: Uint8Array): Promise<readonly Uint8Array[]> {
    return this.#read(() => this.#revocations.tokens(account))
  }

  async isRevoked(account: Uint8Array, token: Uint8Array): Promise<boolean> {
    return this.#read(() => this.#revocations.has(account, token))
  }

  async sweep(): Promise<number> {
    let total = 0
    for (let removed = SWEEP_SLICE; removed === SWEEP_SLICE; total += removed) {
      removed = await this.#commits.write(() => this.#sweep.messages())
    }
    while ((await this.#commits.write(() => this.#sweep.tombstones())) === SWEEP_SLICE);
    while (await this.#commits.write(() => this.#ledger.sweepSlice(this.#options.clock.nowMs())));
    await this.#commits.write(() => this.#proofs.sweepSlice())
    return total
  }

  async count(): Promise<number> {
    return this.#read(() => this.#reads.count())
  }

  async size(): Promise<{ readonly usedBytes: number; readonly limitBytes: number | undefined }> {
    return this.#read(() => ({ usedBytes: this.#reads.usedBytes(), limitBytes: this.#options.sizeLimitBytes }))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#commits.close()
    closeDatabase(this.#database)
  }

  async sums(range: MinuteRange, step: number): Promise<BigUint64Array> {
    const steps = (range.to - range.from) / step
    if (!(steps <= SUMS_MAX)) throw new NodeError('store-failed', `at most ${SUMS_MAX} sums can be asked for`)
    return this.#read(() => this.#ledger.sums(range, step, this.#options.clock.nowMs()))
  }

  async versions(range: MinuteRange, limit: number, after?: ItemVersion): Promise<readonly ItemVersion[]> {
    return this.#read(() => this.#itemReads.versions(range, limit, after))
  }

  async heldVersions(names: readonly ItemName[]): Promise<readonly (ItemVersion | undefined)[]> {
    const versions: (ItemVersion | undefined)[] = []
    await this.#readSlices(names, slice => {
      versions.push(...this.#itemReads.heldVersions(slice))
      return true
    })
    return versions
  }

  async items(names: readonly ItemName[], budgetBytes: number): Promise<readonly Item[]> {
    const batch = new ItemBatch(budgetBytes)
    await this.#readSlices(names, slice => this.#itemReads.collect(batch, slice))
    return batch.found
  }

  async merge(items: readonly Item[], replaces: (namespace: number) => boolean): Promise<number> {
    let merged = 0
    for (let at = 0; at < items.length; at += TAKEOVER_SLICE) {
      const slice = items.slice(at, at + TAKEOVER_SLICE)
      merged += await this.#commits.write(() => this.#takeover.merge(slice, replaces))
    }
    return merged
  }

  async accounts(limit: number, after?: Uint8Array): Promise<readonly Uint8Array[]> {
    return this.#read(() => this.#itemReads.accounts(limit, after))
  }

  async versionsOf(account: Uint8Array, limit: number, after?: ItemVersion): Promise<readonly ItemVersion[]> {
    return this.#read(() => this.#itemReads.versionsOf(account, limit, after))
  }

  async forget(versions: readonly ItemVersion[]): Promise<number> {
    let forgotten = 0
    for (let at = 0; at < versions.length; at += TAKEOVER_SLICE) {
      const slice = versions.slice(at, at + TAKEOVER_SLICE)
      forgotten += await this.#commits.write(() => this.#takeover.forget(slice))
    }
    return forgotten
  }

  queueDelivery(peer: string, body: Uint8Array, nowMs: number, limit: number): Promise<void> {
    return this.#commits.write(() => this.#deliveries.queue(peer, body, nowMs, limit))
  }

  async dueDeliveries(nowMs: number, limit: number): Promise<readonly Delivery[]> {
    return this.#commits.write(() => this.#deliveries.lend(nowMs, limit))
  }

  settleDelivery(id: number, dueAtMs: number | undefined): Promise<void> {
    return this.#commits.write(() => this.#deliveries.settle(id, dueAtMs))
  }

  async deliveriesWaiting(): Promise<number> {
    return this.#read(() => this.#deliveries.waiting())
  }

  async readNote(name: string): Promise<string | undefined> {
    return this.#read(() => this.#notes.read.get(name)?.text as string | undefined)
  }

  writeNote(name: string, text: string): Promise<void> {
    return this.#commits.write(() => void this.#notes.write.run(name, text))
  }

  /** Visits an account's messages slice by slice; those for which `visit` is true are the answer. */
  async #walk(
    account: Uint8Array,
    namespaces: NamespaceChoice,
    change: Change,
    visit: (owner: Owner, held: Held, proofId: () => number | null) => boolean,
  ): Promise<AffectedMessage[]> {
    const affected: AffectedMessage[] = []
    let position: WalkPosition | undefined
    do {
      const slice: WalkSlice = await this.#commits.write(() => {
        const proofId = this.#proofs.idOf(change.proof)
        return walkSlice(this.#items, account, namespaces, position, (owner, held) => visit(owner, held, proofId))
      })
      addAffected(affected, slice.affected)
      position = slice.next
    } while (position !== undefined)
    return sortAffected(affected)
  }

  /** Reads by name while `read` is true, and lets other requests have their turn in between. */
  async #readSlices(names: readonly ItemName[], read: (slice: readonly ItemName[]) => boolean): Promise<void> {
    for (let at = 0; at < names.length; at += READ_SLICE) {
      if (at > 0) await new Promise<void>(resolve => this.#options.timers.soon(resolve))
      if (!this.#read(() => read(names.slice(at, at + READ_SLICE)))) return
    }
  }

  #read<T>(run: () => T): T {
    if (this.#closed) throw new NodeError('closed', 'the store is closed')
    try {
      return run()
    } catch (cause) {
      throw databaseError(cause)
    }
  }
}

export interface SqliteStoreOptions {
  /** Bounds the database file; the write-ahead log beside it comes on top. */
  readonly sizeLimitBytes: number
  readonly clock: Clock
  readonly timers: Timers
  /** Reads the whole file first and refuses it when it is damaged; takes seconds per GB. Without it damage shows where it is read. */
  readonly checksFile?: boolean
}

/** Opens or creates a store in `file`. Throws NodeError `store-failed`, or `store-corrupt`: see `setAside`. */
export async function openSqliteStore(file: string, options: SqliteStoreOptions): Promise<MessageStore> {
  const crypto = await loadCrypto()
  const database = await openDatabase(file)
  try {
    prepareDatabase(database, options.sizeLimitBytes, options.clock.nowMs())
    if (options.checksFile) checkFile(database)
    return new SqliteStore(database, crypto, options)
  } catch (cause) {
    const error = databaseError(cause)
    if (error.code === 'store-corrupt') closeDatabase(database)
    else database.close()
    throw new NodeError(error.code, `the database ${file} cannot be used: ${error.message}`, { cause })
  }
}

function checkFile(database: Database): void {
  const finding = database.prepare('PRAGMA quick_check(1)').get()?.quick_check
  if (finding !== 'ok') throw new NodeError('store-corrupt', 'the database is damaged')
}
