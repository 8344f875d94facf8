/**
 * The config of groups and communities. Both have
 *
 *     @  notifications: 1 all, 2 none, 3 mentions     !  muted until, s      +  priority: −1 hidden, above 0 pinned
 *     i  invited, flag                                j  joined, s           n  name, or the room as it is written
 *
 * Under  g  by group ID (33 bytes, 03), besides these
 *              K  the seed of the group (32 bytes) of who is admin, else empty; always there
 *              s  what a member proves its membership with (100 bytes)       r  1: removed from it, 2: it was destroyed
 *        o  by base URL: under # the server's key (32 bytes), and under R by room in lower case
 *
 * All other keys stay as they are, legacy groups (under C) among them.
 *
 * Implements CFG-37, CFG-38.
 */
import { type Crypto, ed25519KeyPair, Secret } from '@session-v2/crypto'
import { byteKey, copyBytes, decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { valueAt, withValue } from './edit.ts'
import { cutName, flagField, numberField, positiveField, textField, withField, withFlag, withNumber, withText } from './field.ts'
import { type ConfigDict, EMPTY_DICT, isDict } from './value.ts'

const SEED_BYTES = 32
const AUTH_BYTES = 100
const SERVER_KEY_BYTES = 32
const NOTIFICATIONS = ['default', 'all', 'none', 'mentions'] as const
const MEMBERSHIPS = ['member', 'kicked', 'destroyed'] as const
const GROUP_ID_FORM = /^03[0-9a-f]{64}$/

/** What groups and communities have in common. Times in seconds since the epoch, 0 where there is none. */
export interface GroupSettings {
  /** Of a group: its name, cut to 100 bytes. Of a community: the room, as its name is written. */
  readonly name: string
  readonly notifications: (typeof NOTIFICATIONS)[number]
  readonly mutedUntilS: number
  /** −1: hidden; above 0: pinned; 0: neither. */
  readonly priority: number
  readonly invited: boolean
  readonly joinedAtS: number
}

export interface UserGroup extends GroupSettings {
  readonly membership: (typeof MEMBERSHIPS)[number]
  /** Of an admin, 32 bytes; it is that of the group. */
  readonly seed?: Secret<'ed25519-seed'>
  /** Of a member, 100 bytes. */
  readonly authData?: Secret<'group-auth'>
}

/** The group of an ID (66 hexadecimal digits); undefined when there is none. A seed that is of another group is not returned. */
export function userGroupOf(crypto: Crypto, data: ConfigDict, id: string): UserGroup | undefined {
  const entry = valueAt(data, groupPath(id))
  if (entry === undefined || !isDict(entry)) return undefined
  const held = entry as ConfigDict
  const seed = secretField(held, 'K', SEED_BYTES, 'ed25519-seed')
  const authData = secretField(held, 's', AUTH_BYTES, 'group-auth')
  return {
    ...parseSettings(held),
    membership: MEMBERSHIPS[positiveField(held, 'r') ?? 0] ?? 'member',
    ...(seed !== undefined && isSeedOf(crypto, seed, id) ? { seed } : {}),
    ...(authData === undefined ? {} : { authData }),
  }
}

/**
 * With what `change` says of a group changed. Who is kicked, or whose group is destroyed, loses seed and proof; who is invited again is no
 * longer kicked. Throws `bad-input` for what cannot be.
 */
export function withUserGroup(crypto: Crypto, data: ConfigDict, id: string, change: Partial<UserGroup>): ConfigDict {
  const path = groupPath(id)
  const held = userGroupOf(crypto, data, id)
  const entry = (held === undefined ? EMPTY_DICT : valueAt(data, path)) as ConfigDict
  const welcome = change.invited === true && held?.membership === 'kicked' ? { membership: 'member' as const } : {}
  const next = { membership: 'member' as const, ...held, ...welcome, ...change }
  const removed = next.membership !== 'member'
  let written = withSettings(entry, { ...parseSettings(entry), ...change, name: cutName(next.name ?? '') })
  written = withNumber(written, 'r', MEMBERSHIPS.indexOf(next.membership))
  const seed = removed ? undefined : next.seed
  if (seed !== undefined && !isSeedOf(crypto, seed, id))
    throw new ProtocolError('bad-input', 'CFG-37', 'the seed is not that of the group')
  written = withField(written, 'K', seed === undefined ? new Uint8Array(0) : copyBytes(seed.expose()))
  if (seed === undefined) {
    const authData = removed ? undefined : next.authData
    if (authData !== undefined && authData.sizeBytes !== AUTH_BYTES)
      throw new ProtocolError(
        'bad-input',
        'CFG-37',
        `a proof of membership has ${authData.sizeBytes} bytes instead of ${AUTH_BYTES}`,
      )
    written = withField(written, 's', authData === undefined ? undefined : copyBytes(authData.expose()))
  }
  return withValue(data, path, written)
}

/** Without a group. */
export function withoutUserGroup(data: ConfigDict, id: string): ConfigDict {
  return withValue(data, groupPath(id), undefined)
}

/** A community's room and what is set for it; undefined when there is none. The room is found in any case of letters. */
export function communityOf(
  data: ConfigDict,
  baseUrl: string,
  room: string,
): (GroupSettings & { serverKey: Uint8Array }) | undefined {
  const server = serverPath(baseUrl)
  const entry = valueAt(data, [...server, 'R', roomKey(room)])
  const serverKey = valueAt(data, [...server, '#'])
  if (entry === undefined || !isDict(entry) || !(serverKey instanceof Uint8Array && serverKey.length === SERVER_KEY_BYTES))
    return undefined
  return { ...parseSettings(entry), serverKey }
}

/** With what `change` says of a community's room changed. `baseUrl` in canonical form. Throws `bad-input` for a key of another size. */
export function withCommunity(
  data: ConfigDict,
  baseUrl: string,
  room: string,
  change: Partial<GroupSettings> & { readonly serverKey: Uint8Array },
): ConfigDict {
  if (change.serverKey.length !== SERVER_KEY_BYTES)
    throw new ProtocolError('bad-input', 'CFG-38', 'the key of a community has not 32 bytes')
  const path = [...serverPath(baseUrl), 'R', roomKey(room)]
  const held = valueAt(data, path)
  const entry: ConfigDict = held !== undefined && isDict(held) ? held : EMPTY_DICT
  const written = withSettings(entry, { ...parseSettings(entry), name: room, ...change })
  return withValue(withValue(data, path, written), [...serverPath(baseUrl), '#'], change.serverKey)
}

/** Without a community's room; the server goes with its last one. */
export function withoutCommunity(data: ConfigDict, baseUrl: string, room: string): ConfigDict {
  const left = withValue(data, [...serverPath(baseUrl), 'R', roomKey(room)], undefined)
  return valueAt(left, [...serverPath(baseUrl), 'R']) === undefined ? withValue(left, serverPath(baseUrl), undefined) : left
}

function parseSettings(entry: ConfigDict): GroupSettings {
  return {
    name: textField(entry, 'n') ?? '',
    notifications: NOTIFICATIONS[positiveField(entry, '@') ?? 0] ?? 'default',
    mutedUntilS: positiveField(entry, '!') ?? 0,
    priority: numberField(entry, '+') ?? 0,
    invited: flagField(entry, 'i'),
    joinedAtS: positiveField(entry, 'j') ?? 0,
  }
}

function withSettings(entry: ConfigDict, settings: GroupSettings): ConfigDict {
  if (settings.mutedUntilS < 0 || settings.joinedAtS < 0)
    throw new ProtocolError('bad-input', 'CFG-37', 'a time before 1970 is no time of a group')
  let written = withText(entry, 'n', settings.name)
  written = withNumber(written, '@', NOTIFICATIONS.indexOf(settings.notifications))
  written = withNumber(written, '!', settings.mutedUntilS)
  written = withNumber(written, '+', settings.priority)
  written = withFlag(written, 'i', settings.invited)
  return withNumber(written, 'j', settings.joinedAtS)
}

function secretField<Role extends string>(
  entry: ConfigDict,
  key: string,
  sizeBytes: number,
  role: Role,
): Secret<Role> | undefined {
  const value = entry.get(key)
  return value instanceof Uint8Array && value.length === sizeBytes ? Secret.of(copyBytes(value), role) : undefined
}

function isSeedOf(crypto: Crypto, seed: Secret<'ed25519-seed'>, id: string): boolean {
  if (seed.sizeBytes !== SEED_BYTES) return false
  const { publicKey, secretKey } = ed25519KeyPair(crypto, seed)
  secretKey.wipe()
  return `03${encodeHex(publicKey)}` === id
}

function groupPath(id: string): readonly string[] {
  if (!GROUP_ID_FORM.test(id)) throw new ProtocolError('bad-input', 'CFG-37', `${id} is no ID of a group`)
  return ['g', byteKey(decodeHex(id))]
}

function serverPath(baseUrl: string): readonly string[] {
  return ['o', byteKey(encodeUtf8(baseUrl))]
}

function roomKey(room: string): string {
  return byteKey(encodeUtf8(room.toLowerCase()))
}
