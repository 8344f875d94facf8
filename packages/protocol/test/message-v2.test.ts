import {
  ed25519KeyPair,
  mlKem768Encapsulate,
  mlKem768KeyPair,
  prepareMlKem768PublicKey,
  type Random,
  Secret,
  systemRandom,
  x25519,
  x25519KeyPair,
} from '@session-v2/crypto'
import { concatBytes, decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  type AccountKey,
  accountIdBytes,
  keyringOf,
  type OpenOutcome,
  openMessage,
  openMessageV2,
  parseAccountId,
  prepareRecipient,
  sealMessageV2,
  sealMessageV2NoPfs,
} from '@session-v2/protocol'
import { loadVectors, loadVectorsOfKind, type Vector } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { maskIndicator } from '../src/account-keys/key-indicator.ts'
import { noPfsMessageKey, pfsMessageKey } from '../src/message-v2/key-derivation.ts'
import { signContent } from '../src/message-v2/signed-content.ts'
import { accountOf, keyringOfSeeds, providers, refusalBy, refusedAs } from './providers.ts'

const CHAPTER = 'message-v2'
/** Seed of the accounts whose Session IDs the vectors are sealed to, by Session ID. */
const RECIPIENT_SEEDS: Record<string, string> = {
  '05aa654f00fc39fc69fd0db829410ca38177d7732a8d2f0934ab3872ac56d5aa74': `00112233445566778899aabbccddeeff${'00'.repeat(16)}`,
  '05d2ad010eeb72d72e561d9de7bd7b6989af77dcabffa03a5111a6c859ae5c3a72': `0123456789abcdef0123456789abcdef${'00'.repeat(16)}`,
}
const titled = (kind: string) => loadVectorsOfKind(CHAPTER, kind).map(v => [`${v.in.content.length / 2} bytes`, v] as const)

/** Hands out the given bytes, and fails when asked for anything else. */
function scripted(...answers: Uint8Array[]): Random {
  return {
    bytes(sizeBytes) {
      const next = answers.shift()
      if (next?.length !== sizeBytes) throw new Error(`${sizeBytes} bytes were asked for, out of turn`)
      return next.slice()
    },
  }
}

function proOf(crypto: (typeof providers)[number][1], vector: Vector) {
  if (vector.in.pro_seed === undefined) return {}
  return { proSigner: ed25519KeyPair(crypto, Secret.of(decodeHex(vector.in.pro_seed), 'ed25519-seed')).secretKey }
}

function shown(opened: OpenOutcome) {
  if (opened.outcome !== 'opened') return opened
  const pro = opened.proSignature === undefined ? {} : { pro_signature: encodeHex(opened.proSignature) }
  return {
    ...pro,
    sender_ed25519: encodeHex(opened.senderEd25519),
    sender_session_id: opened.sender,
    content: encodeHex(opened.content),
    pfs: opened.pfs,
  }
}

function expected({ prefix: _, pro_signed_body: _body, ...decrypted }: Record<string, unknown>) {
  return decrypted
}

