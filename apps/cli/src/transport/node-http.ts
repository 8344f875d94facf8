/**
 * HTTP for a process on Node: connections stay open between requests, and answers are bounded.
 *
 * Storage nodes prove themselves by keys, not by certificates, which they sign themselves: theirs are accepted. A seed is found by
 * its name, so its certificate must be good.
 */
import { Agent as HttpAgent, type RequestOptions, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { Http, HttpPost } from '@session-v2/client'

/** The longest is the reply to an onion request. */
const ANSWER_MAX_BYTES = 16 * 1024 * 1024
const KEEP_ALIVE_MS = 30_000

/** The HTTP of this program. It ends with the process; open connections do not keep the process alive. */
export function nodeHttp(): Http {
  const http = new HttpAgent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS })
  return {
    toNode: poster(http, new HttpsAgent({ keepAlive: true, rejectUnauthorized: false }), {}),
    toSeed: poster(http, new HttpsAgent({ keepAlive: true }), { 'content-type': 'application/json' }),
  }
}

function poster(http: HttpAgent, https: HttpsAgent, common: Readonly<Record<string, string>>): HttpPost {
  return (url, body, signal) =>
    new Promise((resolve, reject) => {
      const secure = url.startsWith('https:')
      const headers = { ...common, 'content-length': body.length }
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
