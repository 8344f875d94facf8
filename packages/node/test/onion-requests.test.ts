/** Onion requests through real nodes: what arrives, what comes back, and what is refused. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ed25519KeyPair, ed25519PublicToX25519, Secret, systemRandom } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  buildDelete,
  buildRetrieve,
  buildStore,
  HOP_NO_MAX,
  judgeFailure,
  MESSAGE_MAX_BYTES,
  type Namespace,
  ONION_REPLY_MAX_BYTES,
  type RequestSigner,
  type ServiceNode,
  sealOnion,
} from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identityFromSeed } from '../src/identity.ts'
import { openLog } from '../src/log.ts'
import { composeNode } from '../src/node.ts'
import { systemClock, systemTimers } from '../src/ports.ts'
import { listed, OnionNetwork, type PathAnswer, type Stranger, stranger } from './onion-network.ts'

const INFO = { method: 'info', params: {} }
const HOUR_MS = 3_600_000
const RELAYS = 3

let network: OnionNetwork
let path: readonly ServiceNode[]
let destination: ServiceNode

beforeAll(async () => {
  network = await OnionNetwork.start({ nodes: RELAYS + 1 })
  path = network.registry.slice(0, RELAYS)
  destination = network.registry[RELAYS]!
})
afterAll(() => network.close())

function newSigner(): RequestSigner {
  const { publicKey, secretKey } = ed25519KeyPair(network.crypto, Secret.of(systemRandom().bytes(32), 'ed25519-seed'))
  return { accountId: `05${encodeHex(ed25519PublicToX25519(network.crypto, publicKey))}`, publicKey, secretKey }
}

function storeOf(signer: RequestSigner, payload: Uint8Array, namespace = 0, timestampMs = Date.now()) {
  const parts = { accountId: signer.accountId, namespace: namespace as Namespace, payload, timestampMs, ttlMs: HOUR_MS }
  return buildStore(network.crypto, namespace === 0 ? parts : { ...parts, signer })
}

function retrieveOf(signer: RequestSigner, namespace = 0, extra: object = {}) {
  const parts = { accountId: signer.accountId, namespace: namespace as Namespace, timestampMs: Date.now(), signer }
  const { method, params } = buildRetrieve(network.crypto, parts)
  return { method, params: { ...params, ...extra } }
}

// biome-ignore lint/suspicious/noExplicitAny: the bodies of replies have every shape
function bodyOf({ status, text, reply }: PathAnswer): any {
  if (reply === undefined) throw new Error(`${status} ${text.slice(0, 100)}`)
  return reply.body
}

const forms = (['aes-gcm', 'xchacha20'] as const).flatMap(encryption =>
  [false, true].flatMap(json => [false, true].map(base64 => ({ encryption, form: { json, base64 } }))),
)

describe('a request through three relays (ON-70, ON-71, ON-72)', () => {
  it.each(forms)('is answered by its destination alone, in the form asked for: %j', async options => {
    const answer = await network.ask(path, destination, INFO, options)
    expect(answer.status).toBe(200)
    expect(answer.reply).toMatchObject({ status: 200, body: { version: [2, 8, 0] } })
  })
  it('stores, finds and deletes, with all checks of a direct request', async () => {
    const alice = newSigner()
    const ask = async (request: object) => (await network.ask(path, destination, request)).reply
    const stored = await ask(storeOf(alice, encodeUtf8('hello'), 2))
    const entries = { swarm: expect.any(Object), hash: expect.any(String) }
    expect(stored).toMatchObject({ status: 200, body: entries })
    const { hash, swarm } = stored!.body as { hash: string; swarm: object }
    expect(Object.keys(swarm).sort()).toEqual(network.registry.map(({ ed25519 }) => ed25519).sort())
    const found = await network.ask([destination], path[0]!, retrieveOf(alice, 2))
    expect(bodyOf(found).messages).toMatchObject([{ hash, data: Buffer.from('hello').toString('base64') }])
    expect(await ask(buildDelete(network.crypto, { signer: alice, hashes: [hash] }))).toMatchObject({ status: 200 })
    expect(bodyOf(await network.ask(path, destination, retrieveOf(alice, 2))).messages).toEqual([])
  })
  it('is refused within its reply where a direct request would be', async () => {
    const alice = newSigner()
    const signed = retrieveOf(alice)
    const late = { ...signed, params: { ...signed.params, timestamp: Date.now() - 120_000 } }
    const forged = { ...signed, params: { ...signed.params, signature: Buffer.alloc(64).toString('base64') } }
    const refusals: [object | string, number, unknown][] = [
      [forged, 401, 'retrieve signature verification failed'],
      [late, 406, 'retrieve timestamp too far from current time'],
      [storeOf(alice, encodeUtf8('x'), 0, Date.now() + HOUR_MS), 406, expect.any(String)],
      [{ method: 'nothing', params: {} }, 400, expect.stringContaining('nothing')],
      ['no JSON', 400, expect.stringContaining('invalid json')],
      ['', 400, expect.any(String)],
      ['['.repeat(10_000), 400, 'invalid json'],
      [{ method: 'info' }, 400, expect.any(String)],
    ]
    for (const [request, status, body] of refusals) {
      const answer = await network.ask(path, destination, request)
      expect([answer.status, answer.reply]).toEqual([200, { status, body }])
    }
  })
  it('has a batch answered part by part', async () => {
    const alice = newSigner()
    const requests = [storeOf(alice, encodeUtf8('one')), retrieveOf(alice)]
    const batch = { method: 'sequence', params: { requests } }
    const { results } = bodyOf(await network.ask(path, destination, batch))
    expect(results.map(({ code }: { code: number }) => code)).toEqual([200, 200])
    expect(results[1].body.messages).toHaveLength(1)
  })
  it('in bt is answered with its bytes as base64', async () => {
    const request = encodeUtf8('d6:method4:info6:paramsdee')
    const to = { kind: 'node', ed25519: destination.ed25519, x25519: destination.x25519 } as const
    const { reply } = await network.seal(path, to, request)
    expect(reply?.status).toBe(200)
    expect(Buffer.from(reply!.body as string, 'base64').toString()).toMatch(/^d.*7:version/)
  })
})

describe('a path (ON-72, ON-73)', () => {
  it('brings back the largest page, which is more than 10 MiB sealed (ON-73)', async () => {
    const bob = newSigner()
    const store = (fill: number) => network.ask([], destination, storeOf(bob, new Uint8Array(MESSAGE_MAX_BYTES).fill(fill)))
    for (let i = 0; i < 80; i++) expect((await store(i)).reply).toMatchObject({ status: 200 })
    const answer = await network.ask(path, destination, retrieveOf(bob, 0, { max_size: -1 }))
    expect(answer.bytes.length).toBeGreaterThan(10_000_000)
    expect(answer.bytes.length).toBeLessThan(ONION_REPLY_MAX_BYTES)
    expect(bodyOf(answer).messages.length).toBeGreaterThan(70)
  })
  it('may have no relay at all, one twice, the destination among them, and fifteen (ON-03)', async () => {
    const [a, b, c] = path as [ServiceNode, ServiceNode, ServiceNode]
    const fifteen = Array.from({ length: HOP_NO_MAX }, (_, at) => path[at % RELAYS]!)
    for (const relays of [[], [a], [a, a], [a, a, a, b], [a, destination, c], [destination, destination], fifteen]) {
      expect((await network.ask(relays, destination, INFO)).reply).toMatchObject({ status: 200 })
    }
  })
  it('takes two hundred requests at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, at) =>
        network.ask([...path.slice(at % 3), ...path.slice(0, at % 3)], destination, { method: 'info', params: {} }),
      ),
    )
    expect(answers.filter(({ reply }) => reply?.status === 200)).toHaveLength(200)
  })
})

describe('a request that no node can follow', () => {
  const to = () => ({ kind: 'node', ed25519: destination.ed25519, x25519: destination.x25519 }) as const
  it('goes through sixteen relays at most, whatever it says it is (ON-03)', async () => {
    const start = (hopNo: number) => network.seal(path, to(), encodeUtf8(JSON.stringify(INFO)), {}, hopNo)
    expect((await start(HOP_NO_MAX - RELAYS + 1)).reply).toMatchObject({ status: 200 })
    expect((await start(-5)).reply).toMatchObject({ status: 200 })
    for (const hopNo of [HOP_NO_MAX - RELAYS + 2, HOP_NO_MAX, HOP_NO_MAX + 1, 1e9]) {
      expect(await start(hopNo)).toMatchObject({ status: 400, text: 'onion request max path length exceeded' })
    }
  })
  it('is refused by the node that cannot read or open it, in one way each (ON-30)', async () => {
    const [guard, second] = path as [ServiceNode, ServiceNode]
    const wrongKey = { ...second, x25519: guard.x25519 }
    expect(await network.ask([guard, wrongKey], destination, INFO)).toMatchObject({ status: 400, text: 'Invalid ciphertext' })
    const { body } = sealOnion(network.crypto, network.random, path, to(), new Uint8Array(0))
    const small = JSON.stringify({ ephemeral_key: '00'.repeat(32), enc_type: 'xchacha20' })
    const unreadable = [new Uint8Array(0), encodeUtf8('x'), body.slice(0, 40)]
    const unopened = [
      body.map((byte, at) => (at === 30 ? byte ^ 1 : byte)),
      Buffer.concat([Uint8Array.of(40, 0, 0, 0), new Uint8Array(40), encodeUtf8(small)]),
    ]
    const answers = async (text: string, each: Uint8Array) => {
      const { status, bytes } = await network.post(each, guard)
      expect([status, bytes.toString()]).toEqual([400, text])
    }
    for (const each of unreadable) await answers('Error parsing onion request: malformed', each)
    for (const each of unopened) await answers('Invalid ciphertext', each)
    const cbc = Buffer.from(body).toString('latin1').replace('xchacha20', 'aes-cbc__')
    await answers('Error parsing onion request: unsupported enc_type', Buffer.from(cbc, 'latin1'))
  })
  it('is refused by HTTP when it has more than 10 MiB', async () => {
    const { status } = await network.post(new Uint8Array(10_485_761), path[0]!)
    expect(status).toBe(413)
  })
})

let broken: OnionNetwork
let silent: Stranger
let gone: ReturnType<typeof listed>
let unnamed: ReturnType<typeof listed>
let behind: ReturnType<typeof listed>
const answers: { status: number; body: string }[] = []
const logDirectory = mkdtempSync(join(tmpdir(), 'onion-log-'))
const file = join(logDirectory, 'node.log')

async function startBroken() {
  silent = await stranger((_, response) => {
    const { status, body } = answers.shift()!
    response.writeHead(status).end(body)
  })
  const closed = await stranger(() => {})
  await closed.close()
  gone = listed(network.crypto, closed.port)
  unnamed = listed(network.crypto, closed.port)
  behind = listed(network.crypto, silent.port)
  broken = await OnionNetwork.start({
    nodes: 3,
    swarms: 'each',
    others: [gone, behind],
    log: openLog({ level: 'debug', file }),
  })
}

async function stopBroken() {
  await broken.close()
  await silent.close()
  rmSync(logDirectory, { recursive: true })
}

function judged(answer: PathAnswer, relays: readonly ServiceNode[], to: ServiceNode) {
  const route = { relays: relays.map(({ ed25519 }) => ed25519), destination: to.ed25519 }
  return judgeFailure({ status: answer.status, body: answer.bytes }, route).blame
}

describe('a path that fails', () => {
  beforeAll(startBroken)
  afterAll(stopBroken)

  it.each([0, 1])('names the node that is not there, and the client can blame it: place %i (ON-72)', async place => {
    const [a, b, c] = broken.registry as [ServiceNode, ServiceNode, ServiceNode]
    const relays = place === 0 ? [a, gone, b] : [a, b]
    const to = place === 0 ? c : gone
    const answer = await broken.ask(relays, to, INFO)
    expect(answer).toMatchObject({ status: 502, text: `Next node is currently unreachable: ${gone.ed25519}` })
    expect(judged(answer, relays, to)).toEqual({ kind: 'node', ed25519: gone.ed25519 })
  })
  it('names the node that the registry does not have (ON-72)', async () => {
    const [a, b] = broken.registry as [ServiceNode, ServiceNode]
    const answer = await broken.ask([a, b, unnamed], a, INFO)
    expect(answer).toMatchObject({ status: 502, text: `Next node not found: ${unnamed.ed25519}` })
    expect(judged(answer, [a, b, unnamed], a)).toEqual({ kind: 'node', ed25519: unnamed.ed25519 })
  })
  it('brings back, with its status, what the next node says in the clear (ON-73)', async () => {
    const [a] = broken.registry as [ServiceNode]
    for (const [status, body] of [
      [503, 'Server busy, try again later'],
      [429, ''],
      [599, 'x'.repeat(100_000)],
      [302, 'elsewhere'],
    ] as const) {
      answers.push({ status, body })
      expect(await broken.ask([a], behind, INFO)).toMatchObject({ status, text: body })
    }
    answers.push({ status: 200, body: Buffer.alloc(80).toString('base64') })
    expect(await broken.ask([a], behind, INFO)).toMatchObject({ status: 200, reply: undefined })
  })
  it('is an answer within the reply when the account is another swarm’s (RPC-13, ON-42)', async () => {
    const [a, b, c] = broken.registry as [ServiceNode, ServiceNode, ServiceNode]
    const alice = newSigner()
    const codes = await Promise.all([a, b, c].map(async node => (await broken.ask([a, b], node, retrieveOf(alice))).reply))
    const foreign = codes.filter(reply => reply?.status === 421)
    expect(foreign.length).toBeGreaterThanOrEqual(2)
    const { snodes } = foreign[0]!.body as { snodes: { pubkey_ed25519: string }[] }
    expect(broken.registry.map(({ ed25519 }) => ed25519)).toContain(snodes[0]!.pubkey_ed25519)
  })
  it('leaves no line in any log (ON-79)', () => {
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    expect(lines.map(line => JSON.parse(line).msg)).toEqual(Array(3).fill('node listens'))
  })
})

describe('a node that is not ready (ON-70)', () => {
  it('says so under its own key, as a guard and behind one', async () => {
    const { crypto } = network
    const identity = identityFromSeed(crypto, systemRandom().bytes(32))
    const directory = mkdtempSync(join(tmpdir(), 'onion-ready-'))
    const early = await composeNode({
      host: '127.0.0.1',
      port: 0,
      databaseFile: join(directory, 'messages.db'),
      databaseLimitBytes: 1e8,
      bodyTimeoutMs: 1000,
      corsOrigins: 'none',
      crypto,
      identity,
      clock: systemClock,
      timers: systemTimers,
      log: openLog({ level: 'silent' }),
    })
    const { ed25519, x25519, port } = early
    const entry: ServiceNode = { ed25519, x25519, host: '127.0.0.1', port, protocol: 'http', swarmId: 7n }
    const around = await OnionNetwork.start({ nodes: 1, others: [entry] })
    const notReady = { status: 503, text: `Snode not ready: ${ed25519}` }
    expect(await around.ask([around.registry[0]!], entry, INFO)).toMatchObject(notReady)
    expect(await around.ask([], entry, INFO)).toMatchObject(notReady)
    early.join([entry])
    expect((await around.ask([around.registry[0]!], entry, INFO)).reply).toMatchObject({ status: 200 })
    await around.close()
    await early.close()
    rmSync(directory, { recursive: true })
  })
})

describe('nodes that speak HTTPS with certificates of their own (ON-72)', () => {
  it('relay for one another', async () => {
    const tls = await OnionNetwork.start({ nodes: 3, tls: true })
    const [a, b, c] = tls.registry as [ServiceNode, ServiceNode, ServiceNode]
    for (let i = 0; i < 3; i++) expect((await tls.ask([a, b], c, INFO)).reply).toMatchObject({ status: 200 })
    await tls.close()
  })
})

describe('rates (NODE-100, NODE-102, ON-71)', () => {
  it('count onion requests by who hands them in, and what is in them by account, never by address', async () => {
    const limits = {
      address: { burst: 1, perSecond: 1e-9 },
      relay: { burst: 8, perSecond: 1e-9 },
      account: { burst: 2, perSecond: 1e-9 },
    }
    const limited = await OnionNetwork.start({ nodes: 1, limits })
    const [node] = limited.registry as [ServiceNode]
    const alice = newSigner()
    const codes: unknown[] = []
    for (let i = 0; i < 3; i++) codes.push((await limited.ask([], node, storeOf(alice, encodeUtf8(`${i}`)))).reply?.status)
    for (let i = 0; i < 5; i++) codes.push((await limited.ask([], node, INFO)).reply?.status)
    expect(codes).toEqual([200, 200, 429, 200, 200, 200, 200, 200])
    expect(await limited.ask([], node, INFO)).toMatchObject({ status: 429, text: '' })
    await limited.close()
  })
})
