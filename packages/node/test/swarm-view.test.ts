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
})
