/**
 * What every record store must do, as a list of named checks, so that any test runner can run them on any adapter.
 */
import { encodeUtf8, equalBytes } from '@session-v2/encoding'
import type { RecordStore } from '../ports/store.ts'

export interface ContractCheck {
  readonly name: string
  /** Rejects when the store does not do it. @param open opens a fresh, empty store */
  run(open: () => Promise<RecordStore>): Promise<void>
}

const a = encodeUtf8('a')
const b = encodeUtf8('b')
const one = encodeUtf8('one')
const two = encodeUtf8('two')
const group = encodeUtf8('group')

function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

function check(name: string, body: (store: RecordStore) => Promise<void>): ContractCheck {
  return {
    name,
    run: async open => {
      const store = await open()
      try {
        await body(store)
      } finally {
        await store.close()
      }
    },
  }
}

export const recordStoreContract: readonly ContractCheck[] = [
  check('returns what was put', async store => {
    await store.commit([{ kind: 'put', table: 't', key: a, value: one }])
    const record = await store.get('t', a)
    assert(record !== undefined && equalBytes(record.value, one) && equalBytes(record.key, a), 'not the record that was put')
  }),
  check('keeps tables apart', async store => {
    await store.commit([{ kind: 'put', table: 't', key: a, value: one }])
    assert((await store.get('u', a)) === undefined, 'a record of another table')
  }),
  check('keeps the order of a record that is overwritten', async store => {
    await store.commit([
      { kind: 'put', table: 't', key: a, value: one },
      { kind: 'put', table: 't', key: b, value: one },
    ])
    await store.commit([{ kind: 'put', table: 't', key: a, value: two }])
    const [first, second] = await store.scan('t', { limit: 10 })
    assert(first !== undefined && second !== undefined && first.order < second.order, 'out of order')
    assert(equalBytes(first.key, a) && equalBytes(first.value, two), 'not overwritten in place')
  }),
  check('never gives an order twice', async store => {
    await store.commit([{ kind: 'put', table: 't', key: a, value: one }])
    const before = await store.get('t', a)
    await store.commit([{ kind: 'delete', table: 't', key: a }])
    await store.commit([{ kind: 'put', table: 't', key: b, value: one }])
    assert((await store.get('t', b))!.order > before!.order, 'an order was reused')
  }),
  check('scans by group, range, direction and limit', scans),
  check('deletes, and a missing record is no error', async store => {
    await store.commit([{ kind: 'put', table: 't', key: a, value: one }])
    await store.commit([
      { kind: 'delete', table: 't', key: a },
      { kind: 'delete', table: 't', key: b },
    ])
    assert((await store.get('t', a)) === undefined, 'not deleted')
  }),
  check('writes all changes or none', async store => {
    const bad = { kind: 'put', table: 't', key: b, value: null as unknown as Uint8Array } as const
    const failed = await store.commit([{ kind: 'put', table: 't', key: a, value: one }, bad]).then(
      () => false,
      () => true,
    )
    assert(failed, 'a record without a value was taken')
    assert((await store.get('t', a)) === undefined, 'half of a failed commit was kept')
  }),
  check('takes empty and large values', async store => {
    const large = new Uint8Array(1_000_000).fill(7)
    await store.commit([
      { kind: 'put', table: 't', key: a, value: new Uint8Array() },
      { kind: 'put', table: 't', key: b, value: large },
    ])
    assert((await store.get('t', a))!.value.length === 0, 'an empty value changed')
    assert(equalBytes((await store.get('t', b))!.value, large), 'a large value changed')
  }),
]

async function scans(store: RecordStore): Promise<void> {
  const keys = ['1', '2', '3', '4'].map(encodeUtf8)
  await store.commit(keys.map((key, i) => ({ kind: 'put', table: 't', key, group: i % 2 === 0 ? group : undefined, value: key })))
  const text = async (query: Parameters<RecordStore['scan']>[1]) =>
    (await store.scan('t', query)).map(record => String.fromCharCode(...record.value)).join('')
  const orders = (await store.scan('t', { limit: 10 })).map(record => record.order)
  assert((await text({ limit: 10 })) === '1234', 'not in order')
  assert((await text({ limit: 2 })) === '12', 'the limit is not kept')
  assert((await text({ limit: 10, group })) === '13', 'not the group')
  assert((await text({ limit: 2, reverse: true })) === '43', 'not newest first')
  assert((await text({ limit: 10, after: orders[1], before: orders[3] })) === '3', 'not the range')
}
