/** Known answers, asked the way another implementation asks: as JSON lines over stdin. */
import { createHash } from 'node:crypto'
import { loadVectorsOfKind, type Vector } from '@session-v2/vectors'
import { beforeAll, describe, expect, it } from 'vitest'
import { type JsonRecord, records, requireBuilt, run } from './command-process.ts'

const LINE_MAX_BYTES = 8 * 1024 * 1024

/** The seeds behind the recipients' ids of the vectors. */
const SEED_OF: Readonly<Record<string, string>> = {
  '05aa654f00fc39fc69fd0db829410ca38177d7732a8d2f0934ab3872ac56d5aa74': '00112233445566778899aabbccddeeff'.padEnd(64, '0'),
  '05d2ad010eeb72d72e561d9de7bd7b6989af77dcabffa03a5111a6c859ae5c3a72': '0123456789abcdef0123456789abcdef'.padEnd(64, '0'),
}

beforeAll(requireBuilt)

/** Asks all questions in one process. @returns the answers, in order */
async function ask(questions: readonly JsonRecord[]): Promise<JsonRecord[]> {
  const lines = questions.map((question, index) => `${JSON.stringify({ id: index, ...question })}\n`)
  const result = await run(['interop'], { stdin: lines.join('') })
  expect([result.status, result.stderr]).toEqual([0, ''])
  const answers = records(result)
  expect(answers.map(answer => answer.id)).toEqual(questions.map((_, index) => index))
  return answers
}

