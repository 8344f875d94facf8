/**
 * The answer to a message request: that its sender accepts it.
 *
 *     Content.messageRequestResponse   1 isApproved   2 profileKey   3 profile
 *
 * Implements CON-25.
 */
import type { Content } from './content.ts'
import { profileFields, type SenderProfile } from './sender-profile.ts'
import { type Sending, sentContent } from './sending.ts'

/** That one accepts the other side's request, with one's profile. Throws `bad-input` for a profile that cannot be sent. */
export function requestResponseContent(sending: Sending, profile?: SenderProfile): Content {
  return sentContent(sending, { messageRequestResponse: { isApproved: true, ...profileFields(profile) } })
}
