import { ed25519Sign } from '@session-v2/crypto'
import { encodeBase64, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  decodeAnswer,
  encodeAnswer,
  encodeBatchResult,
  encodeDeletedEntry,
  encodeInfoResult,
  encodeRetrievedPage,
  encodeServiceNode,
  encodeStoredEntry,
  encodeSwarm,
  MESSAGE_MAX_BYTES,
  NO_SWARM,
  parseBatchResult,
  parseDeleteResult,
  parseGetSwarmResult,
  parseInfoResult,
  parseRetrieveResult,
  parseSequenceResult,
  parseServiceNodesResult,
  parseStoreResult,
  parseSwarmAnswer,
  type ServiceNode,
  storedText,
} from '@session-v2/network'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyPair, NOW_MS, networkErrorOf, wasm } from './owners.ts'

const HASH = 'A'.repeat(43)
const OTHER_HASH = 'B'.repeat(43)
const members = [1, 2, 3].map(byte => keyPair(wasm, new Uint8Array(32).fill(byte)))
const keys = members.map(({ publicKey }) => encodeHex(publicKey))

/** As it arrives at a client, with the fields that every answer has. */
function answered(body: object): unknown {
  return decodeAnswer('json', encodeUtf8(encodeAnswer('json', { ...body, t: NOW_MS, hf: [19, 4] }) as string))
}

function expectMalformed(action: () => unknown): void {
  const { code, retry } = networkErrorOf(action)
  expect([code, retry]).toEqual(['malformed', 'other-node'])
}

describe('the answer to a store', () => {
  const entry = (at: number, hash = HASH, signedHash = hash, already = false) =>
    encodeStoredEntry({
      hash,
      signature: ed25519Sign(wasm, members[at]!.secretKey, storedText(signedHash)),
      expiryMs: NOW_MS,
      already,
    })
  const stored = (...entries: object[]) =>
    answered({ swarm: Object.fromEntries(entries.map((each, at) => [keys[at], each])), hash: HASH })

  it('says who has stored the message', () => {
    const failed = { failed: true, timeout: true }
    expect(parseStoreResult(wasm, stored(entry(0), entry(1, HASH, HASH, true), failed))).toEqual({
      hash: HASH,
      stored: [
        { node: keys[0], already: false },
        { node: keys[1], already: true },
      ],
      failed: [keys[2]],
      nodeTimeMs: NOW_MS,
    })
  })

  it('takes 0 and 1 of a peer for booleans (RPC-41)', () => {
    const { stored: done, failed } = parseStoreResult(wasm, stored({ ...entry(0), already: 1 }, { ...entry(1), failed: 1 }))
    expect([done, failed]).toEqual([[{ node: keys[0], already: true }], [keys[1]]])
  })

  it.each([
    ['another hash', entry(0, HASH, OTHER_HASH)],
    ['by another node', entry(1)],
    ['no signature', { ...entry(0), signature: undefined }],
    ['a short signature', { ...entry(0), signature: 'AA==' }],
    ['no base64', { ...entry(0), signature: '!' }],
    ['no hash', { ...entry(0), hash: undefined }],
  ])('does not count a member whose signature is for %s (RPC-53)', (_, bad) => {
    expect(parseStoreResult(wasm, stored(bad))).toMatchObject({ hash: '', stored: [], failed: [keys[0]] })
  })

  it('goes by the hash that most members have signed: one alone cannot make it fail (RPC-54)', () => {
    const [liar, honest] = [entry(0, OTHER_HASH), [entry(1), entry(2)]]
    const { hash, stored: done, failed } = parseStoreResult(wasm, stored(liar, ...honest))
    expect([hash, done.map(({ node }) => node), failed]).toEqual([HASH, [keys[1], keys[2]], [keys[0]]])
    const unsigned = entry(1, OTHER_HASH, HASH)
    expect(parseStoreResult(wasm, stored(entry(0), unsigned, { ...unsigned }))).toMatchObject({
      hash: HASH,
      failed: [keys[1], keys[2]],
    })
  })
})

