/**
 * The naive model beside every device of a history: it is told what the device did, and after each step both must have answered the
 * same and hold the same.
 */
import { decodeHex, encodeHex } from '@session-v2/encoding'
import { expect } from 'vitest'
import { type DeviceRecord, writeDeviceRecord } from '../../src/device-group/device-record.ts'
import type { GroupEntry } from '../../src/device-group/group-payload.ts'
import type { OwnDetails } from '../../src/device-states/group-state.ts'
import type { GroupPush } from '../../src/device-states/push.ts'
import type { Observer, Step } from './commands.ts'
import { ModelDevice } from './model.ts'
import type { ModelEntry, ModelMessage, ModelPush, ModelRecord } from './model-types.ts'
import { detailsOfRecord, snapshotOfState, textOfDetails } from './snapshot-of-state.ts'
import type { Device, Stored, World } from './world.ts'

export class ModelFollower implements Observer {
  readonly #world: World
  readonly #models = new Map<Device, ModelDevice>()
  readonly #pushes = new Map<GroupPush, ModelPush>()
  readonly #mlKem768 = new Map<string, DeviceRecord['mlKem768']>()
  steps = 0

  constructor(world: World) {
    this.#world = world
  }

  did(device: Device, step: Step): void {
    const { x25519, mlKem768 } = device.state.deviceKeys.current
    this.#mlKem768.set(encodeHex(x25519), mlKem768)
    const nowMs = step.input.nowMs as number
    if (step.name === 'join') this.#join(device, nowMs)
    else if (step.name === 'duePush') this.#compareDuePush(device, step.input.push as GroupPush | undefined, nowMs)
    else expect(this.#tell(device, step, nowMs) === 'refused', `${step.name} is refused by both or none`).toBe(step.refused)
    expect(snapshotOfState(device.state), `after ${step.name}`).toEqual(this.#models.get(device)!.snapshot())
    this.steps++
  }

  #join(device: Device, nowMs: number): void {
    const { self, details, deviceKeys } = device.state
    const model = new ModelDevice({
      id: self,
      x25519: encodeHex(deviceKeys.current.x25519),
      details: textOfDetails(details),
      nowMs,
      digestOf: record => encodeHex(this.#world.digestOf(this.#recordOf(record))),
      linkKeyOf: seed => encodeHex(this.#world.linkKeyOf(seed, () => decodeHex(seed))),
    })
    this.#models.set(device, model)
  }

  #tell(device: Device, { name, input }: Step, nowMs: number): unknown {
    const model = this.#models.get(device)!
    const currentKey = () => encodeHex(device.state.deviceKeys.current.x25519)
    const text = (field: string) => input[field] as string
    const identity = input.identity as { readonly self: string } | undefined
    const tellings: Readonly<Record<string, () => unknown>> = {
      found: () => model.found(text('groupId'), text('seed'), nowMs, false),
      ask: () => model.ask(text('groupId'), nowMs),
      stored: () => model.requestStored(nowMs),
      confirm: () => model.confirm(nowMs),
      withdraw: () => model.withdraw(),
      request: () => void model.receiveRequest(requestOf(input), nowMs),
      accept: () => model.accept(text('hash'), text('seed'), nowMs),
      ignore: () => model.ignore(text('hash')),
      remove: () => model.remove(text('id'), text('seed'), nowMs),
      rotate: () => model.rotate(text('seed'), nowMs),
      details: () => model.changeDetails(textOfDetails(input.details as OwnDetails), nowMs),
      deviceKey: () => model.rotateDeviceKey(currentKey(), nowMs),
      leave: () => model.leave(identity!.self, currentKey(), nowMs),
      renew: () => model.renew(identity!.self, currentKey(), nowMs),
      merge: () => model.merge(messageOf(device, input.message as Stored, input.openedWith as string | undefined), nowMs),
      completeFetch: () => model.completeFetch(nowMs),
      restart: () => model.restart(nowMs),
      confirmPush: () => void model.confirmPush(this.#pushes.get(input.push as GroupPush)!, text('hash') ?? '', nowMs),
    }
    return tellings[name]!()
  }

  #compareDuePush(device: Device, push: GroupPush | undefined, nowMs: number): void {
    const expected = this.#models.get(device)!.push(nowMs)
    expect(push === undefined, 'a push is owed by both or none').toBe(expected === undefined)
    if (push === undefined || expected === undefined) return
    this.#pushes.set(push, expected)
    expect([...push.deletes]).toEqual([...expected.deletes])
    expect(push.group !== undefined).toBe(expected.stores)
    if (push.group === undefined) return
    const { groupId, payload } = push.group
    expect(encodeHex(groupId)).toBe(expected.groupId)
    expect(new Map([...payload.devices].map(([id, entry]) => [id as string, entryOf(entry)]))).toEqual(expected.entries)
    expect(payload.accountKeys.map(keyOf)).toEqual(expected.keys.map(key => ({ ...key, rotatedAtS: key.rotatedAtS })))
  }

  #recordOf({ seqno, timestampS, x25519, details }: ModelRecord): DeviceRecord {
    const [description, type, version, extras] = JSON.parse(details) as [string, string, [number, number, number], string[][]]
    return writeDeviceRecord({
      ...{ seqno, timestampS, description, type, version },
      x25519: decodeHex(x25519) as DeviceRecord['x25519'],
      mlKem768: this.#mlKem768.get(x25519)!,
      extras: new Map(extras.map(([key, value]) => [String.fromCharCode(...decodeHex(key!)), decodeHex(value!)])),
    })
  }
}

function requestOf(input: Step['input']) {
  return {
    hash: input.hash as string,
    deviceId: input.deviceId as string,
    record: modelRecordOf(input.record as DeviceRecord),
    digest: encodeHex(input.digest as Uint8Array),
    expiresAtMs: input.expiresAtMs as number,
  }
}

function messageOf(device: Device, stored: Stored, openedWith: string | undefined): ModelMessage {
  const { hash, swarmTimeMs, expiresAtMs } = stored
  const { groupId, linkX25519, devices, accountKeys } = stored.group!
  return {
    ...{ hash, swarmTimeMs, expiresAtMs, groupId: encodeHex(groupId), linkKey: encodeHex(linkX25519) },
    ...(openedWith === undefined
      ? {}
      : {
          opened: {
            devices: new Map([...devices].map(([id, entry]) => [id as string, entryOf(entry)])),
            keys: accountKeys,
            openedWith,
          },
        }),
    announcesRemoval: devices.get(device.state.self)?.kind === 'kicked',
  }
}

function entryOf(entry: GroupEntry): ModelEntry {
  if (entry.kind !== 'member') return { how: entry.kind, removedAtS: entry.atS }
  return { member: modelRecordOf(entry.record), digest: encodeHex(entry.digest) }
}

function modelRecordOf(record: DeviceRecord): ModelRecord {
  const { seqno, timestampS, x25519 } = record
  return { seqno, timestampS, x25519: encodeHex(x25519), details: detailsOfRecord(record) }
}

function keyOf({ seed, createdAtS, rotatedAtS }: { seed: { expose(): Uint8Array }; createdAtS: number; rotatedAtS?: number }) {
  return { seed: encodeHex(seed.expose()), createdAtS, rotatedAtS }
}
