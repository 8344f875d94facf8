/** The parts of an open client and how they are wired: each gets what it needs and nothing else. */
import type { Crypto, Random } from '@session-v2/crypto'
import { loadCrypto, systemRandom, wipe } from '@session-v2/crypto'
import { decodeHex, equalBytes } from '@session-v2/encoding'
import { type Account, accountFromSeed } from '@session-v2/protocol'
import { ACCOUNT_KEY, ACCOUNT_TABLE, type AccountRecord, checkSeeds } from './account-record.ts'
import { Backup } from './backup/backup.ts'
import type { OnBackupProgress } from './backup/backup-export.ts'
import { type BackupRestore, storeFromBackup } from './backup/backup-restore.ts'
import { ClientError } from './client-error.ts'
import { DeviceGroup, type DeviceGroupRecord, newDevice } from './devices/device-group.ts'
import { type ClosedRequestRecord, DeviceInbox } from './devices/device-inbox.ts'
import { DeviceLog, type DeviceLogRecord } from './devices/device-log.ts'
import { DevicePush } from './devices/device-push.ts'
import { Devices, isMember } from './devices/devices.ts'
import { EventLog } from './events/event-log.ts'
import { History } from './history/history.ts'
import { AccountKeyPublication, type PublicationRecord } from './keys/account-key-publication.ts'
import { RecipientKeyCache } from './keys/recipient-keys.ts'
import { Inbox } from './messages/inbox.ts'
import { MessageLog } from './messages/message-log.ts'
import { Outbox } from './messages/outbox.ts'
import { Quarantine } from './messages/quarantine.ts'
import { type Clock, systemClock } from './ports/clock.ts'
import type { Timers } from './ports/timers.ts'
import type { Http } from './ports/transport.ts'
import { NetworkClock } from './routing/network-clock.ts'
import { type DirectoryRecord, NodeDirectory } from './routing/node-directory.ts'
import { SwarmRequests } from './routing/swarm-requests.ts'
import { Scheduler } from './scheduler/scheduler.ts'
import { systemTimers } from './scheduler/system-timers.ts'
import { Turns } from './scheduler/turns.ts'
import { SettingsRecord } from './settings.ts'
import type { SealedStore } from './store/sealed/sealed-store.ts'
import { Poll } from './sync/poll.ts'
import { fetchHttp } from './transport/direct.ts'
import { openWay, type TransportChoice, type Way } from './transport/way.ts'

/** What a device says of itself to the other devices of its account, and to nobody else. */
export interface DeviceDescription {
  /** At most 64 bytes of UTF-8; a person may change it later. */
  readonly description: string
  /** `i` iOS, `a` Android, `d` desktop, `c` command line, or any other text. */
  readonly type: string
  readonly version: readonly [number, number, number]
}

const UNDESCRIBED: DeviceDescription = { description: '', type: '', version: [0, 0, 0] }

/** What the client takes from outside; all but the seeds have real defaults. */
export interface PortOptions {
  readonly crypto?: Crypto
  readonly random?: Random
  readonly clock?: Clock
  readonly timers?: Timers
  /** How to post to nodes and seeds: by `fetch`. */
  readonly http?: Http
  /** What this device says of itself to the others of the account. */
  readonly device?: DeviceDescription
  /** How requests travel: `onion`, through three relays. `direct` shows this device's address to every node. */
  readonly transport?: TransportChoice
  /** Base URLs of seeds, asked in place of those that are kept with the account. */
  readonly seeds?: readonly string[]
}

export type Ports = Required<Omit<PortOptions, 'seeds'>> & Pick<PortOptions, 'seeds'>

/** The options with their defaults. */
export async function portsOf(options: PortOptions): Promise<Ports> {
  const { seeds } = options
  return {
    crypto: options.crypto ?? (await loadCrypto()),
    random: options.random ?? systemRandom(),
    clock: options.clock ?? systemClock,
    timers: options.timers ?? systemTimers,
    http: options.http ?? fetchHttp,
    transport: options.transport ?? 'onion',
    device: options.device ?? UNDESCRIBED,
    ...(seeds !== undefined && { seeds }),
  }
}

export interface ClientParts {
  readonly account: Account
  readonly record: AccountRecord
  readonly store: SealedStore
  readonly scheduler: Scheduler
  readonly events: EventLog
  readonly way: Way
  readonly requests: SwarmRequests
  readonly group: DeviceGroup
  readonly devices: Devices
  readonly devicePush: DevicePush
  /** What changes the device group or the cursors is done in turn. */
  readonly turns: Turns
  readonly publication: AccountKeyPublication
  readonly settings: SettingsRecord
  readonly recipientKeys: RecipientKeyCache
  readonly log: MessageLog
  readonly quarantine: Quarantine
  readonly inbox: Inbox
  readonly outbox: Outbox
  readonly poll: Poll
  readonly history: History
  readonly backup: Backup
}

