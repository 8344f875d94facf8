import {
  type Crypto,
  CryptoError,
  generateX25519,
  type MlKem768PublicKey,
  type Random,
  systemRandom,
  type X25519PublicKey,
  x25519,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { BtDictReader, BtDictWriter, decodeHex, encodeHex, encodeUtf8, equalBytes } from '@session-v2/encoding'
import {
  accountKeyFromSeed,
  deviceIdBytes,
  EMOJI,
  emojiLines,
  encodeDeviceRecord,
  expandKeyPair,
  linkAuthenticationString,
  linkRequestKey,
  type MessageKindAt21,
  messageKindAt21,
  openLinkRequest,
  parseDeviceId,
  sealGroupMessage,
  sealLinkRequest,
  writeDeviceRecord,
} from '@session-v2/protocol'
import { inTime } from '@session-v2/tools/fuzz'
import { loadVectors, loadVectorsOfKind } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maskIndicator } from '../src/account-keys/key-indicator.ts'
import { groupOf, someDevice } from './group-world.ts'
import { accountOf, fuzzRuns, native, providers, refusalBy, refusedAs, someAccount, someKey } from './providers.ts'

const CHAPTER = 'device-link'
const random = systemRandom()
const recorded = loadVectorsOfKind(CHAPTER, 'link_request').map(vector => [vector.in.name, vector] as const)
const own = loadVectors(CHAPTER).filter(file => file.in?.message !== undefined)
const keysOf = (crypto: Crypto, seeds: readonly string[]) => seeds.map(seed => accountKeyFromSeed(crypto, decodeHex(seed), 0))
/** The account key whose X25519 key the recorded requests are sealed to: that of the recorded group messages. */
const LINK_SEED: string = loadVectorsOfKind('device-group', 'device_group')[0]!.in.account_keys[0].seed

describe.each(providers)('link request as recorded, LINK-01 to LINK-04 (%s)', (_, crypto) => {
  it.each(recorded)('%s: opens with the account key it is sealed to', (_name, { in: given, out }) => {
    const account = accountOf(crypto, given.root_seed)
    const message = decodeHex(out.message)
    const opened = openLinkRequest(crypto, account, keysOf(crypto, ['11'.repeat(32), LINK_SEED]), message)
    if (opened.outcome !== 'opened') throw new Error(opened.outcome)
    const { deviceId, record, digest, plaintext } = opened.request
    expect(encodeHex(plaintext)).toBe(out.plaintext)
    expect(encodeHex(digest)).toBe(out.opened.digest)
    expect([deviceId, encodeHex(record.x25519), encodeHex(record.mlKem768)]).toEqual([
      out.opened.device.id,
      out.opened.device.x25519,
      out.opened.device.mlkem768,
    ])
    const { indices, salt, seed } = linkAuthenticationString(crypto, plaintext)
    const emoji = emojiLines(indices)
      .flat()
      .map(one => one.emoji)
    expect({ indices, emoji, salt: encodeHex(salt), seed: encodeHex(seed) }).toEqual(out.sas)
    expect(openLinkRequest(crypto, account, keysOf(crypto, ['11'.repeat(32)]), message)).toEqual({ outcome: 'no-key' })
    expect(openLinkRequest(crypto, account, [], message)).toEqual({ outcome: 'no-key' })
    expect(openLinkRequest(crypto, someAccount(crypto, 3), keysOf(crypto, [LINK_SEED]), message)).toEqual({ outcome: 'no-key' })
  })

  it.each(recorded)('%s: sealed again with the same ephemeral key it is the same', (_name, { in: given, out }) => {
    const { device } = given
    const { x25519, mlKem768 } = expandKeyPair(crypto, 'SessionDeviceKeys', decodeHex(device.device_seed))
    const record = writeDeviceRecord({
      seqno: BigInt(device.seqno),
      timestampS: BigInt(device.timestamp),
      x25519: x25519.publicKey,
      mlKem768: mlKem768.publicKey,
      description: device.description,
      type: device.type,
      version: device.version,
    })
    const scripted: Random = { bytes: () => decodeHex(out.e) }
    const linkX25519 = decodeHex(given.link_x25519) as X25519PublicKey
    const sealed = sealLinkRequest(
      crypto,
      scripted,
      accountOf(crypto, given.root_seed),
      linkX25519,
      parseDeviceId(device.id),
      record,
    )
    expect({ message: encodeHex(sealed.message), plaintext: encodeHex(sealed.plaintext) }).toEqual({
      message: out.message,
      plaintext: out.plaintext,
    })
  })
})

