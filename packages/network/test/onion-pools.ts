/** Pools of paths for the tests: made, chosen from, and judged. */
import { type Random, seededRandom } from '@session-v2/crypto'
import { choosePath, type OnionPath, PATH_HOPS, PATHS_WANTED, type PathPool, type ServiceNode } from '@session-v2/network'
import { publicSubnet } from '../src/onion-request/subnet.ts'
import { listedNode } from './onion-nodes.ts'
import { NOW_MS, wasm } from './owners.ts'

export const listed = (count: number) => Array.from({ length: count }, (_, at) => listedNode(at + 1))
export const randomOf = (seed: number) => seededRandom(wasm, Uint8Array.of(seed, seed >> 8, seed >> 16))
export const keysOf = ({ hops }: { hops: readonly ServiceNode[] }) => hops.map(({ ed25519 }) => ed25519)

/** A path, where there must be one. */
export function chosen(
  pool: PathPool,
  random: Random,
  destination?: string,
  nowMs = NOW_MS,
): { pool: PathPool; path: OnionPath } {
  const choice = choosePath(pool, random, destination, nowMs)
  if (choice.outcome !== 'chosen') throw new Error(choice.outcome)
  return choice
}

/** What must be true of a pool at any time (ON-60, ON-62). */
export function expectSound(pool: PathPool): void {
  const used = pool.paths.flatMap(keysOf)
  if (new Set(used).size < used.length) throw new Error('two live paths share a node')
  if (pool.paths.length > PATHS_WANTED) throw new Error('more paths than are wanted')
  for (const { hops } of pool.paths) {
    const subnets = hops.flatMap(({ host }) => publicSubnet(host) ?? [])
    if (hops.length !== PATH_HOPS || new Set(subnets).size < subnets.length) throw new Error('a path with neighbours')
    if (hops.some(({ ed25519 }) => pool.droppedUntilMs.has(ed25519))) throw new Error('a dropped node in a path')
  }
}
