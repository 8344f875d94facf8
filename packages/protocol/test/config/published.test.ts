/** Configs as other implementations write them, byte for byte (CFG-01 to CFG-29). */
import { blake2b, ed25519KeyPair, ed25519SecretToX25519, ed25519Sign, Secret, x25519KeyPair } from '@session-v2/crypto'
import { byteKey, concatBytes, decodeHex, encodeBt, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  accountConfigChannel,
  CONFIG_TYPES,
  type ConfigDict,
  type ConfigType,
  compressConfig,
  configPaddedBytes,
  confirmConfigPush,
  decompressConfig,
  decryptConfig,
  dumpConfig,
  emptyConfigMessage,
  encodeConfigMessage,
  encryptConfig,
  type FixedMessage,
  loadConfigDump,
  mergeConfigMessages,
  newConfigState,
  nextMessage,
  parseConfigMessage,
  pushConfig,
  receiveConfig,
  sealConfigPush,
  setConfigValue,
  unwrapConfig,
  withElement,
  withValue,
  wrapConfig,
} from '@session-v2/protocol'
import { loadVectorsOfKind } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { accountOf, native as crypto } from '../providers.ts'
import { baseOf, configValueOf, dictOf, zstd } from './config-world.ts'

const vectors = (kind: string) => loadVectorsOfKind('config', kind).map((vector, at) => [at, vector] as const)
const only = (kind: string) => loadVectorsOfKind('config', kind)[0]!
const typeOf = (namespace: number) =>
  Object.entries(CONFIG_TYPES).find(([, facts]) => facts.namespace === namespace)![0] as ConfigType
const kindOf = (namespace: number) => CONFIG_TYPES[typeOf(namespace)].wrappedKind!

describe('values', () => {
  it.each(vectors('value'))('%i is encoded as published', (_, { in: input, out }) => {
    const value = input.integer !== undefined ? BigInt(input.integer) : configValueOf(input.text ?? input.set ?? input.dict)
    expect(new TextDecoder().decode(encodeBt(value))).toBe(out.encoded)
  })
})

describe('encryption', () => {
  it.each(vectors('encrypt'))('%i is as published, and is undone', (_, { in: { base, domain, padded }, out }) => {
    const message = encryptConfig(crypto, baseOf(base), domain, decodeHex(padded))
    expect(encodeHex(message)).toBe(out.message)
    expect(encodeHex(decryptConfig(crypto, baseOf(base), domain, message)!)).toBe(padded)
  })

  it.each(vectors('padded'))('%i: sizes are padded as published', (_, { in: { size, overhead }, out }) => {
    expect(configPaddedBytes(size, overhead)).toBe(out.size)
  })
})

describe('compression', () => {
  it.each(vectors('compress'))('%i: what others compressed is read', (_, { in: { plaintext }, out: { compressed } }) => {
    expect(encodeHex(decompressConfig(zstd, decodeHex(compressed ?? plaintext)))).toBe(plaintext)
  })

  it.each(vectors('compress').filter(([, { in: input }]) => input.level === 1))('%i is as published', (_, { in: input, out }) => {
    expect(encodeHex(compressConfig(zstd, decodeHex(input.plaintext)))).toBe(out.compressed ?? input.plaintext)
  })

  it.each(vectors('compress').filter(([, { out }]) => out.same_since_1_5_4 && out.compressed))(
    '%i: levels',
    (_, { in: input, out }) => {
      const frame = zstd.compress(decodeHex(input.plaintext), input.level)
      expect(encodeHex(concatBytes(Uint8Array.of(0x7a), frame))).toBe(out.compressed)
    },
  )
})

describe('wrapping', () => {
  it.each(vectors('wrap'))('%i is as published, then and later', (_, { in: { seed, message, seqno, namespace }, out }) => {
    const account = accountOf(crypto, seed)
    const wrapped = wrapConfig(crypto, account, kindOf(namespace), BigInt(seqno), decodeHex(message))
    expect(encodeHex(wrapped)).toBe(out.wrapped)
    expect(encodeHex(blake2b(crypto, 32, [wrapped]))).toBe(out.later_blake2b_256)
    expect(encodeHex(unwrapConfig(crypto, account, kindOf(namespace), wrapped))).toBe(message)
  })

  it.each(vectors('unwrap'))('%i: an old one is unwrapped', (_, { in: { seed, namespace, wrapped }, out }) => {
    const account = accountOf(crypto, seed)
    expect(encodeHex(unwrapConfig(crypto, account, kindOf(namespace), decodeHex(wrapped)))).toBe(out.unwrapped)
  })
})

