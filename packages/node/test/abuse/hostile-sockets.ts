/** Connections of attackers to a node, from addresses of this computer, and what came of them. */
import { connect, type Socket } from 'node:net'
import { HOST } from '../faults/node-process.ts'

const OPENED_AT_ONCE = 250

export function postOf(path: string, body: Uint8Array | string): Buffer {
  const bytes = Buffer.from(body as string)
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes.length}\r\n\r\n`), bytes])
}

export class HostileSockets {
  readonly #port: number
  readonly #open = new Set<Socket>()
  /** How often each status was answered; 0: closed without an answer. */
  readonly statuses = new Map<number, number>()
  opened = 0
  #stopped = false

  constructor(port: number) {
    this.#port = port
  }

  get open(): number {
    return this.#open.size
  }

  get answered(): number {
    return [...this.statuses.values()].reduce((sum, each) => sum + each, 0)
  }

  get isStopped(): boolean {
    return this.#stopped
  }

  /** Opens one; undefined when it was refused or closed at once. */
  connect(localAddress: string): Promise<Socket | undefined> {
    return new Promise(resolve => {
      const socket = connect({ port: this.#port, host: HOST, localAddress }, () => {
        this.opened++
        resolve(socket)
      })
      this.#open.add(socket)
      let isAnswered = false
      socket.on('data', chunk => {
        for (const [, status] of String(chunk).matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
          isAnswered = true
          this.#count(Number(status))
        }
      })
      socket.on('error', () => {})
      socket.once('close', () => {
        this.#open.delete(socket)
        if (!isAnswered && !this.#stopped) this.#count(0)
        resolve(undefined)
      })
    })
  }

  /** Opens many, some at a time; `use` begins with each. */
  async openMany(count: number, addressOf: (i: number) => string, use: (socket: Socket, i: number) => void): Promise<void> {
    for (let from = 0; from < count && !this.#stopped; from += OPENED_AT_ONCE) {
      const wave = Array.from({ length: Math.min(OPENED_AT_ONCE, count - from) }, async (_, i) => {
        const socket = await this.connect(addressOf(from + i))
        if (socket !== undefined) use(socket, from + i)
      })
      await Promise.all(wave)
    }
  }

  /** Sends one request after the other on a connection, without pause, and opens it again when it is closed, until it is stopped. */
  async repeat(localAddress: string, next: () => Uint8Array | undefined): Promise<void> {
    while (!this.#stopped) {
      const first = next()
      if (first === undefined) return
      const socket = await this.connect(localAddress)
      if (socket === undefined) continue
      socket.on('data', () => {
        const request = next()
        if (request === undefined) socket.destroy()
        else socket.write(request)
      })
      socket.write(first)
      await new Promise(resolve => {
        if (socket.closed) resolve(undefined)
        else socket.once('close', resolve)
      })
    }
  }

  stop(): void {
    this.#stopped = true
    for (const socket of this.#open) socket.destroy()
  }

  #count(status: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
  }
}
