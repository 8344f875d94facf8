/**
 * Plain requests to nodes and seeds, by `fetch`. A node sees the address of this device: onion requests will hide it.
 */
import { STORAGE_RPC_PATH, serviceNodeUrl } from '@session-v2/network'
import type { Transport, TransportAnswer } from '../ports/transport.ts'

/** The largest answer that is read: a retrieve answer with its JSON around it. */
export const ANSWER_MAX_BYTES = 12_582_912

const SEED_PATH = '/json_rpc'

/** Posts a JSON body and brings back status and body. What `directTransport` uses; a program may bring its own. */
export type HttpPost = (url: string, body: Uint8Array, signal: AbortSignal) => Promise<TransportAnswer>

/** The transport that talks to nodes directly. */
export function directTransport(post: HttpPost = fetchPost): Transport {
  return {
    send: (node, body, signal) => post(`${serviceNodeUrl(node)}${STORAGE_RPC_PATH}`, body, signal),
    sendToSeed: (seedUrl, body, signal) => post(`${seedUrl.replace(/\/+$/, '')}${SEED_PATH}`, body, signal),
  }
}

async function fetchPost(url: string, body: Uint8Array, signal: AbortSignal): Promise<TransportAnswer> {
  const headers = { 'content-type': 'application/json' }
  const request = { method: 'POST', headers, body: body as Uint8Array<ArrayBuffer>, signal }
  // Redirects are not followed. Not 'error': with it Node fails on every 421, which fetch repeats once with a body already read.
  const response = await fetch(url, { ...request, redirect: 'manual' })
  return { status: response.status, body: await readLimited(response) }
}

/** The body, unless it is longer than an answer can be. */
async function readLimited(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.length
    if (sizeBytes > ANSWER_MAX_BYTES) throw new Error(`an answer of more than ${ANSWER_MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  const whole = new Uint8Array(sizeBytes)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}
