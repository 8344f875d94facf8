/**
 * The second part of `acceptance.test.ts`: who else may act for an account, requests within requests, what a node tells of its network,
 * and the form that is bt. `NODE_URL` as there.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Account,
  bencode,
  HOUR_MS,
  hashOf,
  isSignedBy,
  newAccount,
  newSubaccount,
  retrieveParams,
  type Subaccount,
  storeParams,
  Target,
  targetNetwork,
} from './acceptance-client.ts'

let network: Awaited<ReturnType<typeof targetNetwork>>
let node: Target
const [READ, WRITE, DELETE, ANY_PREFIX] = [1, 2, 4, 8] as const
const info = { method: 'info', params: {} }

beforeAll(async () => {
  network = await targetNetwork('NODE_URL')
  node = await Target.at(network.url)
})
afterAll(() => network.close())

const statusOf = async (method: string, params: object): Promise<number> => (await node.ask(method, params)).status

/** What a subaccount with these rights is answered, by method. */
async function statuses(owner: Account, sub: Subaccount): Promise<Record<string, number>> {
  const hash = hashOf(owner, 2, 'x')
  await node.store(owner, 2, 'x')
  const at = Date.now()
  const signed = (text: string, fields: object) => ({ pubkey: owner.id, ...sub.auth, signature: sub.sign(text), ...fields })
  const get = signed(`get_expiries${at}${hash}`, { messages: [hash], timestamp: at })
  const expire = signed(`expire${at}${hash}`, { messages: [hash], expiry: at })
  const shorten = signed(`expireshorten${at}${hash}`, { messages: [hash], expiry: at, shorten: true })
  return {
    retrieve: await statusOf('retrieve', retrieveParams(sub, 2)),
    get_expiries: await statusOf('get_expiries', get),
    store: await statusOf('store', storeParams(sub, 2, 'y')),
    outbox: await statusOf('store', storeParams(sub, -21, 'y')),
    expire: await statusOf('expire', expire),
    shorten: await statusOf('expire', shorten),
    delete: await statusOf('delete', signed(`delete${hash}`, { messages: [hash] })),
    delete_all: await statusOf('delete_all', signed(`delete_all5${at}`, { namespace: 5, timestamp: at })),
    delete_before: await statusOf('delete_before', signed(`delete_before5${at}`, { namespace: 5, before: at })),
    expire_all: await statusOf('expire_all', signed(`expire_all5${at}`, { namespace: 5, expiry: at })),
  }
}

const reading = { retrieve: 200, get_expiries: 200 }
const noReading = { retrieve: 401, get_expiries: 401 }
const writing = { store: 200, outbox: 401, expire: 200, shorten: 400 }
const noWriting = { store: 401, outbox: 401, expire: 401, shorten: 401 }
const deleting = { delete: 200, delete_all: 200, delete_before: 200, expire_all: 200 }
const noDeleting = { delete: 401, delete_all: 401, delete_before: 401, expire_all: 401 }

