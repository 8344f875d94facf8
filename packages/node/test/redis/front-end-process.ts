/**
 * Front ends of one node as an operator runs them: processes with a configuration in TOML each, of one key, over one cluster. Their clocks are
 * moved when told.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { encodeServiceNode, type ServiceNode, STORAGE_RPC_PATH } from '@session-v2/network'
import { loadIdentity, type NodeIdentity } from '../../src/identity.ts'
import { MONITOR_PATH } from '../../src/monitor/monitor.ts'
import { MonitorClient } from '../monitor-node.ts'
import { type Answer, post } from '../network-under-test.ts'
import type { RedisCluster } from './redis-cluster.ts'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** Loaded first: moves the clock of the process by as much as it is told. */
const CLOCK = `data:text/javascript,${encodeURIComponent(`
const now = Date.now
let offsetMs = 0
Date.now = () => now() + offsetMs
process.on('message', ms => {
  offsetMs = ms
  process.send('moved')
})
process.channel.unref()`)}`

export class FrontEndProcess {
  readonly url: string
  readonly #child: ChildProcess
  readonly #exit: Promise<number | null>

  constructor(url: string, child: ChildProcess, exit: Promise<number | null>) {
    this.url = url
    this.#child = child
    this.#exit = exit
  }

  post(request: object): Promise<Answer> {
    return post(this.url + STORAGE_RPC_PATH, JSON.stringify(request))
  }

  monitor(): Promise<MonitorClient> {
    return MonitorClient.open(this.url.replace('http', 'ws') + MONITOR_PATH)
  }

  /** Its clock is so far ahead of the system's from now on. */
  async moveClock(aheadMs: number): Promise<void> {
    const moved = new Promise(resolve => this.#child.once('message', resolve))
    this.#child.send(aheadMs)
    await moved
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }

  /** SIGTERM; resolves to the status with which it ends. */
  stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return this.#exit
  }
}

/** The folder, key and registry that front ends of one node share. */
export class FrontEnds {
  readonly directory: string
  readonly identity: NodeIdentity
  readonly keyPrefix: string
  readonly #cluster: RedisCluster
  readonly #running = new Set<FrontEndProcess>()

  private constructor(identity: NodeIdentity, directory: string, cluster: RedisCluster, keyPrefix: string) {
    this.identity = identity
    this.directory = directory
    this.#cluster = cluster
    this.keyPrefix = keyPrefix
  }

  static async create(cluster: RedisCluster, keyPrefix: string): Promise<FrontEnds> {
    if (!existsSync(MAIN)) throw new Error('the daemon is not built: run `npm run build` first')
    const directory = mkdtempSync(join(tmpdir(), 'front-ends-'))
    const identity = await loadIdentity(await loadCrypto(), systemRandom(), join(directory, 'node.key'))
    const ends = new FrontEnds(identity, directory, cluster, keyPrefix)
    ends.register([ends.listed(1n)])
    return ends
  }

  listed(swarmId: bigint): ServiceNode {
    const { ed25519, x25519 } = this.identity
    return { ed25519, x25519, host: '127.0.0.1', port: 22_021, protocol: 'http', swarmId }
  }

  /** Puts a list of all nodes in the place of the one before; front ends look every five seconds. */
  register(nodes: readonly ServiceNode[]): void {
    const file = join(this.directory, 'registry.json')
    writeFileSync(`${file}.new`, JSON.stringify({ service_node_states: nodes.map(encodeServiceNode) }))
    renameSync(`${file}.new`, file)
  }

  /** Starts one; resolves once it says that it serves. */
  async start(name: string): Promise<FrontEndProcess> {
    mkdirSync(join(this.directory, name), { recursive: true })
    const file = join(this.directory, `${name}.toml`)
    writeFileSync(
      file,
      `port = 0
data_directory = "${name}"
key_file = "node.key"
registry_file = "registry.json"
[store]
kind = "redis"
nodes = ${JSON.stringify(this.#cluster.addresses)}
acknowledge_replicas = 0
key_prefix = "${this.keyPrefix}"
[swarm]
deliver_every_ms = 200
patience_ms = 100
[limits]
address_burst = 0
account_burst = 0
[log]
level = "error"
`,
    )
    const child = spawn(process.execPath, ['--import', CLOCK, MAIN, file], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
    const end = () => child.kill('SIGKILL')
    process.once('exit', end)
    const exit = new Promise<number | null>(resolve => child.once('exit', resolve))
    void exit.then(() => process.removeListener('exit', end))
    const line = new Promise<string>(resolve => child.stdout!.once('data', chunk => resolve(String(chunk))))
    const said = await Promise.race([line, exit])
    if (typeof said !== 'string') throw new Error(`the front end ended with ${said}`)
    const front = new FrontEndProcess(JSON.parse(said).url, child, exit)
    this.#running.add(front)
    return front
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map(front => front.kill()))
    rmSync(this.directory, { recursive: true, force: true })
  }
}
