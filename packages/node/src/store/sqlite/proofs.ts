/**
 * The requests that deleted or shortened, kept once for all items that they changed (clause NODE-84). They are opaque here. What
 * nothing refers to any more is removed by the sweep.
 */
import { blake2b, type Crypto } from '@session-v2/crypto'
import type { Database, Statement } from './driver.ts'

const SWEEP_SLICE = 256

export class Proofs {
  readonly #crypto: Crypto
  readonly #find: Statement
  readonly #add: Statement
  readonly #body: Statement
  readonly #sliceEnd: Statement
  readonly #sweep: Statement
  /** Where the sweep goes on: it looks at a slice each time, and at all of them in turn. */
  #swept = 0

  constructor(database: Database, crypto: Crypto) {
    this.#crypto = crypto
    this.#find = database.prepare('SELECT id FROM proofs WHERE digest = ?')
    this.#add = database.prepare('INSERT INTO proofs (digest, body) VALUES (?, ?)')
    this.#body = database.prepare('SELECT body FROM proofs WHERE id = ?')
    this.#sliceEnd = database.prepare(
      `SELECT max(id) AS last FROM (SELECT id FROM proofs WHERE id > ? ORDER BY id LIMIT ${SWEEP_SLICE})`,
    )
    this.#sweep = database.prepare(`DELETE FROM proofs WHERE id > ? AND id <= ?
      AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.proof = proofs.id)
      AND NOT EXISTS (SELECT 1 FROM tombstones WHERE tombstones.proof = proofs.id)`)
  }

  /** The row of a request, made when it is asked for first; null without a request. */
  idOf(body: Uint8Array | undefined): () => number | null {
    let id: number | null | undefined = body === undefined ? null : undefined
    return () => {
      id ??= body === undefined ? null : this.#idOf(body)
      return id
    }
  }

  /** The request of a row. */
  body(id: number): Uint8Array | undefined {
    return this.#body.get(id)?.body as Uint8Array | undefined
  }

  /** Removes what nothing refers to, of the next slice. */
  sweepSlice(): void {
    let last = this.#endOfSlice()
    if (last === undefined) {
      this.#swept = 0
      last = this.#endOfSlice()
    }
    if (last === undefined) return
    this.#sweep.run(this.#swept, last)
    this.#swept = last
  }

  #endOfSlice(): number | undefined {
    const last = this.#sliceEnd.get(this.#swept)?.last
    return last === null || last === undefined ? undefined : Number(last)
  }

  #idOf(body: Uint8Array): number {
    const digest = blake2b(this.#crypto, 32, [body])
    return Number(this.#find.get(digest)?.id ?? this.#add.run(digest, body).lastInsertRowid)
  }
}
