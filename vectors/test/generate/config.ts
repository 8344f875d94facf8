/**
 * Configs that must be refused, each for one reason: plaintexts, compressed ones, parts, and messages as a swarm holds them. They are
 * written apart from the protocol package.
 */
import { blake2b, type Crypto, xchacha20Poly1305Encrypt } from '@session-v2/crypto'
import { concatBytes, encodeHex, encodeUtf8, uint64Be } from '@session-v2/encoding'
import type { Case, Failure } from './case.ts'

const CHAPTER = 'config'
const SEED = new Uint8Array(32).fill(7)
const LABEL = 'libsessionutil-config-encrypted-'

type Line = readonly [name: string, clause: string, reason: string, input: Uint8Array | string, failure?: Failure]

/** The cases of the chapter, always the same. */
export function configCases(crypto: Crypto): Case[] {
  return [
    ...refused('plaintext', shapes()),
    ...refused('plaintext', values()),
    ...refused('plaintext', diffs()),
    ...refused('plaintext', rows()),
    ...refused('compressed', frames()),
    ...refused('part', parts(crypto)),
    ...refused('message', messages(crypto)),
  ]
}

function refused(field: string, lines: readonly Line[]): Case[] {
  return lines.map(([name, clause, reason, input, failure = 'malformed']) => {
    const bytes = typeof input === 'string' ? encodeUtf8(input) : input
    const seed = field === 'message' ? { seed: encodeHex(SEED), type: 'UserProfile' } : {}
    return { chapter: CHAPTER, name, reason, clause, failure, in: { ...seed, [field]: encodeHex(bytes) }, out: {} }
  })
}

const text = ({ seqno = '1', data = 'd1:ni1ee', past = 'le', own = 'd1:n0:e' }) => `d1:#i${seqno}e1:&${data}1:<${past}1:=${own}e`

function shapes(): Line[] {
  return [
    ['message-empty', 'CFG-03', 'nothing is no message', ''],
    ['message-list', 'CFG-03', 'a list is no message', 'li1ee'],
    ['message-cut', 'CFG-03', 'the dict does not end', text({}).slice(0, -1)],
    ['message-trailing', 'CFG-03', 'bytes behind the dict would be covered by the hash alone', `${text({})}x`],
    ['message-keys-descend', 'CFG-03', 'keys ascend', 'd1:#i1e1:<le1:&de1:=dee'],
    ['message-key-twice', 'CFG-03', 'a key stands once', 'd1:#i1e1:&de1:&de1:=dee'],
    ['seqno-not-first', 'CFG-03', 'the seqno is the first key', 'd1:"0:1:#i1e1:&de1:<le1:=dee'],
    ['seqno-text', 'CFG-03', 'the seqno is an integer', 'd1:#1:11:&de1:<le1:=dee'],
    ['seqno-negative', 'CFG-03', 'seqnos begin at 0', text({ seqno: '-1' })],
    ['seqno-leading-zero', 'CFG-03', 'two encodings of one message would have two hashes', text({ seqno: '01' })],
    ['seqno-endless', 'CFG-03', 'no message could follow', text({ seqno: '9223372036854775807' })],
    ['data-missing', 'CFG-04', 'every message holds all data', 'd1:#i1e1:<le1:=dee'],
    ['data-list', 'CFG-04', 'the data are a dict', text({ data: 'le' })],
    ['ends-after-data', 'CFG-04', 'a message ends with its diff, or later', 'd1:#i1e1:&dee'],
    ['ends-after-past', 'CFG-04', 'a message ends with its diff, or later', 'd1:#i1e1:&de1:<lee'],
    ['key-after-signature', 'CFG-04', 'the signature is the last key', `d1:#i1e1:&de1:=de1:~64:${'s'.repeat(64)}2:~x0:e`],
    ['signature-short', 'CFG-05', 'a signature has 64 bytes', `d1:#i1e1:&de1:=de1:~63:${'s'.repeat(63)}e`],
    ['signature-integer', 'CFG-05', 'a signature is a byte string', 'd1:#i1e1:&de1:=de1:~i1ee'],
  ]
}