describe.each(['05', '03'])('a subaccount of an account with prefix %s (SUB-04, SUB-05)', prefix => {
  const owner = newAccount(prefix)
  it.each<[number, object]>([
    [READ, { ...reading, ...noWriting, ...noDeleting }],
    [WRITE, { ...noReading, ...writing, ...noDeleting }],
    [DELETE, { ...noReading, ...noWriting, ...deleting }],
    [WRITE + DELETE, { ...noReading, ...writing, outbox: 200, shorten: 200, ...deleting }],
    [READ + WRITE + DELETE, { ...reading, ...writing, outbox: 200, shorten: 200, ...deleting }],
  ])('may with rights %i what they say', async (rights, allowed) => {
    expect(await statuses(owner, newSubaccount(owner, rights))).toEqual(allowed)
  })
  it('is for its prefix, signed by the owner, and signs itself', async () => {
    const elsewhere = prefix === '05' ? '03' : '05'
    const sub = newSubaccount(owner, READ)
    const retrieve = (who: Account) => statusOf('retrieve', retrieveParams(who, 2))
    expect(await retrieve(newSubaccount(owner, READ, elsewhere))).toBe(401)
    expect(await retrieve(newSubaccount(owner, READ + ANY_PREFIX, elsewhere))).toBe(200)
    expect(await retrieve({ ...sub, sign: owner.sign })).toBe(401)
    expect(await retrieve({ ...sub, auth: { ...sub.auth, subaccount_sig: owner.sign('another') } })).toBe(401)
    expect(await retrieve({ ...sub, auth: { ...sub.auth, subaccount: sub.token.toString('hex') } })).toBe(200)
    expect(await retrieve({ ...sub, auth: { ...owner.auth, subaccount: sub.auth.subaccount! } })).toBe(400)
    expect(await retrieve({ ...owner, auth: { ...owner.auth, subaccount: '', subaccount_sig: '' } })).toBe(200)
  })
  it('only raises what it may not delete', async () => {
    const at = Date.now()
    await node.store(owner, 2, 'raised', { timestamp: at })
    const hash = hashOf(owner, 2, 'raised')
    const sub = newSubaccount(owner, WRITE)
    const expire = (expiry: number) => {
      const signature = sub.sign(`expire${expiry}${hash}`)
      return node.entry('expire', { pubkey: owner.id, messages: [hash], expiry, ...sub.auth, signature })
    }
    expect((await expire(at + 2 * HOUR_MS)).updated).toEqual([hash])
    expect((await expire(at + HOUR_MS)).updated).toEqual([])
  })
})

describe('revocations (RPC-96, RPC-97, SUB-06)', () => {
  const change = (owner: Account, method: 'revoke' | 'unrevoke', subs: readonly Subaccount[], timestamp = Date.now()) => {
    const tokens = subs.map(({ token }) => token)
    const signature = owner.sign(`${method}_subaccount${timestamp}`, ...tokens)
    const list = tokens.map(token => token.toString('base64'))
    return { pubkey: owner.id, timestamp, [method]: list.length === 1 ? list[0] : list, ...owner.auth, signature }
  }
  it('last until they are taken back, with or without messages, and are signed', async () => {
    const owner = newAccount('03')
    const sub = newSubaccount(owner, READ + WRITE)
    const timestamp = Date.now()
    const entry = await node.entry('revoke_subaccount', change(owner, 'revoke', [sub], timestamp))
    expect(Object.keys(entry)).toEqual(['signature'])
    expect(isSignedBy(node.ed25519, entry.signature, `${owner.id}${timestamp}`, sub.token)).toBe(true)
    expect((await node.store(sub, 2, 'x')).status).toBe(401)
    expect(await statusOf('retrieve', retrieveParams(sub, 2))).toBe(401)
    expect(await statusOf('retrieve', retrieveParams(sub, -11))).toBe(200)
    const asked = { pubkey: owner.id, timestamp, signature: owner.sign(`revoked_subaccounts${timestamp}`) }
    const { body } = await node.ask('revoked_subaccounts', asked)
    expect(body).toMatchObject({ revoked_subaccounts: [sub.auth.subaccount], t: expect.any(Number), hf: expect.any(Array) })
    const both = [sub, newSubaccount(owner, READ)]
    const { count, signature } = await node.entry('unrevoke_subaccount', change(owner, 'unrevoke', both, timestamp))
    const tokens = both.map(({ token }) => token)
    expect([count, isSignedBy(node.ed25519, signature, `${owner.id}${timestamp}`, ...tokens)]).toEqual([1, true])
    expect((await node.store(sub, 2, 'x')).status).toBe(200)
  })
  it('are made by the owner, 50 at once, of which the newest 50 are kept', async () => {
    const owner = newAccount('03')
    const many = Array.from({ length: 51 }, () => newSubaccount(owner, READ))
    expect(await statusOf('revoke_subaccount', change(owner, 'revoke', many))).toBe(400)
    expect(await statusOf('revoke_subaccount', change(owner, 'revoke', many.slice(1)))).toBe(200)
    expect(await statusOf('revoke_subaccount', change({ ...owner, sign: many[1]!.sign }, 'revoke', [many[0]!]))).toBe(401)
    expect(await statusOf('revoke_subaccount', change(owner, 'revoke', [many[0]!]))).toBe(200)
    const timestamp = Date.now()
    const asked = { pubkey: owner.id, timestamp, signature: owner.sign(`revoked_subaccounts${timestamp}`) }
    const { revoked_subaccounts: kept } = (await node.ask('revoked_subaccounts', asked)).body
    expect([kept.length, kept.includes(many[0]!.auth.subaccount)]).toEqual([50, true])
  })
})

