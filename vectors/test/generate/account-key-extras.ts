/**
 * Records of published account keys with continuity, and what a reader makes of them who remembers others. Keys, links and records
 * are made from the primitives up, apart from the protocol package.
 */
import {
  blake2b,
  type Crypto,
  type Ed25519KeyPair,
  ed25519KeyPair,
  ed25519Sign,
  Secret,
  seededRandom,
  xed25519Sign,
} from '@session-v2/crypto'
import { type BtValue, concatBytes, encodeBt, encodeHex, encodeUtf8, uint64Le } from '@session-v2/encoding'
import { type Account, accountFromSeed, accountIdBytes, expandKeyPair } from '@session-v2/protocol'
import type { Case } from './case.ts'

const CHAPTER = 'account-keys'
/** 2024-01-01, in minutes since the epoch. */
const T = 28_401_120

/** An account key as others see it, and its continuity key. */
interface Key {
  readonly M: Uint8Array
  readonly X: Uint8Array
  readonly pair: Ed25519KeyPair
}

interface World {
  readonly crypto: Crypto
  readonly alice: Account
  /** From the oldest to the newest. */
  readonly keys: readonly [Key, Key, Key]
  /** Of somebody who has the recovery password, but no account key. */
  readonly thief: Key
  record(fields: Readonly<Record<string, BtValue>>): Uint8Array
}

/** The cases, always the same. */
export function accountKeyExtrasCases(crypto: Crypto): Case[] {
  const world = makeWorld(crypto)
  return [...read(world), ...ignored(world), ...judged(world)]
}

function makeWorld(crypto: Crypto): World {
  const random = seededRandom(crypto, encodeUtf8('vectors/account-keys/extras'))
  const alice = accountFromSeed(crypto, random.bytes(32))
  const newKey = () => keyOf(crypto, alice, random.bytes(32))
  const record = (fields: Readonly<Record<string, BtValue>>) => {
    // Signed is everything but the closing e.
    const body = encodeBt(new Map(Object.entries(fields))).subarray(0, -1)
    const signature = xed25519Sign(crypto, random, alice.x25519.secretKey, body)
    return concatBytes(body, encodeUtf8('1:~64:'), signature, encodeUtf8('e'))
  }
  return { crypto, alice, keys: [newKey(), newKey(), newKey()], thief: newKey(), record }
}

function keyOf(crypto: Crypto, account: Account, seed: Uint8Array): Key {
  const { mlKem768, x25519 } = expandKeyPair(crypto, 'SessionAccountKeys', seed)
  const derived = blake2b(crypto, 32, [accountIdBytes(account.id)], { key: seed, personal: 'SessionV2KeyCont' })
  return { M: mlKem768.publicKey, X: x25519.publicKey, pair: ed25519KeyPair(crypto, Secret.of(derived, 'ed25519-seed')) }
}

/** The link by which `older` vouches for `newer`, created at `t`. */
function link({ crypto, alice }: World, older: Key, newer: Key, t: number, tag = older.pair.publicKey): Uint8Array {
  const inputs = [newer.pair.publicKey, newer.M, newer.X, uint64Le(BigInt(t))]
  const statement = blake2b(crypto, 64, inputs, { key: accountIdBytes(alice.id), personal: 'SessionV2KeyNext' })
  return concatBytes(tag.subarray(0, 2), ed25519Sign(crypto, older.pair.secretKey, statement))
}

const plain = ({ M, X }: Key) => ({ M, X })
const offered = (key: Key, t: number, links: readonly Uint8Array[] = []) => ({
  C: key.pair.publicKey,
  ...plain(key),
  ...(links.length === 0 ? {} : { c: links }),
  t: BigInt(t),
})

function hexOf({ M, X, C, c, t }: Readonly<Record<string, BtValue>>): Record<string, unknown> {
  const hex = (value: BtValue | undefined) => encodeHex(value as Uint8Array)
  return {
    M: hex(M),
    X: hex(X),
    ...(t === undefined ? {} : { t: Number(t) }),
    ...(C === undefined ? {} : { C: hex(C), c: ((c ?? []) as readonly BtValue[]).map(hex) }),
  }
}

