/**
 * Gives items of accounts that fall to another swarm to its members, and forgets them when all that can be reached have them (clause
 * NODE-97). It begins anew with each list of nodes; who has given away everything asks nobody.
 */
import type { ServiceNode } from '@session-v2/network'
import { describeException, type Log } from '../log.ts'
import { NodeError } from '../node-error.ts'
import type { Item, ItemVersion, MessageStore } from '../store/store.ts'
import type { ExchangeClient } from './exchange-client.ts'
import { ITEMS_BUDGET_BYTES, ITEMS_MAX } from './exchange-messages.ts'
import { nameKey } from './item-gate.ts'
import type { Swarm, SwarmView } from './swarm-view.ts'

/** Accounts that are looked at in one go. */
const ACCOUNTS_PAGE = 200

export interface HandingOverParts {
  readonly store: MessageStore
  readonly swarms: SwarmView
  readonly client: ExchangeClient
  readonly log: Log
  /** True when it has to end early. */
  readonly isStopped: () => boolean
}

export interface HandedOver {
  /** Accounts that fall to another swarm. */
  readonly foreign: number
  /** Their items that others have now, and this node has forgotten. */
  readonly forgotten: number
  /** Items that were sent, each to every member that wanted it. */
  readonly sent: number
}

/** Accounts of one swarm with their items, as many as one offer has. */
interface Parcel {
  readonly swarm: Swarm
  /** The first of them, and the only one where there is more than one page. */
  readonly account: Uint8Array
  readonly versions: ItemVersion[]
}

/** Goes once through all accounts. Rejects with NodeError of the store alone. */
export async function handOver(parts: HandingOverParts): Promise<HandedOver> {
  const { store, swarms, isStopped } = parts
  const total = { foreign: 0, forgotten: 0, sent: 0 }
  let after: Uint8Array | undefined
  do {
    const accounts = await store.accounts(ACCOUNTS_PAGE, after)
    after = accounts.at(-1)
    const foreign = accounts.filter(account => isForeign(swarms, account))
    total.foreign += foreign.length
    for (const parcel of await parcelsOf(parts, foreign)) {
      if (isStopped()) return total
      const { sent, forgotten } = await deliverParcel(parts, parcel)
      total.sent += sent
      total.forgotten += forgotten
    }
  } while (after !== undefined && !isStopped())
  return total
}

function isForeign(swarms: SwarmView, account: Uint8Array): boolean {
  const swarm = swarms.swarmOf(account)
  return swarm !== undefined && swarm !== swarms.own
}

/** Small accounts of one swarm go together. */
async function parcelsOf({ store, swarms }: HandingOverParts, accounts: readonly Uint8Array[]): Promise<Parcel[]> {
  const parcels: Parcel[] = []
  const open = new Map<Swarm, Parcel>()
  for (const account of accounts) {
    const swarm = swarms.swarmOf(account)
    if (swarm === undefined) continue
    const versions = await store.versionsOf(account, ITEMS_MAX)
    let parcel = open.get(swarm)
    if (parcel === undefined || parcel.versions.length + versions.length >= ITEMS_MAX) {
      parcel = { swarm, account, versions: [] }
      parcels.push(parcel)
      open.set(swarm, parcel)
    }
    parcel.versions.push(...versions)
  }
  return parcels
}

/** Forgets each page that somebody has, and that nobody who answers lacks. */
async function deliverParcel(parts: HandingOverParts, parcel: Parcel): Promise<{ sent: number; forgotten: number }> {
  let sent = 0
  let forgotten = 0
  const silent = new Set<ServiceNode>()
  for await (const versions of pagesOf(parts.store, parcel)) {
    let reached = 0
    let isDone = true
    for (const member of parcel.swarm.members) {
      if (silent.has(member) || parts.client.isUnaware(member)) continue
      try {
        const given = await giveTo(parts, member, versions)
        sent += given.sent
        isDone &&= given.isDone
        reached += 1
      } catch (error) {
        if (!(error instanceof NodeError) || error.code.startsWith('store')) throw error
        parts.log.debug({ peer: member.ed25519, ...describeException(error) }, 'a node did not take what falls to it')
        if (error.code === 'bad-peer-response') isDone = false
        silent.add(member)
      }
    }
    if (isDone && reached > 0) forgotten += await forget(parts, parcel, versions)
  }
  return { sent, forgotten }
}

async function giveTo(
  { store, client }: HandingOverParts,
  member: ServiceNode,
  versions: readonly ItemVersion[],
): Promise<{ sent: number; isDone: boolean }> {
  let sent = 0
  let isDone = true
  const { wanted } = await client.ask(member, { method: 'sync_offer', versions })
  for (let left: readonly ItemVersion[] = versions.filter((_, i) => wanted[i]); left.length > 0; ) {
    const items = await store.items(left, ITEMS_BUDGET_BYTES)
    if (items.length === 0) break
    const { outcomes } = await client.ask(member, { method: 'sync_put', items })
    sent += items.length
    isDone &&= outcomes.every(outcome => outcome !== 'later')
    left = behind(left, items)
  }
  return { sent, isDone }
}

/** All that is kept of the accounts: the first page is there already, what does not fit into one belongs to a single account. */
async function* pagesOf(store: MessageStore, { account, versions }: Parcel): AsyncGenerator<readonly ItemVersion[]> {
  yield versions
  for (let page: readonly ItemVersion[] = versions; page.length === ITEMS_MAX; ) {
    page = await store.versionsOf(account, ITEMS_MAX, page.at(-1))
    if (page.length > 0) yield page
  }
}

function behind(names: readonly ItemVersion[], items: readonly Item[]): readonly ItemVersion[] {
  const last = nameKey(items.at(-1)!)
  return names.slice(names.findIndex(name => nameKey(name) === last) + 1)
}

/** What was given, as it was given: a request may have changed something meanwhile, and the list of nodes too. */
function forget({ store, swarms }: HandingOverParts, { swarm }: Parcel, versions: readonly ItemVersion[]): Promise<number> {
  return store.forget(versions.filter(({ account }) => isForeign(swarms, account) && swarms.swarmOf(account)?.id === swarm.id))
}
