/** JSON and bt: the same requests and answers in two forms. */
import { decodeBt, encodeUtf8 } from '@session-v2/encoding'
import {
  buildBatch,
  buildDelete,
  buildGetServiceNodes,
  buildGetSwarm,
  buildInfo,
  buildRetrieve,
  buildSequence,
  buildStore,
  decodeAnswer,
  decodeCommand,
  decodeRequest,
  encodeAnswer,
  encodeBatchResult,
  encodeInfoResult,
  encodeRequest,
  encodeRetrievedPage,
  encodeStoredEntry,
  encodeSwarm,
  parseBatchResult,
  parseGetSwarmResult,
  parseInfoResult,
  parseNamespace,
  parseRequest,
  parseRetrieveResult,
  REQUEST_MAX_DEPTH,
  REQUEST_MAX_HASHES,
  type RpcRequest,
} from '@session-v2/network'
import { describe, expect, it } from 'vitest'
import { keyOwner, NOW_MS, networkErrorOf, refusalOf, sessionOwner, wasm } from './owners.ts'

const HASH = 'A'.repeat(43)
const alice = sessionOwner(wasm, 1)
const group = keyOwner(wasm, 3)
const { accountId } = alice
const namespace = parseNamespace(-21)
const payload = new Uint8Array(300).map((_, at) => at)
const store = buildStore(wasm, { accountId, namespace, payload, timestampMs: NOW_MS, ttlMs: 60_000, signer: alice })
const retrieve = buildRetrieve(wasm, { accountId, namespace, lastHash: HASH, maxSize: -5, timestampMs: NOW_MS, signer: alice })

const requests: readonly RpcRequest[] = [
  store,
  retrieve,
  buildDelete(wasm, { hashes: [HASH], required: true, signer: group }),
  buildInfo(),
  buildGetSwarm(accountId),
  buildGetServiceNodes(),
  buildBatch([store, retrieve, buildInfo()]),
  buildSequence([buildGetServiceNodes(), store]),
]

describe('a request (RPC-04, RPC-15)', () => {
  it.each(requests.map(request => [request.method, request] as const))('%s is the same in bt', (_, request) => {
    const [json, bt] = [decodeRequest(encodeRequest(request)), decodeRequest(encodeRequest(request, 'bt'))]
    expect([json.form, bt.form]).toEqual(['json', 'bt'])
    expect(parseRequest(bt)).toEqual(parseRequest(json))
  })

  it('has in bt bytes for what is binary, and is shorter', () => {
    const bt = decodeBt(encodeRequest(store, 'bt')) as Map<string, Map<string, unknown>>
    const params = bt.get('params')!
    expect(params.get('data')).toEqual(payload)
    expect([params.get('pubkey'), params.get('pubkey_ed25519')]).toEqual([alice.account, new Uint8Array(alice.publicKey)])
    expect(encodeRequest(store, 'bt').length).toBeLessThan(encodeRequest(store).length)
  })

  const bt = (method: string, params: string) => encodeUtf8(`d6:method${method.length}:${method}6:params${params}e`)

  it('may name its account in bt by hexadecimal text', () => {
    const { params } = parseRequest(decodeRequest(bt('get_swarm', `d6:pubkey66:${accountId}e`)))
    expect(params).toEqual({ account: alice.account })
  })

  it.each([
    ['an account of 32 bytes', `d6:pubkey32:${'x'.repeat(32)}e`],
    ['an account of 66 bytes that are no digits', `d6:pubkey66:${'x'.repeat(66)}e`],
    ['an account that is a number', 'd6:pubkeyi5ee'],
    ['an account that is a list', 'd6:pubkeylee'],
  ])('is refused in bt with %s', (_, params) => {
    expect(refusalOf(() => parseRequest(decodeRequest(bt('get_swarm', params)))).text).toContain('Pubkey must be')
  })

  it.each([
    ['a time beyond 53 bits', 'd9:timestampi9007199254740992ee'],
    ['a text that is not UTF-8', 'd9:last_hash1:\xffe'],
    ['an integer beyond 16 bits for a namespace', 'd9:namespacei65536ee'],
  ])('is refused in bt with %s', (_, fields) => {
    const params = fields.replace(/e$/, `6:pubkey66:${accountId}e`)
    const sorted = fields.startsWith('d9:timestamp') ? `d6:pubkey66:${accountId}${fields.slice(1)}` : params
    const bytes = Buffer.from(`d6:method8:retrieve6:params${sorted}e`, 'latin1')
    expect(refusalOf(() => parseRequest(decodeRequest(bytes))).text).toMatch(/^invalid request: /)
  })

  it('is not read in bt beyond its bounds', () => {
    const deep = (depth: number) => bt('info', `d1:x${'l'.repeat(depth)}${'e'.repeat(depth)}e`)
    expect(parseRequest(decodeRequest(deep(REQUEST_MAX_DEPTH - 2))).method).toBe('info')
    for (const depth of [REQUEST_MAX_DEPTH, 1_000_000])
      expect(refusalOf(() => decodeRequest(deep(depth))).text).toBe('invalid json')
    expect(refusalOf(() => decodeRequest(bt('info', `d1:xl${'le'.repeat(300_000)}ee`))).text).toBe('invalid json')
  })

  it('may be in bt a batch of the longest lists', () => {
    const messages = Array(REQUEST_MAX_HASHES).fill(HASH)
    const params = { pubkey: accountId, messages, signature: 'A'.repeat(86) }
    const batch = buildBatch(Array(20).fill({ method: 'delete', params }))
    expect(parseRequest(decodeRequest(encodeRequest(batch, 'bt'))).params).toMatchObject({ requests: { length: 20 } })
  })

  it('that bt cannot hold is not written', () => {
    for (const fields of [{ data: '!' }, { namespace: 0.5 }, { pubkey: '0' }])
      expect(networkErrorOf(() => encodeRequest({ method: 'store', params: fields }, 'bt')).code).toBe('malformed')
  })
})

