/**
 * A write to one account, and what has to be known of it outside (clauses NODE-141 to NODE-143). Its items are of one slot, the minutes of
 * others, so it has three steps, and can end between any two:
 *
 * 1. the partition notes that the write begins;
 * 2. the script changes the account, and leaves its reply in the account's journal;
 * 3. the hours take entries and sums, the partition the number of messages. Then note and reply go.
 *
 * The write counts with the second. Where the third does not follow, some front end finds the note and makes up for it: `recover`.
 */
import type { Clock } from '../../ports.ts'
import { minuteOf } from '../item-version.ts'
import type { Argument, ClusterConnection, Reply } from './cluster-connection.ts'
import type { MinuteIndex } from './minute-index.ts'
import { accountFromHex, accountHex, type Keys, PARTITIONS, partitionOf } from './names.ts'
import { changesByHour, parseNotes } from './notes-of-write.ts'
import { bytesOf, textOfReply } from './replies.ts'
import type { Script } from './script.ts'
import { BEGIN, COUNTED, LIST } from './shared-scripts.ts'
import { RECALL } from './takeover-scripts.ts'

/** No write takes longer; what is older is left over. */
export const WRITE_MAX_MS = 60_000
/** Writes of a partition that are made up for at a time. */
const RECOVERED_MAX = 256

/** The owner's request: `name` of 43 characters and body. */
export interface Proof {
  readonly name: string
  readonly body: Uint8Array
}

export class AccountWrites {
  readonly #cluster: ClusterConnection
  readonly #keys: Keys
  readonly #index: MinuteIndex
  readonly #clock: Clock
  readonly #writer: string
  readonly #ending = new Set<Promise<unknown>>()
  #count = 0

  /** `writer` names this front end among those of the cluster. */
  constructor(cluster: ClusterConnection, keys: Keys, index: MinuteIndex, clock: Clock, writer: string) {
    this.#cluster = cluster
    this.#keys = keys
    this.#index = index
    this.#clock = clock
    this.#writer = writer
  }

  /** Runs a script that writes; resolves to its result. Rejects with NodeError. */
  async write(script: Script, account: Uint8Array, args: readonly Argument[], proof?: Proof): Promise<Buffer[]> {
    const token = `${this.#writer}.${this.#count++}`
    const nowMs = this.#clock.nowMs()
    const hex = accountHex(account)
    const key = this.#keys.account(account)
    const accounts = this.#keys.partition(partitionOf(account), 'accounts')
    // Replicas need not have it: it is for a front end that dies, and a master that dies with it is one death too many.
    await this.#cluster.run(BEGIN, accounts, [nowMs, token, hex])
    const common = [nowMs, token, proof?.name ?? '', proof?.body ?? '']
    const run = this.#cluster.write(script, key, [...common, ...args])
    run.catch(error => {
      if (error.code === 'store-full') this.#end(account, token)
    })
    const reply = (await run) as Reply[]
    const [notes, counted, isEmpty, result] = reply
    const isKnown = await this.#tell(account, textOfReply(notes), textOfReply(counted), nowMs)
    if (textOfReply(isEmpty) === '1') await this.#dropIfEmpty(account)
    if (isKnown) this.#end(account, token)
    return ((result ?? []) as Reply[]).map(bytesOf)
  }

  /** Waits for what is left to do of writes that are acknowledged. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#ending)
  }

  /** Makes up for writes of front ends that are gone (NODE-143); resolves to how many there were. */
  async recover(): Promise<number> {
    let recovered = 0
    const untilMs = this.#clock.nowMs() - WRITE_MAX_MS
    for (let n = 0; n < PARTITIONS; n++) {
      const pending = this.#keys.partition(n, 'pending')
      const left = (await this.#cluster.command('zrangebyscore', [
        pending,
        '-inf',
        untilMs,
        'LIMIT',
        0,
        RECOVERED_MAX,
      ])) as Reply[]
      for (const member of left) {
        const [token, hex] = textOfReply(member).split(' ')
        await this.#recoverOne(accountFromHex(hex ?? ''), token ?? '')
        recovered += 1
      }
    }
    return recovered
  }

  /** The entries are added, sums of their minutes counted anew: nobody knows what of the third step was done. */
  async #recoverOne(account: Uint8Array, token: string): Promise<void> {
    const past = (await this.#cluster.run(RECALL, this.#keys.account(account), [token])) as Reply[] | null
    if (past !== null) {
      const notes = parseNotes(account, textOfReply(past[0]))
      for (const { hour, entries } of changesByHour(notes, this.#clock.nowMs())) await this.#index.add(hour, [], entries)
      for (const minute of new Set(notes.map(note => minuteOf(note.version.expiryMs)))) await this.#index.heal(minute)
    }
    await this.#cluster.run(COUNTED, this.#keys.partition(partitionOf(account), 'accounts'), [accountHex(account), 0])
    await this.#dropIfEmpty(account)
    this.#end(account, token)
    await this.settle()
  }

  /** Whether all of it was told; otherwise it is left to `recover`. */
  async #tell(account: Uint8Array, notes: string, counted: string, nowMs: number): Promise<boolean> {
    const hours = changesByHour(parseNotes(account, notes), nowMs)
    const told = await Promise.allSettled([
      ...hours.map(({ hour, sums, entries }) => this.#index.add(hour, [...sums], entries)),
      this.#cluster.writeOnce(COUNTED, this.#keys.partition(partitionOf(account), 'accounts'), [accountHex(account), counted]),
    ])
    return told.every(({ status }) => status === 'fulfilled')
  }

  #end(account: Uint8Array, token: string): void {
    const pending = this.#keys.partition(partitionOf(account), 'pending')
    const ended = this.#cluster
      .command('zrem', [pending, `${token} ${accountHex(account)}`])
      .then(() => this.#cluster.command('hdel', [this.#keys.account(account, 'j'), token]))
      .catch(() => undefined)
      .finally(() => this.#ending.delete(ended))
    this.#ending.add(ended)
  }

  /** Takes an account off the list and looks once more: whoever writes to it lists it again afterwards. */
  async #dropIfEmpty(account: Uint8Array): Promise<void> {
    const accounts = this.#keys.partition(partitionOf(account), 'accounts')
    try {
      if (Number(await this.#cluster.command('exists', [this.#keys.account(account)])) > 0) return
      await this.#cluster.command('zrem', [accounts, accountHex(account)])
      if (Number(await this.#cluster.command('exists', [this.#keys.account(account)])) === 0) return
      await this.#cluster.write(LIST, accounts, [0, accountHex(account)])
    } catch {
      // It stays listed, and the next sweep that visits it looks again.
    }
  }
}