describe.each(providers)('V2 message with forward secrecy, DM2-01, DM2-04, DM2-05 (%s)', (_, crypto) => {
  it.each(titled('dm_v2_pfs'))('%s: sealed again from the same randomness it is the same', (_size, vector) => {
    const { ciphertext, trace } = vector.out
    const sender = accountOf(crypto, vector.in.sender_seed)
    const { x25519, mlKem768 } = keyringOfSeeds(crypto, [vector.in.account_key_seed]).keys[0]!
    const keys = { x25519: x25519.publicKey, mlKem768: mlKem768.publicKey }
    const recipient = prepareRecipient(crypto, parseAccountId(vector.in.recipient_session_id), keys)
    const random = scripted(decodeHex(trace.e), decodeHex(trace.mlkem_coins))
    const content = decodeHex(vector.in.content)
    const message = sealMessageV2(crypto, random, { sender, recipient, content, ...proOf(crypto, vector) })
    expect(encodeHex(message)).toBe(ciphertext)
  })

  it.each(titled('dm_v2_pfs'))('%s: opens', (_size, vector) => {
    const account = accountOf(crypto, RECIPIENT_SEEDS[vector.in.recipient_session_id]!)
    const keyring = keyringOfSeeds(crypto, ['11'.repeat(32), vector.in.account_key_seed])
    const opened = openMessageV2(crypto, account, keyring, decodeHex(vector.out.ciphertext))
    expect(shown(opened)).toEqual(expected(vector.out.decrypted))
    expect(opened).toMatchObject({ version: 'v2', keyCreatedAtS: keyring.keys[1]!.createdAtS })
  })

  it.each(titled('dm_v2_pfs'))('%s: takes the recorded steps', (_size, { in: given, out: { trace, decrypted } }) => {
    const S = accountIdBytes(parseAccountId(given.recipient_session_id)).subarray(1)
    const accountKey = keyringOfSeeds(crypto, [given.account_key_seed]).keys[0]!
    const ephemeral = x25519KeyPair(crypto, Secret.of(decodeHex(trace.e), 'x25519-secret'))
    const E = ephemeral.publicKey
    const shared = x25519(crypto, ephemeral.secretKey, S)
    const coins = scripted(decodeHex(trace.mlkem_coins))
    const { sharedSecret } = mlKem768Encapsulate(crypto, coins, prepareMlKem768PublicKey(crypto, accountKey.mlKem768.publicKey))
    const sharedX25519 = x25519(crypto, ephemeral.secretKey, accountKey.x25519.publicKey)
    const steps = {
      E: encodeHex(E),
      kiss: encodeHex(maskIndicator(crypto, 'Session-Msg-KISS', shared, E, S, new Uint8Array(2))),
      ki: encodeHex(maskIndicator(crypto, 'Session-Msg-KISS', shared, E, S, decodeHex(decrypted.prefix))),
      ss_mlkem: encodeHex(sharedSecret),
      ss_x25519: encodeHex(sharedX25519),
    }
    const { key, nonce } = pfsMessageKey(crypto, sharedSecret, sharedX25519, E, accountKey.x25519.publicKey)
    expect(trace).toMatchObject({ ...steps, k: encodeHex(key), n: encodeHex(nonce) })
    expect(encodeHex(accountKey.indicator)).toBe(decrypted.prefix)
    expect([sharedSecret, sharedX25519]).toEqual([new Uint8Array(32), new Uint8Array(32)])
  })
})

describe.each(providers)('V2 message without forward secrecy, DM2-01, DM2-06 (%s)', (_, crypto) => {
  it.each(titled('dm_v2_nopfs'))('%s: sealed again from the same randomness it is the same', (_size, vector) => {
    const { ciphertext, trace } = vector.out
    const wire = decodeHex(ciphertext)
    const random = scripted(decodeHex(trace.e), wire.subarray(2, 4), wire.subarray(36, 1124))
    const outgoing = {
      sender: accountOf(crypto, vector.in.sender_seed),
      content: decodeHex(vector.in.content),
      ...proOf(crypto, vector),
    }
    const recipient = parseAccountId(vector.in.recipient_session_id)
    expect(encodeHex(sealMessageV2NoPfs(crypto, random, { ...outgoing, recipient }))).toBe(ciphertext)
  })

  it.each(titled('dm_v2_nopfs'))('%s: opens', (_size, vector) => {
    const account = accountOf(crypto, RECIPIENT_SEEDS[vector.in.recipient_session_id]!)
    const opened = openMessageV2(crypto, account, keyringOfSeeds(crypto, ['11'.repeat(32)]), decodeHex(vector.out.ciphertext))
    expect(shown(opened)).toEqual(expected(vector.out.decrypted))
    expect(opened).not.toHaveProperty('keyCreatedAtS')
  })

  it.each(titled('dm_v2_nopfs'))('%s: takes the recorded steps', (_size, { in: given, out: { trace } }) => {
    const R = accountIdBytes(parseAccountId(given.recipient_session_id)).subarray(1)
    const ephemeral = x25519KeyPair(crypto, Secret.of(decodeHex(trace.e), 'x25519-secret'))
    const shared = x25519(crypto, ephemeral.secretKey, R)
    expect([encodeHex(ephemeral.publicKey), encodeHex(shared)]).toEqual([trace.E, trace.ss_r])
    const { key, nonce } = noPfsMessageKey(crypto, shared, R, ephemeral.publicKey)
    expect([encodeHex(key), encodeHex(nonce)]).toEqual([trace.k, trace.n])
  })
})

