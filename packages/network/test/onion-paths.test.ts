import {
  type Blame,
  choosePath,
  createPathPool,
  decodeGuards,
  encodeGuards,
  type OnionPath,
  PATH_NODES_MIN,
  PATHS_WANTED,
  type PathPool,
  pathFailed,
  pathSucceeded,
  withNodes,
} from '@session-v2/network'
import { describe, expect, it } from 'vitest'
import { publicSubnet } from '../src/onion-request/subnet.ts'
import { chosen, expectSound, keysOf, listed, randomOf } from './onion-pools.ts'
import { NOW_MS, networkErrorOf } from './owners.ts'

const HOUR_MS = 3_600_000
const THE_PATH: Blame = { kind: 'path' }

describe('a path pool', () => {
  it('keeps two paths of three nodes, and uses both (ON-60)', () => {
    const random = randomOf(1)
    let pool = createPathPool(listed(9))
    const serials = new Set<number>()
    for (let request = 0; request < 50; request++) {
      const choice = chosen(pool, random)
      pool = choice.pool
      serials.add(choice.path.serial)
    }
    expectSound(pool)
    expect([pool.paths.length, serials.size, pool.guards.length]).toEqual([2, 2, 2])
  })

  it.each([
    [2, true, false],
    [3, true, false],
    [PATH_NODES_MIN, true, true],
    [3, false, true],
    [2, false, false],
  ])('of %i nodes, destination a node: %s, has a path: %s (ON-61)', (count, toNode, possible) => {
    const pool = createPathPool(listed(count))
    for (const destination of toNode ? keysOf({ hops: pool.nodes }) : [undefined]) {
      const { outcome } = choosePath(pool, randomOf(2), destination, NOW_MS)
      expect(outcome).toBe(possible ? 'chosen' : 'not-enough-nodes')
    }
  })

  it('of six nodes needs no rebuilding, of four it does (ON-61)', () => {
    for (const [count, isStable] of [
      [6, true],
      [4, false],
    ] as const) {
      const random = randomOf(3)
      let { pool } = chosen(createPathPool(listed(count)), random)
      const before = pool.nextSerial
      for (const node of pool.nodes) pool = chosen(pool, random, node.ed25519).pool
      expect(pool.nextSerial === before).toBe(isStable)
    }
  })

  it('takes no two nodes of a path from one public subnet, and all from a private one (ON-62)', () => {
    const hosts = (prefix: string) => listed(9).map((node, at) => ({ ...node, host: `${prefix}.${at + 1}` }))
    expect(choosePath(createPathPool(hosts('8.8.8')), randomOf(4), undefined, NOW_MS).outcome).toBe('not-enough-nodes')
    for (const prefix of ['127.0.0', '10.1.2', '192.168.0', '172.31.5', '169.254.9']) {
      expect(choosePath(createPathPool(hosts(prefix)), randomOf(4), undefined, NOW_MS).outcome).toBe('chosen')
    }
    const three = hosts('8.8.8').map((node, at) => ({ ...node, host: `8.8.${at % 3}.${at + 1}` }))
    expectSound(chosen(createPathPool(three), randomOf(4)).pool)
  })

  it('knows public addresses', () => {
    const publicOnes = ['8.8.8.8', '1.2.3.4', '172.32.0.1', '100.128.0.1', '192.0.1.1', '198.20.0.1', '223.255.255.255']
    const others = ['0.1.2.3', '10.0.0.1', '100.64.0.1', '127.1.1.1', '169.254.0.1', '172.16.0.1', '192.0.2.1', '192.168.1.1']
    const more = ['198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '255.255.255.255', '256.1.1.1', '1.2.3', '::1', 'a.b']
    expect(publicOnes.filter(host => publicSubnet(host) === undefined)).toEqual([])
    expect([...others, ...more].filter(host => publicSubnet(host) !== undefined)).toEqual([])
    expect(publicSubnet('8.9.10.11')).toBe('8.9.10')
  })
})

describe('the nodes of a pool', () => {
  it('guard again in a later run, in their order (ON-67)', () => {
    const nodes = listed(30)
    for (let seed = 0; seed < 20; seed++) {
      const earlier = chosen(createPathPool(nodes), randomOf(seed)).pool
      const kept = decodeGuards(encodeGuards(earlier))
      const later = chosen(createPathPool(nodes, kept), randomOf(seed + 100)).pool
      expect(kept).toHaveLength(PATHS_WANTED)
      expect(later.paths.map(path => keysOf(path)[0])).toEqual(kept)
      expect(later.guards).toEqual(kept)
    }
  })

  it('are no guards in other forms (ON-67)', () => {
    for (const bytes of [new Uint8Array(31), new Uint8Array(64), new Uint8Array(9 * 32).map((_, at) => at >> 5)]) {
      expect(networkErrorOf(() => decodeGuards(bytes)).code).toBe('malformed')
    }
    expect(decodeGuards(new Uint8Array(0))).toEqual([])
  })

  it('take a path along when one is no longer listed, or has another key', () => {
    const { pool, path } = chosen(createPathPool(listed(12)), randomOf(5))
    const [, gone] = path.hops
    const others = pool.paths.filter(one => one !== path)
    const changed = pool.nodes.map(node => (node === gone ? { ...node, x25519: 'ff'.repeat(32) } : node))
    const moved = pool.nodes.map(node => ({ ...node, host: '8.8.8.8' }))
    expect(withNodes(pool, listed(12)).paths).toEqual(pool.paths)
    expect(
      withNodes(
        pool,
        pool.nodes.filter(node => node !== gone),
      ).paths,
    ).toEqual(others)
    expect(withNodes(pool, changed).paths).toEqual(others)
    expect(withNodes(pool, moved).paths).toEqual([])
  })

  it('are listed once', () => {
    expect(createPathPool([...listed(3), ...listed(3)]).nodes).toEqual(listed(3))
    expect(withNodes(createPathPool([]), [...listed(3), ...listed(3)]).nodes).toEqual(listed(3))
  })
})

const first = chosen(createPathPool(listed(20)), randomOf(6))
const [guard, second, third] = keysOf(first.path) as [string, string, string]

/** Paths over this guard fail one after the other, at these times. */
function failing(timesMs: readonly number[], between: (pool: PathPool, path: OnionPath) => PathPool = pool => pool): PathPool {
  let pool = first.pool
  for (const nowMs of timesMs) {
    pool = chosen(pool, randomOf(8), undefined, nowMs).pool
    const path = pool.paths.find(one => keysOf(one)[0] === guard)!
    pool = pathFailed(between(pool, path), path, THE_PATH, nowMs)
  }
  return pool
}

describe('failures', () => {
  it('take the path down and strike who is blamed, and the guard (ON-63)', () => {
    const struck = (blame: Blame) => [...pathFailed(first.pool, first.path, blame, NOW_MS).strikes.keys()].sort()
    expect(struck(THE_PATH)).toEqual([guard, second, third].sort())
    expect(struck({ kind: 'node', ed25519: third })).toEqual([guard, third].sort())
    expect(struck({ kind: 'node', ed25519: guard })).toEqual([guard])
    const { pool } = chosen(pathFailed(first.pool, first.path, THE_PATH, NOW_MS), randomOf(7))
    const rebuilt = pool.paths.find(path => keysOf(path)[0] === guard)
    expect(rebuilt?.serial).toBeGreaterThan(first.path.serial)
    expect(keysOf(rebuilt!).some(key => key === second || key === third)).toBe(false)
  })

  it('cost nothing where the destination is blamed, or of a path that is down already (ON-63)', () => {
    expect(pathFailed(first.pool, first.path, { kind: 'destination' }, NOW_MS)).toBe(first.pool)
    const once = pathFailed(first.pool, first.path, THE_PATH, NOW_MS)
    expect(pathFailed(once, first.path, THE_PATH, NOW_MS)).toBe(once)
  })

  it('hold nothing against a node that is not listed', () => {
    const blame: Blame = { kind: 'node', ed25519: 'ff'.repeat(32) }
    expect([...pathFailed(first.pool, first.path, blame, NOW_MS).strikes.keys()]).toEqual([guard])
  })

  it('drop the guard with the third within an hour, and for an hour (ON-64)', () => {
    const last = NOW_MS + HOUR_MS - 1
    const pool = failing([NOW_MS, NOW_MS + 1, last])
    expect([...pool.droppedUntilMs]).toEqual([[guard, last + HOUR_MS]])
    expect(pool.guards).not.toContain(guard)
    expect(failing([NOW_MS, NOW_MS + 1, NOW_MS + HOUR_MS]).droppedUntilMs.size).toBe(0)
    const isBack = (nowMs: number) => !chosen(pool, randomOf(9), undefined, nowMs).pool.droppedUntilMs.has(guard)
    expect([last, last + HOUR_MS - 1, last + HOUR_MS].map(isBack)).toEqual([false, false, true])
  })

  it('are held against no one for longer when the clock is set back', () => {
    const pool = failing([NOW_MS, NOW_MS + 1, NOW_MS + 2])
    expect(chosen(pool, randomOf(9), undefined, NOW_MS - 2 * HOUR_MS).pool).toMatchObject({
      droppedUntilMs: new Map(),
      strikes: new Map(),
    })
  })
})

describe('strikes', () => {
  it('are forgiven the relays by a reply, and never the guard (ON-65)', () => {
    const once = pathFailed(first.pool, first.path, THE_PATH, NOW_MS)
    expect([...pathSucceeded(once, first.path).strikes.keys()]).toEqual([guard])
    expect(pathSucceeded(first.pool, first.path)).toBe(first.pool)
    const inBetween = failing([NOW_MS, NOW_MS + 1, NOW_MS + 2], pathSucceeded)
    expect([...inBetween.droppedUntilMs.keys()]).toEqual([guard])
  })

  it('drop from other paths too whoever has three strikes', () => {
    let pool = first.pool
    const other = pool.paths.find(({ serial }) => serial !== first.path.serial)!
    const blame: Blame = { kind: 'node', ed25519: keysOf(other)[1]! }
    for (const nowMs of [NOW_MS, NOW_MS + 1, NOW_MS + 2]) {
      const path = pool.paths.find(({ serial }) => serial !== other.serial)!
      pool = chosen(pathFailed(pool, path, blame, nowMs), randomOf(nowMs), undefined, nowMs).pool
    }
    expect(pool.droppedUntilMs.has(blame.ed25519)).toBe(true)
    expect(pool.paths.some(path => keysOf(path).includes(blame.ed25519))).toBe(false)
  })
})
