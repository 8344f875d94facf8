/**
 * What clients were told, and whether it holds: after healing every message that was acknowledged is at every member, with the expiry that
 * was set last, every message of which the deletion was acknowledged is at none, and what no answer has decided is at all or none.
 */
import type { Crypto } from '@session-v2/crypto'
import { buildRetrieve, type Namespace, type RequestSigner } from '@session-v2/network'
import { expect } from 'vitest'
import { until } from './fault-swarm.ts'
import type { HttpClient } from './http-client.ts'

/** A message that a node has acknowledged. */
export interface Kept {
  readonly owner: RequestSigner
  readonly namespace: number
  readonly payload: Uint8Array
  readonly hash: string
  expiryMs: number
  /** `in doubt` while a deletion is asked for; `undecided` when its answer does not say whether it has deleted the message. */
  state: 'kept' | 'in doubt' | 'deleted' | 'undecided'
}

/** What is wrong at one member, by hashes. */
export interface Faults {
  readonly lost: readonly string[]
  readonly resurrected: readonly string[]
  /** There, but with another expiry than was set. */
  readonly otherExpiry: readonly string[]
  /** There, and not everywhere, of what no answer has decided. */
  readonly divided: readonly string[]
}

/** The members that an account falls to, by their URLs. */
export type MembersOf = (owner: RequestSigner) => readonly string[]

/** All mailboxes at all members take a while to read. */
const READ_PAUSE_MS = 500

export class Ledger {
  readonly #kept = new Map<string, Kept>()
  readonly #crypto: Crypto
  readonly #client: HttpClient
  /** By how much clocks of members are ahead when they are asked. */
  clockOffsetMs = 0

  constructor(crypto: Crypto, client: HttpClient) {
    this.#crypto = crypto
    this.#client = client
  }

  add(message: Kept): void {
    this.#kept.set(message.hash, message)
  }

  /** Messages that are kept, in the order in which they were acknowledged. */
  kept(): readonly Kept[] {
    return [...this.#kept.values()].filter(({ state }) => state === 'kept')
  }

  count(state: Kept['state']): number {
    return [...this.#kept.values()].filter(message => message.state === state).length
  }

  /** Waits until nothing is wrong at any member, reads everything at every member once more, and prints what it found. */
  async settles(name: string, membersOf: MembersOf): Promise<void> {
    const members = new Set([...this.#kept.values()].flatMap(({ owner }) => membersOf(owner)))
    let last = new Map<string, Faults>()
    try {
      await until(
        async () => {
          last = await this.#read([...members], membersOf)
          return [...last.values()].every(isNothing)
        },
        'the members do not come to hold the same',
        READ_PAUSE_MS,
      )
    } catch (error) {
      console.log(this.#line(name, last))
      expect(Object.fromEntries([...last].filter(([, faults]) => !isNothing(faults)))).toEqual({})
      throw error
    }
    last = await this.#read([...members], membersOf)
    console.log(this.#line(name, last))
    for (const faults of last.values()) expect(faults).toEqual({ lost: [], resurrected: [], otherExpiry: [], divided: [] })
    expect(this.count('in doubt')).toBe(0)
  }

  async #read(members: readonly string[], membersOf: MembersOf): Promise<Map<string, Faults>> {
    const read = members.map(async url => [url, await this.#faultsAt(url, membersOf)] as const)
    const faults = new Map(await Promise.all(read))
    return new Map([...faults].map(([url, one]) => [url, { ...one, divided: this.#divided(one.divided, faults, membersOf) }]))
  }

  /** Those of the hashes that are not at every member. */
  #divided(hashes: readonly string[], found: ReadonlyMap<string, Faults>, membersOf: MembersOf): readonly string[] {
    return hashes.filter(hash => {
      const members = membersOf(this.#kept.get(hash)!.owner)
      return !members.every(url => found.get(url)!.divided.includes(hash))
    })
  }

  /** What is wrong there; as `divided`, all that is there of what no answer has decided. */
  async #faultsAt(url: string, membersOf: MembersOf): Promise<Faults> {
    const faults = { lost: [] as string[], resurrected: [] as string[], otherExpiry: [] as string[], divided: [] as string[] }
    for (const messages of this.#mailboxes()) {
      const { owner, namespace } = messages[0]!
      if (!membersOf(owner).includes(url)) continue
      const found = await this.#mailbox(url, owner, namespace)
      for (const { hash, state, expiryMs } of messages) {
        const foundMs = found.get(hash)
        if (state === 'kept' && foundMs === undefined) faults.lost.push(hash)
        else if (state === 'kept' && foundMs !== expiryMs) faults.otherExpiry.push(hash)
        else if (state === 'deleted' && foundMs !== undefined) faults.resurrected.push(hash)
        else if (state === 'undecided' && foundMs !== undefined) faults.divided.push(hash)
      }
    }
    return faults
  }

  #mailboxes(): Kept[][] {
    const mailboxes = new Map<string, Kept[]>()
    for (const message of this.#kept.values()) {
      const name = `${message.owner.accountId} ${message.namespace}`
      const mailbox = mailboxes.get(name)
      if (mailbox === undefined) mailboxes.set(name, [message])
      else mailbox.push(message)
    }
    return [...mailboxes.values()]
  }

  /** The expiry of each message, by its hash; nothing when the member does not answer. */
  async #mailbox(url: string, owner: RequestSigner, namespace: number): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>()
    let lastHash: string | undefined
    do {
      const timestampMs = Date.now() + this.clockOffsetMs
      const parts = { accountId: owner.accountId, namespace: namespace as Namespace, timestampMs, signer: owner, lastHash }
      const answer = await this.#client.ask(url, buildRetrieve(this.#crypto, parts))
      if (answer?.status !== 200) return new Map()
      const { messages, more } = answer.body as { messages: { hash: string; expiration: number }[]; more: boolean }
      for (const { hash, expiration } of messages) found.set(hash, expiration)
      lastHash = more ? messages.at(-1)?.hash : undefined
    } while (lastHash !== undefined)
    return found
  }

  #line(name: string, faults: ReadonlyMap<string, Faults>): string {
    const all = [...faults.values()]
    const kept = this.count('kept')
    const sum = (read: (one: Faults) => readonly string[]) => new Set(all.flatMap(read)).size
    const lost = sum(one => one.lost)
    const everywhere = `found ${kept - lost} at each of ${faults.size}, lost ${lost}`
    const expiries = sum(one => one.otherExpiry)
    const ends = expiries === 0 ? '' : `, with another expiry ${expiries}`
    const deleted = `deleted ${this.count('deleted')}, resurrected ${sum(one => one.resurrected)}`
    const undecided = this.count('undecided')
    const doubts = undecided === 0 ? '' : `, undecided ${undecided} of which ${sum(one => one.divided)} divided`
    return `${name}: acknowledged ${kept}, ${everywhere}, ${deleted}${ends}${doubts}`
  }
}

function isNothing(faults: Faults): boolean {
  return Object.values(faults).every(hashes => hashes.length === 0)
}
