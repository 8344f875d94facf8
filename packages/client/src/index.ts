/** The client SDK: accounts, durable sending, syncing, history. */

export { TEXT_MAX_CODE_POINTS } from '@session-v2/protocol'
export type { Backup, BackupOptions, ImportView } from './backup/backup.ts'
export type { BackupProgress, OnBackupProgress } from './backup/backup-export.ts'
export type { BackupRestore } from './backup/backup-restore.ts'
export { Client } from './client.ts'
export { ClientError, type ClientErrorCode } from './client-error.ts'
export type { DeviceDescription } from './client-parts.ts'
export type {
  AccountView,
  CreateOptions,
  KeysView,
  OpenOptions,
  RestoreOptions,
  SendResult,
  SyncResult,
  UnreadableView,
} from './client-types.ts'
export type { ConversationView, MessageQuery, MessageView } from './conversations/read-models.ts'
export type { SearchPage, SearchQuery } from './conversations/search.ts'
export type { DeviceLogEntry, DeviceLogKind } from './devices/device-log.ts'
export type { Devices } from './devices/devices.ts'
export type {
  DevicesView,
  DeviceView,
  EmojiView,
  GroupView,
  KeyView,
  LinkRequestView,
  OwnRequestView,
} from './devices/read-models.ts'
export type { ClientEvent, PlacedEvent } from './events/event-log.ts'
export type { AskOptions, History } from './history/history.ts'
export type { HistoryEnd } from './history/history-records.ts'
export type { HistoryRequestView, OwnHistoryView } from './history/read-models.ts'
export type { MessageProtocol, MessageState } from './messages/message-log.ts'
export type { Clock } from './ports/clock.ts'
export type { Change, CommitOptions, RecordStore, ScanQuery, StoredRecord } from './ports/store.ts'
export type { Timers } from './ports/timers.ts'
export type { Http, HttpPost, Transport, TransportAnswer } from './ports/transport.ts'
export type { PathNodeView, PathView } from './routing/route-view.ts'
export type { DowngradePolicy, Settings } from './settings.ts'
export { openMemoryStore } from './store/memory/memory-store.ts'
export { PASSPHRASE_COST, type PassphraseCost, type Unlock } from './store/sealed/vault.ts'
export { directTransport, fetchHttp } from './transport/direct.ts'
export type { TransportChoice, TransportKind } from './transport/way.ts'
