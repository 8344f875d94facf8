/**
 * The paths of a client, as a value: nodes, guards, live paths, and what is held against whom. Nothing here tells time, draws randomness
 * or keeps anything: all are arguments (ON-60 to ON-68).
 *
 *                choosePath                             pathSucceeded: nodes behind the guard are cleared
 *     no path ───────────────► live path, with a serial ───────────────► the same path
 *        ▲                        │
 *        │       pathFailed       │  strikes; the path is taken down and built anew, with its guard as long as that has < 3
 *        └────────────────────────┘
 *
 *     node:   listed ──3 strikes within 1 h──► dropped ──1 h later, or when no path can be built without it──► listed
 */
import type { Random } from '@session-v2/crypto'
import type { ServiceNode } from '../service-node.ts'
import { chooseOne } from './random-choice.ts'
import { publicSubnet } from './subnet.ts'

/** Relays of a path, the guard among them. */
export const PATH_HOPS = 3

/** Live paths, where there are nodes enough. */
export const PATHS_WANTED = 2

/** With fewer nodes no path is possible: the relays of one, and a destination outside of it. */
export const PATH_NODES_MIN = PATH_HOPS + 1

/** A strike is held against a node this long. */
export const STRIKE_MS = 3_600_000

/** A dropped node stays away this long. */
export const DROPPED_MS = STRIKE_MS

/** Guards that are kept. */
export const GUARDS_MAX = 8

export interface OnionPath {
  /** Of this life of the path: a failure of an earlier one is no longer counted. */
  readonly serial: number
  /** The guard first. */
  readonly hops: readonly ServiceNode[]
}

export interface PathPool {
  readonly nodes: readonly ServiceNode[]
  /** Ed25519 keys, the longest used first. The caller keeps them (`encodeGuards`). */
  readonly guards: readonly string[]
  readonly paths: readonly OnionPath[]
  /** When each node was struck, by its Ed25519 key. */
  readonly strikes: ReadonlyMap<string, readonly number[]>
  /** Until when each dropped node stays away. */
  readonly droppedUntilMs: ReadonlyMap<string, number>
  readonly nextSerial: number
}

export type PathChoice =
  | { readonly outcome: 'chosen'; readonly pool: PathPool; readonly path: OnionPath }
  | { readonly outcome: 'not-enough-nodes'; readonly pool: PathPool }

/** A pool without paths. `guards`: those of an earlier run. */
export function createPathPool(nodes: readonly ServiceNode[], guards: readonly string[] = []): PathPool {
  const pool = { guards: guards.slice(0, GUARDS_MAX), paths: [], strikes: new Map(), droppedUntilMs: new Map(), nextSerial: 0 }
  return { ...pool, nodes: distinct(nodes) }
}

/** The pool with a new list of nodes. Paths stay whose nodes are all in it with the same keys. */
export function withNodes(pool: PathPool, nodes: readonly ServiceNode[]): PathPool {
  const listed = distinct(nodes)
  const byKey = new Map(listed.map(node => [node.ed25519, node]))
  const paths = pool.paths.flatMap(path => {
    const hops = path.hops.flatMap(({ ed25519, x25519 }) => {
      const node = byKey.get(ed25519)
      return node?.x25519 === x25519 ? [node] : []
    })
    return hops.length === path.hops.length && new Set(hops.map(neighbourhood)).size === hops.length ? [{ ...path, hops }] : []
  })
  const known = <T>(entries: ReadonlyMap<string, T>) => new Map([...entries].filter(([ed25519]) => byKey.has(ed25519)))
  return { ...pool, nodes: listed, paths, strikes: known(pool.strikes), droppedUntilMs: known(pool.droppedUntilMs) }
}

/**
 * A live path for one request, and the pool in which it lives; missing paths are built first. `destination` is the Ed25519 key of the
 * node to be asked, which the path must not hold; undefined for a web server.
 */
