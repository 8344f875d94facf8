/** What clients and members read of accounts (clauses NODE-23, NODE-26, NODE-87). */
import type { Clock } from '../../ports.ts'
import {
  type Item,
  type ItemName,
  type ItemVersion,
  REVOCATIONS,
  type RetrievedMessage,
  type RetrievePage,
  type RetrieveQuery,
} from '../store.ts'
import { EXPIRIES, RETRIEVE } from './account-scripts.ts'
import type { ClusterConnection, Reply } from './cluster-connection.ts'
import {
  accountFromHex,
  accountHex,
  heldRecord,
  type ItemRecord,
  itemName,
  type Keys,
  namespaceDigits,
  PARTITIONS,
  parseItemName,
  parseRecord,
  versionOfRecord,
} from './names.ts'
import { bytesOf, groupBy, textOfReply, textsOf } from './replies.ts'

/** Names that are looked up at a time. */
const NAMES = 512
/** Items whose data are fetched at a time: at most some 2.5 MB. */
const ITEMS = 32
const MESSAGE_PARTS = 4

export class ItemReads {
  readonly #cluster: ClusterConnection
  readonly #keys: Keys
  readonly #clock: Clock

  constructor(cluster: ClusterConnection, keys: Keys, clock: Clock) {
    this.#cluster = cluster
    this.#keys = keys
    this.#clock = clock
  }

