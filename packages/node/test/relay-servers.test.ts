/** Web servers behind a node: which are asked, at which address, and what comes back. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCrypto, Secret, systemRandom, x25519KeyPair } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  encodeServerRequest,
  judgeFailure,
  ONION_REPLY_MAX_BYTES,
  ONION_REQUEST_PATH,
  peelOnion,
  type ServerAddress,
  sealOnion,
} from '@session-v2/network'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_ONION, type OnionConfig } from '../src/config/onion-config.ts'
import { identityFromSeed } from '../src/identity.ts'
import { loadTls, type TlsTexts } from '../src/operations/tls.ts'
import { monotonicClock, systemClock, systemTimers } from '../src/ports.ts'
import { OnionRelay } from '../src/relay/onion-relay.ts'
import { isAllowedAddress, isServed, isServerPort, type Resolve, systemResolve } from '../src/relay/server-address.ts'
import { OnionNetwork, type Stranger, stranger } from './onion-network.ts'

describe('addresses (ON-76)', () => {
  it.each([
    ...['8.8.8.8', '1.1.1.1', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0', '192.167.1.1', '223.255.255.255'],
    ...['2606:4700::1111', '2001:4860:4860::8888', '2a00::1', '3ffe::1'],
  ])('%s may be reached', address => {
    expect([isAllowedAddress(address, false), isAllowedAddress(address, true)]).toEqual([true, true])
  })
  it.each([
    ...['127.0.0.1', '127.255.255.254', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
    ...['100.64.0.1', '100.127.255.255', '::1', 'fc00::1', 'fdff:ffff::1', '0:0:0:0:0:0:0:1'],
  ])('%s may be reached where private ones may', address => {
    expect([isAllowedAddress(address, false), isAllowedAddress(address, true)]).toEqual([false, true])
  })
  it.each([
    ...['0.0.0.0', '0.1.2.3', '169.254.0.1', '169.254.169.254', '100.100.100.200', '168.63.129.16', '192.0.0.192', '192.0.2.1'],
    ...['198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '192.88.99.1', '224.0.0.1', '239.255.255.255'],
    ...['240.0.0.1', '255.255.255.255', '::', 'fe80::1', 'fe80::1%lo', 'febf::1', 'fec0::1', 'ff02::1', '::ffff:127.0.0.1'],
    ...['::ffff:8.8.8.8', '::ffff:7f00:1', '::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1'],
    ...['2002:7f00:1::', '3fff::1', 'fd00:ec2::254', 'fd20:ce::254', '4000::1', '::1%lo', '2606:4700::1%eth0'],
    ...['', 'localhost', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '8.8.8.8.', ' 8.8.8.8', '8.8.8', '[::1]'],
  ])('%s is never reached', address => {
    expect([isAllowedAddress(address, false), isAllowedAddress(address, true)]).toEqual([false, false])
  })
})

describe('servers (ON-75)', () => {
  it('are all, none, or those that are listed', () => {
    const rules = ['public', 'none', [], ['a.example', 'B.Example.', '::1']] as const
    const served = (host: string) => rules.map(rule => isServed(rule, host))
    expect(served('a.example')).toEqual([true, false, false, true])
    expect(served('A.EXAMPLE.')).toEqual([true, false, false, true])
    expect(served('b.example')).toEqual([true, false, false, true])
    expect(served('::1')).toEqual([true, false, false, true])
    for (const host of ['x.a.example', 'example', 'a.example..', '']) expect(served(host)).toEqual([true, false, false, false])
  })
  it('are asked at ports that are no other service’s', () => {
    expect([80, 443, 1024, 8443, 65_535].map(isServerPort)).toEqual(Array(5).fill(true))
    expect([0, 1, 21, 22, 25, 53, 110, 143, 444, 587, 1023].map(isServerPort)).toEqual(Array(11).fill(false))
  })
})

const REFUSED = { status: 502, text: 'Web server cannot be reached' }
const TARGET = '/oxen/v4/lsrpc'
const closing: { close(): unknown }[] = []
let tls: TlsTexts
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'relay-servers-'))
  tls = await loadTls('self-signed', { dataDirectory: directory, host: '127.0.0.1', clock: systemClock })
})
afterAll(() => rmSync(directory, { recursive: true }))
afterEach(async () => {
  for (const each of closing.splice(0)) await each.close()
})

async function serve(answer: Parameters<typeof stranger>[0]): Promise<Stranger> {
  const server = await stranger(answer)
  closing.push(server)
  return server
}

interface Settings {
  readonly config?: Partial<OnionConfig>
  readonly resolve?: Resolve
  readonly authorities?: string
}

/** A client of one relay that goes to web servers; `resolved` are the names that were looked up. */
async function relayed({ config, resolve, authorities }: Settings = {}) {
  const crypto = await loadCrypto()
  const random = systemRandom()
  const identity = identityFromSeed(crypto, random.bytes(32))
  const own = x25519KeyPair(crypto, Secret.of(random.bytes(32), 'x25519-secret'))
  const resolved: string[] = []
  const relay = new OnionRelay({
    crypto,
    random,
    ed25519: identity.ed25519,
    keys: identity.onionKeys(),
    nodes: { node: () => undefined },
    config: { ...DEFAULT_ONION, allowPrivate: true, ...config },
    answer: async () => ({ status: 200, body: {} }),
    isReady: () => true,
    clock: monotonicClock,
    timers: systemTimers,
    resolve: async name => {
      resolved.push(name)
      return resolve === undefined ? ['127.0.0.1'] : resolve(name)
    },
    ...(authorities !== undefined && { authorities }),
  })
  closing.push(relay)
  const ask = async (address: Partial<ServerAddress>, payload: Uint8Array = new Uint8Array(0)) => {
    const to = { kind: 'server', x25519: encodeHex(own.publicKey), host: 'web.example', port: 443, protocol: 'http' } as const
    const { body } = sealOnion(crypto, random, [identity], { ...to, target: TARGET, ...address }, payload)
    const answer = await relay.routes[`POST ${ONION_REQUEST_PATH}`]!(body)
    const peeled = peelOnion(crypto, identity.onionKeys(), body)
    const frame = peeled.kind === 'server' ? Buffer.from(peeled.body) : undefined
    return { status: answer.status, text: Buffer.from(answer.body as Uint8Array).toString(), frame }
  }
  return { ask, resolved, ed25519: identity.ed25519 }
}

