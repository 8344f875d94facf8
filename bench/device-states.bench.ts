/**
 * Merging a group message that was opened, for groups of 1 to 40 devices: one that says nothing new, which is what most fetches bring,
 * and one of which everything is new. No cryptography is in it; what is printed besides is how the time grows with the devices.
 */
import { type Crypto, Secret } from '@session-v2/crypto'
import { copyBytes } from '@session-v2/encoding'
import { foundGroup, type GroupPayload, type GroupState, mergeGroupMessage, newGroupState } from '@session-v2/protocol'
import { DEVICE_COUNTS, groupOf, type Member, memberOf } from './device-group.bench.ts'
import { type Candidate, type Comparison, compare, printGrowth } from './harness.ts'
import type { Subjects } from './subjects.ts'

const NOW_MS = 1_700_010_000_000

export function benchDeviceStates({ native }: Subjects): Comparison[] {
  const candidates: Candidate[] = []
  for (const count of DEVICE_COUNTS) {
    const members = Array.from({ length: count }, (_, at) => memberOf(native, at + 1))
    const payload = payloadOf(native, members)
    const alone = founded(native, members[0]!)
    const knowing = merged(native, alone, payload)
    candidates.push({ name: nameOf('all is known', count), run: () => merged(native, knowing, payload) })
    candidates.push({ name: nameOf('all is new', count), run: () => merged(native, alone, payload) })
  }
  const baseline = nameOf('all is known', DEVICE_COUNTS[0]!)
  const comparison = compare('Merge one group message with 33 account keys', candidates, { baseline, rounds: 9, sliceMs: 30 })
  for (const kind of ['all is known', 'all is new']) {
    printGrowth(`${kind}: time grows with devices to the power of`, comparison, DEVICE_COUNTS, count => nameOf(kind, count))
  }
  return [comparison]
}

function nameOf(kind: string, count: number): string {
  return `${kind}, ${count} ${count === 1 ? 'device' : 'devices'}`
}

function payloadOf(crypto: Crypto, members: readonly Member[]): GroupPayload {
  const { devices, accountKeys } = groupOf(crypto, members)
  return { devices, accountKeys }
}

function founded(crypto: Crypto, { id }: Member): GroupState {
  const identity = { self: id, deviceKeySeed: Secret.of(new Uint8Array(32).fill(1), 'device-key-seed') }
  const details = { description: 'a device of usual name', type: 'd', version: [2, 0, 0], extras: new Map() } as const
  const state = newGroupState(crypto, identity, details, NOW_MS)
  const accountKeySeed = Secret.of(new Uint8Array(32).fill(201), 'account-key-seed')
  const group = { groupId: new Uint8Array(8).fill(1), accountKeySeed, newAccount: true }
  return foundGroup(crypto, state, group, NOW_MS).state
}

/** Every merge gets seeds of its own, as from a message that was just opened. */
function merged(crypto: Crypto, state: GroupState, { devices, accountKeys }: GroupPayload): GroupState {
  const seeds = accountKeys.map(key => ({ ...key, seed: Secret.of(copyBytes(key.seed.expose()), 'account-key-seed') }))
  const { x25519 } = state.deviceKeys.current
  const facts = { groupId: state.groupId!, linkX25519: x25519 }
  const opened = { outcome: 'opened', facts, payload: { devices, accountKeys: seeds }, openedWith: x25519 } as const
  const times = { swarmTimeMs: NOW_MS, expiresAtMs: NOW_MS + 1 }
  const received = { hash: 'hash', message: new Uint8Array(0), ...times, opened }
  return mergeGroupMessage(crypto, state, received, NOW_MS).state
}
