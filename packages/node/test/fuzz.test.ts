import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  buildDeleteAll,
  buildDeleteBefore,
  buildExpire,
  buildExpireAll,
  buildGetExpiries,
  buildIfelse,
  buildRevokedSubaccounts,
  buildRevokeSubaccount,
  buildUnrevokeSubaccount,
  decodeAnswer,
  encodeRequest,
  type RequestSigner,
  type RpcRequest,
} from '@session-v2/network'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerClient, answerPeer } from '../src/rpc/rpc.ts'
import type { NodeServices } from '../src/rpc/services.ts'
import type { MessageStore } from '../src/store/store.ts'
import { encodeForwarded } from '../src/swarm/forwarded-request.ts'
import { NetworkUnderTest, openServices, post } from './network-under-test.ts'

const RUNS = Number(process.env.FUZZ_RUNS ?? 2000)
/** Judged in the longer run only (`npm run fuzz`). */
const SLOW_MS = process.env.FUZZ_SUMMARY === undefined ? Number.POSITIVE_INFINITY : 50
const TIMEOUT_MS = 60_000 + 5 * RUNS
const STATUSES = [200, 400, 401, 403, 404, 406]

const BT_DICT = 0x64
const HASHES = ['A'.repeat(43), 'B'.repeat(43)]

let test: NetworkUnderTest
let directory: string
let store: MessageStore
let node: NodeServices
let requests: Record<string, RpcRequest>

/** A valid request of every method, which the mutations start from. */
function corpus(alice: RequestSigner): Record<string, RpcRequest> {
  const { crypto } = test
  const timestampMs = test.clock.ms
  const signer = test.subaccount(alice, 15)
  const requests = {
    info: { method: 'info', params: {} },
    get_swarm: { method: 'get_swarm', params: { pubkey: alice.accountId } },
    store: test.storeRequest(alice, 'hello', 2),
    retrieve: test.retrieveRequest(alice, 2, { max_count: 3, max_size: -5, last_hash: 'A'.repeat(43) }),
    delete: test.deleteRequest(alice, HASHES, true),
    delete_all: buildDeleteAll(crypto, { namespace: 'all', timestampMs, signer }),
    delete_before: buildDeleteBefore(crypto, { namespace: 'all', beforeMs: timestampMs, signer }),
    expire: buildExpire(crypto, { hashes: HASHES, expiriesMs: [timestampMs, timestampMs + 1], mode: 'extend', signer }),
    expire_all: buildExpireAll(crypto, { namespace: 'all', expiryMs: timestampMs, signer }),
    get_expiries: buildGetExpiries(crypto, { hashes: HASHES, timestampMs, signer }),
    revoke_subaccount: buildRevokeSubaccount(crypto, { tokens: [signer.token], timestampMs, signer: alice }),
    unrevoke_subaccount: buildUnrevokeSubaccount(crypto, { tokens: [signer.token], timestampMs, signer: alice }),
    revoked_subaccounts: buildRevokedSubaccounts(crypto, { timestampMs, signer: alice }),
    active_nodes_bin: { method: 'active_nodes_bin', params: {} },
    oxend_request: {
      method: 'oxend_request',
      params: { endpoint: 'get_service_nodes', params: { fields: { swarm: true }, limit: 1 } },
    },
  }
  const all = [requests.info, requests.retrieve, requests.get_swarm]
  const meta = {
    batch: { method: 'batch', params: { requests: all } },
    sequence: { method: 'sequence', params: { requests: all } },
    ifelse: buildIfelse({
      condition: { hfAtLeast: [19, 3], versionBefore: [3], heightAtLeast: 0 },
      whenHolds: requests.retrieve,
      otherwise: { method: 'batch', params: { requests: all } },
    }),
  }
  return { ...requests, ...meta }
}

beforeAll(async () => {
  test = await NetworkUnderTest.start()
  requests = corpus(test.account())
  directory = mkdtempSync(join(tmpdir(), 'fuzz-'))
  node = await openServices(directory, test.clock)
  store = node.store
})
afterAll(async () => {
  await store.close()
  await test.close()
  rmSync(directory, { recursive: true, force: true })
})

const junk = fc.oneof(
  fc.constantFrom(null, true, '', '0', -1, 2 ** 53, 1e308, 'A'.repeat(43), [], {}, '__proto__', 'constructor', ' ', '\u0000'),
  fc.json().map(text => JSON.parse(text) as unknown),
  fc.string(),
  fc.integer(),
)

