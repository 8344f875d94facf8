/**
 * HTTP for a process on Node: connections stay open between requests, and answers are bounded.
 *
 * Storage nodes prove themselves by keys, not by certificates, which they sign themselves: theirs are accepted. A seed is found by
 * its name, so its certificate must be good.
 */
import { Agent as HttpAgent, type RequestOptions, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { directTransport, type HttpPost, type Transport } from '@session-v2/client'

const ANSWER_MAX_BYTES = 12 * 1024 * 1024
const KEEP_ALIVE_MS = 30_000

/**
 * The transport of this program. It ends with the process; open connections do not keep the process alive.
 *
 * @param seeds asked in place of those kept with the account, one after the other
 */
export function nodeHttpTransport(seeds?: readonly string[]): Transport {
  const http = new HttpAgent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS })
  const toNodes = directTransport(poster(http, new HttpsAgent({ keepAlive: true, rejectUnauthorized: false })))
  const toSeeds = directTransport(poster(http, new HttpsAgent({ keepAlive: true })))
  return {
    send: toNodes.send,
    sendToSeed: async (kept, body, signal) => {
      let failure: unknown
      for (const seed of seeds ?? [kept]) {
        try {
          return await toSeeds.sendToSeed(seed, body, signal)
        } catch (cause) {
          failure = cause
        }
      }
      throw failure
    },
  }
}

function poster(http: HttpAgent, https: HttpsAgent): HttpPost {
  return (url, body, signal) =>
    new Promise((resolve, reject) => {
      const secure = url.startsWith('https:')
      const headers = { 'content-type': 'application/json', 'content-length': body.length }
      const options: RequestOptions = { method: 'POST', headers, signal, agent: secure ? https : http }
      const request = (secure ? requestHttps : requestHttp)(url, options, async answer => {
        try {
          const parts: Buffer[] = []
          let sizeBytes = 0
          for await (const part of answer) {
            parts.push(part as Buffer)
            sizeBytes += (part as Buffer).length
            if (sizeBytes > ANSWER_MAX_BYTES) throw new Error(`the answer is longer than ${ANSWER_MAX_BYTES} bytes`)
          }
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts) })
        } catch (error) {
          reject(error)
        }
      })
      request.on('error', reject)
      request.end(body)
    })
}
