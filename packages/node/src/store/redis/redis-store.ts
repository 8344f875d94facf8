/**
 * The store of a node in a cluster of Redis, which several front ends of one node share (clauses NODE-20 to NODE-29, NODE-80 to NODE-89,
 * NODE-140 to NODE-145). They keep nothing: any of them can go at any moment.
 */
import { blake2b, type Crypto, loadCrypto, type Random } from '@session-v2/crypto'
import { encodeBase64 } from '@session-v2/encoding'
import type { RedisStoreConfig } from '../../config/store-config.ts'
import { NodeError } from '../../node-error.ts'
import type { Clock, Timers } from '../../ports.ts'
import { addAffected } from '../affected.ts'
import { tokenHash } from '../item-version.ts'
import {
  type AffectedMessage,
  type Change,
  type Delivery,
  type ExpiryMode,
  type ExpiryOutcome,
  type Item,
  type ItemName,
  type ItemVersion,
  type MessageStore,
  type MinuteRange,
  type NamespaceChoice,
  NEVER_MS,
  REVOCATIONS,
  type RetrievePage,
  type RetrieveQuery,
  type StoredMessage,
  type StoreOutcome,
  SUMS_MAX,
} from '../store.ts'
import { DELETE, EXPIRE, REVOKE, STORE, UNREVOKE, WALK } from './account-scripts.ts'
import { AccountWrites, type Proof } from './account-writes.ts'
import { type ClusterConnection, connectCluster, memoryField } from './cluster-connection.ts'
import { Deliveries } from './deliveries.ts'
import { ItemReads } from './item-reads.ts'
import { MinuteIndex } from './minute-index.ts'
import { accountHex, itemName, Keys, namespaceDigits, PARTITIONS, parseItemName } from './names.ts'
import { groupBy, textOfReply } from './replies.ts'
import type { Script } from './script.ts'
import { NOTE } from './shared-scripts.ts'
import { Sweep } from './sweep.ts'
import { FORGET, MERGE } from './takeover-scripts.ts'

/** Items of a slice that is merged; a slice of one account is one script. */
const TAKEOVER_SLICE = 64
/** Behind every timestamp. */
const ALWAYS_MS = Number.MAX_SAFE_INTEGER

class RedisStore implements MessageStore {
  readonly #cluster: ClusterConnection
  readonly #crypto: Crypto
  readonly #keys: Keys
  readonly #index: MinuteIndex
  readonly #writes: AccountWrites
  readonly #reads: ItemReads
  readonly #sweep: Sweep
  readonly #deliveries: Deliveries
  readonly #running = new Set<Promise<unknown>>()
  #closed = false

  constructor(cluster: ClusterConnection, crypto: Crypto, keys: Keys, clock: Clock, writer: string) {
    this.#cluster = cluster
    this.#crypto = crypto
    this.#keys = keys
    this.#index = new MinuteIndex(cluster, keys, clock)
    this.#writes = new AccountWrites(cluster, keys, this.#index, clock, writer)
    this.#reads = new ItemReads(cluster, keys, clock)
    this.#sweep = new Sweep(this.#index, this.#writes, clock)
    this.#deliveries = new Deliveries(cluster, keys)
  }

