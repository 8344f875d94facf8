/** What carries requests to other members, against real servers. */
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ServiceNode } from '@session-v2/network'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemTimers, type Timers } from '../src/ports.ts'
import type { PeerHeaders } from '../src/swarm/peer-authentication.ts'
import { httpPeerSender, LONG_REPLIES_MAX_BYTES, PEER_PATH, type PeerSender } from '../src/swarm/peer-sender.ts'

const KEY = 'ab'.repeat(32)
const HEADERS: PeerHeaders = { 'x-session-node': KEY, 'x-session-timestamp': '1', 'x-session-signature': '' }
const servers: Server[] = []
let sender: PeerSender

beforeEach(() => {
  sender = httpPeerSender(systemTimers)
})
afterEach(() => {
  sender.close()
  for (const server of servers.splice(0)) server.close()
})

async function listening(server: Server, protocol: ServiceNode['protocol']): Promise<ServiceNode> {
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { ed25519: KEY, x25519: KEY, host: '127.0.0.1', port, protocol, swarmId: 1n }
}

/** Answers with the path and body of the request. */
const echo: RequestListener = async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  response.end(`${request.url} ${Buffer.concat(chunks)}`)
}

describe('a request to a peer (NODE-42)', () => {
  it('goes over a connection of one before', async () => {
    const server = createServer(echo)
    let connections = 0
    server.on('connection', () => connections++)
    const peer = await listening(server, 'http')
    for (const text of ['one', 'two', 'three', 'four', 'five']) {
      const { status, body } = await sender.send(peer, Buffer.from(text), HEADERS)
      expect([status, body.toString()]).toEqual([200, `${PEER_PATH} ${text}`])
    }
    // The one before may be about to become free.
    expect(connections).toBeLessThanOrEqual(2)
  })

  it('goes to a peer whose certificate nobody has signed but itself', async () => {
    const pem = readFileSync(new URL('./fixtures/self-signed.pem', import.meta.url))
    const peer = await listening(createTlsServer({ cert: pem, key: pem }, echo), 'https')
    await expect(fetch(`https://127.0.0.1:${peer.port}/`)).rejects.toThrow()
    const { status, body } = await sender.send(peer, Buffer.from('sealed'), HEADERS)
    expect([status, body.toString()]).toEqual([200, `${PEER_PATH} sealed`])
  })
})

describe('a reply of a peer (NODE-32, NODE-46)', () => {
  it('is waited for from when the request is done here', async () => {
    const waits: { delayMs: number; run: () => void }[] = []
    const timers: Timers = {
      after(delayMs, run) {
        waits.push({ delayMs, run })
        return () => {}
      },
      soon: systemTimers.soon,
    }
    let asked = 0
    const peer = await listening(
      createServer(() => asked++),
      'http',
    )
    let done = (): void => {}
    const from = new Promise<void>(resolve => {
      done = resolve
    })
    const own = httpPeerSender(timers)
    const sent = own.send(peer, Buffer.from('slow'), HEADERS, { timeoutMs: 77, maxBytes: 1, from })
    const failed = expect(sent).rejects.toMatchObject({ code: 'peer-timeout' })
    await expect.poll(() => asked).toBe(1)
    expect(waits).toEqual([])
    done()
    await from
    expect(waits.map(({ delayMs }) => delayMs)).toEqual([77])
    waits[0]!.run()
    await failed
    own.close()
  })
  it('may be as long as the request says, and those that arrive at once as long together as there is room', async () => {
    const sizeBytes = 5 * 1024 * 1024
    let finish = (): void => {}
    const finished = new Promise<void>(resolve => {
      finish = resolve
    })
    const peer = await listening(
      createServer((_request, response) => {
        response.write(Buffer.alloc(sizeBytes))
        void finished.then(() => response.end())
      }),
      'http',
    )
    const ask = (maxBytes: number) => sender.send(peer, Buffer.from('long'), HEADERS, { timeoutMs: 60_000, maxBytes })
    const count = Math.floor(LONG_REPLIES_MAX_BYTES / sizeBytes) + 2
    const asked = Array.from({ length: count }, () => ask(sizeBytes))
    await expect(Promise.all(asked)).rejects.toMatchObject({ code: 'bad-peer-response' })
    finish()
    const outcomes = await Promise.allSettled(asked)
    const whole = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value.body.length] : []))
    expect(whole.length).toBeGreaterThanOrEqual(count - 3)
    expect(new Set(whole)).toEqual(new Set([sizeBytes]))
    expect((await ask(sizeBytes)).body).toHaveLength(sizeBytes)
    await expect(ask(sizeBytes - 1)).rejects.toMatchObject({ code: 'bad-peer-response' })
  })
})
