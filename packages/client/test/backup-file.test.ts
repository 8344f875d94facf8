/** The file alone: BK-01 to BK-10, without a client. */
import type { PassphraseCost } from '@session-v2/client'
import { blake2b, seededRandom } from '@session-v2/crypto'
import { concatBytes, encodeHex, encodeUtf8, equalBytes, uint32Le } from '@session-v2/encoding'
import { accountFromSeed } from '@session-v2/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteSource, openChunks, sealChunks } from '../src/backup/backup-chunks.ts'
import { createBackupHeader, openBackupHeader } from '../src/backup/backup-header.ts'
import { type BackupRecord, decodeBackupRecords, encodeBackupRecord } from '../src/backup/backup-records.ts'
import { readBackup, writeBackup } from '../src/backup/backup-stream.ts'
import { BACKUP, BOB, collected, crypto, inParts, messageOf } from './backup-people.ts'
import { codeOf } from './people.ts'

const SEED = new Uint8Array(32).fill(3)
const self = accountFromSeed(crypto, SEED).id
const random = () => seededRandom(crypto, new Uint8Array(32))
const ports = () => ({ crypto, random: random() })

const HEAD: readonly BackupRecord[] = [
  { kind: 'account', accountId: self, seed: encodeHex(SEED), name: 'Ålice', createdAtMs: 1_700_000_000_000, messages: 2 },
  { kind: 'settings', settings: { downgradePolicy: 'strict' } },
]
const RECORDS: readonly BackupRecord[] = [
  ...HEAD,
  { kind: 'message', message: { ...messageOf(self, 1, 'täxt 🐢 \u0000\u2028'), handedOver: true } },
  { kind: 'message', message: { ...messageOf(self, 3), state: 'queued', handedOver: true } },
  { kind: 'conversation', id: BOB, unread: 1, name: 'Bob' },
  { kind: 'end', messages: 2, conversations: 1 },
]

