import { type Change, openMemoryStore, type RecordStore } from '@session-v2/client'
import { loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { decodeUtf8, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { inTime } from '@session-v2/tools/fuzz'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClientError } from '../src/client-error.ts'
import { decodeRecord, encodeRecord } from '../src/store/sealed/record-codec.ts'
import { SealedStore } from '../src/store/sealed/sealed-store.ts'
import { codeOf } from './people.ts'

const crypto = await loadCrypto()
const random = systemRandom()
const FUZZ_RUNS = Number(process.env.FUZZ_RUNS ?? 2000)

interface Note {
  readonly text: string
}

function sealedOver(store: RecordStore, dataKey = new Uint8Array(32).fill(1)) {
  return new SealedStore(crypto, random, store, Secret.of(dataKey.slice(), 'data-key'))
}

const sealedValue = (change: Change) => (change.kind === 'put' ? change.value : new Uint8Array())

describe('a sealed store', () => {
  it('gives back what was put, by key, group, order and direction', async () => {
    const sealed = sealedOver(openMemoryStore())
    const notes = sealed.table<Note>('notes')
    await sealed.commit(['a', 'b', 'c'].map(text => notes.put(text, { text }, text === 'b' ? 'odd' : 'even')))
    expect(await notes.get('b')).toEqual({ text: 'b' })
    expect(await notes.get('d')).toBeUndefined()
    const texts = async (query: object) => (await notes.page({ limit: 9, ...query })).map(({ value }) => value.text).join('')
    expect(await texts({ group: 'even' })).toBe('ac')
    expect(await texts({ reverse: true })).toBe('cba')
    const [first] = await notes.page({ limit: 1 })
    expect(await texts({ after: first!.order })).toBe('bc')
    await sealed.commit([notes.remove('a')])
    expect((await notes.all()).map(({ text }) => text)).toEqual(['b', 'c'])
  })

  it('shows the store beneath neither keys nor groups nor values', async () => {
    const change = sealedOver(openMemoryStore()).table<Note>('notes').put('05alice', { text: 'a secret' }, '05bob')
    const seen = [(change as { key: Uint8Array }).key, (change as { group: Uint8Array }).group, sealedValue(change)]
    const all = seen.map(bytes => String.fromCharCode(...bytes)).join('')
    for (const word of ['05alice', '05bob', 'a secret', 'text']) expect(all).not.toContain(word)
  })

  it('seals the same value differently each time, and hides equal keys of different stores', () => {
    const table = sealedOver(openMemoryStore()).table<Note>('notes')
    const [one, two] = [table.put('k', { text: 'x' }), table.put('k', { text: 'x' })]
    expect(encodeHex(sealedValue(one))).not.toBe(encodeHex(sealedValue(two)))
    expect(one.key).toEqual(two.key)
    const other = sealedOver(openMemoryStore(), new Uint8Array(32).fill(2)).table<Note>('notes').put('k', { text: 'x' })
    expect(other.key).not.toEqual(one.key)
  })

  it('opens no record that was altered, moved to another key or table, or sealed by another key', async () => {
    const inner = openMemoryStore()
    const sealed = sealedOver(inner)
    const change = sealed.table<Note>('notes').put('k', { text: 'x' }) as Extract<Change, { kind: 'put' }>
    const other = sealed.table<Note>('notes').put('l', { text: 'y' })
    for (let i = 0; i < change.value.length; i++) {
      const value = change.value.slice()
      value[i]! ^= 1
      await inner.commit([{ ...change, value }])
      expect(await codeOf(sealed.table('notes').get('k'))).toBe('store-damaged')
    }
    await inner.commit([{ ...change, key: other.key }])
    expect(await codeOf(sealed.table('notes').get('l'))).toBe('store-damaged')
    const moved = sealed.table<Note>('letters').put('k', { text: 'z' })
    await inner.commit([{ ...change, table: 'letters', key: moved.key }])
    expect(await codeOf(sealed.table('letters').get('k'))).toBe('store-damaged')
    await inner.commit([change])
    const stranger = sealedOver(inner, new Uint8Array(32).fill(2))
    expect(await stranger.table('notes').get('k')).toBeUndefined()
    expect(await codeOf(stranger.table('notes').all())).toBe('store-damaged')
    expect(await sealed.table('notes').get('k')).toEqual({ text: 'x' })
  })

  it('wipes its keys when it closes', async () => {
    const sealed = sealedOver(openMemoryStore())
    await sealed.close()
    expect(() => sealed.table<Note>('notes').put('k', { text: 'x' })).toThrow(expect.objectContaining({ code: 'closed' }))
  })

  it('tells a failing store by one code and keeps the cause', async () => {
    const cause = new Error('ENOSPC: no space left on device')
    const full: RecordStore = { ...openMemoryStore(), commit: () => Promise.reject(cause) }
    const sealed = sealedOver(full)
    const error = await sealed.commit([]).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'store-failed', cause })
  })
})

describe('fuzz: records', () => {
  it('decode what was encoded', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), value => {
        const json = JSON.parse(JSON.stringify(value)) as object
        expect(decodeRecord(encodeRecord(json))).toEqual(json)
      }),
      { numRuns: FUZZ_RUNS },
    )
  })

  it('end in a typed error when they are none', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: 'binary', maxLength: 100 }).map(encodeUtf8),
      fc.json().map(encodeUtf8),
    )
    fc.assert(
      fc.property(bytes, input => {
        inTime(input, () => {
          try {
            const value = decodeRecord(input)
            expect(value).toEqual(JSON.parse(decodeUtf8(input)))
          } catch (error) {
            expect(error).toBeInstanceOf(ClientError)
            expect((error as ClientError).code).toBe('store-damaged')
          }
        })
      }),
      { numRuns: FUZZ_RUNS },
    )
  })
})
