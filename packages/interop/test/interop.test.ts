import { systemRandom } from '@session-v2/crypto'
import { createInterop } from '@session-v2/interop'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OPERATIONS } from '../src/operations.ts'
import { type Answer, askerOf, providers } from './providers.ts'

const crypto = providers[1]![1]
const interop = createInterop(crypto, systemRandom())
const answer = (line: string): Answer => JSON.parse(interop.answer(line))
const ask = askerOf(crypto)
const SEED = '11'.repeat(32)
const SESSION_ID = ask('account', { seed: SEED }).out.session_id

describe('interop', () => {
  it('answers with the id of the request, if that is a number or a text', () => {
    for (const id of [1, 0, -2.5, 'a', '']) expect(answer(JSON.stringify({ id, op: 'account', in: { seed: SEED } })).id).toBe(id)
    for (const id of [null, undefined, {}, [[]], true]) expect(answer(JSON.stringify({ id, op: 'none' })).id).toBe(null)
  })

  it.each([
    ['', 'bad-json'],
    ['{', 'bad-json'],
    ['5', 'bad-input'],
    ['null', 'bad-input'],
    ['[]', 'unknown-op'],
    ['{}', 'unknown-op'],
    ['{"op":5}', 'unknown-op'],
    ['{"op":"constructor"}', 'unknown-op'],
    ['{"op":"account"}', 'bad-input'],
    ['{"op":"account","in":[]}', 'bad-input'],
    ['{"op":"account","in":{"__proto__":{"seed":"00"}}}', 'bad-input'],
    [`${'['.repeat(5_000_000)}`, 'bad-json'],
    [`"${'a'.repeat(8 * 1024 * 1024)}"`, 'too-large'],
  ])('%#: refuses what is no request', (line, code) => {
    expect(answer(line)).toMatchObject({ id: null, ok: false, error: { code } })
  })

  it('says in one line exactly what the contract says for a line that is no JSON', () => {
    expect(interop.answer('?')).toMatch(/^\{"id":null,"ok":false,"error":\{"code":"bad-json","message":"[^"\n]+"\}\}$/)
  })

  it('ignores fields it does not know', () => {
    expect(ask('account', { seed: SEED, rng: '00', more: [1] }).ok).toBe(true)
  })
})

describe('input of an operation', () => {
  it.each([
    ['account', { seed: '11' }],
    ['account', { seed: 'zz'.repeat(32) }],
    ['account', { seed: 5 }],
    ['expand', { domain: 'SessionOtherKeys', seed: SEED }],
    ['mnemonic_encode', { seed: '00' }],
    ['mnemonic_encode', { seed: SEED, checksum: 1 }],
    ['mnemonic_decode', { words: 5 }],
    ['dm_seal', { version: 'v3', sender_seed: SEED, recipient_session_id: SESSION_ID, content: '' }],
    ['dm_seal', { version: 'v2-pfs', sender_seed: SEED, recipient_session_id: SESSION_ID, content: '' }],
    ['dm_seal', { version: 'v2-nopfs', sender_seed: SEED, recipient_session_id: '05', content: '' }],
    ['dm_seal', { version: 'v2-nopfs', sender_seed: SEED, recipient_session_id: `05${'00'.repeat(32)}`, content: '' }],
    ['dm_seal', { version: 'v1', sender_seed: SEED, recipient_session_id: SESSION_ID, content: '' }],
    ['dm_seal', { version: 'v1', sender_seed: SEED, recipient_session_id: SESSION_ID, content: '', timestamp_ms: -1 }],
    ['dm_v1', { sender_seed: SEED, recipient_session_id: SESSION_ID, content: '', timestamp_ms: 1, deterministic: 1 }],
    ['dm_v1', { sender_seed: SEED, recipient_session_id: `05${'00'.repeat(32)}`, content: '', timestamp_ms: 1 }],
    ['dm_open', { recipient_seed: SEED, account_key_seeds: SEED, message: '' }],
    ['dm_open', { recipient_seed: SEED, account_key_seeds: Array.from({ length: 301 }, () => SEED), message: '' }],
    ['dm_open', { recipient_seed: SEED, account_key_seeds: [] }],
    ['account_pubkey_verify', { session_id: `03${'00'.repeat(32)}`, message: '' }],
    ['group_sas', { group_id: '00' }],
    ['rotation', { device_id: SEED, seed: SEED, created: 5, n: 0 }],
    ['rotation', { device_id: SEED, seed: SEED, created: 5.5, n: 1 }],
    ['rotation', { device_id: SEED, seed: SEED, created: -5, n: 1 }],
    ['rotation', { device_id: SEED, seed: SEED, created: '9007199254740993', n: 1 }],
    ['merge', { self: SEED, ops: [{ op: 'msg', devices: [{ id: SEED, state: 2, desc: '\ud800' }] }] }],
    ['merge', { self: SEED, ops: [{ op: 'msg', devices: [{ id: SEED, state: 3, kicked: '-9223372036854775808' }] }] }],
    ...['9223372036854775808', '1e3', '', ' 1', '01', '-0', '0x1', 2 ** 53, 1.5, true, []].map(
      seqno => ['merge', { self: SEED, ops: [{ op: 'self', state: 2, seqno }] }] as [string, object],
    ),
    ['swarm_of', { pubkey: SESSION_ID, swarm_ids: [] }],
    ['swarm_of', { pubkey: SESSION_ID, swarm_ids: ['18446744073709551616'] }],
    ['swarm_of', { pubkey: SESSION_ID, swarm_ids: ['1e3'] }],
    ['message_hash', { pubkey: SESSION_ID, namespace: 32768, data: '' }],
  ])('%s refuses %j', (op, input) => expect(ask(op, input).error?.code).toBe('bad-input'))
})

describe('an operation', () => {
  it('seals and opens version 1', () => {
    const v1 = { version: 'v1', sender_seed: SEED, recipient_session_id: SESSION_ID, content: 'ab', timestamp_ms: 5 }
    const { message } = ask('dm_seal', v1).out
    const opened = ask('dm_open', { recipient_seed: SEED, account_key_seeds: [], message }).out
    expect(opened).toMatchObject({ version: 'v1', pfs: false, sender_session_id: SESSION_ID, content: 'ab' })
    expect(opened.pro_signature).toHaveLength(128)
    expect(ask('dm_seal', v1).out.message).not.toBe(message)
    expect(ask('dm_open', { recipient_seed: SEED, account_key_seeds: [], message: '08' }).error?.code).toBe('decrypt_failed')
  })

  it('takes null for what may be left out', () => {
    const v1 = { sender_seed: SEED, recipient_session_id: SESSION_ID, content: 'ab', timestamp_ms: '5' }
    const { wire, sealed } = ask('dm_v1', { ...v1, pro_seed: null, deterministic: null }).out
    expect(ask('dm_v1', { ...v1, deterministic: false }).out.sealed).not.toBe(sealed)
    const input = { recipient_seed: SEED, account_key_seeds: [], message: null, ciphertext: wire }
    expect(ask('dm_open', input).out.content).toBe('ab')
    expect(ask('mnemonic_encode', { seed: SEED, checksum: null }).out).toEqual(ask('mnemonic_encode', { seed: SEED }).out)
    const device = { id: SEED, state: 2, seqno: null, timestamp: null, desc: null, digest: null, kicked: null }
    const ops = [
      { op: 'msg', now: null, devices: [device], account_keys: null },
      { op: 'msg', devices: null, account_keys: [{ seed: SEED, created: '5', rotated: null }] },
    ]
    const { devices, account_keys } = ask('merge', { self: '00'.repeat(32), ops }).out
    expect(devices).toMatchObject([{ id: SEED, seqno: 0, desc: '', digest: '00'.repeat(8) }])
    expect(account_keys).toMatchObject([{ created: 5, rotated: null }])
  })

  it('takes and gives integers of 64 bits exactly, as decimal texts where numbers are not', () => {
    const [left, member] = ['22'.repeat(32), '33'.repeat(32)]
    const devices = [
      { id: left, state: 3, kicked: '9223372036854775807' },
      { id: member, state: 2, seqno: '-9223372036854775808', digest: '00'.repeat(8) },
    ]
    const { out } = ask('merge', {
      self: SEED,
      ops: [
        { op: 'msg', devices, now: 5 },
        { op: 'self', state: 2, seqno: '7' },
      ],
    })
    expect(out.devices).toMatchObject([
      { id: SEED, seqno: 7 },
      { id: left, kicked: '9223372036854775807' },
      { id: member, seqno: '-9223372036854775808' },
    ])
  })

  it('takes the same account key twice for one', () => {
    const sealed = ask('dm_v2_pfs', {
      sender_seed: SEED,
      recipient_session_id: SESSION_ID,
      account_key_seed: SEED,
      content: 'ab',
    })
    const input = { recipient_seed: SEED, account_key_seeds: [SEED, SEED], message: sealed.out.ciphertext }
    expect(ask('dm_open', input).out).toMatchObject({ pfs: true, content: 'ab' })
  })
})

describe('delivery', () => {
  it('finds the swarm of an account', () => {
    const pubkey = `05${'00'.repeat(24)}0000000000000064`
    expect(ask('swarm_of', { pubkey, swarm_ids: ['90', '105', '18446744073709551000'] }).out).toEqual({ swarm_id: '105' })
  })

  it('names a stored message', () => {
    const { hash } = ask('message_hash', { pubkey: SESSION_ID, namespace: 0, data: 'abcd' }).out
    expect(hash).toMatch(/^[A-Za-z0-9+/]{43}$/)
    expect(ask('message_hash', { pubkey: SESSION_ID, namespace: -21, data: 'abcd' }).out.hash).not.toBe(hash)
  })
})

describe('fuzz interop', () => {
  /** Argon2id is slow on purpose. */
  const operations = [...OPERATIONS.keys()].filter(op => op !== 'link_sas')
  const fields = ['seed', 'domain', 'words', 'version', 'sender_seed', 'recipient_session_id', 'account_key_seed', 'content']
  const moreFields = ['recipient_seed', 'account_key_seeds', 'message', 'ciphertext', 'session_id', 'root_seed', 'device_id']
  const lastFields = ['created', 'n', 'group_id', 'in', 'A', 'pubkey', 'swarm_ids', 'namespace', 'data', 'pro_seed', 'checksum']
  const v1Fields = ['timestamp_ms', 'deterministic']
  const onionFields = ['hops', 'enc_type', 'payload', 'x25519_secret', 'blob']
  const anyName = fc.constantFrom(...fields, ...moreFields, ...lastFields, ...v1Fields, ...onionFields)
  const recorded = [...loadVectors('message-v1'), ...loadVectors('message-v2')].flatMap(file =>
    file.failure === undefined ? [] : [file.in.message],
  )
  const hops = [{ ed25519: SEED, x25519: SEED }]
  const onions = loadVectors('onion-request').flatMap(file => (file.name.startsWith('peels-') ? [file.in.body] : []))
  const known = [
    'gcm',
    'v2-pfs',
    'v2-nopfs',
    'v1',
    'SessionAccountKeys',
    SEED,
    SESSION_ID,
    'abbey'.repeat(3),
    ...recorded,
    ...onions,
  ]
  const anyValue = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...known) },
    fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes).toString('hex')),
    fc.constantFrom<unknown>(hops, [SEED], [], ['1', '2'], 0, 1, -21, true),
    fc.jsonValue(),
  )
  const anyRequest = fc.record({
    id: fc.jsonValue(),
    op: fc.constantFrom(...operations),
    in: fc.dictionary(anyName, anyValue, { maxKeys: 12 }),
  })
  const complete = fc
    .tuple(fc.constantFrom(...operations), fc.array(anyValue, { minLength: 33, maxLength: 33 }))
    .map(([op, values]) => ({
      id: 1,
      op,
      in: Object.fromEntries(
        [...fields, ...moreFields, ...lastFields, ...v1Fields, ...onionFields].map((name, at) => [name, values[at]]),
      ),
    }))
  const anyLine = fc.oneof(
    fc.oneof(anyRequest, complete).map(request => JSON.stringify(request)),
    fc.json(),
    fc.string({ unit: 'binary', maxLength: 200 }),
  )

  it('answers every line with one line, soon, and never by accident', () => {
    fc.assert(
      fc.property(anyLine, line => {
        const text = interop.answer(line)
        expect(durationMs(line)).toBeLessThan(MAX_ANSWER_MS)
        expect(text).not.toContain('\n')
        const { ok, error } = JSON.parse(text) as Answer
        expect(ok ? 'ok' : error?.code).not.toBe('internal')
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 2000) },
    )
  })
})

/** Judged in the longer run of the fuzz tests only (`npm run fuzz`). */
const MAX_ANSWER_MS = process.env.FUZZ_SUMMARY === undefined ? Number.POSITIVE_INFINITY : 50

/** A slow answer is asked for again: a pause of the machine is not the fault of the operation. */
function durationMs(line: string): number {
  let leastMs = Number.POSITIVE_INFINITY
  for (let run = 0; run < 3 && leastMs >= MAX_ANSWER_MS; run++) {
    const startedAt = performance.now()
    interop.answer(line)
    leastMs = Math.min(leastMs, performance.now() - startedAt)
  }
  return leastMs
}