async function* stream<T>(...items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

const backupOf = (...records: readonly BackupRecord[]) => collected(writeBackup(ports(), BACKUP, stream(...records)))

async function read(bytes: Uint8Array, unlock: Parameters<typeof readBackup>[2] = BACKUP, partBytes?: number) {
  const records: unknown[] = []
  for await (const record of readBackup(crypto, inParts(bytes, partBytes), unlock)) records.push(record)
  return records
}

const flipped = (bytes: Uint8Array, at: number, bits = 1) => bytes.map((byte, i) => (i === at ? byte ^ bits : byte))

/** The header with other fields and a right sum. */
function altered(header: Uint8Array, at: number, byte: number): Uint8Array {
  const checked = header.slice(0, 60)
  checked[at] = byte
  return concatBytes(checked, blake2b(crypto, 16, [checked], { personal: 'SessionV2_BkpSum' }))
}

/** A backup with this plaintext, as a writer of this or a later minor version seals it. */
async function sealedPlaintext(plaintext: Uint8Array, minor = 0): Promise<Uint8Array> {
  const fields = createBackupHeader(crypto, random(), BACKUP).header.slice(0, 44)
  fields[17] = minor
  const derive = (sizeBytes: number, personal: string) => blake2b(crypto, sizeBytes, [fields], { key: BACKUP.key, personal })
  const checked = concatBytes(fields, derive(16, 'SessionV2_BkpChk'))
  const header = concatBytes(checked, blake2b(crypto, 16, [checked], { personal: 'SessionV2_BkpSum' }))
  const { key } = openBackupHeader(crypto, header, BACKUP)
  return concatBytes(header, await collected(sealChunks(crypto, key, stream(plaintext.slice()))))
}

const plaintextOf = (...records: readonly BackupRecord[]) => concatBytes(...records.map(encodeBackupRecord))
const raw = (kind: number, json: string) => concatBytes(Uint8Array.of(kind), uint32Le(encodeUtf8(json).length), encodeUtf8(json))

describe('a backup file', () => {
  it('gives back what was put in, in parts of any size (BK-05, BK-07)', async () => {
    const bytes = await backupOf(...RECORDS)
    for (const partBytes of [1, 7, 76, 81, bytes.length]) expect(await read(bytes, BACKUP, partBytes)).toEqual(RECORDS)
  })

  it('has the bytes that it always had (BK-01, BK-03, BK-05)', async () => {
    const bytes = await backupOf(...RECORDS)
    expect(encodeHex(bytes.subarray(0, 28))).toBe('53657373696f6e5632206261636b75700100000000000000' + '00000000')
    expect(encodeHex(blake2b(crypto, 32, [bytes]))).toBe('897484887a53a9f15a5c77e68008baec077de9fcb8dce0960c19ba2f714f7587')
  })

  it('is refused with any bit of any byte another, and with any part of its end missing (BK-04, BK-06)', async () => {
    const bytes = await backupOf(...RECORDS)
    for (let at = 0; at < bytes.length; at++) {
      for (const bits of [1, 128])
        expect(await codeOf(read(flipped(bytes, at, bits))), `byte ${at}`).toMatch(/^backup-(damaged|truncated)$/)
      const isLost = at === 0
      expect(await codeOf(read(bytes.subarray(0, at))), `cut at ${at}`).toBe(isLost ? 'backup-damaged' : 'backup-truncated')
    }
    expect(await codeOf(read(concatBytes(bytes, Uint8Array.of(0))))).toBe('backup-damaged')
  })

  it('tells a wrong key, a later version and a file that is no backup apart (BK-04)', async () => {
    const bytes = await backupOf(...RECORDS)
    expect(await codeOf(read(bytes, { key: new Uint8Array(32) }))).toBe('wrong-passphrase')
    expect(await codeOf(read(bytes, { key: new Uint8Array(31) }))).toBe('bad-unlock')
    expect(await codeOf(read(bytes, { passphrase: 'words' }))).toBe('bad-unlock')
    expect(await codeOf(read(encodeUtf8('PK\u0003\u0004 something else')))).toBe('backup-damaged')
    const rest = bytes.subarray(76)
    expect(await codeOf(read(concatBytes(altered(bytes, 16, 2), rest)))).toBe('backup-too-new')
    expect(await codeOf(read(concatBytes(altered(bytes, 16, 0), rest)))).toBe('backup-damaged')
    expect(await codeOf(read(concatBytes(altered(bytes, 18, 2), rest)))).toBe('backup-damaged')
    // The version is in the key: to pretend a later one needs the key.
    expect(await codeOf(read(concatBytes(altered(bytes, 17, 1), rest)))).toBe('wrong-passphrase')
  })
})

describe('a passphrase', () => {
  const cost: PassphraseCost = { opsLimit: 1, memoryBytes: 8192 }

  it('opens what it sealed, however its letters are composed, and another one does not (BK-02)', async () => {
    const bytes = await collected(writeBackup(ports(), { passphrase: 'caf\u00e9', cost }, stream(...RECORDS)))
    expect(await read(bytes, { passphrase: 'cafe\u0301' })).toEqual(RECORDS)
    expect(await codeOf(read(bytes, { passphrase: 'cafe' }))).toBe('wrong-passphrase')
    expect(await codeOf(read(bytes, BACKUP))).toBe('bad-unlock')
    for (const passphrase of ['', 'x'.repeat(4097)]) expect(await codeOf(read(bytes, { passphrase }))).toBe('bad-unlock')
  })

  it('is not tried at a cost out of bounds (BK-02)', async () => {
    const bytes = await collected(writeBackup(ports(), { passphrase: 'words', cost }, stream(...RECORDS)))
    for (const at of [23, 27]) {
      const header = altered(bytes, at, 0xff)
      expect(await codeOf(read(concatBytes(header, bytes.subarray(76)), { passphrase: 'words' })), `${at}`).toBe('backup-damaged')
    }
    const dear = { passphrase: 'words', cost: { opsLimit: 5, memoryBytes: 1_073_741_824 } }
    expect(() => createBackupHeader(crypto, random(), dear)).toThrow('out of bounds')
  })
})

describe('chunks', () => {
  const FULL = 5 + 65_552
  const keyOf = (fill: number) => createBackupHeader(crypto, seededRandom(crypto, new Uint8Array(32).fill(fill)), BACKUP).key
  const open = (bytes: Uint8Array) => collected(openChunks(crypto, keyOf(0), new ByteSource(inParts(bytes))))
  const seal = (sizeBytes: number, fill = 0) =>
    collected(sealChunks(crypto, keyOf(fill), stream(new Uint8Array(sizeBytes).fill(1))))

  it('hold any number of bytes in any parts (BK-05)', async () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(sizes, async partSizes => {
        const parts = partSizes.map((size, n) => new Uint8Array(size).fill(n + 1))
        const whole = concatBytes(...parts)
        const sealed = await collected(sealChunks(crypto, keyOf(0), stream(...parts)))
        expect(sealed.length).toBe(whole.length + 21 * Math.max(1, Math.ceil(whole.length / 65_536)))
        expect(equalBytes(await open(sealed), whole)).toBe(true)
      }),
      { numRuns: 20 },
    )
  })

  it('are noticed to be missing, moved, doubled, or of another backup (BK-03, BK-06)', async () => {
    const bytes = await seal(200_000)
    const chunk = (n: number, of = bytes) => of.subarray(n * FULL, (n + 1) * FULL)
    const [a, b, c, last] = [chunk(0), chunk(1), chunk(2), chunk(3)]
    expect(await open(concatBytes(a, b, c, last))).toHaveLength(200_000)
    for (const order of [[b, a, c, last], [a, a, b, c, last], [a, c, last], [a, b, last], [last], [a, b, c, last, last]])
      expect(await codeOf(open(concatBytes(...order)))).toBe('backup-damaged')
    for (const order of [[], [a], [a, b], [a, b, c]]) expect(await codeOf(open(concatBytes(...order)))).toBe('backup-truncated')
    const other = await seal(200_000, 1)
    for (const order of [
      [a, chunk(1, other), c, last],
      [a, b, c, chunk(3, other)],
    ])
      expect(await codeOf(open(concatBytes(...order)))).toBe('backup-damaged')
  })

  it('say no size that is not theirs (BK-06)', async () => {
    const small = await seal(100)
    for (const sizeBytes of [0, 15, 65_553, 0xffffffff]) {
      const bytes = concatBytes(Uint8Array.of(1), uint32Le(sizeBytes), small.subarray(5))
      expect(await codeOf(open(bytes)), `${sizeBytes}`).toBe('backup-damaged')
    }
    expect(await codeOf(open(concatBytes(Uint8Array.of(0), small.subarray(1))))).toBe('backup-damaged')
    expect(await codeOf(open(concatBytes(Uint8Array.of(2), small.subarray(1))))).toBe('backup-damaged')
  })
})

