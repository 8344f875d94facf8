import { type Crypto, Secret, systemRandom, x25519KeyPair, xchacha20Poly1305Encrypt } from '@session-v2/crypto'
import { BtDictReader, decodeHex, encodeHex, equalBytes, padWithZeros } from '@session-v2/encoding'
import {
  cryptGroupId,
  encodeGroupPayload,
  expandKeyPair,
  type GroupEntry,
  openGroupMessage,
  parseDeviceId,
  sealGroupMessage,
} from '@session-v2/protocol'
import { loadVectors, loadVectorsOfKind } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { announcesRemoval, removalEntry } from '../src/device-group/announced-removals.ts'
import { verifyGroupMessage } from '../src/device-group/group-message.ts'
import { matchingSlots, unwrapKeyBase } from '../src/device-group/key-slots.ts'
import { payloadNonce } from '../src/device-group/seal.ts'
import { accountOf, providers, refusalBy, refusedAs } from './providers.ts'

const CHAPTER = 'device-group'
const recorded = loadVectorsOfKind(CHAPTER, 'device_group').map(vector => [vector.in.name, vector] as const)
const own = loadVectors(CHAPTER).filter(file => file.in?.message !== undefined)

interface Row {
  readonly id: string
  readonly device_seed?: string
}

const deviceKeysOf = (crypto: Crypto, seeds: readonly string[]) =>
  seeds.map(seed => expandKeyPair(crypto, 'SessionDeviceKeys', decodeHex(seed)))

describe.each(providers)('group message as recorded, DG-10 to DG-18 (%s)', (_, crypto) => {
  it.each(recorded)('%s: opens for every member and for nobody else', (_name, { in: given, out }) => {
    const account = accountOf(crypto, given.root_seed)
    const open = (id: string, seeds: readonly string[]) =>
      openGroupMessage(crypto, account, parseDeviceId(id), deviceKeysOf(crypto, seeds), decodeHex(out.message))
    for (const { id, device_seed } of given.devices as Row[]) {
      if (device_seed === undefined) continue
      const opened = open(id, ['11'.repeat(32), device_seed])
      expect(opened.outcome === 'opened').toBe(out.decrypts_for[id])
      if (opened.outcome !== 'opened') throw new Error(opened.outcome)
      expect(encodeHex(opened.openedWith)).toBe(out.payload.devices.find((row: Row) => row.id === id).x25519)
      expect(encodeHex(opened.facts.groupId!)).toBe(given.group_id)
      expect(encodeHex(opened.facts.linkX25519!)).toBe(out.link_x25519)
      expect(encodeHex(encodeGroupPayload(opened.payload))).toBe(out.trace.payload_plaintext)
    }
    expect(open('00'.repeat(32), ['11'.repeat(32)]).outcome).toBe('not-for-us')
    expect(open('00'.repeat(32), []).outcome).toBe('not-for-us')
  })

  it.each(recorded)('%s: tells the removed devices and nobody else, DG-14', (_name, { in: given, out }) => {
    const account = accountOf(crypto, given.root_seed)
    for (const [id, { kicked, entry }] of Object.entries<{ kicked: boolean; entry?: string }>(out.kicked_check)) {
      const deviceId = parseDeviceId(id === 'none' ? '00'.repeat(32) : id)
      const opened = openGroupMessage(crypto, account, deviceId, [], decodeHex(out.message))
      expect(opened).toMatchObject({ outcome: 'not-for-us', announcesRemoval: kicked })
      if (id === 'none' || entry === undefined) continue
      expect(encodeHex(removalEntry(crypto, account.seed, decodeHex(out.trace.A), deviceId))).toBe(entry)
    }
    const removals = out.kicked_field === null ? undefined : decodeHex(out.kicked_field)
    const removed = Object.values<{ kicked: boolean }>(out.kicked_check).filter(({ kicked }) => kicked)
    expect(removals?.length ?? 0).toBe(16 * 4 * Math.ceil(removed.length / 4))
    expect(announcesRemoval(crypto, account.seed, decodeHex(out.trace.A), parseDeviceId('00'.repeat(32)), removals)).toBe(false)
  })
})

