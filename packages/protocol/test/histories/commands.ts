/**
 * A history is a list of commands, each a few small numbers, so that one that fails shrinks. What a command cannot do in the present
 * state it leaves.
 */
import { encodeHex } from '@session-v2/encoding'
import { rotateAccountKey } from '../../src/device-states/account-key-rotation.ts'
import { completeFetch } from '../../src/device-states/complete-fetch.ts'
import { foundGroup } from '../../src/device-states/founding.ts'
import type { GroupChange, OwnDetails } from '../../src/device-states/group-state.ts'
import { leaveGroup, renewIdentity } from '../../src/device-states/leaving.ts'
import { mergeGroupMessage } from '../../src/device-states/merge.ts'
import { changeDetails, isDeviceKeyRotationDue, rotateDeviceKey } from '../../src/device-states/own-record.ts'
import {
  askForLink,
  confirmLink,
  draftLinkRequest,
  linkRequestStored,
  resume,
  withdrawLinkRequest,
} from '../../src/device-states/own-request.ts'
import { confirmPush, duePush, type GroupPush } from '../../src/device-states/push.ts'
import { acceptLinkRequest, ignoreLinkRequest, receiveLinkRequest } from '../../src/device-states/received-request.ts'
import { removeDevice } from '../../src/device-states/removing.ts'
import { decodeGroupState, encodeGroupState } from '../../src/device-states/state-codec.ts'
import { LINK_TTL_MS } from '../../src/device-states/swarm-times.ts'
import { ProtocolError } from '../../src/protocol-error.ts'
import { forgedGroup } from './forging.ts'
import type { Device, Stored, World } from './world.ts'

export const MAX_DEVICES = 8
export const OPS = [
  'join',
  'found',
  'ask',
  'confirm',
  'withdraw',
  'accept',
  'ignore',
  'remove',
  'rotate',
  'details',
  'deviceKey',
  'leave',
  'renew',
  'deliver',
  'fetch',
  'push',
  'sync',
  'restart',
  'link',
] as const
/** What only a hostile or broken world does. */
export const HOSTILE_OPS = ['forge', 'late'] as const
export type Op = (typeof OPS)[number] | (typeof HOSTILE_OPS)[number]

export interface Command {
  readonly op: Op
  /** Which device acts. */
  readonly who: number
  /** Which message, request, row or group it is about. */
  readonly which: number
  /** What becomes of what is sent: see `push`. */
  readonly fate: number
  /** How much time passes before. */
  readonly waitS: number
}

/** Is told of every step, before and after: the model follows it. */
export interface Observer {
  before?(device: Device): void
  did(device: Device, step: Step): void
}

/** One thing a device did, with what it was given; `refused` when it was not allowed. */
export type Step = { readonly name: string; readonly refused: boolean; readonly input: Readonly<Record<string, unknown>> }

export const DETAILS: OwnDetails = { description: 'a device', type: 'd', version: [1, 2, 3], extras: new Map() }

export class History {
  readonly world: World
  readonly #observer: Observer

  constructor(world: World, observer: Observer) {
    this.world = world
    this.#observer = observer
  }

  /** Does one thing with a device: what it does not allow changes nothing. */
  do(device: Device, name: string, input: Step['input'], action: (nowMs: number) => GroupChange): boolean {
    const before = device.state
    let refused = false
    this.#observer.before?.(device)
    try {
      this.world.apply(device, action(this.world.timeOf(device)))
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      if (device.state !== before) throw new Error(`${name} was refused half-way`, { cause: error })
      refused = true
    }
    this.#observer.did(device, { name, refused, input: { ...input, nowMs: this.world.timeOf(device) } })
    return !refused
  }

  run({ op, who, which, fate, waitS }: Command): void {
    const { world } = this
    world.nowMs += waitS * 1000
    if (op === 'join') {
      this.join(which)
      return
    }
    const device = world.devices[who % world.devices.length]!
    if (op === 'fetch') this.fetch(device, which, fate)
    else if (op === 'push') this.push(device, fate)
    else if (op === 'sync') this.sync(device)
    else if (op === 'deliver') this.deliver(device, world.stored[which % Math.max(1, world.stored.length)])
    else if (op === 'link') this.link(device, world.devices[which % world.devices.length]!, fate)
    else if (op === 'ask') this.ask(device, which, fate)
    else if (op === 'forge') world.storeForged(forgedGroup(world, device.state, which, fate))
    else if (op === 'late') this.confirmLate(device, which)
    else this.#act(device, op, which)
  }

