/** One simulation: the world with its nodes and people, built from a seed. */
import type { Crypto } from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'
import type { ServiceNode } from '@session-v2/network'
import { nodeList } from '@session-v2/node/parts'
import { Chance, streamOf } from './chance.ts'
import { Device, HOUR_MS, type Plant, SEED_URL, type Surroundings } from './device.ts'
import { KeyLedger } from './key-ledger.ts'
import { Ledger } from './ledger.ts'
import { Network, SEED_PLACE } from './network.ts'
import { Person } from './person.ts'
import { StorageNode } from './storage-node.ts'
import { Tally } from './tally.ts'
import { World } from './world.ts'

/** What went against a promise. */
export interface Violation {
  readonly checker: string
  readonly text: string
  readonly step: number
}

export class Stage implements Surroundings {
  readonly seed: number
  readonly crypto: Crypto
  readonly plant: Plant
  readonly world = new World()
  readonly tally = new Tally()
  readonly ledger = new Ledger()
  readonly keys = new KeyLedger()
  readonly network: Network
  readonly nodes: StorageNode[]
  readonly people: Person[] = []
  /** Nodes that fail at present. */
  readonly faulty = new Set<StorageNode>()
  readonly lines: string[] = []
  readonly violations: Violation[] = []
  /** What the people do and when. */
  readonly chance: Chance
  /** What befalls the network. */
  readonly fate: Chance
  step = 0
  /** Time that devices have existed for, together. */
  deviceMs = 0
  readonly #onLine: (line: string) => void

  constructor(crypto: Crypto, seed: number, plant: Plant, onLine: (line: string) => void = () => {}) {
    this.#onLine = onLine
    this.seed = seed
    this.crypto = crypto
    this.plant = plant
    this.chance = this.#chanceOf('people')
    this.fate = this.#chanceOf('fate')
    this.network = new Network(this.world, this.#chanceOf('network'), this.tally)
    this.nodes = this.#makeNodes()
  }

  readonly log = (line: string): void => {
    const placed = `${this.step} ${(this.world.ageMs / HOUR_MS).toFixed(3)} h ${line}`
    this.lines.push(placed)
    this.#onLine(placed)
  }

  readonly violated = (checker: string, text: string): void => {
    this.log(`VIOLATION ${checker}: ${text}`)
    this.violations.push({ checker, text, step: this.step })
  }

  /** Starts nodes and the seed. */
  async begin(): Promise<void> {
    const list = this.#list
    for (const node of this.nodes) await node.start(list)
    const answer = { jsonrpc: '2.0', id: 0, result: nodeList(list, {}) }
    this.network.listen(SEED_URL, SEED_PLACE, async () => ({ status: 200, body: encodeUtf8(JSON.stringify(answer)) }))
    await this.world.advance(2 * 60_000)
  }

  async restartNode(node: StorageNode): Promise<void> {
    await node.start(this.#list)
  }

  /** A person with a first device. */
  async addPerson(name: string, mostDevices: number): Promise<void> {
    const person = new Person(name, mostDevices)
    const device = this.newDevice(person)
    await this.finish([device.begin({ kind: 'create', name })])
    person.accountId = device.client.accountId
    person.recoveryPassword = device.client.recoveryPassword()
    this.people.push(person)
    await this.look(person, device)
  }

  /** A device without an account yet. Half of the clocks are wrong. */
  newDevice(person: Person): Device {
    const offsetMs = this.chance.happens(0.5) ? this.chance.whole(-48, 48) * HOUR_MS : 0
    const device = new Device(person.nextName(), this, offsetMs)
    if (offsetMs !== 0) this.tally.add('device: wrong clock')
    person.devices.push(device)
    return device
  }

  /** Lets time pass until these are done. They have two hours, more than any request, all its attempts and a person's pauses take. */
  async finish(tasks: readonly Promise<unknown>[]): Promise<void> {
    if (!(await this.world.until(tasks, 2 * HOUR_MS))) return this.violated('stuck', 'something does not end')
    for (const result of await Promise.allSettled(tasks)) {
      if (result.status === 'rejected') this.violated('error', String((result.reason as Error).stack ?? result.reason))
    }
  }

  /** Takes note of what a device holds and what became of its messages. */
  async look(person: Person, device: Device): Promise<void> {
    await this.keys.look(person, device)
    await this.ledger.look(device, this.world.nowMs())
  }

  async close(): Promise<void> {
    const devices = this.people.flatMap(({ living }) => living)
    await this.world.until(
      devices.map(device => device.stop()),
      HOUR_MS,
    )
    for (const node of this.nodes) await node.close()
  }

  #chanceOf(part: string): Chance {
    return new Chance(streamOf(this.crypto, this.seed, part))
  }

  get #list(): readonly ServiceNode[] {
    return this.nodes.map(node => node.listed)
  }

  /** Three or four nodes of one swarm, or six of two. */
  #makeNodes(): StorageNode[] {
    const isDivided = this.fate.happens(0.1)
    const count = isDivided ? 6 : this.fate.whole(3, 4)
    const around = { crypto: this.crypto, world: this.world, network: this.network }
    return Array.from({ length: count }, (_, i) => {
      const swarmId = isDivided && i % 2 === 1 ? 3n << 62n : 1n << 62n
      const node = new StorageNode(around, streamOf(this.crypto, this.seed, `node ${i}`).bytes(32), i, swarmId)
      node.onHidden = () => this.tally.add('node: censored an answer')
      return node
    })
  }
}
