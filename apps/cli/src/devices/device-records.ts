/**
 * Devices, groups and link requests as objects for programs (`--json`). Whatever is not known is null.
 */
import type {
  DeviceLogEntry,
  DevicesView,
  DeviceView,
  EmojiView,
  GroupView,
  HistoryRequestView,
  LinkRequestView,
  OwnHistoryView,
  OwnRequestView,
} from '@session-v2/client'
import type { JsonObject } from '../output.ts'
import { LINE_LENGTH } from './emoji-lines.ts'

/** A request as `link accept` names it: the hash of its message, in hexadecimal like everything binary. */
export function requestId({ id }: Pick<LinkRequestView, 'id'>): string {
  return Buffer.from(id, 'base64').toString('hex')
}

export function deviceRecord(device: DeviceView): JsonObject {
  const { id, type, description, version, updated_at } = saidRecord(device)
  const gone = { state: device.state, updated_at, removed_at: device.removedAtMs ?? null }
  return { id, this: device.isThis, type, description, version, ...gone }
}

function saidRecord({ id, type, description, version, updatedAtMs }: LinkRequestView['device']) {
  return { id, type, description, version: version ?? null, updated_at: updatedAtMs ?? null }
}

export function groupRecord({ id, emoji, createdAtMs, isOurs, isDismissed }: GroupView): JsonObject {
  return { id, emoji: pictures(emoji), created_at: createdAtMs, ours: isOurs, dismissed: isDismissed }
}

/** What this device asks of the history of others. @param own undefined when it never asked */
export function ownHistoryRecord(own: OwnHistoryView | undefined): JsonObject {
  return {
    own: true,
    id: own?.requestId ?? null,
    state: own?.state ?? null,
    end: own?.end ?? null,
    since: own?.sinceMs ?? null,
    asked_at: own?.askedAtMs ?? null,
    expires_at: own?.expiresAtMs ?? null,
    device: own?.from ?? null,
    received: own?.received ?? null,
    total: own?.total ?? null,
  }
}

export function historyRequestRecord(request: HistoryRequestView): JsonObject {
  const { requestId: id, status: state, end, sinceMs, askedAtMs, expiresAtMs, deviceId, sent, total } = request
  const times = { since: sinceMs ?? null, asked_at: askedAtMs, expires_at: expiresAtMs }
  return { own: false, id, state, end: end ?? null, ...times, device: deviceId, sent, total }
}

/** What this device asks, and what it is. @param request undefined when it asks nothing */
export function ownRequestRecord(
  request: OwnRequestView | undefined,
  { membership }: Pick<DevicesView, 'membership'>,
): JsonObject {
  return {
    ...comparedRecord(request?.emoji ?? []),
    expires_at: request?.expiresAtMs ?? null,
    confirmed: request?.isConfirmed ?? false,
    accepted: request?.isAccepted ?? false,
    membership,
  }
}

export function linkRequestRecord(request: LinkRequestView): JsonObject {
  const { device, replaces, emoji, receivedAtMs, expiresAtMs, status } = request
  const times = { received_at: receivedAtMs, expires_at: expiresAtMs }
  return { id: requestId(request), device: saidRecord(device), replaces, ...comparedRecord(emoji), ...times, status }
}

export function membershipRecord({ membership, group }: Pick<DevicesView, 'membership' | 'group'>): JsonObject {
  return { membership, group: group?.id ?? null }
}

export function logRecord({ seenAtMs, kind, deviceId, description, deviceType, byThisDevice }: DeviceLogEntry): JsonObject {
  return { seen_at: seenAtMs, kind, id: deviceId, type: deviceType, description, by_this_device: byThisDevice }
}

function comparedRecord(emoji: readonly EmojiView[]) {
  const first = emoji.slice(0, LINE_LENGTH)
  return { emoji: pictures(first), names: first.map(({ name }) => name), emoji_all: pictures(emoji) }
}

function pictures(emoji: readonly EmojiView[]): readonly string[] {
  return emoji.map(({ emoji: picture }) => picture)
}
