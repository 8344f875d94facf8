import {
  decodeServiceNode,
  decodeServiceNodes,
  encodeServiceNode,
  NO_SWARM,
  parseSwarmId,
  type ServiceNode,
  serviceNodeUrl,
  swarmIdHex,
} from '@session-v2/network'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { networkErrorOf } from './owners.ts'

const node: ServiceNode = {
  ed25519: 'ab'.repeat(32),
  x25519: 'cd'.repeat(32),
  host: '127.0.0.1',
  port: 22021,
  protocol: 'http',
  swarmId: 0x8000_0000_0000_0001n,
}
const entry = encodeServiceNode(node)

const anyNode: fc.Arbitrary<ServiceNode> = fc.record({
  ed25519: fc.stringMatching(/^[0-9a-f]{64}$/),
  x25519: fc.stringMatching(/^[0-9a-f]{64}$/),
  host: fc.oneof(
    fc.ipV4().filter(ip => ip !== '0.0.0.0'),
    fc.domain(),
    fc.constant('::1'),
  ),
  port: fc.integer({ min: 1, max: 65535 }),
  protocol: fc.constantFrom('http' as const, 'https' as const),
  swarmId: fc.bigInt({ min: 0n, max: NO_SWARM - 1n }),
})

describe('a node of the list (NS-20)', () => {
  it('is read as it was written, through JSON', () => {
    fc.assert(
      fc.property(anyNode, one => {
        expect(decodeServiceNode(JSON.parse(JSON.stringify(encodeServiceNode(one))))).toEqual(one)
      }),
    )
  })

  it('keeps all bits of its swarm id, whatever the number beside it says (NS-21)', () => {
    expect(JSON.stringify(entry)).toContain('"swarm":"8000000000000001"')
    expect(decodeServiceNode({ ...entry, swarm_id: 9223372036854776000 })?.swarmId).toBe(0x8000_0000_0000_0001n)
  })

  it('speaks HTTPS unless it says otherwise', () => {
    expect(decodeServiceNode({ ...entry, storage_protocol: undefined })?.protocol).toBe('https')
    expect(decodeServiceNode({ ...entry, storage_protocol: 'gopher' })?.protocol).toBe('https')
  })

  it.each([
    ['no address', { public_ip: '0.0.0.0' }],
    ['an empty address', { public_ip: '' }],
    ['no port', { storage_port: 0 }],
    ['no port, as text', { storage_port: '0' }],
  ])('with %s is left out (NS-22)', (_, fields) => {
    expect(decodeServiceNode({ ...entry, ...fields })).toBeUndefined()
    expect(decodeServiceNodes([{ ...entry, ...fields }, entry])).toEqual([node])
  })

  it('that is in no swarm is left out of the list', () => {
    expect(decodeServiceNodes([encodeServiceNode({ ...node, swarmId: NO_SWARM }), entry])).toEqual([node])
  })

  it.each([
    ['a path in its address', { public_ip: '127.0.0.1/x' }],
    ['credentials in its address', { public_ip: 'user@127.0.0.1' }],
    ['an address that is a number', { public_ip: 5 }],
    ['a port above 65535', { storage_port: 65536 }],
    ['a fraction of a port', { storage_port: 0.5 }],
    ['a port in a list', { storage_port: [22021] }],
    ['a port that is no number', { storage_port: '0x50' }],
    ['a short key', { pubkey_ed25519: 'ab' }],
    ['an X25519 key in capitals', { pubkey_x25519: 'CD'.repeat(32) }],
    ['a swarm of 17 digits', { swarm: '10000000000000000' }],
    ['a swarm with a sign', { swarm: '-1' }],
    ['a swarm that is a number', { swarm: 5 }],
    ['no swarm', { swarm: undefined }],
  ])('with %s makes the list malformed (NS-22)', (_, fields) => {
    const error = networkErrorOf(() => decodeServiceNodes([entry, { ...entry, ...fields }]))
    expect([error.code, error.retry]).toEqual(['malformed', 'other-node'])
  })

  it.each([[undefined], [{}], [[null]], [['x']]])('cannot be read from %j', list => {
    expect(networkErrorOf(() => decodeServiceNodes(list)).code).toBe('malformed')
  })

  it('has a URL, with an address of any kind', () => {
    expect(serviceNodeUrl(node)).toBe('http://127.0.0.1:22021')
    expect(new URL(serviceNodeUrl({ ...node, host: '::1', protocol: 'https' })).hostname).toBe('[::1]')
  })
})

describe('the hexadecimal form of a swarm id', () => {
  it('has no leading zeros, and every id comes back', () => {
    expect([0n, 255n, NO_SWARM].map(swarmIdHex)).toEqual(['0', 'ff', 'f'.repeat(16)])
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: NO_SWARM }), id => {
        expect(parseSwarmId(swarmIdHex(id))).toBe(id)
      }),
    )
  })
})
