/** monitor: subscriptions read and checked, renewed, and what subscribers are told. */
import { decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  buildMonitor,
  checkMonitor,
  decodeAnswer,
  decodeMonitor,
  encodeAnswer,
  encodeMonitor,
  encodeMonitorEnd,
  encodeMonitorReply,
  encodeNotification,
  encodeSwarm,
  grantSubaccount,
  isMonitorRefusal,
  isSubscribed,
  MESSAGE_MAX_BYTES,
  MONITOR_DURATION_MS,
  MONITOR_ERROR,
  MONITOR_MAX_NAMESPACES,
  MONITOR_MAX_REQUESTS,
  type MonitorParams,
  type MonitorRefusal,
  parseMonitorMessage,
  parseNamespace,
  type RequestForm,
  type RequestSigner,
  renewSubscription,
  SUBACCOUNT_RIGHT,
  type Subscription,
} from '@session-v2/network'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOwner, keyPair, NOW_MS, networkErrorOf, providers, refusalOf, sessionOwner, wasm } from './owners.ts'

const forms = ['json', 'bt'] as const
const vectors = loadVectors('storage-rpc').filter(({ name }) => name.startsWith('monitor-'))
const alice = sessionOwner(wasm, 1)
const group = keyOwner(wasm, 3)
const sub = keyPair(wasm, new Uint8Array(32).fill(9))
const timestampS = Math.floor(NOW_MS / 1000)
const namespaces = [-21, 0, 5].map(parseNamespace)
const LIVE = { tokenRevoked: false }
const HASH = 'A'.repeat(43)

function subaccount(rights: number): RequestSigner {
  const { accountId, publicKey, secretKey } = group
  const grant = grantSubaccount(wasm, { accountId, secretKey, subaccountKey: sub.publicKey, rights })
  return { accountId, publicKey, secretKey: sub.secretKey, subaccount: grant }
}

const reader = subaccount(SUBACCOUNT_RIGHT.read)
const build = (signer: RequestSigner, more: object = {}) => buildMonitor(wasm, { namespaces, timestampS, signer, ...more })

/** A subscription as it arrives at a node. */
function arrived(params: MonitorParams, form: RequestForm): MonitorParams {
  const { subscriptions } = decodeMonitor(wasm, encodeMonitor(params, form))
  const [only] = subscriptions
  if (only === undefined || isMonitorRefusal(only)) throw new Error(only?.error)
  return only
}

describe.each(providers)('a subscription, MON-01 to MON-03 (%s)', (_, crypto) => {
  it.each(vectors.map(vector => [vector.name, vector] as const))('%s', (_name, { in: given, out }) => {
    const [only] = decodeMonitor(crypto, decodeHex(given.bytes)).subscriptions
    const judged = isMonitorRefusal(only!) ? only : checkMonitor(crypto, only!, given.now_s * 1000, LIVE)
    expect(judged?.errcode ?? 0).toBe(out.errcode)
  })
})

describe('a subscription', () => {
  it.each([
    ['a Session id', alice],
    ['a group', group],
    ['a subaccount', reader],
  ])('of %s is read as it was built, in either form', (_, signer) => {
    for (const form of forms) {
      const built = build(signer, { namespaces: namespaces.toReversed(), wantData: true })
      expect(built.namespaces).toEqual(namespaces)
      expect(arrived(built, form)).toEqual({ ...built, signed: expect.objectContaining({ signature: built.signed.signature }) })
      expect(checkMonitor(wasm, arrived(built, form), NOW_MS, LIVE)).toBeUndefined()
    }
  })

  it('of a revoked subaccount is refused, and of one of which nothing is known', () => {
    const refusal = { errcode: MONITOR_ERROR.badSignature, error: 'signature verification failed' }
    expect(checkMonitor(wasm, build(reader), NOW_MS, { tokenRevoked: true })).toEqual(refusal)
    expect(checkMonitor(wasm, build(reader), NOW_MS)).toEqual(refusal)
    expect(checkMonitor(wasm, build(group), NOW_MS)).toBeUndefined()
  })

  it('counts data, account, time and namespaces among what is signed', () => {
    const good = build(alice)
    const others = [
      { wantData: true },
      { account: group.account },
      { timestampS: timestampS + 1 },
      { namespaces: [namespaces[1]!] },
    ]
    for (const other of others)
      expect(checkMonitor(wasm, { ...good, ...other }, NOW_MS)?.errcode).toBe(MONITOR_ERROR.badSignature)
  })
})

