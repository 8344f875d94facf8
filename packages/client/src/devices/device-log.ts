/**
 * Who came and who went: what this device saw of the devices of the account, and when. It is for the person: an attacker who links a
 * device cannot do so unseen, also where nobody looked at the time (threats A, H).
 *
 * A group message does not say who wrote it, so an entry says who did a thing only where this device did.
 */
import type { DeviceId, GroupEvent, GroupState, ReceivedRequest } from '@session-v2/protocol'
import { deviceRecordText } from '@session-v2/protocol'
import type { Change } from '../ports/store.ts'
import type { Table } from '../store/sealed/sealed-store.ts'

export type DeviceLogKind = 'joined' | 'left' | 'removed' | 'replaced' | 'restated' | 'this-joined' | 'this-left' | 'founded'

/** One thing that was seen. */
export interface DeviceLogEntry {
  readonly seenAtMs: number
  readonly kind: DeviceLogKind
  /** 64 hexadecimal digits. */
  readonly deviceId: string
  /** What the device said of itself then. */
  readonly description: string
  readonly deviceType: string
  /** This device did it; otherwise it learned of it from another member. */
  readonly byThisDevice: boolean
}

export interface DeviceLogRecord extends DeviceLogEntry {
  readonly id: number
}

/** The newest entries are kept. */
const KEPT_ENTRIES = 2_000

export class DeviceLog {
  readonly #table: Table<DeviceLogRecord>
  #nextId: number
  #oldestId: number

  private constructor(table: Table<DeviceLogRecord>, oldestId: number, nextId: number) {
    this.#table = table
    this.#oldestId = oldestId
    this.#nextId = nextId
  }

  static async open(table: Table<DeviceLogRecord>): Promise<DeviceLog> {
    const [oldest] = await table.page({ limit: 1 })
    const [newest] = await table.page({ limit: 1, reverse: true })
    return new DeviceLog(table, oldest?.value.id ?? 1, (newest?.value.id ?? 0) + 1)
  }

  /** The newest `limit` entries, the newest first. */
  async newest(limit: number): Promise<DeviceLogEntry[]> {
    return (await this.#table.page({ limit, reverse: true })).map(({ value: { id: _, ...entry } }) => entry)
  }

  /** The changes that note what happened between two states. An id that was given is not given again, also when the commit fails. */
  entries(
    before: GroupState,
    after: GroupState,
    events: readonly GroupEvent[],
    seen: Pick<DeviceLogEntry, 'seenAtMs' | 'byThisDevice'>,
  ): Change[] {
    // Who joins a group reads what was long done there: that is no news of this device.
    const isJoining = events.some(({ type }) => type === 'devices-replaced')
    const news = isJoining ? events.filter(({ type }) => type !== 'device-changed') : events
    const entries = news.flatMap(event => entryOf(before, after, event) ?? [])
    const puts = entries.map(entry => {
      const id = this.#nextId++
      return this.#table.put(String(id), { id, ...entry, ...seen })
    })
    const surplus: Change[] = []
    while (puts.length > 0 && this.#nextId - this.#oldestId > KEPT_ENTRIES)
      surplus.push(this.#table.remove(String(this.#oldestId++)))
    return [...puts, ...surplus]
  }
}

type SeenChange = Pick<DeviceLogEntry, 'kind' | 'deviceId' | 'description' | 'deviceType'>

function entryOf(before: GroupState, after: GroupState, event: GroupEvent): SeenChange | undefined {
  if (event.type === 'devices-replaced') {
    const kind = after.groupId === undefined ? 'this-left' : isAlone(after) ? 'founded' : 'this-joined'
    return { kind, ...textOf(after, after.self) }
  }
  if (event.type !== 'device-changed') return undefined
  const { deviceId, change } = event
  if (change === 'updated')
    return isReplacement(before, after, deviceId) ? { kind: 'replaced', ...textOf(after, deviceId) } : undefined
  return { kind: change, ...textOf(after, deviceId) }
}

function isAlone(state: GroupState): boolean {
  return state.rows.size === 1 && state.rows.has(state.self)
}

/** A record that was written anew because a request to replace the device was accepted, by whomever. */
function isReplacement(before: GroupState, after: GroupState, deviceId: DeviceId): boolean {
  return newlyAccepted(before, after).some(request => request.deviceId === deviceId && request.replaces)
}

function newlyAccepted(before: GroupState, after: GroupState): readonly ReceivedRequest[] {
  const open = new Set(before.receivedRequests.filter(({ status }) => status === 'open').map(({ hash }) => hash))
  return after.receivedRequests.filter(({ status, hash }) => status === 'accepted' && open.has(hash))
}

function textOf(state: GroupState, deviceId: DeviceId): Pick<DeviceLogEntry, 'deviceId' | 'description' | 'deviceType'> {
  const record = state.rows.get(deviceId)?.record
  const { description, type } = record === undefined ? { description: '', type: '' } : deviceRecordText(record)
  return { deviceId, description, deviceType: type }
}