describe('the answer of a swarm (RPC-40, RPC-41)', () => {
  it.each([
    ['no object', []],
    ['no swarm', {}],
    ['an empty swarm', { swarm: {} }],
    ['a member without a key', { swarm: { x: {} } }],
    ['a member in capitals', { swarm: { [keys[0]!.toUpperCase()]: {} } }],
    ['an entry that is none', { swarm: { [keys[0]!]: 5 } }],
    [
      'more members than a swarm has',
      { swarm: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [String(at).padStart(64, '0'), {}])) },
    ],
  ])('is malformed with %s', (_, answer) => {
    expectMalformed(() => parseSwarmAnswer(answer))
  })

  it('has no time when it names none that can be', () => {
    for (const t of [undefined, -1, 0.5, '5', null])
      expect(parseSwarmAnswer({ swarm: { [keys[0]!]: {} }, t }).nodeTimeMs).toBeUndefined()
  })
})

describe('the answer to a delete (RPC-61)', () => {
  const signature = new Uint8Array(64)

  it('says what was deleted by any member', () => {
    const swarm = {
      [keys[0]!]: encodeDeletedEntry({ deleted: [OTHER_HASH, HASH], signature }),
      [keys[1]!]: encodeDeletedEntry({ deleted: [], signature }),
      [keys[2]!]: { failed: true, code: '401', reason: 'x' },
    }
    expect(swarm[keys[0]!]).toMatchObject({ deleted: [HASH, OTHER_HASH] })
    expect(parseDeleteResult(answered({ swarm }))).toEqual({
      deleted: new Set([HASH, OTHER_HASH]),
      failed: [keys[2]],
      nodeTimeMs: NOW_MS,
    })
  })

  it.each([[undefined], ['x'], [[5]], [['x']]])('is malformed with %j for hashes', deleted => {
    expectMalformed(() => parseDeleteResult(answered({ swarm: { [keys[0]!]: { deleted } } })))
  })
})

describe('the answer to a retrieve', () => {
  const message = { hash: HASH, payload: Uint8Array.of(1, 2, 3), timestampMs: NOW_MS, expiryMs: NOW_MS + 1 }
  const page = (fields: object) => answered({ messages: [{ ...entryOf(), ...fields }], more: false })
  const entryOf = () => (encodeRetrievedPage({ messages: [message], more: false }).messages as object[])[0]

  it('is read as it was written', () => {
    const anyMessage = fc.record({
      hash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => encodeBase64(bytes, { padding: false })),
      payload: fc.uint8Array({ maxLength: 100 }),
      timestampMs: fc.nat(Number.MAX_SAFE_INTEGER),
      expiryMs: fc.nat(Number.MAX_SAFE_INTEGER),
    })
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 5 }), fc.boolean(), (messages, more) => {
        const result = parseRetrieveResult(answered(encodeRetrievedPage({ messages, more })))
        expect(result).toEqual({ messages, more, nodeTimeMs: NOW_MS })
      }),
    )
  })

  it('is the same with base64 of the platform', () => {
    const ofPlatform = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
    const written = encodeRetrievedPage({ messages: [message], more: true })
    expect(encodeAnswer('json', written, ofPlatform)).toBe(encodeAnswer('json', written))
  })

  it.each([
    ['a short hash', { hash: 'A' }],
    ['a time before the epoch', { timestamp: -1 }],
    ['a time that is text', { timestamp: String(NOW_MS) }],
    ['no expiry', { expiration: undefined }],
    ['no data', { data: undefined }],
    ['data that is no base64', { data: '!' }],
    ['more data than a message holds', { data: encodeBase64(new Uint8Array(MESSAGE_MAX_BYTES + 1)) }],
  ])('is malformed with %s', (_, fields) => {
    expect(parseRetrieveResult(page({})).messages).toEqual([message])
    expectMalformed(() => parseRetrieveResult(page(fields)))
  })

  it.each([[undefined], [{}], [[5]]])('is malformed with %j for messages', messages => {
    expectMalformed(() => parseRetrieveResult(answered({ messages, more: false })))
  })
})

