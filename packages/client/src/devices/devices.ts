/**
 * What a person does with the devices of the account: link, rename, remove, leave, begin anew. Each is done in the state first, atomically,
 * and told to the others by the next push; what needs the swarm says so. Implements the flows of DS-18 to DS-29 on a device's side.
 */
import type { Crypto, Random } from '@session-v2/crypto'
import { decodeHex, equalBytes } from '@session-v2/encoding'
import { buildDelete, NAMESPACE, parseDeleteResult } from '@session-v2/network'
import {
  type Account,
  acceptLinkRequest,
  askForLink,
  changeDetails,
  confirmLink,
  deviceIdOf,
  dismissGroup,
  draftLinkRequest,
  foundGroup,
  type GroupState,
  ignoreLinkRequest,
  LINK_TTL_MS,
  leaveGroup,
  linkAuthenticationString,
  linkRequestStored,
  type NewIdentity,
  newestRequest,
  newGroupId,
  ProtocolError,
  parseDeviceId,
  ROW_STATE,
  removeDevice,
  renewIdentity,
  sealLinkRequest,
  withdrawLinkRequest,
} from '@session-v2/protocol'
import { ACCOUNT_KEY, ACCOUNT_TABLE, type AccountRecord } from '../account-record.ts'
import { ClientError, type ClientErrorCode, mapNetworkError } from '../client-error.ts'
import type { Change } from '../ports/store.ts'
import { storeAsOwner } from '../routing/own-swarm.ts'
import { requestSigner } from '../routing/request-signer.ts'
import type { SwarmRequests } from '../routing/swarm-requests.ts'
import type { Turns } from '../scheduler/turns.ts'
import type { SealedStore } from '../store/sealed/sealed-store.ts'
import type { DeviceGroup, Step } from './device-group.ts'
import { openWithDeviceKeys } from './device-inbox.ts'
import type { DeviceLog, DeviceLogEntry } from './device-log.ts'
import {
  type DevicesView,
  devicesView,
  type LinkRequestView,
  type OwnRequestView,
  ownRequestView,
  requestViews,
} from './read-models.ts'

export interface DevicesParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly account: Account
  readonly group: DeviceGroup
  readonly requests: SwarmRequests
  readonly turns: Turns
  readonly deviceLog: DeviceLog
  readonly store: SealedStore
  /** As it was when the client was opened. */
  readonly accountRecord: AccountRecord
}

const LOG_PAGE = 100
const DEVICE_ID_BYTES = 32
const GROUP_ID_BYTES = 8
const GROUP_ID = /^[0-9a-f]{16}$/i

export class Devices {
  readonly #parts: DevicesParts

  constructor(parts: DevicesParts) {
    this.#parts = parts
  }

