/** The delivery plane: how opaque bytes travel. Pure functions, shared by client and node. */
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
export { errorOfStatus, errorOfTransport } from './retry.ts'
export {
  decodeServiceNode,
  decodeServiceNodes,
  encodeServiceNode,
  NO_SWARM,
  parseSwarmId,
  type ServiceNode,
  type SwarmId,
  serviceNodeUrl,
  swarmIdHex,
} from './service-node.ts'
export { type RequestSignature, type RequestSigner, verifyAccountSignature } from './storage-rpc/auth.ts'
export { checkDelete, checkRetrieve, checkStore } from './storage-rpc/checks.ts'
export {
  BATCH_MAX_REQUESTS,
  DELETE_MAX_HASHES,
  MESSAGE_MAX_BYTES,
  NODE_LIST_MAX,
  REQUEST_MAX_BYTES,
  RETRIEVE_BUDGET_BYTES,
  RETRIEVE_DEFAULT_MAX_SIZE,
  RETRIEVE_MAX_MESSAGES,
  RETRIEVE_MESSAGE_OVERHEAD_BYTES,
  SIGNATURE_TOLERANCE_MS,
  STORE_CLOCK_TOLERANCE_MS,
  SWARM_MAX_MEMBERS,
  TIMESTAMP_MIN_MS,
  TTL_MIN_MS,
} from './storage-rpc/limits.ts'
export { messageHash } from './storage-rpc/message-hash.ts'
export { type BatchResult, buildBatch, encodeBatchResult, parseBatch, parseBatchResult } from './storage-rpc/methods/batch.ts'
export {
  buildDelete,
  type DeletedEntry,
  type DeleteOptions,
  type DeleteParams,
  type DeleteResult,
  encodeDeletedEntry,
  parseDelete,
  parseDeleteResult,
} from './storage-rpc/methods/delete.ts'
export {
  buildGetSwarm,
  encodeSwarm,
  type GetSwarmParams,
  type GetSwarmResult,
  parseGetSwarm,
  parseGetSwarmResult,
} from './storage-rpc/methods/get-swarm.ts'
export { buildInfo, encodeInfoResult, type InfoResult, parseInfoResult } from './storage-rpc/methods/info.ts'
export {
  buildGetServiceNodes,
  type OxendRequestParams,
  parseOxendRequest,
  parseServiceNodesResult,
} from './storage-rpc/methods/oxend-request.ts'
export {
  buildRetrieve,
  encodeRetrievedPage,
  parseRetrieve,
  parseRetrieveResult,
  type RetrievedMessage,
  type RetrievedPage,
  type RetrieveOptions,
  type RetrieveParams,
  type RetrieveResult,
} from './storage-rpc/methods/retrieve.ts'
export { buildSequence, parseSequenceResult } from './storage-rpc/methods/sequence.ts'
export {
  buildStore,
  encodeStoredEntry,
  parseStore,
  parseStoreResult,
  type StoredEntry,
  type StoreOptions,
  type StoreParams,
  type StoreResult,
} from './storage-rpc/methods/store.ts'
export { type ParsedRequest, parseRequest } from './storage-rpc/parse-request.ts'
export { decodeRequest, encodeRequest, type RpcRequest, STORAGE_RPC_PATH } from './storage-rpc/rpc-request.ts'
export { deletedText, deleteText, retrieveText, storedText, storeText } from './storage-rpc/signed-text.ts'
export { type MemberAnswer, type MemberFailure, parseSwarmAnswer, type SwarmAnswer } from './storage-rpc/swarm-answer.ts'
export { ACCOUNT_BYTES, swarmOf, swarmSpace } from './swarm/placement.ts'