describe('parameters that come without their method (RPC-04)', () => {
  it('are JSON, bt, or nothing', () => {
    const params = { pubkey: accountId }
    for (const bytes of [encodeUtf8(JSON.stringify(params)), encodeUtf8(`d6:pubkey66:${accountId}e`)])
      expect(parseRequest(decodeCommand('get_swarm', bytes)).params).toEqual({ account: alice.account })
    expect(decodeCommand('info', new Uint8Array())).toEqual({ method: 'info', params: {}, form: 'json' })
  })

  it.each(['x', '5', '[]', 'null', 'd', 'le', 'd1:ai1ee '])('are refused: %s', text => {
    const refusal = { status: 400, text: 'invalid body: expected json or bt_dict' }
    expect(refusalOf(() => decodeCommand('info', encodeUtf8(text)))).toEqual(refusal)
  })
})

describe('an answer (RPC-04, RPC-15)', () => {
  const decoded = (body: object) => decodeAnswer('bt', encodeAnswer('bt', body) as Uint8Array)
  const page = { messages: [{ hash: HASH, payload, timestampMs: NOW_MS, expiryMs: NOW_MS }], more: true }
  const node = { ed25519: 'ab'.repeat(32), x25519: 'cd'.repeat(32), host: '::1', port: 5, protocol: 'http', swarmId: 7n } as const

  it('in bt is read like that in JSON', () => {
    expect(parseRetrieveResult(decoded({ ...encodeRetrievedPage(page), t: NOW_MS }))).toEqual({ ...page, nodeTimeMs: NOW_MS })
    expect(parseGetSwarmResult(decoded(encodeSwarm([node], 7n))).nodes).toEqual([node])
    expect(parseInfoResult(decoded(encodeInfoResult({ version: [2, 8, 0], nodeTimeMs: NOW_MS }))).version).toEqual([2, 8, 0])
    const results = [
      { status: 200, body: encodeRetrievedPage(page) },
      { status: 401, body: 'no' },
    ]
    const [first, second] = parseBatchResult(decoded(encodeBatchResult(results)), 2)
    expect(parseRetrieveResult(first!.body).messages).toEqual(page.messages)
    expect(second).toEqual(results[1])
  })

  it('has bytes, and 0 and 1, in bt; base64 and booleans in JSON', () => {
    const entry = encodeStoredEntry({ hash: HASH, signature: payload.subarray(0, 64), expiryMs: 5, already: true })
    const bt = decodeBt(encodeAnswer('bt', entry) as Uint8Array) as Map<string, unknown>
    expect([bt.get('signature'), bt.get('already'), bt.get('hash')]).toEqual([payload.slice(0, 64), 1n, encodeUtf8(HASH)])
    const json = JSON.parse(encodeAnswer('json', entry) as string)
    expect([json.signature, json.already]).toEqual([Buffer.from(payload.subarray(0, 64)).toString('base64'), true])
  })

  it('leaves out what is absent, also in bt', () => {
    const body = { a: undefined, b: null, c: { d: undefined } }
    expect(decoded(body)).toEqual({ c: {} })
  })

  it.each([
    ['json', 'x'],
    ['bt', 'x'],
    ['bt', 'i5ex'],
    ['bt', 'd1:a1:\xffe'],
  ] as const)('in %s is malformed: %j', (form, text) => {
    const error = networkErrorOf(() => decodeAnswer(form, Buffer.from(text, 'latin1')))
    expect([error.code, error.retry]).toEqual(['malformed', 'other-node'])
  })

  it('may have a field that objects are made by, which is a field only', () => {
    const answer = decodeAnswer('bt', encodeUtf8('d9:__proto__d1:t1:xee')) as Record<string, unknown>
    expect([Object.keys(answer), answer.t]).toEqual([['__proto__'], undefined])
  })
})