  /** Everything there is to say of the account's devices, from one read. */
  view(): DevicesView {
    return devicesView(this.#parts.crypto, this.#parts.group.state, this.#nowMs())
  }

  /** Who came and who went, the newest first. */
  log(limit = LOG_PAGE): Promise<DeviceLogEntry[]> {
    return this.#parts.deviceLog.newest(limit)
  }

  /** Link requests of other devices, ended ones too, the newest first. */
  linkRequests(): LinkRequestView[] {
    return requestViews(this.#parts.group.state, this.#nowMs())
  }

  /**
   * Founds a device group of this device alone. Other devices of the account are told that there is another one.
   * @throws ClientError `membership-unknown`, `already-in-group`, `device-removed`
   */
  startGroup(): Promise<void> {
    return this.#found({ newAccount: false })
  }

  /** The group of an account that was made here, exactly once: that it is owed ends with the founding. */
  async foundOwed(): Promise<void> {
    const { accountRecord, store } = this.#parts
    const { owesGroup, ...record } = accountRecord
    if (owesGroup !== true) return
    await this.#found({ newAccount: true }, [store.put(ACCOUNT_TABLE, ACCOUNT_KEY, record)])
  }

  /** Says something else of this device. @param description of it, 64 bytes of UTF-8 at most count */
  async rename(description: string): Promise<void> {
    await this.#do((state, nowMs) => changeDetails(state, { description }, nowMs))
  }

  /** Removes another member for good and rotates the account key. @param id 64 hexadecimal digits */
  async remove(id: string): Promise<void> {
    const { crypto, group } = this.#parts
    const seed = group.freshSeed('account-key-seed')
    await this.#do((state, nowMs) => removeDevice(crypto, state, parseDeviceId(id), seed, nowMs), seed)
  }

  /** Leaves the group for none. This device goes on with a new identity. */
  async leave(): Promise<void> {
    const { crypto } = this.#parts
    const identity = this.#newIdentity()
    await this.#do((state, nowMs) => leaveGroup(crypto, state, identity, nowMs), identity.deviceKeySeed)
  }

  /** Begins anew after a removal or a displacement. */
  async renew(): Promise<void> {
    const { crypto } = this.#parts
    const identity = this.#newIdentity()
    await this.#do((state, nowMs) => renewIdentity(crypto, state, identity, nowMs), identity.deviceKeySeed)
  }

  /** A person knows of another group and does not want to be told of it again. @param id 16 hexadecimal digits */
  async dismiss(id: string): Promise<void> {
    const groupId = groupIdOf(id)
    await this.#do(state => dismissGroup(state, groupId))
  }

  /**
   * Asks a group to let this device in. It is written down before it is sent; when the swarm does not take it, it is taken back.
   * @param id 16 hexadecimal digits; the one group in view that is not ours when it is absent
   * @throws ClientError `network-unavailable` and what the state refuses
   */
  ask(id?: string): Promise<OwnRequestView> {
    return this.#parts.turns.take(() => refused(() => mapNetworkError(this.#ask(id))))
  }

  /** The person has compared the emoji of the newest request and agrees. */
  async confirm(): Promise<void> {
    const { crypto, account } = this.#parts
    await this.#do((state, nowMs) =>
      confirmLink(crypto, state, message => openWithDeviceKeys(crypto, account, state, message), nowMs),
    )
  }

  /** Takes the newest request back. */
  async cancel(): Promise<void> {
    await this.#do((state, nowMs) => {
      const request = newestRequest(state)
      if (request === undefined) throw new ClientError('unknown-request', 'This device asks nothing.')
      return withdrawLinkRequest(state, request.timestampS, nowMs)
    })
  }

  /** Lets the device of a request in. @param id as the request's view names it */
  async accept(id: string): Promise<void> {
    const { crypto, group } = this.#parts
    const seed = group.freshSeed('account-key-seed')
    await this.#do((state, nowMs) => acceptLinkRequest(crypto, state, id, seed, nowMs), seed)
  }

  /** Ends a request on this device. @param options.deletes takes it out of the swarm too, so that no other device shows it */
  async ignore(id: string, { deletes = false }: { readonly deletes?: boolean } = {}): Promise<void> {
    await this.#do(state => ignoreLinkRequest(state, id))
    if (!deletes) return
    const { crypto, account, requests } = this.#parts
    const build = () => buildDelete(crypto, { hashes: [id], signer: requestSigner(account) })
    await mapNetworkError(requests.ask(account.id, { build, read: parseDeleteResult }))
  }

  #found({ newAccount }: { readonly newAccount: boolean }, changes?: readonly Change[]): Promise<void> {
    const { crypto, random, group } = this.#parts
    const accountKeySeed = group.freshSeed('account-key-seed')
    const step: Step = (state, nowMs) =>
      foundGroup(crypto, state, { groupId: newGroupId(random, nowMs), accountKeySeed, newAccount }, nowMs)
    return this.#do(step, accountKeySeed, changes)
  }

  /** One step by the person's will; a seed made for it is wiped when it is refused. */
  async #do(step: Step, seed?: { wipe(): void }, changes?: readonly Change[]): Promise<void> {
    const { turns, group } = this.#parts
    const also = { byThisDevice: true, ...(changes && { changes }) }
    try {
      await turns.take(() => refused(() => group.change([step], also)))
    } catch (error) {
      seed?.wipe()
      throw error
    }
  }

  async #ask(id: string | undefined): Promise<OwnRequestView> {
    const { crypto, random, account, group } = this.#parts
    const groupId = id === undefined ? theOtherGroup(group.state, this.#nowMs()) : groupIdOf(id)
    const draft = draftLinkRequest(group.state, groupId, this.#nowMs())
    const { timestampS } = draft.record
    const { message, plaintext } = sealLinkRequest(crypto, random, account, draft.linkX25519, group.state.self, draft.record, {
      bindsLinkKey: true,
    })
    const { indices } = linkAuthenticationString(crypto, plaintext)
    await group.change([(state, nowMs) => askForLink(state, draft, indices, nowMs)])
    let isStored = false
    try {
      isStored = await storeAsOwner(this.#parts, { namespace: NAMESPACE.devices, payload: message, ttlMs: LINK_TTL_MS })
    } finally {
      const outcome: Step = (state, nowMs) =>
        isStored ? linkRequestStored(state, timestampS) : withdrawLinkRequest(state, timestampS, nowMs)
      await group.change([outcome])
    }
    if (!isStored) throw new ClientError('network-unavailable', 'The swarm did not take the request. Nothing is lost; ask again.')
    return ownRequestView(newestRequest(group.state)!)
  }

  #newIdentity(): NewIdentity {
    const { random, group } = this.#parts
    return { self: deviceIdOf(random.bytes(DEVICE_ID_BYTES)), deviceKeySeed: group.freshSeed('device-key-seed') }
  }

  #nowMs(): number {
    return this.#parts.requests.clock.nowMs()
  }
}

