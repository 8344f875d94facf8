/** What a storage node says of itself over HTTP: whether it is ready, its version, key, swarm and clock. */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { CliError } from '../failure.ts'

export interface NodeStatus {
  readonly url: string
  readonly ready: boolean
  /** Why it is not ready. */
  readonly reasons: readonly string[]
  readonly version: string | null
  /** 64 hexadecimal digits. */
  readonly ed25519: string | null
  /** Swarm id in hexadecimal. */
  readonly swarm: string | null
  /** Other members of its swarm. */
  readonly peers: number | null
  /** The node's clock minus ours. */
  readonly clock_off_ms: number | null
}

export interface StatusPlace {
  readonly url: string
  /** Its listener for operators, asked first: it answers what the other one may not. */
  readonly operatorUrl?: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

const REPLY_MAX_BYTES = 16 * 1024 * 1024
const NOT_READY = /^Service node is not ready: (.+)$/
const SERVICE_UNAVAILABLE = 503
const KEY = /^[0-9a-f]{64}$/
const SWARM = /^[0-9a-f]{1,16}$/

/** @throws CliError `node-unreachable` when nothing answers there as a node does. */
export async function askStatus(place: StatusPlace): Promise<NodeStatus> {
  const { url } = place
  const stats = object((await ask(place, 'GET', `${url}/get_stats/v1`)).text)
  if (typeof stats.version !== 'string') throw new CliError('node-unreachable', `What answers at ${url} is no storage node.`)
  const ping = await ask(place, 'POST', `${url}/ping_test/v1`, '')
  const ed25519 = keyOf(ping.headers['x-oxen-snode-pubkey'])
  const info = await rpc(place, { method: 'info', params: {} })
  const reasons = await reasonsOf(place, info)
  const own = info.status === 200 && ed25519 !== null ? await swarmOf(place, ed25519) : { swarm: null, peers: null }
  const { t } = object(info.text)
  return {
    url,
    ready: reasons.length === 0,
    reasons,
    version: stats.version,
    ed25519,
    ...own,
    clock_off_ms: typeof t === 'number' ? t - Date.now() : null,
  }
}

async function reasonsOf(place: StatusPlace, info: Reply): Promise<readonly string[]> {
  if (place.operatorUrl !== undefined) {
    const { reasons } = object((await ask(place, 'GET', `${place.operatorUrl}/ready`)).text)
    if (Array.isArray(reasons)) return reasons.map(String)
  }
  if (info.status === 200) return []
  const [, reasons] = NOT_READY.exec(info.text) ?? []
  if (info.status === SERVICE_UNAVAILABLE && reasons !== undefined) return reasons.split('; ')
  return [`it answers ${info.status}`]
}

/** The node as the list of all nodes, which it tells itself, has it. */
async function swarmOf(place: StatusPlace, ed25519: string): Promise<{ swarm: string | null; peers: number | null }> {
  const fields = { pubkey_ed25519: true, swarm: true }
  const params = { endpoint: 'get_service_nodes', params: { active_only: true, fields } }
  const { result } = object((await rpc(place, { method: 'oxend_request', params })).text)
  const states = (result as { service_node_states?: unknown } | undefined)?.service_node_states
  if (!Array.isArray(states)) return { swarm: null, peers: null }
  const nodes = states as readonly { readonly pubkey_ed25519?: unknown; readonly swarm?: unknown }[]
  const swarm = nodes.find(node => node.pubkey_ed25519 === ed25519)?.swarm
  if (typeof swarm !== 'string' || !SWARM.test(swarm)) return { swarm: null, peers: null }
  return { swarm, peers: nodes.filter(node => node.swarm === swarm).length - 1 }
}

function rpc(place: StatusPlace, request: object): Promise<Reply> {
  return ask(place, 'POST', `${place.url}/storage_rpc/v1`, JSON.stringify(request))
}

/** Certificates are not verified: nodes sign their own, and nothing secret is sent or believed. */
function ask({ timeoutMs, signal }: StatusPlace, method: string, url: string, body?: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown) =>
      reject(new CliError('node-unreachable', `No storage node answers at ${new URL(url).origin}.`, { cause }))
    const open = url.startsWith('https:') ? requestHttps : requestHttp
    const stop = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const request = open(url, { method, rejectUnauthorized: false, signal: stop }, response => {
      const chunks: Buffer[] = []
      let sizeBytes = 0
      response.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length
        if (sizeBytes > REPLY_MAX_BYTES) response.destroy(new Error('the answer is too large'))
        else chunks.push(chunk)
      })
      response.on('error', fail)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() })
      })
    })
    request.on('error', fail)
    request.end(body)
  })
}

function object(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function keyOf(header: unknown): string | null {
  const key = typeof header === 'string' ? Buffer.from(header, 'base64').toString('hex') : ''
  return KEY.test(key) ? key : null
}
