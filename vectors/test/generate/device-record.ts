/** Records of devices: some that must be refused, each for one reason, and some that must be read, with their digests. */
import { blake2b } from '@session-v2/crypto'
import { concatBytes, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { Case } from './case.ts'
import { record, type World } from './group-sealing.ts'

type Part = string | Uint8Array

export function recordCases(world: World): Case[] {
  return [...truncated(world), ...misshapen(world), ...read(world)]
}

function refused(name: string, reason: string, encoded: Uint8Array): Case {
  const input = { record: encodeHex(encoded) }
  return { chapter: 'device-group', name: `record-${name}`, reason, clause: 'DG-06', failure: 'malformed', in: input, out: {} }
}

function join(...parts: readonly Part[]): Uint8Array {
  return concatBytes(...parts.map(part => (typeof part === 'string' ? encodeUtf8(part) : part)))
}

/** The fields of the record of the phone, encoded, to be put together otherwise. */
function fieldsOf({ phone }: World) {
  const { x25519, mlKem768 } = phone.keys
  return {
    seqno: '1:#i1e',
    time: '1:@i1700000000e',
    M: join('1:M1184:', mlKem768.publicKey),
    X: join('1:X32:', x25519.publicKey),
    d: '1:d5:phone',
  }
}

function truncated(world: World): Case[] {
  const whole = record(world.phone)
  const cut = (name: string, reason: string, sizeBytes: number) =>
    refused(`truncated-${name}`, reason, whole.subarray(0, sizeBytes))
  return [
    cut('to-nothing', 'no record at all', 0),
    cut('in-seqno', 'the record ends within #', 6),
    cut('before-time', 'the record ends before @', 7),
    cut('in-ml-kem-key', 'the record ends within M', 600),
    cut('in-x25519-key', 'the record ends within X', whole.length - 30),
    cut('in-description', 'the record ends within d', whole.length - 3),
    cut('by-one', 'the final e is missing', whole.length - 1),
  ]
}

function misshapen(world: World): Case[] {
  const { seqno, time, M, X, d } = fieldsOf(world)
  const { x25519, mlKem768 } = world.phone.keys
  const malformed = (name: string, reason: string, ...parts: Part[]) => refused(name, reason, join('d', ...parts, 'e'))
  return [
    refused('no-dict', 'a list', encodeUtf8('le')),
    refused('trailing-bytes', 'a byte behind the dict', concatBytes(record(world.phone), Uint8Array.of(0))),
    malformed('seqno-missing', 'no #', time, M, X, d),
    malformed('time-missing', 'no @', seqno, M, X, d),
    malformed('ml-kem-key-missing', 'no M', seqno, time, X, d),
    malformed('x25519-key-missing', 'no X', seqno, time, M, d),
    malformed('ml-kem-key-too-short', 'M has 1183 bytes', seqno, time, '1:M1183:', mlKem768.publicKey.subarray(1), X, d),
    malformed('x25519-key-too-long', 'X has 33 bytes', seqno, time, M, '1:X33:', x25519.publicKey, '0', d),
    malformed('seqno-no-integer', '# is a text', '1:#1:1', time, M, X, d),
    malformed('seqno-too-great', '# is 2^63', `1:#i${2n ** 63n}e`, time, M, X, d),
    malformed('seqno-too-small', '# is −2^63 − 1', `1:#i${-(2n ** 63n) - 1n}e`, time, M, X, d),
    malformed('seqno-leading-zero', '# is written 01', '1:#i01e', time, M, X, d),
    malformed('time-minus-zero', '@ is written −0', seqno, '1:@i-0e', M, X, d),
    malformed('description-no-text', 'd is an integer', seqno, time, M, X, '1:di5e'),
    malformed('type-no-text', 't is a list', seqno, time, M, X, d, '1:tle'),
    malformed('version-no-integer', 'v is a text', seqno, time, M, X, d, '1:v1:1'),
    malformed('key-order', 'X stands before M', seqno, time, X, M, d),
    malformed('key-twice', 'two #, which may differ', seqno, '1:#i2e', time, M, X, d),
    malformed('extra-twice', 'two of an unknown key', seqno, time, M, X, d, '1:zi5e1:zi6e'),
    malformed('extra-order', 'an unknown key in the wrong place', seqno, time, M, X, d, '1:ai5e'),
    malformed('extra-not-canonical', 'the value of an unknown key has a leading zero', seqno, time, M, X, d, '1:zi05e'),
    malformed('extra-unfinished', 'the value of an unknown key has no end', seqno, time, M, X, d, '1:zli5e'),
    malformed(
      'extra-too-deep',
      'the value of an unknown key is nested 20 deep',
      seqno,
      time,
      M,
      X,
      d,
      `1:z${'l'.repeat(20)}${'e'.repeat(20)}`,
    ),
    malformed('too-large', 'a description of 64 KiB', seqno, time, M, X, '1:d65536:', new Uint8Array(65_536).fill(0x61)),
  ]
}

function read(world: World): Case[] {
  const { seqno, time, M, X, d } = fieldsOf(world)
  const digestOf = (name: string, clause: string, reason: string, ...parts: Part[]): Case => {
    const encoded = join('d', ...parts, 'e')
    const out = { digest: encodeHex(blake2b(world.crypto, 8, [encoded])) }
    return { chapter: 'device-group', name: `record-${name}`, reason, clause, in: { record: encodeHex(encoded) }, out }
  }
  const least = -(2n ** 63n)
  const greatest = 2n ** 63n - 1n
  return [
    digestOf('usual', 'DG-04', 'a record as it is written', seqno, time, M, X, d, '1:t1:i1:vi2000007e'),
    digestOf('large', 'DG-06', 'a description of 16 KiB', seqno, time, M, X, '1:d16384:', new Uint8Array(16_384).fill(0x61)),
    digestOf('without-description', 'DG-06', 'a record without d', seqno, time, M, X),
    digestOf('empty-texts', 'DG-06', 't is there and empty, v is there and 0', seqno, time, M, X, '1:d0:1:t0:1:vi0e'),
    digestOf('least-integers', 'DG-06', 'integers of −2^63', `1:#i${least}e1:@i${least}e`, M, X, d, `1:vi${least}e`),
    digestOf(
      'greatest-integers',
      'DG-06',
      'integers of 2^63 − 1',
      `1:#i${greatest}e1:@i${greatest}e`,
      M,
      X,
      d,
      `1:vi${greatest}e`,
    ),
    digestOf(
      'description-not-utf8',
      'DG-06',
      'a description that is no UTF-8',
      seqno,
      time,
      M,
      X,
      '1:d2:',
      Uint8Array.of(0xff, 0x80),
    ),
    digestOf(
      'extra-everywhere',
      'DG-06',
      'unknown keys of any type before, between and after the known ones',
      ...['0:de', seqno, '1:$li5el1:xee', time, '1:L0:', M, '2:Mxi-5e', X, '1:Z3:abc', d, '1:ed1:a1:be', '1:zi0e'],
    ),
  ]
}
