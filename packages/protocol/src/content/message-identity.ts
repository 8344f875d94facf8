/**
 * What makes two copies the same message: sender, `sigTimestamp` and `msgId` together. None of them alone will do: `msgId` is
 * chosen by the sender, who could repeat someone else's.
 *
 * Implements CON-04.
 */
import type { AccountId } from '../account/account-id.ts'
import type { Content } from './content.ts'

/** A key for de-duplication, equal for all copies of one message. Without a `msgId`, as older clients send, its place is empty. */
export function messageIdentity(sender: AccountId, content: Pick<Content, 'sigTimestamp' | 'msgId'>): string {
  const messageId = content.msgId === undefined ? '' : BigInt.asUintN(64, content.msgId).toString(16).padStart(16, '0')
  return `${sender}/${content.sigTimestamp ?? 0n}/${messageId}`
}
