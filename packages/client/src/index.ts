/** The client SDK: accounts, durable sending, syncing, history. */
export {
  type AccountView,
  Client,
  type CreateOptions,
  type KeysView,
  type Membership,
  type OpenOptions,
  type RestoreOptions,
  type SendResult,
  type SyncResult,
} from './client.ts'
export { ClientError, type ClientErrorCode } from './client-error.ts'
export type { ConversationView, MessageQuery, MessageView } from './conversations/read-models.ts'
export type { ClientEvent, PlacedEvent } from './events/event-log.ts'
export type { AccountKeyView } from './keys/own-account-keys.ts'
export type { MessageProtocol, MessageState } from './messages/message-log.ts'
export { TEXT_MAX_CODE_POINTS } from './messages/outbox.ts'
export type { Clock } from './ports/clock.ts'
export type { Change, CommitOptions, RecordStore, ScanQuery, StoredRecord } from './ports/store.ts'
export type { Timers } from './ports/timers.ts'
export type { Http, HttpPost, Transport, TransportAnswer } from './ports/transport.ts'
export type { PathNodeView, PathView } from './routing/route-view.ts'
export { openMemoryStore } from './store/memory/memory-store.ts'
export { PASSPHRASE_COST, type PassphraseCost, type Unlock } from './store/sealed/vault.ts'
export { directTransport, fetchHttp } from './transport/direct.ts'
export type { TransportChoice, TransportKind } from './transport/way.ts'
