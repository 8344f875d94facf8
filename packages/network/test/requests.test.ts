import { encodeBase64, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  buildBatch,
  buildDelete,
  buildGetServiceNodes,
  buildGetSwarm,
  buildInfo,
  buildRetrieve,
  buildSequence,
  buildStore,
  decodeRequest,
  encodeRequest,
  MESSAGE_MAX_BYTES,
  type ParsedRequest,
  parseNamespace,
  parseRequest,
  type RpcRequest,
} from '@session-v2/network'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOwner, NOW_MS, refusalOf, sessionOwner, wasm } from './owners.ts'

const alice = sessionOwner(wasm, 1)
const group = keyOwner(wasm, 3)

const anyOwner = fc.constantFrom(alice, group)
const anyNamespace = fc.integer({ min: -32768, max: 32767 }).map(parseNamespace)
const anyPayload = fc.uint8Array({ maxLength: 300 })
const anyTime = fc.integer({ min: 1_000_000_000, max: 8_640_000_000_000_000 })
const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => encodeBase64(bytes, { padding: false }))

/** As it arrives at a node. */
function arrived(request: RpcRequest): ParsedRequest {
  return parseRequest(decodeRequest(encodeRequest(request)))
}

function paramsOf(method: string, params: Record<string, unknown>) {
  return arrived({ method, params }).params as unknown as Record<string, unknown>
}

describe('a request that is built is read again', () => {
  it('store', () => {
    fc.assert(
      fc.property(
        anyOwner,
        anyNamespace,
        anyPayload,
        anyTime,
        fc.nat(),
        fc.boolean(),
        (owner, namespace, payload, timestampMs, ttlMs, sign) => {
          const { accountId, account } = owner
          const options = { accountId, namespace, payload, timestampMs, ttlMs, ...(sign && { signer: owner }) }
          const { method, params } = arrived(buildStore(wasm, options))
          const ed25519 = owner === alice ? owner.publicKey : undefined
          const signed = sign ? { signature: expect.any(Uint8Array), ed25519, sigTimestampMs: timestampMs } : undefined
          expect(method).toBe('store')
          expect(params).toEqual({ account, namespace, payload, timestampMs, expiryMs: timestampMs + ttlMs, signed })
        },
      ),
    )
  })

  it('retrieve', () => {
    const anySize = fc.option(fc.integer(), { nil: undefined })
    fc.assert(
      fc.property(
        anyOwner,
        anyNamespace,
        anyTime,
        fc.option(anyHash, { nil: undefined }),
        anySize,
        (owner, namespace, timestampMs, lastHash, maxSize) => {
          const { accountId, account } = owner
          const options = {
            accountId,
            namespace,
            timestampMs,
            lastHash,
            ...(maxSize !== undefined && { maxSize }),
            signer: owner,
          }
          const { method, params } = arrived(buildRetrieve(wasm, options))
          const signed = {
            signature: expect.any(Uint8Array),
            ed25519: owner === alice ? owner.publicKey : undefined,
            timestampMs,
          }
          expect(method).toBe('retrieve')
          expect(params).toEqual({ account, namespace, lastHash, maxCount: undefined, maxSize, signed })
        },
      ),
    )
  })
})

describe('a request with a list, or without much, is read again too', () => {
  it('retrieve, unsigned', () => {
    const namespace = parseNamespace(-21)
    const { params } = arrived(buildRetrieve(wasm, { accountId: alice.accountId, namespace, timestampMs: NOW_MS }))
    expect(params).toMatchObject({ account: alice.account, namespace, signed: undefined })
  })

  it('delete', () => {
    const anyRequired = fc.option(fc.boolean(), { nil: undefined })
    fc.assert(
      fc.property(anyOwner, fc.array(anyHash, { minLength: 1, maxLength: 5 }), anyRequired, (owner, hashes, required) => {
        const { method, params } = arrived(
          buildDelete(wasm, { hashes, signer: owner, ...(required !== undefined && { required }) }),
        )
        const signed = { signature: expect.any(Uint8Array), ed25519: owner === alice ? owner.publicKey : undefined }
        expect(method).toBe('delete')
        expect(params).toEqual({ account: owner.account, hashes, required: required ?? false, signed })
      }),
    )
  })

  it('info, get_swarm, oxend_request', () => {
    expect(arrived(buildInfo())).toEqual({ method: 'info', params: {} })
    expect(arrived(buildGetSwarm(alice.accountId))).toEqual({ method: 'get_swarm', params: { account: alice.account } })
    const params = { endpoint: 'get_service_nodes', params: { active_only: true } }
    expect(arrived(buildGetServiceNodes())).toEqual({ method: 'oxend_request', params })
  })

  it.each([
    ['batch', buildBatch],
    ['sequence', buildSequence],
  ] as const)('%s', (method, build) => {
    const parts = [buildInfo(), buildGetSwarm(alice.accountId)]
    expect(arrived(build(parts))).toEqual({ method, params: { requests: parts.map(arrived) } })
  })
})

