import { type Blame, choosePath, createPathPool, PATH_HOPS, pathFailed, pathSucceeded, withNodes } from '@session-v2/network'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { publicSubnet } from '../src/onion-request/subnet.ts'
import { listedNode } from './onion-nodes.ts'
import { chosen, expectSound, keysOf, listed, randomOf } from './onion-pools.ts'
import { NOW_MS } from './owners.ts'

const HOUR_MS = 3_600_000
const THE_PATH: Blame = { kind: 'path' }

describe('whatever happens', () => {
  const anyHost = fc.constantFrom('127.0.0.1', '8.8.8.8', '8.8.8.9', '9.9.9.9', '1.1.1.1', 'node.example')
  const anyNodes = fc
    .array(anyHost, { minLength: 0, maxLength: 16 })
    .map(hosts => hosts.map((host, at) => listedNode(at + 1, host)))
  const anyStep = fc.record({
    destination: fc.nat(20),
    outcome: fc.constantFrom('reply', 'path', 'destination', 'relay-0', 'relay-1', 'relay-2', 'asked', 'relisted'),
    laterMs: fc.oneof(fc.nat(1000), fc.nat(2 * HOUR_MS)),
    without: fc.nat(20),
  })

  it('live paths share no node and never hold the destination, and there is one when there can be (ON-60 to ON-62, ON-68)', () => {
    fc.assert(
      fc.property(anyNodes, fc.array(anyStep, { maxLength: 40 }), fc.nat(), (nodes, steps, seed) => {
        const random = randomOf(seed)
        let pool = createPathPool(nodes)
        let nowMs = NOW_MS
        for (const { destination: number, outcome, laterMs, without } of steps) {
          nowMs += laterMs
          const destination = number === 0 ? undefined : listedNode(number).ed25519
          const choice = choosePath(pool, random, destination, nowMs)
          pool = choice.pool
          expectSound(pool)
          const others = pool.nodes.filter(({ ed25519 }) => ed25519 !== destination)
          const places = new Set(others.map(({ host, ed25519 }) => publicSubnet(host) ?? ed25519))
          expect(choice.outcome).toBe(places.size < PATH_HOPS ? 'not-enough-nodes' : 'chosen')
          if (choice.outcome !== 'chosen') continue
          expect(keysOf(choice.path)).not.toContain(destination)
          const asked = destination ?? listedNode(1).ed25519
          const named = outcome === 'asked' ? asked : keysOf(choice.path)[Number(outcome.slice(-1))]
          if (outcome === 'reply') pool = pathSucceeded(pool, choice.path)
          else if (outcome === 'path' || outcome === 'destination') pool = pathFailed(pool, choice.path, { kind: outcome }, nowMs)
          else if (outcome === 'relisted')
            pool = withNodes(
              pool,
              nodes.filter((_, at) => at !== without),
            )
          else pool = pathFailed(pool, choice.path, { kind: 'node', ed25519: named ?? asked }, nowMs)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('whoever lies', () => {
  it('no more nodes are dropped than there were failures, and a lying guard with the third (ON-66)', () => {
    const anyLie = fc.constantFrom('path', 'second', 'third', 'asked')
    fc.assert(
      fc.property(fc.array(anyLie, { minLength: 3, maxLength: 3 }), fc.nat(), (lies, seed) => {
        const random = randomOf(seed)
        let { pool } = chosen(createPathPool(listed(12)), random)
        const liar = keysOf(pool.paths[0]!)[0]!
        const victim = listedNode(1).ed25519
        for (const [at, lie] of lies.entries()) {
          pool = chosen(pool, random, undefined, NOW_MS + at).pool
          const path = pool.paths.find(one => keysOf(one)[0] === liar)!
          const named = { path: undefined, second: keysOf(path)[1], third: keysOf(path)[2], asked: victim }[lie]
          pool = pathFailed(pool, path, named === undefined ? THE_PATH : { kind: 'node', ed25519: named }, NOW_MS + at)
          expect(pool.droppedUntilMs.size === 0).toBe(at < 2)
        }
        expect(pool.droppedUntilMs.has(liar)).toBe(true)
        expect(pool.droppedUntilMs.size).toBeLessThanOrEqual(lies.length)
      }),
      { numRuns: 200 },
    )
  })

  it('honest nodes are found among hostile ones that fail every request and lie about it (ON-66, ON-68)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 20 }), fc.nat(6), fc.nat(), (honest, hostile, seed) => {
        const random = randomOf(seed)
        const isHostile = (ed25519: string) => Number.parseInt(ed25519, 16) > honest
        const destination = listedNode(1).ed25519
        let pool = createPathPool(listed(honest + hostile))
        let [failures, dropped, replies] = [0, 0, 0]
        for (let request = 0; request < 400 && replies < 20; request++) {
          const choice = chosen(pool, random, destination, NOW_MS + request)
          const [guard, second] = keysOf(choice.path) as [string, string]
          if (!keysOf(choice.path).some(isHostile)) {
            replies += 1
            pool = pathSucceeded(choice.pool, choice.path)
            continue
          }
          failures += 1
          const blame: Blame = isHostile(guard) ? { kind: 'node', ed25519: second } : THE_PATH
          pool = pathFailed(choice.pool, choice.path, blame, NOW_MS + request)
          dropped += Math.max(0, pool.droppedUntilMs.size - choice.pool.droppedUntilMs.size)
        }
        expect(replies).toBe(20)
        expect(dropped).toBeLessThanOrEqual(failures)
      }),
      { numRuns: 200 },
    )
  })
})
