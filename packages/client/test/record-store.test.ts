import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMemoryStore, type RecordStore } from '@session-v2/client'
import { openSqliteStore } from '@session-v2/client/sqlite'
import { recordStoreContract } from '@session-v2/client/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let folder: string
let files = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'session-v2-store-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const adapters: Record<string, () => Promise<RecordStore>> = {
  memory: async () => openMemoryStore(),
  SQLite: () => openSqliteStore(join(folder, `${++files}.db`)),
}

for (const [name, open] of Object.entries(adapters)) {
  describe(`the ${name} store`, () => {
    for (const check of recordStoreContract) it(check.name, () => check.run(open))
  })
}

describe('the contract of record stores', () => {
  /** A store with one fault each; the suite has to notice every one. */
  const faults: Record<string, (store: RecordStore) => Partial<RecordStore>> = {
    'loses commits': () => ({ commit: async () => {} }),
    'ignores groups': store => ({ scan: (table, { group, ...query }) => store.scan(table, query) }),
    'ignores the limit': store => ({ scan: (table, query) => store.scan(table, { ...query, limit: 1000 }) }),
    'moves what is overwritten': store => ({
      commit: async changes => {
        for (const change of changes) await store.commit([{ kind: 'delete', table: change.table, key: change.key }, change])
      },
    }),
    'writes halves': store => ({
      commit: async changes => {
        for (const change of changes) await store.commit([change])
      },
    }),
    'mixes tables': store => ({ get: (_table, key) => store.get('t', key) }),
  }
  for (const [name, fault] of Object.entries(faults)) {
    it(`notices a store that ${name}`, async () => {
      const open = async (): Promise<RecordStore> => {
        const store = openMemoryStore()
        const whole: RecordStore = {
          get: (table, key) => store.get(table, key),
          scan: (table, query) => store.scan(table, query),
          commit: (changes, options) => store.commit(changes, options),
          close: () => store.close(),
        }
        return { ...whole, ...fault(store) }
      }
      const results = await Promise.allSettled(recordStoreContract.map(check => check.run(open)))
      expect(results.some(result => result.status === 'rejected')).toBe(true)
    })
  }
})
