/** The short messages between clients: typing, receipts, calls, requests. Implements CON-02, CON-04. */
import { bool, bytes, enumeration, message, sfixed64, sint32, string, submessage, uint32, uint64 } from '@session-v2/encoding'
import { profileSchema } from './data-message.ts'

export const callSchema = message({
  /** 1 offer, 2 answer, 3 provisional answer, 4 ICE candidates, 5 end call, 6 pre-offer. */
  type: enumeration(1).required(),
  sdps: string(2).repeated(),
  sdpMLineIndexes: uint32(3).repeated(),
  sdpMids: string(4).repeated(),
  uuid: string(5).required(),
})

export const receiptSchema = message({
  /** 1 read. */
  type: enumeration(1).required(),
  /** `sigTimestamp` of each message. */
  timestamp: uint64(2).repeated(),
  /** `msgId` of each message, 0 for none. To be ignored unless there are as many as timestamps. */
  msgId: sfixed64(3).packed(),
})

export const typingSchema = message({
  timestamp: uint64(1).required(),
  /** 0 started, 1 stopped. */
  action: enumeration(2).required(),
})

export const dataExtractionSchema = message({
  /** 1 screenshot, 2 media saved. */
  type: enumeration(1).required(),
  timestamp: uint64(2),
  msgTimestamp: uint64(3),
  msgId: sfixed64(4),
  /** Which attachment of the message; -1 is all of them. */
  attIndex: sint32(5),
})

export const unsendRequestSchema = message({
  timestamp: uint64(1).required(),
  author: string(2).required(),
  msgId: sfixed64(3),
})

export const messageRequestResponseSchema = message({
  isApproved: bool(1).required(),
  profileKey: bytes(2),
  profile: submessage(3, profileSchema),
})
