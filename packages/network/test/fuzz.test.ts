import { encodeUtf8 } from '@session-v2/encoding'
import {
  decodeRequest,
  encodeRequest,
  encodeServiceNode,
  encodeSwarm,
  NetworkError,
  parseBatchResult,
  parseDeleteAllResult,
  parseDeleteBeforeResult,
  parseDeleteResult,
  parseExpireAllResult,
  parseExpireResult,
  parseGetExpiriesResult,
  parseGetSwarmResult,
  parseIfelseResult,
  parseInfoResult,
  parseMonitorMessage,
  parseRetrieveResult,
  parseRevokedSubaccountsResult,
  parseRevokeResult,
  parseSequenceResult,
  parseServiceNodesResult,
  parseStoreResult,
  parseUnrevokeResult,
  type RpcRequest,
} from '@session-v2/network'
import { type Decoded, inTime } from '@session-v2/tools/fuzz'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alice, HASH, readAtNode, requests } from './corpus.ts'
import { fuzzRuns, NOW_MS, wasm } from './owners.ts'

const { accountId } = alice

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
    'all',
    'A'.repeat(48),
    '00'.repeat(36),
    [HASH],
    [NOW_MS],
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
  'subaccount_sig',
  'sig_timestamp',
  'required',
  'messages',
  'extend',
  'revoke',
  'before',
  'if',
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
  expectOrderly(bytes, () => readAtNode(decodeRequest(bytes)), expectRefusal)
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
const signature = 'A'.repeat(86)
const entry = { hash: HASH, signature, expiry: NOW_MS, deleted: [HASH], count: 1 }
const swarm = { swarm: { [KEY]: entry }, t: NOW_MS }
const expired = { expiry: [NOW_MS], updated: [HASH], unchanged: { [HASH]: NOW_MS }, signature }
const everywhere = { swarm: { [KEY]: { deleted: { '-21': [HASH] }, updated: { 0: [HASH] }, signature } }, t: NOW_MS }
const asked = { accountId, timestampMs: NOW_MS, beforeMs: NOW_MS, expiryMs: NOW_MS, tokens: [], hashes: [HASH] }
const condition = { hf: [19, 4], v: [2, 8, 0], height: 5, condition: true, result: { code: 200, body: {} } }

const answers: readonly [string, object, (answer: unknown) => unknown][] = [
  ['store', { ...swarm, hash: HASH }, answer => parseStoreResult(wasm, answer)],
  ['delete', swarm, parseDeleteResult],
  ['delete_all', everywhere, answer => parseDeleteAllResult(wasm, answer, asked)],
  ['delete_before', swarm, answer => parseDeleteBeforeResult(wasm, answer, asked)],
  ['expire_all', everywhere, answer => parseExpireAllResult(wasm, answer, asked)],
  ['expire', { swarm: { [KEY]: expired } }, answer => parseExpireResult(wasm, answer, asked)],
  ['revoke_subaccount', swarm, answer => parseRevokeResult(wasm, answer, asked)],
  ['unrevoke_subaccount', swarm, answer => parseUnrevokeResult(wasm, answer, asked)],
  ['get_expiries', { expiries: { [HASH]: NOW_MS } }, parseGetExpiriesResult],
  ['revoked_subaccounts', { revoked_subaccounts: ['A'.repeat(48)] }, parseRevokedSubaccountsResult],
  ['ifelse', condition, parseIfelseResult],
  ['retrieve', { messages: [message], more: false, t: NOW_MS }, parseRetrieveResult],
  ['get_swarm', { ...encodeSwarm([node], 7n), t: NOW_MS }, parseGetSwarmResult],
  ['oxend_request', { result: { service_node_states: [encodeServiceNode(node)] } }, parseServiceNodesResult],
  ['info', { version: [2, 8, 0], timestamp: NOW_MS, t: NOW_MS }, parseInfoResult],
  ['batch', { results: [{ code: 200, body: {} }] }, answer => parseBatchResult(answer, 1)],
  ['sequence', { results: [{ code: 401, body: 'x' }] }, answer => parseSequenceResult(answer, 2)],
  ['monitor', { '@': accountId, h: HASH, n: 0, t: NOW_MS, z: NOW_MS, '~': 'AA==' }, parseMonitorMessage],
  ['monitor at its end', { '@': accountId, errcode: 6, error: 'x', ...encodeSwarm([node], 7n) }, parseMonitorMessage],
  ['monitor requests', [{ success: 1 }, { errcode: 3, error: 'x' }], parseMonitorMessage],
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