/** One field anywhere in a value replaced, removed or added. */
function mutate(value: unknown, path: number, replacement: unknown): unknown {
  if (typeof value !== 'object' || value === null) return replacement
  const keys = Object.keys(value)
  // An object of junk may have a `toString` that is no function: only JSON can always say it.
  const name = typeof replacement === 'string' ? replacement : JSON.stringify(replacement)
  if (keys.length === 0 || path % 7 === 6) return { ...value, [name]: replacement }
  const key = keys[path % keys.length]!
  const rest = Math.floor(path / keys.length)
  const inner = (value as Record<string, unknown>)[key]
  const changed = rest % 3 === 0 ? replacement : mutate(inner, rest, replacement)
  if (Array.isArray(value)) return value.map((item, i) => (String(i) === key ? changed : item))
  return { ...value, [key]: changed }
}

/** A request with one or two fields changed, and with bytes changed, in JSON and in bt. */
function broken(request: RpcRequest): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(), junk)
  const fields = fc
    .array(change, { minLength: 1, maxLength: 2 })
    .map(changes =>
      Buffer.from(JSON.stringify(changes.reduce<unknown>((value, [path, other]) => mutate(value, path, other), request)) ?? ''),
    )
  const forms = [encodeRequest(request), encodeForwarded(encodeRequest(request, 'bt'), { atMs: test.clock.ms, late: true })]
  const [bytes, cut] = [changedBytes, cutBytes].map(mutation => fc.oneof(...forms.map(mutation)))
  return fc.oneof({ arbitrary: fields, weight: 6 }, { arbitrary: bytes!, weight: 4 }, { arbitrary: cut!, weight: 1 })
}

function changedBytes(body: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc.array(fc.tuple(fc.nat(body.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }).map(changes => {
    const copy = body.slice()
    for (const [at, byte] of changes) copy[at] = byte
    return copy
  })
}

function cutBytes(body: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc.nat(body.length - 1).map(size => body.slice(0, size))
}

const METHODS = [
  'info',
  'get_swarm',
  'store',
  'retrieve',
  'delete',
  'delete_all',
  'delete_before',
  'expire',
  'expire_all',
  'get_expiries',
  'revoke_subaccount',
  'unrevoke_subaccount',
  'revoked_subaccounts',
  'active_nodes_bin',
  'oxend_request',
  'batch',
  'sequence',
  'ifelse',
]

type Ask = (node: NodeServices, body: Uint8Array) => Promise<{ status: number; body: unknown }>

/** Answers with a status, and keeps no message that it does not acknowledge. */
async function behaves(ask: Ask, body: Uint8Array): Promise<void> {
  const rows = await store.count()
  const { status, body: answer } = await ask(node, body)
  expect(STATUSES).toContain(status)
  const said = answer instanceof Uint8Array && answer[0] === BT_DICT ? decodeAnswer('bt', answer) : answer
  const acknowledged = typeof said === 'object' && said !== null && ('swarm' in said || 'signature' in said)
  if (!acknowledged) expect(await store.count()).toBe(rows)
}

/** The fastest of up to three runs: other work on the machine is not the node's fault. */
async function elapsedMs(run: () => Promise<void>): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < 3 && fastest >= SLOW_MS; tries++) {
    const began = performance.now()
    await run()
    fastest = Math.min(fastest, performance.now() - began)
  }
  return fastest
}

describe('fuzz of requests', { timeout: TIMEOUT_MS }, () => {
  for (const method of METHODS) {
    it(`${method}: answers with a status, soon, and stores nothing it did not acknowledge`, async () => {
      const property = fc.asyncProperty(
        broken(requests[method]!),
        fc.constantFrom<Ask>(answerClient, answerPeer),
        async (body, ask) => {
          expect(await elapsedMs(() => behaves(ask, body))).toBeLessThan(SLOW_MS)
        },
      )
      await fc.assert(property, { numRuns: RUNS })
    })
  }
  it('bytes of any kind are refused', async () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async body => {
      expect((await answerClient(node, body)).status).toBe(400)
    })
    await fc.assert(property, { numRuns: RUNS })
  })
  it('deep and wide JSON is refused quickly', async () => {
    for (const text of [
      '['.repeat(5_000_000),
      '{"a":'.repeat(1_000_000),
      `[${'0,'.repeat(2_000_000)}0]`,
      `"${'\\'.repeat(1_000_001)}`,
    ]) {
      expect((await answerClient(node, Buffer.from(text))).status).toBe(400)
    }
  })
})

describe('fuzz over HTTP', { timeout: TIMEOUT_MS }, () => {
  for (const method of METHODS) {
    it(`${method}: a typed status each`, async () => {
      const property = fc.asyncProperty(broken(requests[method]!), async body => {
        expect(STATUSES).toContain((await post(test.url(), body)).status)
      })
      await fc.assert(property, { numRuns: Math.ceil(RUNS / 10) })
    })
  }
  it('the node lives', async () => {
    expect((await test.ask('info', {})).status).toBe(200)
  })
})
