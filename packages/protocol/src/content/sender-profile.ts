/**
 * What the sender of a message says of himself: his name, his picture, and when he last changed either.
 *
 *     profile      1 displayName   2 profilePicture  URL   3 lastProfileUpdateSeconds
 *     profileKey   the key of the picture, 32 bytes: field 6 of a data message, 2 of a request response
 *
 * Implements CON-19, CON-20.
 */
import { cutUtf8, decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import { ProtocolError, requireSize } from '../protocol-error.ts'
import type { DataMessage } from './data-message.ts'

export const DISPLAY_NAME_MAX_BYTES = 100
export const PROFILE_PICTURE_URL_MAX_BYTES = 223
const PICTURE_KEY_BYTES = 32

export interface ProfilePicture {
  /** 1 to 223 bytes. */
  readonly url: string
  /** 32 bytes. */
  readonly key: Uint8Array
}

export interface SenderProfile {
  /** 1 to 100 bytes of UTF-8. Missing when the sender does not say it. */
  readonly displayName?: string
  /** Missing when he has none. */
  readonly picture?: ProfilePicture
  /** Seconds since the epoch. Older clients do not say it. */
  readonly updatedAtS?: number
}

type ProfileFields = Pick<DataMessage, 'profile' | 'profileKey'>

/**
 * A profile as the fields of the message around it. Throws `bad-input` for a name, a URL, a key or a time that it cannot have.
 */
export function profileFields(said: SenderProfile | undefined): ProfileFields {
  if (said === undefined) return {}
  const { displayName, picture, updatedAtS } = said
  if (displayName !== undefined) requireBytes(displayName, DISPLAY_NAME_MAX_BYTES, 'a name')
  if (updatedAtS !== undefined && !(Number.isSafeInteger(updatedAtS) && updatedAtS > 0))
    throw new ProtocolError('bad-input', 'CON-19', `${updatedAtS} is not a time in whole seconds since the epoch`)
  const profile = { displayName, lastProfileUpdateSeconds: updatedAtS === undefined ? undefined : BigInt(updatedAtS) }
  if (picture === undefined) return { profile }
  requireBytes(picture.url, PROFILE_PICTURE_URL_MAX_BYTES, 'the URL of a picture')
  requireSize(picture.key, PICTURE_KEY_BYTES, 'CON-19', 'the key of a picture')
  return { profile: { ...profile, profilePicture: picture.url }, profileKey: picture.key }
}

/**
 * The profile in these fields, or undefined when nothing is said. What in it cannot be used is left out: it never costs the
 * message.
 */
export function readProfile({ profile, profileKey }: ProfileFields): SenderProfile | undefined {
  if (profile === undefined) return undefined
  const { displayName = '', profilePicture = '', lastProfileUpdateSeconds: updated = 0n } = profile
  const name = decodeUtf8(cutUtf8(encodeUtf8(displayName), DISPLAY_NAME_MAX_BYTES))
  const isPicture = profilePicture !== '' && profileKey?.length === PICTURE_KEY_BYTES && hasAtMost(profilePicture)
  return {
    ...(name === '' ? {} : { displayName: name }),
    ...(isPicture ? { picture: { url: profilePicture, key: profileKey } } : {}),
    ...(updated > 0n && updated <= BigInt(Number.MAX_SAFE_INTEGER) ? { updatedAtS: Number(updated) } : {}),
  }
}

/**
 * Whether a profile that came replaces the one that is known, which was changed at `knownAtS` (seconds since the epoch; undefined
 * for no time). A profile without a time replaces one without a time.
 */
export function profileSupersedes(said: SenderProfile, knownAtS: number | undefined): boolean {
  if (said.updatedAtS === undefined) return knownAtS === undefined
  return said.updatedAtS > (knownAtS ?? 0)
}

function requireBytes(text: string, maxBytes: number, noun: string): void {
  const sizeBytes = text.isWellFormed() ? encodeUtf8(text).length : 0
  if (sizeBytes === 0 || sizeBytes > maxBytes)
    throw new ProtocolError('bad-input', 'CON-19', `${noun} is a text of 1 to ${maxBytes} bytes`)
}

function hasAtMost(url: string): boolean {
  return url.length <= PROFILE_PICTURE_URL_MAX_BYTES && encodeUtf8(url).length <= PROFILE_PICTURE_URL_MAX_BYTES
}
