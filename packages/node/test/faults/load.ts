/**
 * What clients do to a swarm while something goes wrong: they store, delete and change expiries, each request at a member that is drawn, and
 * at another one when there was no answer. What was acknowledged goes into a ledger.
 */
import { type Crypto, ed25519KeyPair, ed25519PublicToX25519, loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  buildDelete,
  buildExpire,
  buildStore,
  type Namespace,
  type RequestSigner,
  type RpcRequest,
  storeNeedsSignature,
} from '@session-v2/network'
import { type HttpAnswer, HttpClient } from './http-client.ts'
import { type Kept, Ledger } from './ledger.ts'

const HOUR_MS = 3_600_000
const LIFE_MS = 12 * HOUR_MS
/** Anybody may write to the first, the owner alone to the other. */
const NAMESPACES = [0, 0, 0, 3]
const WORKERS = 24
/** A client that is refused, or not answered, tries elsewhere after this time, for two minutes. */
const RETRY_MS = 50
const TRIES_MAX = 2_400

export interface Shares {
  /** Messages that are to be kept. */
  readonly messages: number
  /** Further ones, that are stored and deleted. */
  readonly deleted?: number
  /** Of those that are kept, how many get another expiry. */
  readonly changed?: number
  /** Where clients go to; one is drawn for each try. */
  readonly urls: (owner: RequestSigner) => readonly string[]
  readonly accounts?: readonly RequestSigner[]
  readonly payloadBytes?: number
  /** Told of each message that was acknowledged. */
  readonly progress?: (acknowledged: number) => void
  /** By how much the clock of the clients is ahead: they follow the nodes that they ask. */
  readonly clockOffsetMs?: number
}

/** An answer, and whether every try was answered: one that was not may have taken effect, or may still do so. */
interface Asked {
  readonly answer: HttpAnswer
  readonly isCertain: boolean
}

/** Whether an answer says that what was asked for is done. */
type IsDone = (asked: Asked) => boolean

export class Load {
  readonly client = new HttpClient()
  readonly ledger: Ledger
  readonly accounts: readonly RequestSigner[]
  readonly #crypto: Crypto
  #texts = 0
  #acknowledged = 0

  private constructor(crypto: Crypto, accounts: number) {
    this.#crypto = crypto
    this.accounts = Array.from({ length: accounts }, () => newAccount(crypto))
    this.ledger = new Ledger(crypto, this.client)
  }

  static async of(accounts: number): Promise<Load> {
    return new Load(await loadCrypto(), accounts)
  }

