/** Every number that bounds an onion request and its reply. Sizes in bytes (ON-01, ON-03, ON-40). */

/** Path of onion requests at a node. */
export const ONION_REQUEST_PATH = '/onion_req/v2'

/** The control of a frame: its JSON text, and how deep that nests. */
export const CONTROL_MAX_BYTES = 16_384
export const CONTROL_MAX_DEPTH = 16

/** The largest `hop_no` with which a node still passes a request on; the guard has 0. */
export const HOP_NO_MAX = 15

/** The body of a reply as it arrives. The largest page of messages is about 11 MB there. */
export const ONION_REPLY_MAX_BYTES = 16_777_216
