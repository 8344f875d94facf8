/**
 * Sealing and opening group messages for 1 to 40 devices, over both providers. Each message is opened by the device whose record
 * comes last, before anything is timed. What is printed besides: how the time grows, as the exponent of the number of devices.
 */
import { type Crypto, Secret } from '@session-v2/crypto'
import {
  type Account,
  accountFromSeed,
  accountKeyFromSeed,
  type DeviceId,
  deviceIdOf,
  deviceRecordDigest,
  type ExpandedKeyPair,
  encodeDeviceRecord,
  expandKeyPair,
  type GroupEntry,
  type OutgoingGroup,
  openGroupMessage,
  sealGroupMessage,
  writeDeviceRecord,
} from '@session-v2/protocol'
import { type Candidate, type Comparison, compare, printGrowth } from './harness.ts'
import type { Subjects } from './subjects.ts'

export const DEVICE_COUNTS = [1, 4, 12, 40]
/** Account keys of 16 days, two a day. */
const ACCOUNT_KEY_COUNT = 33
const CREATED_S = 1_700_000_000

/** A device with the keys to open what is sealed to it. */
export interface Member {
  readonly id: DeviceId
  readonly keys: ExpandedKeyPair
  readonly entry: GroupEntry
}

/** The member number `byte`. */
export function memberOf(crypto: Crypto, byte: number): Member {
  const keys = expandKeyPair(crypto, 'SessionDeviceKeys', new Uint8Array(32).fill(byte))
  const record = writeDeviceRecord({
    seqno: 1n,
    timestampS: BigInt(CREATED_S),
    x25519: keys.x25519.publicKey,
    mlKem768: keys.mlKem768.publicKey,
    description: 'a device of usual name',
    type: 'd',
    version: [2, 0, 0],
  })
  const digest = deviceRecordDigest(crypto, encodeDeviceRecord(record))
  return { id: deviceIdOf(new Uint8Array(32).fill(byte)), keys, entry: { kind: 'member', record, digest } }
}

/** A group of these members, with the account keys of 16 days. */
export function groupOf(crypto: Crypto, members: readonly Member[]): OutgoingGroup {
  const current = accountKeyFromSeed(crypto, new Uint8Array(32).fill(200), CREATED_S)
  const rotated = Array.from({ length: ACCOUNT_KEY_COUNT - 1 }, (_, at) => ({
    seed: Secret.of(new Uint8Array(32).fill(at), 'account-key-seed'),
    createdAtS: CREATED_S - 43_200 * (at + 1),
    rotatedAtS: CREATED_S - 43_200 * at,
  }))
  return {
    groupId: new Uint8Array(8).fill(1),
    linkX25519: current.x25519.publicKey,
    devices: new Map(members.map(({ id, entry }) => [id, entry])),
    accountKeys: [{ seed: current.seed, createdAtS: current.createdAtS }, ...rotated],
  }
}

export function benchDeviceGroup(subjects: Subjects): Comparison[] {
  const sealing: Candidate[] = []
  const opening: Candidate[] = []
  for (const crypto of [subjects.native, subjects.wasm]) {
    const account = accountFromSeed(crypto, new Uint8Array(32).fill(1))
    const members = Array.from({ length: Math.max(...DEVICE_COUNTS) }, (_, at) => memberOf(crypto, at + 1))
    for (const count of DEVICE_COUNTS) {
      const group = groupOf(crypto, members.slice(0, count))
      const seal = () => sealGroupMessage(crypto, subjects.random, account, group)
      const message = seal()
      const open = () => openOrThrow(crypto, account, members[count - 1]!, message)
      open()
      sealing.push({ name: nameOf(crypto.name, count), run: seal })
      opening.push({ name: nameOf(crypto.name, count), run: open })
    }
  }
  return [measured('Seal one group message', subjects, sealing), measured('Open one group message', subjects, opening)]
}

function openOrThrow(crypto: Crypto, account: Account, { id, keys }: Member, message: Uint8Array): unknown {
  const opened = openGroupMessage(crypto, account, id, [keys], message)
  if (opened.outcome !== 'opened') throw new Error(`not opened: ${opened.outcome}`)
  return opened
}

function nameOf(provider: string, count: number): string {
  return `${provider}, ${count} ${count === 1 ? 'device' : 'devices'}`
}

function measured(title: string, subjects: Subjects, candidates: readonly Candidate[]): Comparison {
  const baseline = nameOf(subjects.native.name, DEVICE_COUNTS[0]!)
  const comparison = compare(title, candidates, { baseline, rounds: 9, sliceMs: 40 })
  for (const { name } of [subjects.native, subjects.wasm]) {
    printGrowth(`${name}: time grows with devices to the power of`, comparison, DEVICE_COUNTS, count => nameOf(name, count))
  }
  return comparison
}
