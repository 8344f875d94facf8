/**
 * Whoever attacks a node in the bench `abuse`: a process of its own at the lowest priority, that attacks while it is told to. It never
 * waits between two requests, except where that is the attack, and opens again what the node closes.
 *
 *     node attacker.js ATTACK PORT ED25519 X25519       messages: true begins, false ends
 */
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'
import { argv, disconnect, on } from 'node:process'
import { type Crypto, ed25519KeyPair, ed25519PublicToX25519, loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  buildRetrieve,
  encodeRequest,
  type Namespace,
  ONION_REQUEST_PATH,
  type RequestSigner,
  STORAGE_RPC_PATH,
  sealOnion,
} from '@session-v2/network'

/** Of one address as many as the node keeps. */
const CONNECTIONS = 512
const LORIS_ADDRESSES = 4
const LONG_BODIES = 8
const PIPELINED = 32
const MIB = 1024 * 1024
const LONG_BYTES = 10 * MIB - 4096
const LOOP_HOPS = 15
const SECOND_MS = 1000
const HOUR_MS = 3_600_000
const OPEN_AT_ONCE = 200
const MANY_CONNECTIONS = 10_000
const LOWEST_PRIORITY = 19

interface Target {
  readonly port: number
  readonly ed25519: string
  readonly x25519: string
}

const [, , attack = '', port, ed25519 = '', x25519 = ''] = argv
const target: Target = { port: Number(port), ed25519, x25519 }
const random = systemRandom()
const sockets = new Set<Socket>()
let isOn = false

