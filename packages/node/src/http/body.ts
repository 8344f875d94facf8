/** Reads the body of an HTTP request within a limit (clause NODE-61). */
import type { IncomingMessage } from 'node:http'

export type Body = { readonly outcome: 'read'; readonly bytes: Buffer } | { readonly outcome: 'too-large' | 'aborted' }

const TOO_LARGE: Body = { outcome: 'too-large' }
const ABORTED: Body = { outcome: 'aborted' }

/** Resolves once the body is complete, over `maxBytes`, or given up by the other side; never rejects. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  const declared = request.headers['content-length']
  if (declared !== undefined && Number(declared) > maxBytes) return Promise.resolve(TOO_LARGE)
  return new Promise(resolve => {
    let first: Buffer | undefined
    let rest: Buffer[] | undefined
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) {
        request.pause()
        resolve(TOO_LARGE)
      } else if (first === undefined) first = chunk
      else if (rest === undefined) rest = [first, chunk]
      else rest.push(chunk)
    })
    request.on('end', () =>
      resolve({ outcome: 'read', bytes: rest === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(rest) }),
    )
    request.on('error', () => resolve(ABORTED))
    request.on('close', () => resolve(ABORTED))
  })
}
