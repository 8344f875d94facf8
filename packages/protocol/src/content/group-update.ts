/** `GroupUpdateMessage`: what changes in a group. Implements CON-02. */
import { bool, bytes, enumeration, message, string, submessage, uint32 } from '@session-v2/encoding'

const inviteSchema = message({
  groupSessionId: string(1).required(),
  name: string(2).required(),
  /** 100 bytes. */
  memberAuthData: bytes(3).required(),
  adminSignature: bytes(4).required(),
})

const infoChangeSchema = message({
  /** 1 name, 2 avatar, 3 disappearing messages. */
  type: enumeration(1).required(),
  updatedName: string(2),
  updatedExpiration: uint32(3),
  adminSignature: bytes(4).required(),
})

const memberChangeSchema = message({
  /** 1 added, 2 removed, 3 promoted. */
  type: enumeration(1).required(),
  memberSessionIds: string(2).repeated(),
  historyShared: bool(3),
  adminSignature: bytes(4).required(),
})

const promoteSchema = message({
  /** 32 bytes. */
  groupIdentitySeed: bytes(1).required(),
  name: string(2).required(),
})

const inviteResponseSchema = message({ isApproved: bool(1).required() })

const deleteMemberContentSchema = message({
  memberSessionIds: string(1).repeated(),
  messageHashes: string(2).repeated(),
  adminSignature: bytes(3),
})

/** A message whose presence says it all. */
const noticeSchema = message({})

export const groupUpdateSchema = message({
  inviteMessage: submessage(1, inviteSchema),
  infoChangeMessage: submessage(2, infoChangeSchema),
  memberChangeMessage: submessage(3, memberChangeSchema),
  promoteMessage: submessage(4, promoteSchema),
  memberLeftMessage: submessage(5, noticeSchema),
  inviteResponse: submessage(6, inviteResponseSchema),
  deleteMemberContent: submessage(7, deleteMemberContentSchema),
  memberLeftNotificationMessage: submessage(8, noticeSchema),
})
