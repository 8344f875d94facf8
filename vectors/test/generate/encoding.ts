/** Encodings of values, and bytes that are none. Nothing is calculated: both sides of every case are written out. */
import { encodeHex } from '@session-v2/encoding'
import type { Case } from './case.ts'

const CHAPTER = 'encoding'

/** The cases, always the same. */
export function encodingCases(): Case[] {
  return [...integers(), ...texts(), ...refusedBt(), ...refusedMessages(), ...refusedTexts()]
}

function integers(): Case[] {
  const rows: [name: string, bt: string, value: string, reason: string][] = [
    ['zero', 'i0e', '0', 'the one number that begins with 0'],
    ['negative', 'i-1e', '-1', 'a minus sign before the digits'],
    ['greatest', 'i9223372036854775807e', '9223372036854775807', '63 bits, not the 53 that a double holds'],
    ['least', 'i-9223372036854775808e', '-9223372036854775808', 'its magnitude is greater than that of any positive one'],
  ]
  return rows.map(([name, bt, integer, reason]) => accepted(`bt-integer-${name}`, 'ENC-02', bt, { integer }, reason))
}

function texts(): Case[] {
  const dict = (name: string, bt: string, keys: string[], reason: string) =>
    accepted(`bt-dict-${name}`, 'ENC-02', bt, { keys }, reason)
  return [
    accepted('bt-bytes-empty', 'ENC-02', '0:', { bytes: '' }, 'no bytes are a value'),
    accepted('bt-bytes-look-like-bt', 'ENC-02', '3:i1e', { bytes: '693165' }, 'what a byte string holds is not looked at'),
    dict('empty', 'de', [], 'no keys are a dict'),
    dict('prefix-first', 'd1:ai1e2:aai1ee', ['61', '6161'], 'a key comes before those it begins'),
    dict('empty-key', 'd0:i1e1:ai1ee', ['', '61'], 'the empty key comes first'),
    dict('shorter-not-first', 'd2:aai1e1:bi1ee', ['6161', '62'], 'keys are not ordered by their lengths'),
    dict('unsigned-order', 'd1:\x7fi1e1:\x80i1ee', ['7f', '80'], 'bytes above 127 are not negative'),
  ]
}

function accepted(name: string, clause: string, bt: string, out: Record<string, unknown>, reason: string): Case {
  return { chapter: CHAPTER, name, reason, clause, in: { bt: latin1Hex(bt) }, out }
}

function refusedBt(): Case[] {
  const rows: [name: string, bt: string, failure: string, reason: string][] = [
    ['empty', '', 'truncated', 'there is no value'],
    ['leading-zero', 'i01e', 'not-canonical', 'an integer with a digit too many'],
    ['negative-zero', 'i-0e', 'not-canonical', '0 has no sign'],
    ['no-digits', 'ie', 'wrong-type', 'an integer without digits'],
    ['plus', 'i+1e', 'wrong-type', 'there is no plus sign'],
    ['above', 'i9223372036854775808e', 'out-of-range', 'one more than 64 bits hold'],
    ['below', 'i-9223372036854775809e', 'out-of-range', 'one less than 64 bits hold'],
    ['length-leading-zero', '01:a', 'not-canonical', 'a length with a digit too many'],
    ['length-negative', '-1:a', 'wrong-type', 'a length has no sign'],
    ['length-beyond-end', '5:abcd', 'truncated', 'a byte string that goes on'],
    ['length-huge', '4294967297:a', 'truncated', 'in 32 bits the length would be 1'],
    ['key-order', 'd1:bi1e1:ai1ee', 'out-of-order', 'keys that descend'],
    ['key-order-signed', 'd1:\x80i1e1:\x7fi1ee', 'out-of-order', 'in order only for signed bytes'],
    ['key-twice', 'd1:ai1e1:ai2ee', 'duplicate-key', 'one key with two values'],
    ['key-integer', 'di1ei1ee', 'wrong-type', 'a key is a byte string'],
    ['key-alone', 'd1:ae', 'wrong-type', 'a key without a value'],
    ['list-open', 'li1e', 'truncated', 'a list without its end'],
    ['two-values', 'i1ei2e', 'trailing-bytes', 'a value behind the value'],
    ['depth-34', `${'l'.repeat(34)}${'e'.repeat(34)}`, 'too-deep', 'nested one deeper than allowed'],
  ]
  return rows.map(([name, bt, failure, reason]) => {
    const clause = failure === 'too-deep' ? 'ENC-07' : 'ENC-03'
    return { chapter: CHAPTER, name: `bt-refused-${name}`, reason, clause, failure, in: { bt: latin1Hex(bt) }, out: {} }
  })
}

/** Against the message `{1: uint64, 2: text}`. */
function refusedMessages(): Case[] {
  const rows: [name: string, protobuf: string, failure: string, reason: string][] = [
    ['cut-varint', '0880', 'truncated', 'a number whose last byte says that it goes on'],
    ['varint-65-bits', '08ffffffffffffffffff02', 'out-of-range', 'a tenth byte with more than one bit'],
    ['varint-11-bytes', '08ffffffffffffffffffff01', 'out-of-range', 'a number of eleven bytes'],
    ['length-huge', '128180808010', 'truncated', 'in 32 bits the length would be 1'],
    ['field-0', '0000', 'out-of-range', 'fields are numbered from 1'],
    ['group', '0b0c', 'wrong-type', 'groups are not in use'],
    ['not-utf8', '1201ff', 'bad-utf8', 'a text of bytes that are none'],
  ]
  return rows.map(([name, protobuf, failure, reason]) => {
    const clause = failure === 'bad-utf8' ? 'ENC-06' : 'ENC-05'
    return { chapter: CHAPTER, name: `protobuf-refused-${name}`, reason, clause, failure, in: { protobuf }, out: {} }
  })
}

function refusedTexts(): Case[] {
  const rows: [name: string, given: Record<string, string>, failure: string, reason: string][] = [
    ['hex-odd', { hex: 'abc' }, 'wrong-size', 'half a byte'],
    ['hex-character', { hex: '0g' }, 'bad-character', 'g is no digit'],
    ['base64-cut', { base64: 'AAAAA' }, 'truncated', 'six bits are no byte'],
    ['base64-spare-bits', { base64: 'AB==' }, 'not-canonical', 'the same byte could be written AA=='],
    ['base64-half-padded', { base64: 'AA=' }, 'bad-padding', 'padding is whole or absent'],
    ['base64-url', { base64: 'AA-_' }, 'bad-character', 'the alphabet of URLs is another one'],
    ['base64-line', { base64: 'AAA\n' }, 'bad-character', 'white space is not skipped'],
  ]
  return rows.map(([name, given, failure, reason]) => {
    return { chapter: CHAPTER, name: `text-refused-${name}`, reason, clause: 'ENC-01', failure, in: given, out: {} }
  })
}

/** Text of one character a byte. */
function latin1Hex(text: string): string {
  return encodeHex(Uint8Array.from(text, character => character.charCodeAt(0)))
}