function values(): Line[] {
  const deep = (depth: number) => `${'d1:x'.repeat(depth)}i1e${'e'.repeat(depth)}`
  return [
    ['set-descends', 'CFG-01', 'a set has one encoding', text({ data: 'd1:nli2ei1eee' })],
    ['set-twice', 'CFG-01', 'a set holds nothing twice', text({ data: 'd1:nli1ei1eee' })],
    ['set-text-before-integer', 'CFG-01', 'integers stand before texts', text({ data: 'd1:nl1:ai1eee' })],
    ['set-of-list', 'CFG-01', 'sets hold integers and texts alone', text({ data: 'd1:nlleee' })],
    ['set-of-dict', 'CFG-01', 'sets hold integers and texts alone', text({ data: 'd1:nldeee' })],
    ['data-too-deep', 'CFG-01', 'depth has a bound', text({ data: deep(17) })],
    ['set-empty', 'CFG-02', 'what is empty does not exist', text({ data: 'd1:nlee' })],
    ['dict-empty', 'CFG-02', 'what is empty does not exist', text({ data: 'd1:ndee' })],
    ['dict-empty-within', 'CFG-02', 'what is empty does not exist, however deep', text({ data: 'd1:nd1:mdeee' })],
  ]
}

function diffs(): Line[] {
  const deep = (depth: number) => `${'d1:x'.repeat(depth)}0:${'e'.repeat(depth)}`
  return [
    ['diff-integer', 'CFG-07', 'an integer says nothing of a change', text({ own: 'd1:ni1ee' })],
    ['diff-integer-within', 'CFG-07', 'an integer says nothing of a change, however deep', text({ own: 'd1:nd1:mi1eee' })],
    ['diff-list', 'CFG-07', 'a diff is a dict', text({ own: 'le' })],
    ['diff-other-text', 'CFG-07', 'a scalar came or went', text({ own: 'd1:n1:+e' })],
    ['diff-text-and-more', 'CFG-07', 'a scalar came or went', text({ own: 'd1:n2:--e' })],
    ['diff-one-list', 'CFG-07', 'a set has what came and what went', text({ own: 'd1:nlleee' })],
    ['diff-three-lists', 'CFG-07', 'a set has what came and what went', text({ own: 'd1:nlleleleee' })],
    ['diff-not-lists', 'CFG-07', 'what came and what went are sets', text({ own: 'd1:nli1ei2eee' })],
    ['diff-set-descends', 'CFG-01', 'what came is a set', text({ own: 'd1:nlli2ei1eeleee' })],
    ['diff-set-of-one-list', 'CFG-01', 'a single element is checked like many', text({ own: 'd1:nllleeleee' })],
    ['diff-too-deep', 'CFG-07', 'depth has a bound', text({ own: deep(17) })],
  ]
}

function rows(): Line[] {
  const row = (seqno: number, hash = 'h'.repeat(32), diff = 'de') => `li${seqno}e${hash.length}:${hash}${diff}e`
  const message = (...list: string[]) => text({ seqno: '10', past: `l${list.join('')}e` })
  return [
    ['past-dict', 'CFG-08', 'the past diffs are a list', text({ past: 'de' })],
    ['past-row-integer', 'CFG-08', 'a past diff is a list', message('i9e')],
    ['past-own-seqno', 'CFG-08', 'what is past is before', message(row(10))],
    ['past-later-seqno', 'CFG-08', 'what is past is before', message(row(11))],
    ['past-descends', 'CFG-08', 'past diffs ascend', message(row(9), row(8))],
    ['past-hash-descends', 'CFG-08', 'past diffs of one seqno ascend by hash', message(row(9, 'i'.repeat(32)), row(9))],
    ['past-twice', 'CFG-08', 'a past diff stands once', message(row(9), row(9))],
    ['past-short-hash', 'CFG-08', 'a hash has 32 bytes', message(row(9, 'h'.repeat(31)))],
    ['past-without-diff', 'CFG-08', 'a row has three elements', message(`li9e32:${'h'.repeat(32)}e`)],
    ['past-with-more', 'CFG-08', 'a row has three elements', message(`li9e32:${'h'.repeat(32)}dei1ee`)],
    ['past-diff-integer', 'CFG-07', 'past diffs are diffs', message(row(9, 'h'.repeat(32), 'd1:ni1ee'))],
  ]
}

