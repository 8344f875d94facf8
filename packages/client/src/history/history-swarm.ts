/**
 * The two namespaces of hand-overs at the account's own swarm: 2121, which members look into, has asks and acknowledgements, some 2 KB
 * each; 2122 has the chunks, and nobody reads it but the device that receives. Implements HT-01 on a device's side.
 */
import { decodeBase64, encodeBase64 } from '@session-v2/encoding'
import {
  buildBatch,
  buildDelete,
  buildGetExpiries,
  buildRetrieve,
  buildSequence,
  buildStore,
  errorOfStatus,
  NAMESPACE,
  type Namespace,
  parseBatchResult,
  parseGetExpiriesResult,
  parseRetrieveResult,
  parseSequenceResult,
  parseStoreResult,
  type RetrievedMessage,
  type RetrieveResult,
  type RpcRequest,
} from '@session-v2/network'
import { isStoredByMost, type OwnSwarmParts, ownMessageHash } from '../routing/own-swarm.ts'
import { requestSigner } from '../routing/request-signer.ts'
import { HISTORY_TTL_MS, type OutgoingMessage } from './history-records.ts'

export type HistorySwarmParts = OwnSwarmParts

/** What the swarm has of hand-overs, each message under the hash that it has, whatever the node says. */
export interface HistoryListing {
  /** At 2121. */
  readonly controls: readonly RetrievedMessage[]
  /** At 2122; empty when they were not read. */
  readonly chunks: readonly RetrievedMessage[]
}

/** Asks and acknowledgements that are looked at; the account alone can write them. */
const CONTROLS_MAX = 128
/** Pages of chunks at most: a page holds more than what one device sends at a time. */
const CHUNK_PAGES_MAX = 4
/** Stores in one request: some 300 KB. */
const STORES_AT_ONCE = 4

/** Reads what one member of the swarm has, the chunks only on demand. @throws ClientError, NetworkError */
export async function readHistory(parts: HistorySwarmParts, withChunks: boolean): Promise<HistoryListing> {
  const { account, requests } = parts
  const namespaces = withChunks ? [NAMESPACE.history, NAMESPACE.historyChunks] : [NAMESPACE.history]
  const { node, result } = await requests.ask(account.id, {
    build: timestampMs => buildBatch(namespaces.map(namespace => retrieve(parts, namespace, timestampMs, undefined))),
    read: answer =>
      parseBatchResult(answer, namespaces.length).map(({ status, body }) => {
        if (status !== 200) throw errorOfStatus(status, body)
        return parseRetrieveResult(body)
      }),
  })
  const [controls, first] = result
  const chunks: RetrievedMessage[] = []
  let page: RetrieveResult | undefined = first
  for (let pages = 1; page !== undefined; pages++) {
    chunks.push(...page.messages)
    const last = page.messages.at(-1)
    if (!page.more || last === undefined || pages === CHUNK_PAGES_MAX) break
    const build = (timestampMs: number) => retrieve(parts, NAMESPACE.historyChunks, timestampMs, last.hash)
    page = await requests.askNode(node, { build, read: parseRetrieveResult })
  }
  return {
    controls: controls!.messages.slice(0, CONTROLS_MAX).map(message => checked(parts, NAMESPACE.history, message)),
    chunks: chunks.map(message => checked(parts, NAMESPACE.historyChunks, message)),
  }
}

/** A sealed message that is to be stored. */
export function outgoing({ crypto, account }: HistorySwarmParts, namespace: Namespace, message: Uint8Array): OutgoingMessage {
  const hash = ownMessageHash(crypto, account, namespace, message)
  return { message: encodeBase64(message), hash, isStored: false }
}

/** What the swarm took of a request. */
export interface StoreOutcome {
  /** The hashes that most members have stored. */
  readonly stored: ReadonlySet<string>
  /** Nothing is left to be deleted. */
  readonly isDeleted: boolean
  /** Everything that was in the request was taken. */
  readonly isTaken: boolean
}

/**
 * Stores messages in their order, as many as fit one request, and deletes others once all messages are stored.
 * @throws ClientError, NetworkError
 */
export async function storeHistory(
  parts: HistorySwarmParts,
  namespace: Namespace,
  messages: readonly OutgoingMessage[],
  deletes: readonly string[],
): Promise<StoreOutcome> {
  const { crypto, account, requests } = parts
  const signer = requestSigner(account)
  const stores = messages.slice(0, STORES_AT_ONCE)
  const isWhole = stores.length === messages.length && deletes.length > 0
  const steps = (timestampMs: number): RpcRequest[] => [
    ...stores.map(({ message }) =>
      buildStore(crypto, {
        ...{ accountId: account.id, namespace, payload: decodeBase64(message), timestampMs, ttlMs: HISTORY_TTL_MS, signer },
      }),
    ),
    ...(isWhole ? [buildDelete(crypto, { hashes: deletes, signer })] : []),
  ]
  const count = stores.length + (isWhole ? 1 : 0)
  if (count === 0) return { stored: new Set(), isDeleted: true, isTaken: true }
  const { result } = await requests.ask(account.id, {
    build: timestampMs => buildSequence(steps(timestampMs)),
    read: answer => parseSequenceResult(answer, count),
  })
  const stored = stores.filter(({ hash }, at) => {
    const answer = result[at]
    if (answer?.status !== 200) return false
    return isStoredByMost(parseStoreResult(crypto, answer.body), hash)
  })
  const isDeleted = deletes.length === 0 || (isWhole && result[stores.length]?.status === 200)
  const isTaken = stored.length === stores.length && (isDeleted || !isWhole)
  return { stored: new Set(stored.map(({ hash }) => hash)), isDeleted, isTaken }
}

/** Which of these hashes one member of the swarm still has. @throws ClientError, NetworkError */
export async function presentHistory(
  { crypto, account, requests }: HistorySwarmParts,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  const signer = requestSigner(account)
  const { result } = await requests.ask(account.id, {
    build: timestampMs => buildGetExpiries(crypto, { hashes, timestampMs, signer }),
    read: parseGetExpiriesResult,
  })
  return new Set(result.keys())
}

function retrieve(
  { crypto, account }: HistorySwarmParts,
  namespace: Namespace,
  timestampMs: number,
  lastHash: string | undefined,
): RpcRequest {
  return buildRetrieve(crypto, { accountId: account.id, namespace, timestampMs, lastHash, signer: requestSigner(account) })
}

function checked({ crypto, account }: HistorySwarmParts, namespace: Namespace, message: RetrievedMessage): RetrievedMessage {
  return { ...message, hash: ownMessageHash(crypto, account, namespace, message.payload) }
}
