/** Attacks by requests: too many, too large, too deep, old, and such as take the place of others. */
import { encodeBase64, encodeUtf8 } from '@session-v2/encoding'
import {
  buildDelete,
  buildDeleteAll,
  buildExpireAll,
  buildGetExpiries,
  buildRevokeSubaccount,
  type Namespace,
  type RequestSigner,
  type RpcRequest,
  STORAGE_RPC_PATH,
} from '@session-v2/network'
import { expect } from 'vitest'
import { type Attack, type Onslaught, until } from './attack.ts'
import { type AttackedNode, HOUR_MS, MIB } from './attacked-node.ts'
import { HostileSockets, postOf } from './hostile-sockets.ts'

const LONG_BYTES = 10 * MIB - 4096
const FLOOD_CONNECTIONS = 512
const FLOOD_REFUSALS = 1000
const FLOOD_CLOSED = 600
const PIPELINED = 500
const LONG_REQUESTS = 40
const REPLAYS = 40

const rpc = (body: string | Uint8Array): Buffer => postOf(STORAGE_RPC_PATH, body)
const json = ({ method, params }: RpcRequest): Buffer => rpc(JSON.stringify({ method, params }))
const INFO = rpc('{"method":"info","params":{}}')

interface Flood {
  readonly address: string
  readonly request: Buffer
  /** What it is to get, so often, until it has had enough; 0: closed without an answer. */
  readonly seen: number
  readonly statuses: readonly number[]
}

/** One address, as fast as it can on as many connections as it gets. */
function flood({ address, request, seen, statuses }: Flood) {
  const isOver = (sockets: HostileSockets): boolean =>
    (sockets.statuses.get(seen) ?? 0) >= (seen === 0 ? FLOOD_CLOSED : FLOOD_REFUSALS)
  return async (target: AttackedNode): Promise<Onslaught> => {
    const sockets = new HostileSockets(target.port)
    const next = (): Buffer | undefined => (isOver(sockets) ? undefined : request)
    const running = Promise.all(Array.from({ length: FLOOD_CONNECTIONS }, () => sockets.repeat(address, next)))
    await until(() => sockets.answered >= 600)
    return {
      async finish() {
        await until(() => isOver(sockets))
        sockets.stop()
        await running
        for (const status of sockets.statuses.keys()) expect([0, 408, 429, ...statuses]).toContain(status)
      },
      stop: () => sockets.stop(),
    }
  }
}

/** Long requests, each on a connection of its own, a few at once. */
function long(network: string, bodies: readonly (() => Buffer)[], statuses: readonly number[]) {
  return async (target: AttackedNode): Promise<Onslaught> => {
    const sockets = new HostileSockets(target.port)
    const requests = bodies.map(body => rpc(body()))
    let sent = 0
    const next = (): Buffer | undefined => (sent < LONG_REQUESTS ? requests[sent++ % requests.length] : undefined)
    const running = Promise.all(Array.from({ length: 8 }, (_, i) => sockets.repeat(`${network}.${1 + (i % 4)}`, next)))
    await until(() => sent >= 8)
    return {
      async finish() {
        await running
        for (const status of sockets.statuses.keys()) expect([0, 429, 503, ...statuses]).toContain(status)
        expect(sockets.statuses.get(400)).toBeGreaterThan(0)
      },
      stop: () => sockets.stop(),
    }
  }
}

const many = (begin: string, part: string, end = ''): (() => Buffer) => {
  return () => Buffer.from(begin + part.repeat((LONG_BYTES - begin.length - end.length) / part.length) + end)
}

/** Signed an hour ago: what an owner once asked for does not happen again, whoever kept the request. */
async function replay(target: AttackedNode): Promise<Onslaught> {
  const owner = target.newAccount()
  const { crypto } = target
  const hash = (await target.ask(target.storeOf(owner, 'kept'))).body.hash as string
  const timestampMs = Date.now() - HOUR_MS
  const signer: RequestSigner = owner
  const all = 'all' as Namespace | 'all'
  const requests: RpcRequest[] = [
    target.retrieveOf(owner, 0, timestampMs),
    buildDeleteAll(crypto, { signer, namespace: all, timestampMs }),
    buildExpireAll(crypto, { signer, namespace: all, expiryMs: timestampMs }),
    buildGetExpiries(crypto, { signer, hashes: [hash], timestampMs }),
    buildRevokeSubaccount(crypto, { signer, tokens: [new Uint8Array(36)], timestampMs }),
    withSignatureTime(target.storeOf(owner, 'signed long ago', 2), timestampMs),
  ]
  const sockets = new HostileSockets(target.port)
  let sent = 0
  const next = (): Buffer | undefined =>
    sent < REPLAYS * requests.length ? json(requests[sent++ % requests.length]!) : undefined
  const running = Promise.all(Array.from({ length: 8 }, () => sockets.repeat('127.0.9.1', next)))
  await until(() => sockets.answered > 0)
  return {
    async finish() {
      await running
      expect([...sockets.statuses.keys()]).toEqual([406])
      const { body } = await target.ask(target.retrieveOf(owner))
      expect(body.messages).toMatchObject([{ hash }])
    },
    stop: () => sockets.stop(),
  }
}