/**
 * Wires the parts of the account in an unsealed store.
 * @throws ClientError `store-damaged` when the account itself is missing, `no-seed`
 */
export async function openParts(ports: Ports, store: SealedStore, onProgress?: OnBackupProgress): Promise<ClientParts> {
  const { crypto, random, clock } = ports
  const record = await store.table<AccountRecord>(ACCOUNT_TABLE).get(ACCOUNT_KEY)
  if (record === undefined)
    throw new ClientError('store-damaged', 'The account is missing from its store. Restore it from the recovery password.')
  const seed = decodeHex(record.seed)
  const account = accountFromSeed(crypto, seed)
  wipe(seed)
  const scheduler = new Scheduler(ports.timers, random)
  const events = await EventLog.open(store)
  const nodes = store.table<DirectoryRecord>('network')
  const way = await openWay(ports.transport, { ...ports, scheduler, store })
  const { transport, learn, notices } = way
  const seeds = ports.seeds === undefined ? record.seeds : checkSeeds(ports.seeds)
  const directory = await NodeDirectory.open({ clock, transport, scheduler, events, table: nodes, seeds, learn, notices })
  const requests = new SwarmRequests(transport, scheduler, directory, await NetworkClock.open(clock, store))
  const deviceLog = await DeviceLog.open(store.table<DeviceLogRecord>('device-log'))
  const group = await openGroup(ports, { store, events, deviceLog, requests })
  const turns = new Turns()
  const devices = new Devices({ crypto, random, account, group, requests, turns, deviceLog, accountRecord: record, store })
  const publication = await AccountKeyPublication.open({
    ...{ crypto, random, account, events, requests, table: store.table<PublicationRecord>('account-key-publication') },
    keys: {
      isMember: () => isMember(group.state),
      keyring: () => group.keyring,
      isPassedOn: x25519 => group.state.accountKeys.some(key => key.distributed && equalBytes(key.x25519, x25519)),
      hasKnown: x25519 => group.hasKnown(x25519),
      isOfOtherGroup: x25519 => group.state.groupsInView.some(other => equalBytes(other.linkX25519, x25519)),
    },
  })
  const closedRequests = store.table<ClosedRequestRecord>('closed-link-requests')
  const deviceInbox = new DeviceInbox({ crypto, account, group, table: closedRequests })
  const settings = await SettingsRecord.open(store)
  const recipientKeys = new RecipientKeyCache({
    crypto,
    store,
    events,
    requests,
    policy: () => settings.settings.downgradePolicy,
  })
  const log = new MessageLog(store)
  const quarantine = await Quarantine.open(store)
  const inbox = new Inbox({ crypto, account, store, events, log, quarantine, keyring: () => group.keyring })
  const displayName = record.name
  const outbox = await Outbox.open({
    crypto,
    random,
    account,
    displayName,
    store,
    events,
    log,
    requests,
    publication,
    recipientKeys,
  })
  const poll = new Poll({ crypto, account, store, requests, scheduler, deviceInbox, publication, inbox })
  const history = new History({ crypto, random, account, group, requests, turns, store, events, log })
  const devicePush = new DevicePush({ crypto, random, account, group, requests })
  const own = { group, devices, devicePush, turns, publication, settings, recipientKeys, log, quarantine, inbox, outbox, poll }
  const nowMs = () => requests.clock.nowMs()
  const backup = await Backup.open({ crypto, random, account, record, store, log, settings, nowMs }, onProgress)
  return { account, record, store, scheduler, events, way, requests, history, backup, ...own }
}

/** The parts of an account that is made from a backup. @throws ClientError those of `storeFromBackup`; the store is closed then */
export async function partsOfBackup(ports: Ports, options: BackupRestore): Promise<ClientParts> {
  try {
    return await openParts(ports, await storeFromBackup(ports, options), options.onProgress)
  } catch (error) {
    await options.store.close()
    throw error
  }
}

interface GroupParts {
  readonly store: SealedStore
  readonly events: EventLog
  readonly deviceLog: DeviceLog
  readonly requests: SwarmRequests
}

/** The device group as it was kept, or that of a device that begins. */
async function openGroup(
  { crypto, random, device }: Ports,
  { store, events, deviceLog, requests }: GroupParts,
): Promise<DeviceGroup> {
  const nowMs = () => requests.clock.nowMs()
  const parts = { crypto, random, events, deviceLog, nowMs, table: store.table<DeviceGroupRecord>('device-group') }
  const kept = await DeviceGroup.open(parts)
  if (kept !== undefined) return kept
  const details = { description: device.description, type: device.type, version: device.version, extras: new Map() }
  return DeviceGroup.begin(parts, newDevice(crypto, random, details, nowMs()))
}
