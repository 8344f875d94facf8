/** Requests of clients over connections that are kept, at any of several nodes. */
import { Agent, request } from 'node:http'
import { type RpcRequest, STORAGE_RPC_PATH } from '@session-v2/network'

export interface HttpAnswer {
  readonly status: number
  /** Decoded JSON, or the text. */
  readonly body: unknown
}

/** Longer than a node waits for its peers. */
const TIMEOUT_MS = 20_000

export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })

  /** Undefined when there is no whole answer. */
  ask(url: string, { method, params }: RpcRequest): Promise<HttpAnswer | undefined> {
    return new Promise(resolve => {
      const body = JSON.stringify({ method, params })
      const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
      const options = { agent: this.#agent, method: 'POST', headers, timeout: TIMEOUT_MS }
      const sent = request(url + STORAGE_RPC_PATH, options, response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', () => resolve(undefined))
        response.on('aborted', () => resolve(undefined))
        response.on('end', () => resolve(decoded(response.statusCode ?? 0, Buffer.concat(chunks).toString())))
      })
      sent.on('timeout', () => sent.destroy())
      sent.on('error', () => resolve(undefined))
      sent.on('close', () => resolve(undefined))
      sent.end(body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

function decoded(status: number, text: string): HttpAnswer {
  try {
    return { status, body: JSON.parse(text) }
  } catch {
    return { status, body: text }
  }
}
