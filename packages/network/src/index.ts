/** The delivery plane: how opaque bytes travel. Pure functions, shared by client and node. */
export { type OwnerSignature, sessionIdOf, verifyAccountSignature } from './account-signature.ts'
export {
  INBOX_MAX_TTL_MS,
  isOutbox,
  MAX_TTL_MS,
  maxTtlMs,
  NAMESPACE,
  type Namespace,
  type NamespaceClass,
  namespaceClass,
  namespaceText,
  parseNamespace,
  retrieveNeedsSignature,
  storeNeedsSignature,
} from './namespace.ts'
export { badRequest, NetworkError, type NetworkErrorCode, type Retry, type RpcFailure } from './network-error.ts'
export type { ServerAddress } from './onion-request/control.ts'
export { encryptionOfName, type LayerKey, type OnionEncryption } from './onion-request/layer.ts'
export { HOP_NO_MAX, ONION_REPLY_MAX_BYTES, ONION_REQUEST_PATH } from './onion-request/limits.ts'
export { type Blame, type FailedAnswer, judgeFailure, type PathFailure, type Route } from './onion-request/path-error.ts'
export {
  choosePath,
  createPathPool,
  type OnionPath,
  PATH_HOPS,
  PATH_NODES_MIN,
  PATHS_WANTED,
  type PathChoice,
  type PathPool,
  withNodes,
} from './onion-request/path-pool.ts'
export { decodeGuards, encodeGuards, pathFailed, pathSucceeded } from './onion-request/path-strikes.ts'
export {
  type Peeled,
  type PeeledHere,
  type PeeledRelay,
  type PeeledServer,
  type PeelRefusal,
  peelOnion,
} from './onion-request/peel.ts'
export { type OnionReply, openReply, REPLY_FORM, type ReplyForm, sealReply } from './onion-request/reply.ts'
export {
  type OnionDestination,
  type OnionNode,
  type SealedOnion,
  type SealOnionOptions,
  sealOnion,
} from './onion-request/request.ts'
export {
  encodeServerRequest,
  openServerReply,
  type ServerReply,
  type ServerRequest,
} from './onion-request/server-payload.ts'
export { errorOfStatus, errorOfTransport } from './retry.ts'
export {
  decodeServiceNode,
  decodeServiceNodes,
  encodeServiceNode,
  legacyKey,
  NO_SWARM,
  type NodeVersion,
  parseSwarmId,
  queuePort,
  type ServiceNode,
  type SwarmId,
  serviceNodeUrl,
  snodeAddress,
  swarmIdHex,
  urlHost,
} from './service-node.ts'
export { encodeSignature, type RequestSignature, type RequestSigner, signRequest } from './storage-rpc/auth.ts'
export {
  checkDelete,
  checkDeleteAll,
  checkDeleteBefore,
  checkExpire,
  checkExpireAll,
  checkGetExpiries,
  checkRetrieve,
  checkRevocation,
  checkRevokedSubaccounts,
  checkStore,
  type RequestContext,
} from './storage-rpc/checks.ts'
export type { RequestForm } from './storage-rpc/fields.ts'
export {
  ANSWER_MAX_BYTES,
  ANSWER_MAX_HASHES,
  BATCH_MAX_REQUESTS,
  FORWARDED_TOLERANCE_MS,
  IFELSE_MAX_DEPTH,
  MESSAGE_MAX_BYTES,
  MONITOR_DURATION_MS,
  MONITOR_MAX_AGE_S,
  MONITOR_MAX_AHEAD_S,
  MONITOR_MAX_NAMESPACES,
  MONITOR_MAX_REQUESTS,
  NODE_LIST_MAX,
  REQUEST_MAX_BYTES,
  REQUEST_MAX_DEPTH,
  REQUEST_MAX_HASHES,
  REQUEST_MAX_VALUES,
  RETRIEVE_BUDGET_BYTES,
  RETRIEVE_DEFAULT_MAX_SIZE,
  RETRIEVE_MAX_MESSAGES,
  RETRIEVE_MESSAGE_OVERHEAD_BYTES,
  SIGNATURE_TOLERANCE_MS,
  STORE_CLOCK_TOLERANCE_MS,
  SUBACCOUNTS_MAX,
  SWARM_MAX_MEMBERS,
  TIMESTAMP_MIN_MS,
  TTL_MIN_MS,
} from './storage-rpc/limits.ts'
export { isMessageHash, messageHash } from './storage-rpc/message-hash.ts'
export {
  ACTIVE_NODE_BYTES,
  buildActiveNodesBin,
  decodeActiveNodes,
  encodeActiveNodes,
} from './storage-rpc/methods/active-nodes-bin.ts'
export { type BatchResult, buildBatch, encodeBatchResult, parseBatchResult } from './storage-rpc/methods/batch.ts'
export {
  buildDelete,
  type DeletedEntry,
  type DeleteOptions,
  type DeleteParams,
  type DeleteResult,
  encodeDelete,
  encodeDeletedEntry,
  parseDeleteResult,
} from './storage-rpc/methods/delete.ts'
export {
  type AllDeletedEntry,
  buildDeleteAll,
  type DeleteAllOptions,
  type DeleteAllParams,
  encodeAllDeletedEntry,
  encodeDeleteAll,
  parseDeleteAllResult,
} from './storage-rpc/methods/delete-all.ts'
export {
  buildDeleteBefore,
  type DeleteBeforeOptions,
  type DeleteBeforeParams,
  type DeletedBeforeEntry,
  encodeDeleteBefore,
  encodeDeletedBeforeEntry,
  parseDeleteBeforeResult,
} from './storage-rpc/methods/delete-before.ts'
export {
  buildExpire,
  cappedExpiryMs,
  type ExpiredEntry,
  type ExpiredMessages,
  type ExpireOptions,
  type ExpireParams,
  encodeExpire,
  encodeExpiredEntry,
  expiredEntryText,
  expireMode,
  parseExpireResult,
} from './storage-rpc/methods/expire.ts'
export {
  type AllExpiredEntry,
  buildExpireAll,
  type ExpireAllOptions,
  type ExpireAllParams,
  encodeAllExpiredEntry,
  encodeExpireAll,
  parseExpireAllResult,
} from './storage-rpc/methods/expire-all.ts'
export {
  buildGetExpiries,
  encodeExpiries,
  type GetExpiriesOptions,
  type GetExpiriesParams,
  parseGetExpiriesResult,
} from './storage-rpc/methods/get-expiries.ts'
export {
  buildGetSwarm,
  encodeSwarm,
  type GetSwarmParams,
  type GetSwarmResult,
  parseGetSwarmResult,
} from './storage-rpc/methods/get-swarm.ts'
export {
  buildIfelse,
  conditionHolds,
  encodeIfelseResult,
  type IfelseCondition,
  type IfelseOptions,
  type IfelseResult,
  type NodeCircumstances,
  parseIfelseResult,
} from './storage-rpc/methods/ifelse.ts'
export { buildInfo, encodeInfoResult, type InfoResult, parseInfoResult } from './storage-rpc/methods/info.ts'
export {
  buildMonitor,
  checkMonitor,
  decodeMonitor,
  encodeMonitor,
  isMonitorRefusal,
  MONITOR_ERROR,
  type MonitorOptions,
  type MonitorParams,
  type MonitorRefusal,
  type MonitorRequest,
} from './storage-rpc/methods/monitor.ts'
export {
  buildGetServiceNodes,
  type OxendEndpoint,
  type OxendRequestParams,
  parseServiceNodesResult,
} from './storage-rpc/methods/oxend-request.ts'
export {
  buildRetrieve,
  encodeRetrievedPage,
  parseRetrieveResult,
  type RetrievedMessage,
  type RetrievedPage,
  type RetrieveOptions,
  type RetrieveParams,
  type RetrieveResult,
} from './storage-rpc/methods/retrieve.ts'
export {
  type AskedRevocation,
  buildRevokeSubaccount,
  encodeRevokedEntry,
  encodeRevokeSubaccount,
  parseRevokeResult,
  type RevokeOptions,
  type RevokeParams,
} from './storage-rpc/methods/revoke-subaccount.ts'
export {
  buildRevokedSubaccounts,
  encodeRevokedSubaccounts,
  parseRevokedSubaccountsResult,
  type RevokedSubaccountsOptions,
  type RevokedSubaccountsParams,
  type RevokedSubaccountsResult,
} from './storage-rpc/methods/revoked-subaccounts.ts'
export { buildSequence, parseSequenceResult } from './storage-rpc/methods/sequence.ts'
export {
  buildStore,
  encodeStoredEntry,
  parseStoreResult,
  type StoredEntry,
  type StoreOptions,
  type StoreParams,
  type StoreResult,
} from './storage-rpc/methods/store.ts'
export {
  buildUnrevokeSubaccount,
  encodeUnrevokedEntry,
  encodeUnrevokeSubaccount,
  parseUnrevokeResult,
} from './storage-rpc/methods/unrevoke-subaccount.ts'
export {
  encodeMonitorEnd,
  encodeMonitorReply,
  encodeNotification,
  isSubscribed,
  type MonitorEnd,
  type MonitorMessage,
  type Notification,
  parseMonitorMessage,
  renewSubscription,
  type Subscription,
} from './storage-rpc/monitor-message.ts'
export { allHashes, type NamespacedHashes } from './storage-rpc/namespaced-hashes.ts'
export { type IfelseParams, type ParsedRequest, parseRequest } from './storage-rpc/parse-request.ts'
export {
  type DecodedRequest,
  decodeCommand,
  decodeRequest,
  encodeRequest,
  type ReceivedRequest,
  type RpcRequest,
  STORAGE_RPC_PATH,
} from './storage-rpc/rpc-request.ts'
export {
  changedText,
  deleteAllText,
  deleteBeforeText,
  deletedText,
  deleteText,
  type ExpiredParts,
  type ExpireMode,
  expireAllText,
  expiredText,
  expireText,
  getExpiriesText,
  monitorText,
  retrieveText,
  revokedSubaccountsText,
  revokedText,
  revokeText,
  storedText,
  storeText,
} from './storage-rpc/signed-text.ts'
export {
  type MemberAnswer,
  type MemberFailure,
  parseSignedAnswer,
  parseSwarmAnswer,
  type SignedAnswer,
  type SwarmAnswer,
} from './storage-rpc/swarm-answer.ts'
export { decodeAnswer, encodeAnswer, toBt, toJson } from './storage-rpc/wire-value.ts'
export { type GrantOptions, grantSubaccount, type SubaccountGrant } from './subaccount/grant.ts'
export {
  hasRights,
  revokedMayRetrieve,
  rightsToStore,
  type SubaccountFault,
  type SubaccountUse,
  subaccountFault,
} from './subaccount/permission.ts'
export {
  encodeSubaccountToken,
  parseSubaccountToken,
  SUBACCOUNT_RIGHT,
  SUBACCOUNT_TOKEN_BYTES,
  type SubaccountToken,
} from './subaccount/token.ts'
export { ACCOUNT_BYTES, nearestSwarm, swarmOf, swarmSpace } from './swarm/placement.ts'
