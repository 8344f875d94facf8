/** The classes of namespaces, and which swarm keeps an account. Nothing is calculated here but the places of swarms around one. */
import type { Case } from './case.ts'

const CHAPTER = 'namespace-and-swarm'
const DAY_MS = 86_400_000
const TOP = 2n ** 64n

/** The cases, always the same. */
export function namespaceAndSwarmCases(): Case[] {
  return [...namespaces(), ...refusedNamespaces(), ...spaces(), ...placements()]
}

type Rules = readonly [kind: string, store: 'open' | 'signed', retrieve: 'open' | 'signed', days: number]

const INBOX: Rules = ['inbox', 'open', 'signed', 14]
const OUTBOX: Rules = ['outbox', 'signed', 'open', 30]
const UNREVOCABLE: Rules = ['unrevocable', 'signed', 'signed', 30]
const PRIVATE: Rules = ['private', 'signed', 'signed', 30]

function namespaces(): Case[] {
  const rows: [name: string, namespace: number, rules: Rules, clause: string, reason: string][] = [
    ['inbox-default', 0, INBOX, 'NS-03', 'messages of strangers arrive at 0'],
    ['inbox-negative', -20, INBOX, 'NS-03', 'a multiple of ten is an inbox below zero too'],
    ['inbox-legacy-group', -10, ['inbox', 'open', 'open', 14], 'NS-03', 'the one inbox that everyone may read'],
    ['outbox-account-keys', -21, OUTBOX, 'NS-04', 'the published account keys'],
    ['outbox-first', -1, OUTBOX, 'NS-04', 'the greatest outbox'],
    ['outbox-sign', 21, PRIVATE, 'NS-04', 'an outbox is negative: 21 is not one'],
    ['outbox-every-twentieth', -11, UNREVOCABLE, 'NS-05', 'outboxes are every twentieth number, not every tenth'],
    ['unrevocable-every-hundredth', -211, UNREVOCABLE, 'NS-05', 'the third unrevocable namespace'],
    ['unrevocable-sign', 11, PRIVATE, 'NS-05', 'an unrevocable namespace is negative: 11 is not one'],
    [
      'testing',
      -3741,
      ['testing', 'signed', 'open', 30],
      'NS-06',
      'testing is decided first: by its number it would be an outbox',
    ],
    ['private', 2, PRIVATE, 'NS-07', 'what nothing else claims is private'],
    ['private-least', -32768, PRIVATE, 'NS-01', 'the least 16-bit number'],
    ['private-greatest', 32767, PRIVATE, 'NS-01', 'the greatest 16-bit number'],
  ]
  return rows.map(([name, namespace, [kind, store, retrieve, days], clause, reason]) => ({
    chapter: CHAPTER,
    name: `namespace-${name}`,
    reason,
    clause,
    in: { namespace },
    out: { class: kind, store, retrieve, max_ttl_ms: days * DAY_MS },
  }))
}

function refusedNamespaces(): Case[] {
  const rows: [name: string, namespace: number, reason: string][] = [
    ['above', 32768, 'one more than 16 bits hold'],
    ['below', -32769, 'one less than 16 bits hold'],
    ['fraction', 0.5, 'no integer'],
  ]
  return rows.map(([name, namespace, reason]) => ({
    chapter: CHAPTER,
    name: `namespace-${name}`,
    reason,
    clause: 'NS-01',
    failure: 'malformed',
    in: { namespace },
    out: {},
  }))
}

/** Four words of eight bytes in hexadecimal make the key of an account. */
function account(words: readonly string[], prefix = '05'): string {
  return prefix + words.map(word => word.padStart(16, '0')).join('')
}

function spaces(): Case[] {
  const rows: [name: string, pubkey: string, space: bigint, reason: string][] = [
    ['of-one-word', account(['0', '0', '0', '1']), 1n, 'the last word counts, its last byte least'],
    [
      'most-significant-first',
      account(['0102030405060708', '0', '0', '0']),
      0x0102030405060708n,
      'words begin with their most significant byte',
    ],
    ['of-all-words', account(['1', '2', '4', '8000000000000000']), 0x8000000000000007n, 'all four words count'],
    ['exclusive-or', account(['ff', 'ff', '0', '5']), 5n, 'words are not added: equal ones cancel out'],
    ['without-prefix', account(['0', '0', '0', '1'], 'ff'), 1n, 'the prefix plays no part'],
    ['greatest', account(['ffffffffffffffff', '0', '0', '0']), TOP - 1n, '64 bits, not the 53 that a double holds'],
  ]
  return rows.map(([name, pubkey, space, reason]) => ({
    chapter: CHAPTER,
    name: `space-${name}`,
    reason,
    clause: 'NS-10',
    in: { pubkey },
    out: { space: String(space) },
  }))
}

function placements(): Case[] {
  const rows: [name: string, space: bigint, swarms: bigint[], nearest: bigint, clause: string, reason: string][] = [
    ['one-swarm', 5n, [TOP / 2n], TOP / 2n, 'NS-11', 'the only swarm keeps everything'],
    ['exact', 500n, [499n, 500n, 501n], 500n, 'NS-11', 'a swarm at the very place'],
    ['left', 440n, [400n, 500n], 400n, 'NS-11', 'the nearer one is below'],
    ['right', 460n, [400n, 500n], 500n, 'NS-11', 'the nearer one is above'],
    ['unordered', 460n, [900n, 500n, 100n], 500n, 'NS-11', 'the ids come in any order'],
    ['beyond-53-bits', TOP - 1000n, [TOP - 1003n, TOP - 998n], TOP - 998n, 'NS-11', 'as doubles both ids are the same'],
    ['over-the-top', TOP - 10n, [0n, TOP / 2n], 0n, 'NS-11', 'the ring closes: 0 comes after the greatest number'],
    ['under-the-bottom', 3n, [TOP - 5n, TOP / 2n], TOP - 5n, 'NS-11', 'the ring closes downward too'],
    ['not-over-the-top', TOP - 1000n, [0n, TOP - 1500n], TOP - 1500n, 'NS-11', 'the way over the top is the longer one'],
    ['tie', 450n, [500n, 400n], 400n, 'NS-12', 'at the same distance the id to the left'],
    [
      'tie-at-the-bottom',
      0n,
      [100n, TOP - 100n],
      TOP - 100n,
      'NS-12',
      'left of 0 is the greatest number: not the smaller id wins',
    ],
    ['tie-of-two-opposite', TOP / 4n, [TOP / 2n, 0n], 0n, 'NS-12', 'a quarter of the ring on either side'],
    ['no-swarm', TOP - 3n, [TOP - 1n, 7n], 7n, 'NS-13', 'the greatest number is the id of no swarm'],
  ]
  return rows.map(([name, space, swarms, nearest, clause, reason]) => ({
    chapter: CHAPTER,
    name: `swarm-${name}`,
    reason,
    clause,
    in: { pubkey: account([space.toString(16), '0', '0', '0']), swarm_ids: swarms.map(String) },
    out: { swarm_id: String(nearest) },
  }))
}
