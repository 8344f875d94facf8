/**
 * Members of a swarm with real stores, keys and handlers in one process. What they send goes straight to the other's handlers, unless
 * a line between them is cut; time moves when told.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Crypto, ed25519KeyPair, ed25519PublicToX25519, loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  buildStore,
  decodeAnswer,
  encodeRequest,
  messageHash,
  type Namespace,
  type RequestSigner,
  type RpcRequest,
  type ServiceNode,
} from '@session-v2/network'
import { identityFromSeed, type NodeIdentity } from '../src/identity.ts'
import { openLog } from '../src/log.ts'
import { NodeError } from '../src/node-error.ts'
import { systemTimers } from '../src/ports.ts'
import { FrameAnswers } from '../src/rpc/frame-answers.ts'
import { openProof } from '../src/rpc/proof.ts'
import { answerClient, answerPeer } from '../src/rpc/rpc.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import type { ItemVersion, MessageStore } from '../src/store/store.ts'
import { LocalStoreEvents } from '../src/store/store-events.ts'
import { Comparing } from '../src/swarm/comparing.ts'
import { Deliveries } from '../src/swarm/deliveries.ts'
import { ExchangeAnswers } from '../src/swarm/exchange-answers.ts'
import { ExchangeClient } from '../src/swarm/exchange-client.ts'
import { decodeQuestion, isQuestion, type Question } from '../src/swarm/exchange-messages.ts'
import { isFrame } from '../src/swarm/forward-frame.ts'
import type { GateParts } from '../src/swarm/item-gate.ts'
import { verifyPeerRequest } from '../src/swarm/peer-authentication.ts'
import type { PeerReply, PeerSender } from '../src/swarm/peer-sender.ts'
import { Replication } from '../src/swarm/replication.ts'
import { SwarmView } from '../src/swarm/swarm-view.ts'
import { ManualClock } from './manual-clock.ts'

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
const LIMIT_BYTES = 1e9
const ALL = 1_000_000

/** What a member answers instead of the truth; undefined: the truth after all. */
export type Lie = (question: Question) => { status: number; body: Uint8Array } | undefined

export interface Owner extends RequestSigner {
  readonly account: Uint8Array
}

export class SwarmUnderTest {
  readonly clock = new ManualClock()
  readonly directory = mkdtempSync(join(tmpdir(), 'swarm-under-test-'))
  readonly members: Member[] = []
  readonly #cut = new Set<string>()
  readonly crypto: Crypto
  questions: { from: Member; to: Member; question: Question }[] = []

  private constructor(crypto: Crypto) {
    this.crypto = crypto
  }

  /** `swarms`: how many; members are dealt to them in turn. */
  static async start(count: number, swarms = 1): Promise<SwarmUnderTest> {
    const swarm = new SwarmUnderTest(await loadCrypto())
    for (let i = 0; i < count; i++) await swarm.add()
    swarm.place(i => ((2n * BigInt(i % swarms) + 1n) << 64n) / (2n * BigInt(swarms)))
    return swarm
  }

  async add(): Promise<Member> {
    const identity = identityFromSeed(this.crypto, systemRandom().bytes(32))
    const file = join(this.directory, `${this.members.length}.db`)
    const store = await openSqliteStore(file, { sizeLimitBytes: LIMIT_BYTES, clock: this.clock, timers: systemTimers })
    const member = new Member(this, identity, store)
    this.members.push(member)
    return member
  }

  /** Gives every member a swarm, by its place in the list; undefined: it is not listed. */
  place(swarmIdOf: (index: number) => bigint | undefined): void {
    const listed = this.members.flatMap((member, i): ServiceNode[] => {
      const swarmId = swarmIdOf(i)
      const { ed25519, x25519 } = member.identity
      return swarmId === undefined ? [] : [{ ed25519, x25519, host: '127.0.0.1', port: i + 1, protocol: 'http', swarmId }]
    })
    for (const member of this.members) member.swarms.replace(listed)
  }

  cut(a: number, b: number): void {
    this.#cut.add(`${Math.min(a, b)} ${Math.max(a, b)}`)
  }

  mend(): void {
    this.#cut.clear()
  }

