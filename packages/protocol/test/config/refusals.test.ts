/** What must be refused is refused, by the clause that it does not keep; what is merely hostile costs little (CFG-01 to CFG-29). */
import { ed25519KeyPair, ed25519Sign, ed25519Verify, Secret, seededRandom } from '@session-v2/crypto'
import { concatBytes, decodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  accountConfigChannel,
  CONFIG_MESSAGE_MAX_BYTES,
  CONFIG_PLAINTEXT_MAX_BYTES,
  type Compression,
  type ConfigChannel,
  compressConfig,
  decompressConfig,
  dumpConfig,
  encodeConfigMessage,
  encryptConfig,
  loadConfigDump,
  mergeConfig,
  newConfigState,
  ProtocolError,
  padConfig,
  parseConfigMessage,
  pushConfig,
  receiveConfig,
  sealConfig,
  sealConfigPush,
  setConfigValue,
  withValue,
} from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountOf, native as crypto, fuzzRuns, refusalBy, someAccount } from '../providers.ts'
import { dictOf, zstd } from './config-world.ts'

const files = loadVectors('config')
const withField = (field: string) => files.filter(file => file.in?.[field] !== undefined).map(file => [file.name, file] as const)
const account = someAccount(crypto, 7)
const channel = accountConfigChannel(account, 'UserProfile')
const fresh = newConfigState(crypto)
const encrypted = (text: Uint8Array) => encryptConfig(crypto, account.seed, 'UserProfile', padConfig(text))
const receive = (bytes: Uint8Array, to: ConfigChannel = channel) =>
  receiveConfig(crypto, zstd, to, fresh, [{ hash: 'h', bytes }], 0)

describe('refused', () => {
  it.each(withField('plaintext'))('plaintext %s', (_, { in: input, clause, failure }) => {
    const plaintext = decodeHex(input.plaintext)
    // A dump may hold any seqno that an edit can reach; others may not send one (CFG-03).
    const { state, accepted, refused } = mergeConfig(crypto, fresh, [{ hashes: ['h'], plaintext }])
    expect(refused).toMatchObject([{ hashes: ['h'], cause: { code: failure, clause } }])
    expect([state, accepted]).toEqual([fresh, []])
  })

  it.each(withField('compressed'))('compressed %s', (_, { in: input, clause, failure }) => {
    expect(refusalBy(() => decompressConfig(zstd, decodeHex(input.compressed)))).toBe(`${failure} ${clause}`)
  })

  it.each(withField('part'))('part %s', (_, { in: input, clause, failure }) => {
    const { refused, accepted, state } = receive(encryptConfig(crypto, account.seed, 'UserProfile', decodeHex(input.part)))
    expect(refused).toMatchObject([{ cause: { code: failure, clause } }])
    expect([state, accepted]).toEqual([fresh, []])
  })

  it.each(withField('message'))('message %s', (_, { in: input, clause, failure }) => {
    const to = accountConfigChannel(accountOf(crypto, input.seed), input.type)
    const { refused, accepted, state } = receive(decodeHex(input.message), to)
    expect(refused).toMatchObject(failure === 'no-key' ? [] : [{ cause: { code: failure, clause } }])
    expect(refused.length).toBe(failure === 'no-key' ? 0 : 1)
    expect([state, accepted]).toEqual([fresh, []])
  })
})