describe('a user profile', () => {
  const { in: input, out } = only('user_profile')
  const channel = accountConfigChannel(accountOf(crypto, input.seed), 'UserProfile')
  const { set } = input
  const edited = [
    ['n', encodeUtf8(set.name)],
    ['p', encodeUtf8(set.pic_url)],
    ['q', decodeHex(set.pic_key)],
    ['+', BigInt(set.nts_priority)],
  ].reduce((state, [key, value]) => setConfigValue(crypto, state, [key as string], value as bigint), newConfigState(crypto))

  it('that is empty', () => {
    const push = sealConfigPush(crypto, zstd, channel, newConfigState(crypto))
    expect(push).toMatchObject({ seqno: 0n, obsolete: [] })
    expect(push.messages.map(encodeHex)).toEqual([out.empty_push_wrapped])
    const empty = emptyConfigMessage(crypto)
    expect(encodeHex(empty.hash)).toBe(out.hash0)
    expect(encodeHex(encodeConfigMessage(empty, {}))).toBe(out.hash0_of)
  })

  it('after its first edits', () => {
    const { plaintext } = pushConfig(crypto, edited)
    expect(encodeHex(plaintext)).toBe(out.push1_plaintext)
    const { messages, seqno } = sealConfigPush(crypto, zstd, channel, edited)
    expect(seqno).toBe(1n)
    expect(messages.map(encodeHex)).toEqual([out.push1_wrapped])
    const [message] = messages
    expect(encodeHex(unwrapConfig(crypto, channel.account!, 1, message!))).toBe(out.push1_ciphertext_unwrapped)
  })

  it('wrapped and raw, is read by another device', () => {
    for (const wire of [out.push1_wrapped, out.push1_ciphertext_unwrapped]) {
      const bytes = decodeHex(wire)
      const { state, accepted } = receiveConfig(crypto, zstd, channel, newConfigState(crypto), [{ hash: 'h', bytes }], 0)
      expect(accepted).toEqual(['h'])
      expect(state).toMatchObject({ phase: 'clean', currentHashes: ['h'], message: { seqno: 1n, data: edited.message.data } })
    }
  })

  it('is dumped in every phase', () => {
    const { state: waiting, seqno } = pushConfig(crypto, edited)
    const clean = confirmConfigPush(waiting, seqno, ['fakehash1'])
    expect([edited, waiting, clean].map(state => encodeHex(dumpConfig(state).dump))).toEqual([
      out.dump_dirty,
      out.dump_waiting,
      out.dump_clean,
    ])
    for (const state of [waiting, clean]) {
      const dumped = dumpConfig(state)
      expect(loadConfigDump(crypto, dumped.dump)).toEqual(dumped.state)
    }
  })
})

describe('a chain of messages', () => {
  const { messages, hashes } = only('chain').out
  const parsed = messages.map((hex: string) => parseConfigMessage(crypto, decodeHex(hex), {}))

  it('has the hashes that are published, and is encoded to the same bytes', () => {
    expect(parsed.map((one: FixedMessage) => encodeHex(one.hash))).toEqual(hashes)
    expect(parsed.map((one: FixedMessage) => encodeHex(encodeConfigMessage(one, {})))).toEqual(messages)
  })

  it('is made again by the same edits', () => {
    const edits: ((data: ConfigDict) => ConfigDict)[] = [
      data => withValue(data, ['foo'], undefined),
      () => parsed[2].data,
      data => data,
      data => data,
      data => data,
    ]
    let message: FixedMessage = parsed[0]
    for (const [at, edit] of edits.entries()) {
      const next = nextMessage(crypto, message, {})
      const bytes = encodeConfigMessage({ ...next, data: edit(next.data) }, {})
      expect(encodeHex(bytes)).toBe(messages[at + 1])
      message = parseConfigMessage(crypto, bytes, {})
    }
  })
})

