/** Several front ends of one node as real processes over a real cluster. */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Crypto, loadCrypto, systemRandom } from '@session-v2/crypto'
import { decodeHex } from '@session-v2/encoding'
import {
  buildMonitor,
  buildRetrieve,
  buildRevokeSubaccount,
  buildStore,
  encodeRequest,
  MONITOR_ERROR,
  type Namespace,
  type RequestSigner,
  type RpcRequest,
  type ServiceNode,
  SUBACCOUNT_RIGHT,
  swarmOf,
} from '@session-v2/network'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { identityFromSeed } from '../../src/identity.ts'
import { DELIVERY_DELAY_MS, DELIVERY_LEASE_MS } from '../../src/store/store.ts'
import { ManualClock } from '../manual-clock.ts'
import { type MonitorClient, newAccount, newSubaccount } from '../monitor-node.ts'
import { type FrontEndProcess, FrontEnds } from './front-end-process.ts'
import { hasRedis, type RedisCluster, startCluster, until } from './redis-cluster.ts'
import { newPrefix, openFrontEnd } from './redis-front-ends.ts'

const HOUR_MS = 3_600_000
const WRITERS = 12
const ACCOUNTS = 8
/** Acknowledged before one is killed, and again afterwards. */
const ENOUGH = 500

let cluster: RedisCluster
let crypto: Crypto
let ends: FrontEnds

function storeRequest({ accountId }: RequestSigner, text: string, aheadMs = 0): RpcRequest {
  const times = { timestampMs: Date.now() + aheadMs, ttlMs: HOUR_MS }
  return buildStore(crypto, { accountId, namespace: 0 as Namespace, payload: Buffer.from(text), ...times })
}

async function put(front: FrontEndProcess, request: RpcRequest): Promise<string> {
  const { status, body } = await front.post(JSON.parse(Buffer.from(encodeRequest(request, 'json')).toString()))
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
  return body.hash
}

async function subscribe(front: FrontEndProcess, signer: RequestSigner, wantData = true): Promise<MonitorClient> {
  const client = await front.monitor()
  const timestampS = Math.floor(Date.now() / 1000)
  const reply = await client.subscribe(buildMonitor(crypto, { namespaces: [0 as Namespace], timestampS, signer, wantData }))
  expect(reply).toEqual({ success: 1 })
  return client
}

/** The hashes that a mailbox holds, as one front end tells them. */
async function hashesAt(front: FrontEndProcess, signer: RequestSigner): Promise<string[]> {
  const found: string[] = []
  for (;;) {
    const parts = { accountId: signer.accountId, namespace: 0 as Namespace, timestampMs: Date.now(), signer }
    const last = found.at(-1)
    const { method, params } = buildRetrieve(crypto, { ...parts, ...(last !== undefined && { lastHash: last }) })
    const { status, body } = await front.post({ method, params })
    expect(status).toBe(200)
    found.push(...body.messages.map((message: { hash: string }) => message.hash))
    if (!body.more) return found
  }
}

describe.skipIf(!hasRedis)('front ends of one node as processes (NODE-140, NODE-146; needs redis-server)', () => {
  beforeAll(async () => {
    cluster = await startCluster(3, 0)
    crypto = await loadCrypto()
  })
  afterAll(() => cluster?.close())
  beforeEach(async () => {
    ends = await FrontEnds.create(cluster, newPrefix())
  })
  afterEach(() => ends.close())

  describe('tell subscribers', telling)
  describe('one of which dies', dying)
})

function telling(): void {
  it('at the one of what the other takes, once, with its content', async () => {
    const [a, b] = await Promise.all([ends.start('a'), ends.start('b')])
    const owner = newAccount(crypto)
    const atA = await subscribe(a, owner)
    const atB = await subscribe(b, owner, false)
    const first = await put(b, storeRequest(owner, 'taken by b'))
    const second = await put(a, storeRequest(owner, 'taken by a'))
    await put(b, storeRequest(owner, 'taken by b'))
    const told = async (client: MonitorClient) => {
      const messages = [(await client.next()).message, (await client.next()).message]
      expect(await client.settle()).toEqual([])
      return messages.map(message => (message.kind === 'notification' ? message.notification : undefined))
    }
    const byA = await told(atA)
    expect(new Set(byA.map(one => one?.hash))).toEqual(new Set([first, second]))
    expect(byA.map(one => Buffer.from(one!.payload!).toString()).sort()).toEqual(['taken by a', 'taken by b'])
    const byB = await told(atB)
    expect(new Set(byB.map(one => one?.hash))).toEqual(new Set([first, second]))
    expect(byB.map(one => one?.payload)).toEqual([undefined, undefined])
    await Promise.all([atA.close(), atB.close()])
    expect(await Promise.all([a.stop(), b.stop()])).toEqual([0, 0])
  })
  it('and refuse subaccounts, that the other has revoked them', async () => {
    const [a, b] = await Promise.all([ends.start('a'), ends.start('b')])
    const owner = newAccount(crypto)
    const sub = newSubaccount(crypto, owner, SUBACCOUNT_RIGHT.read)
    const client = await subscribe(a, sub)
    await put(b, buildRevokeSubaccount(crypto, { signer: owner, tokens: [sub.token], timestampMs: Date.now() }))
    expect((await client.next()).message).toMatchObject({ kind: 'end', end: { errcode: MONITOR_ERROR.badSignature } })
    const parts = { accountId: owner.accountId, namespace: 0 as Namespace, timestampMs: Date.now(), signer: sub }
    const { status } = await a.post(buildRetrieve(crypto, parts))
    expect(status).toBe(401)
    await client.close()
  })
  it('at each of them that the account has moved', async () => {
    const fronts = await Promise.all([ends.start('a'), ends.start('b')])
    const other = identityFromSeed(crypto, systemRandom().bytes(32))
    const elsewhere: ServiceNode = { ...ends.listed(1n << 63n), ed25519: other.ed25519, x25519: other.x25519, port: 22_022 }
    const owner = accountIn(1n << 63n, [1n, 1n << 63n])
    const clients = await Promise.all(fronts.map(front => subscribe(front, owner)))
    ends.register([ends.listed(1n), elsewhere])
    for (const client of clients) {
      expect((await client.next()).message).toMatchObject({ kind: 'end', end: { errcode: MONITOR_ERROR.wrongSwarm } })
      await client.close()
    }
  })
}