describe('a request that a node refuses to read', () => {
  const vectors = loadVectors('storage-rpc').filter(({ name }) => name.startsWith('refused-'))
  it.each(vectors.map(vector => [vector.name, vector] as const))('%s', (_, { in: { request }, out, failure }) => {
    expect(failure).toBe('malformed')
    expect(refusalOf(() => parseRequest(decodeRequest(encodeUtf8(request))))).toEqual(out)
  })

  it('is one of bytes that are no text', () => {
    expect(refusalOf(() => decodeRequest(Uint8Array.of(0x22, 0xff, 0x22)))).toEqual({ status: 400, text: 'invalid json' })
  })

  it.each([
    ['a fraction for a time', { timestamp: 0.5 }],
    ['a time beyond 53 bits', { timestamp: 2 ** 53 }],
    ['digits beyond 53 bits', { timestamp: '9007199254740992' }],
    ['digits with a sign', { ttl: '-1' }],
    ['digits for a namespace', { namespace: '2' }],
    ['digits for an expiry', { ttl: undefined, expiry: '1750000060123' }],
    ['data of another alphabet', { data: '-_==' }],
    ['data with half a padding', { data: 'AA=' }],
    ['data in a list', { data: ['AA=='] }],
    ['a signature of 63 bytes', { signature: 'A'.repeat(84) }],
    ['an empty signature', { signature: '' }],
    ['a short Ed25519 key', { pubkey_ed25519: 'ab' }],
    ['half a subaccount', { subaccount: 'A'.repeat(48) }],
    ['a signature time in seconds', { sig_timestamp: 1_750_000 }],
  ])('is a store with %s', (_, fields) => {
    const params = { pubkey: alice.accountId, data: 'AA==', timestamp: NOW_MS, ttl: 60_000, ...fields }
    const { status, text } = refusalOf(() => arrived({ method: 'store', params }))
    expect([status, text.startsWith('invalid request: ')]).toEqual([400, true])
  })

  it.each([
    ['no hash', []],
    ['a hash of 42 characters', ['A'.repeat(42)]],
    ['a number', [5]],
    ['more hashes than a delete may have', Array.from({ length: 10_001 }, () => 'A'.repeat(43))],
  ])('is a delete of %s', (_, messages) => {
    const params = { pubkey: alice.accountId, messages, signature: 'A'.repeat(86) }
    expect(refusalOf(() => arrived({ method: 'delete', params })).status).toBe(400)
  })

  it.each([
    ['no request', []],
    ['21 requests', Array.from({ length: 21 }, buildInfo)],
    ['a batch', [buildBatch([buildInfo()])]],
    ['a sequence', [buildSequence([buildInfo()])]],
    ['an ifelse', [{ method: 'ifelse', params: {} }]],
    ['no object', ['info']],
  ])('is a batch of %s', (_, requests) => {
    for (const method of ['batch', 'sequence'])
      expect(refusalOf(() => arrived({ method, params: { requests } })).status).toBe(400)
  })
})

const store = { pubkey: alice.accountId, data: 'AA==', timestamp: NOW_MS, ttl: 60_000 }

describe('a field of a store', () => {
  it('may be digits where it is the time or TTL', () => {
    const digits = { ...store, timestamp: String(NOW_MS), ttl: '60000' }
    expect(paramsOf('store', digits)).toEqual(paramsOf('store', store))
  })

  it('may be an expiry instead of a TTL', () => {
    expect(paramsOf('store', { ...store, ttl: undefined, expiry: NOW_MS + 60_000 })).toEqual(paramsOf('store', store))
  })

  it('may be base64 with or without padding', () => {
    expect(paramsOf('store', { ...store, data: 'AA' })).toEqual(paramsOf('store', store))
    const signature = 'A'.repeat(86)
    expect(paramsOf('store', { ...store, signature: `${signature}==` })).toEqual(paramsOf('store', { ...store, signature }))
  })

  it('may be a message of no bytes, and of the most that are allowed', () => {
    for (const sizeBytes of [0, MESSAGE_MAX_BYTES]) {
      const data = encodeBase64(new Uint8Array(sizeBytes))
      expect((paramsOf('store', { ...store, data }).payload as Uint8Array).length).toBe(sizeBytes)
    }
  })
})

describe('a field of a request', () => {
  it('may have its other name', () => {
    expect(paramsOf('get_snodes_for_pubkey', { pubKey: alice.accountId })).toEqual({ account: alice.account })
    const lastHash = 'A'.repeat(43)
    expect(paramsOf('retrieve', { pubKey: alice.accountId, lastHash })).toMatchObject({ account: alice.account, lastHash })
  })

  it('is absent when it is null, or an empty subaccount, or one that nobody knows', () => {
    const fields = {
      expiry: null,
      namespace: null,
      signature: null,
      subaccount: '',
      subaccount_sig: '',
      id: 5,
    }
    expect(paramsOf('store', { ...store, ...fields })).toEqual(paramsOf('store', store))
    expect(paramsOf('retrieve', { pubkey: alice.accountId, last_hash: '' }).lastHash).toBeUndefined()
  })

  it('is not inherited', () => {
    const request = decodeRequest(encodeUtf8(`{"method":"get_swarm","params":{"__proto__":{"pubkey":"${alice.accountId}"}}}`))
    expect(refusalOf(() => parseRequest(request)).text).toBe("invalid request: Required field 'pubkey' missing")
  })

  it('may be one text where a list is due', () => {
    const hash = 'A'.repeat(43)
    const params = { pubkey: alice.accountId, messages: hash, signature: 'A'.repeat(86) }
    expect(paramsOf('delete', params).hashes).toEqual([hash])
  })

  it('is a time from 1,000,000,000 on', () => {
    const params = { pubkey: alice.accountId, timestamp: 1_000_000_000, signature: 'A'.repeat(86) }
    expect(paramsOf('retrieve', params)).toMatchObject({ signed: { timestampMs: 1_000_000_000 } })
  })

  it('is 0 when it is −0', () => {
    const request = decodeRequest(
      encodeUtf8(JSON.stringify({ method: 'store', params: store }).replace('{"pubkey"', '{"namespace":-0,"pubkey"')),
    )
    expect(Object.is((parseRequest(request).params as { namespace?: number }).namespace, 0)).toBe(true)
  })

  it('may be an account in capitals', () => {
    expect(paramsOf('get_swarm', { pubkey: encodeHex(alice.account).toUpperCase() })).toEqual({ account: alice.account })
  })
})