function withSignatureTime({ method, params }: RpcRequest, sig_timestamp: number): RpcRequest {
  return { method, params: { ...params, sig_timestamp } }
}

/** What is to come in a private namespace is stored beforehand where anybody may, under the same hash. */
async function squat(target: AttackedNode): Promise<Onslaught> {
  const owner = target.newAccount()
  const texts = Array.from({ length: 100 }, (_, i) => `private ${i}`)
  const spaces = [2, 21, -21]
  const sockets = new HostileSockets(target.port)
  const squats = spaces.flatMap(space => texts.map(text => target.storeOf(owner, `${space}${text}`, 0, 10 * HOUR_MS)))
  let sent = 0
  const next = (): Buffer | undefined => (sent < squats.length ? json(squats[sent++]!) : undefined)
  const running = Promise.all(Array.from({ length: 4 }, () => sockets.repeat('127.0.10.1', next)))
  await until(() => sockets.answered > 0)
  return {
    async finish() {
      await running
      expect([...sockets.statuses.keys()].filter(status => status !== 429)).toEqual([200])
      for (const space of spaces) {
        const [text] = texts
        const { status, body } = await target.ask(target.storeOf(owner, text!, space))
        const [entry] = Object.values(body.swarm) as { already?: boolean; expiry: number }[]
        expect([status, entry!.already]).toEqual([200, undefined])
        expect(entry!.expiry).toBeLessThan(Date.now() + 2 * HOUR_MS)
        const page = await target.ask(target.retrieveOf(owner, space))
        expect(page.body.messages).toMatchObject([{ data: encodeBase64(encodeUtf8(text!)), hash: body.hash }])
        // Stored once more by a stranger, it lives no longer for that.
        await target.ask(target.storeOf(owner, `${space}${text}`, 0, 10 * HOUR_MS))
        const again = await target.ask(target.retrieveOf(owner, space))
        expect(again.body.messages[0].expiration).toBe(entry!.expiry)
        expect((await target.ask(buildDelete(target.crypto, { signer: owner, hashes: [body.hash] }))).status).toBe(200)
      }
    },
    stop: () => sockets.stop(),
  }
}

const UNKNOWN = Buffer.from('GET /x HTTP/1.1\r\nHost: a\r\n\r\n')
const AHEAD = Buffer.concat(Array(PIPELINED).fill(INFO))

export const REQUEST_ATTACKS: readonly Attack[] = [
  { name: 'a flood of one address', begin: flood({ address: '127.0.7.1', request: INFO, seen: 429, statuses: [200] }) },
  { name: 'a flood of unknown paths', begin: flood({ address: '127.0.7.2', request: UNKNOWN, seen: 429, statuses: [404] }) },
  { name: 'a flood that is sent ahead', begin: flood({ address: '127.0.7.3', request: AHEAD, seen: 0, statuses: [200] }) },
  { name: 'deep JSON', begin: long('127.0.8', [many('', '['), many('{"method":"info","params":', '{"":')], [400]) },
  {
    name: 'huge JSON',
    begin: long(
      '127.0.13',
      [
        ...['[],', '"a",', '1,', '{"":0},', '"\\"",'].map(part => many('{"method":"info","params":{"a":[', part, '0]}}')),
        ...['\\u00e9', '\\"'].map(part => many('{"method":"info","params":{"a":"', part, '"}}')),
      ],
      [200, 400],
    ),
  },
  {
    name: 'deep and huge bt',
    begin: long(
      '127.0.14',
      [
        ...['le', 'i1e', '0:'].map(part => many('d6:method4:info6:paramsd1:al', part, 'eee')),
        ...['l', 'd0:'].map(part => many('', `d1:a${part}`)),
      ],
      [400],
    ),
  },
  { name: 'signatures from outside the window', begin: replay },
  { name: 'hashes that are squatted', begin: squat },
]
