/**
 * What makes two copies the same message: sender, `sigTimestamp` and `msgId` together. None of them alone will do: `msgId` is
 * chosen by the sender, who could repeat someone else's.
 *
 * Implements CON-04.
 */
import type { AccountId } from '../account/account-id.ts'
import type { Content } from './content.ts'
import { type MessageReference, saidMsgId } from './message-reference.ts'

/** A key for de-duplication, equal for all copies of one message. Without a `msgId`, as older clients send, its place is empty. */
export function messageIdentity(sender: AccountId, content: Pick<Content, 'sigTimestamp' | 'msgId'>): string {
  return identityText(sender, content.sigTimestamp ?? 0n, content.msgId)
}

/** The same key of a message by what names it. A reference with a `msgId` has the key of the message that it means. */
export function referenceIdentity({ author, sentAtMs, msgId }: MessageReference): string {
  return identityText(author, sentAtMs, msgId)
}

function identityText(author: AccountId, sentAtMs: number | bigint, msgId: bigint | undefined): string {
  const said = saidMsgId(msgId)
  return `${author}/${sentAtMs}/${said === undefined ? '' : BigInt.asUintN(64, said).toString(16).padStart(16, '0')}`
}
