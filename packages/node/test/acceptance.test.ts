/**
 * What any storage node answers over HTTP: paths, envelope, texts, order of checks, hashes, signatures, limits. It is asked by a client
 * of its own. `NODE_URL` names another node to test, alone in its swarm (behind a certificate of its own, with
 * `NODE_TLS_REJECT_UNAUTHORIZED=0`).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Account,
  DAY_MS,
  HOUR_MS,
  hashOf,
  isSignedBy,
  newAccount,
  retrieveParams,
  storeParams,
  Target,
  targetNetwork,
} from './acceptance-client.ts'

let network: Awaited<ReturnType<typeof targetNetwork>>
let node: Target
const [alice, bob] = [newAccount(), newAccount('03')]
const pubkey = alice.id
const none = 'A'.repeat(43)
const forged = newAccount().sign('')

beforeAll(async () => {
  network = await targetNetwork('NODE_URL')
  node = await Target.at(network.url)
})
afterAll(() => network.close())

async function expectText(answer: Promise<unknown>, status: number, text: string): Promise<void> {
  expect(await answer).toMatchObject({ status, type: 'text/plain', body: text })
}

describe('a node over HTTP (NODE-60, RPC-03)', () => {
  it.each([
    ['', 'invalid json'],
    ['nonsense', 'invalid json'],
    ['{"method":', 'invalid json'],
    ['[]', 'invalid json: no `method` field'],
    ['{"method":3,"params":{}}', 'invalid json: no `method` field'],
    ['{"method":"info"}', 'invalid json: no `params` field'],
    ['{"method":"info","params":null}', 'invalid json: no `params` field'],
    ['{"method":"nothing","params":{}}', 'no method nothing'],
  ])('refuses %s', (body, text) => expectText(node.send('/storage_rpc/v1', { body }), 400, text))
  it.each([
    ['GET', '/'],
    ['GET', '/storage_rpc/v1'],
    ['OPTIONS', '/storage_rpc/v1'],
    ['POST', '/storage_rpc/v2'],
    ['GET', '/ping_test/v1'],
    ['POST', '/get_stats/v1'],
    ['GET', '/onion_req/v2'],
  ])('has no %s %s', (method, path) => expectText(node.send(path, { method }), 404, `${method.toLowerCase()} ${path} Not Found`))
  it('says who it is, and its version', async () => {
    const { status, body, headers } = await node.send('/ping_test/v1')
    const key = Buffer.from(headers.get('x-oxen-snode-pubkey')!, 'base64')
    expect([status, body, key.length]).toEqual([200, '', 32])
    const stats = await node.send('/get_stats/v1', { method: 'GET' })
    expect(stats).toMatchObject({
      status: 200,
      type: 'application/json',
      body: { version: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    })
  })
  it('tells version, time and hard fork', async () => {
    const { body } = await node.ask('info', {})
    const [at, integer] = [body.t, expect.any(Number)]
    expect(body).toEqual({ version: [integer, integer, integer], timestamp: expect.any(Number), t: at, hf: [integer, integer] })
    expect(Math.abs(at - Date.now())).toBeLessThan(10_000)
  })
  it('refuses a body over 10 MiB by its length, and does not keep who wants to wait', async () => {
    const { status, body } = await node.declare(10_485_761)
    expect([status, body]).toEqual([413, 'Request body too large'])
    const waiting = { body: '{"method":"info","params":{}}', headers: { 'x-loki-long-poll': '1' } }
    expect((await node.send('/storage_rpc/v1', waiting)).status).toBe(410)
  })
})

describe('fields (RPC-13, RPC-14)', () => {
  const now = Date.now()
  it.each<[string, object, string]>([
    ['store', { timestamp: now, ttl: HOUR_MS, data: '' }, "Required field 'pubkey' missing"],
    ['store', { pubkey, ttl: HOUR_MS, data: '' }, "Required field 'timestamp' missing"],
    ['store', { pubkey, timestamp: now, ttl: HOUR_MS }, "Required field 'data' missing"],
    ['store', { pubkey, timestamp: now, ttl: HOUR_MS, data: null }, "Required field 'data' missing"],
    [
      'store',
      { pubkey, timestamp: now, expiry: 5, data: '' },
      "Invalid timestamp for 'expiry': timestamp must be in milliseconds",
    ],
    ['store', { pubkey, pubKey: pubkey, timestamp: now }, "Cannot specify both 'pubkey' and 'pubKey'"],
    ['store', { pubkey: '05', timestamp: now, ttl: HOUR_MS, data: '' }, 'Pubkey must be 66 hex digits (33 bytes) long'],
    ['store', { pubkey, timestamp: now, ttl: HOUR_MS, data: '', namespace: 32_768 }, 'value out of range'],
    ['get_swarm', {}, "Required field 'pubkey' missing"],
    ['get_swarm', { pubkey: `${pubkey}00` }, 'Pubkey must be 66 hex digits/33 bytes long'],
    ['retrieve', { pubkey, namespace: 2 }, "Required field 'signature' missing"],
    ['retrieve', { pubkey, namespace: -10, timestamp: now }, "Required field 'signature' missing"],
    ['retrieve', { pubkey, signature: forged }, "Required field 'timestamp' missing"],
    ['retrieve', { pubkey: bob.id, pubkey_ed25519: bob.ed25519 }, 'pubkey_ed25519 is only permitted for 05[...] pubkeys'],
    ['delete', { pubkey, messages: [], signature: forged }, 'messages does not contain any message hashes'],
    ['delete', { pubkey, messages: [none] }, "Required field 'signature' missing"],
    ['delete_all', { pubkey, timestamp: 5 }, "Invalid timestamp for 'timestamp': timestamp must be in milliseconds"],
    ['delete_before', { pubkey, signature: forged }, "Required field 'before' missing"],
    ['expire', { pubkey, messages: [none], signature: forged }, "Required field 'expiry' missing"],
    ['oxend_request', { endpoint: 'stop' }, "Invalid oxend endpoint 'stop'"],
    ['batch', { requests: [{ method: 'get_swarm', params: {} }] }, "Required field 'pubkey' missing"],
  ])('refuses %s %o', (method, params, text) => expectText(node.ask(method, params), 400, `invalid request: ${text}`))
  it('may be texts of digits, an alias, one for a list, null for none, and base64 without padding', async () => {
    const account = newAccount()
    const params = { pubKey: account.id, timestamp: String(now), ttl: String(HOUR_MS), data: 'YQ', namespace: null }
    const { hash } = (await node.ask('store', params)).body
    expect(hash).toBe(hashOf(account, 0, 'a'))
    expect((await node.ask('retrieve', retrieveParams(account, 0, { lastHash: '' } as object))).body.messages).toHaveLength(1)
    const one = { pubkey: account.id, messages: hash, ...account.auth, signature: account.sign(`delete${hash}`).slice(0, 86) }
    expect((await node.entry('delete', one)).deleted).toEqual([hash])
  })
})

describe('what a request may do, checked in order (RPC-71 to RPC-75)', () => {
  const clock = 'Timestamp error: check your clock'
  const ttl = 'Provided expiry/TTL is not valid.'
  const ago = (ms: number) => ({ timestamp: Date.now() - ms })
  const signed = (method: string, text: string, fields: object, who = alice) =>
    node.ask(method, { pubkey: who.id, ...who.auth, signature: who.sign(method, text), ...fields })
  it.each<[string, number, number, object, string]>([
    ['a long life before a wrong clock', 403, 0, { ttl: 14 * DAY_MS + 1, timestamp: 0 }, ttl],
    ['a short life', 403, 0, { ttl: 9_999 }, ttl],
    ['a long life elsewhere', 403, 2, { ttl: 30 * DAY_MS + 1 }, ttl],
    ['a time ahead', 406, 0, { timestamp: Date.now() + 3_600_000 }, clock],
    ['a time in seconds before no signature', 406, 2, { timestamp: 1_700_000_000, signature: null }, clock],
    ['no signature', 401, -21, { signature: null }, 'store: signature required to store to namespace -21'],
    ['an old signature', 406, 2, { sig_timestamp: Date.now() - 61_000 }, 'store signature timestamp too far from current time'],
    ['a wrong signature', 401, 2, { signature: forged }, 'store signature verification failed'],
    ['a wrong key', 401, 2, { pubkey_ed25519: bob.ed25519 }, 'store signature verification failed'],
  ])('store: %s is %i', (_, status, namespace, more, text) =>
    expectText(node.store(alice, namespace, 'x', more as Record<string, unknown>), status, text),
  )
  it.each<[string, number, object, string]>([
    ['no signature', 401, { pubkey, signature: null, timestamp: null, pubkey_ed25519: null }, 'request signature required'],
    ['an old one, also a wrong', 406, { ...ago(61_000), signature: forged }, 'timestamp too far from current time'],
    ['a wrong one', 401, { signature: forged }, 'signature verification failed'],
  ])('retrieve: %s is %i', (what, status, more, text) =>
    expectText(
      node.ask('retrieve', retrieveParams(alice, 0, more)),
      status,
      `retrieve${what === 'no signature' ? ':' : ''} ${text}`,
    ),
  )
  const late = Date.now() - 61_000
  const ahead = Date.now() + 3_600_000
  it.each<[string, number, string, object, string]>([
    ['delete', 401, '', { messages: [none] }, 'delete_msgs signature verification failed'],
    ['delete_all', 406, `${late}`, { timestamp: late }, 'delete_all timestamp too far from current time'],
    ['delete_before', 401, `${ahead}`, { before: ahead }, 'delete_before timestamp too far in the future'],
    ['expire', 401, `${late}${none}`, { expiry: late, messages: [none] }, 'expire: timestamp should be >= current time'],
    ['expire', 401, '', { expiry: ahead, messages: [none] }, 'expire: signature verification failed'],
    ['expire_all', 406, `${late}`, { expiry: late }, 'expire_all timestamp should be >= current time'],
    ['expire_all', 401, '', { expiry: ahead }, 'expire_all signature verification failed'],
    ['get_expiries', 406, '', { messages: [none], timestamp: late }, 'get_expiries timestamp too far from current time'],
    ['revoked_subaccounts', 406, '', { timestamp: late }, 'revoked_subaccounts timestamp too far from current time'],
  ])('%s is %i, signed "%s"', (method, status, text, fields, reason) => expectText(signed(method, text, fields), status, reason))
})

describe('namespaces (NS-02)', () => {
  it.each([0, 10, -10, -20])('%i takes messages of strangers for 14 days', async namespace => {
    const { status, body } = await node.store(alice, namespace, 'x', { ttl: 14 * DAY_MS })
    expect([status, body.hash]).toEqual([200, hashOf(alice, namespace, 'x')])
  })
  it.each([1, 2, 11, 21, -1, -11, -21, -32768, 32767])('%i takes those of its owner for 30 days', async namespace => {
    const { status, body } = await node.store(bob, namespace, 'x', { ttl: 30 * DAY_MS })
    expect([status, body.hash]).toEqual([200, hashOf(bob, namespace, 'x')])
  })
  it.each([-10, -1, -21, -41, -3741])('%i is read by anyone', async namespace => {
    expect((await node.ask('retrieve', { pubkey, namespace })).status).toBe(200)
  })
  it('an outbox holds the newest, the testing namespace nothing', async () => {
    const account = newAccount()
    const timestamp = Date.now()
    for (const [text, age] of [
      ['a', 2],
      ['b', 1],
      ['c', 3],
    ] as const) {
      const { status } = await node.store(account, -21, text, { timestamp: timestamp - age })
      expect(status).toBe(200)
    }
    expect(await node.texts(account, -21)).toEqual(['b'])
    const { status, body } = await node.ask('retrieve', { pubkey: account.id, namespace: -3741 })
    expect([status, body.messages, body.more]).toEqual([200, [], false])
  })
})

describe('a mailbox', () => {
  it('keeps a message once, with the longer life and its place, and signs that it does (RPC-52, NODE-24)', async () => {
    const account = newAccount()
    const timestamp = Date.now()
    const entry = async (more: object) => node.entry('store', storeParams(account, 0, 'a', { timestamp, ...more }))
    const hash = hashOf(account, 0, 'a')
    const first = await entry({})
    expect(first).toMatchObject({ hash, expiry: timestamp + HOUR_MS })
    expect([first.already, isSignedBy(node.ed25519, first.signature, hash)]).toEqual([undefined, true])
    await node.store(account, 0, 'b')
    expect(await entry({ ttl: 2 * HOUR_MS })).toMatchObject({ already: true, expiry: timestamp + 2 * HOUR_MS })
    expect(await entry({ ttl: HOUR_MS })).toMatchObject({ already: true, expiry: timestamp + 2 * HOUR_MS })
    const { body } = await node.ask('retrieve', retrieveParams(account, 0))
    const [message] = body.messages
    expect(message).toEqual({ hash, timestamp, expiration: timestamp + 2 * HOUR_MS, data: 'YQ==' })
    expect(await node.texts(account)).toEqual(['a', 'b'])
  })
  it('is not lost to a stranger who stores the same hash in another namespace (RPC-12)', async () => {
    const account = newAccount()
    await node.store(account, 0, '2x')
    expect(hashOf(account, 0, '2x')).toBe(hashOf(account, 2, 'x'))
    expect((await node.entry('store', storeParams(account, 2, 'x'))).already).toBe(undefined)
    expect(await node.texts(account, 2)).toEqual(['x'])
  })
  it('is read in order, from behind a message, in pages (RPC-55)', async () => {
    const account = newAccount()
    const texts = ['a', 'b', 'c', 'd', 'e']
    for (const text of texts) await node.store(account, 0, text)
    const page = async (more: object) => {
      const { body } = await node.ask('retrieve', retrieveParams(account, 0, more))
      return [body.messages.map(({ data }: { data: string }) => atob(data)).join(''), body.more]
    }
    const last_hash = hashOf(account, 0, 'b')
    expect(await page({ last_hash })).toEqual(['cde', false])
    expect(await page({ last_hash: none })).toEqual(['abcde', false])
    expect(await page({ last_hash, max_count: 2 })).toEqual(['cd', true])
    expect(await page({ last_hash, max_count: 3 })).toEqual(['cde', false])
    expect(await page({ max_size: 1 })).toEqual(['a', true])
    for (const wrong of ['abc', '*'.repeat(43)])
      expect((await node.ask('retrieve', retrieveParams(account, 0, { last_hash: wrong } as object))).status).toBe(400)
  })
  it('is read within a budget, of which −k is a k-th (RPC-10)', async () => {
    const account = newAccount()
    for (let at = 0; at < 16; at++) await node.store(account, 0, Buffer.alloc(76_800, at))
    expect((await node.store(account, 0, Buffer.alloc(76_801))).status).toBe(400)
    const cost = 100 + 43 + 102_400
    const sizes = [
      [0, 15],
      [-5, 15],
      [-1, 16],
      [-7, 10],
      [-20, 3],
      [-1000, 1],
      [3 * cost, 3],
      [3 * cost - 1, 2],
    ] as const
    for (const [max_size, count] of sizes) {
      const { body } = await node.ask('retrieve', retrieveParams(account, 0, { max_size } as object))
      expect([max_size, body.messages.length, body.more]).toEqual([max_size, count, count < 16])
    }
  })
  it('serves nothing from the moment it expires (NODE-23)', async () => {
    const account = newAccount()
    const { status } = await node.store(account, 0, 'over', { timestamp: Date.now() - 15_000, ttl: 10_000 })
    expect(status).toBe(200)
    await node.store(account, 0, 'not over')
    expect(await node.texts(account)).toEqual(['not over'])
  })
})

/** An account with a message in each of these namespaces, and its hashes. */
async function filled(
  ...namespaces: number[]
): Promise<{ readonly account: Account; readonly at: number; readonly hashes: string[] }> {
  const account = newAccount()
  const at = Date.now()
  for (const namespace of namespaces) await node.store(account, namespace, 'x', { timestamp: at })
  return { account, at, hashes: namespaces.map(namespace => hashOf(account, namespace, 'x')) }
}