function accountIn(id: bigint, ids: readonly bigint[]): RequestSigner {
  for (;;) {
    const account = newAccount(crypto)
    if (swarmOf(decodeHex(account.accountId), ids as never) === id) return account
  }
}

function dying(): void {
  it('lose nothing that was acknowledged, by either', async () => {
    const [a, b] = await Promise.all([ends.start('a'), ends.start('b')])
    const owners = Array.from({ length: ACCOUNTS }, () => newAccount(crypto))
    const acknowledged: { owner: RequestSigner; hash: string }[] = []
    const refused: string[] = []
    let isDone = false
    const writer = async (front: FrontEndProcess, name: string) => {
      for (let i = 0; !isDone; i++) {
        const owner = owners[i % ACCOUNTS]!
        try {
          acknowledged.push({ owner, hash: await put(front, storeRequest(owner, `${name} ${i}`)) })
        } catch (error) {
          refused.push(front === a ? 'a' : String(error))
          if (front === a) return
        }
      }
    }
    const writers = [a, b].flatMap((front, f) => Array.from({ length: WRITERS }, (_, w) => writer(front, `${f} ${w}`)))
    await until(async () => acknowledged.length >= ENOUGH)
    await a.kill()
    const before = acknowledged.length
    await until(async () => acknowledged.length >= before + ENOUGH)
    isDone = true
    await Promise.all(writers)
    const heir = await ends.start('a')
    for (const front of [b, heir]) {
      const found = new Set((await Promise.all(owners.map(owner => hashesAt(front, owner)))).flat())
      const lost = acknowledged.filter(({ hash }) => !found.has(hash)).length
      console.log(`acknowledged ${acknowledged.length}, found ${acknowledged.length - lost} through one, lost ${lost}`)
      expect(lost).toBe(0)
    }
    // Each writer of the one that died was refused once, no other ever.
    expect(refused.filter(by => by !== 'a')).toEqual([])
    expect(refused).toHaveLength(WRITERS)
  })
  it('leave a delivery to the other, once its lease is over (NODE-89, NODE-145)', async () => {
    const member = await Member.listen()
    const store = await openFrontEnd(cluster, new ManualClock(), ends.keyPrefix)
    try {
      ends.register([ends.listed(1n), member.listed(1n)])
      const a = await ends.start('a')
      member.answer = { status: 503, body: 'Service node is not ready: shutting down' }
      await serves(a)
      await put(a, storeRequest(newAccount(crypto), 'missed'))
      await until(async () => (await store.deliveriesWaiting()) === 1)
      // From now on the member takes requests and does not answer.
      member.answer = undefined
      member.requests.splice(0)
      await a.moveClock(DELIVERY_DELAY_MS)
      await until(async () => member.lateRequests.length === 1)
      await a.kill()
      const b = await ends.start('b')
      await serves(b)
      await b.moveClock(DELIVERY_DELAY_MS + DELIVERY_LEASE_MS / 2)
      await put(b, storeRequest(newAccount(crypto), 'other', DELIVERY_DELAY_MS + DELIVERY_LEASE_MS / 2))
      await until(async () => (await store.deliveriesWaiting()) === 2)
      expect(member.lateRequests).toHaveLength(1)
      member.answer = { status: 200, body: 'de' }
      await b.moveClock(DELIVERY_DELAY_MS + 2 * DELIVERY_LEASE_MS)
      await until(async () => (await store.deliveriesWaiting()) === 0)
      const [first, ...others] = member.lateRequests
      expect(others.filter(body => body.equals(first!))).toHaveLength(1)
      expect(first!.includes('missed')).toBe(true)
    } finally {
      await store.close()
      await member.close()
    }
  })
}

/** It has looked for members that it could compare with. */
async function serves(front: FrontEndProcess): Promise<void> {
  await until(async () => (await front.post({ method: 'info', params: {} })).status === 200)
}

/** Another member of the swarm, as far as a node sees it: it takes requests, and answers as it is told or not at all. */
class Member {
  answer: { readonly status: number; readonly body: string } | undefined
  readonly requests: Buffer[] = []
  readonly #server: Server
  readonly #identity = identityFromSeed(crypto, systemRandom().bytes(32))

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', chunk => chunks.push(chunk))
      request.on('end', () => this.#take(Buffer.concat(chunks), response))
    })
  }

  static async listen(): Promise<Member> {
    const member = new Member()
    await new Promise<void>(resolve => member.#server.listen(0, '127.0.0.1', resolve))
    return member
  }

  get lateRequests(): Buffer[] {
    return this.requests.filter(body => body.includes('4:latei1e'))
  }

  listed(swarmId: bigint): ServiceNode {
    const { ed25519, x25519 } = this.#identity
    const { port } = this.#server.address() as AddressInfo
    return { ed25519, x25519, host: '127.0.0.1', port, protocol: 'http', swarmId }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #take(body: Buffer, response: ServerResponse): void {
    // What it is asked of items it does not know.
    if (body.includes('sync_')) {
      response.writeHead(404).end()
      return
    }
    this.requests.push(body)
    if (this.answer !== undefined) response.writeHead(this.answer.status).end(this.answer.body)
  }
}