describe('a frame that lies', () => {
  /** Counts what reaches the decoder. */
  const watched = (): Compression & { seen: number } => {
    return {
      seen: 0,
      compress: zstd.compress,
      decompress(frame) {
        this.seen++
        return zstd.decompress(frame)
      },
    }
  }

  it.each(['frame-claims-1-gb', 'frame-claims-2-64', 'frame-without-size', 'frame-header-cut', 'frame-dictionary'])(
    '%s does not reach the decoder',
    name => {
      const codec = watched()
      const { in: input } = files.find(file => file.name === name)!
      expect(() => decompressConfig(codec, decodeHex(input.compressed))).toThrow(ProtocolError)
      expect(codec.seen).toBe(0)
    },
  )

  it('by one byte above the bound is refused, and one at the bound is read', () => {
    const codec = watched()
    const noise = seededRandom(crypto, new Uint8Array(32)).bytes(CONFIG_PLAINTEXT_MAX_BYTES + 1)
    const frameOf = (sizeBytes: number) => concatBytes(encodeUtf8('z'), zstd.compress(noise.subarray(0, sizeBytes), 1))
    expect(decompressConfig(codec, frameOf(CONFIG_PLAINTEXT_MAX_BYTES)).length).toBe(CONFIG_PLAINTEXT_MAX_BYTES)
    expect(refusalBy(() => decompressConfig(codec, frameOf(CONFIG_PLAINTEXT_MAX_BYTES + 1)))).toBe('malformed CFG-19')
    expect(codec.seen).toBe(1)
  })

  it('of a few bytes may claim a few hundred KB, and no more', () => {
    const codec = watched()
    const sizes = [262_144, 300_000].map(sizeBytes => compressConfig(zstd, new Uint8Array(sizeBytes)))
    expect(decompressConfig(codec, sizes[0]!).length).toBe(262_144)
    expect(refusalBy(() => decompressConfig(codec, sizes[1]!))).toBe('malformed CFG-19')
    expect(codec.seen).toBe(1)
  })

  it('is refused whatever its bytes are, and the codec works on', () => {
    const good = compressConfig(zstd, encodeUtf8(`d1:#i1e1:&d1:n100:${'n'.repeat(100)}e1:<le1:=dee`))
    fc.assert(
      fc.property(fc.nat({ max: good.length - 2 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = good.slice()
        bytes[at + 1]! ^= flip
        inTime(bytes, () => {
          try {
            decompressConfig(zstd, bytes)
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error
          }
        })
      }),
      { numRuns: fuzzRuns },
    )
    expect(decompressConfig(zstd, good).length).toBe(130)
  })
})

describe('a fuzz of', () => {
  const state = ['n', 'p', 'q'].reduce((held, key) => {
    return setConfigValue(crypto, pushConfig(crypto, held).state, [key, 'x'], new Map([['y', [1n, encodeUtf8('b')]]]))
  }, fresh)
  const { plaintext } = pushConfig(crypto, state)
  const refusedOrRead = (bytes: Uint8Array, read: () => void) => {
    inTime(bytes, () => {
      try {
        read()
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
      }
    })
  }
  const mutated = (bytes: Uint8Array) =>
    fc
      .array(fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.constantFrom(...encodeUtf8('deil0123456789:-#&<=~\0'))), {
        minLength: 1,
        maxLength: 4,
      })
      .map(changes => {
        const copy = bytes.slice()
        for (const [at, byte] of changes) copy[at] = byte
        return copy
      })

  it('plaintexts throws nothing and keeps what it reads', () => {
    fc.assert(
      fc.property(mutated(plaintext), bytes => {
        refusedOrRead(bytes, () => {
          const message = parseConfigMessage(crypto, bytes, {})
          expect(parseConfigMessage(crypto, encodeConfigMessage(message, {}), {})).toMatchObject({ data: message.data })
        })
        inTime(bytes, () => mergeConfig(crypto, state, [{ hashes: ['h'], plaintext: bytes }]))
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('dumps throws ProtocolErrors alone', () => {
    const { dump } = dumpConfig(state)
    fc.assert(
      fc.property(mutated(dump), bytes => refusedOrRead(bytes, () => loadConfigDump(crypto, bytes))),
      { numRuns: fuzzRuns },
    )
  })

  it('decrypted texts throws nothing', () => {
    const starts = fc.constantFrom('m', 'z', 'd', 'ml32:', 'z(\xb5/\xfd ', '')
    fc.assert(
      fc.property(starts, fc.uint8Array({ maxLength: 60 }), (start, rest) => {
        const text = new Uint8Array([...Array.from(start, c => c.charCodeAt(0)), ...rest])
        inTime(text, () => receive(encrypted(text)))
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('messages of strangers throws nothing and accepts nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
        expect(inTime(bytes, () => receive(bytes)).accepted).toEqual([])
      }),
      { numRuns: fuzzRuns },
    )
  })
})

describe('a config of a group', () => {
  const { publicKey, secretKey } = ed25519KeyPair(crypto, Secret.of(new Uint8Array(32).fill(3), 'ed25519-seed'))
  const sign = (body: Uint8Array) => ed25519Sign(crypto, secretKey, body)
  const verify = (body: Uint8Array, signature: Uint8Array) => ed25519Verify(crypto, publicKey, body, signature)
  const admin = { sign, verify }
  const written = setConfigValue(crypto, fresh, ['n'], 1n, admin)
  const { plaintext } = pushConfig(crypto, written, admin)

  it('is read with its signature only', () => {
    const altered = plaintext.slice()
    altered[plaintext.length - 2]! ^= 1
    const unsigned = pushConfig(crypto, written, {}).plaintext
    const outcomes = [plaintext, altered, unsigned].map(one =>
      mergeConfig(crypto, fresh, [{ hashes: ['h'], plaintext: one }], { verify }),
    )
    expect(outcomes.map(({ accepted }) => accepted)).toEqual([['h'], [], []])
    expect(outcomes.flatMap(({ refused }) => refused.map(({ cause }) => `${cause.code} ${cause.clause}`))).toEqual([
      'forged CFG-05',
      'malformed CFG-05',
    ])
  })

  it('cannot be edited by who only reads it, and then hands out nothing to delete', () => {
    const { state } = mergeConfig(crypto, fresh, [{ hashes: ['h'], plaintext }], { verify })
    expect(refusalBy(() => setConfigValue(crypto, state, ['n'], 2n, { verify }))).toBe('bad-input CFG-14')
    expect(pushConfig(crypto, { ...state, obsoleteHashes: new Set(['old']) }, { verify })).toMatchObject({
      obsolete: [],
      state: { obsoleteHashes: new Set() },
    })
  })

  it('keeps a verified signature in a dump, and pushes the same bytes again', () => {
    const { state } = mergeConfig(crypto, fresh, [{ hashes: ['h'], plaintext }], { verify })
    const loaded = loadConfigDump(crypto, dumpConfig(state).dump, { verify })
    expect(pushConfig(crypto, loaded, { verify }).plaintext).toEqual(plaintext)
  })

  it('with two messages is not merged by who only reads it: the highest is adopted', () => {
    const other = pushConfig(crypto, setConfigValue(crypto, fresh, ['m'], 1n, admin), admin).plaintext
    const received = [plaintext, other].map((one, at) => ({ hashes: [`h${at}`], plaintext: one }))
    const reader = mergeConfig(crypto, fresh, received, { verify }).state
    const writer = mergeConfig(crypto, fresh, received, admin).state
    expect(reader).toMatchObject({ phase: 'clean', message: { seqno: 1n } })
    expect(writer).toMatchObject({ phase: 'dirty', message: { seqno: 2n, data: dictOf({ m: 1, n: 1 }) } })
  })
})

describe('what cannot be put into a config', () => {
  const deep = (depth: number): ReadonlyMap<string, never> =>
    new Map(depth === 0 ? [] : [['x', depth === 1 ? (1n as never) : (deep(depth - 1) as never)]])

  it.each([
    ['an integer beyond 64 bits', ['n'], 2n ** 63n, 'CFG-01'],
    ['a set that does not ascend', ['n'], [2n, 1n], 'CFG-01'],
    ['a key that is no byte string', ['\u0100'], 1n, 'CFG-01'],
    ['a key within that is none', ['n'], new Map([['\u0100', 1n]]), 'CFG-01'],
    ['a dict that is too deep', ['n'], deep(16), 'CFG-01'],
    ['a path that is too deep', Array.from({ length: 17 }, () => 'x'), 1n, 'CFG-01'],
    ['a path without keys', [], 1n, 'CFG-14'],
    ['a value of no kind', ['n'], 'text' as never, 'CFG-01'],
  ])('%s', (_, path, value, clause) => {
    expect(refusalBy(() => withValue(new Map(), path, value as bigint))).toBe(`bad-input ${clause}`)
  })

  it('but what is as deep as can be is read by others', () => {
    const state = setConfigValue(
      crypto,
      fresh,
      Array.from({ length: 16 }, () => 'x'),
      1n,
    )
    const { plaintext } = pushConfig(crypto, state)
    expect(mergeConfig(crypto, fresh, [{ hashes: ['h'], plaintext }]).accepted).toEqual(['h'])
  })
})

describe('what cannot be sent', () => {
  it('a config of more than 5,000,000 bytes', () => {
    const noise = Uint8Array.from({ length: 5_000_000 }, (_, at) => (Math.imul(at ^ (at >> 3), 0x9e3779b1) >>> 11) & 0xff)
    const state = setConfigValue(crypto, fresh, ['n'], noise)
    const plain: Compression = { compress: bytes => bytes, decompress: bytes => bytes }
    expect(refusalBy(() => sealConfigPush(crypto, plain, channel, state))).toBe('bad-input CFG-22')
  })

  it('local settings', () => {
    const local = accountConfigChannel(account, 'Local')
    expect(refusalBy(() => sealConfig(crypto, zstd, local, 1n, encodeUtf8('de')))).toBe('bad-input CFG-17')
  })

  it('wrapped, when that would exceed what a swarm stores: then it goes unwrapped', () => {
    const sizes = [71_000, 76_500].map(sizeBytes => {
      const state = setConfigValue(crypto, fresh, ['n'], new Uint8Array(sizeBytes).fill(0x61))
      const plain: Compression = { compress: bytes => bytes, decompress: bytes => bytes }
      const { messages } = sealConfigPush(crypto, plain, channel, state)
      expect(receive(messages[0]!).accepted).toEqual(['h'])
      return messages.map(message => message.length)
    })
    expect(sizes[0]![0]!).toBeGreaterThan(71_680)
    expect(sizes[1]).toEqual([CONFIG_MESSAGE_MAX_BYTES])
  })
})
