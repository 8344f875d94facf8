/** What every content that is sent has: when, and which one it is. Implements CON-05, CON-07. */
import type { AccountId } from '../account/account-id.ts'
import type { Content } from './content.ts'
import { timeField } from './content-time.ts'
import { saidMsgId } from './message-reference.ts'

export interface Sending {
  /** Milliseconds since the epoch. */
  readonly sentAtMs: number
  /** See `msgIdOf`. The same in the recipient's copy and in one's own. */
  readonly msgId: bigint
}

/** `said` with its time and `msgId`. Throws `bad-input` for a time that is none. */
export function sentContent({ sentAtMs, msgId }: Sending, said: Content): Content {
  return { ...said, sigTimestamp: timeField('CON-07', sentAtMs, 'when a message is sent'), msgId: saidMsgId(msgId) }
}

/**
 * The copy of what goes to `recipient` for one's own devices: data messages name the recipient, an unsend request is the same. Of
 * everything else there is no copy (undefined), and of what one sends to oneself neither: there is one message.
 */
export function ownCopyOf(content: Content, self: AccountId, recipient: AccountId): Content | undefined {
  if (recipient === self) return undefined
  if (content.dataMessage !== undefined) return { ...content, dataMessage: { ...content.dataMessage, syncTarget: recipient } }
  return content.unsendRequest === undefined ? undefined : content
}
