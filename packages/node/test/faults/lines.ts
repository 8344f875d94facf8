/** Lines between nodes that a test can cut: each node reaches each other one through a port of its own, which passes on what comes. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort, HOST } from './node-process.ts'

/** `refused`: connections are reset at once · `silent`: they are accepted, and nothing that is said on them arrives. */
export type Cut = 'refused' | 'silent'

interface Line {
  readonly port: number
  readonly server: Server
  readonly sockets: Set<Socket>
}

export class Lines {
  readonly #lines = new Map<string, Line>()
  #cut: { readonly kind: Cut; readonly groups: readonly (readonly number[])[] } | undefined

  /** The port at which the node `from` reaches the node `to`, which listens on `target`. */
  async port(from: number, to: number, target: number): Promise<number> {
    const name = `${from} ${to}`
    const known = this.#lines.get(name)
    if (known !== undefined) return known.port
    const port = await freePort()
    const sockets = new Set<Socket>()
    const server = createServer(socket => this.#pass(socket, { from, to, target, sockets }))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, HOST, resolve)
    })
    this.#lines.set(name, { port, server, sockets })
    return port
  }

  /** Cuts the lines between nodes of different groups, those that are in use too. */
  cut(groups: readonly (readonly number[])[], kind: Cut): void {
    this.#cut = { kind, groups }
    for (const [name, { sockets }] of this.#lines) {
      const [from, to] = name.split(' ').map(Number)
      if (this.#cutOf(from!, to!) === undefined) continue
      for (const socket of sockets) {
        if (kind === 'refused') socket.destroy()
        else socket.pause().unpipe()
      }
    }
  }

  /** Mends all lines. What was under way on them is lost. */
  mend(): void {
    this.#cut = undefined
    for (const { sockets } of this.#lines.values()) for (const socket of sockets) socket.destroy()
  }

  close(): void {
    for (const { server, sockets } of this.#lines.values()) {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }

  #cutOf(from: number, to: number): Cut | undefined {
    const isTogether = this.#cut?.groups.some(group => group.includes(from) && group.includes(to))
    return isTogether === false ? this.#cut?.kind : undefined
  }

  #pass(socket: Socket, line: { from: number; to: number; target: number; sockets: Set<Socket> }): void {
    const { from, to, target, sockets } = line
    this.#keep(socket, sockets)
    const cut = this.#cutOf(from, to)
    if (cut === 'refused') socket.destroy()
    if (cut !== undefined) return
    const other = connect(target, HOST)
    this.#keep(other, sockets)
    socket.pipe(other).pipe(socket)
    socket.once('close', () => other.destroy())
    other.once('close', () => socket.destroy())
  }

  #keep(socket: Socket, sockets: Set<Socket>): void {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
  }
}
