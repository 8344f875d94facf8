/** The list of nodes in bytes, and what else a list says of a node. */
import { encodeHex } from '@session-v2/encoding'
import {
  ACTIVE_NODE_BYTES,
  decodeActiveNodes,
  decodeServiceNode,
  encodeActiveNodes,
  encodeServiceNode,
  encodeSwarm,
  NO_SWARM,
  NODE_LIST_MAX,
  parseGetSwarmResult,
  parseSwarmId,
  type ServiceNode,
  snodeAddress,
} from '@session-v2/network'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyPair, networkErrorOf, providers, sessionOwner, wasm } from './owners.ts'

const vectors = loadVectors('storage-rpc').filter(({ name }) => name.startsWith('active-nodes-'))
const { publicKey, accountId } = sessionOwner(wasm, 1)
const node: ServiceNode = {
  ed25519: encodeHex(publicKey),
  x25519: accountId.slice(2),
  host: '127.0.1.2',
  port: 22101,
  protocol: 'https',
  swarmId: 7n,
  omqPort: 22100,
  version: [2, 11, 3],
}

// biome-ignore lint/suspicious/noExplicitAny: the shape of vectors
function toNode({ pubkey_ed25519, swarm, ip, port_https, port_omq, version }: any) {
  return { ed25519: pubkey_ed25519, swarmId: parseSwarmId(swarm), host: ip, port: port_https, omqPort: port_omq, version }
}

describe.each(providers)('nodes in bytes (RPC-81) (%s)', (_, crypto) => {
  it.each(vectors.filter(({ failure }) => failure === undefined).map(vector => [vector.name, vector] as const))(
    '%s',
    (_name, vector) => {
      const bytes = Buffer.from(vector.in.bytes, 'hex')
      const nodes = decodeActiveNodes(crypto, bytes)
      expect(nodes.map(({ x25519: _, protocol: __, ...rest }) => rest)).toEqual(vector.out.nodes.map(toNode))
      expect(encodeHex(encodeActiveNodes(nodes))).toBe(vector.in.bytes)
    },
  )

  it.each(vectors.filter(({ failure }) => failure !== undefined).map(vector => [vector.name, vector] as const))(
    '%s',
    (_name, vector) => {
      const error = networkErrorOf(() => decodeActiveNodes(crypto, Buffer.from(vector.in.bytes, 'hex')))
      expect([error.code, error.retry]).toEqual([vector.failure, 'other-node'])
    },
  )
})

describe('nodes in bytes', () => {
  it('are read as they were written', () => {
    const anyNode = fc.record({
      seed: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      swarmId: fc.bigInt({ min: 0n, max: 2n ** 64n - 2n }),
      host: fc.ipV4().filter(host => host !== '0.0.0.0'),
      port: fc.integer({ min: 1, max: 65535 }),
      omqPort: fc.integer({ min: 1, max: 65535 }),
      version: fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)),
    })
    fc.assert(
      fc.property(fc.array(anyNode, { maxLength: 3 }), given => {
        const nodes = given.map(({ seed, omqPort, ...rest }) => {
          const ed25519 = encodeHex(keyPair(wasm, seed).publicKey)
          return { ...rest, ed25519, protocol: 'https' as const, x25519: '', ...(omqPort !== rest.port && { omqPort }) }
        })
        expect(decodeActiveNodes(wasm, encodeActiveNodes(nodes)).map(each => ({ ...each, x25519: '' }))).toEqual(nodes)
      }),
      { numRuns: 50 },
    )
  })

  it('leave out whom no record can hold, or no swarm', () => {
    const others = ['::1', 'example.org', '1.2.3.256', '1.2.3'].map(host => ({ ...node, host }))
    expect(encodeActiveNodes([...others, { ...node, swarmId: NO_SWARM }])).toHaveLength(0)
    const [absent, away] = [{ ...node, host: '0.0.0.0' }, encodeActiveNodes([node]).fill(255, 32, 40)]
    expect(decodeActiveNodes(wasm, encodeActiveNodes([absent]))).toEqual([])
    expect(decodeActiveNodes(wasm, away)).toEqual([])
    expect(decodeActiveNodes(wasm, encodeActiveNodes([node]))).toEqual([node])
  })

  it('have a version of bytes, and 0.0.0 where it is not known', () => {
    const version = (given: Partial<ServiceNode>) =>
      decodeActiveNodes(wasm, encodeActiveNodes([{ ...node, ...given }]))[0]?.version
    expect(version({ version: [2, 300, 0] })).toEqual([2, 255, 0])
    const { version: _, ...unknown } = node
    expect(decodeActiveNodes(wasm, encodeActiveNodes([unknown]))[0]?.version).toEqual([0, 0, 0])
  })

  it('are not read without end', () => {
    const bytes = new Uint8Array((NODE_LIST_MAX + 1) * ACTIVE_NODE_BYTES)
    expect(networkErrorOf(() => decodeActiveNodes(wasm, bytes)).code).toBe('malformed')
  })
})

describe('what else a list says of a node (NS-23)', () => {
  const other = { ...node, legacy: 'cd'.repeat(32) }

  it('is read as it was written, in the list of all and that of a swarm', () => {
    expect(decodeServiceNode(JSON.parse(JSON.stringify(encodeServiceNode(other))))).toEqual(other)
    const { version: _, ...inSwarm } = other // which is not in the list of a swarm
    expect(parseGetSwarmResult(encodeSwarm([other], 7n)).nodes).toEqual([inSwarm])
  })

  it('is left out when it is none, or says nothing', () => {
    const entry = encodeServiceNode(other)
    const bad = { storage_lmq_port: 65536, service_node_pubkey: 'x', storage_server_version: [2, 8] }
    const { omqPort: _, legacy: __, version: ___, ...bare } = other
    expect(decodeServiceNode({ ...entry, ...bad })).toEqual(bare)
    const same = { storage_lmq_port: node.port, service_node_pubkey: node.ed25519, storage_server_version: 5 }
    expect(decodeServiceNode({ ...entry, ...same })).toEqual(bare)
  })
})

describe('the address of a node (NS-24)', () => {
  it.each([
    ['00'.repeat(32), `${'y'.repeat(52)}.snode`],
    ['ff'.repeat(32), `${'9'.repeat(51)}o.snode`],
    [`${'00'.repeat(31)}01`, `${'y'.repeat(51)}o.snode`],
    [`80${'00'.repeat(31)}`, `o${'y'.repeat(51)}.snode`],
  ])('of the key %s', (key, address) => {
    expect(snodeAddress({ ...node, legacy: key })).toBe(address)
    expect(encodeSwarm([{ ...node, legacy: key }], 7n).snodes).toMatchObject([{ address }])
  })
})
