/**
 * Keeps what a node holds the same as what its swarm holds: when it compares, delivers and hands over, and when it is complete (clauses
 * NODE-90 to NODE-97). One `SwarmUpkeep` a node; everything else in this folder that concerns items is one of its parts.
 */
import { type ServiceNode, swarmIdHex } from '@session-v2/network'
import type { UpkeepTimes } from '../config/swarm-config.ts'
import { describeException } from '../log.ts'
import { NodeError } from '../node-error.ts'
import { Comparing, type Round } from './comparing.ts'
import { Deliveries, type DeliveriesParts, type DeliveryCounts } from './deliveries.ts'
import { type ExchangeAnswer, ExchangeAnswers } from './exchange-answers.ts'
import { ExchangeClient, type ExchangeClientParts, type Traffic } from './exchange-client.ts'
import { handOver } from './handing-over.ts'
import type { GateParts } from './item-gate.ts'

export interface UpkeepParts extends Omit<GateParts, 'isOurs'>, DeliveriesParts, ExchangeClientParts {
  readonly store: GateParts['store']
  readonly times: UpkeepTimes
}

/** What the operator may want to see. */
export interface UpkeepStatus {
  /** When everything was last the same as at a member, in unix milliseconds, by its Ed25519 key. */
  readonly completeAtMs: ReadonlyMap<string, number>
  readonly rounds: number
  readonly fetched: number
  readonly handedOver: number
  readonly deliveries: DeliveryCounts
  readonly traffic: Readonly<Traffic>
}

const LAST_SWARM = 'swarm'
/** A member that begins to answer and never gives everything does not keep a node from serving. */
const ATTEMPTS_MAX = 60
/** A request that was being answered when the list came may still keep something for so long, for an account that falls to another swarm now. */
const REQUEST_MAX_MS = 60_000

export class SwarmUpkeep {
  readonly deliveries: Deliveries
  readonly #parts: UpkeepParts
  readonly #client: ExchangeClient
  readonly #comparing: Comparing
  readonly #answers: ExchangeAnswers
  readonly #completeAtMs = new Map<string, number>()
  readonly #timers = new Map<string, () => void>()
  /** What is under way, by name; each at most once. */
  readonly #running = new Map<string, Promise<void>>()
  readonly #waiting: (() => void)[] = []
  /** Swarm that we are complete in, as far as there was one to compare with. */
  #completeIn: string | undefined
  /** When the list of nodes came, by the clock that only moves on. */
  #listedMs: number
  /** How often it has compared itself with all members in vain, to be complete in its swarm. */
  #attempts = 0
  #turn = 0
  #rounds = 0
  #fetched = 0
  #handedOver = 0
  #stopped = false
  #started = false

  constructor(parts: UpkeepParts) {
    const { swarms } = parts
    const isOurs = (account: Uint8Array) => swarms.own !== undefined && swarms.swarmOf(account) === swarms.own
    this.#parts = parts
    this.#listedMs = parts.monotonic.nowMs()
    this.#client = new ExchangeClient(parts)
    this.deliveries = new Deliveries(parts)
    this.#comparing = new Comparing({ ...parts, isOurs, client: this.#client })
    const isPeer = (ed25519: string) => swarms.isPeer(ed25519)
    this.#answers = new ExchangeAnswers({ ...parts, isOurs, isPeer, isComplete: () => this.isComplete })
  }

  /** Keeps a request for a member that did not take it: the `missed` of `Replication`. */
  readonly missed = (peer: string, request: Uint8Array, atMs: number): void => void this.deliveries.queue(peer, request, atMs)

  /** Whether the node has compared itself since it came to its swarm, or there was nobody to compare with. */
  get isComplete(): boolean {
    const { own } = this.#parts.swarms
    return own !== undefined && this.#completeIn === swarmIdHex(own.id)
  }

  get status(): UpkeepStatus {
    return {
      completeAtMs: this.#completeAtMs,
      rounds: this.#rounds,
      fetched: this.#fetched,
      handedOver: this.#handedOver,
      deliveries: this.deliveries.counts,
      traffic: this.#client.traffic,
    }
  }

  /** Answers a question of a node of the network; never rejects. */
  answer(sender: string, body: Uint8Array): Promise<ExchangeAnswer> {
    return this.#answers.answer(sender, body)
  }

