/** A list of nodes comes from a stranger: whatever it says, a request goes to the host and port of an entry, and to no path of its choice. */
import { decodeServiceNodes, NetworkError, type ServiceNode, serviceNodeUrl } from '@session-v2/network'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fuzzRuns } from './owners.ts'

const KEY = 'ab'.repeat(32)

const anyHost = fc.oneof(
  fc.string(),
  fc.domain(),
  fc.ipV4(),
  fc.ipV6(),
  fc.webUrl(),
  fc.stringMatching(/^[0-9A-Za-z.:\-/@?#[\]%\\]{0,12}$/),
  fc.constantFrom('[::1]', '127.0.0.1:1', 'a@b', 'a/..', 'a?b', 'a#b', 'a%2fb', 'a\\b', ' a', 'a\n', '\uff21', '0.0.0.0'),
)
const anyPort = fc.oneof(fc.integer({ min: -1, max: 65536 }), fc.nat(70_000).map(String), fc.jsonValue())

function nodesOf(host: unknown, port: unknown): ServiceNode[] {
  try {
    return decodeServiceNodes([{ public_ip: host, storage_port: port, pubkey_ed25519: KEY, pubkey_x25519: KEY, swarm: '0' }])
  } catch (error) {
    if (error instanceof NetworkError) return []
    throw error
  }
}

describe('fuzz: the address of a node', () => {
  it('never says more than host and port', () => {
    let decoded = 0
    const property = fc.property(fc.oneof(anyHost, fc.jsonValue()), anyPort, (host, port) => {
      for (const node of nodesOf(host, port)) {
        decoded++
        const text = serviceNodeUrl(node)
        if (!URL.canParse(text)) continue // such a node cannot be asked
        const url = new URL(text)
        expect([url.username, url.password, url.pathname, url.search, url.hash]).toEqual(['', '', '/', '', ''])
        expect(Number(url.port || 443)).toBe(node.port)
      }
    })
    fc.assert(property, { numRuns: fuzzRuns })
    expect(decoded).toBeGreaterThan(fuzzRuns / 100)
  })
})
