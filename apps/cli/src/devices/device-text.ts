/**
 * Devices, groups and link requests as people read them.
 */
import type { DeviceLogEntry, DeviceView, GroupView, LinkRequestView } from '@session-v2/client'
import { capitalised, columnsOf, localTime, type Paint, padded, printableName } from '../output.ts'
import { shortened } from './chosen.ts'
import { emojiInline } from './emoji-lines.ts'

const TYPES: Readonly<Record<string, string>> = { i: 'iOS', a: 'Android', d: 'desktop', c: 'command line' }

type Described = Pick<DeviceView, 'id' | 'description'>

/** A device by what it calls itself and the beginning of its ID, e.g. `“laptop” (ab12cd34)`. */
export function deviceName({ id, description }: Described): string {
  return description === '' ? `the device ${shortened(id)}` : `“${printableName(description)}” (${shortened(id)})`
}

/** What kind of device it is, e.g. `command line 0.1.0`. */
export function deviceKind({ type, version }: { readonly type: string; readonly version?: string | undefined }): string {
  const kind = TYPES[type] ?? (printableName(type) || 'unknown kind')
  return version === undefined || version === '0.0.0' ? kind : `${kind} ${version}`
}

/** A span of time to the second, e.g. `9:07`. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** A group on one line: its four pictures, its age, its ID. */
export function groupLine({ id, emoji, createdAtMs }: GroupView, { dim }: Paint): string {
  return `${emojiInline(emoji)}  ${dim(`created ${minuteOf(createdAtMs)}, ID ${id}`)}`
}

const STATES = { member: 'linked', asking: 'asks to be let in', left: 'has left', removed: 'removed' } as const

/** Devices as a table: name, kind, ID, what it is and since when. */
export function deviceTable(devices: readonly DeviceView[], paint: Paint): string {
  const rows = devices.map(device => ({
    name: device.description === '' ? '(no name)' : printableName(device.description),
    kind: deviceKind(device),
    id: shortened(device.id),
    is: deviceState(device),
    isGone: device.removedAtMs !== undefined,
  }))
  const width = (cell: (row: (typeof rows)[number]) => string) => Math.max(...rows.map(row => columnsOf(cell(row))))
  const [names, kinds] = [width(row => row.name), width(row => row.kind)]
  return rows
    .map(({ name, kind, id, is, isGone }) => {
      const left = `${padded(name, names)}  ${padded(kind, kinds)}`
      return `  ${isGone ? paint.dim(left) : left}  ${paint.bold(id)}  ${is}`
    })
    .join('\n')
}

function deviceState({ isThis, state, updatedAtMs, removedAtMs }: DeviceView): string {
  const seen = updatedAtMs === undefined ? '' : `, active about ${minuteOf(updatedAtMs)}`
  const when = removedAtMs === undefined ? seen : ` ${minuteOf(removedAtMs)}`
  return `${isThis ? 'this device, ' : ''}${STATES[state]}${when}`
}

/** Local date and time without seconds. */
export function minuteOf(timeMs: number): string {
  return localTime(timeMs).slice(0, -3)
}

const OWN = {
  founded: 'This device founded the group.',
  'this-joined': 'This device joined the group.',
  'this-left': 'This device left its group.',
} as const

const OTHERS = {
  joined: 'was let in',
  left: 'left',
  removed: 'was removed',
  replaced: 'was replaced by a device with the same ID',
  restated: 'was removed before; a device that did not know was told again',
} as const

/** What a device that joins a group finds there. */
const FOUND: Readonly<Partial<Record<DeviceLogEntry['kind'], string>>> = {
  joined: 'was in the group already',
  left: 'had left it before',
  removed: 'had been removed before',
}

/** What happened to a device, as a sentence. @param isFound it was so when this device joined, and is no news */
export function logSentence({ kind, deviceId, description, byThisDevice }: DeviceLogEntry, isFound = false): string {
  if (kind === 'founded' || kind === 'this-joined' || kind === 'this-left') return OWN[kind]
  const name = capitalised(deviceName({ id: deviceId, description }))
  if (isFound) return `${name} ${FOUND[kind] ?? OTHERS[kind]}.`
  const isNamed = kind === 'left' || kind === 'restated'
  return `${name} ${OTHERS[kind]}${isNamed ? '' : byThisDevice ? ' by this device' : ' by another device'}.`
}

/** Whether an entry tells what this device found when it joined its group: noted in the same moment. */
export function isFoundOnJoining(entry: DeviceLogEntry, all: readonly DeviceLogEntry[]): boolean {
  return all.some(({ kind, seenAtMs }) => kind === 'this-joined' && seenAtMs === entry.seenAtMs)
}

const ENDINGS: Readonly<Record<LinkRequestView['status'], string>> = {
  open: 'open',
  accepted: 'accepted',
  ignored: 'ignored',
  superseded: 'asked again since',
  expired: 'expired',
}

/** A request that has ended, on one line. */
export function endedRequestLine({ device, receivedAtMs, status }: LinkRequestView): string {
  return `  ${localTime(receivedAtMs)}  ${deviceName(device)}: ${ENDINGS[status]}`
}