  store(message: StoredMessage, replaces: boolean, change: Change): Promise<StoreOutcome> {
    const { account, timestampMs, expiryMs, data } = message
    return this.#do(async () => {
      const times = [timestampMs, expiryMs, replaces ? 1 : 0, change.atMs, change.mode]
      const [outcome, expiry] = await this.#writes.write(STORE, account, [itemName(message), ...times, data])
      return { outcome: textOfReply(outcome) as StoreOutcome['outcome'], expiryMs: Number(textOfReply(expiry)) }
    })
  }

  retrieve(query: RetrieveQuery): Promise<RetrievePage> {
    return this.#do(() => this.#reads.retrieve(query))
  }

  delete(account: Uint8Array, hashes: readonly string[], change: Change): Promise<string[]> {
    return this.#do(async () => (await this.#change(DELETE, account, change, [...new Set(hashes)])).map(String).sort())
  }

  deleteAll(account: Uint8Array, namespaces: NamespaceChoice, change: Change, untilMs = ALWAYS_MS): Promise<AffectedMessage[]> {
    return this.#do(() => this.#walk('delete', account, namespaces, change, untilMs))
  }

  setExpiries(
    account: Uint8Array,
    hashes: readonly string[],
    expiriesMs: readonly number[],
    mode: ExpiryMode,
    change: Change,
  ): Promise<ExpiryOutcome> {
    return this.#do(async () => {
      const wanted = new Map<string, number>()
      for (const [i, hash] of hashes.entries()) if (!wanted.has(hash)) wanted.set(hash, expiriesMs[i] ?? expiriesMs[0]!)
      const parts = (await this.#change(EXPIRE, account, change, [mode, ...[...wanted].flat()])).map(String)
      const found = Array.from({ length: parts.length / 3 }, (_, i) => parts.slice(3 * i, 3 * i + 3))
      found.sort(([a], [b]) => (a! < b! ? -1 : 1))
      const those = (flag: string) =>
        found.filter(([, , set]) => set === flag).map(([hash, expiry]) => ({ hash: hash!, expiryMs: Number(expiry) }))
      return { updated: those('1'), unchanged: those('0') }
    })
  }

  expireAll(account: Uint8Array, namespaces: NamespaceChoice, expiryMs: number, change: Change): Promise<AffectedMessage[]> {
    return this.#do(() => this.#walk('expire', account, namespaces, change, expiryMs))
  }

  expiries(account: Uint8Array, hashes: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#do(() => this.#reads.expiries(account, hashes))
  }

  revoke(account: Uint8Array, tokens: readonly Uint8Array[], change: Change): Promise<void> {
    const args = tokens.flatMap(token => [this.#tokenName(token), token])
    const times = [NEVER_MS, change.atMs, change.mode]
    return this.#do(async () => void (await this.#writes.write(REVOKE, account, [...times, ...args], this.#proof(change))))
  }

  unrevoke(account: Uint8Array, tokens: readonly Uint8Array[], change: Change): Promise<number> {
    const names = tokens.map(token => this.#tokenName(token))
    return this.#do(async () => Number(textOfReply((await this.#change(UNREVOKE, account, change, names))[0])))
  }

  revokedTokens(account: Uint8Array): Promise<readonly Uint8Array[]> {
    return this.#do(() => this.#reads.tokens(account))
  }

  isRevoked(account: Uint8Array, token: Uint8Array): Promise<boolean> {
    const name = { account, namespace: REVOCATIONS, hash: tokenHash(this.#crypto, token) }
    return this.#do(async () => (await this.#reads.heldVersions([name]))[0]?.isTombstone === false)
  }

  /** Also makes up for writes of front ends that are gone. */
  sweep(): Promise<number> {
    return this.#do(() => this.#sweep.run())
  }

  count(): Promise<number> {
    return this.#do(async () => {
      const keys = Array.from({ length: PARTITIONS }, (_, n) => this.#keys.partition(n, 'count'))
      const counts = await Promise.all(keys.map(key => this.#cluster.command('get', [key])))
      return counts.reduce<number>((sum, count) => sum + Number(count === null ? 0 : String(count)), 0)
    })
  }

  size(): Promise<{ readonly usedBytes: number; readonly limitBytes: number | undefined }> {
    return this.#do(async () => {
      const masters = await this.#cluster.memory()
      const sum = (name: string) => masters.reduce((total, text) => total + Number(memoryField(text, name)), 0)
      const isLimited = masters.every(text => Number(memoryField(text, 'maxmemory')) > 0)
      return { usedBytes: sum('used_memory'), limitBytes: isLimited ? sum('maxmemory') : undefined }
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.allSettled(this.#running)
    await this.#writes.settle()
    this.#cluster.close()
  }

  sums(range: MinuteRange, step: number): Promise<BigUint64Array> {
    const steps = (range.to - range.from) / step
    if (!(steps <= SUMS_MAX)) return Promise.reject(new NodeError('store-failed', `at most ${SUMS_MAX} sums can be asked for`))
    return this.#do(() => this.#index.sums(range, step))
  }

  versions(range: MinuteRange, limit: number, after?: ItemVersion): Promise<readonly ItemVersion[]> {
    return this.#do(() => this.#index.versions(range, limit, after))
  }

  heldVersions(names: readonly ItemName[]): Promise<readonly (ItemVersion | undefined)[]> {
    return this.#do(() => this.#reads.heldVersions(names))
  }

  items(names: readonly ItemName[], budgetBytes: number): Promise<readonly Item[]> {
    return this.#do(() => this.#reads.items(names, budgetBytes))
  }

  merge(items: readonly Item[], replaces: (namespace: number) => boolean): Promise<number> {
    return this.#eachAccount(items, list => this.#mergeAccount(list, replaces))
  }

  accounts(limit: number, after?: Uint8Array): Promise<readonly Uint8Array[]> {
    return this.#do(() => this.#reads.accounts(limit, after))
  }

  versionsOf(account: Uint8Array, limit: number, after?: ItemVersion): Promise<readonly ItemVersion[]> {
    return this.#do(() => this.#reads.versionsOf(account, limit, after))
  }

  forget(versions: readonly ItemVersion[]): Promise<number> {
    return this.#eachAccount(versions, async list => {
      const args = list.flatMap(version => {
        const { isTombstone, decidedAtMs, changedAtMs, expiryMs } = version
        return [itemName(version), isTombstone ? 't' : 'm', decidedAtMs, changedAtMs, expiryMs]
      })
      return Number(textOfReply((await this.#writes.write(FORGET, list[0]!.account, args))[0]))
    })
  }

  queueDelivery(peer: string, body: Uint8Array, nowMs: number, limit: number): Promise<void> {
    return this.#do(() => this.#deliveries.queue(peer, body, nowMs, limit))
  }

  dueDeliveries(nowMs: number, limit: number): Promise<readonly Delivery[]> {
    return this.#do(() => this.#deliveries.lend(nowMs, limit))
  }

  settleDelivery(id: number, dueAtMs: number | undefined): Promise<void> {
    return this.#do(() => this.#deliveries.settle(id, dueAtMs))
  }

  deliveriesWaiting(): Promise<number> {
    return this.#do(() => this.#deliveries.waiting())
  }

  readNote(name: string): Promise<string | undefined> {
    return this.#do(async () => {
      const text = await this.#cluster.command('hget', [this.#keys.notes, name])
      return text === null ? undefined : String(text)
    })
  }

  writeNote(name: string, text: string): Promise<void> {
    return this.#do(async () => void (await this.#cluster.write(NOTE, this.#keys.notes, [name, text])))
  }

  /** Work that `close` waits for. */
  #do<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new NodeError('closed', 'the store is closed'))
    const running = run().finally(() => this.#running.delete(running))
    this.#running.add(running)
    return running
  }

  #change(script: Script, account: Uint8Array, change: Change, args: readonly (string | number)[]): Promise<Buffer[]> {
    return this.#writes.write(script, account, [change.atMs, change.mode, ...args], this.#proof(change))
  }

  async #walk(
    op: 'delete' | 'expire',
    account: Uint8Array,
    namespaces: NamespaceChoice,
    change: Change,
    boundMs: number,
  ): Promise<AffectedMessage[]> {
    const space = namespaces === 'all' ? namespaces : namespaceDigits(namespaces)
    const affected: AffectedMessage[] = []
    let behind = ''
    do {
      const bound = Math.min(boundMs, ALWAYS_MS)
      const args = [op, space, behind, change.atMs, change.mode, bound]
      const [next, ...names] = (await this.#writes.write(WALK, account, args, this.#proof(change))).map(String)
      addAffected(affected, names.map(parseItemName))
      behind = next ?? ''
    } while (behind !== '')
    return affected.sort((a, b) => a.namespace - b.namespace || (a.hash < b.hash ? -1 : 1))
  }

  /** Writes slice by slice, those of an account together; resolves to the sum of what each counts. */
  #eachAccount<T extends ItemVersion>(items: readonly T[], write: (ofAccount: readonly T[]) => Promise<number>): Promise<number> {
    return this.#do(async () => {
      let sum = 0
      for (let at = 0; at < items.length; at += TAKEOVER_SLICE) {
        const byAccount = groupBy(items.slice(at, at + TAKEOVER_SLICE), ({ account }) => accountHex(account))
        const counts = await Promise.all([...byAccount.values()].map(write))
        sum += counts.reduce((a, b) => a + b, 0)
      }
      return sum
    })
  }

  async #mergeAccount(items: readonly Item[], replaces: (namespace: number) => boolean): Promise<number> {
    const proofs = new Map<string, Uint8Array>()
    const args = items.flatMap(item => {
      const { message, proof } = item
      if (!item.isTombstone && message === undefined) return []
      const name = proof === undefined ? '' : this.#proofName(proof)
      if (proof !== undefined) proofs.set(name, proof)
      const times = [item.decidedAtMs, item.changedAtMs, item.expiryMs, message?.timestampMs ?? 0]
      return [itemName(item), item.isTombstone ? 't' : 'm', ...times, name, replaces(item.namespace) ? 1 : 0, message?.data ?? '']
    })
    if (args.length === 0) return 0
    const all = [proofs.size, ...[...proofs].flat(), ...args]
    return Number(textOfReply((await this.#writes.write(MERGE, items[0]!.account, all))[0]))
  }

  #tokenName(token: Uint8Array): string {
    return itemName({ namespace: REVOCATIONS, hash: tokenHash(this.#crypto, token) })
  }

  #proof({ proof }: Change): Proof | undefined {
    return proof && { name: this.#proofName(proof), body: proof }
  }

  #proofName(proof: Uint8Array): string {
    return encodeBase64(blake2b(this.#crypto, 32, [proof]), { padding: false })
  }
}

export interface RedisStorePorts {
  /** The clocks of front ends agree to within a second or so. */
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
}

/** Opens a store on a cluster. Rejects with NodeError `store-failed`, or `bad-config` where the cluster is not fit for it. */
export async function openRedisStore(config: RedisStoreConfig, ports: RedisStorePorts): Promise<MessageStore> {
  const crypto = await loadCrypto()
  const cluster = await connectCluster(config, ports.timers)
  const writer = Buffer.from(ports.random.bytes(9)).toString('base64url')
  return new RedisStore(cluster, crypto, new Keys(config.keyPrefix), ports.clock, writer)
}
