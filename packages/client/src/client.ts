/**
 * The client: one account on one device. The composition root of this package; everything it does is done by the parts it wires.
 */
import { wipe } from '@session-v2/crypto'
import type { AccountId } from '@session-v2/protocol'
import {
  generateSeed,
  ProtocolError,
  parseAccountId,
  recoveryPasswordOf,
  seedFromRecoveryPassword,
  wipeAccount,
} from '@session-v2/protocol'
import { ACCOUNT_KEY, ACCOUNT_TABLE, newAccountRecord } from './account-record.ts'
import type { Backup } from './backup/backup.ts'
import type { BackupRestore } from './backup/backup-restore.ts'
import { ClientError, isUnanswered, mapNetworkError } from './client-error.ts'
import { type ClientParts, openParts, type Ports, partsOfBackup, portsOf } from './client-parts.ts'
import type {
  AccountView,
  CreateOptions,
  KeysView,
  OpenOptions,
  RestoreOptions,
  SendResult,
  SyncResult,
  UnreadableView,
} from './client-types.ts'
import {
  type ConversationView,
  conversationList,
  type MessageQuery,
  type MessageView,
  messagePage,
} from './conversations/read-models.ts'
import { type SearchPage, type SearchQuery, searchPage } from './conversations/search.ts'
import type { Devices } from './devices/devices.ts'
import { accountKeyViews, deviceKeyViews, exposedSinceMs } from './devices/read-models.ts'
import type { PlacedEvent } from './events/event-log.ts'
import type { History } from './history/history.ts'
import { type PathView, pathView } from './routing/route-view.ts'
import type { Settings } from './settings.ts'
import { SealedStore } from './store/sealed/sealed-store.ts'
import { createVault, hasVault, openVault } from './store/sealed/vault.ts'
import type { PollResult } from './sync/poll.ts'
import type { TransportKind } from './transport/way.ts'

const POLL_INTERVAL_MS = 20_000
const SEND_TIMEOUT_MS = 30_000
/** How long making an account waits for its keys to be published. */
const PUBLISH_TIMEOUT_MS = 15_000
/** How long making an account waits to learn the time of the network. */
const TIME_TIMEOUT_MS = 5_000

const DEFAULT_NAME = 'Restored'

export class Client {
  readonly #parts: ClientParts
  #running = false
  #closing: Promise<void> | undefined

  private constructor(parts: ClientParts) {
    this.#parts = parts
  }

