/** The content of a plain text message. Implements CON-05. */
import { readUint64Le } from '@session-v2/encoding'
import type { AccountId } from '../account/account-id.ts'
import { ProtocolError, requireSize } from '../protocol-error.ts'
import type { Content } from './content.ts'

const MESSAGE_ID_BYTES = 8

export interface TextContent {
  readonly body: string
  /** Milliseconds since the epoch. */
  readonly sentAtMs: number
  /** 8 random bytes, the same in the recipient's copy and in one's own. */
  readonly messageId: Uint8Array
  /** In one's own copy: who the message went to. */
  readonly syncTarget?: AccountId
  /** How the sender wants to be called. */
  readonly displayName?: string
}

/** A text as a `Content`. Throws `bad-input` for a message id that has not 8 bytes or a time that is not whole milliseconds. */
export function textContent(text: TextContent): Content {
  requireSize(text.messageId, MESSAGE_ID_BYTES, 'CON-04', 'a message id')
  if (!(Number.isSafeInteger(text.sentAtMs) && text.sentAtMs >= 0)) {
    throw new ProtocolError('bad-input', 'CON-05', `${text.sentAtMs} is not a time in whole milliseconds since the epoch`)
  }
  return {
    dataMessage: {
      body: text.body,
      profile: text.displayName === undefined ? undefined : { displayName: text.displayName },
      syncTarget: text.syncTarget,
    },
    sigTimestamp: BigInt(text.sentAtMs),
    msgId: BigInt.asIntN(64, readUint64Le(text.messageId, 0)),
  }
}
