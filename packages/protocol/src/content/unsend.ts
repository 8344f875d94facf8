/**
 * Taking a message back: from everyone who has it, or from all devices of one's own.
 *
 *     Content.unsendRequest   1 timestamp  when the message was sent   2 author   3 msgId
 *
 * Implements CON-14, CON-15.
 */
import type { AccountId } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import type { Content } from './content.ts'
import { type MessageReference, readReference, referenceFields } from './message-reference.ts'
import { type Sending, sentContent } from './sending.ts'

/** To whom an unsend request goes, and so whom it binds. */
export type UnsendScope = 'everyone' | 'own-devices'

/**
 * The request that takes a message back. Both scopes send it to one's own swarm; `everyone` sends it to the other side too, which
 * takes back only what is one's own: throws `bad-input` for a message by another author, or a time that is none.
 */
export function unsendContent(sending: Sending, self: AccountId, scope: UnsendScope, target: MessageReference): Content {
  if (scope === 'everyone' && target.author !== self)
    throw new ProtocolError('bad-input', 'CON-14', 'only its author takes a message back from everyone')
  return sentContent(sending, { unsendRequest: referenceFields('CON-14', target) })
}

/**
 * The message that `sender` takes back. Throws `malformed` for the form, and where `sender`, another account, takes back what is
 * not his.
 */
export function readUnsend(
  request: NonNullable<Content['unsendRequest']>,
  sender: AccountId,
  self: AccountId,
): { readonly target: MessageReference } {
  const target = readReference('CON-14', request.timestamp, request.author, request.msgId)
  if (sender !== self && target.author !== sender)
    throw new ProtocolError('malformed', 'CON-14', 'a message is taken back by somebody who did not write it')
  return { target }
}