  async retrieve(query: RetrieveQuery): Promise<RetrievePage> {
    const { account, namespace, afterHash = '', maxCount = Number.MAX_SAFE_INTEGER, budgetBytes } = query
    const args = [this.#clock.nowMs(), namespaceDigits(namespace), afterHash, maxCount, budgetBytes]
    const parts = (await this.#cluster.run(RETRIEVE, this.#keys.account(account), args)) as Reply[]
    const messages: RetrievedMessage[] = []
    for (let at = 0; at + MESSAGE_PARTS <= parts.length; at += MESSAGE_PARTS) {
      const [hash, timestamp, expiry, data] = parts.slice(at, at + MESSAGE_PARTS)
      const times = { timestampMs: Number(textOfReply(timestamp)), expiryMs: Number(textOfReply(expiry)) }
      messages.push({ hash: textOfReply(hash), ...times, data: bytesOf(data) })
    }
    return { messages, more: textOfReply(parts.at(-1)) === '1' }
  }

  async expiries(account: Uint8Array, hashes: readonly string[]): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    for (let at = 0; at < hashes.length; at += NAMES) {
      const args = [this.#clock.nowMs(), ...hashes.slice(at, at + NAMES)]
      const parts = textsOf(await this.#cluster.run(EXPIRIES, this.#keys.account(account), args))
      for (let part = 0; part < parts.length; part += 2) found.set(parts[part]!, Number(parts[part + 1]))
    }
    return found
  }

  async heldVersions(names: readonly ItemName[]): Promise<(ItemVersion | undefined)[]> {
    const held: (ItemVersion | undefined)[] = []
    for (let at = 0; at < names.length; at += NAMES) {
      const records = await this.#held(names.slice(at, at + NAMES))
      held.push(...records.map(record => record && versionOfRecord(record)))
    }
    return held
  }

  /** As `SwarmStore.items`. */
  async items(names: readonly ItemName[], budgetBytes: number): Promise<Item[]> {
    const proofs = new Map<string, Uint8Array>()
    const found: Item[] = []
    let sizeBytes = 0
    for (let at = 0; at < names.length; at += ITEMS) {
      const records = (await this.#held(names.slice(at, at + ITEMS))).filter(record => record !== undefined)
      const contents = await Promise.all(records.map(record => this.#content(record, proofs)))
      for (const [i, record] of records.entries()) {
        const { data, proof } = contents[i]!
        const isGone = !record.isTombstone && data === undefined
        if (isGone) continue
        const isNewProof = record.proofId !== undefined && proof !== undefined && !proofs.has(record.proofId)
        sizeBytes += (data?.length ?? 0) + (isNewProof ? proof.length : 0)
        if (found.length > 0 && sizeBytes > budgetBytes) return found
        if (isNewProof) proofs.set(record.proofId!, proof)
        const shared = record.proofId === undefined ? undefined : proofs.get(record.proofId)
        const message = data && { timestampMs: record.timestampMs, data }
        found.push({ ...versionOfRecord(record), ...(message && { message }), ...(shared && { proof: shared }) })
      }
    }
    return found
  }

  /** As `SwarmStore.versionsOf`. */
  async versionsOf(account: Uint8Array, limit: number, after?: ItemVersion): Promise<ItemVersion[]> {
    const key = this.#keys.account(account, 'h')
    const found: ItemVersion[] = []
    let from = after === undefined ? '-' : `(${itemName(after)}`
    while (found.length < limit) {
      const names = textsOf(await this.#cluster.command('zrangebylex', [key, from, '+', 'LIMIT', 0, NAMES])) as string[]
      const records = await this.#records(account, names)
      found.push(...records.flatMap(record => (record && record.expiryMs > this.#clock.nowMs() ? [versionOfRecord(record)] : [])))
      if (names.length < NAMES) break
      from = `(${names.at(-1)}`
    }
    return found.slice(0, limit)
  }

  /** As `SwarmStore.accounts`: the partitions merged. Every partition is known up to the last that it gave, if it gave all it was asked for. */
  async accounts(limit: number, after?: Uint8Array): Promise<Uint8Array[]> {
    const most = Math.ceil(limit / (PARTITIONS / 4)) + 4
    const found: string[] = []
    let from = after === undefined ? '-' : `(${accountHex(after)}`
    for (;;) {
      const lists = await Promise.all(Array.from({ length: PARTITIONS }, (_, n) => this.#accountsOf(n, from, most)))
      const known = lists.filter(list => list.length === most).map(list => list.at(-1)!)
      const last = known.sort()[0]
      const merged = lists.flat().sort()
      found.push(...merged.filter(hex => last === undefined || hex <= last))
      if (last === undefined || found.length >= limit) return found.slice(0, limit).map(accountFromHex)
      from = `(${last}`
    }
  }

  /** Revoked tokens, newest first. */
  async tokens(account: Uint8Array): Promise<Uint8Array[]> {
    const box = this.#keys.account(account, `n:${namespaceDigits(REVOCATIONS)}`)
    const hashes = textsOf(await this.#cluster.command('zrange', [box, 0, -1])) as string[]
    const names = hashes.map(hash => itemName({ hash, namespace: REVOCATIONS }))
    const records = (await this.#records(account, names)).filter(record => record !== undefined)
    records.sort((a, b) => b.changedAtMs - a.changedAtMs || (a.hash < b.hash ? 1 : -1))
    const data = await Promise.all(records.map(record => this.#bytes(account, `d:${itemName(record)}`)))
    return data.filter(token => token !== undefined)
  }

  #accountsOf(n: number, from: string, most: number): Promise<string[]> {
    const args = [this.#keys.partition(n, 'accounts'), from, '+', 'LIMIT', 0, most]
    return this.#cluster.command('zrangebylex', args).then(reply => textsOf(reply) as string[])
  }

  async #content(record: ItemRecord, known: ReadonlyMap<string, Uint8Array>) {
    const { account, proofId } = record
    const [data, proof] = await Promise.all([
      record.isTombstone ? undefined : this.#bytes(account, `d:${itemName(record)}`),
      proofId === undefined || known.has(proofId) ? undefined : this.#bytes(account, `p:${proofId}`),
    ])
    return { data, proof }
  }

  async #bytes(account: Uint8Array, key: string): Promise<Uint8Array | undefined> {
    const reply = await this.#cluster.command('get', [this.#keys.account(account, key)])
    return reply === null ? undefined : bytesOf(reply)
  }

  /** What is held of each name. */
  async #held(names: readonly ItemName[]): Promise<(ItemRecord | undefined)[]> {
    const held = new Map<ItemName, ItemRecord | undefined>()
    const byAccount = groupBy(names, ({ account }) => accountHex(account))
    await Promise.all(
      [...byAccount.values()].map(async list => {
        const records = await this.#records(list[0]!.account, list.map(itemName))
        for (const [i, record] of records.entries()) held.set(list[i]!, heldRecord(record, this.#clock.nowMs()))
      }),
    )
    return names.map(name => held.get(name))
  }

  async #records(account: Uint8Array, names: readonly string[]): Promise<(ItemRecord | undefined)[]> {
    if (names.length === 0) return []
    const texts = textsOf(await this.#cluster.command('hmget', [this.#keys.account(account), ...names]))
    return texts.map((text, i) => parseRecord({ account, ...parseItemName(names[i]!) }, text))
  }
}
