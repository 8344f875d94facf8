/**
 * Which swarm keeps an account: the one whose id is nearest on the ring of 64-bit integers (NS-10 to NS-13).
 */
import { badRequest } from '../network-error.ts'
import type { SwarmId } from '../service-node.ts'
import { NO_SWARM } from '../service-node.ts'

/** Size of an account id: one prefix byte and a 32-byte key. */
export const ACCOUNT_BYTES = 33

const RING = 2n ** 64n

/**
 * An account's place on the ring: the exclusive or of the four 8-byte words of its key, most significant byte first. The prefix
 * byte plays no part.
 * @param account 33 bytes
 */
export function swarmSpace(account: Uint8Array): bigint {
  if (account.length !== ACCOUNT_BYTES) throw badRequest(`an account id has ${ACCOUNT_BYTES} bytes, not ${account.length}`)
  const words = new DataView(account.buffer, account.byteOffset + 1, ACCOUNT_BYTES - 1)
  return words.getBigUint64(0) ^ words.getBigUint64(8) ^ words.getBigUint64(16) ^ words.getBigUint64(24)
}

/** The swarm of an account of 33 bytes, or undefined when there is none. */
export function swarmOf(account: Uint8Array, swarmIds: readonly SwarmId[]): SwarmId | undefined {
  return nearestSwarm(swarmSpace(account), swarmIds)
}

/**
 * The swarm nearest to a place on the ring, or undefined when there is none. At the same distance on both sides the smaller step
 * counter-clockwise wins: the id to the left.
 */
export function nearestSwarm(space: bigint, swarmIds: readonly SwarmId[]): SwarmId | undefined {
  let nearest: SwarmId | undefined
  let shortest = RING
  for (const id of swarmIds) {
    if (id === NO_SWARM) continue
    const left = ringDistance(id, space)
    const right = ringDistance(space, id)
    const distance = left < right ? left : right
    const toTheLeft = left <= right
    if (distance < shortest || (distance === shortest && toTheLeft)) {
      nearest = id
      shortest = distance
    }
  }
  return nearest
}

/** Steps clockwise from one place to another. */
function ringDistance(from: bigint, to: bigint): bigint {
  return BigInt.asUintN(64, to - from)
}
