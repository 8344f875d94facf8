/** monitor: what is told of, to whom, and when a subscription ends. */
import { decodeHex, encodeHex } from '@session-v2/encoding'
import {
  buildDelete,
  encodeRequest,
  MONITOR_ERROR,
  messageHash,
  type Namespace,
  type RequestSigner,
  type ServiceNode,
  SUBACCOUNT_RIGHT,
} from '@session-v2/network'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MONITOR_PATH } from '../src/monitor/monitor.ts'
import { LOOKUP_MAX_MESSAGES, Notifier } from '../src/monitor/notifier.ts'
import type { Subscriber, Subscribers } from '../src/monitor/subscribers.ts'
import { SubscriptionTable } from '../src/monitor/subscription-table.ts'
import { NodeError } from '../src/node-error.ts'
import { answerPeer } from '../src/rpc/rpc.ts'
import { tokenHash } from '../src/store/item-version.ts'
import { NEVER_MS, REVOCATIONS, type StoredMessage } from '../src/store/store.ts'
import { LocalStoreEvents, type StoreEvent } from '../src/store/store-events.ts'
import { encodeForwarded } from '../src/swarm/forwarded-request.ts'
import { MonitorClient, MonitorNode, newAccount, newSubaccount } from './monitor-node.ts'
import { NetworkUnderTest } from './network-under-test.ts'

const READ = SUBACCOUNT_RIGHT.read
let node: MonitorNode

beforeEach(async () => {
  node = await MonitorNode.start()
})
afterEach(() => node.close())

const hashesOf = (told: readonly { readonly value: { readonly h?: string } }[]) => told.map(({ value }) => value.h)

describe('a notification, NODE-154', () => {
  it('comes for what is new, not for what was there, and again when it was deleted between', async () => {
    const account = newAccount(node.crypto)
    const client = await node.subscriber(account)
    const request = node.storeRequest(account, 'once')
    const hash = (await node.request(request)).body.hash
    await node.request(request)
    await node.request(node.storeRequest(account, 'once', 0, 7_200_000))
    expect(hashesOf(await client.settle())).toEqual([hash])
    await node.request(buildDelete(node.crypto, { signer: account, hashes: [hash] }))
    node.clock.ms += 1
    await node.request(node.storeRequest(account, 'once'))
    expect(hashesOf(await client.settle())).toEqual([hash])
    await client.close()
  })

  it('does not come for a store that was refused, or that an outbox did not take', async () => {
    const account = newAccount(node.crypto)
    const client = await node.subscriber(account, { namespaces: [-21, 1] })
    expect(
      (await node.request({ method: 'store', params: { ...node.storeRequest(account, 'x', 1).params, ttl: 1 } })).status,
    ).toBe(403)
    const newer = await node.store(account, 'newer', -21)
    node.clock.ms -= 1000
    await node.store(account, 'older', -21)
    expect(hashesOf(await client.settle())).toEqual([newer])
    await client.close()
  })

  it('comes for what another member passes on, in time or late', async () => {
    const network = await NetworkUnderTest.start({ nodes: 2, swarms: 1 })
    const account = network.account()
    const url = network.network.nodes[1]!.url.replace('http', 'ws') + MONITOR_PATH
    const client = await MonitorClient.open(url)
    expect(await client.subscribe(node.subscription(account))).toEqual({ success: 1 })
    const { body } = await network.store(account, 'through the first')
    expect(hashesOf([await client.next()])).toEqual([body.hash])
    await client.close()
    await network.close()

    const late = await node.subscriber(account)
    const forwarded = encodeRequest(node.storeRequest(account, 'late'), 'bt')
    const taken = { atMs: node.clock.ms, late: true }
    node.clock.ms += 3_600_000
    expect((await answerPeer(node.services, encodeForwarded(forwarded, taken))).status).toBe(200)
    expect(await late.settle()).toHaveLength(1)
    await late.close()
  })
})

describe('a notification', () => {
  it('does not come for what is taken over from another member', async () => {
    const account = newAccount(node.crypto)
    const client = await node.subscriber(account)
    const [id, data] = [decodeHex(account.accountId), Buffer.from('handed over')]
    const hash = messageHash(node.crypto, id, 0 as Namespace, data)
    const times = { decidedAtMs: node.clock.ms, changedAtMs: node.clock.ms, expiryMs: node.clock.ms + 3_600_000 }
    const message = { timestampMs: node.clock.ms, data }
    const item = { account: id, namespace: 0, hash, ...times, isTombstone: false, message }
    expect(await node.services.store.merge([item], () => false)).toBe(1)
    expect(await client.settle()).toEqual([])
    await client.close()
  })

  it('goes to subscribers of another front end of the same store, through the events that they share', async () => {
    const events = new LocalStoreEvents(node.services.log)
    const other = await MonitorNode.start({ openEvents: async () => events })
    const account = newAccount(node.crypto)
    const client = await other.subscriber(account, { wantData: true })
    const message: StoredMessage = {
      account: decodeHex(account.accountId),
      namespace: 0,
      hash: 'A'.repeat(43),
      timestampMs: other.clock.ms,
      expiryMs: other.clock.ms + 1000,
      data: Buffer.from('from elsewhere'),
    }
    events.publish({ kind: 'stored', message })
    expect(hashesOf([await client.next()])).toEqual([message.hash])
    const own: StoreEvent[] = []
    events.listen(event => own.push(event))
    const hash = await other.store(account, 'from here')
    expect(own).toMatchObject([{ kind: 'stored', message: { hash } }])
    await client.close()
    await other.close()
    events.publish({ kind: 'stored', message })
  })
})

