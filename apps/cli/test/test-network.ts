/** A local network for a test file, run by the command itself, and homes on it. */
import type { ChildProcess } from 'node:child_process'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import {
  type Ended,
  type JsonRecord,
  RunningLines,
  type RunOptions,
  records,
  requireBuilt,
  run,
  start,
  stop,
  temporaryFolder,
} from './command-process.ts'

/** One account's home and the words that name it. */
export class TestHome {
  readonly folder: string
  readonly accountId: string
  readonly recoveryPassword: string
  readonly deviceId: string

  constructor(folder: string, created: JsonRecord) {
    this.folder = folder
    this.accountId = created.account_id as string
    this.recoveryPassword = created.recovery_password as string
    this.deviceId = created.device_id as string
  }

  /** Runs a command on this home with --json. */
  run(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return run(['--json', '--home', this.folder, ...words], options)
  }

  /** Runs a command as people see it: without --json. */
  show(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return run(['--home', this.folder, ...words], options)
  }

  /** Runs a command that must succeed and returns its objects. */
  async expect(words: readonly string[], options: RunOptions = {}): Promise<JsonRecord[]> {
    const result = await this.run(words, options)
    if (result.status !== 0)
      throw new Error(`session-v2 ${words.join(' ')} ended with ${result.status}: ${result.stdout}${result.stderr}`)
    return records(result)
  }
}

export class TestNetwork {
  readonly folder: string
  readonly #words: readonly string[]
  readonly #remove: () => void
  #child: ChildProcess | undefined
  ready: JsonRecord = {}

  private constructor(words: readonly string[]) {
    const { path, remove } = temporaryFolder()
    this.folder = path
    this.#remove = remove
    this.#words = words
  }

  /** Starts `network up` and waits until it serves. */
  static async start(words: readonly string[] = []): Promise<TestNetwork> {
    requireBuilt()
    const network = new TestNetwork(words)
    await network.serve()
    return network
  }

  /** Serves again, with the data that is there. */
  async serve(): Promise<void> {
    const child = start(['--json', 'network', 'up', '--data', this.dataFolder, ...this.#words])
    let complaints = ''
    child.stderr!.setEncoding('utf8').on('data', (part: string) => {
      complaints += part
    })
    const first = await new RunningLines(child).next()
    if (first?.ready !== true) throw new Error(`the network did not start: ${JSON.stringify(first)}${complaints}`)
    this.ready = first
    this.#child = child
  }

  /** Ctrl-C. @returns the exit status */
  async goDown(): Promise<number | null> {
    return this.#child === undefined ? null : stop(this.#child, 'SIGINT')
  }

  get seed(): string {
    return this.ready.seed as string
  }

  get dataFolder(): string {
    return join(this.folder, 'network')
  }

  /** A folder for a home that does not exist yet. */
  homeFolder(name: string): string {
    return join(this.folder, 'homes', name)
  }

  /** Makes an account on this network. */
  async account(name: string, words: readonly string[] = []): Promise<TestHome> {
    const folder = this.homeFolder(name)
    const result = await run(['--json', '--home', folder, '--seed', this.seed, 'account', 'create', '--name', name, ...words])
    if (result.status !== 0) throw new Error(`account create ended with ${result.status}: ${result.stdout}${result.stderr}`)
    return new TestHome(folder, records(result)[0]!)
  }

  /** Restores the account of a home in another one, as a device that is in no group. */
  async restored(of: TestHome, name: string): Promise<TestHome> {
    const folder = this.homeFolder(name)
    const words = ['--json', '--home', folder, '--seed', this.seed, 'account', 'restore', '--name', name]
    const result = await run(words, { stdin: of.recoveryPassword })
    if (result.status !== 0) throw new Error(`account restore ended with ${result.status}: ${result.stdout}${result.stderr}`)
    return new TestHome(folder, { ...records(result)[0]!, recovery_password: of.recoveryPassword })
  }

  /** A second device of the account, let in by the first, both having confirmed. */
  async linked(first: TestHome, name: string): Promise<TestHome> {
    const second = await this.restored(first, name)
    await second.expect(['link', 'request'])
    const [request] = await first.expect(['link', 'requests'])
    await first.expect(['link', 'accept', request!.id as string])
    await second.expect(['link', 'confirm'])
    return second
  }

  /** The end: processes stop, folders go. */
  async stop(): Promise<void> {
    await this.goDown()
    this.#remove()
  }
}

/** The first of `count` ports in a row that were free a moment ago, below those that systems give out by themselves. */
export async function freePorts(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const servers = await Promise.all(Array.from({ length: count }, (_, index) => listening(first + index)))
    for (const server of servers) server?.close()
    if (!servers.includes(undefined)) return first
  }
}

/** A server on a port of this machine, or undefined when the port is taken. */
function listening(port: number): Promise<Server | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.on('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
