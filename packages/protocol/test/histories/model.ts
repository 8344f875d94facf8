/**
 * A naive model of one device in its group, written from the clauses DS-01 to DS-37 alone: loops over plain data that is changed in
 * place, without cryptography. The real functions are compared with it, step by step, over long random histories; it shares nothing
 * with them but the clauses. Where a clause does not allow something, the answer is `refused` and nothing has changed.
 */
import { eraseAccountKeys, rotateAccountKeys } from './model-account-keys.ts'
import { eraseDeviceKeys, recallDeviceKeys } from './model-device-keys.ts'
import {
  forgetGroupsOutOfView,
  GROUP_MESSAGE_LIFE_MS,
  groupsInView,
  isRegistered,
  mayAct,
  membershipOf,
  noteGroup,
  observe,
} from './model-membership.ts'
import { admitHeld, endReceivedRequests, expireRequests, mayAskFor, mergeMessage } from './model-merge.ts'
import {
  addOwnRequest,
  dropOwnRequest,
  endOwnRequests,
  forgetGroup,
  leaveGroup,
  ownRecord,
  REQUEST_DEADLINE_MS,
  renewIdentity,
  rewriteOwnRecord,
} from './model-own.ts'
import { isFarewellOwed, nextPush, settlePush } from './model-push.ts'
import { isGreater, seqnoOf } from './model-rows.ts'
import { snapshotOfModel } from './model-snapshot.ts'
import {
  hasPassed,
  type ModelMessage,
  type ModelPush,
  type ModelReceivedRequest,
  type ModelRecord,
  type ModelRequestMessage,
  type ModelSnapshot,
  type ModelState,
  secondsOf,
} from './model-types.ts'

const MAX_OPEN_REQUESTS = 64

export type ModelAnswer = 'done' | 'refused'

export interface ModelOptions {
  readonly id: string
  readonly x25519: string
  readonly details: string
  readonly nowMs: number
  /** 8 bytes: the digest of the record's encoding. */
  readonly digestOf: (record: ModelRecord) => string
  /** The X25519 key of the account key with the seed. */
  readonly linkKeyOf: (seed: string) => string
}

export class ModelDevice {
  readonly #state: ModelState

