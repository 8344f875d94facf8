/**
 * One poll of the account's own swarm: a batch of retrieves at one member, device messages first, so that a key is known before the
 * messages sealed to it are opened. Members that keep messages in different orders each have their own cursor.
 */
import type { Crypto } from '@session-v2/crypto'
import type { BatchResult, Namespace, RetrieveResult, RpcRequest, ServiceNode } from '@session-v2/network'
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
import type { OwnAccountKeys } from '../keys/own-account-keys.ts'
import type { Inbox } from '../messages/inbox.ts'
import type { Change } from '../ports/store.ts'
import { requestSigner } from '../routing/request-signer.ts'
import type { NodeAnswer, Question, SwarmRequests } from '../routing/swarm-requests.ts'
import type { SealedStore, Table } from '../store/sealed/sealed-store.ts'

/** Pages of one poll at most, so that a node that always has more cannot hold a device for ever. */
const MAX_PAGES = 20

/** The order matters: devices (21) before messages (0). */
const POLLED: readonly Namespace[] = [NAMESPACE.devices, NAMESPACE.accountKeys, NAMESPACE.messages]

interface CursorRecord {
  readonly hash: string
}

export interface PollParts {
  readonly crypto: Crypto
  readonly account: Account
  readonly store: SealedStore
  readonly requests: SwarmRequests
  readonly ownKeys: OwnAccountKeys
  readonly inbox: Inbox
}

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
    const result = await this.#take(first)
    const second = members.find(node => node.ed25519 !== first.node.ed25519 && requests.isHealthy(node))
    if (second === undefined) return result
    try {
      const more = await this.#take({ node: second, result: await requests.askNode(second, question) })
      return { received: result.received + more.received, quarantined: result.quarantined + more.quarantined }
    } catch (error) {
      if (error instanceof NetworkError) return result
      throw error
    }
  }

  async #question(members: readonly ServiceNode[]): Promise<Question<RetrieveResult[]>> {
    const cursors = new Map<string, string | undefined>()
    for (const node of members) cursors.set(node.ed25519, await this.#cursor(node))
    return {
      build: (nowMs, node) => this.#batch(nowMs, cursors.get(node.ed25519)),
      read: answer => parseBatchResult(answer, POLLED.length).map(retrieved),
    }
  }

  async #take({ node, result }: NodeAnswer<RetrieveResult[]>): Promise<PollResult> {
    const [, accountKeys, messages] = result
    if (accountKeys !== undefined) await this.#parts.ownKeys.observe(accountKeys.messages.map(message => message.payload))
    return messages === undefined ? { received: 0, quarantined: 0 } : this.#takeAll(node, messages)
  }

  /** Takes a first page and those behind it. */
  async #takeAll(node: ServiceNode, first: RetrieveResult): Promise<PollResult> {
    let [page, received, quarantined] = [first, 0, 0]
    for (let pages = 1; ; pages++) {
      const last = page.messages.at(-1)
      const cursor: Change[] = last === undefined ? [] : [this.#cursors.put(cursorKey(node), { hash: last.hash })]
      const taken = await this.#parts.inbox.take(page.messages, cursor, this.#parts.requests.clock.nowMs())
      received += taken.received
      quarantined += taken.quarantined
      if (!page.more || last === undefined || pages === MAX_PAGES) return { received, quarantined }
      const build = (nowMs: number) => this.#retrieve(NAMESPACE.messages, nowMs, last.hash)
      page = await this.#parts.requests.askNode(node, { build, read: parseRetrieveResult })
    }
  }

  #batch(nowMs: number, lastHash: string | undefined): RpcRequest {
    return buildBatch(
      POLLED.map(namespace => this.#retrieve(namespace, nowMs, namespace === NAMESPACE.messages ? lastHash : undefined)),
    )
  }

  #retrieve(namespace: Namespace, timestampMs: number, lastHash: string | undefined): RpcRequest {
    const { crypto, account } = this.#parts
    const signer = retrieveNeedsSignature(namespace) ? { signer: requestSigner(account) } : {}
    return buildRetrieve(crypto, { accountId: account.id, namespace, timestampMs, lastHash, ...signer })
  }

  async #cursor(node: ServiceNode): Promise<string | undefined> {
    return (await this.#cursors.get(cursorKey(node)))?.hash
  }
}

/** A retrieve within a batch; throws what its own status says, so that 406 and 421 within a batch are seen. */
function retrieved(result: BatchResult): RetrieveResult {
  if (result.status !== 200) throw errorOfStatus(result.status, result.body)
  return parseRetrieveResult(result.body)
}

function cursorKey(node: ServiceNode): string {
  return `${NAMESPACE.messages}/${node.ed25519}`
}