function signedParams(account: Account, text: string, fields: object) {
  return { pubkey: account.id, ...account.auth, signature: account.sign(text), ...fields }
}

describe('a change, and what the member signs of it (RPC-22)', () => {
  it('delete', async () => {
    const { account, hashes } = await filled(0, 2)
    const messages = [hashes[1]!, none, hashes[0]!]
    const params = signedParams(account, `delete${messages.join('')}`, { messages, required: true })
    const { deleted, signature } = await node.entry('delete', params)
    expect(deleted).toEqual(hashes.toSorted())
    expect(isSignedBy(node.ed25519, signature, account.id, ...messages, ...deleted)).toBe(true)
    const again = await node.ask('delete', params)
    expect([again.status, again.body.swarm[node.ed25519].deleted]).toEqual([404, []])
  })
  it.each<[string, string]>([
    ['delete_all', 'timestamp'],
    ['delete_before', 'before'],
    ['expire_all', 'expiry'],
  ])('%s, of one namespace and of all', async (method, field) => {
    const { account, at, hashes } = await filled(0, 2, 10)
    const change = async (namespace: number | 'all') => {
      const text = `${method}${namespace || ''}${at}`
      const entry = await node.entry(method, signedParams(account, text, { namespace, [field]: at }))
      const changed = entry.deleted ?? entry.updated
      const sorted = Object.values(changed as Record<string, string>)
        .flat()
        .sort()
      expect(isSignedBy(node.ed25519, entry.signature, account.id, `${at}`, ...sorted)).toBe(true)
      return changed
    }
    expect(await change(0)).toEqual([hashes[0]])
    expect(await change('all')).toEqual({ 2: [hashes[1]], 10: [hashes[2]] })
    expect(await change('all')).toEqual({})
  })
  it('expire: set, only lowered, only raised, several, and at most 30 days', async () => {
    const { account, at, hashes } = await filled(0, 2)
    const expire = async (mode: string, expiries: readonly number[]) => {
      const expiry = expiries.length === 1 ? expiries[0] : expiries
      const text = `expire${mode}${expiries.join('')}${hashes.join('')}`
      const fields = { messages: hashes, expiry, ...(mode && { [mode]: true }) }
      const entry = await node.entry('expire', signedParams(account, text, fields))
      const unchanged = Object.entries<number>(entry.unchanged ?? {}).sort()
      const said = [entry.expiry, hashes, entry.updated, unchanged].flat(2).map(String)
      expect(isSignedBy(node.ed25519, entry.signature, account.id, ...said)).toBe(true)
      return entry
    }
    const [low, middle, high] = [at + HOUR_MS / 2, at + 2 * HOUR_MS, at + 3 * HOUR_MS]
    const both = hashes.toSorted()
    expect(await expire('', [middle])).toMatchObject({ expiry: middle, updated: both })
    expect(await expire('extend', [low])).toMatchObject({
      updated: [],
      unchanged: { [hashes[0]!]: middle, [hashes[1]!]: middle },
    })
    expect(await expire('extend', [high, low])).toMatchObject({
      expiry: [high],
      updated: [hashes[0]],
      unchanged: { [hashes[1]!]: middle },
    })
    expect(await expire('shorten', [middle])).toMatchObject({ updated: [hashes[0]], unchanged: { [hashes[1]!]: middle } })
    const byHash = new Map([
      [hashes[0], low],
      [hashes[1], high],
    ])
    expect(await expire('', [low, high])).toMatchObject({ updated: both, expiry: both.map(hash => byHash.get(hash)) })
    const { expiry } = await expire('', [at + 40 * DAY_MS])
    expect(Math.abs(expiry - at - 30 * DAY_MS)).toBeLessThan(10_000)
    const asked = signedParams(account, `get_expiries${at}${hashes.join('')}`, { messages: hashes, timestamp: at })
    expect((await node.ask('get_expiries', asked)).body).toEqual({ expiries: { [hashes[0]!]: expiry, [hashes[1]!]: expiry } })
  })
})
