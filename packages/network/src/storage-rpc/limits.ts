/** Every number that bounds a storage request. Times in milliseconds, sizes in bytes (RPC-10). */

/** A stored message, decoded. In base64 it is at most 102,400 characters. */
export const MESSAGE_MAX_BYTES = 76_800

export const TTL_MIN_MS = 10_000

/** A store's timestamp may be this far ahead of the node, and its expiry this far behind. */
export const STORE_CLOCK_TOLERANCE_MS = 10_000

/** A signature's timestamp may be this far from the node's time. */
export const SIGNATURE_TOLERANCE_MS = 60_000

/** Times below are taken for seconds by mistake. */
export const TIMESTAMP_MIN_MS = 1_000_000_000

/** Budget of one retrieve answer: the largest, and the share of it that is the default. */
export const RETRIEVE_BUDGET_BYTES = 7_800_000
export const RETRIEVE_DEFAULT_MAX_SIZE = -5

/** What a message costs of the budget beside its hash and body. */
export const RETRIEVE_MESSAGE_OVERHEAD_BYTES = 100

/** Requests within one batch or sequence. */
export const BATCH_MAX_REQUESTS = 20

/** Body of an HTTP request. */
export const REQUEST_MAX_BYTES = 10_485_760

/** Hashes in one delete. A body of the largest size could hold about 220,000. */
export const DELETE_MAX_HASHES = 10_000

/** Members of a swarm, and nodes of a list, that a client reads at most. */
export const SWARM_MAX_MEMBERS = 100
export const NODE_LIST_MAX = 10_000

/** Messages of one retrieve answer that a client reads at most: the budget holds no more. */
export const RETRIEVE_MAX_MESSAGES = 60_000
