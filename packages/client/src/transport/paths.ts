/**
 * The paths of this client: the pure pool of `network`, with this device's clock and randomness, kept in the store. Everything that
 * changes it is written down before the next request goes out, so that guards and strikes outlive the process.
 */
import type { Random } from '@session-v2/crypto'
import {
  type Blame,
  choosePath,
  createPathPool,
  type OnionPath,
  type PathPool,
  pathFailed,
  pathSucceeded,
  type ServiceNode,
  withNodes,
} from '@session-v2/network'
import type { Clock } from '../ports/clock.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'
import { decodePool, encodePool, type PoolRecord } from './pool-record.ts'

/** A path is used for a day: one that lasted would let its last relay see over months where one client's requests go. */
export const PATH_LIFE_MS = 86_400_000

const TABLE = 'network'
const RECORD = 'paths'
const NOBODY: ReadonlySet<string> = new Set()

export class Paths {
  readonly #random: Random
  readonly #clock: Clock
  readonly #store: SealedStore
  readonly #table: Table<PoolRecord>
  #record: PoolRecord | undefined
  #listed: readonly ServiceNode[] = []
  #pool: PathPool = createPathPool([])
  #builtAtMs: ReadonlyMap<number, number> = new Map()
  readonly #unusable = new Set<string>()
  /** The record as it lies in the store. */
  #saved: string
  #saving: Promise<void> = Promise.resolve()

  private constructor(random: Random, clock: Clock, store: SealedStore) {
    this.#random = random
    this.#clock = clock
    this.#store = store
    this.#table = store.table<PoolRecord>(TABLE)
    this.#saved = this.#text()
  }

  static async open(random: Random, clock: Clock, store: SealedStore): Promise<Paths> {
    const paths = new Paths(random, clock, store)
    paths.#record = await paths.#table.get(RECORD)
    if (paths.#record !== undefined) paths.#saved = JSON.stringify(paths.#record)
    return paths
  }

  /** All that are listed, also those that no path can use. */
  get nodes(): readonly ServiceNode[] {
    return this.#listed
  }

  /** The list of nodes is now this one. What was kept is taken up with the first. */
  learn(nodes: readonly ServiceNode[]): void {
    this.#listed = nodes
    const usable = nodes.filter(({ ed25519 }) => !this.#unusable.has(ed25519))
    if (this.#record === undefined) {
      this.#pool = withNodes(this.#pool, usable)
      return
    }
    const { pool, builtAtMs } = decodePool(this.#record, usable)
    this.#pool = pool
    this.#builtAtMs = builtAtMs
    this.#record = undefined
  }

  /** A node whose key nothing can be sealed to is never again part of a path in this run. */
  exclude(ed25519: string): void {
    this.#unusable.add(ed25519)
    this.learn(this.#listed)
  }

  /**
   * A path for one request to `destination`; undefined when there are too few nodes.
   * @param without guards of which it must have none: such a path is preferably one that lives, else it is for this request alone
   * @throws ClientError `store-failed`
   */
  async choose(destination: string, without: ReadonlySet<string> = NOBODY): Promise<OnionPath | undefined> {
    const nowMs = this.#clock.nowMs()
    this.#retire(nowMs)
    if (without.size > 0) return this.#another(destination, without, nowMs)
    const choice = choosePath(this.#pool, this.#random, destination, nowMs)
    await this.#adopt(choice.pool)
    return choice.outcome === 'chosen' ? choice.path : undefined
  }

  /** A request over the path failed. @throws ClientError `store-failed` */
  failed(path: OnionPath, blame: Blame): Promise<void> {
    return this.#adopt(pathFailed(this.#pool, path, blame, this.#clock.nowMs()))
  }

  /** A reply came over the path. @throws ClientError `store-failed` */
  succeeded(path: OnionPath): Promise<void> {
    return this.#adopt(pathSucceeded(this.#pool, path))
  }

  #another(destination: string, without: ReadonlySet<string>, nowMs: number): OnionPath | undefined {
    const avoids = ({ hops }: OnionPath) => !without.has(hops[0]!.ed25519) && !hops.some(({ ed25519 }) => ed25519 === destination)
    const living = this.#pool.paths.find(avoids)
    if (living !== undefined) return living
    const others = this.#pool.nodes.filter(({ ed25519 }) => !without.has(ed25519))
    const choice = choosePath(withNodes(this.#pool, others), this.#random, destination, nowMs)
    // Its serial stays taken: no path of the pool may be mistaken for it.
    this.#pool = { ...this.#pool, nextSerial: choice.pool.nextSerial }
    return choice.outcome === 'chosen' ? choice.path : undefined
  }

  /** Takes down what is too old, or from the future of a clock that was set back. */
  #retire(nowMs: number): void {
    const ageMs = ({ serial }: OnionPath) => nowMs - (this.#builtAtMs.get(serial) ?? nowMs)
    const paths = this.#pool.paths.filter(path => Math.abs(ageMs(path)) <= PATH_LIFE_MS)
    if (paths.length < this.#pool.paths.length) this.#pool = { ...this.#pool, paths }
  }

  #adopt(pool: PathPool): Promise<void> {
    const nowMs = this.#clock.nowMs()
    this.#pool = pool
    this.#builtAtMs = new Map(pool.paths.map(({ serial }) => [serial, this.#builtAtMs.get(serial) ?? nowMs]))
    this.#saving = this.#saving.catch(() => undefined).then(() => this.#save())
    return this.#saving
  }

  /** Writes the pool as it is by then, unless it lies there already. */
  async #save(): Promise<void> {
    const text = this.#text()
    if (text === this.#saved) return
    await this.#store.commit([this.#table.put(RECORD, JSON.parse(text) as PoolRecord)])
    this.#saved = text
  }

  #text(): string {
    return JSON.stringify(encodePool({ pool: this.#pool, builtAtMs: this.#builtAtMs }))
  }
}
