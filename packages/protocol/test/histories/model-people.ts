/** Devices of the naive model for its own tests, and a swarm that keeps nothing: what one says is handed to the others. */
import { ModelDevice } from './model.ts'
import type { ModelMessage, ModelPush, ModelRecord, ModelRequestMessage } from './model-types.ts'

export const START_MS = 1_800_000_000_000
export const START_S = START_MS / 1000
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
export const GROUP = '1111111111111111'
export const OTHER_GROUP = '2222222222222222'

/** Any function of the record will do. */
export function digestOf({ seqno, timestampS, x25519, details }: ModelRecord): string {
  let sum = 14695981039346656037n
  for (const character of `${seqno}|${timestampS}|${x25519}|${details}`) {
    sum = ((sum ^ BigInt(character.charCodeAt(0))) * 1099511628211n) & 0xffffffffffffffffn
  }
  return sum.toString(16).padStart(16, '0')
}

export function newDevice(id: string, nowMs = START_MS): ModelDevice {
  return new ModelDevice({
    id,
    x25519: `x-${id}`,
    details: `details of ${id}`,
    nowMs,
    digestOf,
    linkKeyOf: seed => `link-${seed}`,
  })
}

/** A device that has founded its group and knows it. */
export function newFounder(id: string, groupId = GROUP, nowMs = START_MS): ModelDevice {
  const device = newDevice(id, nowMs)
  device.completeFetch(nowMs)
  device.found(groupId, `seed-${groupId}`, nowMs, false)
  return device
}

let messages = 0

/** The message of a push, as the device with the key `reader` reads it. */
export function messageOf(push: ModelPush, nowMs: number, reader: string, changes: Partial<ModelMessage> = {}): ModelMessage {
  return {
    hash: `hash-${++messages}`,
    swarmTimeMs: nowMs,
    expiresAtMs: nowMs + 30 * DAY_MS,
    ...(push.groupId === undefined ? {} : { groupId: push.groupId }),
    linkKey: `link-${push.keys[0]?.seed}`,
    opened: { devices: push.entries, keys: push.keys, openedWith: reader },
    announcesRemoval: false,
    ...changes,
  }
}

/** A message of a group with nothing in it but what is given. */
export function emptyMessage(groupId: string | undefined, nowMs: number, changes: Partial<ModelMessage> = {}): ModelMessage {
  const push: ModelPush = { groupId, entries: new Map(), keys: [], deletes: [], farewell: false, stores: true }
  return messageOf(push, nowMs, '', { linkKey: 'link', ...changes })
}

/** The same, which the reader cannot open. */
export function unreadable(groupId: string | undefined, nowMs: number, announcesRemoval = false): ModelMessage {
  const { opened: _, ...message } = emptyMessage(groupId, nowMs, { announcesRemoval })
  return message
}

/** Pushes what is owed, confirms it, and hands out the message. Throws when nothing is owed. */
export function send(device: ModelDevice, nowMs: number): ModelMessage {
  const push = device.push(nowMs)
  if (push === undefined) throw new Error('nothing is owed')
  const message = messageOf(push, nowMs, '')
  device.confirmPush(push, message.hash, nowMs)
  return message
}

/** All that is owed goes to all others until nobody owes anything. Throws when that takes more than 20 rounds. */
export function converge(devices: readonly ModelDevice[], nowMs: number): void {
  for (let round = 0; round < 20; round++) {
    const senders = devices.filter(device => device.push(nowMs) !== undefined)
    if (senders.length === 0) return
    for (const sender of senders) {
      const message = send(sender, nowMs)
      for (const reader of devices) if (reader !== sender) reader.merge(message, nowMs)
    }
  }
  throw new Error('the devices never come to rest')
}

/** The request that a device makes, as others receive it. Throws when it may not ask. */
export function requestOf(device: ModelDevice, groupId: string, nowMs: number, hash: string): ModelRequestMessage {
  const record = device.ask(groupId, nowMs)
  if (record === 'refused') throw new Error('it may not ask')
  device.requestStored(nowMs)
  return { hash, deviceId: device.snapshot().self, record, digest: digestOf(record), expiresAtMs: nowMs + 10 * MINUTE_MS }
}

/** Lets a device into the group of `member`, by way of a request that both persons confirm. */
export function letIn(member: ModelDevice, joiner: ModelDevice, nowMs: number): void {
  const { groupId, self } = member.snapshot()
  joiner.merge(unreadable(groupId!, nowMs), nowMs)
  joiner.completeFetch(nowMs)
  const request = requestOf(joiner, groupId!, nowMs, `request of ${joiner.snapshot().self} to ${self}`)
  member.receiveRequest(request, nowMs)
  joiner.confirm(nowMs)
  member.accept(request.hash, `unused-${request.hash}`, nowMs)
  joiner.merge(send(member, nowMs), nowMs)
}

/** A row of a snapshot. */
export function rowOf(device: ModelDevice, id: string): object | undefined {
  return device.snapshot().rows.find(row => (row as { id: string }).id === id)
}

/** A group of these devices, all of which know all. */
export function newGroup(ids: readonly string[], groupId = GROUP): ModelDevice[] {
  const devices = [newFounder(ids[0]!, groupId)]
  for (const id of ids.slice(1)) {
    const joiner = newDevice(id)
    letIn(devices[0]!, joiner, START_MS)
    devices.push(joiner)
    converge(devices, START_MS)
  }
  return devices
}

/** A device without a group that sees one of others. */
export function newOutsider(id: string): ModelDevice {
  const device = newDevice(id)
  device.merge(unreadable(GROUP, START_MS), START_MS)
  device.completeFetch(START_MS)
  return device
}

/** A request as others receive it, of a device that is not there. */
export function requestFrom(id: string, seqno: bigint, changes: Partial<ModelRequestMessage> = {}): ModelRequestMessage {
  const record = { seqno, timestampS: BigInt(START_S) + seqno, x25519: `x-${id}-${seqno}`, details: 'd' }
  const hash = `request ${seqno} of ${id}`
  return { hash, deviceId: id, record, digest: digestOf(record), expiresAtMs: START_MS + 10 * MINUTE_MS, ...changes }
}
