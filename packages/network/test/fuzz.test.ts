import { encodeUtf8 } from '@session-v2/encoding'
import {
  buildBatch,
  buildDelete,
  buildGetServiceNodes,
  buildGetSwarm,
  buildInfo,
  buildRetrieve,
  buildSequence,
  buildStore,
  checkDelete,
  checkRetrieve,
  checkStore,
  decodeRequest,
  encodeRequest,
  encodeServiceNode,
  encodeSwarm,
  NetworkError,
  type ParsedRequest,
  parseBatchResult,
  parseDeleteResult,
  parseGetSwarmResult,
  parseInfoResult,
  parseNamespace,
  parseRequest,
  parseRetrieveResult,
  parseSequenceResult,
  parseServiceNodesResult,
  parseStoreResult,
  type RpcRequest,
} from '@session-v2/network'
import { type Decoded, inTime } from '@session-v2/tools/fuzz'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fuzzRuns, NOW_MS, sessionOwner, wasm } from './owners.ts'

const HASH = 'A'.repeat(43)

const alice = sessionOwner(wasm, 1)
const { accountId } = alice
const namespace = parseNamespace(2)
const store = buildStore(wasm, {
  accountId,
  namespace,
  payload: new Uint8Array(8),
  timestampMs: NOW_MS,
  ttlMs: 60_000,
  signer: alice,
})
const retrieve = buildRetrieve(wasm, { accountId, namespace, lastHash: HASH, maxSize: -5, timestampMs: NOW_MS, signer: alice })
const requests: readonly RpcRequest[] = [
  store,
  retrieve,
  buildDelete(wasm, { hashes: [HASH], required: true, signer: alice }),
  buildInfo(),
  buildGetSwarm(accountId),
  buildGetServiceNodes(),
  buildBatch([store, retrieve]),
  buildSequence([retrieve, store]),
]

/** What stands where something else should. */
const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(
    -0,
    1e308,
    2 ** 53,
    -(2 ** 53),
    32768,
    -3741,
    NOW_MS,
    '',
    '0',
    '9'.repeat(16),
    '=',
    'AA=',
    '\ud800',
    HASH,
    accountId,
  ),
  fc.constantFrom(
    accountId.slice(2),
    `03${accountId.slice(2)}`,
    'A'.repeat(86),
    'A'.repeat(102_404),
    Array(21).fill(requests[3]),
  ),
)

const FIELDS = [
  'namespace',
  'pubKey',
  'lastHash',
  'expiry',
  'max_count',
  'subaccount',
  'sig_timestamp',
  'required',
  'constructor',
]

/** A request in which some fields are exchanged, taken away or added. */
function mutated({ method, params }: RpcRequest): fc.Arbitrary<unknown> {
  const field = fc.constantFrom(...Object.keys(params), ...FIELDS)
  const change = fc.tuple(field, fc.oneof({ weight: 3, arbitrary: anyValue }, { weight: 1, arbitrary: fc.constant(undefined) }))
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map(changes => ({ method, params: { ...params, ...Object.fromEntries(changes) } }))
}

/** What the node does with a request before it touches its store. */
function read(bytes: Uint8Array): void {
  const parsed = parseRequest(decodeRequest(bytes))
  const parts: readonly ParsedRequest[] = 'requests' in parsed.params ? parsed.params.requests : [parsed]
  for (const { method, params } of parts) {
    if (method === 'store') checkStore(wasm, params, NOW_MS)
    if (method === 'retrieve') checkRetrieve(wasm, params, NOW_MS)
    if (method === 'delete') checkDelete(wasm, params)
  }
}

/** Passes, or throws the error of this package as `judge` wants it; in the longer run it is over soon. */
function expectOrderly(input: Decoded, action: () => void, judge: (error: NetworkError) => void): void {
  inTime(input, () => {
    try {
      action()
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      judge(error)
    }
  })
}

/** A node reads `bytes`, or refuses them in its own words. */
function expectReadOrRefused(bytes: Uint8Array): void {
  expectOrderly(bytes, () => read(bytes), expectRefusal)
}