function frames(): Line[] {
  const frame = (...bytes: number[]) => Uint8Array.of(0x7a, 0x28, 0xb5, 0x2f, 0xfd, ...bytes)
  const raw = [0x11, 0, 0, 0x64, 0x65]
  return [
    ['frame-missing', 'CFG-19', 'there is nothing behind the mark', Uint8Array.of(0x7a)],
    ['frame-magic', 'CFG-19', 'a frame begins with its magic', Uint8Array.of(0x7a, 0x29, 0xb5, 0x2f, 0xfd, 0x20, 2, ...raw)],
    ['frame-skippable', 'CFG-19', 'a skippable frame holds nothing', Uint8Array.of(0x7a, 0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0)],
    ['frame-header-cut', 'CFG-19', 'the header ends before the size', frame(0xe0, 0, 0)],
    ['frame-without-size', 'CFG-19', 'nobody knows how much it becomes', frame(0x00, 0x58, ...raw)],
    ['frame-dictionary', 'CFG-19', 'there are no dictionaries', frame(0x21, 1, 2, ...raw)],
    ['frame-reserved-bit', 'CFG-19', 'a bit of no known meaning', frame(0x28, 2, ...raw)],
    ['frame-claims-1-gb', 'CFG-19', 'it claims 1 GB', frame(0xa0, 0, 0, 0, 0x40, ...raw)],
    ['frame-claims-2-64', 'CFG-19', 'it claims 2^64 − 1 bytes', frame(0xe0, 255, 255, 255, 255, 255, 255, 255, 255, ...raw)],
    ['frame-claims-too-little', 'CFG-19', 'it holds more than it claims', frame(0x20, 1, ...raw)],
    ['frame-claims-too-much', 'CFG-19', 'it holds less than it claims', frame(0x20, 3, ...raw)],
    ['frame-bad-block', 'CFG-19', 'a block of the reserved type', frame(0x20, 2, 0x17, 0, 0, 0x64, 0x65)],
    ['frame-bomb', 'CFG-19', 'a block that repeats one byte claims more than the frame', frame(0x20, 2, 0x03, 0, 0x10, 0x64)],
  ]
}

function parts(crypto: Crypto): Line[] {
  const hash = latin1(blake2b(crypto, 32, [encodeUtf8('whole')]))
  const list = (...items: string[]) => bytesOf(`ml${items.map(one => `${one.length}:${one}`).join('')}e`)
  const one = (index: number, count: number) => [String.fromCharCode(index), String.fromCharCode(count)] as const
  return [
    ['part-empty', 'CFG-22', 'there is nothing behind the mark', encodeUtf8('m')],
    ['part-dict', 'CFG-22', 'a part is a list', encodeUtf8('mde')],
    ['part-short-hash', 'CFG-22', 'a hash has 32 bytes', list(hash.slice(1), ...one(0, 2), 'x')],
    ['part-alone', 'CFG-22', 'one part is no parts', list(hash, ...one(0, 1), 'x')],
    ['part-of-none', 'CFG-22', 'a count of zero', list(hash, ...one(0, 0), 'x')],
    ['part-beyond-count', 'CFG-22', 'the index is below the count', list(hash, ...one(2, 2), 'x')],
    ['part-index-of-two-bytes', 'CFG-22', 'an index has one byte', list(hash, 'ab', one(0, 2)[1], 'x')],
    ['part-without-chunk', 'CFG-22', 'a part has a chunk', list(hash, ...one(0, 2))],
    ['part-empty-chunk', 'CFG-22', 'a chunk is not empty', list(hash, ...one(0, 2), '')],
    ['part-with-more', 'CFG-22', 'a part has four elements', list(hash, ...one(0, 2), 'x', 'y')],
  ]
}

/** Encrypted to the account, not wrapped. */
function messages(crypto: Crypto): Line[] {
  const sealed = (padded: Uint8Array, domain = 'UserProfile') => {
    const nonce = blake2b(crypto, 24, [padded], { key: encodeUtf8(LABEL + domain) })
    const key = blake2b(crypto, 32, [SEED, uint64Be(BigInt(padded.length)), encodeUtf8(domain)])
    return concatBytes(xchacha20Poly1305Encrypt(crypto, key, nonce, padded), nonce)
  }
  const good = encodeUtf8(text({}))
  const altered = sealed(good)
  altered[0]! ^= 1
  return [
    ['message-only-zeros', 'CFG-27', 'zeros hold nothing', sealed(new Uint8Array(216))],
    ['message-of-nothing', 'CFG-27', 'an empty text holds nothing', sealed(new Uint8Array(0))],
    ['message-other-mark', 'CFG-27', 'a text of no known kind', sealed(encodeUtf8('x1:#i1ee'))],
    ['message-too-large', 'CFG-27', 'a swarm holds no message of 76,801 bytes', new Uint8Array(76_801)],
    ['message-other-domain', 'CFG-21', 'the domain is part of the key', sealed(good, 'Contacts'), 'no-key'],
    ['message-altered', 'CFG-21', 'every bit counts', altered, 'no-key'],
    ['message-short', 'CFG-21', 'less than tag and nonce', new Uint8Array(39), 'no-key'],
  ]
}

const bytesOf = (latin: string) => Uint8Array.from(latin, character => character.charCodeAt(0))
const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes)
