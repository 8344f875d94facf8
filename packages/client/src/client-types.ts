/** What a client is made of, and what its methods answer with. Times are milliseconds since the epoch. */
import type { AccountId, Membership, SeedWords } from '@session-v2/protocol'
import type { PortOptions } from './client-parts.ts'
import type { GroupView, KeyView } from './devices/read-models.ts'
import type { MessageProtocol, MessageState } from './messages/message-log.ts'
import type { RecordStore } from './ports/store.ts'
import type { Unlock } from './store/sealed/vault.ts'

/** What every way of making a client takes. */
export interface OpenOptions extends PortOptions {
  /** Where the account is kept. The client closes it. */
  readonly store: RecordStore
  readonly unlock: Unlock
}

export interface CreateOptions extends OpenOptions {
  /** Base URLs of the network's seeds; kept with the account. */
  readonly seeds: readonly string[]
  /** 1 to 100 bytes; travels with messages. */
  readonly name: string
  /** Words of the recovery password: 13 (128 bits, the default) or 25 (256 bits). */
  readonly words?: SeedWords
}

export interface RestoreOptions extends OpenOptions {
  readonly seeds: readonly string[]
  readonly recoveryPassword: string
  readonly name?: string
}

export interface AccountView {
  readonly accountId: AccountId
  readonly name: string
  /** 64 hexadecimal digits. */
  readonly deviceId: string
  /** `Unknown` until the device groups of the account have been fetched once since the client was opened. */
  readonly membership: Membership
  readonly group: GroupView | undefined
}

export interface KeysView {
  /** Those of the device group, the current one first, and those of groups that were left. */
  readonly accountKeys: readonly KeyView[]
  /** Those of this device. */
  readonly deviceKeys: readonly KeyView[]
  /** What was sent before cannot be read by a thief of this device, whatever they recorded. Undefined without a key. */
  readonly exposedSinceMs: number | undefined
}

/** Messages that no key opens yet. They are tried again with every key that comes. */
export interface UnreadableView {
  readonly messages: number
  /** When the last of them is given up: the swarm drops them too then. Undefined where there are none. */
  readonly untilMs: number | undefined
}

export interface SendResult {
  readonly messageId: string
  readonly state: MessageState
  readonly protocol: MessageProtocol
}

export interface SyncResult {
  readonly received: number
  readonly quarantined: number
  /** Copies and records that swarms took. */
  readonly pushed: number
  readonly membership: Membership
}
