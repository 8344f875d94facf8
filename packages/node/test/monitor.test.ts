/** monitor: subscriptions taken, refused and renewed over a real connection, in either form. */
import { request as httpRequest } from 'node:http'
import { decodeHex } from '@session-v2/encoding'
import {
  encodeMonitor,
  MONITOR_DURATION_MS,
  MONITOR_ERROR,
  MONITOR_MAX_AGE_S,
  MONITOR_MAX_AHEAD_S,
  MONITOR_MAX_NAMESPACES,
  type MonitorParams,
  type Namespace,
  type RequestForm,
  SUBACCOUNT_RIGHT,
} from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { MonitorClient, MonitorNode, newAccount, newSubaccount } from './monitor-node.ts'

const forms = ['json', 'bt'] as const
const HOUR_MS = 3_600_000
let node: MonitorNode

beforeAll(async () => {
  node = await MonitorNode.start()
})
afterAll(() => node.close())

const nowS = (): number => Math.floor(node.clock.ms / 1000)
const frameOf = (request: MonitorParams | readonly MonitorParams[], form: RequestForm): string | Uint8Array => {
  const bytes = encodeMonitor(request, form)
  return form === 'json' ? Buffer.from(bytes).toString() : bytes
}

describe.each(forms)('a subscription in %s, NODE-150, NODE-151', form => {
  it('is taken with its reply in the same form, and answered with messages in it', async () => {
    const account = newAccount(node.crypto)
    const client = await node.connect()
    const reply = await client.ask(frameOf(node.subscription(account, { wantData: true }), form))
    expect(reply).toMatchObject({ form, value: { success: 1 } })
    const hash = await node.store(account, 'hello')
    const told = await client.next()
    expect(told.form).toBe(form)
    expect(told.value['@']).toEqual(form === 'json' ? account.accountId : decodeHex(account.accountId))
    expect(told.message).toEqual({
      kind: 'notification',
      notification: {
        account: decodeHex(account.accountId),
        hash,
        namespace: 0,
        timestampMs: node.clock.ms,
        expiryMs: node.clock.ms + HOUR_MS,
        payload: expect.anything(),
      },
    })
    const { notification } = told.message as { notification: { payload: Uint8Array } }
    expect(Buffer.from(notification.payload).toString()).toBe('hello')
    await client.close()
  })

  it('as a list is answered with a list, each by itself', async () => {
    const [first, second] = [newAccount(node.crypto), newAccount(node.crypto, '03')]
    const client = await node.connect()
    const late = node.subscription(first, { timestampS: nowS() - MONITOR_MAX_AGE_S - 1 })
    const replies = await client.subscribe([late, node.subscription(second)], form)
    expect(replies).toEqual([expect.objectContaining({ errcode: MONITOR_ERROR.badTimestamp }), { success: 1 }])
    expect(await client.subscribe([node.subscription(first)], form)).toEqual([{ success: 1 }])
    await client.close()
  })

  it.each([
    ['arguments', { s: undefined }, MONITOR_ERROR.badArguments],
    ['account', { p: undefined, P: 'ff' }, MONITOR_ERROR.badPubkey],
    ['namespaces', { n: [1, 0] }, MONITOR_ERROR.badNamespace],
  ])('with bad %s is refused', async (_, change, errcode) => {
    const params = JSON.parse(frameOf(node.subscription(newAccount(node.crypto, '03')), 'json') as string)
    const client = await node.connect()
    const { value } = await client.ask(JSON.stringify({ ...params, ...change }))
    expect(value).toEqual({ errcode, error: expect.any(String) })
    await client.close()
  })

  it.each([
    ['before', () => nowS() - MONITOR_MAX_AGE_S],
    ['ahead of', () => nowS() + MONITOR_MAX_AHEAD_S],
  ])('whose time is %s the limit is taken, and one second further not', async (where, limitS) => {
    const account = newAccount(node.crypto)
    const client = await node.connect()
    expect(await client.subscribe(node.subscription(account, { timestampS: limitS() }), form)).toEqual({ success: 1 })
    const beyond = limitS() + (where === 'before' ? -1 : 1)
    const reply = await client.subscribe(node.subscription(account, { timestampS: beyond }), form)
    expect(reply.errcode).toBe(MONITOR_ERROR.badTimestamp)
    await client.close()
  })
})

