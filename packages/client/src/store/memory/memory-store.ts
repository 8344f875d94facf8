/** A store that lives as long as the process: for tests, and for programs that want to keep nothing. */
import { copyBytes, encodeHex, equalBytes } from '@session-v2/encoding'
import type { Change, RecordStore, ScanQuery, StoredRecord } from '../../ports/store.ts'

interface Row extends StoredRecord {
  readonly group: Uint8Array | undefined
}

/** An empty store. A closed one can be given to another client, like a file. */
export function openMemoryStore(): RecordStore {
  return new MemoryStore()
}

type Put = Extract<Change, { kind: 'put' }>

function copyOf(change: Put): Put {
  // A caller without types may pass nothing, which as bytes would be an empty value.
  if (!(change.value instanceof Uint8Array)) throw new TypeError('A record needs a value.')
  return { ...change, group: change.group && copyBytes(change.group), value: copyBytes(change.value) }
}

class MemoryStore implements RecordStore {
  readonly #tables = new Map<string, Map<string, Row>>()
  #lastOrder = 0

  async get(table: string, key: Uint8Array): Promise<StoredRecord | undefined> {
    return this.#rows(table).get(encodeHex(key))
  }

  async scan(table: string, query: ScanQuery): Promise<readonly StoredRecord[]> {
    const { group, after = 0, before = Number.POSITIVE_INFINITY } = query
    const rows = [...this.#rows(table).values()].filter(
      row =>
        row.order > after &&
        row.order < before &&
        (group === undefined || (row.group !== undefined && equalBytes(group, row.group))),
    )
    rows.sort((a, b) => (query.reverse ? b.order - a.order : a.order - b.order))
    return rows.slice(0, query.limit)
  }

  async commit(changes: readonly Change[]): Promise<void> {
    // Copied first: a change that cannot be taken must leave nothing behind of those before it.
    const copies = changes.map(change => (change.kind === 'delete' ? change : copyOf(change)))
    for (const change of copies) {
      const rows = this.#rows(change.table)
      const id = encodeHex(change.key)
      if (change.kind === 'delete') rows.delete(id)
      else {
        const order = rows.get(id)?.order ?? ++this.#lastOrder
        rows.set(id, { key: copyBytes(change.key), order, group: change.group, value: change.value })
      }
    }
  }

  async close(): Promise<void> {
    // Nothing is held open: a closed memory store can be given to another client, like a file.
  }

  #rows(table: string): Map<string, Row> {
    let rows = this.#tables.get(table)
    if (rows === undefined) {
      rows = new Map()
      this.#tables.set(table, rows)
    }
    return rows
  }
}
