import { connect } from 'node:net'
import { decodeHex } from '@session-v2/encoding'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allowsOrigin } from '../src/http/cors.ts'
import { NetworkUnderTest, post } from './network-under-test.ts'

let test: NetworkUnderTest
let base: string
const BODY_TIMEOUT_MS = 1000

beforeAll(async () => {
  test = await NetworkUnderTest.start({ bodyTimeoutMs: BODY_TIMEOUT_MS })
  base = test.network.nodes[0]!.url
})
afterAll(() => test.close())

/** Sends raw bytes and resolves to everything that came back once the node hangs up. */
function raw(text: string): Promise<string> {
  return new Promise(resolve => {
    let received = ''
    const socket = connect(Number(new URL(base).port), '127.0.0.1', () => socket.write(text))
    socket.on('data', chunk => {
      received += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
}

describe('paths (NODE-60)', () => {
  it('says what it is, and keeps the connection (NODE-65)', async () => {
    expect(await (await fetch(`${base}/get_stats/v1`)).json()).toEqual({ version: '2.8.0' })
    const ping = await post(`${base}/ping_test/v1`, '')
    expect(ping).toMatchObject({ status: 200, body: '' })
    const pubkey = Buffer.from(decodeHex(test.network.nodes[0]!.ed25519)).toString('base64')
    expect(ping.headers.get('x-oxen-snode-pubkey')).toBe(pubkey)
    expect(ping.headers.get('server')).toBe('Session-V2 Storage Node/2.8.0')
    expect(ping.headers.get('keep-alive')).toBe('timeout=60')
  })
  it('names itself to a test by the key under which it is listed', async () => {
    const [node] = test.network.nodes
    const { port } = new URL(base)
    const entry = { ed25519: node!.ed25519, x25519: node!.x25519, host: '127.0.0.1', port: Number(port), swarmId: 1n } as const
    const list = [{ ...entry, protocol: 'http' as const }]
    node!.replaceNodes(list.map(each => ({ ...each, legacy: 'ab'.repeat(32) })))
    const { headers } = await post(`${base}/ping_test/v1`, '')
    expect(headers.get('x-oxen-snode-pubkey')).toBe(Buffer.alloc(32, 0xab).toString('base64'))
    node!.replaceNodes(list)
  })
  it('keeps nobody waiting for messages', async () => {
    const info = JSON.stringify({ method: 'info', params: {} })
    expect(await post(test.url(), info, { 'x-loki-long-poll': '1' })).toMatchObject({ status: 410 })
    expect(await post(test.url(), info)).toMatchObject({ status: 200 })
  })
  it.each([
    ['POST', '/nowhere', 'post /nowhere Not Found'],
    ['GET', '/storage_rpc/v1', 'get /storage_rpc/v1 Not Found'],
    ['DELETE', '/', 'delete / Not Found'],
    ['OPTIONS', '/storage_rpc/v1', 'options /storage_rpc/v1 Not Found'],
  ])('%s %s is 404', async (method, path, text) => {
    const response = await fetch(base + path, { method })
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([404, 'text/plain', text])
  })
})

describe('CORS (NODE-62)', () => {
  const preflight = (origin: string) =>
    fetch(test.url(), { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })

  it('answers a preflight of a loopback page, and lets it read the answer', async () => {
    const origin = 'http://localhost:5173'
    const answer = await preflight(origin)
    expect(answer.status).toBe(204)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'Content-Type',
      vary: 'Origin',
    })
    const { headers } = await post(test.url(), '{"method":"info","params":{}}', { origin })
    expect(headers.get('access-control-allow-origin')).toBe(origin)
    expect((await post(test.url(), '?', { origin })).headers.get('access-control-allow-origin')).toBe(origin)
  })
  it('says nothing to other pages', async () => {
    const origin = 'https://example.org'
    expect((await preflight(origin)).status).toBe(404)
    const { headers } = await post(test.url(), '{"method":"info","params":{}}', { origin })
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
  it('takes loopback as its default, lists, or nobody', () => {
    for (const origin of ['http://localhost', 'https://127.0.0.1:9', 'http://[::1]:80', 'http://app.localhost']) {
      expect(allowsOrigin('loopback', origin)).toBe(true)
      expect(allowsOrigin('none', origin)).toBe(false)
    }
    for (const origin of ['null', '', 'http://localhost.example.org', 'http://127.0.0.1.example.org', 'file://']) {
      expect(allowsOrigin('loopback', origin)).toBe(false)
    }
    expect(allowsOrigin(['https://a.example'], 'https://a.example')).toBe(true)
    expect(allowsOrigin(['https://a.example'], 'https://b.example')).toBe(false)
  })
})

describe('bodies (NODE-61)', () => {
  const head = 'POST /storage_rpc/v1 HTTP/1.1\r\nHost: node\r\n'

  it.each([1, 2, 300, 1000])('are whole when they come in %i pieces, of a said length or not', async count => {
    const owner = test.account()
    const { method, params } = test.storeRequest(owner, 'x'.repeat(30_000))
    const body = JSON.stringify({ method, params })
    const sizeBytes = Math.ceil(body.length / count)
    const pieces = Array.from({ length: Math.ceil(body.length / sizeBytes) }, (_, i) =>
      body.slice(i * sizeBytes, (i + 1) * sizeBytes),
    )
    const chunks = pieces.map(piece => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')
    const end = 'Connection: close\r\n'
    expect(await raw(`${head}${end}Content-Length: ${body.length}\r\n\r\n${body}`)).toMatch(/^HTTP\/1.1 200 /)
    expect(await raw(`${head}${end}Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 /)
  })

  it('are 413 when declared too large, without being read', async () => {
    const received = await raw(`${head}Content-Length: 10485761\r\n\r\n`)
    expect(received).toMatch(/^HTTP\/1.1 413 /)
    expect(received).toMatch(/connection: close/i)
    expect(received).toMatch(/Request body too large$/)
  })
  it('are 413 when they become too large', async () => {
    const mebibyte = 'x'.repeat(1024 * 1024)
    const chunks = `100000\r\n${mebibyte}\r\n`.repeat(11)
    expect(await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`)).toMatch(/^HTTP\/1.1 413 /)
  })
  it('are taken up to 10 MiB', async () => {
    expect((await post(test.url(), ' '.repeat(10_485_760))).body).toBe('invalid json')
  })
  it('are dropped when they do not end', async () => {
    expect(await raw(`${head}Content-Length: 100\r\n\r\n{"method"`)).toMatch(/^HTTP\/1.1 408 /)
  })
  it('are dropped when the head does not end', async () => {
    expect(await raw('POST /storage_rpc/v1 HTT')).toMatch(/^(HTTP\/1.1 408 |$)/)
  })
  it.each(['Content-Length: x', 'Content-Length: -1', 'Content-Length: 1\r\nContent-Length: 2'])('%s is 400', async line => {
    expect(await raw(`${head}${line}\r\n\r\n`)).toMatch(/^HTTP\/1.1 400 /)
  })
})

describe('closing', () => {
  it('answers what is running, then refuses connections, twice over', async () => {
    const one = await NetworkUnderTest.start()
    const alice = one.account()
    const running = Array.from({ length: 20 }, (_, i) => one.store(alice, `${i}`))
    await new Promise(resolve => setTimeout(resolve, 5))
    await one.network.close()
    const ended = await Promise.allSettled(running)
    for (const outcome of ended) if (outcome.status === 'fulfilled') expect([200, 503]).toContain(outcome.value.status)
    await one.network.close()
    await expect(one.ask('info', {})).rejects.toThrow()
    await one.close()
  })
})