describe.each(forms)('a request in %s', form => {
  const one = build(alice)

  it('may be a list, in which each is read by itself', () => {
    const request = decodeMonitor(wasm, encodeMonitor([one, build(group)], form))
    expect(request).toMatchObject({ form, isList: true, subscriptions: [{ account: alice.account }, { account: group.account }] })
    expect(decodeMonitor(wasm, encodeMonitor(one, form)).isList).toBe(false)
    const list = form === 'json' ? '[{}]' : 'ldee'
    expect(decodeMonitor(wasm, encodeUtf8(list)).subscriptions).toMatchObject([{ errcode: MONITOR_ERROR.badArguments }])
  })

  it('has a bound', () => {
    const namespace = (count: number) => Array.from({ length: count }, (_, at) => parseNamespace(at))
    const many = { ...one, namespaces: namespace(MONITOR_MAX_NAMESPACES + 1) }
    const refused = decodeMonitor(wasm, encodeMonitor(many, form)).subscriptions[0] as MonitorRefusal
    expect(refused.errcode).toBe(MONITOR_ERROR.badNamespace)
    const most = { ...one, namespaces: namespace(MONITOR_MAX_NAMESPACES) }
    expect(arrived(most, form).namespaces).toHaveLength(MONITOR_MAX_NAMESPACES)
    const list = (count: number) => encodeMonitor(Array(count).fill({ ...one, namespaces: [] }), form)
    expect(decodeMonitor(wasm, list(MONITOR_MAX_REQUESTS)).subscriptions).toHaveLength(MONITOR_MAX_REQUESTS)
    expect(refusalOf(() => decodeMonitor(wasm, list(MONITOR_MAX_REQUESTS + 1))).status).toBe(400)
  })
})

describe('a request', () => {
  it.each(['', 'x', '5', '"d"', 'null', '[]', '[5]', '[[]]', 'le', 'l1:xe', 'lli1eee', 'd1:n', 'i5e', 'de ', 'd1:si1e1:ni1ee'])(
    'is refused: %s',
    text => {
      expect(refusalOf(() => decodeMonitor(wasm, encodeUtf8(text))).status).toBe(400)
    },
  )
})

describe('renewal (MON-04)', () => {
  const renewed = (before: Subscription | undefined, params: MonitorParams, nowMs = NOW_MS) =>
    renewSubscription(before, params, nowMs)
  const first = renewed(undefined, build(group, { namespaces: [namespaces[2]], wantData: true }))!

  it('adds namespaces, keeps the wish for data, and begins the time again', () => {
    expect(first).toEqual({
      account: group.account,
      namespaces: [5],
      wantData: true,
      expiresAtMs: NOW_MS + MONITOR_DURATION_MS,
      token: undefined,
    })
    expect(renewed(first, build(group), NOW_MS + 1)).toMatchObject({
      namespaces,
      wantData: true,
      expiresAtMs: NOW_MS + 1 + MONITOR_DURATION_MS,
    })
  })

  it('adds nothing to what is over, or to what another signer subscribed', () => {
    const later = build(group, { namespaces: [namespaces[1]] })
    expect(renewed(first, later, first.expiresAtMs)).toMatchObject({ namespaces: [0], wantData: false })
    const token = reader.subaccount!.token
    const read = renewed(first, build(reader, { namespaces: [namespaces[1]] }))!
    expect(read).toMatchObject({ namespaces: [0], wantData: false, token })
    expect(renewed(read, build(reader))).toMatchObject({ namespaces, token })
    expect(
      renewed(read, build(subaccount(SUBACCOUNT_RIGHT.read | SUBACCOUNT_RIGHT.write), { namespaces: [namespaces[0]] })),
    ).toMatchObject({
      namespaces: [-21],
    })
  })

  it('has a bound', () => {
    const full = { ...first, namespaces: Array.from({ length: MONITOR_MAX_NAMESPACES }, (_, at) => parseNamespace(at)) }
    expect(renewed(full, build(group, { namespaces: [namespaces[2]] }))?.namespaces).toHaveLength(MONITOR_MAX_NAMESPACES)
    expect(renewed(full, build(group))).toBeUndefined()
  })

  it('says what is told of: its namespaces, until its time is over', () => {
    const [outbox, inbox, other] = namespaces as [never, never, never]
    expect([outbox, inbox, other].map(namespace => isSubscribed(first, namespace, NOW_MS))).toEqual([false, false, true])
    expect(isSubscribed(first, other, first.expiresAtMs - 1)).toBe(true)
    expect(isSubscribed(first, other, first.expiresAtMs)).toBe(false)
  })
})

