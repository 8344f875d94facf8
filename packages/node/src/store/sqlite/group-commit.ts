/**
 * Group commit (clause NODE-22): writes that arrive while the event loop reads its sockets share one transaction, so that a
 * busy node pays for one commit where it would have paid for many, and an idle one waits for nobody. Each write is
 * acknowledged after the commit. What the writes of a group have in common is written once, at its end.
 */
import { NodeError } from '../../node-error.ts'
import type { Timers } from '../../ports.ts'
import { type Database, databaseError, type Statement } from './driver.ts'

/** Bounds how long one commit keeps the event loop. */
const GROUP_MAX = 256

interface Write {
  /** Works on the open transaction; may run twice, the first time undone. */
  readonly run: () => unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: NodeError) => void
}

/** What lives as long as a transaction. */
export interface TransactionScope {
  /** Runs on the open transaction behind the writes of the group. */
  finish(): void
  /** The transaction was undone, with everything that its writes did. */
  undone(): void
}

export class GroupCommit {
  readonly #database: Database
  readonly #scope: TransactionScope
  readonly #timers: Timers
  readonly #begin: Statement
  readonly #commit: Statement
  #waiting: Write[] = []
  #closed = false

  constructor(database: Database, timers: Timers, scope: TransactionScope) {
    this.#database = database
    this.#scope = scope
    this.#timers = timers
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
  }

  /** Runs `run` in a transaction and resolves to its result once that is committed. Rejects with a NodeError. */
  write<T>(run: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new NodeError('closed', 'the store is closed'))
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.push({ run, resolve, reject }) === 1) this.#timers.soon(this.#flush)
    })
  }

  /** Commits what was accepted and accepts nothing more. */
  close(): void {
    this.#closed = true
    while (this.#waiting.length > 0) this.#flush()
  }

  readonly #flush = (): void => {
    const writes = this.#waiting.splice(0, GROUP_MAX)
    if (this.#waiting.length > 0) this.#timers.soon(this.#flush)
    if (writes.length > 0) this.#commitGroup(writes)
  }

  /** One write that fails must not take the others with it: then each gets a transaction and an answer of its own. */
  #commitGroup(writes: readonly Write[]): void {
    try {
      const results = this.#transact(writes)
      for (const [i, write] of writes.entries()) write.resolve(results[i] as never)
    } catch (cause) {
      if (writes.length === 1) writes[0]!.reject(databaseError(cause))
      else for (const write of writes) this.#commitGroup([write])
    }
  }

  #transact(writes: readonly Write[]): unknown[] {
    this.#begin.run()
    try {
      const results = writes.map(write => write.run())
      this.#scope.finish()
      this.#commit.run()
      return results
    } catch (cause) {
      this.#scope.undone()
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw cause
    }
  }
}