describe('a web server (ON-77, ON-78)', () => {
  it('gets the whole frame by POST, and its answer comes back with its status', async () => {
    const seen: unknown[] = []
    const { port, bodies } = await serve((request, response) => {
      seen.push([request.method, request.url, request.headers.host, request.headers['x-forwarded-for']])
      response.writeHead(418, { 'set-cookie': 'a=b', location: 'http://127.0.0.1:1/' }).end('short and stout')
    })
    const { ask, resolved } = await relayed()
    const request = encodeServerRequest({ endpoint: '/rooms', method: 'GET', headers: {} })
    const answer = await ask({ port }, request)
    expect(answer).toMatchObject({ status: 418, text: 'short and stout' })
    expect(bodies).toEqual([answer.frame])
    expect([seen, resolved]).toEqual([[['POST', TARGET, `web.example:${port}`, undefined]], ['web.example']])
  })
  it('is reached through three relays of a network', async () => {
    const { port, bodies } = await serve((_, response) => void response.end(Buffer.from([0, 255, 1])))
    const network = await OnionNetwork.start({ nodes: 3, onion: { allowPrivate: true } })
    const address = { host: '127.0.0.1', port, protocol: 'http', target: TARGET } as const
    const answer = await network.askServer(network.registry, address, network.registry[0]!)
    expect([answer.status, [...answer.bytes], bodies.length]).toEqual([200, [0, 255, 1], 1])
    const byDefault = await OnionNetwork.start({ nodes: 1 })
    expect(await byDefault.askServer(byDefault.registry, address, network.registry[0]!)).toMatchObject(REFUSED)
    expect(bodies).toHaveLength(1)
    await Promise.all([network.close(), byDefault.close()])
  })
  it('is not followed to where it redirects', async () => {
    const inner = await serve((_, response) => void response.end('secret'))
    const { port } = await serve((_, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${inner.port}${TARGET}` }).end()
    })
    expect(await (await relayed()).ask({ port })).toMatchObject({ status: 307, text: '' })
    expect(inner.connections()).toBe(0)
  })
  it('is asked at the address that was checked, whatever the name means a moment later', async () => {
    const { port, connections } = await serve((_, response) => void response.end('inside'))
    const answers = [['8.8.8.8', '127.0.0.1'], ['127.0.0.1'], ['::1', '8.8.8.8'], ['169.254.169.254'], []]
    const left = [...answers]
    const { ask, resolved } = await relayed({ config: { allowPrivate: false }, resolve: async () => left.shift() ?? [] })
    for (const _ of answers) expect(await ask({ port })).toMatchObject(REFUSED)
    expect([resolved.length, connections()]).toEqual([answers.length, 0])
    const rebinding = [['127.0.0.1'], ['169.254.169.254']]
    const once = await relayed({ resolve: async () => rebinding.shift() ?? [] })
    expect(await once.ask({ port })).toMatchObject({ status: 200, text: 'inside' })
    expect(once.resolved).toHaveLength(1)
  })
  it('is tried at its next address when one does not answer', async () => {
    const { port } = await serve((_, response) => void response.end('here'))
    const { ask } = await relayed({ resolve: async () => ['127.0.0.2', '127.0.0.1'] })
    expect(await ask({ port })).toMatchObject({ status: 200, text: 'here' })
  })
})

describe('a web server that is not asked, or does not answer (ON-75, ON-76, ON-78)', () => {
  it.each([
    ['a name that leads nowhere', { host: 'none.example' }, REFUSED],
    ['a literal address', { host: '127.0.0.1' }, REFUSED],
    ['a literal IPv6 address', { host: '::1' }, REFUSED],
    ['an address mapped into IPv6', { host: '::ffff:127.0.0.1' }, REFUSED],
    ['an address written as a number', { host: '2130706433' }, REFUSED],
    ['an address written short', { host: '127.1' }, REFUSED],
    ['the port of mail', { port: 25 }, REFUSED],
    ['a server with a broken name server', { host: 'broken.example' }, REFUSED],
  ])('is refused with one text: %s', async (_, address, refusal) => {
    const resolve = async (name: string) => {
      if (name === 'broken.example') throw new Error('SERVFAIL')
      return []
    }
    const { ask } = await relayed({ config: { allowPrivate: false }, resolve })
    expect(await ask(address)).toMatchObject(refusal)
  })
  it('is refused where the node asks none, or not that one, and the client tries another path (ON-75)', async () => {
    for (const servers of ['none', ['other.example']] as const) {
      const { ask, resolved, ed25519 } = await relayed({ config: { servers } })
      const answer = await ask({})
      expect(answer).toMatchObject({ status: 400, text: 'Web server not served by this node' })
      expect(resolved).toEqual([])
      const route = { relays: [ed25519], destination: undefined }
      expect(judgeFailure({ status: answer.status, body: encodeUtf8(answer.text) }, route)).toMatchObject({ retry: 'now' })
    }
  })
  it('is too slow, too long, broken or not there: the client blames it and no node (ON-53, ON-78)', async () => {
    const hanging = await serve(() => {})
    const long = await serve((_, response) => void response.end(Buffer.alloc(ONION_REPLY_MAX_BYTES + 1)))
    const broken = await serve((request, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('x', () => request.socket.destroy())
    })
    const gone = await stranger(() => {})
    await gone.close()
    const impatient = await relayed({ config: { serverTimeoutMs: 100 } })
    const patient = await relayed()
    const cases = [
      [hanging, 504, 'Web server did not answer in time'],
      [long, 502, 'Invalid response from web server'],
      [broken, 502, 'Invalid response from web server'],
      [gone, 502, 'Web server cannot be reached'],
    ] as const
    for (const [{ port }, status, text] of cases) {
      const { ask, ed25519 } = status === 504 ? impatient : patient
      const answer = await ask({ port })
      expect(answer).toMatchObject({ status, text })
      const route = { relays: [ed25519], destination: undefined }
      const { blame } = judgeFailure({ status, body: encodeUtf8(answer.text) }, route)
      expect(blame).toEqual({ kind: 'destination' })
    }
  })
  it('whose name server never answers is a timeout too', async () => {
    const { ask } = await relayed({ config: { serverTimeoutMs: 100 }, resolve: () => new Promise(() => {}) })
    expect(await ask({})).toMatchObject({ status: 504 })
  })
})

describe('a web server over HTTPS (ON-77)', () => {
  async function secure() {
    let served = 0
    const server = createTlsServer({ cert: tls.certificate, key: tls.key }, (_, response) => {
      served++
      response.end('secure')
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    closing.push({ close: () => server.closeAllConnections() ?? server.close() })
    return { port: (server.address() as AddressInfo).port, served: () => served }
  }
  it('is asked when its certificate is good for its name or address', async () => {
    const { port } = await secure()
    const { ask } = await relayed({ authorities: tls.certificate })
    for (const host of ['localhost', '127.0.0.1']) {
      expect(await ask({ host, port, protocol: 'https' })).toMatchObject({ status: 200, text: 'secure' })
    }
  })
  it('is not asked when it is good for another name, or nobody knows who signed it', async () => {
    const { port, served } = await secure()
    const known = await relayed({ authorities: tls.certificate })
    expect(await known.ask({ host: 'web.example', port, protocol: 'https' })).toMatchObject(REFUSED)
    const unknown = await relayed()
    expect(await unknown.ask({ host: 'localhost', port, protocol: 'https' })).toMatchObject(REFUSED)
    const plain = await serve((_, response) => void response.end('plain'))
    expect(await known.ask({ host: 'localhost', port: plain.port, protocol: 'https' })).toMatchObject(REFUSED)
    expect([served(), plain.bodies.length]).toEqual([0, 0])
  })
})

describe('the name servers of the system', () => {
  it('give no address for what is none (ON-76)', async () => {
    const resolve = systemResolve()
    expect((await resolve('localhost')).filter(address => isAllowedAddress(address, false))).toEqual([])
  })
})