  constructor({ id, x25519, details, nowMs, digestOf, linkKeyOf }: ModelOptions) {
    this.#state = {
      id,
      details,
      deviceKeys: [{ x25519, createdAtS: secondsOf(nowMs) }],
      groupId: undefined,
      readAtMs: undefined,
      displacedAtMs: undefined,
      rows: new Map(),
      confirmedSeqno: 0n,
      accountKeys: [],
      rotationOwed: false,
      retiredKeys: [],
      mergedHashes: [],
      groupsInView: new Map(),
      ownRequests: [],
      receivedRequests: [],
      farewells: [],
      fetched: false,
      membership: 'Unknown',
      appeared: new Set(),
      nowMs,
      digestOf,
      linkKeyOf,
    }
  }

  /** DS-18 */
  found(groupId: string, seed: string, nowMs: number, newAccount: boolean): ModelAnswer {
    const state = this.#state
    const membership = membershipOf(state, nowMs)
    const row = state.rows.get(state.id)
    // DS-18: the device of a new account has no row of itself.
    const isNew = newAccount && membership === 'Unknown' && row === undefined
    if (!isNew && !['NoGroup', 'GroupsVisible', 'Waiting'].includes(membership)) return 'refused'
    forgetGroup(state, secondsOf(nowMs))
    const seqno = row?.record === undefined ? 1n : row.record.seqno
    state.rows.clear()
    const record = ownRecord(state, seqno, BigInt(secondsOf(nowMs)))
    state.rows.set(state.id, { state: 'registered', record, marked: true })
    state.confirmedSeqno = 0n
    rotateAccountKeys(state, seed, secondsOf(nowMs))
    state.groupId = groupId
    state.readAtMs = nowMs
    noteGroup(state, groupId, state.linkKeyOf(seed), nowMs, nowMs + GROUP_MESSAGE_LIFE_MS)
    return this.#told(nowMs)
  }

  /** DS-19 */
  ask(groupId: string, nowMs: number): 'refused' | ModelRecord {
    const state = this.#state
    if (['Unknown', 'Removed', 'Displaced'].includes(membershipOf(state, nowMs))) return 'refused'
    if (groupId === state.groupId || !groupsInView(state, nowMs).includes(groupId)) return 'refused'
    const record = addOwnRequest(state, groupId, nowMs)
    this.#told(nowMs)
    return record
  }

  /** DS-19: the newest request was stored by the swarm. */
  requestStored(nowMs: number): ModelAnswer {
    const newest = this.#state.ownRequests.at(-1)
    if (newest === undefined || newest.deadlineMs !== undefined) return 'refused'
    newest.deadlineMs = newest.sentAtMs + REQUEST_DEADLINE_MS
    return this.#done(nowMs)
  }

  /** DS-19: the newest request could not be stored. */
  requestFailed(): ModelAnswer {
    if (this.#state.ownRequests.at(-1)?.deadlineMs !== undefined) return 'refused'
    return this.withdraw()
  }

  /** DS-19: the person takes the newest request back, stored or not. */
  withdraw(): ModelAnswer {
    const newest = this.#state.ownRequests.at(-1)
    if (newest === undefined) return 'refused'
    dropOwnRequest(this.#state, newest)
    return this.#told(this.#state.nowMs)
  }

  /** DS-19, DS-20: the person confirms the newest request, and with it an admission that waits. */
  confirm(nowMs: number): ModelAnswer {
    const newest = this.#state.ownRequests.at(-1)
    if (newest === undefined) return 'refused'
    newest.confirmed = true
    admitHeld(this.#state, nowMs)
    return this.#told(nowMs)
  }

  /** DS-26, DS-27. Refused: it is ignored. */
  receiveRequest(message: ModelRequestMessage, nowMs: number): ModelAnswer {
    const state = this.#state
    const { hash, deviceId, record, digest, expiresAtMs } = message
    if (!mayAct(state) || deviceId === state.id || hasPassed(expiresAtMs, nowMs) || !mayAskFor(state, deviceId)) return 'refused'
    // DS-26
    if (state.receivedRequests.some(request => request.hash === hash)) return 'refused'
    // DS-26: beyond 64 open ones. Those of the same device are about to end.
    const others = state.receivedRequests.filter(({ status, deviceId: id }) => status === 'open' && id !== deviceId)
    if (others.length >= MAX_OPEN_REQUESTS) return 'refused'
    const row = state.rows.get(deviceId)
    const replaces = row?.state === 'registered'
    if (replaces) {
      // DS-27
      if (record.timestampS <= row.record!.timestampS) return 'refused'
    } else {
      // DS-26
      if (row !== undefined && !isGreater('pending', record, digest, row)) return 'refused'
      state.rows.set(deviceId, { state: 'pending', record, digest, marked: row?.marked ?? false })
    }
    for (const earlier of state.receivedRequests) {
      if (earlier.deviceId === deviceId && earlier.status === 'open') earlier.status = 'superseded'
    }
    state.receivedRequests.push({
      hash,
      deviceId,
      record,
      digest,
      receivedAtMs: nowMs,
      expiresAtMs,
      replaces,
      status: 'open',
    })
    return this.#done(nowMs)
  }

  /** DS-28, DK-09 */
  accept(hash: string, seed: string, nowMs: number): ModelAnswer {
    const state = this.#state
    const request = this.#openRequest(hash)
    if (!mayAct(state) || request === undefined || hasPassed(request.expiresAtMs, nowMs)) return 'refused'
    const row = state.rows.get(request.deviceId)!
    if (request.replaces) {
      const greater = request.record.seqno > seqnoOf(row) ? request.record.seqno : seqnoOf(row)
      row.record = { ...request.record, seqno: greater + 1n }
      row.digest = state.digestOf(row.record)
      rotateAccountKeys(state, seed, secondsOf(nowMs))
    } else {
      row.state = 'registered'
      recallDeviceKeys(state)
    }
    row.marked = true
    request.status = 'accepted'
    return this.#done(nowMs)
  }

  /** DS-28: ends the request on this device only. */
  ignore(hash: string): ModelAnswer {
    const request = this.#openRequest(hash)
    if (request === undefined) return 'refused'
    request.status = 'ignored'
    return this.#done(this.#state.nowMs)
  }

  /** DS-29 */
  remove(id: string, seed: string, nowMs: number): ModelAnswer {
    const state = this.#state
    const row = state.rows.get(id)
    if (!mayAct(state) || id === state.id || row?.state !== 'registered') return 'refused'
    row.state = 'kicked'
    row.removedAtS = BigInt(secondsOf(nowMs))
    row.marked = true
    expireRequests(state, id)
    rotateAccountKeys(state, seed, secondsOf(nowMs))
    return this.#done(nowMs)
  }

  /** DS-32 */
  rotate(seed: string, nowMs: number): ModelAnswer {
    if (!mayAct(this.#state)) return 'refused'
    rotateAccountKeys(this.#state, seed, secondsOf(nowMs))
    return this.#done(nowMs)
  }

  /** DS-31. A device that is not Registered has no record to write: the details are for its next one. */
  changeDetails(details: string, nowMs: number): ModelAnswer {
    const state = this.#state
    if (details !== state.details) {
      state.details = details
      if (isRegistered(state)) rewriteOwnRecord(state, nowMs)
    }
    return this.#done(nowMs)
  }

  /** DS-30, DS-31, DK-02 */
  rotateDeviceKey(x25519: string, nowMs: number): ModelAnswer {
    const state = this.#state
    if (!mayAct(state)) return 'refused'
    if (x25519 !== state.deviceKeys[0]!.x25519) {
      state.deviceKeys.unshift({ x25519, createdAtS: secondsOf(nowMs) })
      rewriteOwnRecord(state, nowMs)
    }
    return this.#done(nowMs)
  }

  /** DS-24, then DS-25: an ID that has left is of no more use. */
  leave(newId: string, x25519: string, nowMs: number): ModelAnswer {
    // DS-30
    if (!mayAct(this.#state)) return 'refused'
    leaveGroup(this.#state, nowMs)
    renewIdentity(this.#state, newId, x25519, nowMs)
    return this.#told(nowMs)
  }

  /** DS-25 */
  renew(newId: string, x25519: string, nowMs: number): ModelAnswer {
    if (!['Removed', 'Displaced'].includes(membershipOf(this.#state, nowMs))) return 'refused'
    renewIdentity(this.#state, newId, x25519, nowMs)
    return this.#told(nowMs)
  }

  /** Any group message with a valid signature, readable or not (DS-06 to DS-15, DS-20). */
  merge(message: ModelMessage, nowMs: number): ModelAnswer {
    mergeMessage(this.#state, message, nowMs)
    return this.#done(nowMs)
  }

  /** DS-34: what is owed first; undefined when nothing is. */
  push(nowMs: number): ModelPush | undefined {
    return nextPush(this.#state, nowMs)
  }

  /** DS-35 */
  confirmPush(push: ModelPush, hash: string, nowMs: number): ModelAnswer {
    return settlePush(this.#state, push, hash, nowMs) ? this.#done(nowMs) : 'refused'
  }

  /** DS-16, DS-37: a fetch of namespace 21 has come to its end. */
  completeFetch(nowMs: number): ModelAnswer {
    const state = this.#state
    state.nowMs = nowMs
    endReceivedRequests(state, nowMs)
    endOwnRequests(state, nowMs)
    forgetGroupsOutOfView(state, nowMs)
    eraseAccountKeys(state, secondsOf(nowMs))
    eraseDeviceKeys(state, secondsOf(nowMs))
    state.farewells = state.farewells.filter(farewell => isFarewellOwed(farewell, nowMs))
    state.fetched = true
    return this.#told(nowMs)
  }

  /** DS-16, DS-17, DS-22: the device starts anew. */
  restart(nowMs: number): ModelAnswer {
    const state = this.#state
    for (const request of [...state.ownRequests]) {
      if (request.deadlineMs === undefined && request.held.length === 0) dropOwnRequest(state, request)
    }
    endOwnRequests(state, nowMs)
    state.fetched = false
    state.appeared = new Set()
    return this.#told(nowMs)
  }

  snapshot(): ModelSnapshot {
    return snapshotOfModel(this.#state)
  }

  #openRequest(hash: string): ModelReceivedRequest | undefined {
    return this.#state.receivedRequests.find(request => request.hash === hash && request.status === 'open')
  }

  #done(nowMs: number): 'done' {
    this.#state.nowMs = nowMs
    return 'done'
  }

  /** DS-17: after a complete fetch and what the person does, the membership and what has appeared are known. */
  #told(nowMs: number): 'done' {
    observe(this.#state, nowMs)
    return 'done'
  }
}
