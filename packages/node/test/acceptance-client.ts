/**
 * What a client of any storage node needs, made of node:crypto and fetch alone: nothing of ours that the node under test could share a
 * mistake with. Accounts sign, `Target` asks.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blake2b } from '@noble/hashes/blake2.js'
import { startLocalNetwork } from '../src/local-network.ts'

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** Heads of raw keys in DER. */
const PRIVATE_KEY = { ed25519: '302e020100300506032b657004220420', x25519: '302e020100300506032b656e04220420' } as const
const PUBLIC_KEY = { ed25519: '302a300506032b6570032100', x25519: '302a300506032b656e032100' } as const
export type Curve = keyof typeof PRIVATE_KEY

export function privateKey(curve: Curve, bytes: Uint8Array): KeyObject {
  const key = Buffer.concat([Buffer.from(PRIVATE_KEY[curve], 'hex'), bytes])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

export function publicKey(curve: Curve, bytes: Uint8Array): KeyObject {
  const key = Buffer.concat([Buffer.from(PUBLIC_KEY[curve], 'hex'), bytes])
  return createPublicKey({ key, format: 'der', type: 'spki' })
}

/** The 32 bytes of the public key that belongs to a private one. */
export function publicBytes(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
}

type Text = string | Uint8Array

/** Who signs requests for an account: its owner, or with other `auth` a subaccount. */
export interface Account {
  /** 66 hexadecimal digits. */
  readonly id: string
  /** Ed25519, 64 hexadecimal digits. */
  readonly ed25519: string
  /** What stands beside a signature. */
  readonly auth: Readonly<Record<string, string>>
  readonly sign: (...parts: Text[]) => string
}

export interface Subaccount extends Account {
  /** 36 bytes. */
  readonly token: Buffer
}

export function newAccount(prefix = '05'): Account {
  const seed = randomBytes(32)
  const key = privateKey('ed25519', seed)
  const ed25519 = publicBytes(key).toString('hex')
  const scalar = createHash('sha512').update(seed).digest().subarray(0, 32)
  const id = prefix + (prefix === '05' ? publicBytes(privateKey('x25519', scalar)).toString('hex') : ed25519)
  const signText = (...parts: Text[]) => sign(null, Buffer.concat(parts.map(part => Buffer.from(part))), key).toString('base64')
  return { id, ed25519, auth: prefix === '05' ? { pubkey_ed25519: ed25519 } : {}, sign: signText }
}

/** `rights`: 1 read, 2 write, 4 delete, 8 any prefix. */
export function newSubaccount(owner: Account, rights: number, prefix = owner.id.slice(0, 2)): Subaccount {
  const { ed25519, sign: signText } = newAccount('03')
  const token = Buffer.concat([Buffer.from([Number.parseInt(prefix, 16), rights, 0, 0]), Buffer.from(ed25519, 'hex')])
  const grant = { subaccount: token.toString('base64'), subaccount_sig: owner.sign(token) }
  return { id: owner.id, ed25519, auth: { ...owner.auth, ...grant }, sign: signText, token }
}

/** Whether the holder of an Ed25519 key, in hexadecimal, signed this. */
export function isSignedBy(ed25519: string, signature: string, ...parts: Text[]): boolean {
  const text = Buffer.concat(parts.map(part => Buffer.from(part)))
  return verify(null, text, publicKey('ed25519', Buffer.from(ed25519, 'hex')), Buffer.from(signature, 'base64'))
}

export function hashOf({ id }: Account, namespace: number, text: Text): string {
  const name = namespace === 0 ? '' : String(namespace)
  const digest = blake2b(Buffer.concat([Buffer.from(id, 'hex'), Buffer.from(name), Buffer.from(text)]), { dkLen: 32 })
  return Buffer.from(digest).toString('base64').slice(0, 43)
}

/** A value in bencode; names are ASCII, so that their order is that of their bytes. */
export function bencode(value: unknown): Buffer {
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from(`${value.length}:`), value])
  if (typeof value === 'string') return bencode(Buffer.from(value))
  if (typeof value === 'number') return Buffer.from(`i${value}e`)
  const [start, items] = Array.isArray(value)
    ? ['l', value]
    : [
        'd',
        Object.entries(value as object)
          .sort()
          .flat(),
      ]
  return Buffer.concat([Buffer.from(start as string), ...(items as unknown[]).map(bencode), Buffer.from('e')])
}