export function choosePath(pool: PathPool, random: Random, destination: string | undefined, nowMs: number): PathChoice {
  const filled = withPaths(withoutExpired(pool, nowMs), random)
  const path = chooseOne(
    random,
    filled.paths.filter(({ hops }) => !hops.some(({ ed25519 }) => ed25519 === destination)),
  )
  if (path !== undefined) return { outcome: 'chosen', pool: filled, path }
  // Two live paths share no node, so here is one at most: it makes room for one without the destination.
  const bare = { ...filled, paths: [] }
  const rebuilt = withPath(bare, random, destination) ?? withPath({ ...bare, droppedUntilMs: new Map() }, random, destination)
  const only = rebuilt?.paths[0]
  if (rebuilt === undefined || only === undefined) return { outcome: 'not-enough-nodes', pool: filled }
  return { outcome: 'chosen', pool: rebuilt, path: only }
}

function withPaths(pool: PathPool, random: Random): PathPool {
  if (pool.paths.length >= PATHS_WANTED) return pool
  const more = withPath(pool, random, undefined)
  return more === undefined ? pool : withPaths(more, random)
}

/** The pool with one more path, which shares no node with the others and avoids `destination`; undefined when there is none. */
function withPath(pool: PathPool, random: Random, destination: string | undefined): PathPool | undefined {
  const used = new Set(pool.paths.flatMap(({ hops }) => hops.map(({ ed25519 }) => ed25519)))
  const free = pool.nodes.filter(({ ed25519 }) => {
    return !used.has(ed25519) && !pool.droppedUntilMs.has(ed25519) && ed25519 !== destination
  })
  const [kept, ...others] = pool.guards.filter(guard => free.some(({ ed25519 }) => ed25519 === guard))
  const reserved = others.slice(0, PATHS_WANTED - pool.paths.length - 1)
  const hops: ServiceNode[] = []
  while (hops.length < PATH_HOPS) {
    const taken = new Set(hops.map(neighbourhood))
    const fitting = free.filter(node => !taken.has(neighbourhood(node)))
    const guard = hops.length === 0 ? fitting.find(({ ed25519 }) => ed25519 === kept) : undefined
    const next = guard ?? chooseOne(random, preferred(pool, fitting, reserved))
    if (next === undefined) return undefined
    hops.push(next)
  }
  const guard = (hops[0] as ServiceNode).ed25519
  const guards = pool.guards.includes(guard) ? pool.guards : [...pool.guards, guard].slice(-GUARDS_MAX)
  const path = { serial: pool.nextSerial, hops }
  return { ...pool, guards, paths: [...pool.paths, path], nextSerial: pool.nextSerial + 1 }
}

/** Those that nothing is held against and that are not to guard another path; then those that nothing is held against; then all. */
function preferred(pool: PathPool, nodes: readonly ServiceNode[], guards: readonly string[]): readonly ServiceNode[] {
  const unstruck = nodes.filter(({ ed25519 }) => !pool.strikes.has(ed25519))
  const plain = unstruck.filter(({ ed25519 }) => !guards.includes(ed25519))
  return [plain, unstruck].find(({ length }) => length > 0) ?? nodes
}

/** What two nodes of one path must not have in common. */
function neighbourhood({ host, ed25519 }: ServiceNode): string {
  return publicSubnet(host) ?? ed25519
}

function withoutExpired(pool: PathPool, nowMs: number): PathPool {
  const strikes = new Map(
    [...pool.strikes]
      .map(([ed25519, times]) => [ed25519, times.filter(timeMs => isRecent(timeMs, nowMs))] as const)
      .filter(([, times]) => times.length > 0),
  )
  const droppedUntilMs = new Map(
    [...pool.droppedUntilMs].filter(([, untilMs]) => untilMs > nowMs && untilMs <= nowMs + DROPPED_MS),
  )
  return { ...pool, strikes, droppedUntilMs }
}

/** Whether a strike of `timeMs` still counts. A clock set back does not make it count for longer. */
export function isRecent(timeMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - timeMs) < STRIKE_MS
}

function distinct(nodes: readonly ServiceNode[]): ServiceNode[] {
  return [...new Map(nodes.map(node => [node.ed25519, node])).values()]
}
