/**
 * One question by JSON-RPC over HTTP(S), to a seed or to the daemon of a chain, and the certificate of who answers (clauses NODE-122,
 * NODE-126, NODE-127): `POST <url>/json_rpc` `{"jsonrpc": "2.0", "id": 0, "method", "params"}` → `{"result": {…}}`.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { TLSSocket } from 'node:tls'
import { type Crypto, sha256 } from '@session-v2/crypto'
import { decodeBase64, decodeHex, decodeUtf8, equalBytes } from '@session-v2/encoding'
import { NodeError } from '../node-error.ts'
import type { Timers } from '../ports.ts'
import { LIST_MAX_BYTES, parseWithSwarmIds } from './list-decoder.ts'

export const QUESTION_TIMEOUT_MS = 8_000

const RPC_PATH = 'json_rpc'
const PIN_BYTES = 32
const HEX_PIN = /^[0-9a-fA-F]{64}$/

/** Where questions go. */
export interface RpcEndpoint {
  readonly url: URL
  /** SHA-256 of the public key (SubjectPublicKeyInfo, DER) of the only certificate that counts: 32 bytes. */
  readonly pin?: Uint8Array
}

export interface QuestionParts {
  readonly crypto: Crypto
  readonly timers: Timers
}

export interface Question {
  readonly method: string
  readonly params: object
  readonly signal?: AbortSignal
}

/**
 * The endpoint of a base URL, and of a pin as 64 hexadecimal digits or base64.
 * @throws NodeError `bad-config` for another protocol, credentials, a query, a pin that is none or has no HTTPS to hold for
 */
export function rpcEndpoint(base: string, pinText?: string): RpcEndpoint {
  const url = URL.canParse(base) ? new URL(base) : undefined
  const isPlain = url !== undefined && `${url.username}${url.password}${url.search}${url.hash}` === ''
  if (!isPlain || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new NodeError('bad-config', 'the URL of a seed or daemon is http or https, without user, query or fragment')
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  if (pinText === undefined) return { url: new URL(RPC_PATH, url) }
  if (url.protocol !== 'https:') throw new NodeError('bad-config', `${url.origin} has a pin but no certificate: it is not https`)
  return { url: new URL(RPC_PATH, url), pin: pinOf(pinText) }
}

function pinOf(text: string): Uint8Array {
  try {
    const pin = HEX_PIN.test(text) ? decodeHex(text.toLowerCase()) : decodeBase64(text)
    if (pin.length === PIN_BYTES) return pin
  } catch {
    // Said below.
  }
  throw new NodeError('bad-config', `the pin of a certificate is a SHA-256 value: ${PIN_BYTES} bytes as hexadecimal or base64`)
}

/**
 * The `result` of the answer, with the digits of swarm ids as texts (`parseWithSwarmIds`). Rejects with NodeError `bad-registry`
 * when there is none within eight seconds and 16 MiB, the certificate is not the right one, or the signal ends it.
 */
export async function askJsonRpc(parts: QuestionParts, endpoint: RpcEndpoint, question: Question): Promise<unknown> {
  const { method, params, signal } = question
  const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method, params })
  try {
    const answer = parseWithSwarmIds(decodeUtf8(await exchange(parts, endpoint, body, signal)))
    const { result } = (typeof answer === 'object' && answer !== null ? answer : {}) as { result?: unknown }
    if (typeof result !== 'object' || result === null) throw new Error('the answer has no result')
    return result
  } catch (cause) {
    throw new NodeError('bad-registry', `${endpoint.url.origin} gives no answer to ${method}: ${reasonOf(cause)}`, { cause })
  }
}

/** What is thrown by a parser may quote the answer; what a connection throws does not. */
function reasonOf(cause: unknown): string {
  if (cause instanceof SyntaxError) return 'it is not JSON'
  const { code, message } = cause as NodeJS.ErrnoException
  return code ?? message
}

function exchange(parts: QuestionParts, endpoint: RpcEndpoint, body: string, signal?: AbortSignal): Promise<Uint8Array> {
  const { url, pin } = endpoint
  const isTls = url.protocol === 'https:'
  // A connection for each question, without sessions of earlier ones: every time the certificate is shown.
  const agent = isTls ? new HttpsAgent({ maxCachedSessions: 0, rejectUnauthorized: pin === undefined }) : new HttpAgent()
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  let cancel = (): void => {}
  const answered = new Promise<Uint8Array>((resolve, reject) => {
    const options = { agent, method: 'POST', headers, ...(signal && { signal }) }
    const request = (isTls ? requestHttps : requestHttp)(url, options, response => {
      if (pin !== undefined && !hasPin(parts.crypto, response, pin)) fail('its certificate is not the pinned one')
      else if (response.statusCode !== 200) fail(`it answers ${response.statusCode}`)
      else collect(response).then(resolve, (error: Error) => fail(reasonOf(error)))
    })
    const fail = (reason: string): void => {
      reject(new Error(reason))
      request.destroy()
    }
    request.on('error', reject)
    cancel = parts.timers.after(QUESTION_TIMEOUT_MS, () => fail('it does not answer in time'))
    request.end(body)
  })
  return answered.finally(() => {
    cancel()
    agent.destroy()
  })
}

function hasPin(crypto: Crypto, { socket }: IncomingMessage, pin: Uint8Array): boolean {
  const key = socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.publicKey : undefined
  return key !== undefined && equalBytes(sha256(crypto, [key.export({ type: 'spki', format: 'der' })]), pin)
}

async function collect(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LIST_MAX_BYTES) throw new Error(`the answer has more than ${LIST_MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