function read(world: World): Case[] {
  const [first, second, third] = world.keys
  const rows: [name: string, reason: string, fields: Readonly<Record<string, BtValue>>][] = [
    ['extras-absent', 'a record of three fields says nothing more', plain(third)],
    ['extras-without-links', 'the first key of all has none before it', offered(first, T)],
    [
      'extras-present',
      'links by the keys before, the newest first',
      offered(third, T, [link(world, second, third, T), link(world, first, third, T)]),
    ],
    ['extras-t-alone', 'a creation minute without a continuity key', { ...plain(third), t: BigInt(T) }],
  ]
  return rows.map(([name, reason, fields]) => readCase(world, name, reason, fields, hexOf(fields)))
}

/** What stands under the keys of the extras and has not their form is not theirs. */
function ignored(world: World): Case[] {
  const [, second, third] = world.keys
  const whole = offered(third, T, [link(world, second, third, T)])
  const { C, c } = whole
  const onlyT = hexOf({ ...plain(third), t: whole.t })
  const noLinks = hexOf(offered(third, T))
  const short = link(world, second, third, T).subarray(1)
  const without = (...keys: string[]) => Object.fromEntries(Object.entries(whole).filter(([key]) => !keys.includes(key)))
  const rows: [name: string, reason: string, fields: Readonly<Record<string, BtValue>>, out: Record<string, unknown>][] = [
    ['t-missing', 'without a creation minute links state nothing: neither C nor c counts', without('t'), hexOf(plain(third))],
    ['t-not-integer', 't is a byte string', { ...whole, t: encodeUtf8(String(T)) }, hexOf(plain(third))],
    ['t-negative', 't is before the epoch', { ...whole, t: -1n }, hexOf(plain(third))],
    ['t-greatest', 't has 63 bits, more than a double holds', { ...whole, t: 2n ** 63n - 1n }, hexOf(plain(third))],
    ['continuity-key-missing', 'links without a continuity key', without('C'), onlyT],
    ['continuity-key-not-bytes', 'C is an integer', { ...whole, C: 5n }, onlyT],
    ['continuity-key-too-short', 'C has 31 bytes', { ...whole, C: C.subarray(1) }, onlyT],
    ['links-not-list', 'c is a byte string', { ...whole, c: c![0]! }, noLinks],
    ['links-not-bytes', 'a link is an integer: none of the list counts', { ...whole, c: [...c!, 5n] }, noLinks],
    ['links-too-short', 'a link has 65 bytes: none of the list counts', { ...whole, c: [...c!, short] }, noLinks],
    ['links-too-many', 'there are 41 links: none counts', { ...whole, c: new Array<Uint8Array>(41).fill(c![0]!) }, noLinks],
  ]
  return rows.map(([name, reason, fields, out]) => readCase(world, name, reason, fields, out))
}

function readCase(
  { alice, record }: World,
  name: string,
  reason: string,
  fields: Readonly<Record<string, BtValue>>,
  out: Record<string, unknown>,
): Case {
  return {
    chapter: CHAPTER,
    name,
    reason,
    clause: 'AK-14',
    in: { session_id: alice.id, message: encodeHex(record(fields)) },
    out,
  }
}

interface Remembered extends Key {
  readonly t?: number
  readonly isPlain?: boolean
  readonly superseded?: readonly Key[]
}

type JudgedRow = readonly [
  name: string,
  clause: string,
  reason: string,
  remembered: Remembered,
  next: Readonly<Record<string, BtValue>>,
  verdict: string,
  continuity: string,
]

function judged(world: World): Case[] {
  const { crypto, alice, record } = world
  return [...successions(world), ...stale(world)].map(([name, clause, reason, remembered, next, verdict, continuity]) => ({
    chapter: CHAPTER,
    name,
    reason,
    clause,
    in: {
      session_id: alice.id,
      message: encodeHex(record(next)),
      remembered: {
        ...hexOf(plain(remembered)),
        ...(remembered.t === undefined ? {} : { t: remembered.t }),
        ...(remembered.isPlain === true ? {} : { C: encodeHex(remembered.pair.publicKey) }),
        superseded: (remembered.superseded ?? []).map(({ M, X }) => encodeHex(blake2b(crypto, 32, [M, X]))),
      },
    },
    out: { verdict, continuity },
  }))
}