  /** Resolves once the node is complete. */
  complete(): Promise<void> {
    return this.isComplete ? Promise.resolve() : new Promise(resolve => void this.#waiting.push(resolve))
  }

  /** Begins; the list of nodes is known. */
  async start(): Promise<void> {
    try {
      this.#completeIn = await this.#parts.store.readNote(LAST_SWARM)
    } catch (error) {
      this.#parts.log.warn(describeException(error), 'the last swarm is not known')
    }
    if (this.#stopped) return
    this.#started = true
    this.listChanged()
    this.#every('deliveries', this.#parts.times.deliveriesMs, () => this.deliveries.send())
  }

  /** A new list of nodes is in force. */
  listChanged(): void {
    if (!this.#started || this.#stopped) return
    const { swarms, monotonic } = this.#parts
    const isPeer = (ed25519: string) => swarms.isPeer(ed25519)
    this.#comparing.keepOnly(isPeer)
    this.#client.keepOnly(ed25519 => swarms.isNode(ed25519))
    for (const key of this.#completeAtMs.keys()) if (!isPeer(key)) this.#completeAtMs.delete(key)
    this.#listedMs = monotonic.nowMs()
    this.#attempts = 0
    this.#soon('compare', 0, () => this.#compare())
    this.#soon('hand over', 0, () => this.#handOver())
    if (swarms.own !== undefined && swarms.peers.length === 0) this.#finish()
  }

  async close(): Promise<void> {
    this.#stopped = true
    this.#client.close()
    this.deliveries.close()
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    await Promise.all(this.#running.values())
  }

  async #compare(): Promise<void> {
    const { times, swarms } = this.#parts
    if (swarms.own !== undefined && !this.isComplete) await this.#join()
    else await this.#nextRound()
    const pauseMs = swarms.own === undefined || this.isComplete ? times.roundMs : times.joinMs
    this.#soon('compare', pauseMs, () => this.#compare())
  }

  async #nextRound(): Promise<void> {
    const peers = this.#parts.swarms.peers.filter(peer => !this.#client.isUnaware(peer))
    const peer = peers[this.#turn++ % Math.max(1, peers.length)]
    if (peer !== undefined) await this.#round(peer, false)
  }

  /** Compares with one that is complete; where all others are as new as we are, or nobody answers for long, there is nothing to wait for. */
  async #join(): Promise<void> {
    const { swarms, monotonic, times } = this.#parts
    const { own, peers } = swarms
    let alike = 0
    for (const peer of peers) {
      const round = this.#client.isUnaware(peer) ? undefined : await this.#round(peer, true)
      if (this.#stopped || swarms.own?.id !== own?.id) return
      if (round?.isComplete !== true) continue
      if (round.isPeerComplete) return this.#finish()
      alike += 1
    }
    const lastMs = Math.max(this.#listedMs, this.#client.lastAnswerMs)
    const isSilent = monotonic.nowMs() - lastMs >= times.patienceMs
    if (alike === peers.length || isSilent || ++this.#attempts >= ATTEMPTS_MAX) this.#finish()
  }

  #finish(): void {
    const { swarms, store, log } = this.#parts
    if (swarms.own === undefined) return
    const swarm = swarmIdHex(swarms.own.id)
    if (this.#completeIn !== swarm) {
      store.writeNote(LAST_SWARM, swarm).catch(error => log.warn(describeException(error), 'the last swarm cannot be noted'))
      log.info({ peers: swarms.peers.length }, 'this node holds what its swarm holds')
    }
    this.#completeIn = swarm
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Undefined when the member did not answer, or not as it should. */
  async #round(peer: ServiceNode, all: boolean): Promise<Round | undefined> {
    const { clock, log } = this.#parts
    try {
      const round = await this.#comparing.round(peer, all)
      this.#rounds += 1
      this.#fetched += round.fetched
      if (round.differing === 0 || (all && round.isComplete)) this.#completeAtMs.set(peer.ed25519, clock.nowMs())
      if (round.fetched > 0) log.debug({ peer: peer.ed25519, fetched: round.fetched }, 'items taken over from a member')
      return round
    } catch (error) {
      if (!(error instanceof NodeError)) throw error
      log.debug({ peer: peer.ed25519, code: error.code }, 'a member could not be compared with')
      return undefined
    }
  }

  async #handOver(): Promise<void> {
    const isEarly = this.#parts.monotonic.nowMs() - this.#listedMs < REQUEST_MAX_MS
    const { foreign, forgotten, sent } = await handOver({
      ...this.#parts,
      client: this.#client,
      isStopped: () => this.#stopped,
    })
    this.#handedOver += sent
    if (foreign > 0) this.#parts.log.info({ foreign, forgotten, sent }, 'accounts of other swarms handed over')
    if (isEarly || foreign > 0) this.#soon('hand over', this.#parts.times.handOverMs, () => this.#handOver())
  }

  #every(name: string, pauseMs: number, run: () => Promise<void>): void {
    this.#soon(name, pauseMs, async () => {
      await run()
      this.#every(name, pauseMs, run)
    })
  }

  /** Runs something after a while, in place of what was to run under that name, and behind what is running under it. */
  #soon(name: string, pauseMs: number, run: () => Promise<void>): void {
    this.#timers.get(name)?.()
    this.#timers.delete(name)
    if (this.#stopped) return
    const cancel = this.#parts.timers.after(pauseMs, () => {
      this.#timers.delete(name)
      const before = this.#running.get(name) ?? Promise.resolve()
      const ended = before.then(() => this.#guarded(name, run))
      this.#running.set(name, ended)
      void ended.then(() => {
        if (this.#running.get(name) === ended) this.#running.delete(name)
      })
    })
    this.#timers.set(name, cancel)
  }

  async #guarded(name: string, run: () => Promise<void>): Promise<void> {
    if (this.#stopped) return
    try {
      await run()
    } catch (error) {
      if (this.#stopped) return
      this.#parts.log.error(describeException(error), `what keeps the swarm together failed: ${name}`)
      this.#soon(name, this.#parts.times.handOverMs, run)
    }
  }
}
