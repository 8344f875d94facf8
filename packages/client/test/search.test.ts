import { type Client, openMemoryStore } from '@session-v2/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { foldText } from '../src/conversations/search.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { codeOf, newClient } from './people.ts'

let network: NetworkUnderTest
let alice: Client
let bob: Client
let carol: Client

const TO_BOB = [
  'The train on Saturday',
  'Café at noon?',
  'ÄRGER mit dem Zug',
  'saturday: no TRAIN',
  '日本語のテスト',
  'straße\nof two lines',
]

beforeAll(async () => {
  network = await NetworkUnderTest.start({ nodes: 1 })
  ;[alice, bob, carol] = [
    await newClient(network, 'Alice', { store: openMemoryStore() }),
    await newClient(network, 'Bob'),
    await newClient(network, 'Carol'),
  ]
  for (const text of TO_BOB) await alice.send(bob.accountId, text)
  await alice.send(carol.accountId, 'train to Carol')
})
afterAll(async () => {
  await Promise.all([alice, bob, carol].map(client => client.close()))
  await network.close()
})

async function found(text: string, query: { with?: string; limit?: number } = {}): Promise<string[]> {
  return (await alice.search({ text, ...query })).messages.map(({ body }) => body)
}

describe('search', () => {
  it('finds all words in any order, the newest first, without case and accents', async () => {
    expect(await found('train saturday')).toEqual(['saturday: no TRAIN', 'The train on Saturday'])
    expect(await found('SATUR')).toEqual(['saturday: no TRAIN', 'The train on Saturday'])
    expect(await found('cafe')).toEqual(['Café at noon?'])
    expect(await found('arger')).toEqual(['ÄRGER mit dem Zug'])
    expect(await found('テスト')).toEqual(['日本語のテスト'])
    expect(await found('of two')).toEqual(['straße\nof two lines'])
    expect(await found('train bus')).toEqual([])
  })
  it('stays within a conversation', async () => {
    expect(await found('train', { with: carol.accountId })).toEqual(['train to Carol'])
    expect(await found('train')).toHaveLength(3)
    expect(await codeOf(alice.search({ text: 'train', with: 'nobody' }))).toBe('bad-account-id')
  })
  it('goes on behind a page, and says when it has looked through everything', async () => {
    const first = await alice.search({ text: 'train', limit: 2 })
    expect(first.messages.map(({ body }) => body)).toEqual(['train to Carol', 'saturday: no TRAIN'])
    const second = await alice.search({ text: 'train', limit: 2, before: first.before })
    expect(second.messages.map(({ body }) => body)).toEqual(['The train on Saturday'])
    expect(second.before).toBeUndefined()
    expect(first.looked + second.looked).toBe(TO_BOB.length + 1)
  })
  it('finds nothing for a text without words', async () => {
    for (const text of ['', '  ', '\n'])
      expect(await alice.search({ text })).toEqual({ messages: [], before: undefined, looked: 0 })
  })
  it('folds what looks alike into one form', () => {
    expect(foldText('  ﬁne\tÉTÉ ')).toBe('fine ete')
    expect(foldText('e\u0301')).toBe(foldText('é'))
  })
})