export interface Answer {
  readonly status: number
  readonly type: string | null
  readonly headers: Headers
  /** JSON, or the text. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
  readonly bytes: Buffer
}

/** A request as it is given, a POST unless it says otherwise. */
export async function sendTo(url: string, { method = 'POST', ...init }: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { method, ...init })
  const bytes = Buffer.from(await response.arrayBuffer())
  const type = response.headers.get('content-type')
  const body = type?.startsWith('application/json') ? JSON.parse(bytes.toString()) : bytes.toString()
  return { status: response.status, type, headers: response.headers, body, bytes }
}

/** A node at a URL. */
export class Target {
  readonly url: string
  /** Ed25519, as it signs. */
  readonly ed25519: string

  private constructor(url: string, ed25519: string) {
    this.url = url
    this.ed25519 = ed25519
  }

  /** Asks a node for its name: the key that the list has beside the one of its `ping_test`. */
  static async at(url: string): Promise<Target> {
    const probe = new Target(url.replace(/\/+$/, ''), '')
    const { headers } = await probe.send('/ping_test/v1')
    const listed = Buffer.from(headers.get('x-oxen-snode-pubkey') ?? '', 'base64').toString('hex')
    const { body } = await probe.ask('oxend_request', { endpoint: 'get_service_nodes', params: {} })
    const states: Record<string, string>[] = body.result.service_node_states
    const own = states.find(state => state.service_node_pubkey === listed)
    return new Target(probe.url, own?.pubkey_ed25519 ?? listed)
  }

  send(path: string, init: RequestInit = {}): Promise<Answer> {
    return sendTo(this.url + path, init)
  }

  ask(method: string, params: object): Promise<Answer> {
    return this.send('/storage_rpc/v1', { body: JSON.stringify({ method, params }) })
  }

  /** What is answered to the head of a request that says how long its body will be, before any of it is sent. */
  declare(sizeBytes: number): Promise<Pick<Answer, 'status' | 'body'>> {
    const open = this.url.startsWith('https:') ? requestHttps : requestHttp
    return new Promise((resolve, reject) => {
      const headers = { 'content-length': sizeBytes }
      const request = open(`${this.url}/storage_rpc/v1`, { method: 'POST', headers }, response => {
        response.setEncoding('utf8').once('data', body => {
          request.destroy()
          resolve({ status: response.statusCode!, body })
        })
      })
      request.on('error', reject)
      request.flushHeaders()
    })
  }

  /** The entry of this node in the answer of a swarm. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  async entry(method: string, params: object): Promise<any> {
    const { status, body } = await this.ask(method, params)
    if (status !== 200) throw new Error(`${method}: ${status} ${JSON.stringify(body)}`)
    return body.swarm[this.ed25519]
  }

  /** A signed store. Without a signature in open namespaces, where none is looked at. */
  store(account: Account, namespace: number, text: Text, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    return this.ask('store', storeParams(account, namespace, text, more))
  }

  async texts(account: Account, namespace = 0, more: object = {}): Promise<string[]> {
    const { body } = await this.ask('retrieve', retrieveParams(account, namespace, more))
    return body.messages.map(({ data }: { data: string }) => Buffer.from(data, 'base64').toString())
  }
}

export function storeParams(account: Account, namespace: number, text: Text, more: Readonly<Record<string, unknown>> = {}) {
  const timestamp = (more.timestamp as number | undefined) ?? Date.now()
  const signedAt = more.sig_timestamp ?? timestamp
  const open = { pubkey: account.id, timestamp, ttl: HOUR_MS, data: Buffer.from(text).toString('base64') }
  if (namespace % 10 === 0) return { ...open, namespace, ...more }
  return { ...open, namespace, ...account.auth, signature: account.sign(`store${namespace}${signedAt}`), ...more }
}

export function retrieveParams(account: Account, namespace: number, more: { readonly timestamp?: number } = {}) {
  const { timestamp = Date.now() } = more
  const signature = account.sign(`retrieve${namespace || ''}${timestamp}`)
  return { pubkey: account.id, namespace, timestamp, ...account.auth, signature, ...more }
}

/** The URL of the node to test: that of an environment variable, or one of a network of our own, whose `close` ends it. */
export async function targetNetwork(variable: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const given = process.env[variable]
  if (given !== undefined) return { url: given, close: () => Promise.resolve() }
  const dataDirectory = mkdtempSync(join(tmpdir(), 'acceptance-'))
  const [nodes, swarms] = variable === 'NODE_URL' ? [1, 1] : [6, 2]
  const network = await startLocalNetwork({ nodes, swarms, dataDirectory, log: { level: 'silent' } })
  const close = async (): Promise<void> => {
    await network.close()
    rmSync(dataDirectory, { recursive: true, force: true })
  }
  return { url: network.nodes[0]!.url, close }
}
