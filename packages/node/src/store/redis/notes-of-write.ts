/** What a script says of versions that entered or left: texts `sign decided changed kind expiry name` (clause NODE-142). */
import { itemDigest } from '../item-digest.ts'
import { MINUTE_MS, minuteOf } from '../item-version.ts'
import type { ItemVersion } from '../store.ts'
import { accountHex, HOUR_MINUTES, hourOf, namespaceDigits, parseItemName } from './names.ts'

export interface VersionNote {
  readonly isGone: boolean
  readonly version: ItemVersion
}

/** Reads the notes of a write to one account. */
export function parseNotes(account: Uint8Array, text: string): VersionNote[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [sign, decided, changed, kind, expiry] = line.split(' ', 5)
      const name = line.slice(`${sign} ${decided} ${changed} ${kind} ${expiry} `.length)
      const times = { decidedAtMs: Number(decided), changedAtMs: Number(changed), expiryMs: Number(expiry) }
      return { isGone: sign === '-', version: { account, ...parseItemName(name), ...times, isTombstone: kind === '1' } }
    })
}

/** What a write changes of one hour. */
export interface HourChange {
  readonly hour: number
  /** By minute of the hour: how much each lane becomes more. */
  readonly sums: Map<number, { high: number; low: number }>
  /** Expiry and entry of what came. */
  readonly entries: [number, string][]
}

/** Changes by the hour; minutes that are past have no sum. */
export function changesByHour(notes: readonly VersionNote[], nowMs: number): HourChange[] {
  const hours = new Map<number, HourChange>()
  for (const { isGone, version } of notes) {
    const hour = hourOf(version.expiryMs)
    const change: HourChange = hours.get(hour) ?? { hour, sums: new Map(), entries: [] }
    hours.set(hour, change)
    if (!isGone) change.entries.push([version.expiryMs, indexEntry(version)])
    const minute = minuteOf(version.expiryMs)
    if (minute < minuteOf(nowMs)) continue
    const { high, low } = itemDigest(version)
    const sign = isGone ? -1 : 1
    const sum = change.sums.get(minute - hour * HOUR_MINUTES) ?? { high: 0, low: 0 }
    change.sums.set(minute - hour * HOUR_MINUTES, { high: sum.high + sign * high, low: sum.low + sign * low })
  }
  return [...hours.values()]
}

/**
 * `account in hexadecimal ‖ namespace ‖ hash ‖ space ‖ millisecond of the minute`: in the order of bytes, among entries of one expiry, it
 * is in the order of account, namespace and hash; and an item whose expiry changes within the hour has an entry for each.
 */
export function indexEntry({ account, namespace, hash, expiryMs }: ItemVersion): string {
  return `${accountHex(account)}${namespaceDigits(namespace)}${hash} ${expiryMs % (HOUR_MINUTES * MINUTE_MS)}`
}

const HEX_DIGITS = 66
const NAMESPACE_DIGITS = 6

/** The parts of an entry. */
export function parseIndexEntry(entry: string): { readonly hex: string; readonly namespace: number; readonly hash: string } {
  const space = entry.lastIndexOf(' ')
  const hash = entry.slice(HEX_DIGITS + NAMESPACE_DIGITS, space)
  const { namespace } = parseItemName(` ${entry.slice(HEX_DIGITS, HEX_DIGITS + NAMESPACE_DIGITS)}`)
  return { hex: entry.slice(0, HEX_DIGITS), namespace, hash }
}