describe.each(forms)('a subscription in %s', form => {
  it('with the signature of another is refused, and tells of nothing', async () => {
    const [account, other] = [newAccount(node.crypto), newAccount(node.crypto)]
    const client = await node.connect()
    const forged = { ...node.subscription(account), signed: { ...node.subscription(account).signed } }
    const { signature } = node.subscription(other).signed
    const reply = await client.subscribe({ ...forged, signed: { ...forged.signed, signature } }, form)
    expect(reply.errcode).toBe(MONITOR_ERROR.badSignature)
    await node.store(account, 'secret')
    expect(await client.settle()).toEqual([])
    await client.close()
  })

  it('needs the right to read, and a token that is not revoked (MON-03)', async () => {
    const owner = newAccount(node.crypto, '03')
    const writer = newSubaccount(node.crypto, owner, SUBACCOUNT_RIGHT.write)
    const reader = newSubaccount(node.crypto, owner, SUBACCOUNT_RIGHT.read)
    const client = await node.connect()
    expect((await client.subscribe(node.subscription(writer), form)).errcode).toBe(MONITOR_ERROR.badSignature)
    expect(await client.subscribe(node.subscription(reader), form)).toEqual({ success: 1 })
    const revoked = newSubaccount(node.crypto, owner, SUBACCOUNT_RIGHT.read)
    await node.revoke(owner, [revoked.token])
    expect((await client.subscribe(node.subscription(revoked), form)).errcode).toBe(MONITOR_ERROR.badSignature)
    await client.close()
  })
})

describe('a subscription', () => {
  it('is renewed: namespaces are added, data stays wanted, and its time begins again (MON-04)', async () => {
    const account = newAccount(node.crypto, '03')
    const client = await node.subscriber(account, { namespaces: [11 as Namespace], wantData: true })
    node.clock.ms += MONITOR_DURATION_MS - 1
    expect(await client.subscribe(node.subscription(account, { namespaces: [0, 12] }), 'bt')).toEqual({ success: 1 })
    node.clock.ms += MONITOR_DURATION_MS - 1
    const hashes = [await node.store(account, 'a', 11), await node.store(account, 'b', 12), await node.store(account, 'c', 0)]
    await node.store(account, 'd', 13)
    const told = await client.settle()
    expect(told.map(({ value }) => [value.h, value.n, value['~'] !== undefined])).toEqual([
      [hashes[0], 11, true],
      [hashes[1], 12, true],
      [hashes[2], 0, true],
    ])
    expect(told.map(({ form }) => form)).toEqual(['bt', 'bt', 'bt'])
    await client.close()
  })

  it('ends after 65 minutes, and no message is told of from that millisecond on', async () => {
    const account = newAccount(node.crypto)
    const client = await node.subscriber(account)
    node.clock.ms += MONITOR_DURATION_MS - 1
    const last = await node.store(account, 'in time')
    node.clock.ms += 1
    await node.store(account, 'too late')
    expect((await client.settle()).map(({ value }) => value.h)).toEqual([last])
    expect(await client.subscribe(node.subscription(account))).toEqual({ success: 1 })
    const again = await node.store(account, 'again')
    expect((await client.settle()).map(({ value }) => value.h)).toEqual([again])
    await client.close()
  })

  it('cannot grow beyond 256 namespaces', async () => {
    const account = newAccount(node.crypto)
    const all = Array.from({ length: MONITOR_MAX_NAMESPACES }, (_, i) => i)
    const client = await node.subscriber(account, { namespaces: all })
    const reply = await client.subscribe(node.subscription(account, { namespaces: [MONITOR_MAX_NAMESPACES] }))
    expect(reply.errcode).toBe(MONITOR_ERROR.badNamespace)
    const hash = await node.store(account, 'still')
    expect((await client.next()).value.h).toBe(hash)
    await client.close()
  })

  it('is of one connection: others are told of nothing, and what one wants is not what another gets', async () => {
    const account = newAccount(node.crypto)
    const [plain, full, stranger] = await Promise.all([
      node.subscriber(account),
      node.subscriber(account, { wantData: true }, 'bt'),
      node.subscriber(newAccount(node.crypto)),
    ])
    await node.store(account, 'x')
    expect((await plain.next()).value['~']).toBeUndefined()
    expect(Buffer.from((await full.next()).value['~']).toString()).toBe('x')
    expect(await stranger.settle()).toEqual([])
    await Promise.all([plain.close(), full.close(), stranger.close()])
  })
})