describe('a signature', () => {
  const { in: input, out } = only('signature')
  const seed = Secret.of(decodeHex(input.ed25519_sk).subarray(0, 32), 'ed25519-seed')
  const { secretKey } = ed25519KeyPair(crypto, seed)

  it('covers what is published', () => {
    const message = parseConfigMessage(crypto, decodeHex(out.message), {})
    const signed: string[] = []
    const sign = (body: Uint8Array) => {
      signed.push(encodeHex(body))
      return ed25519Sign(crypto, secretKey, body)
    }
    expect(encodeHex(encodeConfigMessage(message, { sign }))).toBe(out.message)
    expect(signed).toEqual([out.signed_part])
  })

  it('is verified over the same bytes, and kept', () => {
    const verify = (body: Uint8Array, signature: Uint8Array) => {
      return encodeHex(body) === out.signed_part && encodeHex(signature) === out.sig
    }
    const message = parseConfigMessage(crypto, decodeHex(out.message), { verify })
    expect(encodeHex(encodeConfigMessage(message, {}))).toBe(out.message)
  })
})

describe('merging', () => {
  const { messages, hashes } = only('messages').out
  const parsed = (name: string) => parseConfigMessage(crypto, decodeHex(messages[name]), {})

  it.each(Object.keys(hashes))('%s has the published hash', name => {
    expect(encodeHex(parsed(name).hash)).toBe(hashes[name])
  })

  it.each(vectors('merge'))('%i gives the published message', (_, { in: input, out }) => {
    const merge = mergeConfigMessages(input.messages.map(parsed), {})
    if (out.adopted) expect(merge).toMatchObject({ outcome: 'adopted', index: 0 })
    else {
      if (merge.outcome !== 'merged') throw new Error('nothing was merged')
      const bytes = encodeConfigMessage({ ...merge, unknown: new Map(), base: merge.data }, {})
      expect(encodeHex(bytes)).toBe(messages[out.message])
    }
  })

  it('and an edit upon it', () => {
    const { in: input, out } = only('merge_then_add')
    const merge = mergeConfigMessages(input.messages.map(parsed), {})
    if (merge.outcome !== 'merged') throw new Error('nothing was merged')
    const data = withElement(merge.data, input.add.path, BigInt(input.add.element))
    const bytes = encodeConfigMessage({ ...merge, unknown: new Map(), base: merge.data, data }, {})
    expect(encodeHex(bytes)).toBe(messages[out.message])
  })
})

describe('configs in parts', () => {
  it.each(vectors('parts'))('%i have the published sizes, and are put together again', (_, { in: input, out }) => {
    const nickname = (i: number) =>
      input.nickname.includes('04d') ? `My friend ${String(i).padStart(4, '0')}` : `My friend ${i}`
    const contacts = Array.from({ length: input.contacts }, (_, i) => {
      const seed = new Uint8Array(32)
      seed.set([i & 0xff, i >> 8])
      const { secretKey } = ed25519KeyPair(crypto, Secret.of(seed, 'ed25519-seed'))
      const id = concatBytes(Uint8Array.of(5), x25519KeyPair(crypto, ed25519SecretToX25519(crypto, secretKey)).publicKey)
      return [byteKey(id), dictOf({ n: '', N: nickname(i), a: 1, A: 1 })] as const
    })
    const channel = accountConfigChannel(accountOf(crypto, '0123456789abcdef0123456789abcdef'.padEnd(64, '0')), 'Contacts')
    const state = setConfigValue(crypto, newConfigState(crypto), ['c'], new Map(contacts))
    const { messages } = sealConfigPush(crypto, zstd, channel, state)
    expect(messages.map(message => message.length)).toEqual(out.part_sizes)
    const stored = messages.map((bytes, at) => ({ hash: `h${at}`, bytes })).reverse()
    const received = receiveConfig(crypto, zstd, channel, newConfigState(crypto), stored, 0)
    expect(received.accepted.toSorted()).toEqual(stored.map(({ hash }) => hash).sort())
    expect(received.state.message.data).toEqual(state.message.data)
    expect(received.state.currentHashes).toEqual(messages.map((_, at) => `h${at}`))
  })
})
