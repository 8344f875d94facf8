/**
 * A device of a person: its disk, its clock, and the program on it, which is the real client. The program can die at any write, be
 * restarted, be put back to an old copy of the disk, or be installed anew.
 */
import { Client, ClientError, type RecordStore } from '@session-v2/client'
import type { SealedStore } from '@session-v2/client/testing'
import type { Crypto } from '@session-v2/crypto'
import { streamOf } from './chance.ts'
import { Disk } from './disk.ts'
import type { Network } from './network.ts'
import { type GroupAtRest, groupAtRest, UNLOCK, unsealed } from './peek.ts'
import type { Tally } from './tally.ts'
import type { World } from './world.ts'

export const SEED_URL = 'http://seed'

/** What a device lives in. */
export interface Surroundings {
  readonly seed: number
  readonly crypto: Crypto
  readonly world: World
  readonly network: Network
  readonly tally: Tally
  /** Told what happens, one line each. */
  readonly log: (line: string) => void
  /** Told of what must not happen. */
  readonly violated: (checker: string, text: string) => void
  /** Makes a part misbehave: for tests of the checkers. */
  readonly plant: Plant
}

/** Parts that misbehave on purpose. */
export interface Plant {
  readonly store?: (store: RecordStore, device: Device) => RecordStore
  readonly http?: (http: HttpOf, device: Device) => HttpOf
  /** What a device shows of its messages. */
  readonly shown?: (bodies: Shown[], device: Device) => Shown[]
  /** Called when a program has done something. */
  readonly afterwards?: (device: Device, store: SealedStore, group: GroupAtRest) => Promise<void>
}

export type HttpOf = ReturnType<Network['httpOf']>

/** A message as a device shows it. */
export interface Shown {
  readonly messageId: string
  readonly conversation: string
  readonly sender: string
  readonly body: string
  readonly sentAtMs: number
  readonly state: string
  readonly pfs: boolean
  readonly keyCreatedAtMs: number | undefined
}

/** Refusals that a person meets in the course of things. */
const ORDINARY: ReadonlySet<string> = new Set([
  'network-unavailable',
  'no-path',
  'clock-off',
  'membership-unknown',
  'already-in-group',
  'not-in-group',
  'device-removed',
  'device-displaced',
  'unknown-group',
  'unknown-device',
  'unknown-request',
])

export const HOUR_MS = 3_600_000

export type Begin =
  | { readonly kind: 'create'; readonly name: string }
  | { readonly kind: 'restore'; readonly recoveryPassword: string }

export class Device {
  readonly name: string
  readonly disk = new Disk()
  /** What its clock is off by. */
  readonly clockOffsetMs: number
  /** It does nothing and reaches nobody until then. */
  awayUntilMs = 0
  /** Its account is on it. */
  hasBegun = false
  /** It is gone for good: lost, or another program is on it. */
  isGone = false
  /** Bodies that must be on it since it was last put back. */
  readonly known = new Set<string>()
  readonly #around: Surroundings
  #client: Client | undefined
  #store: SealedStore | undefined
  /** The device group as it was after so many writes. */
  #group: { readonly writes: number; readonly value: GroupAtRest | undefined } | undefined
  /** Which run of the program this is. */
  #run = 0
  #isDead = false

  constructor(name: string, around: Surroundings, clockOffsetMs: number) {
    this.name = name
    this.#around = around
    this.clockOffsetMs = clockOffsetMs
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error(`${this.name} does not run`)
    return this.#client
  }

  get isRunning(): boolean {
    return this.#client !== undefined
  }

  get isAway(): boolean {
    return this.awayUntilMs > this.#around.world.nowMs()
  }