  /** Messages that were acknowledged, those that were deleted later among them. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Does all of it; resolves once everything was acknowledged. */
  async run(shares: Shares): Promise<void> {
    const { messages, deleted = 0, changed = 0 } = shares
    const plans = shuffled([
      ...Array.from({ length: deleted }, () => 'delete' as const),
      ...Array.from({ length: changed }, () => 'expire' as const),
      ...Array.from({ length: messages - changed }, () => 'keep' as const),
    ])
    const worker = async (): Promise<void> => {
      for (let plan = plans.pop(); plan !== undefined; plan = plans.pop()) {
        const { message, isCertain } = await this.#store(shares)
        shares.progress?.(this.#acknowledged)
        // A store that was not answered may arrive after the deletion, as a store of a time of its own: another one is deleted then.
        if (plan === 'delete' && !isCertain) postpone(plans)
        else if (plan === 'delete') await this.delete(message, shares)
        else if (plan === 'expire') await this.expire(message, shares)
      }
    }
    await Promise.all(Array.from({ length: WORKERS }, worker))
  }

  async delete(message: Kept, shares: Shares): Promise<void> {
    const { hash, owner: signer } = message
    message.state = 'in doubt'
    // Where a try was not answered, it may have deleted the message already; or who is asked now has not got it yet, and nothing is deleted.
    const isDone: IsDone = ({ answer, isCertain }) => !isCertain || isListed(answer, 'deleted', hash)
    const { answer } = await this.#ask(shares, signer, () => buildDelete(this.#crypto, { signer, hashes: [hash] }), isDone)
    message.state = isListed(answer, 'deleted', hash) ? 'deleted' : 'undecided'
  }

  /** Stores a message once more that was deleted. */
  async storeAgain(message: Kept, shares: Shares): Promise<void> {
    const timestampMs = Date.now()
    const store = this.#storeOf(message, timestampMs)
    await this.#ask(shares, message.owner, () => store)
    message.state = 'kept'
    message.expiryMs = timestampMs + LIFE_MS
  }

  /** Makes a life longer or shorter. */
  async expire(message: Kept, shares: Shares): Promise<void> {
    const { hash, owner: signer } = message
    const expiryMs = message.expiryMs + (Math.random() < 0.5 ? 6 : -6) * HOUR_MS
    const build = () => buildExpire(this.#crypto, { signer, hashes: [hash], expiriesMs: [expiryMs] })
    await this.#ask(shares, signer, build, ({ answer }) => isListed(answer, 'updated', hash))
    message.expiryMs = expiryMs
  }

  /** One more store, of which the answer is not looked at here. */
  storeOnce(url: string, payloadBytes: number): Promise<HttpAnswer | undefined> {
    return this.client.ask(url, this.#newStore({ payloadBytes }).store)
  }

  close(): void {
    this.client.close()
  }

  async #store(shares: Shares): Promise<{ message: Kept; isCertain: boolean }> {
    const { owner, namespace, payload, timestampMs, store } = this.#newStore(shares)
    const { answer, isCertain } = await this.#ask(shares, owner, () => store)
    const { hash } = answer.body as { hash: string }
    const message: Kept = { owner, namespace, payload, hash, expiryMs: timestampMs + LIFE_MS, state: 'kept' }
    this.ledger.add(message)
    this.#acknowledged += 1
    return { message, isCertain }
  }

  #newStore({ clockOffsetMs = 0, payloadBytes = 0, accounts = this.accounts }: Omit<Shares, 'messages' | 'urls'>) {
    const owner = drawn(accounts)
    const namespace = drawn(NAMESPACES) as Namespace
    const timestampMs = Date.now() + clockOffsetMs
    const text = `message ${this.#texts++} `
    const payload = encodeUtf8(text.padEnd(payloadBytes, text))
    return { owner, namespace, payload, timestampMs, store: this.#storeOf({ owner, namespace, payload }, timestampMs) }
  }

  #storeOf({ owner, namespace, payload }: Pick<Kept, 'owner' | 'namespace' | 'payload'>, timestampMs: number): RpcRequest {
    const parts = { accountId: owner.accountId, namespace: namespace as Namespace, payload, timestampMs, ttlMs: LIFE_MS }
    return buildStore(this.#crypto, storeNeedsSignature(parts.namespace) ? { ...parts, signer: owner } : parts)
  }

  async #ask(shares: Shares, owner: RequestSigner, build: () => RpcRequest, isDone: IsDone = () => true): Promise<Asked> {
    let last: HttpAnswer | undefined
    let isCertain = true
    for (let tried = 0; tried < TRIES_MAX; tried++) {
      if (tried > 0) await new Promise(resolve => setTimeout(resolve, RETRY_MS))
      last = await this.client.ask(drawn(shares.urls(owner)), build())
      if (last?.status === 200 && isDone({ answer: last, isCertain })) return { answer: last, isCertain }
      // No answer, another swarm, a node that is not ready or has not got the message yet: another one is tried.
      isCertain &&= last !== undefined && last.status !== 500
      if (last?.status === 200) continue
      if (last !== undefined && last.status !== 421 && last.status < 500) break
    }
    throw new Error(`a client gives up: ${JSON.stringify(last)}`)
  }
}

/** Deletes another message in place of one that is kept now. */
function postpone(plans: ('delete' | 'expire' | 'keep')[]): void {
  const at = plans.lastIndexOf('keep')
  if (at === -1) plans.push('delete')
  else plans[at] = 'delete'
}

/** Whether one of the members names a hash in this list. */
function isListed({ body }: HttpAnswer, list: 'deleted' | 'updated', hash: string): boolean {
  const { swarm } = body as { swarm: Record<string, Record<string, unknown>> }
  return Object.values(swarm).some(entry => Array.isArray(entry[list]) && entry[list].includes(hash))
}

export function newAccount(crypto: Crypto): RequestSigner {
  const { publicKey, secretKey } = ed25519KeyPair(crypto, Secret.of(systemRandom().bytes(32), 'ed25519-seed'))
  return { accountId: `05${encodeHex(ed25519PublicToX25519(crypto, publicKey))}`, publicKey, secretKey }
}

function drawn<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)]!
}

function shuffled<T>(values: readonly T[]): T[] {
  const keys = values.map(value => ({ value, key: Math.random() }))
  return keys.sort((a, b) => a.key - b.key).map(({ value }) => value)
}
