/**
 * Plain requests to nodes and seeds, by `fetch` unless a program brings its own HTTP. A node sees the address of this device: only by
 * explicit choice, and in local networks. Onion requests are posted to their guards by the same HTTP.
 */
import { ONION_REPLY_MAX_BYTES, STORAGE_RPC_PATH, serviceNodeUrl } from '@session-v2/network'
import type { Http, HttpPost, Transport, TransportAnswer } from '../ports/transport.ts'

const SEED_PATH = '/json_rpc'

/** The largest answer that is read: the reply to an onion request. The largest page of messages is shorter. */
export const ANSWER_MAX_BYTES = ONION_REPLY_MAX_BYTES

/** HTTP by `fetch`, in browsers and elsewhere. To nodes without a content type, which would make browsers ask the node for leave first; it means nothing to them. */
export const fetchHttp: Http = { toNode: fetchPost({}), toSeed: fetchPost({ 'content-type': 'application/json' }) }

function fetchPost(headers: Readonly<Record<string, string>>): HttpPost {
  return async (url, body, signal): Promise<TransportAnswer> => {
    const request = { method: 'POST', headers, body: body as Uint8Array<ArrayBuffer>, signal }
    // Redirects are not followed. Not 'error': with it Node fails on every 421, which fetch repeats once with a body already read.
    const response = await fetch(url, { ...request, redirect: 'manual' })
    return { status: response.status, body: await readLimited(response) }
  }
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

/** The transport that talks to nodes directly. */
export function directTransport(http: Http = fetchHttp): Transport {
  return {
    send: (node, body, signal) => http.toNode(`${serviceNodeUrl(node)}${STORAGE_RPC_PATH}`, body, signal),
    sendToSeed: (seedUrl, body, signal) => http.toSeed(`${seedUrl.replace(/\/+$/, '')}${SEED_PATH}`, body, signal),
  }
}
