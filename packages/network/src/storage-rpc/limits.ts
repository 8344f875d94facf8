/** Every number that bounds a storage request. Times in milliseconds, sizes in bytes (RPC-10). */

/** A stored message, decoded. In base64 it is at most 102,400 characters. */
export const MESSAGE_MAX_BYTES = 76_800

export const TTL_MIN_MS = 10_000

/** A store's timestamp may be this far ahead of the node, and its expiry this far behind. */
export const STORE_CLOCK_TOLERANCE_MS = 10_000

/** A signature's timestamp may be this far from the node's time. */
export const SIGNATURE_TOLERANCE_MS = 60_000

/** The same for a delete_all or expire_all that another member of the swarm passes on: some time has gone by since. */
export const FORWARDED_TOLERANCE_MS = 70_000

/** Times below are taken for seconds by mistake. */
export const TIMESTAMP_MIN_MS = 1_000_000_000

/** Budget of one retrieve answer: the largest, and the share of it that is the default. */
export const RETRIEVE_BUDGET_BYTES = 7_800_000
export const RETRIEVE_DEFAULT_MAX_SIZE = -5

/** What a message costs of the budget beside its hash and body. */
export const RETRIEVE_MESSAGE_OVERHEAD_BYTES = 100

/** Requests within one batch or sequence. */
export const BATCH_MAX_REQUESTS = 20

/** How deep one ifelse may stand in another; the first is at depth 1. */
export const IFELSE_MAX_DEPTH = 5

/** Subaccounts in one request that revokes or readmits them, and revocations that a node keeps of an account. */
export const SUBACCOUNTS_MAX = 50

/** Body of an HTTP request. */
export const REQUEST_MAX_BYTES = 10_485_760

/** Values in a request in bt: enough for a batch of the longest lists of hashes. */
export const REQUEST_MAX_VALUES = 250_000

/** Nesting in a request in bt: the deepest ifelse with a batch in it. */
export const REQUEST_MAX_DEPTH = 24

/** Hashes in one request. A body of the largest size could hold about 220,000. */
export const REQUEST_MAX_HASHES = 10_000

/** Hashes of one member in an answer that a client reads at most: a body of the largest size holds no more. */
export const ANSWER_MAX_HASHES = 250_000

/** An answer that a client reads: a page of the whole budget, and what stands around it. */
export const ANSWER_MAX_BYTES = 10_485_760

/** Members of a swarm, and nodes of a list, that a client reads at most. */
export const SWARM_MAX_MEMBERS = 100
export const NODE_LIST_MAX = 10_000

/** Messages of one retrieve answer that a client reads at most: the budget holds no more. */
export const RETRIEVE_MAX_MESSAGES = 60_000

/** How long a subscription of `monitor` lasts unless renewed. */
export const MONITOR_DURATION_MS = 3_900_000

/** Seconds that the time of a subscription may lie behind the node's, and ahead of it. */
export const MONITOR_MAX_AGE_S = 1_209_600
export const MONITOR_MAX_AHEAD_S = 86_400

/** Subscriptions in one request, and namespaces in one of them. */
export const MONITOR_MAX_REQUESTS = 1_000
export const MONITOR_MAX_NAMESPACES = 256
