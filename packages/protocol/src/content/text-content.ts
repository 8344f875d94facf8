/** The content of a plain text message. Implements CON-05, CON-09. */
import type { AccountId } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import type { Content } from './content.ts'
import { msgIdOf } from './message-reference.ts'
import { requireText } from './message-text.ts'

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

/**
 * A text as a `Content`. Throws `bad-input` for a text of more than 2000 code points, a message id that has not 8 bytes or a time
 * that is not whole milliseconds.
 */
export function textContent(text: TextContent): Content {
  const msgId = msgIdOf(text.messageId)
  requireText(text.body)
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
    msgId,
  }
}