describe.each(providers)('link request, NOT-12, LINK-05 (%s)', (_, crypto) => {
  const openOf = (given: { root_seed: string; account_key_seeds: string[]; message: string }) =>
    openLinkRequest(crypto, accountOf(crypto, given.root_seed), keysOf(crypto, given.account_key_seeds), decodeHex(given.message))

  it.each(own.filter(file => file.failure !== undefined).map(file => [file.name, file.reason, file] as const))(
    '%s: %s',
    (_name, _reason, file) => {
      expect(openOf(file.in)).toMatchObject(refusedAs(file))
      if (file.failure === 'forged') expect(file.clause).toBe('LINK-05')
    },
  )

  it.each(own.filter(file => file.failure === undefined).map(file => [file.name, file.reason, file] as const))(
    '%s: %s',
    (_name, _reason, { in: given, out }) => {
      const opened = openOf(given)
      if (opened.outcome !== 'opened') throw new Error(opened.outcome)
      const { deviceId, record, digest, plaintext } = opened.request
      expect({ id: deviceId, seqno: Number(record.seqno), timestamp: Number(record.timestampS) }).toEqual({
        id: out.device.id,
        seqno: out.device.seqno,
        timestamp: out.device.timestamp,
      })
      expect([encodeHex(plaintext), encodeHex(digest)]).toEqual([out.plaintext, out.digest])
    },
  )
})

describe.each(providers)('link request (%s)', (_, crypto) => {
  const account = someAccount(crypto, 1)
  const key = someKey(crypto, 2)
  const device = someDevice(crypto, 3)
  const seal = () => sealLinkRequest(crypto, random, account, key.x25519.publicKey, device.id, device.record)

  it('opens to what was sealed, with any of the keys held, rotated ones too', () => {
    const { message, plaintext } = seal()
    const opened = openLinkRequest(crypto, account, [someKey(crypto, 9), { ...key, rotatedAtS: 5000 }], message)
    const { deviceId, record, digest } = {
      deviceId: device.id,
      record: device.record,
      digest: device.entry.kind === 'member' && device.entry.digest,
    }
    const request = { deviceId, record, digest, plaintext }
    expect(opened).toEqual({ outcome: 'opened', request, openedWith: key.x25519.publicKey })
  })

  it('has 1477 bytes with a usual record, and as many more as the record', () => {
    const record = writeDeviceRecord({
      seqno: 6n,
      timestampS: 1_700_000_005n,
      x25519: device.record.x25519,
      mlKem768: device.record.mlKem768,
      description: 'device 5 é',
      type: 'a',
      version: [2, 5, 7],
    })
    const sizeOf = (extras: ReadonlyMap<string, Uint8Array>) =>
      sealLinkRequest(crypto, random, account, key.x25519.publicKey, device.id, { ...record, extras }).message.length
    expect(sizeOf(new Map())).toBe(1477)
    expect(sizeOf(new Map([['z', encodeUtf8('24:abcdefghijklmnopqrstuvwx')]]))).toBe(1477 + 30)
  })

  it('goes on to the next key when two begin alike', () => {
    const { x25519 } = someKey(crypto, 9)
    const publicKey = Uint8Array.from(x25519.publicKey) as X25519PublicKey
    publicKey.set(key.x25519.publicKey.subarray(0, 2))
    const twin = { ...someKey(crypto, 9), x25519: { publicKey, secretKey: x25519.secretKey } }
    expect(openLinkRequest(crypto, account, [twin, key], seal().message).outcome).toBe('opened')
  })

  it('is another one each time; its plaintext is the same', () => {
    const [one, two] = [seal(), seal()]
    expect(one.plaintext).toEqual(two.plaintext)
    const [oneReader, twoReader] = [new BtDictReader(one.message), new BtDictReader(two.message)]
    for (const field of ['E', 'L']) expect(oneReader.requireBytes(field)).not.toEqual(twoReader.requireBytes(field))
  })

  it('is not sealed to a link key, nor for device keys, that cannot be used', () => {
    const zero = new Uint8Array(32) as X25519PublicKey
    const notReduced = device.record.mlKem768.map(() => 0xff) as MlKem768PublicKey
    const sealFor = (link: X25519PublicKey, changed: object) =>
      refusalBy(() => sealLinkRequest(crypto, random, account, link, device.id, { ...device.record, ...changed }))
    expect(sealFor(zero, {})).toBe('malformed DG-16')
    expect(sealFor(key.x25519.publicKey, { x25519: zero })).toBe('malformed LINK-05')
    expect(sealFor(key.x25519.publicKey, { mlKem768: notReduced })).toBe('malformed LINK-05')
    expect(sealFor(key.x25519.publicKey, { seqno: 2n ** 63n })).toBe('bad-input DG-06')
  })

  it('cannot be opened with a key that was wiped: that is a mistake, no outcome', () => {
    const wiped = someKey(crypto, 2)
    wiped.x25519.secretKey.wipe()
    expect(() => openLinkRequest(crypto, account, [wiped], seal().message)).toThrow(CryptoError)
  })
})