describe('a subscription', () => {
  it('of an account of another swarm is refused with where it is, before its signature is looked at', async () => {
    const far = await MonitorNode.start({}, false)
    const other = { ...node.listed(1n << 63n), ed25519: 'ab'.repeat(32) }
    far.join(0n, [other])
    const client = await far.connect()
    const replies = new Set<string>()
    for (let i = 0; i < 64 && replies.size < 2; i++) {
      const account = newAccount(far.crypto)
      const params = far.subscription(account)
      const signature = new Uint8Array(64)
      const value = await client.subscribe({ ...params, signed: { ...params.signed, signature } })
      const { errcode } = value
      replies.add(String(errcode))
      if (errcode !== MONITOR_ERROR.wrongSwarm) continue
      expect(value.swarm).toBe('8000000000000000')
      expect(value.snodes).toEqual([expect.objectContaining({ pubkey_ed25519: other.ed25519 })])
    }
    expect([...replies].sort()).toEqual([String(MONITOR_ERROR.badSignature), String(MONITOR_ERROR.wrongSwarm)])
    await client.close()
    await far.close()
  })

  it('over a connection that has gone leaves nothing behind', async () => {
    const before = await node.metric('monitor_subscriptions')
    const client = await node.subscriber(newAccount(node.crypto))
    expect(await node.metric('monitor_subscriptions')).toBe(before + 1)
    await client.close()
    await expect.poll(() => node.metric('monitor_subscriptions'), { timeout: 10_000 }).toBe(before)
  })
})

it('a page needs nothing but a WebSocket and JSON', async () => {
  const account = newAccount(node.crypto)
  const socket = new WebSocket(node.url, { origin: 'http://localhost:5173' })
  const messages: string[] = []
  const told = new Promise<void>(resolve => {
    socket.addEventListener('message', ({ data }) => {
      messages.push(data as string)
      if (messages.length === 1) void node.store(account, 'hello')
      else resolve()
    })
  })
  socket.addEventListener('open', () => socket.send(frameOf(node.subscription(account, { wantData: true }), 'json')))
  await told
  const [reply, notification] = messages.map(text => JSON.parse(text))
  expect(reply).toEqual({ success: 1 })
  expect(notification).toMatchObject({ '@': account.accountId, n: 0 })
  expect(atob(notification['~'])).toBe('hello')
  socket.close()
})

describe('an upgrade, NODE-150', () => {
  const refusalOf = (url: string, headers: Record<string, string> = {}) =>
    MonitorClient.open(url, headers).then(
      () => 'open',
      (error: Error) => error.message,
    )

  it('is refused with 503 and the reason while the node is not ready', async () => {
    const idle = await MonitorNode.start({}, false)
    expect(await refusalOf(idle.url)).toContain('503')
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'websocket' }
      httpRequest(idle.url.replace('ws:', 'http:'), { headers }, response => {
        response.setEncoding('utf8').on('data', resolve)
      })
        .on('error', reject)
        .end()
    })
    expect(answer).toBe('Service node is not ready: not in any swarm')
    await idle.close()
  })

  it('is open to pages of allowed origins alone, and to what is no page', async () => {
    expect(await refusalOf(node.url)).toBe('open')
    expect(await refusalOf(node.url, { origin: 'http://localhost:3000' })).toBe('open')
    expect(await refusalOf(node.url, { origin: 'https://example.org' })).toContain('403')
    expect(await refusalOf(node.url, { origin: 'null' })).toContain('403')
  })

  it('without what WebSocket asks for is 400, and of another path 404', async () => {
    expect(await refusalOf(node.url.replace('monitor', 'monitors'))).toContain('404')
    const status = await new Promise((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'websocket' }
      httpRequest(node.url.replace('ws:', 'http:'), { headers }, response => resolve(response.statusCode))
        .on('error', reject)
        .end()
    })
    expect(status).toBe(400)
  })

  it('agrees on no compression', async () => {
    const client = await node.connect()
    expect(client.socket.extensions).toBe('')
    await client.close()
  })
})