describe('the answer to get_swarm, which is also the body of a 421 (RPC-66)', () => {
  const node: ServiceNode = {
    ed25519: keys[0]!,
    x25519: keys[1]!,
    host: '127.0.0.1',
    port: 1,
    protocol: 'http',
    swarmId: 2n ** 63n + 1n,
  }

  it('is read as it was written', () => {
    const expected = { nodes: [node], swarmId: node.swarmId, nodeTimeMs: NOW_MS }
    expect(parseGetSwarmResult(answered(encodeSwarm([node], node.swarmId)))).toEqual(expected)
  })

  it('is an empty list when there is no swarm', () => {
    expect(parseGetSwarmResult(answered(encodeSwarm([], undefined)))).toMatchObject({ nodes: [], swarmId: NO_SWARM })
  })

  it('leaves out nodes without an address, and is malformed with others that are none', () => {
    const snodes = [{ ip: '0.0.0.0', port: '0' }]
    expect(parseGetSwarmResult({ snodes, swarm: '5' }).nodes).toEqual([])
    for (const snode of [5, { ip: 'a b', port: 1 }]) expectMalformed(() => parseGetSwarmResult({ snodes: [snode], swarm: '5' }))
    expectMalformed(() => parseGetSwarmResult('not a swarm'))
  })

  it('is like the list of all nodes', () => {
    const result = { service_node_states: [encodeServiceNode(node)] }
    expect(parseServiceNodesResult(answered({ result }))).toEqual([node])
    expectMalformed(() => parseServiceNodesResult(answered({ result: {} })))
  })
})

describe('the answer to info (RPC-65)', () => {
  it('is read as it was written', () => {
    expect(parseInfoResult(encodeInfoResult({ version: [2, 8, 0], nodeTimeMs: NOW_MS }))).toEqual({
      version: [2, 8, 0],
      nodeTimeMs: NOW_MS,
    })
    expect(parseInfoResult({ version: [2, 8, 0], t: NOW_MS, timestamp: NOW_MS - 1 }).nodeTimeMs).toBe(NOW_MS)
  })

  it.each([
    [{ version: [2, 8], t: 1 }],
    [{ version: [2, 8, 0, 1], t: 1 }],
    [{ version: ['2', '8', '0'], t: 1 }],
    [{ version: [2, 8, 0] }],
  ])('is malformed: %j', answer => {
    expectMalformed(() => parseInfoResult(answer))
  })
})

describe('the answer to a batch', () => {
  const done = { status: 200, body: { more: false } }
  const refused = { status: 401, body: 'retrieve: request signature required' }

  it('has one for each of its requests', () => {
    expect(parseBatchResult(encodeBatchResult([refused, done]), 2)).toEqual([refused, done])
    expectMalformed(() => parseBatchResult(encodeBatchResult([done]), 2))
    expectMalformed(() => parseBatchResult(encodeBatchResult([done, done]), 1))
  })

  it('or, to a sequence, up to the first that failed (RPC-69)', () => {
    expect(parseSequenceResult(encodeBatchResult([done, done]), 2)).toEqual([done, done])
    expect(parseSequenceResult(encodeBatchResult([done, refused]), 3)).toEqual([done, refused])
    expectMalformed(() => parseSequenceResult(encodeBatchResult([done]), 2))
    expectMalformed(() => parseSequenceResult(encodeBatchResult([]), 1))
  })

  it.each([[{}], [{ results: [5] }], [{ results: [{ body: {} }] }], [{ results: [{ code: '200' }] }]])(
    'is malformed: %j',
    answer => {
      expectMalformed(() => parseBatchResult(answer, 1))
    },
  )
})