  /** Begins with an account: a new one, or that of a recovery password. */
  async begin(how: Begin): Promise<void> {
    const options = { ...this.#ports(), unlock: UNLOCK, seeds: [SEED_URL] }
    const made = how.kind === 'create' ? Client.create({ ...options, name: how.name }) : Client.restore({ ...options, ...how })
    await this.#started(made, how.kind)
    this.hasBegun = this.disk.writes > 0
  }

  /** Starts the program on what is on the disk. */
  async start(): Promise<void> {
    await this.#started(Client.open({ ...this.#ports(), unlock: UNLOCK }), 'open')
  }

  /** The program dies at a coming write. */
  crashAt(writes: number, moment: 'before' | 'torn' | 'after'): void {
    this.disk.crashAt(writes, moment, () => {
      this.#isDead = true
      this.#around.tally.add(`disk: crash ${moment}`)
      this.#around.log(`${this.name} dies ${moment} a write`)
    })
  }

  /**
   * Lets the program do something, starting it first where it does not run. What a person would be told is told in the log; what nobody
   * should ever be told is a violation. True when it was done.
   */
  async act(what: string, run: (client: Client) => Promise<unknown>): Promise<boolean> {
    if (this.#client === undefined) await this.start()
    const client = this.#client
    if (client === undefined) return false
    try {
      await run(client)
      this.#around.log(`${this.name} ${what}`)
      return true
    } catch (error) {
      this.#judge(what, error)
      return false
    } finally {
      await this.#ended(client)
    }
  }

  /** Ends the program as a person would. */
  async stop(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.close()
    this.disk.unmount()
  }

  /** Ends the program at once. */
  async kill(): Promise<void> {
    this.#isDead = true
    this.disk.unmount()
    const client = this.#client
    this.#client = undefined
    await client?.close().catch(() => undefined)
  }

  /** Puts the disk back to an earlier state. */
  async putBack(writes: number): Promise<void> {
    await this.kill()
    await this.disk.restore(writes)
    this.#store = undefined
    this.#group = undefined
    this.known.clear()
  }

  /** The records on its disk. */
  async records(): Promise<SealedStore | undefined> {
    const { crypto, seed } = this.#around
    this.#store ??= await unsealed(crypto, streamOf(crypto, seed, 'peeking'), this.disk)
    return this.#store
  }

  /** The device group on its disk. */
  async group(): Promise<GroupAtRest | undefined> {
    const { writes } = this.disk
    if (this.#group?.writes === writes) return this.#group.value
    const store = await this.records()
    const value = store && (await groupAtRest(this.#around.crypto, store))
    this.#group = { writes, value }
    return value
  }

  /** Its messages. */
  async messages(): Promise<Shown[]> {
    const shown = this.#client === undefined ? [] : await this.#client.messages()
    return this.#around.plant.shown?.(shown, this) ?? shown
  }

  async #started(starting: Promise<Client>, how: string): Promise<void> {
    const { log } = this.#around
    try {
      this.#client = await starting
      log(`${this.name} ${how}`)
    } catch (error) {
      this.#judge(how, error)
    } finally {
      if (this.#isDead) await this.kill()
    }
  }

  async #ended(client: Client): Promise<void> {
    if (this.#isDead && this.#client === client) await this.kill()
    const { afterwards } = this.#around.plant
    if (afterwards === undefined) return
    const [store, group] = [await this.records(), await this.group()]
    if (store !== undefined && group !== undefined) await afterwards(this, store, group)
  }

  #judge(what: string, error: unknown): void {
    const { log, violated, tally } = this.#around
    const code = error instanceof ClientError ? error.code : undefined
    if (this.#isDead) log(`${this.name} ${what}: died`)
    else if (code !== undefined && ORDINARY.has(code)) {
      tally.add(`refused: ${code}`)
      log(`${this.name} ${what}: ${code}`)
    } else violated('error', `${this.name} ${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }

  #ports() {
    const { crypto, world, network, plant, seed } = this.#around
    const run = ++this.#run
    this.#isDead = false
    const random = streamOf(crypto, seed, `${this.name} run ${run}`)
    const http = network.httpOf(this.name, () => run === this.#run && !this.#isDead)
    const store = this.disk.mount()
    return {
      crypto,
      random,
      clock: { nowMs: () => world.nowMs() + this.clockOffsetMs },
      timers: world,
      http: plant.http?.(http, this) ?? http,
      store: plant.store?.(store, this) ?? store,
      transport: 'direct' as const,
      device: { description: this.name, type: 'd', version: [0, 1, 0] as const },
    }
  }
}
