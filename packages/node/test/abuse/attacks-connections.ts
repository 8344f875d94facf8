/** Attacks by connections: slow, silent, endless, too many. */
import type { Socket } from 'node:net'
import { STORAGE_RPC_PATH } from '@session-v2/network'
import { expect } from 'vitest'
import { type Attack, until } from './attack.ts'
import { type AttackedNode, MIB } from './attacked-node.ts'
import { HostileSockets, postOf } from './hostile-sockets.ts'

const SECOND_MS = 1000
const SLOW_CONNECTIONS = 1200
const PAGE_READERS = 24
const ENDLESS = 16
const MANY = 10_000
/** Of the configuration, by default. */
const CONNECTIONS = 4096
const PER_ADDRESS = 512

const HEAD = `POST ${STORAGE_RPC_PATH} HTTP/1.1\r\nHost: a\r\n`
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`

/** A byte a second, until the node has had enough. */
function drip(begin: string, statuses: readonly number[]) {
  return async (target: AttackedNode) => {
    const sockets = new HostileSockets(target.port)
    const timers: NodeJS.Timeout[] = []
    const addressOf = (i: number) => `127.0.3.${1 + (i % 3)}`
    await sockets.openMany(SLOW_CONNECTIONS, addressOf, socket => {
      socket.write(begin)
      const timer = setInterval(() => socket.write('x'), SECOND_MS)
      timers.push(timer)
      socket.once('close', () => clearInterval(timer))
    })
    return {
      async finish() {
        await until(() => sockets.open === 0)
        expect(sockets.opened).toBe(SLOW_CONNECTIONS)
        for (const status of sockets.statuses.keys()) expect(statuses).toContain(status)
      },
      stop() {
        sockets.stop()
        for (const timer of timers) clearInterval(timer)
      },
    }
  }
}

/** `more` is sent without end behind `begin`, again on another connection when the node closes, so many times. */
function pour(begin: string, more: string, statuses: readonly number[], times = 2) {
  return async (target: AttackedNode) => {
    const sockets = new HostileSockets(target.port)
    const piece = Buffer.from(more)
    const use = (socket: Socket): void => {
      socket.write(begin)
      const send = (): void => {
        while (!socket.destroyed && socket.write(piece));
      }
      socket.on('drain', send)
      send()
    }
    const closed = (): number => sockets.opened - sockets.open
    const again = async (i: number): Promise<void> => {
      while (!sockets.isStopped && closed() < times * ENDLESS) {
        const socket = await sockets.connect(`127.0.4.${1 + (i % 4)}`)
        if (socket === undefined) continue
        use(socket)
        await new Promise(resolve => socket.once('close', resolve))
      }
    }
    const pouring = Promise.all(Array.from({ length: ENDLESS }, (_, i) => again(i)))
    await until(() => sockets.opened > 0)
    return {
      async finish() {
        await pouring
        // Where the node closed before everything was read, the connection was reset, and nothing was seen of its answer. Where it did not read
        // on, that is 408 in the end.
        for (const status of sockets.statuses.keys()) expect([0, 408, ...statuses]).toContain(status)
      },
      stop: () => sockets.stop(),
    }
  }
}

async function oversize(target: AttackedNode) {
  const sockets = new HostileSockets(target.port)
  const sizes = [10 * MIB + 1, 2 ** 31, 2 ** 53, '9'.repeat(19)]
  await sockets.openMany(
    sizes.length * 10,
    () => '127.0.4.9',
    (socket, i) => {
      socket.write(`${HEAD}Content-Length: ${sizes[i % sizes.length]}\r\n\r\n${'x'.repeat(4096)}`)
    },
  )
  return {
    async finish() {
      await until(() => sockets.open === 0)
      for (const status of sockets.statuses.keys()) expect([0, 400, 413]).toContain(status)
      expect(sockets.statuses.get(413)).toBeGreaterThan(0)
    },
    stop: () => sockets.stop(),
  }
}

async function openMany(target: AttackedNode) {
  const sockets = new HostileSockets(target.port)
  const opening = sockets.openMany(
    MANY,
    i => `127.0.5.${1 + (i % 25)}`,
    socket => socket.write('POST / HT'),
  )
  await until(() => sockets.opened > PER_ADDRESS)
  return {
    async finish() {
      const open: (number | undefined)[] = []
      let isOver = false
      const over = opening.then(() => {
        isOver = true
      })
      while (!isOver) open.push(await target.node.metric('open_connections'))
      await over
      expect(sockets.opened).toBe(MANY)
      // Of the metrics there is a listener of its own.
      for (const count of open) expect(count).toBeLessThanOrEqual(CONNECTIONS)
    },
    stop: () => sockets.stop(),
  }
}

/** Asks for the largest pages, and takes nothing of them. */
async function neverRead(target: AttackedNode) {
  const account = target.newAccount()
  for (let i = 0; i < 60; i++) {
    const store = target.storeOf(account, new Uint8Array(75_000).fill(i))
    expect((await target.ask(store)).status).toBe(200)
  }
  const { method, params } = target.retrieveOf(account)
  const request = postOf(STORAGE_RPC_PATH, JSON.stringify({ method, params: { ...params, max_size: -1 } }))
  const sockets = new HostileSockets(target.port)
  const begin = (socket: Socket): void => {
    socket.pause()
    socket.write(request)
  }
  const addressOf = (i: number) => `127.0.6.${1 + (i % 2)}`
  await sockets.openMany(PAGE_READERS, addressOf, begin)
  return {
    async finish() {
      // Each connection that it opens costs it another one, and none costs anybody else anything.
      for (let i = 0; i < PAGE_READERS; i++) {
        await sockets.openMany(1, addressOf, begin)
        expect(await target.serves(1)).toBe(2)
      }
    },
    stop: () => sockets.stop(),
  }
}

export const CONNECTION_ATTACKS: readonly Attack[] = [
  { name: 'heads of a byte a second', begin: drip('POST /storage_rpc/v1 HTTP/1.1\r\nX: ', [0, 408]) },
  { name: 'bodies of a byte a second', begin: drip(`${HEAD}Content-Length: 100000\r\n\r\n`, [408]) },
  { name: 'bodies that say they are oversized', begin: oversize },
  { name: 'bodies without an end', begin: pour(CHUNKED, `10000\r\n${'x'.repeat(65_536)}\r\n`, [408, 413, 429, 503]) },
  { name: 'bodies without an end in single bytes', begin: pour(CHUNKED, '1\r\nx\r\n'.repeat(10_000), [408, 413, 429, 503], 1) },
  { name: 'heads without an end', begin: pour(HEAD, `X: ${'x'.repeat(1000)}\r\n`.repeat(64), [431]) },
  { name: 'extensions of a chunk without an end', begin: pour(`${CHUNKED}1`, `;${'x'.repeat(65_535)}`, [400, 413]) },
  { name: 'trailers without an end', begin: pour(`${CHUNKED}0\r\n`, `X: ${'x'.repeat(1000)}\r\n`.repeat(64), [400, 431]) },
  { name: '10,000 connections', begin: openMany },
  { name: 'pages that nobody takes', begin: neverRead },
]
