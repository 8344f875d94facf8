/** `AttachmentPointer`: where an attachment lies and how to open it. Field 11, once a caption, is reserved. Implements CON-02. */
import { bytes, fixed64, message, string, uint32 } from '@session-v2/encoding'

export const attachmentSchema = message({
  /** Unused, but required by every reader: write zero. */
  deprecatedId: fixed64(1).required(),
  contentType: string(2),
  key: bytes(3),
  size: uint32(4),
  digest: bytes(6),
  fileName: string(7),
  /** Bit 0: a voice message. */
  flags: uint32(8),
  width: uint32(9),
  height: uint32(10),
  url: string(101),
})
