/** `DataMessage`: what people write to one another. Fields 3, 5, 7 and 104 are reserved. Implements CON-02, CON-04. */
import {
  bool,
  bytes,
  enumeration,
  message,
  sfixed64,
  string,
  submessage,
  uint32,
  uint64,
  type ValueOfSchema,
} from '@session-v2/encoding'
import { attachmentSchema } from './attachment.ts'
import { groupUpdateSchema } from './group-update.ts'

/** The values of `Content.expirationType`. */
export const ExpirationType = { unknown: 0, deleteAfterRead: 1, deleteAfterSend: 2 } as const

export const profileSchema = message({
  displayName: string(1),
  /** URL of the picture; its key is `profileKey` of the message around. */
  profilePicture: string(2),
  lastProfileUpdateSeconds: uint64(3),
})

const quotedAttachmentSchema = message({
  contentType: string(1),
  fileName: string(2),
  thumbnail: submessage(3, attachmentSchema),
  flags: uint32(4),
})

const quoteSchema = message({
  /** `sigTimestamp` of the quoted message. */
  id: uint64(1).required(),
  /** Account ID. */
  author: string(2).required(),
  /** Old clients: the quoted text itself. */
  text: string(3),
  attachments: submessage(4, quotedAttachmentSchema).repeated(),
  msgId: sfixed64(5),
})

const previewSchema = message({ url: string(1).required(), title: string(2), image: submessage(3, attachmentSchema) })

const reactionSchema = message({
  /** `sigTimestamp` of the message reacted to. */
  id: uint64(1).required(),
  author: string(2).required(),
  emoji: string(3),
  /** 0 react, 1 remove. */
  action: enumeration(4).required(),
  msgId: sfixed64(5),
})

const communityInvitationSchema = message({ url: string(1).required(), name: string(3).required() })

export const dataMessageSchema = message({
  body: string(1),
  attachments: submessage(2, attachmentSchema).repeated(),
  /** Bit 1: the expiration timer was changed. */
  flags: uint32(4),
  profileKey: bytes(6),
  quote: submessage(8, quoteSchema),
  preview: submessage(10, previewSchema).repeated(),
  reaction: submessage(11, reactionSchema),
  profile: submessage(101, profileSchema),
  communityInvitation: submessage(102, communityInvitationSchema),
  /** In the copy for one's own devices: the account ID that the message went to. */
  syncTarget: string(105),
  blocksCommunityMessageRequests: bool(106),
  groupUpdateMessage: submessage(120, groupUpdateSchema),
})
export type DataMessage = ValueOfSchema<typeof dataMessageSchema>
