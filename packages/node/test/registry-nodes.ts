/** Lists of nodes, servers that answer JSON-RPC with them, and a log that is kept. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { encodeServiceNode, type ServiceNode } from '@session-v2/network'
import { pino } from 'pino'
import type { Log } from '../src/log.ts'
import { QUESTION_TIMEOUT_MS } from '../src/registry/json-rpc.ts'
import type { ManualTimers } from './registry-timers.ts'

export function node(n: number, swarmId = 1n): ServiceNode {
  const key = n.toString(16).padStart(64, '0')
  return { ed25519: key, x25519: key, host: '127.0.0.1', port: 20_000 + n, protocol: 'http', swarmId }
}

export function nodes(count: number, first = 1): ServiceNode[] {
  return Array.from({ length: count }, (_, i) => node(first + i))
}

export function keysOf(list: readonly ServiceNode[]): string[] {
  return list.map(({ ed25519 }) => ed25519).sort()
}

export function states(list: readonly ServiceNode[]): Record<string, unknown>[] {
  return list.map(one => encodeServiceNode(one))
}

export class KeptLog {
  readonly lines: { readonly level: number; readonly msg: string }[] = []
  readonly log: Log = pino({ level: 'debug', base: null }, { write: (line: string) => void this.lines.push(JSON.parse(line)) })

  /** The messages of warnings and errors. */
  get complaints(): string[] {
    return this.lines.filter(({ level }) => level >= 40).map(({ msg }) => msg)
  }
}

export interface Asked {
  readonly method: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into parameters of every shape
  readonly params: any
}

/** A JSON-RPC server that answers what `result` says: an object, the text of a body, or a status. */
export class RpcServer {
  readonly asked: Asked[] = []
  readonly #server: Server
  result: (asked: Asked) => object | string | number
  url = ''

  private constructor(result: (asked: Asked) => object | string | number, pem?: Buffer) {
    this.result = result
    const answer: RequestListener = async (request, response) => {
      const asked = await read(request)
      this.asked.push(asked)
      const answered = this.result(asked)
      if (request.url !== '/json_rpc') response.writeHead(404).end()
      else if (typeof answered === 'number') response.writeHead(answered, { location: `${this.url}/json_rpc` }).end()
      else response.end(typeof answered === 'string' ? answered : JSON.stringify({ jsonrpc: '2.0', id: 0, result: answered }))
    }
    this.#server = pem === undefined ? createServer(answer) : createTlsServer({ cert: pem, key: pem }, answer)
  }

  static async start(result: (asked: Asked) => object | string | number, pem?: Buffer): Promise<RpcServer> {
    const server = new RpcServer(result, pem)
    await new Promise<void>(resolve => server.#server.listen(0, '127.0.0.1', resolve))
    const { port } = server.#server.address() as AddressInfo
    server.url = `${pem === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
    return server
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise(resolve => this.#server.close(() => resolve()))
  }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString())
}

const isPoll = (delayMs: number): boolean => delayMs !== QUESTION_TIMEOUT_MS

/** Lets the next poll of a registry happen, to its end; what its pause was. */
export async function pollOnce(timers: ManualTimers): Promise<number> {
  await timers.pending(isPoll)
  const pauseMs = timers.fire(isPoll)
  await timers.pending(isPoll)
  return pauseMs
}