  #act(device: Device, op: Op, which: number): void {
    const { world } = this
    const { crypto } = world
    const plain = (state: Device['state']): GroupChange => ({ state, events: [], wipe: [] })
    const requests = device.state.receivedRequests
    const hash = requests[which % Math.max(1, requests.length)]?.hash ?? 'none'
    const rows = [...device.state.rows.keys()]
    const id = rows[which % rows.length]!
    if (op === 'found') this.found(device)
    if (op === 'confirm') this.confirm(device)
    if (op === 'withdraw')
      this.do(device, op, {}, nowMs =>
        withdrawLinkRequest(device.state, device.state.ownRequests.at(-1)?.timestampS ?? 0n, nowMs),
      )
    if (op === 'accept') this.accept(device, hash)
    if (op === 'ignore') this.do(device, op, { hash }, () => plain(ignoreLinkRequest(device.state, hash)))
    if (op === 'remove') {
      const seed = world.seed('account-key-seed')
      const input = { id, seed: encodeHex(seed.expose()) }
      this.do(device, op, input, nowMs => removeDevice(world.crypto, device.state, id, seed, nowMs))
    }
    if (op === 'rotate') this.rotate(device)
    if (op === 'details') {
      const details = { ...DETAILS, description: `name ${which % 5}` }
      this.do(device, op, { details }, nowMs => changeDetails(device.state, details, nowMs))
    }
    if (op === 'deviceKey') this.rotateDeviceKey(device)
    if (op === 'leave' || op === 'renew') {
      const identity = { self: world.deviceId(), deviceKeySeed: world.seed('device-key-seed') }
      const act = op === 'leave' ? leaveGroup : renewIdentity
      this.do(device, op, { identity }, nowMs => act(crypto, device.state, identity, nowMs))
    }
    if (op === 'restart') this.restart(device)
  }

  join(which: number): Device | undefined {
    if (this.world.devices.length >= MAX_DEVICES) return undefined
    const device = this.world.addDevice(DETAILS, ((which % 97) - 48) * 3_600_000)
    this.#observer.did(device, { name: 'join', refused: false, input: { nowMs: this.world.timeOf(device) } })
    this.fetch(device, 0, 0)
    return device
  }

  found(device: Device): void {
    const { world } = this
    const seed = world.seed('account-key-seed')
    const group = { groupId: world.bytes(8), accountKeySeed: seed }
    const input = { groupId: encodeHex(group.groupId), seed: encodeHex(seed.expose()) }
    this.do(device, 'found', input, nowMs => foundGroup(world.crypto, device.state, group, nowMs))
  }

  rotate(device: Device): void {
    const seed = this.world.seed('account-key-seed')
    const input = { seed: encodeHex(seed.expose()) }
    this.do(device, 'rotate', input, nowMs => rotateAccountKey(this.world.crypto, device.state, seed, nowMs))
  }

  rotateDeviceKey(device: Device): void {
    const seed = this.world.seed('device-key-seed')
    this.do(device, 'deviceKey', {}, nowMs => rotateDeviceKey(this.world.crypto, device.state, seed, nowMs))
  }

  accept(device: Device, hash: string): void {
    const seed = this.world.seed('account-key-seed')
    const input = { hash, seed: encodeHex(seed.expose()) }
    this.do(device, 'accept', input, nowMs => acceptLinkRequest(this.world.crypto, device.state, hash, seed, nowMs))
  }

  confirm(device: Device): void {
    const { world } = this
    const open = (bytes: Uint8Array) => world.open(device, world.byBytes(bytes))
    this.do(device, 'confirm', {}, nowMs => confirmLink(world.crypto, device.state, open, nowMs))
  }

  /** The device is killed and starts again with what it had stored. */
  restart(device: Device): void {
    const encoded = encodeGroupState(device.state)
    const decoded = decodeGroupState(this.world.crypto, encoded.expose())
    encoded.wipe()
    this.do(device, 'restart', {}, nowMs => ({ state: resume(decoded, nowMs), events: [], wipe: [] }))
  }

  /** fate 0: stored; 1: stored, but the device does not learn of it; 2: lost. */
  ask(device: Device, which: number, fate: number): void {
    const { world } = this
    const groups = device.state.groupsInView
    const groupId = groups[which % Math.max(1, groups.length)]?.groupId ?? new Uint8Array(8)
    let stored: (() => void) | undefined
    this.do(device, 'ask', { groupId: encodeHex(groupId) }, nowMs => {
      const draft = draftLinkRequest(device.state, groupId, nowMs)
      const { record, linkX25519 } = draft
      const link = { deviceId: device.state.self, record, linkX25519: encodeHex(linkX25519) }
      stored = () => void world.storeLink(link, LINK_TTL_MS)
      return askForLink(device.state, draft, [], nowMs)
    })
    if (stored === undefined) return
    if (fate % 3 !== 2) stored()
    if (fate % 3 === 0)
      this.do(device, 'stored', {}, () => ({
        state: linkRequestStored(device.state, device.state.ownRequests.at(-1)!.timestampS),
        ...{ events: [], wipe: [] },
      }))
  }

  /** One message, whatever it is and however often it came before. */
  deliver(device: Device, message: Stored | undefined): void {
    if (message === undefined) return
    device.read.push(message.hash)
    if (message.link === undefined) this.#deliverGroup(device, message)
    else this.#deliverLink(device, message)
  }

  #deliverGroup(device: Device, message: Stored): void {
    const { world } = this
    const opened = world.open(device, message)
    const { hash, swarmTimeMs, expiresAtMs } = message
    const received = { hash, swarmTimeMs, expiresAtMs, message: world.bytesOf(message), opened }
    const openedWith = opened.outcome === 'opened' ? encodeHex(opened.openedWith) : undefined
    this.do(device, 'merge', { message, openedWith }, nowMs => mergeGroupMessage(world.crypto, device.state, received, nowMs))
  }

  #deliverLink(device: Device, message: Stored): void {
    const { world } = this
    const { deviceId, record, linkX25519 } = message.link!
    const canOpen = device.state.accountKeys.some(
      ({ seed }) => encodeHex(world.linkKeyOf(encodeHex(seed.expose()), () => seed.expose())) === linkX25519,
    )
    if (!canOpen) return
    const { hash, swarmTimeMs, expiresAtMs } = message
    const digest = world.digestOf(record)
    const request = { deviceId, record, digest, plaintext: new Uint8Array(0) }
    const input = { hash, swarmTimeMs, expiresAtMs, deviceId, record, digest }
    this.do(device, 'request', input, nowMs =>
      receiveLinkRequest(device.state, { hash, request, indices: [], swarmTimeMs, expiresAtMs }, nowMs),
    )
  }

  /** Everything in the swarm that the device has not read, in some order; `fate` 1 leaves some out, 2 brings some twice. */
  fetch(device: Device, which: number, fate: number): void {
    const { world } = this
    const unread = world.stored.filter(
      ({ hash, expiresAtMs }) => !world.deleted.has(hash) && expiresAtMs > world.nowMs && !device.read.includes(hash),
    )
    const turned = unread.map((_, at) => unread[(at + which) % unread.length]!)
    const ordered = which % 2 === 0 ? turned : turned.toReversed()
    for (const [at, message] of ordered.entries()) {
      if (fate % 3 === 1 && (at + which) % 3 === 0) continue
      this.deliver(device, message)
      if (fate % 3 === 2 && (at + which) % 2 === 0) this.deliver(device, message)
    }
    this.do(device, 'completeFetch', {}, nowMs => completeFetch(device.state, nowMs))
  }

  /** fate 0: stored and confirmed; 1: stored, but the confirmation is lost; 2: lost. False when nothing was owed. */
  push(device: Device, fate: number): boolean {
    const { world } = this
    if (isDeviceKeyRotationDue(device.state, world.timeOf(device))) this.rotateDeviceKey(device)
    const push = this.duePush(device)
    if (push === undefined) return false
    if (fate % 3 === 2) return true
    const hash = world.store(push)
    device.pushed.push({ push, hash })
    for (const each of push.deletes) world.deleted.add(each)
    if (fate % 3 === 1) return true
    this.do(device, 'confirmPush', { push, hash }, nowMs => confirmPush(device.state, push, hash, nowMs))
    return true
  }

  /** The confirmation of an earlier push comes, late or again. */
  confirmLate(device: Device, which: number): void {
    const pushed = device.pushed[which % Math.max(1, device.pushed.length)]
    if (pushed === undefined) return
    const { push, hash } = pushed
    this.do(device, 'confirmPush', { push, hash }, nowMs => confirmPush(device.state, push, hash, nowMs))
  }

  duePush(device: Device): GroupPush | undefined {
    const nowMs = this.world.timeOf(device)
    const push = duePush(this.world.crypto, device.state, nowMs)
    this.#observer.did(device, { name: 'duePush', refused: false, input: { push, nowMs } })
    return push
  }

  /** What a client does each time: read all, then send what is owed. */
  sync(device: Device): void {
    this.fetch(device, 0, 0)
    if (device.state.rotationOwed || device.state.accountKeys.length === 0) this.rotate(device)
    while (this.push(device, 0));
  }

  /**
   * A whole linking, so that histories have groups of several devices. fate 1: the device does not see that it was let in, and asks
   * again: a replacement.
   */
  link(joining: Device, member: Device, fate = 0): void {
    const groupId = member.state.groupId
    if (groupId === undefined || joining === member) return
    this.sync(member)
    this.fetch(joining, 0, 0)
    this.#askAndAccept(joining, member, groupId)
    if (fate % 3 === 1) this.#askAndAccept(joining, member, groupId)
    this.fetch(joining, 0, 0)
    this.push(joining, 0)
  }

  #askAndAccept(joining: Device, member: Device, groupId: Uint8Array): void {
    const at = joining.state.groupsInView.findIndex(group => encodeHex(group.groupId) === encodeHex(groupId))
    if (at === -1) return
    this.world.nowMs += 1000
    const count = this.world.stored.length
    this.ask(joining, at, 0)
    const request = this.world.stored[count]
    if (request === undefined) return
    this.confirm(joining)
    this.fetch(member, 0, 0)
    this.accept(member, request.hash)
    this.push(member, 0)
  }
}