describe.each(providers)('a link request that names the link key it asks (%s)', (_, crypto) => {
  const account = someAccount(crypto, 1)
  const key = someKey(crypto, 2)
  const device = someDevice(crypto, 3)
  const seal = () => sealLinkRequest(crypto, random, account, key.x25519.publicKey, device.id, device.record)

  it('is opened by that key alone, whoever passes it on (LINK-07)', () => {
    const bound = sealLinkRequest(crypto, random, account, key.x25519.publicKey, device.id, device.record, { bindsLinkKey: true })
    expect(bound.plaintext.length).toBe(seal().plaintext.length + '1:L32:'.length + 32)
    expect(openLinkRequest(crypto, account, [key], bound.message).outcome).toBe('opened')
    const other = someKey(crypto, 9)
    const sealedTo = (plaintext: Uint8Array) => {
      const { publicKey: E, secretKey } = generateX25519(crypto, random)
      const X = other.x25519.publicKey
      const request = linkRequestKey(crypto, x25519(crypto, secretKey, X), E, X)
      const shared = x25519(crypto, secretKey, account.x25519.publicKey)
      return new BtDictWriter()
        .bytes('', encodeUtf8('L'))
        .bytes('E', E)
        .bytes('L', xchacha20Poly1305Encrypt(crypto, request.key, request.nonce, plaintext))
        .bytes('i', maskIndicator(crypto, 'SessionDvGrpKISS', shared, E, account.x25519.publicKey, X.subarray(0, 2)))
        .finish()
    }
    expect(openLinkRequest(crypto, account, [other], sealedTo(bound.plaintext))).toEqual({ outcome: 'forged' })
    expect(openLinkRequest(crypto, account, [other], sealedTo(seal().plaintext)).outcome).toBe('opened')
  })
})