/** A long value may be given by its SHA-256 and its first 16 bytes. */
function comparable(value: unknown, expected: unknown): unknown {
  if (typeof expected !== 'object' || expected === null || !('sha256' in expected)) return value
  const hex = value as string
  return { sha256: createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex'), first16: hex.slice(0, 32) }
}

/** Asks each vector and compares the fields that are named and known, all that are known when none is named. */
async function check(vectors: readonly Vector[], op: string, fields?: readonly string[]): Promise<void> {
  const answers = await ask(vectors.map(vector => ({ op, in: vector.in })))
  for (const [index, answer] of answers.entries()) {
    const { out } = vectors[index]!
    const [given, expected]: [JsonRecord, JsonRecord] = [{}, {}]
    for (const field of (fields ?? Object.keys(out)).filter(name => name in out)) {
      given[field] = comparable((answer.out as JsonRecord | undefined)?.[field], out[field])
      expected[field] = out[field]
    }
    expect({ ok: answer.ok, ...given }).toEqual({ ok: true, ...expected })
  }
}

describe('account and keys', () => {
  it('account', () =>
    check(loadVectorsOfKind('account', 'account'), 'account', ['ed25519_pk', 'x25519_pk', 'session_id', 'xed25519_pk']))

  it('expand', () => check(loadVectorsOfKind('account-keys', 'expand'), 'expand'))

  it('account_pubkey: verifies the known one, builds one that verifies', async () => {
    for (const vector of loadVectorsOfKind('account-keys', 'account_pubkey')) {
      const [built] = await ask([{ op: 'account_pubkey_build', in: vector.in }])
      const { message } = built!.out as { message: string }
      expect(message).toHaveLength(vector.out.message.length)
      const verify = (bytes: string) => ({
        op: 'account_pubkey_verify',
        in: { session_id: vector.out.session_id, message: bytes },
      })
      const [own, known] = await ask([verify(message), verify(vector.out.message)])
      expect(known!.ok).toBe(true)
      expect(own!.out).toEqual(known!.out)
    }
  })

  it('account_pubkey_reject', async () => {
    for (const vector of loadVectorsOfKind('account-keys', 'account_pubkey_reject')) {
      const [answer] = await ask([{ op: 'account_pubkey_verify', in: vector.in }])
      expect(answer).toMatchObject({ ok: false, error: { code: vector.out.error } })
    }
  })

  it('account_pubkey_extra_key_after_sig', () =>
    check(loadVectorsOfKind('account-keys', 'account_pubkey_extra_key_after_sig'), 'account_pubkey_verify', ['M', 'X']))
})

describe('messages', () => {
  it.each([
    ['dm_v2_pfs', 'v2-pfs', true],
    ['dm_v2_nopfs', 'v2-nopfs', false],
  ])('%s: opens the known one, seals one of the same size that opens to the same', async (kind, version, pfs) => {
    for (const { in: given, out } of loadVectorsOfKind('message-v2', kind)) {
      const keys = given.account_key_seed === undefined ? [] : [given.account_key_seed]
      const open = (message: string) => ({
        op: 'dm_open',
        in: { recipient_seed: SEED_OF[given.recipient_session_id], account_key_seeds: keys, message },
      })
      const [sealed] = await ask([{ op: 'dm_seal', in: { version, ...given } }])
      const { message } = sealed!.out as { message: string }
      expect(message.length / 2).toBe(out.size)
      expect(message).not.toBe(out.ciphertext)
      const [own, known] = await ask([open(message), open(out.ciphertext)])
      const { sender_ed25519, sender_session_id, content } = out.decrypted
      expect(known).toMatchObject({ ok: true, out: { version: 'v2', pfs, sender_ed25519, sender_session_id, content } })
      expect((known!.out as JsonRecord).pro_signature).toBe(out.decrypted.pro_signature)
      expect(own!.out).toEqual(known!.out)
    }
  })

  it('dm_v2_reject', async () => {
    for (const vector of loadVectorsOfKind('message-v2', 'dm_v2_reject')) {
      const [answer] = await ask([{ op: 'dm_open', in: vector.in }])
      expect({ name: vector.in.name, ...answer }).toMatchObject({
        name: vector.in.name,
        ok: false,
        error: { code: vector.out.error },
      })
    }
  })
})

describe('short authentication strings', () => {
  it('link_sas', () => check(loadVectorsOfKind('device-link', 'link_sas'), 'link_sas', ['indices', 'emoji']))
  it('group_sas', () => check(loadVectorsOfKind('device-link', 'group_sas'), 'group_sas', ['indices', 'emoji']))
})

describe('recovery passwords', () => {
  it('encode and decode are each other’s inverse and name three failures', async () => {
    const seeds = ['0123456789abcdef0123456789abcdef', 'fecd9a6034bc9aba273925dee7062b123334587c3c6257341afae2d7fe85e122']
    const encoded = await ask(seeds.map(seed => ({ op: 'mnemonic_encode', in: { seed } })))
    const words = encoded.map(answer => (answer.out as { words: string }).words)
    expect(words.map(text => text.split(' ').length)).toEqual([13, 25])
    const decoded = await ask(words.map(text => ({ op: 'mnemonic_decode', in: { words: text } })))
    expect(decoded.map(answer => (answer.out as { seed: string }).seed)).toEqual(seeds)
    const list = words[0]!.split(' ')
    const broken = [list.slice(0, 9), list.with(3, 'qwertz'), [list[1], list[0], ...list.slice(2)]]
    const refused = await ask(broken.map(text => ({ op: 'mnemonic_decode', in: { words: text.join(' ') } })))
    expect(refused.map(answer => (answer.error as JsonRecord).code)).toEqual(['too-short', 'unknown-word', 'bad-checksum'])
  })
})

describe('lines that ask nothing sensible', () => {
  it('each get an answer and the next line is read', async () => {
    const good = JSON.stringify({ id: 'last', op: 'group_sas', in: { group_id: '00a9c301deadbeef' } })
    const lines = [
      'not json',
      '',
      '[]',
      'null',
      '{"id":7}',
      '{"id":8,"op":"frobnicate","in":{}}',
      '{"id":9,"op":"account","in":{}}',
      good,
    ]
    const result = await run(['interop'], { stdin: lines.join('\n') })
    expect(result.status).toBe(0)
    const answers = records(result)
    expect(answers).toHaveLength(lines.length)
    expect(answers.slice(0, -1).every(answer => answer.ok === false)).toBe(true)
    expect(answers[0]).toMatchObject({ id: null, ok: false, error: { code: 'bad-json' } })
    expect(answers[6]).toMatchObject({ id: 9, error: { code: 'bad-input' } })
    expect(answers.at(-1)).toMatchObject({ id: 'last', ok: true })
  })

  it('longer than 8 MiB are refused without being held', async () => {
    const stdin = `${'x'.repeat(LINE_MAX_BYTES + 1)}\n{"id":1,"op":"nothing"}\n`
    const answers = records(await run(['interop'], { stdin }))
    expect(answers.map(answer => answer.id)).toEqual([null, 1])
  })
})