/** Whether a device is a member that may speak for its group. */
export function isMember({ rows, self, displacedAtMs }: GroupState): boolean {
  return rows.get(self)?.state === ROW_STATE.registered && displacedAtMs === undefined
}

/** The group to ask when the person names none: the one in view that is neither ours nor dismissed. Without one, an ID that no group has. */
function theOtherGroup({ groupsInView, groupId: own }: GroupState, nowMs: number): Uint8Array {
  const [only, another] = groupsInView.filter(
    ({ groupId, expiresAtMs, dismissed }) =>
      expiresAtMs > nowMs && !dismissed && !(own !== undefined && equalBytes(groupId, own)),
  )
  if (another !== undefined) throw new ClientError('unknown-group', 'There are several groups. Say which one to ask.')
  return only?.groupId ?? new Uint8Array(GROUP_ID_BYTES)
}

function groupIdOf(id: string): Uint8Array {
  if (!GROUP_ID.test(id)) throw new ClientError('unknown-group', 'A group is named by 16 hexadecimal digits.')
  return decodeHex(id.toLowerCase())
}

const CODES: Readonly<Partial<Record<ProtocolError['code'], ClientErrorCode>>> = {
  'membership-unknown': 'membership-unknown',
  'already-registered': 'already-in-group',
  'not-registered': 'not-in-group',
  removed: 'device-removed',
  displaced: 'device-displaced',
  'unknown-group': 'unknown-group',
  'unknown-device': 'unknown-device',
  'unknown-request': 'unknown-request',
  'bad-input': 'bad-device',
}

/** What the state refuses, as an error of this package. */
async function refused<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw clientErrorOf(error)
  }
}

function clientErrorOf(error: unknown): unknown {
  if (!(error instanceof ProtocolError)) return error
  const code = CODES[error.code]
  if (code === undefined) return error
  const text = error.message.charAt(0).toUpperCase() + error.message.slice(1)
  return new ClientError(code, `${text}.`, error)
}
