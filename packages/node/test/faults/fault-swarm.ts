/** Swarms of real processes, each node with a list of all nodes of its own, so that tests decide who knows whom, and through which line. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NO_SWARM, type ServiceNode } from '@session-v2/network'
import { Lines } from './lines.ts'
import { NodeProcess } from './node-process.ts'

/** Members look after one another often, so that tests need not wait; without rates, since all clients have one address. */
export const QUICK = `
[swarm]
compare_every_ms = 300
deliver_every_ms = 1000
hand_over_every_ms = 500
join_every_ms = 200
patience_ms = 10000
[limits]
address_burst = 0
account_burst = 0
connections_per_address = 0
[log]
level = "info"
`

export interface FaultSwarmOptions {
  readonly members: number
  /** Members are dealt to swarms in turn; default: one swarm. */
  readonly swarms?: number
  /** Whether members reach one another through lines that can be cut. */
  readonly lines?: boolean
  readonly settings?: string
}

export class FaultSwarm {
  readonly directory = mkdtempSync(join(tmpdir(), 'faults-'))
  readonly members: NodeProcess[] = []
  readonly #settings: string
  readonly #lines: Lines | undefined

  private constructor({ lines = false, settings = QUICK }: FaultSwarmOptions) {
    this.#settings = settings
    this.#lines = lines ? new Lines() : undefined
  }

  /** Resolves once all members serve clients. */
  static async start(options: FaultSwarmOptions): Promise<FaultSwarm> {
    const { members, swarms = 1 } = options
    const swarm = new FaultSwarm(options)
    try {
      for (let i = 0; i < members; i++) await swarm.create()
      await swarm.place(i => swarmId(i % swarms, swarms))
      await Promise.all(swarm.members.map(member => member.start()))
      await Promise.all(swarm.members.map(serves))
      return swarm
    } catch (error) {
      await swarm.close()
      throw error
    }
  }

  get urls(): readonly string[] {
    return this.members.map(member => member.url)
  }

  /** Makes one more node, which nobody knows yet. */
  async create(dataDirectory?: string): Promise<NodeProcess> {
    const directory = join(this.directory, `node-${this.members.length + 1}`)
    const member = await NodeProcess.create({ directory, settings: this.#settings, ...(dataDirectory && { dataDirectory }) })
    this.members.push(member)
    return member
  }

  /**
   * Gives every member a swarm by its place; undefined: it is listed without one, `unlisted`: nobody knows it any more. Members see it
   * within five seconds, each at another moment.
   */
  async place(swarmIdOf: (member: number) => bigint | undefined | 'unlisted'): Promise<void> {
    for (const [from, member] of this.members.entries()) {
      const listed: ServiceNode[] = []
      for (const [to, other] of this.members.entries()) {
        const id = swarmIdOf(to) ?? NO_SWARM
        if (id === 'unlisted') continue
        listed.push(other.listed(id, from === to ? other.port : await this.#lines?.port(from, to, other.port)))
      }
      member.register(listed)
    }
  }

  /** Where the lines of the members are, of a swarm that has some. */
  get lines(): Lines {
    return this.#lines!
  }

  /** SIGKILL for all members. */
  async kill(): Promise<void> {
    await Promise.all(this.members.map(member => member.kill()))
  }

  async close(): Promise<void> {
    await this.kill()
    this.#lines?.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** The middle of the i-th of `count` equal parts of the ring. */
export function swarmId(i: number, count: number): bigint {
  return ((2n * BigInt(i) + 1n) << 64n) / (2n * BigInt(count))
}

/** Resolves once a node answers clients. */
export async function serves({ url }: NodeProcess): Promise<void> {
  await until(async () => {
    const body = JSON.stringify({ method: 'info', params: {} })
    const answer = await fetch(`${url}/storage_rpc/v1`, { method: 'POST', body }).catch(() => undefined)
    await answer?.text()
    return answer?.status === 200
  }, `${url} does not serve`)
}

const PAUSE_MS = 100
const PATIENCE_MS = 300_000

/** Waits for a state; `complaint` says what did not come about within five minutes. */
export async function until(check: () => Promise<boolean> | boolean, complaint: string, pauseMs = PAUSE_MS): Promise<void> {
  for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs; ) {
    if (await check()) return
    await new Promise(resolve => setTimeout(resolve, pauseMs))
  }
  throw new Error(complaint)
}
