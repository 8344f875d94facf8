/** Names of messages and texts that requests sign, with an independent implementation of the primitives; and requests refused. */

import { ed25519 } from '@noble/curves/ed25519.js'
import { blake2b } from '@noble/hashes/blake2.js'
import { encodeBase64, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { activeNodeCases } from './active-nodes.ts'
import type { Case } from './case.ts'
import { conditionCases } from './conditions.ts'
import { monitorCases } from './monitor-requests.ts'
import { refusedRequests } from './refused-requests.ts'
import { textCases } from './storage-texts.ts'
import { subaccountCases } from './subaccounts.ts'

const CHAPTER = 'storage-rpc'
const SEED = new Uint8Array(32).fill(7)
const ACCOUNT = `05${'8b'.repeat(32)}`
const TIME_MS = 1_750_000_000_123

/** The cases, always the same. */
export function storageRpcCases(): Case[] {
  return [
    ...hashes(),
    ...requestTexts(),
    ...memberTexts(),
    ...textCases(CHAPTER, ACCOUNT, [A, B]),
    ...refusedRequests(CHAPTER, ACCOUNT),
    ...subaccountCases(CHAPTER),
    ...conditionCases(CHAPTER),
    ...activeNodeCases(CHAPTER),
    ...monitorCases(CHAPTER),
  ]
}

function hashes(): Case[] {
  const hello = encodeHex(encodeUtf8('hello'))
  const rows: [name: string, pubkey: string, namespace: number, data: string, clause: string, reason: string][] = [
    ['default', ACCOUNT, 0, hello, 'RPC-11', 'namespace 0 is written as nothing'],
    ['private', ACCOUNT, 21, hello, 'RPC-11', 'another namespace is written in decimal'],
    ['negative', ACCOUNT, -21, hello, 'RPC-11', 'the minus sign counts'],
    ['empty', ACCOUNT, 0, '', 'RPC-11', 'no data at all'],
    ['prefix', `03${ACCOUNT.slice(2)}`, 0, hello, 'RPC-11', 'the prefix of the account counts'],
    ['undelimited', ACCOUNT, 0, `3231${hello}`, 'RPC-12', 'the hash of hash-private: nothing parts namespace and data'],
  ]
  return rows.map(([name, pubkey, namespace, data, clause, reason]) => ({
    chapter: CHAPTER,
    name: `hash-${name}`,
    reason,
    clause,
    in: { pubkey, namespace, data },
    out: { hash: hash(pubkey, namespace, data) },
  }))
}

function hash(pubkey: string, namespace: number, data: string): string {
  const text = namespace === 0 ? '' : encodeHex(encodeUtf8(String(namespace)))
  return encodeBase64(blake2b(Buffer.from(pubkey + text + data, 'hex'), { dkLen: 32 }), { padding: false })
}

const [A, B] = [hash(ACCOUNT, 0, '00'), hash(ACCOUNT, 0, '01')].sort() as [string, string]

function requestTexts(): Case[] {
  const rows: [name: string, request: Record<string, unknown>, text: string, reason: string][] = [
    [
      'store',
      { method: 'store', namespace: 2, timestamp: TIME_MS },
      'store21750000000123',
      'the namespace in decimal, then the time',
    ],
    ['store-default', { method: 'store', namespace: 0, timestamp: TIME_MS }, 'store1750000000123', '0 is written as nothing'],
    ['store-outbox', { method: 'store', namespace: -21, timestamp: TIME_MS }, 'store-211750000000123', 'the minus sign counts'],
    [
      'retrieve',
      { method: 'retrieve', namespace: 21, timestamp: TIME_MS },
      'retrieve211750000000123',
      'like store, with its own name',
    ],
    [
      'retrieve-default',
      { method: 'retrieve', namespace: 0, timestamp: TIME_MS },
      'retrieve1750000000123',
      '0 is written as nothing',
    ],
    ['delete', { method: 'delete', messages: [B, A] }, `delete${B}${A}`, 'the hashes in the order sent, without a time'],
  ]
  return rows.map(([name, request, text, reason]) => ({
    chapter: CHAPTER,
    name: `signs-${name}`,
    reason,
    clause: 'RPC-21',
    in: { seed: encodeHex(SEED), ...request },
    out: { text, signature: signature(text) },
  }))
}

function memberTexts(): Case[] {
  const member = (name: string, answer: Record<string, unknown>, text: string, reason: string): Case => ({
    chapter: CHAPTER,
    name: `member-signs-${name}`,
    reason,
    clause: 'RPC-22',
    in: { seed: encodeHex(SEED), ...answer },
    out: { text, signature: signature(text) },
  })
  const deleted = { method: 'delete', pubkey: ACCOUNT, messages: [B, A], deleted: [B, A] }
  return [
    member('store', { method: 'store', hash: A }, A, 'the hash alone'),
    member('delete', deleted, `${ACCOUNT}${B}${A}${A}${B}`, 'what was asked for as sent, what was deleted sorted'),
    member('delete-nothing', { ...deleted, deleted: [] }, `${ACCOUNT}${B}${A}`, 'nothing was there'),
  ]
}

function signature(text: string): string {
  return encodeHex(ed25519.sign(encodeUtf8(text), SEED))
}