describe('requests within requests (RPC-68, RPC-69, RPC-98, RPC-99)', () => {
  const refused = { method: 'retrieve', params: { pubkey: newAccount().id } }
  const unsigned = { code: 401, body: 'retrieve: request signature required' }
  const hf = { hf_at_least: [1] }
  const choice = (condition: object, yes?: object, no?: object) => {
    return {
      if: condition,
      ...Object.fromEntries([
        ['then', yes],
        ['else', no],
      ]),
    }
  }
  it('a batch answers all in order, a sequence up to the first that fails', async () => {
    const { body } = await node.ask('batch', { requests: [info, refused, info] })
    const told = expect.objectContaining({ code: 200, body: expect.objectContaining({ version: expect.any(Array) }) })
    expect(body).toEqual({ results: [told, unsigned, told] })
    expect((await node.ask('sequence', { requests: [info, refused, info] })).body).toEqual({ results: [told, unsigned] })
  })
  it.each([
    ['no requests', 'batch', { requests: [] }],
    ['21 of them', 'batch', { requests: Array(21).fill(info) }],
    ['a batch', 'batch', { requests: [{ method: 'batch', params: { requests: [info] } }] }],
    ['an ifelse', 'sequence', { requests: [{ method: 'ifelse', params: choice(hf, info) }] }],
    ['one that cannot be read', 'batch', { requests: [info, { method: 'get_swarm', params: {} }] }],
    ['one without a method that is', 'sequence', { requests: [info, { method: 'nothing', params: {} }] }],
    ['no condition', 'ifelse', choice({}, info)],
    ['no branch', 'ifelse', choice(hf)],
    ['a branch that is not taken and cannot be read', 'ifelse', choice(hf, info, { method: 'store', params: {} })],
  ])('%s within: %s is 400', async (_, method, params) => {
    expect(await node.ask(method, params)).toMatchObject({ status: 400, type: 'text/plain' })
  })
  it('twenty are a batch', async () => {
    expect((await node.ask('batch', { requests: Array(20).fill(info) })).body.results).toHaveLength(20)
  })
  it.each<[object, boolean]>([
    [{ hf_at_least: [1, 0] }, true],
    [{ hf_at_least: 1 }, true],
    [{ hf_before: [1] }, false],
    [{ v_at_least: [1, 2, 3], v_before: [999] }, true],
    [{ v_at_least: [1, 2, 3], v_before: [1] }, false],
    [{ height_at_least: 0 }, true],
    [{ height_before: 0 }, false],
  ])('of ifelse, %o is %s', async (condition, holds) => {
    const { body } = await node.ask('ifelse', choice(condition, info, refused))
    const result = holds ? expect.objectContaining({ code: 200 }) : unsigned
    const [v, parts] = [expect.any(Array), expect.any(Array)]
    expect(body).toEqual({ hf: parts, v, height: expect.any(Number), condition: holds, result })
    expect((await node.ask('ifelse', holds ? choice(condition, undefined, info) : choice(condition, info))).body.result).toBe(
      undefined,
    )
  })
  it('a branch may be a batch or another ifelse', async () => {
    const batch = { method: 'batch', params: { requests: [info] } }
    const nested = { method: 'ifelse', params: choice(hf, batch) }
    const { body } = await node.ask('ifelse', choice(hf, nested))
    expect(body.result.body.result.body.results[0].code).toBe(200)
  })
})

