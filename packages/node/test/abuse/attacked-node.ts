/**
 * A node of a process of its own under attack, and a client that behaves: what each costs and gets is counted. Memory is that of Linux: `VmRSS`
 * and, for the greatest that it ever was, `VmHWM` of /proc.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Crypto, ed25519KeyPair, ed25519PublicToX25519, loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  buildRetrieve,
  buildStore,
  type Namespace,
  type RequestSigner,
  type RpcRequest,
  type ServiceNode,
  STORAGE_RPC_PATH,
} from '@session-v2/network'
import { parse } from 'smol-toml'
import { readNodeConfig } from '../../src/config/node-config.ts'
import { printNodeConfig } from '../../src/config/print-config.ts'
import { HOST, NodeProcess } from '../faults/node-process.ts'

export const MIB = 1024 * 1024
export const HOUR_MS = 3_600_000
const SWARM = 1n
/** Where the client that behaves comes from: attackers have other addresses of this computer. */
const GOOD_ADDRESS = '127.0.0.2'

/** Limits of the node that is attacked: rates as they are by default, memory and patience less. */
const SETTINGS = `
body_timeout_ms = 4000
[limits]
body_bytes = ${32 * MIB}
answer_bytes = ${16 * MIB}
head_timeout_ms = 2000
[log]
level = "debug"
`

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

export class AttackedNode {
  readonly crypto: Crypto
  readonly node: NodeProcess
  readonly #directory: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress: GOOD_ADDRESS })
  #idleBytes = 0
  #boundBytes = 0

  private constructor(crypto: Crypto, node: NodeProcess, directory: string) {
    this.crypto = crypto
    this.node = node
    this.#directory = directory
  }

  /** `others` are listed beside it. */
  static async start(others: readonly ServiceNode[] = []): Promise<AttackedNode> {
    const directory = mkdtempSync(join(tmpdir(), 'abuse-'))
    const node = await NodeProcess.create({ directory, settings: SETTINGS })
    const attacked = new AttackedNode(await loadCrypto(), node, directory)
    node.register([node.listed(SWARM), ...others])
    try {
      await node.start()
      await attacked.#measure()
      return attacked
    } catch (error) {
      await attacked.close()
      throw error
    }
  }

  async #measure(): Promise<void> {
    this.#idleBytes = this.#memory('VmRSS')
    const config = await readNodeConfig(join(this.node.directory, 'node.toml'))
    const { limits } = parse(printNodeConfig(config)) as { limits: { body_bytes: number; answer_bytes: number } }
    // Bodies have the bound twice: the short ones, and the long ones (NODE-104).
    this.#boundBytes = 2 * limits.body_bytes + limits.answer_bytes
  }

  get port(): number {
    return this.node.port
  }

  /** What it may take: twice its memory when idle, and the bounds of its configuration. */
  get allowedBytes(): number {
    return 2 * this.#idleBytes + this.#boundBytes
  }

  /** The most it has had since `forgetPeak`. */
  get peakBytes(): number {
    return this.#memory('VmHWM')
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.node.pid}/clear_refs`, '5')
  }

  #memory(name: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.node.pid}/status`, 'utf8')
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
  }

  newAccount(): RequestSigner {
    const { publicKey, secretKey } = ed25519KeyPair(this.crypto, Secret.of(systemRandom().bytes(32), 'ed25519-seed'))
    return { accountId: `05${encodeHex(ed25519PublicToX25519(this.crypto, publicKey))}`, publicKey, secretKey }
  }

  storeOf(signer: RequestSigner, payload: Uint8Array | string, namespace = 0, ttlMs = HOUR_MS): RpcRequest {
    const bytes = typeof payload === 'string' ? encodeUtf8(payload) : payload
    const parts = { accountId: signer.accountId, payload: bytes, timestampMs: Date.now(), ttlMs }
    return buildStore(this.crypto, { ...parts, namespace: namespace as Namespace, ...(namespace % 10 !== 0 && { signer }) })
  }

  retrieveOf(signer: RequestSigner, namespace = 0, timestampMs = Date.now()): RpcRequest {
    const { accountId } = signer
    return buildRetrieve(this.crypto, { accountId, namespace: namespace as Namespace, timestampMs, signer })
  }

  /** Asks as the client that behaves. */
  ask({ method, params }: RpcRequest): Promise<RawAnswer> {
    return this.post(STORAGE_RPC_PATH, encodeUtf8(JSON.stringify({ method, params })))
  }

  post(path: string, body: Uint8Array): Promise<RawAnswer> {
    const options = { host: HOST, port: this.port, path, method: 'POST', agent: this.#agent }
    return new Promise((resolve, reject) => {
      const sent = request({ ...options, headers: { 'content-length': body.length } }, response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => resolve({ status: response.statusCode!, body: textOrJson(Buffer.concat(chunks).toString()) }))
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }

  /** The client that behaves stores messages and reads each back; returns how many of these `2 × messages` requests were served. */
  async serves(messages: number): Promise<number> {
    let served = 0
    for (let i = 0; i < messages; i++) {
      const account = this.newAccount()
      const stored = await this.ask(this.storeOf(account, `message ${i}`))
      if (stored.status === 200) served++
      const { status, body } = await this.ask(this.retrieveOf(account))
      if (status === 200 && body.messages[0]?.hash === stored.body.hash) served++
    }
    return served
  }

  async close(): Promise<void> {
    this.#agent.destroy()
    if (this.node.isRunning) await this.node.kill()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

function textOrJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
