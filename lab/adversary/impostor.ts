/**
 * Somebody who has the recovery password, and with it whatever the account can sign: group messages that list whom they like, for devices
 * whose public keys they know; link requests; published keys. What they lack is the keys of the account's devices.
 */
import { NAMESPACE } from '@session-v2/network'
import {
  type Account,
  type AccountKey,
  accountKeyFromSeed,
  buildAccountKeyRecord,
  type DeviceId,
  type DeviceRecord,
  deviceIdOf,
  deviceRecordDigest,
  type ExpandedKeyPair,
  encodeDeviceRecord,
  expandKeyPair,
  type GroupEntry,
  messageKindAt21,
  type OpenLinkOutcome,
  openGroupMessage,
  openLinkRequest,
  sealGroupMessage,
  writeDeviceRecord,
} from '@session-v2/protocol'
import type { Scene } from './scene.ts'

type LinkRequest = Extract<OpenLinkOutcome, { outcome: 'opened' }>['request']

export class Impostor {
  readonly account: Account
  readonly deviceId: DeviceId
  readonly device: ExpandedKeyPair
  /** An account key of its own making. */
  readonly accountKey: AccountKey
  readonly #scene: Scene
  /** Greater than that of any record so far. */
  #seqno = 1000n

  /** @param deviceId under which it appears; a new one when it is absent */
  constructor(scene: Scene, account: Account, deviceId?: DeviceId) {
    const { crypto, random } = scene
    this.#scene = scene
    this.account = account
    this.deviceId = deviceId ?? deviceIdOf(random.bytes(32))
    this.device = expandKeyPair(crypto, 'SessionDeviceKeys', random.bytes(32))
    this.accountKey = accountKeyFromSeed(crypto, random.bytes(32), scene.nowS)
  }

  /** What it says of its own device. */
  record(description = 'phone'): DeviceRecord {
    const { x25519, mlKem768 } = this.device
    const keys = { x25519: x25519.publicKey, mlKem768: mlKem768.publicKey }
    return writeDeviceRecord({ seqno: this.#seqno++, timestampS: BigInt(this.#scene.nowS), ...keys, description })
  }

  /**
   * Stores a group message that lists these members.
   * @param accountKeys its own when none are given
   * @param isListed whether it lists itself as well
   */
  async tellGroup(
    groupId: Uint8Array,
    members: ReadonlyMap<DeviceId, DeviceRecord | 'removed'>,
    { accountKeys = [this.accountKey], isListed = true }: { accountKeys?: readonly AccountKey[]; isListed?: boolean } = {},
  ): Promise<void> {
    const { crypto, random } = this.#scene
    const own: [DeviceId, DeviceRecord][] = isListed ? [[this.deviceId, this.record()]] : []
    const listed = new Map<DeviceId, DeviceRecord | 'removed'>([...own, ...members])
    const devices = new Map([...listed].map(([id, entry]) => [id, this.#entry(entry)]))
    const linkX25519 = accountKeys[0]!.x25519.publicKey
    await this.store(sealGroupMessage(crypto, random, this.account, { groupId, linkX25519, devices, accountKeys }))
  }

  /** Publishes its own account key as that of the account. */
  async publish(key: AccountKey = this.accountKey): Promise<void> {
    const { crypto, random } = this.#scene
    const record = buildAccountKeyRecord(crypto, random, this.account, key)
    await this.#scene.store(this.account.id, record, NAMESPACE.accountKeys, this.account)
  }

  store(payload: Uint8Array): Promise<void> {
    return this.#scene.store(this.account.id, payload, NAMESPACE.devices, this.account)
  }

  /** The link requests in the swarm that are sealed to its account key. */
  async requests(): Promise<LinkRequest[]> {
    const payloads = await this.at21()
    return payloads.flatMap(payload => {
      const opened = openLinkRequest(this.#scene.crypto, this.account, [this.accountKey], payload)
      return opened.outcome === 'opened' ? [opened.request] : []
    })
  }

  /** What the newest group message in the swarm says in clear: the ID of its group and its link key. */
  async newestGroup() {
    const groups = (await this.at21()).filter(payload => messageKindAt21(payload) === 'group')
    const opened = openGroupMessage(this.#scene.crypto, this.account, this.deviceId, [], groups.at(-1)!)
    if (opened.outcome !== 'not-for-us') throw new Error('there is no group of the account')
    return { groupId: opened.facts.groupId!, linkKey: opened.facts.linkX25519! }
  }

  /** What it can open of the group messages in the swarm, by the keys of its own device. */
  async readsGroup(): Promise<boolean> {
    const payloads = await this.at21()
    return payloads.some(payload => {
      const opened = openGroupMessage(this.#scene.crypto, this.account, this.deviceId, [this.device], payload)
      const isOthers =
        opened.outcome === 'opened' && !opened.payload.accountKeys.every(({ seed }) => seed.equals(this.accountKey.seed))
      return isOthers
    })
  }

  at21(): Promise<Uint8Array[]> {
    return this.#scene.retrieve(this.account, NAMESPACE.devices)
  }

  #entry(entry: DeviceRecord | 'removed'): GroupEntry {
    if (entry === 'removed') return { kind: 'kicked', atS: BigInt(this.#scene.nowS) }
    return { kind: 'member', record: entry, digest: deviceRecordDigest(this.#scene.crypto, encodeDeviceRecord(entry)) }
  }
}