describe('what a node tells of its network (RPC-66, RPC-67, RPC-81)', () => {
  it('the swarm of an account, by either name', async () => {
    const { id: pubkey } = newAccount()
    const { body } = await node.ask('get_swarm', { pubkey })
    expect(Object.keys(body).sort()).toEqual(['hf', 'snodes', 'swarm', 't'])
    expect(body.swarm).toMatch(/^[0-9a-f]{1,16}$/)
    const text = (pattern: RegExp) => expect.stringMatching(pattern)
    expect(body.snodes.find((member: { pubkey_ed25519: string }) => member.pubkey_ed25519 === node.ed25519)).toMatchObject({
      address: text(/^[ybndrfg8ejkmcpqxot1uwisza345h769]{52}\.snode$/),
      ip: expect.any(String),
      port: text(/^\d+$/),
      port_https: expect.any(Number),
      port_omq: expect.any(Number),
      port_quic: expect.any(Number),
      pubkey_legacy: text(/^[0-9a-f]{64}$/),
      pubkey_x25519: text(/^[0-9a-f]{64}$/),
    })
    const { snodes } = (await node.ask('get_snodes_for_pubkey', { pubkey })).body
    expect(snodes).toEqual(body.snodes)
  })
  it('all nodes, with the fields that are asked for, and in bytes', async () => {
    const fields = ['public_ip', 'storage_port', 'pubkey_x25519', 'pubkey_ed25519', 'requested_unlock_height', 'height']
    const asDict = Object.fromEntries(fields.map(name => [name, true]))
    for (const wanted of [fields, asDict]) {
      const params = { endpoint: 'get_service_nodes', params: { active_only: true, fields: wanted, limit: 1 } }
      const { result } = (await node.ask('oxend_request', params)).body
      expect([result.status, typeof result.height]).toEqual(['OK', 'number'])
      expect(Object.keys(result.service_node_states[0])).toEqual(expect.arrayContaining(fields))
    }
    const { status, bytes } = await node.send('/storage_rpc/v1', { body: '{"method":"active_nodes_bin","params":{}}' })
    const records = Array.from({ length: bytes.length / 51 }, (_, at) => bytes.subarray(51 * at, 51 * at + 32).toString('hex'))
    expect([status, bytes.length % 51, records.includes(node.ed25519)]).toEqual([200, 0, true])
  })
})

describe('bt (RPC-04, RPC-15)', () => {
  const ask = (method: string, params: object) =>
    node.send('/storage_rpc/v1', { body: new Uint8Array(bencode({ method, params })) })
  const text = async (method: string, params: object) => (await ask(method, params)).bytes.toString('latin1')
  it('has bytes where JSON has base64, and is answered in bt', async () => {
    const account = newAccount()
    const pubkey = Buffer.from(account.id, 'hex')
    const timestamp = Date.now()
    const stored = await text('store', { pubkey, timestamp, ttl: HOUR_MS, data: Buffer.from('x') })
    expect(stored).toContain(`4:hash43:${hashOf(account, 0, 'x')}`)
    expect(await text('store', { pubkey: account.id, timestamp, expiry: timestamp, data: 'x' })).toContain('Provided expiry/TTL')
    expect(await text('store', { pubkey: account.id, timestamp, ttl: HOUR_MS, data: 'x' })).toContain('7:alreadyi1e')
    const signature = Buffer.from(account.sign(`retrieve${timestamp}`), 'base64')
    const auth = { pubkey_ed25519: Buffer.from(account.ed25519, 'hex'), signature }
    expect(await text('retrieve', { pubkey, timestamp, ...auth })).toContain('4:data1:x')
  })
  it('is refused in text', async () => {
    expect(await ask('retrieve', { pubkey: newAccount().id })).toMatchObject({
      status: 401,
      body: 'retrieve: request signature required',
    })
    expect(await ask('store', {})).toMatchObject({ status: 400, body: "invalid request: Required field 'pubkey' missing" })
  })
})
