import { sha256 } from '@session-v2/crypto'
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { loadVectors, loadVectorsOfKind, type Vector } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { type Ask, askerOf, providers } from './providers.ts'

/** Seed of the accounts that the vectors are sealed to, by Session ID. */
const RECIPIENT_SEEDS: Record<string, string> = {
  '05aa654f00fc39fc69fd0db829410ca38177d7732a8d2f0934ab3872ac56d5aa74': `00112233445566778899aabbccddeeff${'00'.repeat(16)}`,
  '05d2ad010eeb72d72e561d9de7bd7b6989af77dcabffa03a5111a6c859ae5c3a72': `0123456789abcdef0123456789abcdef${'00'.repeat(16)}`,
}

const cases = (chapter: string, kind: string) => loadVectorsOfKind(chapter, kind).map((vector, at) => [at, vector] as const)

describe.each(providers.map(([name, crypto]) => [name, crypto, askerOf(crypto)] as const))(
  'kinds with one answer (%s)',
  (_, crypto, ask) => {
    const abbreviate = (hex: string) => ({ first16: hex.slice(0, 32), sha256: encodeHex(sha256(crypto, [decodeHex(hex)])) })

    it.each(cases('account', 'account'))('account %i', (_at, vector) => {
      expect(ask('account', vector.in).out).toMatchObject(vector.out)
    })

    it.each(cases('account-keys', 'expand'))('expand %i', (_at, vector) => {
      const { out } = ask('expand', vector.in)
      for (const [name, expected] of Object.entries(vector.out)) {
        expect(typeof expected === 'string' ? out[name] : abbreviate(out[name])).toEqual(expected)
      }
    })

    it.each(cases('account-keys', 'rotation'))('rotation %i', (_at, vector) => {
      expect(ask('rotation', vector.in).out).toEqual(vector.out)
    })

    it.each([
      ...cases('device-link', 'link_sas'),
      ...cases('device-link', 'group_sas'),
      ...cases('device-link', 'group_id_crypt'),
    ])('short authentication string and group ID %i', (_at, vector) =>
      expect(ask(vector.kind, vector.in).out).toEqual(vector.out),
    )

    it.each(cases('recovery-password', 'encode'))('mnemonic_encode %i', (_at, vector) => {
      expect(ask('mnemonic_encode', vector.in).out).toEqual(vector.out)
      expect(ask('mnemonic_decode', vector.out).out.seed).toBe(vector.in.seed)
    })

    it.each([...cases('recovery-password', 'decode'), ...cases('recovery-password', 'reject')])(
      'mnemonic_decode %i',
      (_at, vector) => {
        const { out, error } = ask('mnemonic_decode', vector.in)
        expect(out ?? { error: error?.code }).toEqual(vector.out)
      },
    )
  },
)

describe.each(providers.map(([name, crypto]) => [name, askerOf(crypto)] as const))('published records (%s)', (_, ask) => {
  it.each(cases('account-keys', 'account_pubkey'))('account_pubkey %i', (_at, vector) => {
    const { message: _recorded, ...stable } = vector.out
    for (const op of ['account_pubkey', 'account_pubkey_build']) {
      const { out } = ask(op, vector.in)
      expect(out).toMatchObject(stable)
      expect(out.message).toHaveLength(2 * 1302)
      expect(ask('account_pubkey_verify', { session_id: out.session_id, message: out.message }).ok).toBe(true)
    }
  })

  it.each(cases('account-keys', 'account_pubkey'))('account_pubkey %i as recorded verifies', (_at, { out }) => {
    expect(ask('account_pubkey_verify', out).out.verify_ed25519).toBe(out.verify_ed25519)
  })

  it.each(cases('account-keys', 'account_pubkey_reject'))('account_pubkey_reject %i', (_at, vector) => {
    for (const op of ['account_pubkey_reject', 'account_pubkey_verify'])
      expect(ask(op, vector.in).error?.code).toBe(vector.out.error)
  })

  it.each(cases('account-keys', 'account_pubkey_extra_key_after_sig'))('account_pubkey_extra_key_after_sig %i', (_at, vector) => {
    expect(ask('account_pubkey_extra_key_after_sig', vector.in).out).toEqual(vector.out)
  })

  const own = loadVectors('account-keys').filter(file => file.failure !== undefined)
  it.each(own.map(file => [file.name, file] as const))('%s', (_name, file) => {
    const code = file.failure === 'forged' ? 'bad_signature' : 'bad_format'
    expect(ask('account_pubkey_verify', file.in).error?.code).toBe(code)
  })
})

