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
export { type RequestSignature, type RequestSigner, SESSION_ID_PREFIX, verifyAccountSignature } from './storage-rpc/auth.ts'
export { checkDelete, checkRetrieve, checkStore } from './storage-rpc/checks.ts'
export * from './storage-rpc/limits.ts'
export { isMessageHash, messageHash } from './storage-rpc/message-hash.ts'
export { type BatchResult, buildBatch, buildSequence, parseBatch, parseBatchResult } from './storage-rpc/methods/batch.ts'
export {
  buildDelete,
  type DeleteOptions,
  type DeleteParams,
  type DeleteResult,
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
export { buildInfo, type InfoResult, parseInfoResult } from './storage-rpc/methods/info.ts'
export {
  buildGetServiceNodes,
  type OxendRequestParams,
  parseOxendRequest,
  parseServiceNodesResult,
} from './storage-rpc/methods/oxend-request.ts'
export {
  buildRetrieve,
  parseRetrieve,
  parseRetrieveResult,
  type RetrievedMessage,
  type RetrieveOptions,
  type RetrieveParams,
  type RetrieveResult,
} from './storage-rpc/methods/retrieve.ts'
export {
  buildStore,
  parseStore,
  parseStoreResult,
  type StoreOptions,
  type StoreParams,
  type StoreResult,
} from './storage-rpc/methods/store.ts'
export { type MethodName, type ParsedRequest, parseRequest } from './storage-rpc/parse-request.ts'
export { decodeRequest, encodeRequest, type RpcRequest, STORAGE_RPC_PATH, toRpcRequest } from './storage-rpc/rpc-request.ts'
export { deletedText, deleteText, retrieveText, storedText, storeText } from './storage-rpc/signed-text.ts'
export { type MemberAnswer, type MemberFailure, parseSwarmAnswer, type SwarmAnswer } from './storage-rpc/swarm-answer.ts'
export { ACCOUNT_BYTES, swarmOf, swarmSpace } from './swarm/placement.ts'