describe.each(providers)('the longest V2 message (%s)', (_, crypto) => {
  it('has 1 MiB and opens; a longer one is not sealed', () => {
    const account = accountOf(crypto, '5a'.repeat(32))
    const seal = (contentBytes: number) =>
      sealMessageV2NoPfs(crypto, systemRandom(), {
        sender: account,
        recipient: account.id,
        content: new Uint8Array(contentBytes),
      })
    const longest = seal(1_047_315)
    expect(longest.length).toBe(1_048_576)
    expect(openMessageV2(crypto, account, keyringOf([]), longest).outcome).toBe('opened')
    expect(refusalBy(() => seal(1_047_316))).toBe('bad-input DM2-03')
  })
})

describe.each(providers)('plaintext of a V2 message, DM2-07 (%s)', (_, crypto) => {
  it.each([...titled('dm_v2_pfs'), ...titled('dm_v2_nopfs')])('%s', (_size, vector) => {
    const recipient = accountIdBytes(parseAccountId(vector.in.recipient_session_id))
    const { proSigner } = proOf(crypto, vector)
    const sender = accountOf(crypto, vector.in.sender_seed)
    expect(encodeHex(signContent(crypto, sender, recipient, decodeHex(vector.in.content), proSigner))).toBe(
      vector.out.trace.inner,
    )
  })
})

describe.each(providers)('V2 message that must be refused, NOT-12 (%s)', (_, crypto) => {
  const OUTCOMES: Record<string, string> = { bad_format: 'malformed', unknown_version: 'unknown-version', no_pfs_key: 'no-key' }

  it.each(loadVectorsOfKind(CHAPTER, 'dm_v2_reject').map(v => [v.in.name, v] as const))('%s', (_name, { in: given, out }) => {
    const account = accountOf(crypto, given.recipient_seed)
    const opened = openMessage(crypto, account, keyringOfSeeds(crypto, given.account_key_seeds), decodeHex(given.ciphertext))
    expect(opened.outcome).toBe(OUTCOMES[out.error])
  })

  const own = loadVectors(CHAPTER).filter(file => file.failure !== undefined)
  it.each(own.map(file => [file.name, file.reason, file] as const))('%s: %s', (_name, _reason, file) => {
    const { in: given } = file
    const account = accountOf(crypto, given.recipient_seed)
    const opened = openMessage(crypto, account, keyringOfSeeds(crypto, given.account_key_seeds), decodeHex(given.message))
    expect(opened).toMatchObject(refusedAs(file))
    if (file.failure === 'forged') expect(file.clause).toBe('DM2-08')
  })
})

describe.each(providers)('published fixture of a V2 message (%s)', (_, crypto) => {
  const { in: given } = loadVectorsOfKind(CHAPTER, 'fixture')[0]!
  const sender = accountOf(crypto, given.sender_seed)
  const bob = accountOf(crypto, given.recipient_seed)
  const key = keyOf(crypto, given.pfs_x25519_sec, given.pfs_mlkem768_seed)
  const keys = { x25519: key.x25519.publicKey, mlKem768: key.mlKem768.publicKey }
  const content = encodeUtf8(given.content_utf8)
  const message = sealMessageV2(crypto, systemRandom(), { sender, recipient: prepareRecipient(crypto, bob.id, keys), content })

  it('is a multiple of 256 bytes and opens', () => {
    expect(message.length % 256).toBe(0)
    const opened = openMessageV2(crypto, bob, keyringOf([key]), message)
    expect(opened).toMatchObject({ outcome: 'opened', pfs: true, sender: sender.id, content })
  })

  it('does not open with another X25519 key, and truncated it is malformed', () => {
    const wrong = { ...keyOf(crypto, '01'.repeat(32), given.pfs_mlkem768_seed), indicator: key.indicator }
    expect(openMessageV2(crypto, bob, keyringOf([wrong]), message)).toEqual({ outcome: 'no-key', indicator: key.indicator })
    expect(openMessageV2(crypto, bob, keyringOf([key]), message.subarray(0, 100)).outcome).toBe('malformed')
    expect(openMessageV2(crypto, bob, keyringOf([key]), concatBytes(message, new Uint8Array(1024 * 1024))).outcome).toBe(
      'malformed',
    )
  })
})

function keyOf(crypto: (typeof providers)[number][1], x25519Hex: string, mlKemSeedHex: string): AccountKey {
  const mlKem768 = mlKem768KeyPair(crypto, decodeHex(mlKemSeedHex))
  return {
    seed: Secret.of(new Uint8Array(32), 'account-key-seed'),
    createdAtS: 0,
    x25519: x25519KeyPair(crypto, Secret.of(decodeHex(x25519Hex), 'x25519-secret')),
    mlKem768,
    indicator: mlKem768.publicKey.slice(0, 2),
  }
}
