/** Group messages as an insider could make them up: well-formed, signed, and untrue. */
import { encodeHex } from '@session-v2/encoding'
import type { DeviceId } from '../../src/device-group/device-id.ts'
import { type DeviceRecord, writeDeviceRecord } from '../../src/device-group/device-record.ts'
import type { GroupEntry } from '../../src/device-group/group-payload.ts'
import type { GroupState } from '../../src/device-states/group-state.ts'
import type { StoredGroup, World } from './world.ts'

const HOUR_S = 3600

/** Numbers choose what is said; `which` about whom, `fate` with which keys, and who can read it. */
export function forgedGroup(world: World, state: GroupState, which: number, fate: number): StoredGroup {
  const others = state.groupsInView
  const other = others[which % Math.max(1, others.length)]?.groupId ?? world.bytes(8)
  const groupId = which % 5 === 4 || state.groupId === undefined ? other : state.groupId
  const ids = [...state.rows.keys()]
  const devices = new Map<DeviceId, GroupEntry>()
  for (let at = 0; at <= which % 4; at++) {
    const id = ids[(which + at * 3) % Math.max(1, ids.length)] ?? world.deviceId()
    const entry = forgedEntry(world, state, id, Math.floor(which / 4) + at)
    if (entry !== undefined) devices.set(which % 11 === 10 ? world.deviceId() : id, entry)
  }
  const held = which % 3 === 0 ? state.accountKeys[0]?.x25519 : undefined
  const linkX25519 = held ?? world.linkKeyOf('forged', () => new Uint8Array(32).fill(7))
  return { groupId, linkX25519, devices, accountKeys: forgedKeys(world, state, which, fate), forged: which % 7 !== 6 }
}

function forgedEntry(world: World, state: GroupState, id: DeviceId, kind: number): GroupEntry | undefined {
  const nowS = BigInt(Math.floor(world.nowMs / 1000))
  if (kind % 6 === 0) return { kind: 'left', atS: nowS + BigInt(kind % 50) - 25n }
  if (kind % 6 === 1) return { kind: 'kicked', atS: nowS + BigInt(kind % 50) - 25n }
  const held = state.rows.get(id)?.record
  if (held === undefined) return undefined
  const keys = kind % 6 === 2 ? state.deviceKeys.current : held
  const record: DeviceRecord = writeDeviceRecord({
    seqno: held.seqno + BigInt((kind % 4) - 1),
    timestampS: kind % 3 === 0 ? held.timestampS : nowS,
    x25519: keys.x25519,
    mlKem768: keys.mlKem768,
    description: kind % 6 === 3 ? `forged ${kind}` : 'a device',
    type: 'd',
    version: [1, 2, 3],
  })
  return { kind: 'member', record, digest: world.digestOf(record) }
}

/** Keys of the future, of long ago, rotated before their time or long after, and ones that are held already. */
function forgedKeys(world: World, state: GroupState, which: number, fate: number): StoredGroup['accountKeys'] {
  const nowS = Math.floor(world.nowMs / 1000)
  const seed = encodeHex(world.bytes(32))
  const held = state.accountKeys[which % Math.max(1, state.accountKeys.length)]
  const choices: StoredGroup['accountKeys'] = [
    { seed, createdAtS: nowS + 300 * HOUR_S },
    { seed, createdAtS: nowS - 20 * 24 * HOUR_S },
    { seed, createdAtS: nowS - HOUR_S, rotatedAtS: nowS + 1000 * HOUR_S },
    { seed, createdAtS: nowS - HOUR_S },
    { seed, createdAtS: nowS - 2 * HOUR_S, rotatedAtS: nowS - HOUR_S },
    ...(held === undefined
      ? []
      : [{ seed: encodeHex(held.seed.expose()), createdAtS: held.createdAtS, rotatedAtS: which % 2 === 0 ? 1 : nowS - HOUR_S }]),
  ]
  return choices.filter((_, at) => (at + which) % 3 === fate)
}