const [account, settings, message, queued, conversation, end] = RECORDS as readonly [BackupRecord, ...BackupRecord[]]
const outcome = async (plaintext: Uint8Array, minor = 0) => codeOf(sealedPlaintext(plaintext, minor).then(bytes => read(bytes)))

describe('records', () => {
  it('come in one order, each as often as it may, with nothing missing (BK-08)', async () => {
    const orders: readonly (readonly (BackupRecord | undefined)[])[] = [
      [],
      [settings, account, end],
      [account, end],
      [account, settings, message, queued, conversation],
      [account, account, settings, end],
      [account, settings, settings, end],
      [account, settings, conversation, message, queued, end],
      [account, settings, message, conversation, end],
      [account, settings, message, queued, end],
      [...RECORDS, end],
      [...RECORDS, message],
    ]
    expect(await outcome(plaintextOf(...RECORDS))).toBe('no error')
    for (const [n, order] of orders.entries())
      expect(await outcome(plaintextOf(...(order as BackupRecord[]))), `order ${n}`).toBe('backup-damaged')
    const stolen = { ...account, accountId: BOB } as BackupRecord
    expect(await outcome(plaintextOf(stolen, ...RECORDS.slice(1)))).toBe('backup-damaged')
  })

  it('of a kind or with members that are not known are skipped where the version says so (BK-09)', async () => {
    const strange = raw(77, '{"what":[1]}')
    const [before, after] = [plaintextOf(...RECORDS.slice(0, 3)), plaintextOf(...RECORDS.slice(3))]
    expect(await outcome(concatBytes(before, strange, after), 0)).toBe('backup-damaged')
    const later = await read(await sealedPlaintext(concatBytes(before, strange, after), 1))
    expect(later).toEqual([...RECORDS.slice(0, 3), { kind: 'unknown' }, ...RECORDS.slice(3)])
    expect(await outcome(concatBytes(strange, before, after), 1)).toBe('backup-damaged')
    expect(await outcome(concatBytes(before, after, strange), 1)).toBe('backup-damaged')
    const more = raw(2, '{"downgradePolicy":"ask","tomorrow":{}}')
    expect(await outcome(concatBytes(plaintextOf(account), more, plaintextOf(...RECORDS.slice(2))))).toBe('no error')
  })
})