describe('events of the store', () => {
  it('reach every listener once, whatever another one does, until it has ended', () => {
    const events = new LocalStoreEvents(node.services.log)
    const heard: string[] = []
    events.listen(() => {
      throw new Error('a listener that fails')
    })
    const stop = events.listen(({ kind }) => heard.push(kind))
    events.publish({ kind: 'revoked', account: new Uint8Array(33) })
    stop()
    events.publish({ kind: 'revoked', account: new Uint8Array(33) })
    expect(heard).toEqual(['revoked'])
  })
})

describe('a revocation, NODE-155', () => {
  it('ends what was subscribed with the token at once, and nothing else', async () => {
    const owner = newAccount(node.crypto, '03')
    const [member, other] = [newSubaccount(node.crypto, owner, READ), newSubaccount(node.crypto, owner, READ)]
    const signers: RequestSigner[] = [member, other, owner]
    const [out, stays, own] = (await Promise.all(signers.map(signer => node.subscriber(signer)))) as [
      MonitorClient,
      MonitorClient,
      MonitorClient,
    ]
    await node.revoke(owner, [member.token])
    const { message } = await out.next()
    const account = decodeHex(owner.accountId)
    expect(message).toEqual({ kind: 'end', end: { account, errcode: MONITOR_ERROR.badSignature, error: expect.any(String) } })
    const hash = await node.store(owner, 'for the others')
    expect(hashesOf([await stays.next(), await own.next()])).toEqual([hash, hash])
    expect(await out.settle()).toEqual([])
    await Promise.all([out, stays, own].map(client => client.close()))
  })

  it('that comes by another way ends it with the next message, which is not told', async () => {
    const owner = newAccount(node.crypto, '03')
    const member = newSubaccount(node.crypto, owner, READ)
    const client = await node.subscriber(member, {}, 'bt')
    const data = member.token
    const item = {
      account: decodeHex(owner.accountId),
      namespace: REVOCATIONS,
      hash: tokenHash(node.crypto, data),
      decidedAtMs: node.clock.ms,
      changedAtMs: node.clock.ms,
      isTombstone: false,
      expiryMs: NEVER_MS,
      message: { timestampMs: node.clock.ms, data },
    }
    expect(await node.services.store.merge([item], () => false)).toBe(1)
    await node.store(owner, 'not for the member')
    const { message } = await client.next()
    expect(message).toMatchObject({ kind: 'end', end: { errcode: MONITOR_ERROR.badSignature } })
    await node.store(owner, 'nor this')
    expect(await client.settle()).toEqual([])
    await client.close()
  })

  it('ends what a subaccount subscribed in the place of the owner, over the same connection', async () => {
    const owner = newAccount(node.crypto, '03')
    const member = newSubaccount(node.crypto, owner, READ)
    const client = await node.subscriber(owner, { namespaces: [0] })
    expect(await client.subscribe(node.subscription(member, { namespaces: [11] }))).toEqual({ success: 1 })
    await node.revoke(owner, [member.token])
    expect((await client.next()).message.kind).toBe('end')
    await node.store(owner, 'x')
    expect(await client.settle()).toEqual([])
    await client.close()
  })
})

describe('a revocation', () => {
  it('races a subscription in vain', async () => {
    const owner = newAccount(node.crypto, '03')
    const members = Array.from({ length: 20 }, () => newSubaccount(node.crypto, owner, READ))
    const clients = await Promise.all(members.map(() => node.connect()))
    await Promise.all([
      ...members.map((member, i) => clients[i]!.subscribe(node.subscription(member))),
      ...members.map(member => node.revoke(owner, [member.token])),
    ])
    await node.store(owner, 'for nobody')
    for (const client of clients) {
      const told = await client.settle()
      expect(told.filter(({ message }) => message.kind === 'notification')).toEqual([])
      await client.close()
    }
  })
})

