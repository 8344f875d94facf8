/** Pages of history, what chunks carry: some that must be read, and some that must be refused, each for one reason. */
import { BtDictWriter, concatBytes, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { Case } from './case.ts'

const writer = () => new BtDictWriter()

const CONVERSATION = concatBytes(Uint8Array.of(5), new Uint8Array(32).fill(9))

function message(changed: Readonly<Record<string, Uint8Array>> = {}): Uint8Array {
  const fields: Record<string, Uint8Array> = {
    I: encodeUtf8(`16:${'i'.repeat(16)}`),
    b: encodeUtf8('5:Hello'),
    c: concatBytes(encodeUtf8('33:'), CONVERSATION),
    o: encodeUtf8('i0e'),
    p: encodeUtf8('6:v2-pfs'),
    r: encodeUtf8('i1600000001000e'),
    t: encodeUtf8('i1600000000000e'),
    ...changed,
  }
  const dict = writer()
  for (const key of Object.keys(fields).sort()) if (fields[key]!.length > 0) dict.raw(key, fields[key]!)
  return dict.finish()
}

/** A page of these messages, and of encoded names; of one message and its conversation's name unless told otherwise. */
export function page(
  messages: readonly Uint8Array[] = [message()],
  N = writer().bytes(latin1(CONVERSATION), encodeUtf8('Bob')).finish(),
) {
  return writer()
    .raw('M', concatBytes(encodeUtf8('l'), ...messages, encodeUtf8('e')))
    .raw('N', N)
    .finish()
}

/** The cases of pages, always the same. */
export function historyPageCases(): Case[] {
  const bad = (name: string, reason: string, bytes: Uint8Array): Case => {
    return {
      chapter: 'history-transfer',
      name: `page-${name}`,
      reason,
      clause: 'HT-10',
      failure: 'malformed',
      in: { page: encodeHex(bytes) },
      out: {},
    }
  }
  const withField = (key: string, encoded: string) => page([message({ [key]: encodeUtf8(encoded) })])
  const one = { message_id: encodeHex(encodeUtf8('i'.repeat(16))), conversation: encodeHex(CONVERSATION), body: 'Hello' }
  const told = { ...one, outgoing: false, protocol: 'v2-pfs', received_at_ms: 1_600_000_001_000, sent_at_ms: 1_600_000_000_000 }
  const good = (name: string, reason: string, bytes: Uint8Array, messages: object[], names: object): Case => {
    return {
      chapter: 'history-transfer',
      name: `page-${name}`,
      reason,
      clause: 'HT-10',
      in: { page: encodeHex(bytes) },
      out: { messages, names },
    }
  }
  const named = { [encodeHex(CONVERSATION)]: 'Bob' }
  return [
    good('usual', 'one message, and the name of its conversation', page(), [told], named),
    good('empty', 'no messages and no names', page([], encodeUtf8('de')), [], {}),
    good('key-time', 'the account key is known', withField('k', 'i7e'), [{ ...told, key_created_at_ms: 7 }], named),
    good(
      'outgoing',
      'written by the account, without forward secrecy',
      page([message({ o: encodeUtf8('i1e'), p: encodeUtf8('2:v1') })]),
      [{ ...told, outgoing: true, protocol: 'v1' }],
      named,
    ),
    good('unknown-keys', 'unknown keys of a message', page([message({ z: encodeUtf8('le') })]), [told], named),
    bad('no-dict', 'a list', encodeUtf8('le')),
    bad('without-names', 'no N', writer().raw('M', encodeUtf8('le')).finish()),
    bad('messages-no-list', 'M is a dict', writer().raw('M', encodeUtf8('de')).raw('N', encodeUtf8('de')).finish()),
    bad('message-no-dict', 'a message is a text', page([encodeUtf8('1:x')])),
    bad('names-no-dict', 'N is a list', page([message()], encodeUtf8('le'))),
    bad('name-no-text', 'a name is an integer', page([], writer().integer(latin1(CONVERSATION), 1).finish())),
    bad('name-not-utf8', 'a name is no UTF-8', page([], writer().bytes(latin1(CONVERSATION), Uint8Array.of(0xff)).finish())),
    bad('name-of-no-account', 'a name is that of 32 bytes', page([], writer().bytes('x'.repeat(32), encodeUtf8('Bob')).finish())),
    bad('id-too-short', 'I has 15 bytes', withField('I', `15:${'i'.repeat(15)}`)),
    bad('text-empty', 'a message without a text', withField('b', '0:')),
    bad('text-not-utf8', 'the text is no UTF-8', page([message({ b: concatBytes(encodeUtf8('1:'), Uint8Array.of(0xff)) })])),
    bad(
      'conversation-of-another-prefix',
      'c begins with 06',
      page([message({ c: concatBytes(encodeUtf8('33:'), CONVERSATION.with(0, 6)) })]),
    ),
    bad('direction-two', 'o is 2', withField('o', 'i2e')),
    bad('protocol-unknown', 'it travelled in no known way', withField('p', '2:v3')),
    bad('time-negative', 't is negative', withField('t', 'i-1e')),
    bad('time-too-great', 'r is 2⁵³', withField('r', 'i9007199254740992e')),
    bad('time-no-integer', 'k is a text', withField('k', '1:7')),
  ]
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
