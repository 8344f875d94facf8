/**
 * Tells the other devices what this one owes them: the group message is stored and what it supersedes deleted, in one sequence, so that
 * the swarm is at no moment without the group. A push that is not confirmed stays owed (clauses DS-34, DS-35).
 *
 * In order, after a complete fetch: keys that are due are rotated, the group is told, and only then are account keys published (−21):
 * a sender must never use a key that the other devices cannot learn.
 */
import type { Crypto, Random } from '@session-v2/crypto'
import {
  buildDelete,
  buildSequence,
  buildStore,
  MAX_TTL_MS,
  NAMESPACE,
  parseSequenceResult,
  parseStoreResult,
  type RpcRequest,
} from '@session-v2/network'
import {
  type Account,
  accountKeyRotationDueAtMs,
  confirmPush,
  duePush,
  type GroupPush,
  type GroupState,
  isDeviceKeyRotationDue,
  isPushDue,
  nameGroup,
  newGroupId,
  rotateAccountKey,
  rotateDeviceKey,
  sealPush,
} from '@session-v2/protocol'
import { isStoredByMost, ownMessageHash } from '../routing/own-swarm.ts'
import { requestSigner } from '../routing/request-signer.ts'
import type { SwarmRequests } from '../routing/swarm-requests.ts'
import type { DeviceGroup } from './device-group.ts'

export interface DevicePushParts {
  readonly crypto: Crypto
  readonly random: Random
  readonly account: Account
  readonly group: DeviceGroup
  readonly requests: SwarmRequests
}

/** Farewells to groups that were left, and the own group: more than these are not owed at one time. */
const MAX_PUSHES = 8

export class DevicePush {
  readonly #parts: DevicePushParts

  constructor(parts: DevicePushParts) {
    this.#parts = parts
  }

  /** Rotates the account key and the device key where their time has come; with `atOnce` the account key in any case. */
  async rotateDueKeys({ atOnce = false }: { readonly atOnce?: boolean } = {}): Promise<void> {
    const { crypto, group, requests } = this.#parts
    if (!group.state.run.fetched) return
    const nowMs = requests.clock.nowMs()
    const dueAtMs = accountKeyRotationDueAtMs(crypto, group.state)
    if (dueAtMs !== undefined && (atOnce || nowMs >= dueAtMs)) {
      const seed = group.freshSeed('account-key-seed')
      await group.change([(state, atMs) => rotateAccountKey(crypto, state, seed, atMs)])
    }
    if (isDeviceKeyRotationDue(group.state, nowMs)) {
      const seed = group.freshSeed('device-key-seed')
      await group.change([(state, atMs) => rotateDeviceKey(crypto, state, seed, atMs)])
    }
  }

  /**
   * Pushes what is owed, one message after the other. Resolves to how many were confirmed.
   * @throws ClientError, NetworkError when no member of the swarm takes it
   */
  async pushOwed(): Promise<number> {
    const { crypto, random, group, requests } = this.#parts
    let confirmed = 0
    while (confirmed < MAX_PUSHES && isPushDue(group.state, requests.clock.nowMs())) {
      if (group.state.groupId === undefined) await group.change([(state, nowMs) => nameGroup(state, newGroupId(random, nowMs))])
      const push = duePush(crypto, group.state, requests.clock.nowMs())
      if (push === undefined || !(await deliver(this.#parts, push))) break
      confirmed++
    }
    return confirmed
  }
}

/** Stores a push and deletes what it supersedes; false when the swarm did not take it. */
async function deliver({ crypto, random, account, group, requests }: DevicePushParts, push: GroupPush): Promise<boolean> {
  const payload = push.group === undefined ? undefined : sealPush(crypto, random, account, push)
  const hash = payload && ownMessageHash(crypto, account, NAMESPACE.devices, payload)
  const { deletes } = push
  const signer = requestSigner(account)
  const build = (timestampMs: number): RpcRequest[] => [
    ...(payload === undefined
      ? []
      : [
          buildStore(crypto, {
            accountId: account.id,
            namespace: NAMESPACE.devices,
            payload,
            timestampMs,
            ttlMs: MAX_TTL_MS,
            signer,
          }),
        ]),
    ...(deletes.length === 0 ? [] : [buildDelete(crypto, { hashes: deletes, signer })]),
  ]
  const parts = (payload === undefined ? 0 : 1) + (deletes.length === 0 ? 0 : 1)
  const { result } = await requests.ask(account.id, {
    build: timestampMs => buildSequence(build(timestampMs)),
    read: answer => parseSequenceResult(answer, parts),
  })
  const isDeleted = deletes.length === 0 || result[parts - 1]?.status === 200
  if (payload === undefined || hash === undefined) return isDeleted && settle(group, push, undefined, requests.clock.nowMs())
  const stored = result[0]?.status === 200 ? parseStoreResult(crypto, result[0].body) : undefined
  if (stored === undefined || !isStoredByMost(stored, hash)) return false
  // What was not deleted is still to be deleted by the next one.
  return settle(group, isDeleted ? push : { ...push, deletes: [] }, hash, requests.clock.nowMs())
}

async function settle(group: DeviceGroup, push: GroupPush, hash: string | undefined, swarmTimeMs: number): Promise<true> {
  await group.change([(state: GroupState) => confirmPush(state, push, hash, swarmTimeMs)])
  return true
}
