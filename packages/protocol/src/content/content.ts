/**
 * `Content`: the protobuf message that a V2 message carries. Field numbers are the wire; fields this version does not know are
 * kept and written again. Fields 7 and 14 are reserved.
 *
 * Implements CON-01, CON-02, CON-03.
 */
import {
  bytes,
  decodeMessage,
  EncodingError,
  encodeMessage,
  enumeration,
  int64,
  message,
  sfixed64,
  submessage,
  uint32,
  uint64,
  type ValueOfSchema,
} from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { dataMessageSchema } from './data-message.ts'
import {
  callSchema,
  dataExtractionSchema,
  messageRequestResponseSchema,
  receiptSchema,
  typingSchema,
  unsendRequestSchema,
} from './notice.ts'
import { proMessageSchema } from './pro.ts'

const sharedConfigSchema = message({
  /** 1 user profile, 2 contacts, 3 volatile conversation state, 4 user groups. */
  kind: enumeration(1).required(),
  seqno: int64(2).required(),
  data: bytes(3).required(),
})

const contentSchema = message({
  dataMessage: submessage(1, dataMessageSchema),
  callMessage: submessage(3, callSchema),
  receiptMessage: submessage(5, receiptSchema),
  typingMessage: submessage(6, typingSchema),
  dataExtractionNotification: submessage(8, dataExtractionSchema),
  unsendRequest: submessage(9, unsendRequestSchema),
  messageRequestResponse: submessage(10, messageRequestResponseSchema),
  sharedConfigMessage: submessage(11, sharedConfigSchema),
  /** See `ExpirationType`. */
  expirationType: enumeration(12),
  /** Seconds. */
  expirationTimer: uint32(13),
  /** Milliseconds since the epoch, when the sender sent it. */
  sigTimestamp: uint64(15),
  proMessage: submessage(16, proMessageSchema),
  proSigForCommunityMessageOnly: bytes(17),
  /** Eight random bytes that tell messages of one millisecond apart. */
  msgId: sfixed64(18),
})
export type Content = ValueOfSchema<typeof contentSchema>

/** The bytes of a content. Throws `bad-input` for a value that its field cannot hold. */
export function encodeContent(content: Content): Uint8Array {
  try {
    return encodeMessage(contentSchema, content)
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new ProtocolError('bad-input', 'CON-01', `the content cannot be encoded: ${cause.message}`, { cause })
  }
}

/** The content of its bytes. Throws `malformed`. */
export function decodeContent(encoded: Uint8Array): Content {
  try {
    return decodeMessage(contentSchema, encoded)
  } catch (cause) {
    if (!(cause instanceof EncodingError)) throw cause
    throw new ProtocolError('malformed', 'CON-01', `this is no message content: ${cause.message}`, { cause })
  }
}