describe('a record', () => {
  it('with a member that is wrong is refused, and the backup with it (BK-07)', async () => {
    const members = JSON.parse(new TextDecoder().decode(encodeBackupRecord(message!).subarray(5))) as Record<string, unknown>
    const wrong: Record<string, readonly unknown[]> = {
      messageId: ['', 'ABCDEF'.padEnd(32, '0'), '0'.repeat(31), 7, null],
      conversation: ['', `07${'b0'.repeat(32)}`, {}, undefined],
      outgoing: ['true', 1, undefined],
      body: [undefined, 7, null, []],
      sentAtMs: [-1, '5', null, 2 ** 53],
      receivedAtMs: [undefined, true],
      protocol: ['v3', undefined, 0],
      state: ['stored', 'sent', undefined],
      keyCreatedAtMs: [null, 'x'],
      hashes: [null, 'x', { own: 7 }, { recipient: '' }, { own: 'x'.repeat(129) }],
    }
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) {
        const json = JSON.stringify({ ...members, [name]: value })
        const plaintext = concatBytes(plaintextOf(account, settings!), raw(3, json), plaintextOf(queued!, conversation!, end!))
        expect(await outcome(plaintext), `${name} ${JSON.stringify(value)}`).toBe('backup-damaged')
      }
    }
    for (const json of ['', '[]', 'null', '{', '7', '['.repeat(500_000), '{"body":"\\ud800"}'])
      expect(await outcome(concatBytes(plaintextOf(account, settings!), raw(3, json))), json.slice(0, 20)).toBe('backup-damaged')
  })

  it('that whoever has the key damages is refused or read, and nothing else happens (BK-07)', async () => {
    const plaintext = plaintextOf(...RECORDS)
    const place = fc.tuple(fc.nat(plaintext.length - 1), fc.integer({ min: 1, max: 255 }))
    await fc.assert(
      fc.asyncProperty(fc.array(place, { minLength: 1, maxLength: 4 }), fc.integer({ min: 0, max: 1 }), async (places, minor) => {
        const bytes = plaintext.slice()
        for (const [at, bits] of places) bytes[at]! ^= bits
        expect(await outcome(bytes, minor)).toMatch(/^(no error|backup-damaged)$/)
      }),
      { numRuns: 500 },
    )
  })

  it('is never held beyond its bound (BK-07)', async () => {
    const tooLong = concatBytes(Uint8Array.of(3), uint32Le(1_048_577))
    expect(await outcome(concatBytes(plaintextOf(...HEAD), tooLong))).toBe('backup-damaged')
    expect(await outcome(concatBytes(plaintextOf(...RECORDS), Uint8Array.of(255, 0)))).toBe('backup-damaged')
    const body = '\u0000'.repeat(76_800)
    const longest: BackupRecord = { kind: 'message', message: { ...messageOf(self, 1, body), handedOver: true } }
    const decoded: unknown[] = []
    const parts = inParts(plaintextOf(...HEAD, longest), 65_536)
    for await (const record of decodeBackupRecords(parts, false)) decoded.push(record)
    expect(decoded).toEqual([...HEAD, longest])
  })
})
