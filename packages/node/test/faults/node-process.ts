/**
 * A storage node as its operator runs it: a process of its own that reads a configuration in TOML, with its files in a folder of its own.
 * It can be killed, stopped, held still, and started again on what it left.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadCrypto, systemRandom } from '@session-v2/crypto'
import { encodeServiceNode, type ServiceNode } from '@session-v2/network'
import { loadIdentity } from '../../src/identity.ts'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
export const HOST = '127.0.0.1'
/** Below the ports that systems give to connections: one of those could take the port of a node that is down. */
const PORTS_FROM = 20_000
const PORTS = 3_000
/** Workers that run tests at the same time have ports of their own. */
const OWN_PORTS_FROM = PORTS_FROM + PORTS * (Number(process.env.VITEST_POOL_ID ?? 0) % 4)
/** A node that is down keeps its port. */
const given = new Set<number>()
const LOG_TAIL_CHARACTERS = 3_000

/** How a process is started this time. */
export interface StartOptions {
  /** So far the clock of the process is ahead of that of this computer; it may be behind. */
  readonly clockOffsetMs?: number
  /** Put before the command: `prlimit --fsize=…`. It has to become the node, by exec. */
  readonly through?: readonly string[]
}

export interface NodeProcessOptions {
  /** The folder of the node; its database and log are in it. */
  readonly directory: string
  /** TOML that comes behind `port`, `data_directory` and `registry_file`: further keys first, then tables. */
  readonly settings?: string
  /** Where messages are kept; default: `data` in the folder. */
  readonly dataDirectory?: string
  /** Of a front end: the key that it shares with others. */
  readonly keyFile?: string
}

export interface Exit {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
}

export class NodeProcess {
  readonly directory: string
  readonly dataDirectory: string
  readonly port: number
  /** Of the listener for metrics. */
  readonly metricsPort: number
  readonly ed25519: string
  readonly x25519: string
  #child: ChildProcess | undefined
  #exit: Promise<Exit> | undefined

  private constructor(parts: { directory: string; dataDirectory: string; ports: number[]; ed25519: string; x25519: string }) {
    const [port, metricsPort] = parts.ports
    this.directory = parts.directory
    this.dataDirectory = parts.dataDirectory
    this.port = port!
    this.metricsPort = metricsPort!
    this.ed25519 = parts.ed25519
    this.x25519 = parts.x25519
  }

  /** Makes its folder, key and configuration; it is not started. */
  static async create(options: NodeProcessOptions): Promise<NodeProcess> {
    if (!existsSync(MAIN)) throw new Error('the daemon is not built: run `npm run build` first')
    const { directory, settings = '', dataDirectory = join(directory, 'data') } = options
    const keyFile = options.keyFile ?? join(directory, 'node.key')
    mkdirSync(directory, { recursive: true })
    const { ed25519, x25519 } = await loadIdentity(await loadCrypto(), systemRandom(), keyFile)
    const node = new NodeProcess({ directory, dataDirectory, ports: [await freePort(), await freePort()], ed25519, x25519 })
    const own = `host = "${HOST}"\nport = ${node.port}\ndata_directory = "${dataDirectory}"\nkey_file = "${keyFile}"\n`
    const metrics = `[metrics]\nport = ${node.metricsPort}\n`
    writeFileSync(join(directory, 'node.toml'), `${own}registry_file = "registry.json"\n${settings}\n${metrics}`)
    return node
  }

  get url(): string {
    return `http://${HOST}:${this.port}`
  }

  get databaseFile(): string {
    return join(this.dataDirectory, 'messages.db')
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** Resolves once the process is gone. */
  get exit(): Promise<Exit> {
    return this.#exit!
  }

  /** As it is listed; another port where others reach it in another way. */
  listed(swarmId: bigint, port = this.port): ServiceNode {
    return { ed25519: this.ed25519, x25519: this.x25519, host: HOST, port, protocol: 'http', swarmId }
  }

  /** Puts a list of all nodes in the place of the one it has, whole at every moment. It looks every five seconds. */
  register(nodes: readonly ServiceNode[]): void {
    const file = join(this.directory, 'registry.json')
    writeFileSync(`${file}.new`, JSON.stringify({ service_node_states: nodes.map(encodeServiceNode) }))
    renameSync(`${file}.new`, file)
  }

  /** Starts the process; resolves once it says that it serves, rejects with the end of its log when it ends before that. */
  async start({ clockOffsetMs = 0, through = [] }: StartOptions = {}): Promise<void> {
    if (this.isRunning) throw new Error('the node runs already')
    const clock = clockOffsetMs === 0 ? [] : ['--import', shiftedClock(clockOffsetMs)]
    const [command, ...rest] = [...through, process.execPath, ...clock, MAIN, join(this.directory, 'node.toml')]
    const log = openSync(join(this.directory, 'node.log'), 'a')
    const child = spawn(command!, rest, { stdio: ['ignore', 'pipe', log] })
    closeSync(log)
    const end = () => child.kill('SIGKILL')
    process.once('exit', end)
    this.#child = child
    this.#exit = new Promise(resolve => {
      child.once('exit', (code, signal) => {
        process.removeListener('exit', end)
        resolve({ code, signal })
      })
    })
    const ready = new Promise<'ready'>(resolve => child.stdout!.once('data', () => resolve('ready')))
    const first = await Promise.race([ready, this.#exit])
    if (first !== 'ready') throw new Error(`the node ended: ${JSON.stringify(first)}\n${this.logTail()}`)
  }

  /** SIGKILL; resolves once it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exit
  }

  /** SIGTERM; resolves to how it ended. */
  async stop(): Promise<Exit> {
    this.#child!.kill('SIGTERM')
    return this.exit
  }

  /** Holds the process still: it has its port and its connections, and does nothing. */
  pause(): void {
    this.#child!.kill('SIGSTOP')
  }

  resume(): void {
    this.#child!.kill('SIGCONT')
  }

  /** What it logged, of all its starts. */
  log(): string {
    return readFileSync(join(this.directory, 'node.log'), 'utf8')
  }

  logTail(): string {
    return this.log().slice(-LOG_TAIL_CHARACTERS)
  }

  /** A value of its metrics; undefined while there is no answer. */
  async metric(name: string): Promise<number | undefined> {
    const text = await fetch(`http://${HOST}:${this.metricsPort}/metrics`).then(
      answer => answer.text(),
      () => '',
    )
    const value = new RegExp(`^session_v2_node_${name} (.+)$`, 'm').exec(text)?.[1]
    return value === undefined ? undefined : Number(value)
  }
}

/** A module that, loaded first, moves the clock of a process. */
function shiftedClock(offsetMs: number): string {
  return `data:text/javascript,${encodeURIComponent(`const now = Date.now; Date.now = () => now() + ${offsetMs}`)}`
}

/** A port that nobody has now, and that the system gives to nobody by itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = OWN_PORTS_FROM + Math.floor(Math.random() * PORTS)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, HOST, () => server.close(() => resolve(true)))
  })
}
