/** What requests and members sign, with an independent implementation of the primitives. Binary parts of a text are given as bytes. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { Case } from './case.ts'

type Fields = Readonly<Record<string, unknown>>
type Text = string | readonly (string | Uint8Array)[]
type Row = readonly [name: string, fields: Fields, text: Text, reason: string]

const SEED = new Uint8Array(32).fill(7)
const TIME_MS = 1_750_000_000_123
const TOKENS = [0x11, 0x22].map(byte => new Uint8Array(36).fill(byte))
const TOKENS_HEX = TOKENS.map(encodeHex)

/** The cases for a chapter, an account of 66 hexadecimal digits, and two hashes in their sorted order. */
export function textCases(chapter: string, account: string, [a, b]: readonly [string, string]): Case[] {
  const of =
    (prefix: string, clause: string) =>
    ([name, fields, text, reason]: Row): Case => ({
      chapter,
      name: `${prefix}-${name}`,
      reason,
      clause,
      in: { seed: encodeHex(SEED), ...fields },
      out: signed(text),
    })
  return [
    ...requests(account, [a, b]).map(of('signs', 'RPC-21')),
    ...members(account, [a, b]).map(of('member-signs', 'RPC-22')),
    ...expiries(account, [a, b]).map(of('member-signs', 'RPC-23')),
  ]
}

function signed(text: Text): Fields {
  const bytes = Buffer.concat([text].flat().map(part => (typeof part === 'string' ? encodeUtf8(part) : part)))
  const shown = typeof text === 'string' ? { text } : { text_bytes: encodeHex(bytes) }
  return { ...shown, signature: encodeHex(ed25519.sign(bytes, SEED)) }
}

function requests(account: string, hashes: readonly [string, string]): Row[] {
  return [
    ...everywhere('delete_all', 'timestamp'),
    ...everywhere('delete_before', 'before'),
    ...everywhere('expire_all', 'expiry'),
    ...byHash(hashes),
    ...subaccounts(),
    ...subscriptions(account),
  ]
}

function everywhere(method: string, field: string): Row[] {
  const name = method.replace('_', '-')
  const request = (namespace: number | 'all') => ({ method, namespace, [field]: TIME_MS })
  return [
    [name, request(21), `${method}21${TIME_MS}`, 'the namespace in decimal, then the time'],
    [`${name}-default`, request(0), `${method}${TIME_MS}`, '0 is written as nothing'],
    [`${name}-everywhere`, request('all'), `${method}all${TIME_MS}`, 'all namespaces are a word'],
  ]
}

function byHash([a, b]: readonly [string, string]): Row[] {
  const expire = { method: 'expire', messages: [b, a] }
  return [
    [
      'expire',
      { ...expire, expiry: [TIME_MS] },
      `expire${TIME_MS}${b}${a}`,
      'the time before the hashes, those in the order sent',
    ],
    [
      'expire-shorten',
      { ...expire, expiry: [TIME_MS], shorten: true },
      `expireshorten${TIME_MS}${b}${a}`,
      'what is not to be raised',
    ],
    [
      'expire-extend',
      { ...expire, expiry: [TIME_MS], extend: true },
      `expireextend${TIME_MS}${b}${a}`,
      'what is not to be lowered',
    ],
    [
      'expire-each',
      { ...expire, expiry: [TIME_MS, 5] },
      `expire${TIME_MS}5${b}${a}`,
      'an expiry for each, all before the first hash',
    ],
    [
      'get-expiries',
      { method: 'get_expiries', timestamp: TIME_MS, messages: [b, a] },
      `get_expiries${TIME_MS}${b}${a}`,
      'the time comes first here',
    ],
    [
      'get-expiries-all',
      { method: 'get_expiries', timestamp: TIME_MS, messages: 'all' },
      `get_expiries${TIME_MS}all`,
      'all messages are a word',
    ],
  ]
}

function subaccounts(): Row[] {
  return [
    [
      'revoke',
      { method: 'revoke_subaccount', timestamp: TIME_MS, tokens: TOKENS_HEX },
      [`revoke_subaccount${TIME_MS}`, ...TOKENS],
      'tokens as bytes, not as text',
    ],
    [
      'unrevoke',
      { method: 'unrevoke_subaccount', timestamp: TIME_MS, tokens: TOKENS_HEX },
      [`unrevoke_subaccount${TIME_MS}`, ...TOKENS],
      'another word, so that one is not the other',
    ],
    [
      'revoked-subaccounts',
      { method: 'revoked_subaccounts', timestamp: TIME_MS },
      `revoked_subaccounts${TIME_MS}`,
      'the time alone',
    ],
  ]
}

function subscriptions(account: string): Row[] {
  const monitor = { method: 'monitor', pubkey: account, t: 1_750_000_000 }
  return [
    [
      'monitor',
      { ...monitor, d: 1, n: [-21, 0, 5] },
      `MONITOR${account}17500000001-21,0,5`,
      'seconds, and namespace 0 is written',
    ],
    ['monitor-silent', { ...monitor, d: 0, n: [0] }, `MONITOR${account}175000000000`, 'without data, one namespace'],
  ]
}

function members(account: string, [a, b]: readonly [string, string]): Row[] {
  return [
    [
      'delete-all',
      { method: 'delete_all', pubkey: account, time: TIME_MS, changed: [b, a] },
      `${account}${TIME_MS}${a}${b}`,
      'the time of the request, what was deleted sorted',
    ],
    [
      'delete-before-none',
      { method: 'delete_before', pubkey: account, time: TIME_MS, changed: [] },
      `${account}${TIME_MS}`,
      'nothing was there',
    ],
    [
      'expire-all',
      { method: 'expire_all', pubkey: account, time: TIME_MS, changed: [b] },
      `${account}${TIME_MS}${b}`,
      'the expiry of the request, whatever it capped',
    ],
    [
      'revoke',
      { method: 'revoke_subaccount', pubkey: account, time: TIME_MS, tokens: TOKENS_HEX },
      [`${account}${TIME_MS}`, ...TOKENS],
      'tokens as bytes, in the order sent',
    ],
  ]
}

function expiries(account: string, [a, b]: readonly [string, string]): Row[] {
  const expire = { method: 'expire', pubkey: account, messages: [b, a] }
  return [
    ['expire', { ...expire, expiry: TIME_MS, updated: [b, a] }, `${account}${TIME_MS}${b}${a}${a}${b}`, 'one expiry for all'],
    [
      'expire-each',
      { ...expire, expiry: [5, 6], updated: [b, a] },
      `${account}56${b}${a}${a}${b}`,
      'expiries in the order of the sorted hashes',
    ],
    [
      'expire-unchanged',
      { ...expire, expiry: 5, updated: [], unchanged: { [b]: 8, [a]: 7 } },
      `${account}5${b}${a}${a}7${b}8`,
      'each unchanged with its expiry, sorted by hash',
    ],
  ]
}
