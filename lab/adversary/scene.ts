/**
 * The world of an attack: a real local network of storage nodes over HTTP, real clients whose lines are tapped, and time that is moved by
 * hand. Everybody in it has a recovery password that the adversary of an attack may be given.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, type ClientEvent, fetchHttp } from '@session-v2/client'
import { type Crypto, loadCrypto, type Random, systemRandom } from '@session-v2/crypto'
import { decodeUtf8 } from '@session-v2/encoding'
import {
  buildRetrieve,
  buildStore,
  encodeRequest,
  type Namespace,
  parseRetrieveResult,
  type RequestSigner,
  type RpcRequest,
  STORAGE_RPC_PATH,
} from '@session-v2/network'
import { type LocalNetwork, startLocalNetwork } from '@session-v2/node'
import { type Account, type AccountId, accountFromSeed, seedFromRecoveryPassword } from '@session-v2/protocol'
import { type Device, DeviceStore, UNLOCK } from './device.ts'
import { DAY_MS, HOUR_MS, SimulatedTime } from './simulated-time.ts'
import { type Lie, Tap } from './tap.ts'

const NODES = 3
/** Longer than any attempt looks at one message, shorter than any namespace allows. */
const STORED_TTL_MS = 13 * DAY_MS

/** What a device is made with, besides what all have. */
export interface DeviceOptions {
  /** What nodes tell this device instead of the truth. */
  readonly lie?: Lie
  readonly random?: Random
}

export class Scene {
  readonly crypto: Crypto
  readonly time: SimulatedTime
  readonly tap: Tap
  readonly random: Random = systemRandom()
  readonly #network: LocalNetwork
  readonly #folder: string
  readonly #clients = new Set<Client>()

  private constructor(crypto: Crypto, time: SimulatedTime, network: LocalNetwork, folder: string) {
    this.crypto = crypto
    this.time = time
    this.tap = new Tap(time)
    this.#network = network
    this.#folder = folder
  }

  static async open(): Promise<Scene> {
    const time = new SimulatedTime()
    const folder = await mkdtemp(join(tmpdir(), 'session-v2-lab-'))
    const dataDirectory = join(folder, 'nodes')
    const network = await startLocalNetwork({ nodes: NODES, swarms: 1, dataDirectory, clock: time, log: { level: 'silent' } })
    return new Scene(await loadCrypto(), time, network, folder)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients].map(client => client.close()))
    await this.#network.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  get nowS(): number {
    return Math.floor(this.time.nowMs() / 1000)
  }

  /** A new account on its first device. */
  async create(name: string, options: DeviceOptions = {}): Promise<Device> {
    const store = new DeviceStore()
    return this.#device(store, await Client.create({ ...this.#ports(options), store, seeds: [this.#network.seedUrl], name }))
  }

  /** A device with the recovery password of an account, in no group. */
  async restore(recoveryPassword: string, options: DeviceOptions = {}): Promise<Device> {
    const store = new DeviceStore()
    const seeds = [this.#network.seedUrl]
    return this.#device(store, await Client.restore({ ...this.#ports(options), store, seeds, recoveryPassword }))
  }

  /** A second device of an account, let in with both confirmations. */
  async linked(member: Device, options: DeviceOptions = {}): Promise<Device> {
    const joining = await this.restore(member.client.recoveryPassword(), options)
    await joining.client.devices.ask(member.client.devices.view().group!.id)
    await this.sync(member)
    const request = member.client.devices.view().requests.find(({ device }) => device.id === joining.client.account().deviceId)
    await member.client.devices.accept(request!.id)
    await this.sync(member, joining)
    await joining.client.devices.confirm()
    await this.sync(joining, member, joining)
    return joining
  }

  /** Time goes on a little and everybody syncs, one after the other. */
  async sync(...devices: readonly Device[]): Promise<void> {
    for (const { client } of devices) {
      this.time.advance(1000)
      await client.sync()
    }
  }

  /** Lives through so much time in steps of `stepMs`. @param each what happens at the end of every step */
  async live(ms: number, stepMs: number, each: () => Promise<unknown>): Promise<void> {
    const untilMs = this.time.nowMs() + ms
    while (this.time.nowMs() < untilMs) {
      this.time.advance(Math.min(stepMs, untilMs - this.time.nowMs()))
      await each()
    }
  }

  /** The person opens a conversation, and what that looks up has come. Somebody must answer. */
  async openConversation({ client, store }: Device, account: AccountId): Promise<void> {
    const lookedUpAtMs = async () => {
      const record = await store.record<{ fetchedAtMs?: number; absentAtMs?: number }>(this.crypto, 'recipient-keys', account)
      return Math.max(record?.fetchedAtMs ?? 0, record?.absentAtMs ?? 0)
    }
    const isDue = this.time.nowMs() - (await lookedUpAtMs()) >= HOUR_MS
    await client.openConversation(account)
    while (isDue && (await lookedUpAtMs()) < this.time.nowMs()) await new Promise(resolve => setImmediate(resolve))
  }

  /** The account of a device, as whoever has its recovery password has it. */
  accountOf({ client }: Device): Account {
    return accountFromSeed(this.crypto, seedFromRecoveryPassword(client.recoveryPassword()))
  }

  /** Stores anything for an account, as anyone or as its owner. */
  async store(accountId: AccountId, payload: Uint8Array, namespace: Namespace, owner?: Account): Promise<void> {
    const timestampMs = this.time.nowMs()
    const signed = owner === undefined ? {} : { signer: signerOf(owner) }
    const options = { accountId, namespace, payload, timestampMs, ttlMs: STORED_TTL_MS, ...signed }
    await this.#ask(buildStore(this.crypto, options))
    this.tap.recorded.push({ account: accountId, namespace, payload, atMs: timestampMs })
  }

  /** What a namespace holds, to whoever has the recovery password. */
  async retrieve(owner: Account, namespace: Namespace): Promise<Uint8Array[]> {
    const options = { accountId: owner.id, namespace, timestampMs: this.time.nowMs(), signer: signerOf(owner) }
    const answer = await this.#ask(buildRetrieve(this.crypto, options))
    return parseRetrieveResult(answer).messages.map(({ payload }) => payload)
  }

  /** What a device has told its person so far. */
  async told({ store }: Device): Promise<readonly ClientEvent['type'][]> {
    const records = await store.records(this.crypto)
    const events = records.filter(({ table }) => table === 'events').map(({ text }) => JSON.parse(text) as { event: ClientEvent })
    return events.map(({ event }) => event.type)
  }

  #device(store: DeviceStore, client: Client): Device {
    this.#clients.add(client)
    return { client, store }
  }

  #ports({ lie, random }: DeviceOptions) {
    return { unlock: UNLOCK, clock: this.time, transport: this.tap.transport(lie), ...(random && { random }) }
  }

  async #ask(request: RpcRequest): Promise<unknown> {
    const url = `${this.#network.nodes[0]!.url}${STORAGE_RPC_PATH}`
    const { status, body } = await fetchHttp.toNode(url, encodeRequest(request), new AbortController().signal)
    if (status !== 200) throw new Error(`${request.method} was answered ${status}: ${decodeUtf8(body)}`)
    return JSON.parse(decodeUtf8(body))
  }
}

function signerOf(account: Account): RequestSigner {
  return { accountId: account.id, publicKey: account.ed25519.publicKey, secretKey: account.ed25519.secretKey }
}
