/**
 * One poll of the account's own swarm: a batch of retrieves at one member, device messages first, so that a key is known before the
 * messages sealed to it are opened. Members that keep messages in different orders each have their own cursor.
 */
import type { Crypto } from '@session-v2/crypto'
import type { BatchResult, Namespace, RetrievedMessage, RetrieveResult, RpcRequest, ServiceNode } from '@session-v2/network'
import {
  buildBatch,
  buildRetrieve,
  errorOfStatus,
  NAMESPACE,
  NetworkError,
  parseBatchResult,
  parseRetrieveResult,
  retrieveNeedsSignature,
} from '@session-v2/network'
import type { Account } from '@session-v2/protocol'
import type { DeviceInbox } from '../devices/device-inbox.ts'
import type { AccountKeyPublication } from '../keys/account-key-publication.ts'
import type { Inbox } from '../messages/inbox.ts'
import type { Change } from '../ports/store.ts'
import { requestSigner } from '../routing/request-signer.ts'
import type { NodeAnswer, Question, SwarmRequests } from '../routing/swarm-requests.ts'
import type { Scheduler } from '../scheduler/scheduler.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'

/** Pages of one poll at most, so that a node that always has more cannot hold a device for ever. */
const MAX_PAGES = 20
/** So many messages are opened and written down at a time: some 10 ms, so that a screen stays alive. */
const SLICE = 25

/** The order matters: devices (21) before messages (0), which may be sealed to a key that a group message brings. */
const POLLED: readonly Namespace[] = [NAMESPACE.devices, NAMESPACE.accountKeys, NAMESPACE.messages]
/** Of these everything is read once; −21 is one record, which is looked at each time. */
const CONTINUED: ReadonlySet<Namespace> = new Set([NAMESPACE.devices, NAMESPACE.messages])

interface CursorRecord {
  readonly hash: string
}

export interface PollParts {
  readonly crypto: Crypto
  readonly account: Account
  readonly store: SealedStore
  readonly requests: SwarmRequests
  readonly scheduler: Scheduler
  readonly deviceInbox: DeviceInbox
  readonly publication: AccountKeyPublication
  readonly inbox: Inbox
}

/** Takes messages, together with the change that moves the cursor behind them. */
type TakeMessages = (messages: readonly RetrievedMessage[], cursor: readonly Change[]) => Promise<unknown>

export interface PollResult {
  readonly received: number
  readonly quarantined: number
}

export class Poll {
  readonly #parts: PollParts
  readonly #cursors: Table<CursorRecord>
  /** The member that answered last: it is asked again, since it knows what is new for us. */
  #lastMember: string | undefined

  constructor(parts: PollParts) {
    this.#parts = parts
    this.#cursors = parts.store.table<CursorRecord>('cursors')
  }

  /**
   * Polls one member, and reads on while it has more messages; then a second one, which may have what the first has missed.
   * @throws ClientError, NetworkError when no member answers
   */
  async run(): Promise<PollResult> {
    const { account, requests } = this.#parts
    const members = await requests.members(account.id)
    const question = await this.#question(members)
    const preferred = members.filter(node => node.ed25519 === this.#lastMember)
    const first = await requests.ask(account.id, question, preferred)
    this.#lastMember = first.node.ed25519
    const taken = await this.#take(first)
    await this.#observeAccountKeys(first.result)
    const second = members.find(node => node.ed25519 !== first.node.ed25519 && requests.isHealthy(node))
    const more = second && (await this.#takeIfAnswered(second, question))
    if (taken.isWhole) await this.#parts.deviceInbox.complete(requests.clock.nowMs())
    return { received: taken.received + (more?.received ?? 0), quarantined: taken.quarantined + (more?.quarantined ?? 0) }
  }

  async #takeIfAnswered(node: ServiceNode, question: Question<RetrieveResult[]>): Promise<PollResult | undefined> {
    try {
      return await this.#take({ node, result: await this.#parts.requests.askNode(node, question) })
    } catch (error) {
      if (error instanceof NetworkError) return undefined
      throw error
    }
  }

  async #question(members: readonly ServiceNode[]): Promise<Question<RetrieveResult[]>> {
    const cursors = new Map<string, string | undefined>()
    for (const node of members) {
      for (const namespace of CONTINUED) cursors.set(cursorKey(node, namespace), await this.#cursor(node, namespace))
    }
    return {
      build: (nowMs, node) =>
        buildBatch(POLLED.map(namespace => this.#retrieve(namespace, nowMs, cursors.get(cursorKey(node, namespace))))),
      read: answer => parseBatchResult(answer, POLLED.length).map(retrieved),
    }
  }

  /** Everything of one member: devices first. Whether all that it has of devices was read tells `isWhole`. */
  async #take({ node, result }: NodeAnswer<RetrieveResult[]>): Promise<PollResult & { readonly isWhole: boolean }> {
    const { inbox, deviceInbox, requests } = this.#parts
    const [devices, , messages] = result
    const isWhole = await this.#takeAll(node, NAMESPACE.devices, devices!, (page, cursor) => deviceInbox.take(page, cursor))
    let [received, quarantined] = [0, 0]
    await this.#takeAll(node, NAMESPACE.messages, messages!, async (page, cursor) => {
      const taken = await inbox.take(page, cursor, requests.clock.nowMs())
      received += taken.received
      quarantined += taken.quarantined
    })
    return { received, quarantined, isWhole }
  }

  /** After the devices, which may have brought the key that is published. */
  async #observeAccountKeys([, accountKeys]: readonly RetrieveResult[]): Promise<void> {
    await this.#parts.publication.observe(accountKeys!.messages.map(message => message.payload))
  }

  /** Takes a first page and those behind it; false when there were too many. */
  async #takeAll(node: ServiceNode, namespace: Namespace, first: RetrieveResult, take: TakeMessages): Promise<boolean> {
    let page = first
    for (let pages = 1; ; pages++) {
      const last = page.messages.at(-1)
      await this.#takeInSlices(page.messages, cursorKey(node, namespace), take)
      if (!page.more || last === undefined) return true
      if (pages === MAX_PAGES) return false
      const build = (nowMs: number) => this.#retrieve(namespace, nowMs, last.hash)
      page = await this.#parts.requests.askNode(node, { build, read: parseRetrieveResult })
    }
  }

  async #takeInSlices(messages: readonly RetrievedMessage[], cursor: string, take: TakeMessages): Promise<void> {
    for (let at = 0; at < messages.length; at += SLICE) {
      if (at > 0) await this.#parts.scheduler.breathe()
      const slice = messages.slice(at, at + SLICE)
      await take(slice, [this.#cursors.put(cursor, { hash: slice.at(-1)!.hash })])
    }
  }

  #retrieve(namespace: Namespace, timestampMs: number, lastHash: string | undefined): RpcRequest {
    const { crypto, account } = this.#parts
    const signer = retrieveNeedsSignature(namespace) ? { signer: requestSigner(account) } : {}
    return buildRetrieve(crypto, { accountId: account.id, namespace, timestampMs, lastHash, ...signer })
  }

  async #cursor(node: ServiceNode, namespace: Namespace): Promise<string | undefined> {
    return (await this.#cursors.get(cursorKey(node, namespace)))?.hash
  }
}

/** A retrieve within a batch; throws what its own status says, so that 406 and 421 within a batch are seen. */
function retrieved(result: BatchResult): RetrieveResult {
  if (result.status !== 200) throw errorOfStatus(result.status, result.body)
  return parseRetrieveResult(result.body)
}

function cursorKey(node: ServiceNode, namespace: Namespace): string {
  return `${namespace}/${node.ed25519}`
}
