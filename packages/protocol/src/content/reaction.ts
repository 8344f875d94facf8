/**
 * Reactions: one emoji that somebody puts on a message, or takes off again.
 *
 *     DataMessage.reaction   1 id  when the message was sent   2 author   3 emoji   4 action  0 put on, 1 taken off   5 msgId
 *
 * Implements CON-12, CON-13.
 */
import { encodeUtf8 } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import type { Content } from './content.ts'
import type { DataMessage } from './data-message.ts'
import { type MessageReference, readReference, referenceFields } from './message-reference.ts'
import { type Sending, sentContent } from './sending.ts'

/** The longest emoji that Unicode has is far shorter: 35 bytes. */
export const REACTION_EMOJI_MAX_BYTES = 64
/** Reactions that one sends within a minute at most. */
export const REACTIONS_PER_MINUTE = 20

const MINUTE_MS = 60_000
const ACTION = { add: 0, remove: 1 } as const
/** Of the form that Unicode (UTS 51) gives to emoji, with the tags of flags and joined ones, and without bare digits. */
const PICTURE = '(?:\\p{RI}{2}|\\p{Extended_Pictographic}\\ufe0f?\\p{Emoji_Modifier}?\\ufe0f?\\u20e3?[\\u{e0020}-\\u{e007f}]*)'
const ONE_EMOJI = new RegExp(`^(?:${PICTURE}(?:\\u200d${PICTURE})*|[0-9#*]\\ufe0f?\\u20e3)$`, 'u')

export interface Reaction {
  readonly target: MessageReference
  readonly emoji: string
  readonly action: 'add' | 'remove'
}

/** Whether a text is one emoji of at most 64 bytes. */
export function isReactionEmoji(text: string): boolean {
  return text.length <= REACTION_EMOJI_MAX_BYTES && ONE_EMOJI.test(text) && encodeUtf8(text).length <= REACTION_EMOJI_MAX_BYTES
}

/** A reaction as a content. Throws `bad-input` for what is no emoji, or a time that is none. */
export function reactionContent(sending: Sending, { target, emoji, action }: Reaction): Content {
  if (!isReactionEmoji(emoji)) throw new ProtocolError('bad-input', 'CON-12', 'a reaction is one emoji')
  const { timestamp, author, msgId } = referenceFields('CON-12', target)
  return sentContent(sending, { dataMessage: { reaction: { id: timestamp, author, emoji, action: ACTION[action], msgId } } })
}

/** The reaction of a data message that has one. Throws `malformed`. */
export function readReaction({ id, author, emoji, action, msgId }: NonNullable<DataMessage['reaction']>): Reaction {
  if (emoji === undefined || !isReactionEmoji(emoji)) throw new ProtocolError('malformed', 'CON-12', 'a reaction is no emoji')
  if (action !== ACTION.add && action !== ACTION.remove)
    throw new ProtocolError('malformed', 'CON-12', 'a reaction neither adds nor removes an emoji')
  return { target: readReference('CON-12', id, author, msgId), emoji, action: action === ACTION.add ? 'add' : 'remove' }
}

/** What decides between two reactions of one sender to one message with one emoji. */
export interface ReactionMoment {
  readonly sentAtMs: number
  readonly msgId?: bigint
  readonly action: 'add' | 'remove'
}

/**
 * Whether `said` stands against `known`, in whatever order they came: the later one, at the same time that with the greater
 * `msgId`.
 */
export function reactionSupersedes(said: ReactionMoment, known: ReactionMoment | undefined): boolean {
  if (known === undefined) return true
  if (said.sentAtMs !== known.sentAtMs) return said.sentAtMs > known.sentAtMs
  const [saidRank, knownRank] = [said, known].map(({ msgId }) => BigInt.asUintN(64, msgId ?? 0n)) as [bigint, bigint]
  if (saidRank !== knownRank) return saidRank > knownRank
  return said.action === 'remove' && known.action === 'add'
}

/** Whether one may react now, by the times of one's reactions so far: 20 within a minute. */
export function mayReact(reactedAtMs: readonly number[], nowMs: number): boolean {
  return reactedAtMs.filter(timeMs => timeMs > nowMs - MINUTE_MS && timeMs <= nowMs).length < REACTIONS_PER_MINUTE
}