describe('link request, altered', () => {
  const account = someAccount(native, 1)
  const key = someKey(native, 2)
  const device = someDevice(native, 3)
  const { message } = sealLinkRequest(native, random, account, key.x25519.publicKey, device.id, device.record)

  it('with one bit flipped never opens', () => {
    let opened = 0
    for (let at = 0; at < message.length; at++) {
      for (const bit of [1, 0x80]) {
        if (openLinkRequest(native, account, [key], message.with(at, message[at]! ^ bit)).outcome === 'opened') opened++
      }
    }
    expect(opened).toBe(0)
  })

  it('of more than 128 KiB is malformed', () => {
    const large = Buffer.concat([message.subarray(0, -1), encodeUtf8(`1:z130000:${'a'.repeat(130_000)}e`)])
    expect(openLinkRequest(native, account, [key], large).outcome).toBe('malformed')
    const small = Buffer.concat([message.subarray(0, -1), encodeUtf8(`1:z129000:${'a'.repeat(129_000)}e`)])
    expect(openLinkRequest(native, account, [key], small).outcome).toBe('opened')
  })

  it('of a device with the largest record opens', () => {
    const room = 65_536 - encodeDeviceRecord(device.record).length - '1:z64000:'.length
    const record = { ...device.record, extras: new Map([['z', encodeUtf8(`${room}:${'a'.repeat(room)}`)]]) }
    expect(encodeDeviceRecord(record)).toHaveLength(65_536)
    const large = sealLinkRequest(native, random, account, key.x25519.publicKey, device.id, record).message
    expect(openLinkRequest(native, account, [key], large).outcome).toBe('opened')
  })

  it('fuzz: gives an outcome, soon', () => {
    const mutated = fc
      .tuple(fc.nat(message.length), fc.nat(30), fc.uint8Array({ maxLength: 30 }))
      .map(([at, cut, inserted]) => Uint8Array.from([...message.subarray(0, at), ...inserted, ...message.subarray(at + cut)]))
    const structured = fc
      .array(fc.constantFrom('d', 'e', 'l', '0:', '1:L', '1:E', '1:i', `32:${'a'.repeat(32)}`, '2:ab', 'i5e'), { maxLength: 20 })
      .map(parts => encodeUtf8(parts.join('')))
    fc.assert(
      fc.property(fc.oneof(mutated, structured, fc.uint8Array({ maxLength: 300 })), bytes => {
        const { outcome } = inTime(bytes, () => openLinkRequest(native, account, [key], bytes))
        expect(equalBytes(bytes, message) ? outcome === 'opened' : ['malformed', 'no-key'].includes(outcome)).toBe(true)
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('its plaintext has the device ID, the record and the signature, LINK-03', () => {
    const { plaintext } = sealLinkRequest(native, random, account, key.x25519.publicKey, device.id, device.record)
    const reader = new BtDictReader(plaintext)
    expect(reader.requireBytes('I')).toEqual(deviceIdBytes(device.id))
    expect(reader.requireRaw('i')).toEqual(encodeDeviceRecord(device.record))
    expect(reader.requireBytes('~')).toHaveLength(64)
    reader.finish({ unknown: 'reject' })
  })
})

describe('kind of a message at namespace 21, LINK-06', () => {
  const account = someAccount(native, 1)
  const device = someDevice(native, 3)

  it.each([
    ['d0:1:Ge', 'group'],
    ['d0:1:Le', 'link'],
    ['d0:1:G', 'group'],
    ['d0:1:Lxyz', 'link'],
    ['d0:1:ge', 'unknown'],
    ['d0:2:GGe', 'unknown'],
    ['d0:2:G\0e', 'unknown'],
    ['d0:0:e', 'unknown'],
    ['d0:99:', 'malformed'],
    ['d0:i5ee', 'malformed'],
    ['d1:@8:abcdefghe', 'malformed'],
    ['d00:1:Ge', 'malformed'],
    ['de', 'malformed'],
    ['d', 'malformed'],
    ['l0:1:Ge', 'malformed'],
    ['G', 'malformed'],
    ['', 'malformed'],
  ] satisfies [string, MessageKindAt21][])('%j is %s', (text, kind) => {
    expect(messageKindAt21(encodeUtf8(text))).toBe(kind)
  })

  it('is told of what is sealed here', () => {
    const { x25519 } = someKey(native, 2)
    expect(messageKindAt21(sealGroupMessage(native, random, account, groupOf(native, [device])))).toBe('group')
    expect(messageKindAt21(sealLinkRequest(native, random, account, x25519.publicKey, device.id, device.record).message)).toBe(
      'link',
    )
  })

  it('fuzz: is told of any bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string().map(text => Buffer.from(`d0:${text}`)),
        ),
        bytes => {
          expect(['group', 'link', 'unknown', 'malformed']).toContain(inTime(bytes, () => messageKindAt21(bytes)))
        },
      ),
      { numRuns: fuzzRuns },
    )
  })
})

describe('emoji with their names (SAS-01, SAS-04)', () => {
  const { indices } = linkAuthenticationString(native, encodeUtf8('a plaintext'))

  it('stand in three lines of seven', () => {
    const lines = emojiLines(indices)
    expect(lines.map(line => line.length)).toEqual([7, 7, 7])
    expect(lines.flat()).toEqual(indices.map(index => EMOJI[index]))
    expect(emojiLines(indices.slice(0, 4)).map(line => line.length)).toEqual([4])
    expect(emojiLines([])).toEqual([])
  })

  it.each([-1, 64, 0.5, Number.NaN])('there is no emoji %d', index => {
    expect(refusalBy(() => emojiLines([0, index]))).toBe('bad-input SAS-04')
  })
})
