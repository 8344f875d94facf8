/**
 * The config of contacts: under `c` a dict of account IDs (33 bytes), each a dict of
 *
 *     n  name, always there, "" too      N  nickname       p  q  picture         t  when the profile changed, s
 *     a  approved by us                  A  approved us    b  blocked
 *     +  priority: −1 hidden, above 0 pinned               j  since when, s
 *     @  notifications: 1 all, 2 none    !  muted until, s
 *     e  disappearing: 1 after send, 2 after read          E  its timer, s; both or neither
 *
 * All other keys stay as they are. A contact that is deleted leaves nothing behind.
 *
 * Implements CFG-33, CFG-34.
 */

import { x25519PublicKey } from '@session-v2/crypto'
import { byteKey, encodeUtf8, keyBytes } from '@session-v2/encoding'
import { type AccountId, accountIdBytes, accountIdOf } from '../account/account-id.ts'
import { ProtocolError } from '../protocol-error.ts'
import { valueAt, withValue } from './edit.ts'
import {
  type ConfigPicture,
  cutName,
  flagField,
  numberField,
  pictureField,
  positiveField,
  textField,
  withField,
  withFlag,
  withNumber,
  withPicture,
  withText,
} from './field.ts'
import { type ConfigDict, EMPTY_DICT, isDict } from './value.ts'

const LIST = 'c'
const ACCOUNT_ID_BYTES = 33
const ACCOUNT_PREFIX = 0x05
const MODES = ['off', 'after-send', 'after-read'] as const
const NOTIFICATIONS = ['default', 'all', 'none'] as const
/** Written by clients that know mentions; contacts have none. */
const NOTIFY_MENTIONS = 3
/** Times above are in microseconds or milliseconds: clients exist that wrote them. */
const MICROSECONDS_ABOVE = 9_000_000_000_000
const MILLISECONDS_ABOVE = 9_000_000_000

/** Times in seconds since the epoch, 0 where there is none. */
export interface Contact {
  /** At most 100 bytes; longer ones are cut. */
  readonly name: string
  readonly nickname: string
  readonly picture?: ConfigPicture
  readonly profileChangedAtS: number
  readonly approved: boolean
  readonly approvedMe: boolean
  readonly blocked: boolean
  /** −1: hidden; above 0: pinned; 0: neither. */
  readonly priority: number
  readonly notifications: (typeof NOTIFICATIONS)[number]
  readonly mutedUntilS: number
  readonly createdAtS: number
  /** `off` exactly when the timer is 0. */
  readonly disappearing: (typeof MODES)[number]
  readonly timerS: number
}

/** The contact of an account; undefined when it is none. */
export function contactOf(data: ConfigDict, id: AccountId): Contact | undefined {
  const entry = valueAt(data, pathOf(id))
  return entry !== undefined && isDict(entry) ? parseContact(entry) : undefined
}

/** All contacts. Entries under what is no account ID are left out. */
export function contactsOf(data: ConfigDict): ReadonlyMap<AccountId, Contact> {
  const list = data.get(LIST)
  const entries: readonly (readonly [string, unknown])[] = list !== undefined && isDict(list) ? [...list] : []
  return new Map(
    entries.flatMap(([key, entry]) => {
      if (key.length !== ACCOUNT_ID_BYTES || key.charCodeAt(0) !== ACCOUNT_PREFIX || !isDict(entry)) return []
      return [[accountIdOf(x25519PublicKey(keyBytes(key).subarray(1))), parseContact(entry)] as const]
    }),
  )
}

function parseContact(entry: ConfigDict): Contact {
  const picture = pictureField(entry, 'p', 'q')
  const notify = positiveField(entry, '@') ?? 0
  const timerS = positiveField(entry, 'E') ?? 0
  const mode = MODES[positiveField(entry, 'e') ?? 0] ?? 'off'
  const disappears = timerS > 0 && mode !== 'off'
  return {
    name: textField(entry, 'n') ?? '',
    nickname: textField(entry, 'N') ?? '',
    ...(picture === undefined ? {} : { picture }),
    profileChangedAtS: positiveField(entry, 't') ?? 0,
    approved: flagField(entry, 'a'),
    approvedMe: flagField(entry, 'A'),
    blocked: flagField(entry, 'b'),
    priority: numberField(entry, '+') ?? 0,
    notifications: notify === NOTIFY_MENTIONS ? 'all' : (NOTIFICATIONS[notify] ?? 'default'),
    mutedUntilS: secondsOf(positiveField(entry, '!') ?? 0),
    createdAtS: secondsOf(positiveField(entry, 'j') ?? 0),
    disappearing: disappears ? mode : 'off',
    timerS: disappears ? timerS : 0,
  }
}

/** With what `change` says of a contact changed, which is made if there is none. Throws `bad-input` for a value that cannot be. */
export function withContact(
  data: ConfigDict,
  id: AccountId,
  change: Partial<Contact> & { readonly picture?: undefined | ConfigPicture },
): ConfigDict {
  const held = valueAt(data, pathOf(id))
  const entry: ConfigDict = held !== undefined && isDict(held) ? held : EMPTY_DICT
  return withValue(data, pathOf(id), changed(entry, change))
}

/** Without a contact. */
export function withoutContact(data: ConfigDict, id: AccountId): ConfigDict {
  return withValue(data, pathOf(id), undefined)
}

function changed(entry: ConfigDict, change: Partial<Contact>): ConfigDict {
  const next = { ...parseContact(entry), ...change }
  const off = next.disappearing === 'off' || next.timerS === 0
  for (const number of [next.profileChangedAtS, next.mutedUntilS, next.createdAtS, next.timerS]) {
    if (number < 0) throw new ProtocolError('bad-input', 'CFG-33', `${number} is no time and no timer of a contact`)
  }
  let written = withField(entry, 'n', encodeUtf8(cutName(next.name)))
  written = withText(written, 'N', cutName(next.nickname))
  if ('picture' in change) written = withPicture(written, 'p', 'q', change.picture)
  written = withNumber(written, 't', next.profileChangedAtS)
  written = withFlag(written, 'a', next.approved)
  written = withFlag(written, 'A', next.approvedMe)
  written = withFlag(written, 'b', next.blocked)
  written = withNumber(written, '+', next.priority)
  written = withNumber(written, '@', NOTIFICATIONS.indexOf(next.notifications))
  written = withNumber(written, '!', next.mutedUntilS)
  written = withNumber(written, 'j', next.createdAtS)
  written = withNumber(written, 'e', off ? 0 : MODES.indexOf(next.disappearing))
  return withNumber(written, 'E', off ? 0 : next.timerS)
}

function secondsOf(time: number): number {
  if (time > MICROSECONDS_ABOVE) return Math.floor(time / 1_000_000)
  return time > MILLISECONDS_ABOVE ? Math.floor(time / 1000) : time
}

function pathOf(id: AccountId): readonly [string, string] {
  return [LIST, byteKey(accountIdBytes(id))]
}