function successions(world: World): JudgedRow[] {
  const [first, second, third] = world.keys
  const { thief } = world
  const known = { ...first, t: T }
  const next = (...links: Uint8Array[]) => offered(second, T + 720, links)
  const good = link(world, first, second, T + 720)
  const tagged = link(world, thief, second, T + 720, first.pair.publicKey)
  const mistagged = link(world, first, second, T + 720, thief.pair.publicKey)
  const skipped = offered(third, T + 1440, [link(world, second, third, T + 1440), link(world, first, third, T + 1440)])
  const stolen = { ...offered(thief, T + 720), c: [good] }
  const row = (name: string, reason: string, fields: Readonly<Record<string, BtValue>>, continuity: string): JudgedRow => {
    return [name, 'AK-16', reason, known, fields, 'newer', continuity]
  }
  return [
    row('link-proven', 'a link by the continuity key remembered', next(good), 'proven'),
    row('link-after-another', 'a link that is not the first: keys between were never seen', skipped, 'proven'),
    row('link-missing', 'no link at all', next(), 'unproven'),
    row('link-tag-mismatch', 'a good signature under the tag of another key', next(mistagged), 'unproven'),
    row('link-by-another-key', 'the tag of the key remembered, the signature of another', next(tagged), 'unproven'),
    row('link-second-of-a-tag', 'two links of one tag: the first is wrong, the second good', next(tagged, good), 'proven'),
    row('link-of-another-record', 'a link that was made for other keys', stolen, 'unproven'),
    row('link-of-another-minute', 'a link that was made for another t', offered(second, T + 721, [good]), 'unproven'),
    row(
      'link-of-another-continuity-key',
      'a link that was made for another C',
      { ...next(good), C: thief.pair.publicKey },
      'unproven',
    ),
    row('continuity-withdrawn', 'a record without extras after one with: what a thief would leave out', plain(thief), 'unproven'),
    ['continuity-not-known', 'AK-16', 'nothing to compare with', { ...first, isPlain: true }, next(good), 'newer', 'not-offered'],
    ['same-keys', 'AK-16', 'the keys remembered, with their continuity key', known, offered(first, T), 'same', 'proven'],
    [
      'same-keys-another-continuity-key',
      'AK-16',
      'the keys remembered under the continuity key of a thief, who prepares the next record',
      known,
      { ...offered(first, T), C: thief.pair.publicKey },
      'same',
      'unproven',
    ],
    [
      'same-keys-plain',
      'AK-16',
      'the keys remembered, published by a device that offers no continuity',
      known,
      plain(first),
      'same',
      'not-offered',
    ],
  ]
}

function stale(world: World): JudgedRow[] {
  const [first, second, third] = world.keys
  const superseded = { ...second, superseded: [first] }
  const row = (
    name: string,
    reason: string,
    remembered: Remembered,
    next: Readonly<Record<string, BtValue>>,
    verdict: string,
    continuity: string,
  ): JudgedRow => {
    return [name, 'AK-17', reason, remembered, next, verdict, continuity]
  }
  const linked = (t: number) => offered(third, t, [link(world, second, third, t)])
  return [
    row(
      'replayed-record',
      'keys that were superseded, though their record names no minute',
      superseded,
      plain(first),
      'stale',
      'unproven',
    ),
    row(
      'replayed-record-linked',
      'keys that were superseded, though a link proves them',
      { ...superseded, superseded: [third] },
      linked(T),
      'stale',
      'proven',
    ),
    row('t-smaller', 't is one minute before that of the keys remembered', { ...second, t: T }, linked(T - 1), 'stale', 'proven'),
    row('t-equal', 'two keys of the same minute', { ...second, t: T }, linked(T), 'newer', 'proven'),
    row('t-not-stated', 'a record without t is not compared', { ...second, t: T }, plain(third), 'newer', 'unproven'),
    row('t-not-known', 'there is no t to compare with', second, linked(1), 'newer', 'proven'),
  ]
}
