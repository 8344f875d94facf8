/**
 * One test of one node: does it answer, and is it the one that the list names (clause NODE-131)?
 * `POST /ping_test/v1` → 200, `X-Oxen-Snode-Pubkey`: base64 of the key under which it is listed.
 */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { decodeHex, encodeBase64 } from '@session-v2/encoding'
import { legacyKey, type ServiceNode } from '@session-v2/network'
import type { Timers } from '../ports.ts'

export const PING_TIMEOUT_MS = 5_000
export const PING_PATH = '/ping_test/v1'

const PUBKEY_HEADER = 'x-oxen-snode-pubkey'

/** Asks a node; resolves to whether it passed, and never rejects. `signal` ends it, which is a failure. */
export type Ping = (node: ServiceNode, signal: AbortSignal) => Promise<boolean>

/** Tests by HTTP or HTTPS, as each node is listed, on a connection of its own. No certificate is verified: nodes sign their own. */
export function httpPing(timers: Timers): Ping {
  return (node, signal) =>
    new Promise(resolve => {
      const { host, port } = node
      const open = node.protocol === 'https' ? requestHttps : requestHttp
      const options = { host, port, method: 'POST', path: PING_PATH, agent: false as const, signal, rejectUnauthorized: false }
      const request = open({ ...options, headers: { 'content-length': 0 } }, response => {
        resolve(response.statusCode === 200 && isKeyOf(node, response.headers[PUBKEY_HEADER]))
        // What else it sends is of no interest, and could be without end.
        request.destroy()
      })
      const cancel = timers.after(PING_TIMEOUT_MS, () => request.destroy())
      request.on('error', () => resolve(false))
      request.on('close', () => {
        cancel()
        resolve(false)
      })
      request.end()
    })
}

function isKeyOf(node: ServiceNode, header: string | string[] | undefined): boolean {
  return typeof header === 'string' && header.replace(/=+$/, '') === encodeBase64(decodeHex(legacyKey(node))).replace(/=+$/, '')
}
