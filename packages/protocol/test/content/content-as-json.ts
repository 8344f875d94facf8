/** What a content says as the vectors write it, and back. */
import { decodeHex, encodeHex, readUint64Le, uint64Le } from '@session-v2/encoding'
import type { ConversationContent, Expiry, MessageReference, SenderProfile } from '@session-v2/protocol'
import { parseAccountId } from '@session-v2/protocol'

export interface ReferenceJson {
  readonly author: string
  readonly sent_at_ms: number
  readonly msg_id?: string
}

/** The eight bytes of the wire as a `msgId`. */
export function msgIdOfHex(hex: string): bigint {
  return BigInt.asIntN(64, readUint64Le(decodeHex(hex), 0))
}

export function referenceOf({ author, sent_at_ms, msg_id }: ReferenceJson): MessageReference {
  const msgId = msg_id === undefined ? {} : { msgId: msgIdOfHex(msg_id) }
  return { author: parseAccountId(author), sentAtMs: sent_at_ms, ...msgId }
}

/** The message, the conversation, and what is said, in one. */
export function contentJson({ said, message, conversation, expiry, profile }: ConversationContent): object {
  return {
    ...referenceJson(message),
    ...(conversation === undefined ? {} : { conversation }),
    ...(expiry === undefined ? {} : { expiry: expiryJson(expiry) }),
    ...(profile === undefined ? {} : { profile: profileJson(profile) }),
    ...saidJson(said),
  }
}

function saidJson(said: ConversationContent['said']): object {
  switch (said.kind) {
    case 'message': {
      const { kind, body, attachments, quote } = said
      const reply = quote === undefined ? {} : { quote: quote === 'unresolvable' ? quote : referenceJson(quote) }
      return { kind, body, attachments: attachments.length, ...reply }
    }
    case 'reaction':
    case 'unsend':
      return { ...said, target: referenceJson(said.target) }
    case 'timer-change':
      return said.setting === undefined ? { kind: said.kind } : { kind: said.kind, setting: expiryJson(said.setting) }
    case 'read':
      return { kind: said.kind, messages: said.messages.map(referenceJson) }
    case 'data-extraction':
      return 'message' in said && said.message !== undefined ? { ...said, message: referenceJson(said.message) } : { ...said }
    default:
      return said
  }
}

function referenceJson({ sentAtMs, msgId, ...author }: Omit<MessageReference, 'author'> & { readonly author?: string }): object {
  return {
    ...author,
    sent_at_ms: sentAtMs,
    ...(msgId === undefined ? {} : { msg_id: encodeHex(uint64Le(BigInt.asUintN(64, msgId))) }),
  }
}

function expiryJson({ mode, timerS }: Expiry): object {
  return { mode, timer_s: timerS }
}

function profileJson({ displayName, picture, updatedAtS }: SenderProfile): object {
  return {
    ...(displayName === undefined ? {} : { display_name: displayName }),
    ...(picture === undefined ? {} : { picture: { url: picture.url, key: encodeHex(picture.key) } }),
    ...(updatedAtS === undefined ? {} : { updated_at_s: updatedAtS }),
  }
}