/** A message as a subscriber decodes it. */
function told(form: RequestForm, message: string | Uint8Array) {
  return parseMonitorMessage(decodeAnswer(form, typeof message === 'string' ? encodeUtf8(message) : message))
}

describe.each(forms)('what a subscriber is told in %s (MON-02, MON-05, MON-06)', form => {
  const base = { account: alice.account, hash: HASH, namespace: parseNamespace(-21), timestampMs: NOW_MS, expiryMs: NOW_MS + 1 }

  it('is a message, with its data or without', () => {
    fc.assert(
      fc.property(fc.option(fc.uint8Array({ maxLength: 200 }), { nil: undefined }), payload => {
        const notification = { ...base, ...(payload && { payload }) }
        expect(told(form, encodeNotification(form, notification))).toEqual({ kind: 'notification', notification })
      }),
    )
  })

  it('is the end of a subscription, with the new swarm if there is one', () => {
    const refusal = { errcode: MONITOR_ERROR.wrongSwarm, error: 'the account has moved' }
    const swarm = encodeSwarm([], 7n)
    const end = told(form, encodeMonitorEnd(form, { account: alice.account, ...refusal, swarm }))
    expect(end).toMatchObject({ kind: 'end', end: { account: alice.account, ...refusal, swarm } })
    const revoked = { account: alice.account, errcode: MONITOR_ERROR.badSignature, error: 'revoked' }
    expect(told(form, encodeMonitorEnd(form, revoked))).toEqual({ kind: 'end', end: revoked })
  })

  it('is a reply to each request', () => {
    const refusal = { errcode: MONITOR_ERROR.badNamespace, error: 'x' }
    const list = [encodeMonitorReply(), encodeMonitorReply(refusal, encodeSwarm([], 7n))]
    const bytes = (body: unknown) => (form === 'json' ? JSON.stringify(body) : encodeBtAnswer(body))
    expect(told(form, bytes(list))).toEqual({ kind: 'reply', replies: [undefined, refusal] })
    expect(told(form, bytes(list[0]))).toEqual({ kind: 'reply', replies: [undefined] })
  })
})

function encodeBtAnswer(body: unknown): Uint8Array {
  return encodeAnswer('bt', body) as Uint8Array
}

describe('what a subscriber is told', () => {
  const good = { '@': encodeHex(alice.account), h: HASH, n: 0, t: NOW_MS, z: NOW_MS }

  it.each([
    ['no account', { '@': 'x' }],
    ['a hash that is none', { h: 'x' }],
    ['a namespace beyond 16 bits', { n: 32768 }],
    ['a namespace that is text', { n: '0' }],
    ['no expiry', { z: undefined }],
    ['data that is no base64', { '~': '!' }],
    ['more data than a message holds', { '~': 'A'.repeat(((MESSAGE_MAX_BYTES + 3) / 3) * 4) }],
    ['an end without a reason', { errcode: 6 }],
  ])('is malformed with %s', (_, fields) => {
    expect(parseMonitorMessage(good).kind).toBe('notification')
    expect(networkErrorOf(() => parseMonitorMessage({ ...good, ...fields })).code).toBe('malformed')
  })

  it.each([[5], [null], [{}], [[5]], [{ success: 2 }], [{ errcode: '1', error: 'x' }]])('is malformed: %j', message => {
    expect(networkErrorOf(() => parseMonitorMessage(message)).code).toBe('malformed')
  })
})
