/**
 * The config of one's own profile and the conversation with oneself:
 *
 *     n  name, text                              p  q  picture
 *     t  when it was last changed, s             P  Q  the picture, uploaded again    T  when, s
 *     +  priority of the note to self: −1 hidden, above 0 pinned
 *     e  timer of the note to self, s            M  message requests of blinded accounts: 1, 0, or absent
 *
 * All other keys stay as they are. Times are written when the caller has one: clients of before do not know them.
 *
 * Implements CFG-31, CFG-32.
 */
import { equalBytes } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import {
  type ConfigPicture,
  cutName,
  numberField,
  pictureField,
  positiveField,
  textField,
  withField,
  withNumber,
  withPicture,
  withText,
} from './field.ts'
import { type ConfigDict, equalValues } from './value.ts'

export interface UserProfile {
  readonly name?: string
  /** That which others shall load: uploaded again, if it was since the profile changed. */
  readonly picture?: ConfigPicture
  /** Seconds since the epoch. */
  readonly changedAtS?: number
  /** −1: hidden; above 0: pinned; 0: neither. */
  readonly noteToSelfPriority: number
  /** Seconds; 0: messages stay. */
  readonly noteToSelfTimerS: number
  /** undefined: never decided. */
  readonly acceptsBlindedRequests?: boolean
}

/** The profile that a config says. Fields of a wrong kind are absent. */
export function userProfileOf(data: ConfigDict): UserProfile {
  const name = textField(data, 'n')
  const again = pictureField(data, 'P', 'Q')
  const changedAtS = positiveField(data, 't')
  const uploadedAtS = positiveField(data, 'T') ?? 0
  const picture = again !== undefined && uploadedAtS > (changedAtS ?? 0) ? again : pictureField(data, 'p', 'q')
  const accepts = data.get('M')
  return {
    ...(name === undefined ? {} : { name }),
    ...(picture === undefined ? {} : { picture }),
    ...(changedAtS === undefined ? {} : { changedAtS: Math.max(changedAtS, uploadedAtS) }),
    noteToSelfPriority: numberField(data, '+') ?? 0,
    noteToSelfTimerS: positiveField(data, 'e') ?? 0,
    ...(typeof accepts === 'bigint' ? { acceptsBlindedRequests: accepts !== 0n } : {}),
  }
}

/** With another name, cut to 100 bytes; "" takes it away. `nowS`: seconds since the epoch. */
export function withProfileName(data: ConfigDict, name: string, nowS?: number): ConfigDict {
  return stamped(data, withText(data, 'n', cutName(name)), nowS)
}

/** With another picture, or none. Throws `bad-input` for one that cannot be. */
export function withProfilePicture(data: ConfigDict, picture: ConfigPicture | undefined, nowS?: number): ConfigDict {
  const held = pictureField(data, 'p', 'q')
  if (held !== undefined && picture !== undefined && held.url === picture.url && equalBytes(held.key, picture.key)) return data
  const changed = withPicture(data, 'p', 'q', picture)
  const cleared = picture === undefined ? withPicture(changed, 'P', 'Q', undefined) : changed
  return nowS === undefined || cleared === data ? cleared : withNumber(cleared, 't', nowS)
}

/** With the same picture uploaded again at `nowS`, seconds since the epoch. */
export function withReuploadedPicture(data: ConfigDict, picture: ConfigPicture, nowS: number): ConfigDict {
  return withNumber(withPicture(data, 'P', 'Q', picture), 'T', nowS)
}

/** With the note to self hidden (−1), pinned (above 0) or neither (0). */
export function withNoteToSelfPriority(data: ConfigDict, priority: number): ConfigDict {
  return withNumber(data, '+', priority)
}

/** With a timer for the note to self, in seconds; 0 for none. */
export function withNoteToSelfTimer(data: ConfigDict, timerS: number): ConfigDict {
  if (timerS < 0) throw new ProtocolError('bad-input', 'CFG-31', `${timerS} s is no timer`)
  return withNumber(data, 'e', timerS)
}

/** With message requests of blinded accounts accepted or not. Not to accept them is written as 0. */
export function withBlindedRequests(data: ConfigDict, accepts: boolean, nowS?: number): ConfigDict {
  return stamped(data, withField(data, 'M', accepts ? 1n : 0n), nowS)
}

/** With the time of a change, if it is one. Where the picture was uploaded again since, that time is moved: it must stay the later. */
function stamped(before: ConfigDict, after: ConfigDict, nowS: number | undefined): ConfigDict {
  if (nowS === undefined || equalValues(before, after)) return after
  const reuploadedSince = (numberField(after, 't') ?? 0) < (numberField(after, 'T') ?? 0)
  return withNumber(after, reuploadedSince ? 'T' : 't', nowS)
}
