/**
 * Sends an onion request on to a web server (clauses ON-75 to ON-78). Its name is resolved here, every address is checked, and the
 * connection goes to a checked one: a name that means something else a moment later changes nothing.
 *
 * | the server | status, text |
 * |---|---|
 * | answers | its own status and body |
 * | is not one that this node asks | 400 `Web server not served by this node` |
 * | has a forbidden port or address, or none, or is not reached, or its certificate is not good for its name | 502 `Web server cannot be reached` |
 * | answers what is no HTTP, or too much, or not to the end | 502 `Invalid response from web server` |
 * | does not answer in time | 504 `Web server did not answer in time` |
 * | has no room here | 503 `Server busy, try again later` |
 *
 * Why it cannot be reached is not said: it would tell strangers what this machine can see.
 */
import { isIP } from 'node:net'
import type { PeeledServer } from '@session-v2/network'
import type { OnionConfig } from '../config/onion-config.ts'
import type { PostTarget, TlsOptions } from '../outgoing/post.ts'
import type { Flight, Flights } from './flights.ts'
import { type PostOutcome, postOnce } from './post.ts'
import { BUSY, type RelayAnswer } from './relay-answer.ts'
import { allowedAddresses, isServed, isServerPort, type Resolve } from './server-address.ts'

/** Requests that one web server has not answered yet. */
export const FLIGHTS_PER_SERVER = 64
/** Addresses of one server that are tried. */
const ADDRESSES_TRIED = 4
const DEFAULT_PORTS = { http: 80, https: 443 }

export interface WebServerParts {
  readonly config: Pick<OnionConfig, 'servers' | 'allowPrivate' | 'serverTimeoutMs'>
  readonly flights: Flights
  readonly resolve: Resolve
  /** Certificates, in PEM, that sign those of servers; the default is those of the system. */
  readonly authorities?: string
}

const UNREACHABLE = { kind: 'unreachable' } as const

/** Posts the frame to the server. Never rejects. */
export async function askWebServer(parts: WebServerParts, request: PeeledServer): Promise<RelayAnswer> {
  const { config, flights } = parts
  const { host, port } = request
  if (!isServed(config.servers, host)) return { status: 400, body: 'Web server not served by this node' }
  if (!isServerPort(port)) return answerOf(UNREACHABLE)
  const outcome = await flights.run(host.toLowerCase(), config.serverTimeoutMs, flight => ask(parts, request, flight))
  return outcome === undefined ? BUSY : answerOf(outcome)
}

async function ask(parts: WebServerParts, request: PeeledServer, flight: Flight): Promise<PostOutcome> {
  const { config, resolve, flights } = parts
  const addresses = await unlessStopped(flight, allowedAddresses(request.host, resolve, config.allowPrivate))
  let outcome: PostOutcome = UNREACHABLE
  for (const address of addresses?.slice(0, ADDRESSES_TRIED) ?? []) {
    outcome = await postOnce(flights, flight, targetOf(request, address), tlsOf(parts, request), request.body)
    if (outcome.kind !== 'unreachable') return outcome
  }
  return flight.stopReason === undefined ? outcome : { kind: flight.stopReason }
}

function targetOf({ host, port, protocol, target }: PeeledServer, address: string): PostTarget {
  const name = isIP(host) === 6 ? `[${host}]` : host
  const hostField = port === DEFAULT_PORTS[protocol] ? name : `${name}:${port}`
  const headers = { 'content-type': 'application/octet-stream', host: hostField }
  return { protocol, host: address, port, path: target, headers }
}

function tlsOf({ authorities }: WebServerParts, { host }: PeeledServer): TlsOptions {
  return {
    servername: isIP(host) === 0 ? host : '',
    rejectUnauthorized: true,
    ...(authorities !== undefined && { ca: authorities }),
  }
}

/** Undefined as soon as the flight is given up: a look-up cannot be. */
function unlessStopped<T>(flight: Flight, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const listenNoMore = flight.onStop(() => resolve(undefined))
    work.then(resolve, reject).finally(listenNoMore)
  })
}

function answerOf(outcome: PostOutcome): RelayAnswer {
  switch (outcome.kind) {
    case 'answered':
      return { status: outcome.status, body: outcome.body }
    case 'unreachable':
      return { status: 502, body: 'Web server cannot be reached' }
    case 'broken':
      return { status: 502, body: 'Invalid response from web server' }
    case 'timeout':
      return { status: 504, body: 'Web server did not answer in time' }
    case 'displaced':
    case 'no-room':
    case 'closing':
      return BUSY
  }
}
