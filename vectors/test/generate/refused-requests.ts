/** Requests that a node refuses to read, with the words it answers. */
import type { Case } from './case.ts'
import { type Fields, type RefusedJson, type RefusedText, refusedChanges, refusedInBt } from './refused-changes.ts'

/** The cases for a chapter and an account of 66 hexadecimal digits. */
export function refusedRequests(chapter: string, account: string): Case[] {
  const rows = [
    ...envelopes(),
    ...[...accounts(account), ...signatures(account), ...stores(account), ...others(account)].map(asJson),
    ...refusedChanges(account).map(asJson),
    ...refusedInBt(account),
  ]
  return rows.map(([name, clause, request, text, reason]) => ({
    chapter,
    name: `refused-${name}`,
    reason,
    clause,
    failure: 'malformed',
    in: { request },
    out: { status: 400, text },
  }))
}

function envelopes(): RefusedText[] {
  return [
    ['no-json', 'RPC-03', '{"method"', 'invalid json', 'it ends within a name'],
    ['no-method', 'RPC-03', '{"params":{}}', 'invalid json: no `method` field', 'there is no method'],
    ['list', 'RPC-03', '[]', 'invalid json: no `method` field', 'a list has no method either'],
    ['method-is-number', 'RPC-03', '{"method":5,"params":{}}', 'invalid json: no `method` field', 'a method is a text'],
    ['no-params', 'RPC-03', '{"method":"info"}', 'invalid json: no `params` field', 'even where there is nothing to say'],
    ['params-are-list', 'RPC-03', '{"method":"info","params":[]}', 'invalid json: no `params` field', 'parameters have names'],
    ['unknown-method', 'RPC-03', '{"method":"x","params":{}}', 'no method x', 'nobody knows the method'],
  ]
}

function asJson([name, clause, method, params, why, reason]: RefusedJson): RefusedText {
  return [name, clause, JSON.stringify({ method, params }), `invalid request: ${why}`, reason]
}

function accounts(account: string): RefusedJson[] {
  const long = 'Pubkey must be 66 hex digits (33 bytes) long'
  return [
    ['no-account', 'RPC-14', 'retrieve', {}, "Required field 'pubkey' missing", 'there is no account'],
    ['null-account', 'RPC-13', 'retrieve', { pubkey: null }, "Required field 'pubkey' missing", 'null is as good as nothing'],
    ['account-too-short', 'RPC-14', 'retrieve', { pubkey: account.slice(2) }, long, 'the prefix is missing'],
    ['account-no-hex', 'RPC-14', 'store', { pubkey: `${account.slice(1)}g` }, long, 'g is no hexadecimal digit'],
    [
      'swarm-account',
      'RPC-14',
      'get_swarm',
      { pubkey: '05' },
      'Pubkey must be 66 hex digits/33 bytes long',
      'this method words it its own way',
    ],
    [
      'account-twice',
      'RPC-14',
      'get_swarm',
      { pubkey: account, pubKey: account },
      "Cannot specify both 'pubkey' and 'pubKey'",
      'the field and its alias',
    ],
    [
      'namespace-too-large',
      'RPC-14',
      'retrieve',
      { pubkey: account, namespace: 32768 },
      'value out of range',
      'more than 16 bits hold',
    ],
  ]
}

function signatures(account: string): RefusedJson[] {
  const signed = { pubkey: account, namespace: 2, timestamp: 1_750_000_000_123, signature: 'A'.repeat(86) }
  return [
    [
      'no-signature',
      'RPC-56',
      'retrieve',
      { pubkey: account, namespace: 2 },
      "Required field 'signature' missing",
      'the namespace is private',
    ],
    [
      'half-signed',
      'RPC-56',
      'retrieve',
      { pubkey: account, namespace: -21, timestamp: 1_750_000_000_123 },
      "Required field 'signature' missing",
      'the namespace is open, but a time promises a signature',
    ],
    [
      'key-alone',
      'RPC-56',
      'retrieve',
      { pubkey: account, namespace: -21, pubkey_ed25519: account.slice(2) },
      "Required field 'signature' missing",
      'the namespace is open, but a key promises a signature',
    ],
    [
      'no-time',
      'RPC-56',
      'retrieve',
      { ...signed, timestamp: undefined },
      "Required field 'timestamp' missing",
      'a signature without the time that it signs',
    ],
    [
      'time-in-seconds',
      'RPC-13',
      'retrieve',
      { ...signed, timestamp: 999_999_999 },
      "Invalid timestamp for 'timestamp': timestamp must be in milliseconds",
      'the greatest number that is taken for seconds',
    ],
    [
      'key-beside-key',
      'RPC-32',
      'retrieve',
      { ...signed, pubkey: `03${account.slice(2)}`, pubkey_ed25519: account.slice(2) },
      'pubkey_ed25519 is only permitted for 05[...] pubkeys',
      'the account is a key already',
    ],
    [
      'delete-unsigned',
      'RPC-60',
      'delete',
      { pubkey: account, messages: ['A'.repeat(43)] },
      "Required field 'signature' missing",
      'always signed',
    ],
  ]
}

function stores(account: string): RefusedJson[] {
  const store = { pubkey: account, data: 'AA==', timestamp: 1_750_000_000_123, ttl: 60_000 }
  const row = (name: string, fields: Fields, why: string, reason: string): RefusedJson => [
    `store-${name}`,
    'RPC-50',
    'store',
    { ...store, ...fields },
    why,
    reason,
  ]
  const tooLong = 'Message body exceeds maximum allowed length of 76800 bytes'
  return [
    row('no-data', { data: undefined }, "Required field 'data' missing", 'there is no message'),
    row('no-time', { timestamp: undefined }, "Required field 'timestamp' missing", 'there is no time'),
    row('no-expiry', { ttl: undefined }, "Required field 'expiry' missing", 'neither a TTL nor an expiry'),
    row('both-expiries', { expiry: 1_750_000_060_123 }, "Cannot specify both 'ttl' and 'expiry'", 'a TTL and an expiry'),
    row(
      'expiry-in-seconds',
      { ttl: undefined, expiry: 999_999_999 },
      "Invalid timestamp for 'expiry': timestamp must be in milliseconds",
      'the greatest number that is taken for seconds',
    ),
    row('too-long', { data: 'A'.repeat(102_402) }, tooLong, '76,801 bytes'),
  ]
}

function others(account: string): RefusedJson[] {
  const get = { method: 'get_swarm', params: { pubkey: account } }
  return [
    ['endpoint', 'RPC-67', 'oxend_request', { endpoint: 'x' }, "Invalid oxend endpoint 'x'", 'not one that nodes pass on'],
    [
      'part-of-batch',
      'RPC-68',
      'batch',
      { requests: [get, { method: 'get_swarm', params: {} }] },
      "Required field 'pubkey' missing",
      'one part that cannot be read refuses all',
    ],
  ]
}