function expectRefusal({ code, status, message }: NetworkError): void {
  if (code !== 'malformed' || status !== 400) throw new Error(`${code} ${status}`)
  if (!/^(invalid json|no method |invalid request: )/.test(message)) throw new Error(`not a text of a node: ${message}`)
}

describe('fuzz: requests', () => {
  it.each(requests.map(request => [request.method, request] as const))('%s with changed fields', (_, request) => {
    fc.assert(
      fc.property(mutated(request), changed => {
        expectReadOrRefused(encodeUtf8(JSON.stringify(changed)))
      }),
      { numRuns: fuzzRuns },
    )
  })

  it.each(requests.map(request => [request.method, request] as const))('%s with changed bytes', (_, request) => {
    const bytes = encodeRequest(request)
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(bytes.length), (changes, sizeBytes) => {
        const changed = bytes.slice()
        for (const [at, byte] of changes) changed[at] = byte
        expectReadOrRefused(changed)
        expectReadOrRefused(changed.subarray(0, sizeBytes))
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('any bytes, and any JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.jsonValue(), (bytes, value) => {
        expectReadOrRefused(bytes)
        expectReadOrRefused(encodeUtf8(JSON.stringify(value)))
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('JSON of any depth', () => {
    const sizeBytes = 200_000
    const opened = ['[', '{"params":', '{"method":"batch","params":{"requests":['].map(open =>
      open.repeat(sizeBytes / open.length),
    )
    const closed = `${'['.repeat(sizeBytes / 2)}${']'.repeat(sizeBytes / 2)}`
    const within = `{"method":"oxend_request","params":{"endpoint":"get_service_nodes","params":${closed}}}`
    for (const text of [...opened, closed, within]) {
      expectReadOrRefused(encodeUtf8(text))
    }
  })
})

const KEY = 'ab'.repeat(32)
const node = { ed25519: KEY, x25519: KEY, host: '::1', port: 5, protocol: 'http', swarmId: 7n } as const
const message = { hash: HASH, timestamp: NOW_MS, expiration: NOW_MS, data: 'AA==' }
const entry = { hash: HASH, signature: 'A'.repeat(86), expiry: NOW_MS, deleted: [HASH] }

const answers: readonly [string, object, (answer: unknown) => unknown][] = [
  ['store', { swarm: { [KEY]: entry }, hash: HASH, t: NOW_MS }, answer => parseStoreResult(wasm, answer)],
  ['delete', { swarm: { [KEY]: entry }, t: NOW_MS }, parseDeleteResult],
  ['retrieve', { messages: [message], more: false, t: NOW_MS }, parseRetrieveResult],
  ['get_swarm', { ...encodeSwarm([node], 7n), t: NOW_MS }, parseGetSwarmResult],
  ['oxend_request', { result: { service_node_states: [encodeServiceNode(node)] } }, parseServiceNodesResult],
  ['info', { version: [2, 8, 0], timestamp: NOW_MS, t: NOW_MS }, parseInfoResult],
  ['batch', { results: [{ code: 200, body: {} }] }, answer => parseBatchResult(answer, 1)],
  ['sequence', { results: [{ code: 401, body: 'x' }] }, answer => parseSequenceResult(answer, 2)],
]

/** The value with one of its parts, at any depth, exchanged. */
function exchangedIn(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null) return anyValue
  const parts = Object.entries(value).map(([name, part]) =>
    exchangedIn(part).map(changed =>
      Array.isArray(value) ? value.map((item, at) => (String(at) === name ? changed : item)) : { ...value, [name]: changed },
    ),
  )
  return fc.oneof(anyValue, ...parts)
}

describe('fuzz: answers', () => {
  it.each(answers)('to %s', (_, answer, parse) => {
    expect(() => parse(answer)).not.toThrow()
    fc.assert(
      fc.property(exchangedIn(answer), changed => {
        expectOrderly(
          JSON.stringify(changed) ?? '',
          () => parse(changed),
          ({ code, retry }) => {
            if (code !== 'malformed' || retry !== 'other-node') throw new Error(`${code} ${retry}`)
          },
        )
      }),
      { numRuns: fuzzRuns },
    )
  })
})
