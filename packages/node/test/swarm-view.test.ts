import { NO_SWARM, type ServiceNode, swarmOf } from '@session-v2/network'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SwarmView } from '../src/swarm/swarm-view.ts'

function node(n: number, swarmId: bigint): ServiceNode {
  const ed25519 = n.toString(16).padStart(64, '0')
  return { ed25519, x25519: ed25519, host: '127.0.0.1', port: 1 + n, protocol: 'http', swarmId }
}

describe('the view of swarms', () => {
  it('finds the swarm that the placement names, among any number', () => {
    const ids = fc.uniqueArray(fc.bigInt(0n, NO_SWARM - 1n), { maxLength: 40 })
    const account = fc.uint8Array({ minLength: 33, maxLength: 33 })
    const property = fc.property(ids, account, (swarmIds, bytes) => {
      const view = new SwarmView('')
      view.replace(swarmIds.map((id, n) => node(n, id)))
      expect(view.swarmOf(bytes)?.id).toBe(swarmOf(bytes, swarmIds))
    })
    fc.assert(property, { numRuns: 2000 })
  })
  it('knows its own swarm, its peers, and who is in none, as of the last list (NODE-31)', () => {
    const view = new SwarmView(node(0, 0n).ed25519)
    expect([view.own, view.peers]).toEqual([undefined, []])
    view.replace([node(0, 5n), node(1, 5n), node(2, 6n), node(3, NO_SWARM)])
    expect(view.own?.members.map(member => member.port)).toEqual([1, 2])
    expect(view.peers.map(peer => peer.port)).toEqual([2])
    expect([1, 0, 2].map(n => view.isPeer(node(n, 5n).ed25519))).toEqual([true, false, false])
    view.replace([node(0, 5n), node(0, 5n), node(1, 5n)])
    expect(view.peers.map(peer => peer.port)).toEqual([2]) // nobody is a peer of itself, in whatever list
    view.replace([node(0, NO_SWARM), node(1, 5n)])
    expect([view.own, view.peers]).toEqual([undefined, []])
  })
  it('knows every swarm and every node, in a swarm or not', () => {
    const view = new SwarmView(node(0, 0n).ed25519)
    expect([view.swarms, view.neighbours, view.isNode(node(0, 0n).ed25519)]).toEqual([[], undefined, false])
    view.replace([node(0, 9n), node(1, NO_SWARM - 1n), node(2, 0n), node(3, NO_SWARM), node(4, 9n)])
    expect(view.swarms.map(({ id, members }) => [id, members.length])).toEqual([
      [0n, 1],
      [9n, 2],
      [NO_SWARM - 1n, 1],
    ])
    expect([0, 1, 2, 3, 4, 5].map(n => view.isNode(node(n, 0n).ed25519))).toEqual([true, true, true, true, true, false])
    expect(view.node(node(3, 0n).ed25519)).toEqual(node(3, NO_SWARM))
    expect(view.node('')).toBe(undefined)
  })
  it('knows the neighbours of its swarm on the ring', () => {
    const ids = fc.uniqueArray(fc.bigInt(0n, NO_SWARM - 1n), { minLength: 1, maxLength: 12 })
    const property = fc.property(ids, fc.nat(), (swarmIds, pick) => {
      const own = pick % swarmIds.length
      const view = new SwarmView(node(own, 0n).ed25519)
      view.replace(swarmIds.map((id, n) => node(n, id)))
      const others = swarmIds.filter((_, n) => n !== own)
      const steps = (from: bigint, to: bigint) => BigInt.asUintN(64, to - from)
      const nearest = (distance: (id: bigint) => bigint) => others.reduce((a, b) => (distance(a) < distance(b) ? a : b))
      const expected =
        others.length === 0 ? undefined : [nearest(id => steps(id, swarmIds[own]!)), nearest(id => steps(swarmIds[own]!, id))]
      expect(view.neighbours && [view.neighbours.left.id, view.neighbours.right.id]).toEqual(expected)
    })
    fc.assert(property, { numRuns: 500 })
    const out = new SwarmView(node(0, 0n).ed25519)
    out.replace([node(0, NO_SWARM), node(1, 1n), node(2, 2n)])
    expect(out.neighbours).toBe(undefined)
  })
})