const ATTACKS: Readonly<Record<string, (crypto: Crypto) => void>> = {
  'slow heads': () => {
    for (let i = 0; i < LORIS_ADDRESSES * CONNECTIONS; i++)
      drip(`127.0.1.${1 + (i % LORIS_ADDRESSES)}`, 'POST /storage_rpc/v1 HTTP/1.1\r\nX: ')
  },
  'slow bodies': () => {
    const head = `POST ${STORAGE_RPC_PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n`
    for (let i = 0; i < LORIS_ADDRESSES * CONNECTIONS; i++) drip(`127.0.1.${1 + (i % LORIS_ADDRESSES)}`, head)
  },
  'endless bodies': () => {
    for (let i = 0; i < LONG_BODIES; i++) pour()
  },
  '10,000 connections': () => {
    for (let i = 0; i < OPEN_AT_ONCE; i++) hold(i)
  },
  'a flood of one address': () =>
    repeat(CONNECTIONS, () => Buffer.concat(Array(PIPELINED).fill(rpc('{"method":"info","params":{}}')))),
  'a flood of unknown paths': () =>
    repeat(CONNECTIONS, () => Buffer.from('GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(PIPELINED))),
  'huge JSON': () => {
    const bodies = ['[],', '"a",', '1,', '"\\"",', '{"":{}},'].map(part =>
      rpc(`{"params":[${part.repeat(LONG_BYTES / part.length)}]}`),
    )
    repeat(LONG_BODIES, i => bodies[i % bodies.length]!)
  },
  'deep JSON': () => {
    const bodies = ['[', '{"":'].map(part => rpc(part.repeat(LONG_BYTES / part.length)))
    repeat(LONG_BODIES, i => bodies[i % bodies.length]!)
  },
  'huge and deep bt': () => {
    const bodies = ['le', 'i1e', '0:', 'l'].map(part => rpc(`d1:al${part.repeat(LONG_BYTES / part.length)}ee`))
    repeat(LONG_BODIES, i => bodies[i % bodies.length]!)
  },
  'replayed signatures': crypto => {
    const bodies = Array.from({ length: CONNECTIONS }, () => rpc(encodeRequest(oldRetrieve(crypto), 'json')))
    repeat(CONNECTIONS, i => bodies[i]!)
  },
  'hash squatting': () => {
    const account = `05${encodeHex(random.bytes(32))}`
    const store = () => ({ pubkey: account, timestamp: Date.now(), ttl: HOUR_MS, data: `Mg${'A'.repeat(1366)}` })
    repeat(CONNECTIONS, () => rpc(JSON.stringify({ method: 'store', params: store() })))
  },
  'forged path errors': crypto => {
    const nobody = newAccount(crypto)
    const bodies = Array.from({ length: CONNECTIONS }, () => onion(crypto, 1, { ...keysOf(nobody, crypto) }))
    repeat(CONNECTIONS, i => bodies[i]!)
  },
  'onion loops': crypto => {
    const bodies = Array.from({ length: CONNECTIONS }, () => onion(crypto, LOOP_HOPS, target))
    repeat(CONNECTIONS, i => bodies[i]!)
  },
}

function newAccount(crypto: Crypto): RequestSigner {
  const { publicKey, secretKey } = ed25519KeyPair(crypto, Secret.of(random.bytes(32), 'ed25519-seed'))
  return { accountId: `05${encodeHex(ed25519PublicToX25519(crypto, publicKey))}`, publicKey, secretKey }
}

function keysOf({ publicKey }: RequestSigner, crypto: Crypto): Pick<Target, 'ed25519' | 'x25519'> {
  return { ed25519: encodeHex(publicKey), x25519: encodeHex(ed25519PublicToX25519(crypto, publicKey)) }
}

function oldRetrieve(crypto: Crypto) {
  const signer = newAccount(crypto)
  return buildRetrieve(crypto, {
    accountId: signer.accountId,
    namespace: 0 as Namespace,
    timestampMs: Date.now() - HOUR_MS,
    signer,
  })
}

function rpc(body: string | Uint8Array): Buffer {
  return postOf(STORAGE_RPC_PATH, Buffer.from(body as string))
}

function postOf(path: string, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`), body])
}

/** Through the node itself, `hops` times, to a node that may not exist. */
function onion(crypto: Crypto, hops: number, to: Pick<Target, 'ed25519' | 'x25519'>): Buffer {
  const path = Array.from({ length: hops }, () => target)
  const { body } = sealOnion(crypto, random, path, { kind: 'node', ...to }, encodeUtf8('{"method":"info","params":{}}'))
  return postOf(ONION_REQUEST_PATH, body)
}

/** Keeps `connections` of one address busy: sends the next request once something has come back. */
function repeat(connections: number, requestOf: (i: number) => Buffer): void {
  for (let i = 0; i < connections; i++) {
    open('127.0.1.1', socket => {
      const send = () => socket.write(requestOf(i))
      socket.on('data', send)
      send()
    })
  }
}

function pour(): void {
  open('127.0.1.1', socket => {
    socket.write(`POST ${STORAGE_RPC_PATH} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const chunk = Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`)
    const more = (): void => {
      while (isOn && !socket.destroyed && socket.write(chunk));
    }
    socket.on('drain', more)
    more()
  })
}

function drip(address: string, begin: string): void {
  open(address, socket => {
    socket.write(begin)
    const timer = setInterval(() => socket.write('x'), SECOND_MS)
    socket.once('close', () => clearInterval(timer))
  })
}

/** Opens one connection after the other and keeps them, until there are too many. */
function hold(chain: number): void {
  if (!isOn) return
  if (sockets.size >= MANY_CONNECTIONS) setTimeout(hold, SECOND_MS / 10, chain)
  const socket = connect({ port: target.port, host: '127.0.0.1', localAddress: `127.0.1.${1 + (chain % 20)}` })
  sockets.add(socket)
  socket.on('error', () => {})
  socket.once('connect', () => setImmediate(hold, chain))
  socket.once('close', () => sockets.delete(socket))
}

/** A connection that is opened again when it is closed, for as long as the attack goes on. */
function open(localAddress: string, use: (socket: Socket) => void): void {
  if (!isOn) return
  const socket = connect({ port: target.port, host: '127.0.0.1', localAddress }, () => use(socket))
  sockets.add(socket)
  socket.on('error', () => {})
  socket.once('close', () => {
    sockets.delete(socket)
    setImmediate(open, localAddress, use)
  })
}

setPriority(LOWEST_PRIORITY)
const crypto = await loadCrypto()
on('message', (begin: boolean) => {
  isOn = begin
  if (begin) ATTACKS[attack]!(crypto)
  else for (const socket of sockets) socket.destroy()
})
on('disconnect', () => process.exit(0))
process.send?.({ ready: true })
void disconnect