describe.each(providers)('group message as recorded, and what it is made of (%s)', (_, crypto) => {
  it.each(recorded)('%s: takes the recorded steps, DG-13, DG-15', (_name, { in: given, out }) => {
    const account = accountOf(crypto, given.root_seed)
    const { trace } = out
    const envelope = verifyGroupMessage(crypto, account.ed25519.publicKey, decodeHex(out.message))
    const ephemeral = x25519KeyPair(crypto, Secret.of(decodeHex(trace.a), 'x25519-secret'))
    expect(encodeHex(ephemeral.publicKey)).toBe(trace.A)
    expect(encodeHex(envelope.ephemeral)).toBe(trace.A)
    expect(encodeHex(cryptGroupId(crypto, account.seed, envelope.ephemeral, envelope.groupId!))).toBe(given.group_id)
    const nonce = payloadNonce(crypto, envelope.ephemeral, envelope.ciphertexts)
    expect(encodeHex(nonce)).toBe(trace.payload_nonce)
    const padded = padWithZeros(decodeHex(trace.payload_plaintext), trace.padded_size)
    const sealed = xchacha20Poly1305Encrypt(crypto, decodeHex(trace.key_base), nonce, padded)
    expect(equalBytes(sealed, envelope.sealed)).toBe(true)
    const members = (given.devices as Row[]).filter(row => row.device_seed !== undefined)
    for (const { device_seed } of members) {
      const slots = [...matchingSlots(crypto, deviceKeysOf(crypto, [device_seed!]), envelope)]
      expect(slots.map(slot => encodeHex(unwrapKeyBase(crypto, slot, envelope)))).toEqual([trace.key_base])
    }
  })

  it.each(recorded)('%s: sealed anew has the recorded size and opens', (_name, { in: given, out }) => {
    const account = accountOf(crypto, given.root_seed)
    const [first] = given.devices as Row[]
    const keys = deviceKeysOf(crypto, [first!.device_seed!])
    const opened = openGroupMessage(crypto, account, parseDeviceId(first!.id), keys, decodeHex(out.message))
    if (opened.outcome !== 'opened') throw new Error(opened.outcome)
    const { payload, facts } = opened
    const group = { ...payload, groupId: facts.groupId!, linkX25519: facts.linkX25519! }
    const message = sealGroupMessage(crypto, systemRandom(), account, group)
    expect(message).toHaveLength(out.size)
    const reopened = openGroupMessage(crypto, account, parseDeviceId(first!.id), keys, message)
    expect(reopened).toMatchObject({ outcome: 'opened', facts })
    expect(reopened.outcome === 'opened' && encodeHex(encodeGroupPayload(reopened.payload))).toBe(out.trace.payload_plaintext)
  })

  it.each(loadVectorsOfKind(CHAPTER, 'device_group_reject').map(v => [v.in.name, v] as const))(
    '%s: is forged',
    (_name, { in: given, out }) => {
      expect(out.error).toBe('bad_signature')
      const keys = deviceKeysOf(crypto, given.device_seeds)
      const opened = openGroupMessage(
        crypto,
        accountOf(crypto, given.root_seed),
        parseDeviceId('00'.repeat(32)),
        keys,
        decodeHex(given.message),
      )
      expect(opened.outcome).toBe('forged')
    },
  )
})

describe.each(providers)('group message, NOT-12 (%s)', (_, crypto) => {
  const openOf = (given: { root_seed: string; device_id: string; device_seeds: string[]; message: string }) => {
    const deviceId = parseDeviceId(given.device_id)
    return openGroupMessage(
      crypto,
      accountOf(crypto, given.root_seed),
      deviceId,
      deviceKeysOf(crypto, given.device_seeds),
      decodeHex(given.message),
    )
  }

  it.each(own.filter(file => file.failure !== undefined).map(file => [file.name, file.reason, file] as const))(
    '%s: %s',
    (_name, _reason, file) => {
      const opened = openOf(file.in)
      expect(opened).toMatchObject(refusedAs(file))
      if (file.failure === 'forged') {
        const { publicKey } = accountOf(crypto, file.in.root_seed).ed25519
        expect(refusalBy(() => verifyGroupMessage(crypto, publicKey, decodeHex(file.in.message)))).toBe(`forged ${file.clause}`)
      }
      expect(opened.outcome === 'not-for-us' && opened.announcesRemoval).toBe(file.out.kicked ?? false)
    },
  )

  it.each(own.filter(file => file.failure === undefined).map(file => [file.name, file.reason, file] as const))(
    '%s: %s',
    (_name, _reason, { in: given, out }) => {
      const opened = openOf(given)
      if (opened.outcome !== 'opened') throw new Error(opened.outcome)
      const { facts, payload } = opened
      expect(facts.groupId === undefined ? null : encodeHex(facts.groupId)).toBe(out.group_id)
      expect(facts.linkX25519 === undefined ? null : encodeHex(facts.linkX25519)).toBe(out.link_x25519)
      expect([...payload.devices].map(([id, entry]) => rowOf(id, entry))).toMatchObject(out.devices)
      const keys = payload.accountKeys.map(({ seed, createdAtS, rotatedAtS }) => ({
        created: createdAtS,
        ...(rotatedAtS === undefined ? {} : { rotated: rotatedAtS }),
        seed: encodeHex(seed.expose()),
      }))
      expect(keys).toEqual(out.account_keys)
    },
  )
})

function rowOf(id: string, entry: GroupEntry) {
  if (entry.kind === 'member')
    return { id, state: 2, seqno: Number(entry.record.seqno), timestamp: Number(entry.record.timestampS) }
  return { id, state: entry.kind === 'left' ? 3 : 4, kicked: `${entry.atS}` }
}

describe('the outside of a recorded message', () => {
  it.each(recorded)('%s: has all fields and nothing more, in their sizes, DG-10', (_name, { out }) => {
    const reader = new BtDictReader(decodeHex(out.message))
    const sizes = ['', '@', 'A', 'C', 'K', 'X', 'd', 'k', '~'].map(key => reader.optionalBytes(key)?.length)
    reader.finish({ unknown: 'reject' })
    const slots = 4 * Math.ceil(Object.keys(out.decrypts_for).length / 4)
    expect(sizes).toEqual([
      1,
      8,
      32,
      1088 * slots,
      34 * slots,
      32,
      out.trace.padded_size + 16,
      out.kicked_field?.length / 2 || undefined,
      64,
    ])
  })
})
