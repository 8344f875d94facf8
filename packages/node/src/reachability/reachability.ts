/**
 * Which nodes can be reached (clauses NODE-130 to NODE-134). A node is in one of these states:
 *
 *      ┌────────── passed ──────────┐
 *      ▼                            │
 *   reachable ── test fails ──▶ failing (n) ── 10 s × n later ──▶ waiting ── one of 4 places is free ──▶ tested again
 *      ▲                            ▲                                                                       │
 *      └──────────── passed ────────┴──────────────────────── failed: n + 1 ────────────────────────────────┘
 *
 * Reachable ones are tested one at a time, a random one every 10 s or so. At most 5 tests are under way at once, and state is kept of
 * nodes of the list alone, which has a bound.
 */
import type { Random } from '@session-v2/crypto'
import type { ServiceNode } from '@session-v2/network'
import { describeException, type Log } from '../log.ts'
import type { Clock, Timers } from '../ports.ts'
import type { Registry } from '../registry/registry.ts'
import { normal, oneOf } from './normal.ts'
import type { Ping } from './ping.ts'

export const TEST_PAUSE_MS = 10_000
export const TEST_PAUSE_DEVIATION_MS = 3_000
export const RETEST_STEP_MS = 10_000
export const RETEST_LONGEST_MS = 120_000
export const RETESTS_AT_ONCE = 4
/** How long nobody may test us before the log says so. */
export const UNTESTED_MS = 120_000

/** One test that has ended. */
export interface TestResult {
  readonly node: ServiceNode
  readonly passed: boolean
  /** Failures in a row, this one included. */
  readonly failures: number
}

export interface ReachabilityParts {
  /** This node's Ed25519 key: it does not test itself. */
  readonly ed25519: string
  readonly registry: Pick<Registry, 'nodes' | 'changes'>
  readonly ping: Ping
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly log: Log
  /** Called with each result: for metrics, and for what a daemon wants to know. What it throws is logged. */
  readonly onResult?: (result: TestResult) => void
}

interface Failing {
  readonly failures: number
  /** Ends the wait for the next test. */
  readonly cancel: () => void
}

export class Reachability {
  readonly #parts: ReachabilityParts
  readonly #failing = new Map<string, Failing>()
  readonly #lastOkMs = new Map<string, number>()
  readonly #underWay = new Set<string>()
  /** Keys of failing nodes whose time has come. */
  readonly #due = new Set<string>()
  readonly #stopping = new AbortController()
  readonly #unsubscribe: () => void
  #nodes: ReadonlyMap<string, ServiceNode>
  #retests = 0
  #cancelNext = (): void => {}
  #cancelUntested = (): void => {}

  /** Starts testing; the first test comes after a pause. */
  constructor(parts: ReachabilityParts) {
    this.#parts = parts
    this.#nodes = this.#othersOf(parts.registry.nodes().nodes)
    this.#unsubscribe = parts.registry.changes(list => this.#follow(list.nodes))
    this.#scheduleNext()
    this.#watch()
  }

  /** False from the first failed test on until one is passed; true for what was not tested yet, and for what nobody lists. */
  reachable(ed25519: string): boolean {
    return this.failures(ed25519) === 0
  }

  /** Failures in a row. */
  failures(ed25519: string): number {
    return this.#failing.get(ed25519)?.failures ?? 0
  }

  /** When the last test was passed, in unix milliseconds; undefined when none was. */
  lastOkMs(ed25519: string): number | undefined {
    return this.#lastOkMs.get(ed25519)
  }

  /** How many nodes fail now. */
  get unreachable(): number {
    return this.#failing.size
  }

  /** To be called when somebody has tested this node. */
  tested(): void {
    this.#cancelUntested()
    this.#watch()
  }

  /** Ends tests that are under way, and all waiting. */
  close(): void {
    this.#stopping.abort()
    this.#unsubscribe()
    this.#cancelNext()
    this.#cancelUntested()
    for (const { cancel } of this.#failing.values()) cancel()
  }

  #scheduleNext(): void {
    if (this.#stopping.signal.aborted) return
    const { timers, random } = this.#parts
    const pauseMs = Math.round(normal(random, TEST_PAUSE_MS, TEST_PAUSE_DEVIATION_MS))
    this.#cancelNext = timers.after(pauseMs, () => void this.#testNext())
  }

  async #testNext(): Promise<void> {
    const candidates = [...this.#nodes.values()].filter(({ ed25519 }) => {
      return !this.#failing.has(ed25519) && !this.#underWay.has(ed25519)
    })
    if (candidates.length > 0) await this.#test(oneOf(this.#parts.random, candidates))
    this.#scheduleNext()
  }

  async #test(node: ServiceNode): Promise<void> {
    const { ed25519 } = node
    this.#underWay.add(ed25519)
    const passed = await this.#parts.ping(node, this.#stopping.signal).catch(() => false)
    this.#underWay.delete(ed25519)
    if (this.#stopping.signal.aborted || !this.#nodes.has(ed25519)) return
    const failures = passed ? 0 : this.failures(ed25519) + 1
    if (passed) {
      this.#failing.delete(ed25519)
      this.#lastOkMs.set(ed25519, this.#parts.clock.nowMs())
    } else {
      const pauseMs = Math.min(RETEST_STEP_MS * failures, RETEST_LONGEST_MS)
      const cancel = this.#parts.timers.after(pauseMs, () => this.#retest(ed25519))
      this.#failing.set(ed25519, { failures, cancel })
    }
    this.#tell({ node, passed, failures })
  }

  #retest(ed25519: string): void {
    this.#due.add(ed25519)
    this.#retestDue()
  }

  #retestDue(): void {
    for (const ed25519 of this.#due) {
      if (this.#retests === RETESTS_AT_ONCE || this.#stopping.signal.aborted) return
      this.#due.delete(ed25519)
      const node = this.#nodes.get(ed25519)
      if (node === undefined) continue
      this.#retests++
      void this.#test(node).finally(() => {
        this.#retests--
        this.#retestDue()
      })
    }
  }

  #tell(result: TestResult): void {
    const { log, onResult } = this.#parts
    const { node, failures } = result
    if (failures === 1) log.info({ peer: node.ed25519 }, 'a node cannot be reached')
    try {
      onResult?.(result)
    } catch (error) {
      log.error(describeException(error), 'the result of a test could not be passed on')
    }
  }

  /** Forgets what is listed no more. */
  #follow(nodes: readonly ServiceNode[]): void {
    this.#nodes = this.#othersOf(nodes)
    for (const [ed25519, { cancel }] of this.#failing) {
      if (this.#nodes.has(ed25519)) continue
      cancel()
      this.#failing.delete(ed25519)
      this.#due.delete(ed25519)
    }
    for (const ed25519 of this.#lastOkMs.keys()) if (!this.#nodes.has(ed25519)) this.#lastOkMs.delete(ed25519)
  }

  #othersOf(nodes: readonly ServiceNode[]): ReadonlyMap<string, ServiceNode> {
    return new Map(nodes.filter(node => node.ed25519 !== this.#parts.ed25519).map(node => [node.ed25519, node]))
  }

  #watch(): void {
    if (this.#stopping.signal.aborted) return
    this.#cancelUntested = this.#parts.timers.after(UNTESTED_MS, () => {
      if (this.#nodes.size > 0) {
        const reason = 'nobody has tested this node for two minutes: can its port be reached from outside?'
        this.#parts.log.warn({ nodes: this.#nodes.size }, reason)
      }
      this.#watch()
    })
  }
}