  async send(from: Member, peer: ServiceNode, body: Uint8Array, headers: Record<string, string>): Promise<PeerReply> {
    const to = this.members[peer.port - 1]!
    const [a, b] = [this.members.indexOf(from), peer.port - 1]
    if (this.#cut.has(`${Math.min(a, b)} ${Math.max(a, b)}`)) throw new NodeError('peer-unreachable', 'the line is cut')
    return to.receive(from, body, headers)
  }

  /** Everybody compares with everybody until nobody finds anything; how many rounds it took. */
  async settle(maxRounds = 20): Promise<number> {
    for (let round = 1; round <= maxRounds; round++) {
      let differing = 0
      for (const member of this.members) {
        for (const peer of member.swarms.peers) differing += (await member.comparing.round(peer, true)).differing
      }
      if (differing === 0) return round
    }
    throw new Error('the members do not agree')
  }

  owner(): Owner {
    const { publicKey, secretKey } = ed25519KeyPair(this.crypto, Secret.of(systemRandom().bytes(32), 'ed25519-seed'))
    const accountId = `05${encodeHex(ed25519PublicToX25519(this.crypto, publicKey))}`
    return { accountId, account: decodeHex(accountId), publicKey, secretKey }
  }

  storeRequest(owner: Owner, text: string, namespace = 0, lifeMs = HOUR_MS): RpcRequest {
    const payload = encodeUtf8(text)
    const parts = {
      accountId: owner.accountId,
      namespace: namespace as Namespace,
      payload,
      timestampMs: this.clock.ms,
      ttlMs: lifeMs,
    }
    return buildStore(this.crypto, namespace % 10 === 0 ? parts : { ...parts, signer: owner })
  }

  hashOf(owner: Owner, text: string, namespace = 0): string {
    return messageHash(this.crypto, owner.account, namespace as Namespace, encodeUtf8(text))
  }

  async close(): Promise<void> {
    for (const { store } of this.members) await store.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export class Member {
  readonly identity: NodeIdentity
  readonly store: MessageStore
  readonly swarms: SwarmView
  readonly client: ExchangeClient
  readonly comparing: Comparing
  readonly deliveries: Deliveries
  readonly answers: ExchangeAnswers
  readonly gate: GateParts
  readonly sender: PeerSender
  readonly log = openLog({ level: 'silent' })
  readonly events = new LocalStoreEvents(this.log)
  isComplete = true
  lie: Lie | undefined
  /** One of an earlier version does not. */
  knowsFrames = true
  /** What it answers to what is passed on, instead of doing it; undefined: it does it. */
  writeLie: ((body: Uint8Array) => PeerReply | Promise<PeerReply> | undefined) | undefined
  /** What the others passed on, as it came. */
  readonly written: Uint8Array[] = []
  readonly #swarm: SwarmUnderTest
  readonly #services: Parameters<typeof answerPeer>[0]
  readonly #frames: FrameAnswers
  readonly #queueing = new Set<Promise<void>>()

  constructor(swarm: SwarmUnderTest, identity: NodeIdentity, store: MessageStore) {
    const { crypto, clock } = swarm
    this.#swarm = swarm
    this.identity = identity
    this.store = store
    this.swarms = new SwarmView(identity.ed25519)
    this.sender = { send: (peer, body, headers) => swarm.send(this, peer, body, headers), close: () => {} }
    const { sender, swarms, log } = this
    const isOurs = (account: Uint8Array) => swarms.own !== undefined && swarms.swarmOf(account) === swarms.own
    const { events } = this
    this.gate = { crypto, store, timers: systemTimers, openProof: proof => openProof(crypto, proof), isOurs, events }
    const parts = { ...this.gate, identity, clock, monotonic: clock, sender, swarms, log }
    this.client = new ExchangeClient(parts)
    this.comparing = new Comparing({ ...parts, client: this.client })
    this.deliveries = new Deliveries(parts)
    this.answers = new ExchangeAnswers({
      ...parts,
      monotonic: { nowMs: () => Date.now() * 1_000 },
      isPeer: key => swarms.isPeer(key),
      isComplete: () => this.isComplete,
    })
    const missed = (peer: string, request: Uint8Array, atMs: number): void => {
      const queued = this.deliveries.queue(peer, request, atMs)
      this.#queueing.add(queued)
      void queued.then(() => this.#queueing.delete(queued))
    }
    const replication = new Replication({ ...parts, missed })
    this.#services = { crypto, identity, clock, store, swarms, replication, log }
    this.#frames = new FrameAnswers(this.#services)
  }

  /** As the route of POST /swarm_rpc/v1. */
  async receive(from: Member, body: Uint8Array, headers: Record<string, string>): Promise<PeerReply> {
    const { swarms } = this
    const isKnown = isQuestion(body) ? (key: string) => swarms.mayOffer(key) : (key: string) => swarms.isPeer(key)
    const verdict = verifyPeerRequest(this.#swarm.crypto, headers, body, this.#swarm.clock.nowMs(), isKnown)
    if (verdict !== 'genuine') return { status: 403, body: Buffer.from(verdict) }
    if (!isQuestion(body)) {
      this.written.push(body)
      const lied = this.writeLie?.(body)
      if (lied !== undefined) return lied
      const isFramed = this.knowsFrames && isFrame(body)
      const answer = await (isFramed ? this.#frames.answer(from.identity.ed25519, body) : answerPeer(this.#services, body))
      return { status: answer.status, body: Buffer.from(answer.body as Uint8Array) }
    }
    const lied = this.lie?.(decodeQuestion(body))
    if (lied === undefined) this.#swarm.questions.push({ from, to: this, question: decodeQuestion(body) })
    const { status, body: answered } = lied ?? (await this.answers.answer(from.identity.ed25519, body))
    return { status, body: Buffer.from(answered) }
  }

  /** What a client gets; the entries of all members among it. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  async ask(request: RpcRequest): Promise<any> {
    const { status, body } = await answerClient(this.#services, encodeRequest(request, 'bt'))
    await Promise.all(this.#queueing)
    if (status !== 200) throw new Error(`${status} ${body}`)
    return decodeAnswer('bt', body as Uint8Array)
  }

  put(owner: Owner, text: string, namespace = 0, lifeMs = HOUR_MS): Promise<unknown> {
    return this.ask(this.#swarm.storeRequest(owner, text, namespace, lifeMs))
  }

  /** All items of an account, tombstones included. */
  async versions(owner: { readonly account: Uint8Array }): Promise<ItemVersion[]> {
    const versions = await this.store.versionsOf(owner.account, ALL)
    return versions.map(version => ({ ...version, account: new Uint8Array(version.account) }))
  }

  /** The texts of a mailbox, sorted. */
  async texts({ account }: { readonly account: Uint8Array }, namespace = 0): Promise<string[]> {
    const { messages } = await this.store.retrieve({ account, namespace, budgetBytes: 1e8 })
    return messages.map(({ data }) => new TextDecoder().decode(data)).sort()
  }
}
