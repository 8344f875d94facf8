/** What this node says it is: clients compare both numbers before they use newer methods (clause NODE-65). */

/** Version of the storage server whose behaviour this node has. */
export const VERSION = [2, 8, 0] as const

/** Hard fork and revision of the network. */
export const HARDFORK = [19, 3] as const

/** Value of the `Server` header field. */
export const SOFTWARE = `Session-V2 Storage Node/${VERSION.join('.')}`
