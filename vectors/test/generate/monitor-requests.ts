/** Subscriptions in bt and JSON, put together by hand: what their reply is, 0 for success. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { encodeBase64, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { Case } from './case.ts'

const OWNER = new Uint8Array(32).fill(7)
const SUB = new Uint8Array(32).fill(9)
const KEY = ed25519.getPublicKey(OWNER)
const SESSION_ID = `05${encodeHex(ed25519.utils.toMontgomery(KEY))}`
const GROUP = `03${encodeHex(KEY)}`
const NOW_S = 1_750_000_000
const DAY_S = 86_400

type Bt = number | Uint8Array | readonly number[]
type Fields = Readonly<Record<string, Bt>>

/** The cases for a chapter. */
export function monitorCases(chapter: string): Case[] {
  const bt = (name: string, clause: string, fields: Fields, errcode: number, reason: string): Case => ({
    chapter,
    name: `monitor-${name}`,
    reason,
    clause,
    in: { bytes: encodeHex(dict(fields)), now_s: NOW_S },
    out: { errcode },
  })
  const good = group()
  return [
    bt('group', 'MON-01', good, 0, 'an account that is an Ed25519 key'),
    bt('session-id', 'MON-01', session(), 0, 'a Session id, by its Ed25519 key'),
    bt('no-data-flag', 'MON-01', without(good, 'd'), 5, 'without d no data is wanted, and something else was signed'),
    bt('both-accounts', 'MON-02', { ...good, P: KEY }, 1, 'both keys name an account'),
    bt('no-account', 'MON-02', without(good, 'p'), 1, 'neither key names an account'),
    bt('short-account', 'MON-02', { ...good, p: KEY }, 2, 'the prefix is missing'),
    bt('session-id-as-account', 'MON-02', { ...good, p: hex(SESSION_ID) }, 2, 'a Session id is named by its Ed25519 key'),
    bt(
      'small-order',
      'MON-02',
      { ...without(session(), 'P'), P: Uint8Array.of(1, ...new Uint8Array(31)) },
      2,
      'a key that nobody holds',
    ),
    bt('no-namespaces', 'MON-02', { ...good, n: [] }, 3, 'the list is empty'),
    bt('namespaces-descend', 'MON-02', { ...good, n: [5, 0] }, 3, 'the list descends'),
    bt('namespace-twice', 'MON-02', { ...good, n: [0, 0] }, 3, 'a number stands twice'),
    bt('namespace-too-large', 'MON-02', { ...good, n: [0, 32768] }, 3, 'more than 16 bits hold'),
    bt('too-old', 'MON-02', group({ t: NOW_S - 14 * DAY_S - 1 }), 4, 'signed more than 14 days ago'),
    bt('oldest', 'MON-02', group({ t: NOW_S - 14 * DAY_S }), 0, 'signed 14 days ago'),
    bt('too-new', 'MON-02', group({ t: NOW_S + DAY_S + 1 }), 4, 'signed for more than a day ahead'),
    bt('no-signature', 'MON-02', without(good, 's'), 1, 'there is no signature'),
    bt('wrong-signature', 'MON-02', { ...good, s: new Uint8Array(64) }, 5, 'the signature is none'),
    bt('subaccount', 'MON-03', subaccount(1), 0, 'a subaccount that may read'),
    bt('subaccount-writes', 'MON-03', subaccount(2), 5, 'a subaccount that may only write'),
    bt('half-subaccount', 'MON-02', without(subaccount(1), 'S'), 1, 'a token without the signature of the owner'),
    {
      ...bt('json', 'MON-01', good, 0, 'in JSON: the account in hexadecimal, signatures in base64'),
      in: { bytes: encodeHex(encodeUtf8(json(good))), now_s: NOW_S },
    },
  ]
}

interface Parts {
  readonly t?: number
  readonly by?: Uint8Array
}

function signature(account: string, { t = NOW_S, by = OWNER }: Parts): Uint8Array {
  return ed25519.sign(encodeUtf8(`MONITOR${account}${t}1-21,0,5`), by)
}

function group(parts: Parts = {}): Fields {
  return { d: 1, n: [-21, 0, 5], p: hex(GROUP), s: signature(GROUP, parts), t: parts.t ?? NOW_S }
}

function session(): Fields {
  return { P: KEY, d: 1, n: [-21, 0, 5], s: signature(SESSION_ID, {}), t: NOW_S }
}

function subaccount(rights: number): Fields {
  const token = Uint8Array.of(0x03, rights, 0, 0, ...ed25519.getPublicKey(SUB))
  return { ...group({ by: SUB }), T: token, S: ed25519.sign(token, OWNER) }
}

function without(fields: Fields, name: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name))
}

function hex(text: string): Uint8Array {
  return Buffer.from(text, 'hex')
}

function dict(fields: Fields): Uint8Array {
  const keys = Object.keys(fields).sort()
  return Buffer.concat([
    Buffer.from('d'),
    ...keys.flatMap(key => [Buffer.from(`1:${key}`), value(fields[key]!)]),
    Buffer.from('e'),
  ])
}

function value(given: Bt): Uint8Array {
  if (typeof given === 'number') return Buffer.from(`i${given}e`)
  if (given instanceof Uint8Array) return Buffer.concat([Buffer.from(`${given.length}:`), given])
  return Buffer.concat([Buffer.from('l'), ...given.map(value), Buffer.from('e')])
}

function json(fields: Fields): string {
  const entries = Object.entries(fields).map(([key, given]) => {
    if (!(given instanceof Uint8Array)) return [key, given]
    return [key, key === 'p' || key === 'P' ? encodeHex(given) : encodeBase64(given)]
  })
  return JSON.stringify(Object.fromEntries(entries))
}