  /**
   * Makes a new account with a device group of this device. It works without a network; with one, the group is in the swarm and its
   * key published before this resolves.
   * @throws ClientError `account-exists`, `bad-name`, `no-seed`, `bad-unlock`, `store-failed`
   */
  static async create(options: CreateOptions): Promise<Client> {
    const ports = await portsOf(options)
    const seed = generateSeed(ports.random, options.words ?? 13)
    const client = await Client.#make(ports, options, seed, { name: options.name, owesGroup: true })
    return client.#closedUnless(async () => {
      await client.#firstContact(() => client.#parts.requests.correctClock(), TIME_TIMEOUT_MS)
      await client.#parts.devices.foundOwed()
      await client.#firstContact(() => client.#sync(), PUBLISH_TIMEOUT_MS)
    })
  }

  /**
   * Makes the account of a recovery password on this device. It is in no device group then: its person asks one to be let in, or
   * founds one (`devices`, `requestLink`, `startGroup`).
   * @throws ClientError `bad-recovery-password` (its cause tells the word), and those of `create`
   */
  static async restore(options: RestoreOptions): Promise<Client> {
    const person = { name: options.name ?? DEFAULT_NAME, owesGroup: false }
    const client = await Client.#make(await portsOf(options), options, seedOf(options.recoveryPassword), person)
    return client.#closedUnless(() => client.#firstContact(() => client.#sync(), PUBLISH_TIMEOUT_MS))
  }

  /** Makes the account of a backup on this device, as `restore` does, with its history. @throws ClientError those of `storeFromBackup` */
  static async fromBackup(options: OpenOptions & BackupRestore): Promise<Client> {
    const client = new Client(await partsOfBackup(await portsOf(options), options))
    return client.#closedUnless(() => client.#firstContact(() => client.#sync(), PUBLISH_TIMEOUT_MS))
  }

  /** Opens the account in a store. @throws ClientError `no-account`, `wrong-passphrase`, `bad-unlock`, `store-damaged`. */
  static async open(options: OpenOptions): Promise<Client> {
    const ports = await portsOf(options)
    try {
      const dataKey = await openVault(ports.crypto, options.store, options.unlock)
      const client = new Client(await openParts(ports, new SealedStore(ports.crypto, ports.random, options.store, dataKey)))
      await client.#parts.devices.foundOwed()
      return client
    } catch (error) {
      await options.store.close()
      throw error
    }
  }

  static async #make(
    ports: Ports,
    options: CreateOptions | RestoreOptions,
    seed: Uint8Array,
    { name, owesGroup }: { readonly name: string; readonly owesGroup: boolean },
  ): Promise<Client> {
    const { store, unlock, seeds } = options
    try {
      if (await hasVault(store)) throw new ClientError('account-exists', 'There is an account here already. Nothing was changed.')
      const record = newAccountRecord(seed, name, seeds, { nowMs: ports.clock.nowMs(), owesGroup })
      const vault = createVault(ports.crypto, ports.random, unlock)
      const sealed = new SealedStore(ports.crypto, ports.random, store, vault.dataKey)
      await sealed.commit([vault.change, sealed.put(ACCOUNT_TABLE, ACCOUNT_KEY, record)])
      return new Client(await openParts(ports, sealed))
    } catch (error) {
      await store.close()
      throw error
    } finally {
      wipe(seed)
    }
  }

  get accountId(): AccountId {
    return this.#parts.account.id
  }

  account(): AccountView {
    const { account, record, group } = this.#parts
    const { membership, group: groupView } = this.devices.view()
    return { accountId: account.id, name: record.name, deviceId: group.state.self, membership, group: groupView }
  }

  /** The words that are the account. Whoever has them can act as it. */
  recoveryPassword(): string {
    this.#requireOpen()
    return recoveryPasswordOf(this.#parts.account.seed.expose())
  }

  /** How requests travel now: `none` as long as the network is not known, and where it has too few nodes for a path. */
  transport(): TransportKind {
    return this.#parts.way.kind()
  }

  /**
   * The way that a request to the account's own swarm takes, found by sending one.
   * @throws ClientError `network-unavailable`, `no-path`
   */
  async path(): Promise<PathView> {
    this.#requireOpen()
    const { account, requests, way } = this.#parts
    const route = await mapNetworkError(requests.route(account.id))
    return pathView(way.kind(), route)
  }

  /** Which keys are held and until when; nothing secret. */
  keys(): KeysView {
    const { group } = this.#parts
    return {
      accountKeys: accountKeyViews(group.keyring),
      deviceKeys: deviceKeyViews(group.state),
      exposedSinceMs: exposedSinceMs(group.keyring, group.state),
    }
  }

  /** The devices of the account: who they are, linking, removing. */
  get devices(): Devices {
    return this.#parts.devices
  }

  /** Handing history over to another device of the account, and asking for it. */
  get history(): History {
    return this.#parts.history
  }

  /** Backups of the account: made here, and taken in. */
  get backup(): Backup {
    return this.#parts.backup
  }

  /**
   * Sends a text of at most 2,000 characters. It is written down first: whatever happens then, it goes out.
   * @param options.timeoutMs how long to wait for the swarm before resolving with what is so far (30 s)
   * @throws ClientError `bad-account-id`, `bad-message`, `message-too-long`, `store-failed`
   */
  async send(recipient: string, text: string, options: { timeoutMs?: number } = {}): Promise<SendResult> {
    this.#requireOpen()
    const { outbox, log, scheduler } = this.#parts
    const message = await outbox.add(accountIdOfText(recipient), text)
    const delivery = outbox.deliver(message.conversation).catch(() => 0)
    await scheduler.within(delivery, options.timeoutMs ?? SEND_TIMEOUT_MS)
    if (this.#running) this.#scheduleOutbox(1)
    const { messageId, state, protocol } = (await log.get(message.messageId)) ?? message
    return { messageId, state, protocol }
  }

  /**
   * One complete poll and everything it makes due: keys rotated, erased and published, the outbox sent.
   * @throws ClientError `network-unavailable`, `no-path`, `clock-off`, `store-failed`
   */
  async sync(): Promise<SyncResult> {
    this.#requireOpen()
    return this.#parts.turns.take(() => this.#sync())
  }

  /** Keeps the account in step in the background: polls every 20 s, sends what waits, rotates keys. Ends with `close`. */
  start(): void {
    this.#requireOpen()
    if (this.#running) return
    this.#running = true
    this.#schedulePoll(0)
    this.#scheduleOutbox(1)
  }

  /** What happens, from now on or from behind a cursor, until `signal` aborts or the client closes. */
  events(options: { after?: number; signal?: AbortSignal } = {}): AsyncGenerator<PlacedEvent> {
    this.#requireOpen()
    const { events } = this.#parts
    return events.follow(options.after ?? events.cursor(), options.signal)
  }

  /** What happened behind a cursor, up to now: at most 200 events; those behind the last of them are asked for next. */
  pastEvents(after: number): Promise<PlacedEvent[]> {
    this.#requireOpen()
    return this.#parts.events.past(after)
  }

  /** The time by which deadlines in views are to be read: that of the network, in milliseconds since the epoch. */
  nowMs(): number {
    return this.#parts.requests.clock.nowMs()
  }

  /** What the person has chosen. */
  settings(): Settings {
    return this.#parts.settings.settings
  }

  /** Changes what is named; the rest stays. */
  async changeSettings(settings: Partial<Settings>): Promise<void> {
    this.#requireOpen()
    const { change, committed } = this.#parts.settings.change(settings)
    await this.#parts.events.commit([change])
    committed()
  }

  /**
   * The person says that messages to an account may go without forward secrecy, those that are held and those to come, until it has keys
   * again. @throws ClientError `bad-account-id`
   */
  async sendWithoutForwardSecrecy(id: string): Promise<void> {
    this.#requireOpen()
    const { recipientKeys, events, outbox } = this.#parts
    const account = accountIdOfText(id)
    await events.commit([await recipientKeys.letGoWithout(account)])
    await outbox.deliver(account)
  }

  /** What does not open yet, as one line for a person; nothing is lost by it. */
  async unreadable(): Promise<UnreadableView> {
    this.#requireOpen()
    return this.#parts.quarantine.view()
  }

  /** Messages, oldest first: of all conversations or of one, from the start or from behind a cursor. */
  async messages(query: Omit<MessageQuery, 'with'> & { with?: string | undefined } = {}): Promise<MessageView[]> {
    this.#requireOpen()
    const conversation = query.with === undefined ? undefined : accountIdOfText(query.with)
    return messagePage(this.#parts.log, { ...query, with: conversation })
  }

  /** Searches the messages of this device, newest first. A page may be empty and yet not the last: `before` says where the next goes on. */
  async search(query: Omit<SearchQuery, 'with'> & { with?: string | undefined }): Promise<SearchPage> {
    this.#requireOpen()
    const conversation = query.with === undefined ? undefined : accountIdOfText(query.with)
    return searchPage(this.#parts, { ...query, with: conversation })
  }

  /** The conversation list, the most recent first. */
  async conversations(): Promise<ConversationView[]> {
    this.#requireOpen()
    return conversationList(this.#parts.log)
  }

  /** A person opens a conversation: it counts as read, and the other's keys are looked up unless that was done within the hour. */
  async openConversation(id: string): Promise<void> {
    this.#requireOpen()
    const { events, log, recipientKeys } = this.#parts
    const account = accountIdOfText(id)
    await log.inTurn(async () => {
      const changes = await log.markRead(account)
      if (changes.length > 0) await events.commit(changes)
    })
    await recipientKeys.lookAt(account)
  }

  /** Ends everything under way, wipes the secrets and closes the store. Harmless when repeated. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { scheduler, events, outbox, group, account, store, turns } = this.#parts
    scheduler.close()
    events.close()
    await Promise.allSettled([turns.close(), outbox.settled()])
    group.close()
    wipeAccount(account)
    await store.close()
  }

  async #sync(): Promise<SyncResult> {
    const { publication, inbox, outbox, poll, requests, group, devicePush } = this.#parts
    let polled: PollResult
    try {
      polled = await mapNetworkError(poll.run())
    } finally {
      // After the poll, which puts a wrong clock right: by a wrong clock keys would be erased too early. Due without a network too.
      await devicePush.rotateDueKeys({ atOnce: publication.owesRotation() })
    }
    const told = await mapNetworkError(devicePush.pushOwed())
    const published = await mapNetworkError(publication.publishIfDue())
    const received = polled.received + (await inbox.retryQuarantine(requests.clock.nowMs()))
    const pushed = (await outbox.flush()) + told + (published ? 1 : 0)
    await this.#parts.history.sync()
    return { received, quarantined: polled.quarantined, pushed, membership: group.state.run.membership }
  }

  #schedulePoll(delayMs: number): void {
    this.#parts.scheduler.schedule('poll', delayMs, () => {
      const again = () => this.#schedulePoll(POLL_INTERVAL_MS)
      this.sync().then(again, again)
    })
  }

  #scheduleOutbox(attempt: number): void {
    const { scheduler, outbox } = this.#parts
    scheduler.schedule('outbox', scheduler.backoffMs(attempt), () => {
      const next = async () => {
        await outbox.flush()
        if (await outbox.pending()) this.#scheduleOutbox(attempt + 1)
      }
      next().catch(() => this.#scheduleOutbox(attempt + 1))
    })
  }

  /** The first talk with the network; without one the account is there all the same. */
  async #firstContact(talk: () => Promise<unknown>, timeoutMs: number): Promise<void> {
    const unanswered = (error: unknown) => {
      if (!isUnanswered(error)) throw error
    }
    await this.#parts.scheduler.within(this.#parts.turns.take(talk).catch(unanswered), timeoutMs)
  }

  /** This client once `begun`; when that fails it is closed, so that the store is free for another attempt. */
  async #closedUnless(begun: () => Promise<void>): Promise<Client> {
    try {
      await begun()
      return this
    } catch (error) {
      await this.close()
      throw error
    }
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new ClientError('closed', 'The client is closed.')
  }
}

function accountIdOfText(text: string): AccountId {
  try {
    return parseAccountId(text)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new ClientError('bad-account-id', 'This is not an account id: 66 hexadecimal digits that begin with 05.', cause)
  }
}

function seedOf(recoveryPassword: string): Uint8Array {
  try {
    return seedFromRecoveryPassword(recoveryPassword)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new ClientError('bad-recovery-password', cause.message, cause)
  }
}