describe.each(providers.map(([name, crypto]) => [name, askerOf(crypto)] as const))('messages (%s)', (_, ask) => {
  it.each([...cases('message-v2', 'dm_v2_pfs'), ...cases('message-v2', 'dm_v2_nopfs')])('%i as recorded opens', (_at, vector) => {
    expect(openedBy(ask, vector, vector.out.ciphertext)).toEqual(expectedOf(vector))
  })

  it.each([...cases('message-v2', 'dm_v2_pfs'), ...cases('message-v2', 'dm_v2_nopfs')])('%i sealed anew opens', (_at, vector) => {
    const { out } = ask(vector.kind, vector.in)
    expect(out.size).toBe(vector.out.size)
    expect(openedBy(ask, vector, out.ciphertext)).toEqual(expectedOf(vector))
    const version = vector.kind === 'dm_v2_pfs' ? 'v2-pfs' : 'v2-nopfs'
    expect(openedBy(ask, vector, ask('dm_seal', { ...vector.in, version }).out.message).content).toBe(vector.in.content)
  })

  it.each(cases('message-v2', 'dm_v2_reject'))('dm_v2_reject %i', (_at, vector) => {
    for (const op of ['dm_v2_reject', 'dm_open']) expect(ask(op, vector.in).error?.code).toBe(vector.out.error)
  })

  const CODES: Record<string, string> = {
    malformed: 'bad_format',
    forged: 'bad_format',
    'unknown-version': 'unknown_version',
    'no-key': 'no_pfs_key',
  }
  const own = [...loadVectors('message-v1'), ...loadVectors('message-v2')].filter(file => file.failure !== undefined)
  it.each(own.map(file => [file.chapter, file.name, file] as const))('%s: %s', (_chapter, _name, file) => {
    // Of version 1, which the first byte tells, it is not said what is wrong.
    const code = /^(00|$)/.test(file.in.message) ? CODES[file.failure!] : 'decrypt_failed'
    expect(ask('dm_open', { account_key_seeds: [], ...file.in }).error?.code).toBe(code)
  })

  it.each(cases('message-v1', 'dm_v1'))('dm_v1 %i as recorded opens', (_at, vector) => {
    expect(openedBy(ask, vector, vector.out.wire)).toEqual(expectedOfV1(ask, vector, vector.out.envelope))
  })

  it.each(cases('message-v1', 'dm_v1'))('dm_v1 %i sealed anew has the same box, and opens', (_at, vector) => {
    const { sealed, envelope, wire, padded_len, sender_ed25519 } = ask('dm_v1', vector.in).out
    expect({ sealed, padded_len, sender_ed25519 }).toEqual({
      sealed: vector.out.sealed,
      padded_len: vector.out.padded_len,
      sender_ed25519: vector.out.sender_ed25519,
    })
    // All but the Pro signature, which is by a key of the moment.
    expect(envelope.slice(0, -128)).toBe(vector.out.envelope.slice(0, -128))
    expect(wire.replace(envelope.slice(-128), '')).toBe(vector.out.wire.replace(vector.out.envelope.slice(-128), ''))
    expect(openedBy(ask, vector, wire)).toEqual(expectedOfV1(ask, vector, envelope))
    const { deterministic: _deterministic, ...input } = vector.in
    expect(ask('dm_v1', input).out.sealed).not.toBe(sealed)
    expect(openedBy(ask, vector, ask('dm_seal', { ...input, version: 'v1' }).out.message).content).toBe(vector.in.content)
  })

  const opening = loadVectors('message-v1').filter(file => file.source === undefined && file.failure === undefined)
  it.each(opening.map(file => [file.name, file] as const))('message-v1: %s opens', (_name, file) => {
    const { timestamp_ms: _timestamp, ...told } = file.out
    expect(ask('dm_open', { account_key_seeds: [], ...file.in }).out).toMatchObject({ version: 'v1', pfs: false, ...told })
  })
})

describe.each(providers.map(([name, crypto]) => [name, askerOf(crypto)] as const))('merging (%s)', (_, ask) => {
  const alone = { self: '00'.repeat(32) }
  it.each([
    ...loadVectorsOfKind('device-states', 'merge').map(({ in: given, out }) => [given.name, given, out] as const),
    ...loadVectors('device-states')
      .filter(file => file.source === undefined)
      .map(file => [file.name, file.in, file.out] as const),
    ...loadVectors('account-keys')
      .filter(file => file.in?.ops !== undefined)
      .filter(file => file.clause !== 'AK-12')
      .map(file => [file.name, { ...alone, ...file.in }, { devices: [], ...file.out }] as const),
  ])('%s', (_name, given, out) => {
    const made = ask('merge', given).out
    expect(made).toMatchObject(out)
    // Of rows it says these fields and no others.
    expect(made.devices).toEqual(out.devices)
  })

  const settling = loadVectors('account-keys').filter(file => file.in?.ops !== undefined && file.clause === 'AK-12')
  it.each(settling.map(file => [file.name, file] as const))('%s: the key whose time was told later is kept', (_name, file) => {
    const kept = { seed: 'aa'.repeat(32), created: 10, rotated: 500 }
    expect(ask('merge', { ...alone, ...file.in }).out.account_keys).toMatchObject([...file.out.account_keys, kept])
  })
})

function openedBy(ask: Ask, vector: Vector, ciphertext: string) {
  const account_key_seeds = ['11'.repeat(32), ...(vector.in.account_key_seed === undefined ? [] : [vector.in.account_key_seed])]
  return ask('dm_open', { recipient_seed: RECIPIENT_SEEDS[vector.in.recipient_session_id], account_key_seeds, ciphertext }).out
}

function expectedOf(vector: Vector) {
  const { prefix: _, pro_signed_body: _body, ...decrypted } = vector.out.decrypted
  return { version: 'v2', ...decrypted }
}

function expectedOfV1(ask: Ask, { in: given, out }: Vector, envelope: string) {
  return {
    version: 'v1',
    pfs: false,
    sender_session_id: ask('account', { seed: given.sender_seed }).out.session_id,
    sender_ed25519: out.sender_ed25519,
    content: given.content,
    pro_signature: envelope.slice(-128),
  }
}