describe('a lookup of revocations', () => {
  const account = new Uint8Array(33).fill(3)
  const message = (i: number): StoredMessage => {
    return { account, namespace: 0, hash: String(i), timestampMs: 0, expiryMs: 1000, data: new Uint8Array(1) }
  }

  function notifierOver(revokedTokens: () => Promise<readonly Uint8Array[]>) {
    const table = new SubscriptionTable<Subscriber>()
    const subscriber = { address: 'a' } as Subscriber
    const token = new Uint8Array(36).fill(1)
    const namespaces = [0 as Namespace]
    table.put(subscriber, { account, namespaces, wantData: false, expiresAtMs: 1000, token, form: 'json' })
    const sent: Record<string, unknown>[] = []
    const send = (_to: Subscriber, text: string | Uint8Array) => void sent.push(JSON.parse(text as string))
    const parts = { store: { revokedTokens }, clock: { nowMs: () => 0 }, table, log: node.services.log }
    const notifier = new Notifier({ ...parts, subscribers: { send } as unknown as Subscribers })
    const drained = () => new Promise<void>(resolve => setImmediate(resolve))
    return { notifier, table, sent, drained }
  }

  it('that fails ends the subscriptions of subaccounts: nobody is told on trust', async () => {
    for (const failure of [new NodeError('store-failed', 'broken'), new TypeError('a defect')]) {
      const { notifier, table, sent, drained } = notifierOver(() => Promise.reject(failure))
      notifier.tell({ kind: 'stored', message: message(1) })
      await drained()
      expect(sent).toEqual([{ '@': encodeHex(account), errcode: MONITOR_ERROR.badSignature, error: expect.any(String) }])
      expect(table.size).toBe(0)
    }
  })

  it('serves all that came while the one before ran, in order', async () => {
    const open: (() => void)[] = []
    const { notifier, sent, drained } = notifierOver(() => new Promise(resolve => open.push(() => resolve([]))))
    for (let i = 0; i < 5; i++) notifier.tell({ kind: 'stored', message: message(i) })
    notifier.tell({ kind: 'revoked', account })
    open.shift()!()
    await drained()
    expect(sent.map(({ h }) => h)).toEqual(['0'])
    open.shift()!()
    await drained()
    expect(sent.map(({ h }) => h)).toEqual(['0', '1', '2', '3', '4'])
    expect(open).toEqual([])
    expect(notifier.notifications).toBe(5)
  })

  it('makes room for further messages when it is done', async () => {
    const { notifier, table, drained } = notifierOver(() => Promise.resolve([]))
    for (let i = 0; i < LOOKUP_MAX_MESSAGES + 10; i++) {
      notifier.tell({ kind: 'stored', message: message(i) })
      if (i % 100 === 0) await drained()
    }
    await drained()
    expect([table.size, notifier.notifications]).toEqual([1, LOOKUP_MAX_MESSAGES + 10])
  })

  it('does not let messages pile up behind it', async () => {
    const { notifier, table, sent } = notifierOver(() => new Promise(() => {}))
    for (let i = 0; i < LOOKUP_MAX_MESSAGES; i++) notifier.tell({ kind: 'stored', message: message(i) })
    expect(table.size).toBe(1)
    notifier.tell({ kind: 'stored', message: message(LOOKUP_MAX_MESSAGES) })
    expect(table.size).toBe(0)
    expect(sent).toHaveLength(1)
  })
})

describe('a change of swarms, NODE-157', () => {
  const elsewhere = (swarmId: bigint): ServiceNode => ({ ...node.listed(swarmId), ed25519: 'cd'.repeat(32) })

  it('ends the subscriptions of accounts that moved, with where they are, and no others', async () => {
    node.join(0n)
    const clients = await Promise.all(
      Array.from({ length: 24 }, async () => {
        const account = newAccount(node.crypto)
        return { account, client: await node.subscriber(account) }
      }),
    )
    const other = elsewhere(1n << 63n)
    node.join(0n, [other])
    for (const { account, client } of clients) {
      const isHere = node.services.swarms.swarmOf(decodeHex(account.accountId)) === node.services.swarms.own
      if (isHere) {
        await node.store(account, 'here')
        expect((await client.settle()).map(({ message }) => message.kind)).toEqual(['notification'])
      } else {
        const [end, ...more] = await client.settle()
        expect(more).toEqual([])
        expect(end!.value).toMatchObject({
          '@': account.accountId,
          errcode: MONITOR_ERROR.wrongSwarm,
          snodes: [{ pubkey_ed25519: other.ed25519 }],
          swarm: '8000000000000000',
        })
      }
      await client.close()
    }
  })

  it('is noticed at the next beat where nobody says so', async () => {
    const account = newAccount(node.crypto)
    const client = await node.subscriber(account, {}, 'bt')
    node.services.swarms.replace([elsewhere(7n)])
    node.timers.beat()
    const { message } = await client.next()
    expect(message).toMatchObject({ kind: 'end', end: { errcode: MONITOR_ERROR.wrongSwarm, swarm: { swarm: '7' } } })
    expect(await node.metric('monitor_subscriptions')).toBe(0)
    await client.close()
  })

  it('leaves what stays in the swarm alone', async () => {
    const account = newAccount(node.crypto)
    const client = await node.subscriber(account)
    node.join(9n)
    expect(await client.settle()).toEqual([])
    const hash = await node.store(account, 'still here')
    expect(hashesOf(await client.settle())).toEqual([hash])
    await client.close()
  })
})
