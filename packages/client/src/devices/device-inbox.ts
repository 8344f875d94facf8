/**
 * What is read at namespace 21: group messages and link requests, merged in the order in which they came, link requests last, since a
 * group message may bring the key that opens them. A page is committed with its cursor, so that after a crash it comes again and
 * changes nothing.
 */
import type { Crypto } from '@session-v2/crypto'
import { decodeBase64, encodeBase64 } from '@session-v2/encoding'
import { NAMESPACE, type RetrievedMessage } from '@session-v2/network'
import {
  type Account,
  completeFetch,
  expandDeviceKeys,
  type GroupState,
  LINK_TTL_MS,
  linkAuthenticationString,
  mergeGroupMessage,
  messageKindAt21,
  openGroupMessage,
  openLinkRequest,
  ProtocolError,
  receiveLinkRequest,
  wipeExpandedKeyPair,
} from '@session-v2/protocol'
import type { Change } from '../ports/store.ts'
import { ownMessageHash } from '../routing/own-swarm.ts'
import type { Table } from '../store/sealed/sealed-store.ts'
import type { DeviceGroup, Step } from './device-group.ts'

/** A link request that no key opened yet: its group's next message may bring it. */
export interface ClosedRequestRecord {
  readonly hash: string
  readonly message: string
  readonly swarmTimeMs: number
  readonly expiresAtMs: number
}

/** Requests kept closed; anyone with the recovery password can send what does not open. The oldest go first. */
const CLOSED_MAX = 64

export interface DeviceInboxParts {
  readonly crypto: Crypto
  readonly account: Account
  readonly group: DeviceGroup
  readonly table: Table<ClosedRequestRecord>
}

export class DeviceInbox {
  readonly #parts: DeviceInboxParts

  constructor(parts: DeviceInboxParts) {
    this.#parts = parts
  }

  /** Takes a page of messages. @param cursor changes to be committed with it */
  async take(page: readonly RetrievedMessage[], cursor: readonly Change[]): Promise<void> {
    const { group } = this.#parts
    const messages = page.map(message => this.#checked(message))
    const groups = messages.filter(({ payload }) => messageKindAt21(payload) === 'group')
    if (groups.length > 0) await group.change(groups.map(message => this.#merging(message)))
    const links = messages.filter(({ payload }) => messageKindAt21(payload) === 'link')
    const closed: Change[] = []
    for (const message of links) if (!(await this.#takeLink(message))) closed.push(this.#kept(message))
    const changes = [...closed, ...(await this.#surplus(closed.length)), ...cursor]
    if (changes.length > 0) await group.change([], { changes })
  }

  /** Everything there is has been read: what did not open is tried again, and what the group owes to time is done. */
  async complete(nowMs: number): Promise<void> {
    const { group, table } = this.#parts
    for (const record of await table.all()) {
      const { hash, swarmTimeMs: timestampMs, expiresAtMs: expiryMs } = record
      const isOver = expiryMs <= nowMs
      const message = { hash, payload: decodeBase64(record.message), timestampMs, expiryMs }
      if (isOver || (await this.#takeLink(message))) await group.change([], { changes: [table.remove(hash)] })
    }
    await group.change([completeFetch])
  }

  /** A message under the hash that it has, whatever the node says. */
  #checked({ payload, timestampMs, expiryMs }: RetrievedMessage): RetrievedMessage {
    const { crypto, account } = this.#parts
    return { hash: ownMessageHash(crypto, account, NAMESPACE.devices, payload), payload, timestampMs, expiryMs }
  }

  #merging(message: RetrievedMessage): Step {
    const { crypto, account } = this.#parts
    return (state, nowMs) => {
      const opened = openWithDeviceKeys(crypto, account, state, message.payload)
      if (opened.outcome !== 'opened' && opened.outcome !== 'not-for-us') return state
      const { hash, payload, timestampMs: swarmTimeMs, expiryMs: expiresAtMs } = message
      try {
        return mergeGroupMessage(crypto, state, { hash, message: payload, swarmTimeMs, expiresAtMs, opened }, nowMs)
      } catch (error) {
        // A group that no message could carry, or a time that is none: it changes nothing (DS-13, DS-39, DS-40).
        if (!(error instanceof ProtocolError)) throw error
        if (opened.outcome === 'opened') for (const { seed } of opened.payload.accountKeys) seed.wipe()
        return state
      }
    }
  }

  /** Takes a link request; false when no key opens it yet. */
  async #takeLink(message: RetrievedMessage): Promise<boolean> {
    const { crypto, account, group } = this.#parts
    const opened = openLinkRequest(crypto, account, group.keyring.keys, message.payload)
    if (opened.outcome === 'no-key') return false
    if (opened.outcome !== 'opened') return true
    const { hash, timestampMs: swarmTimeMs, expiryMs: expiresAtMs } = message
    const { request } = opened
    const receiving =
      (indices: readonly number[]): Step =>
      (state, nowMs) =>
        receiveLinkRequest(state, { hash, request, indices, swarmTimeMs, expiresAtMs }, nowMs)
    // The emoji cost 16 MiB and some 40 ms: only for a request that a person would be asked about.
    if (!group.wouldChange(receiving([]))) return true
    await group.change([receiving(linkAuthenticationString(crypto, request.plaintext).indices)])
    return true
  }

  #kept({ hash, payload, timestampMs, expiryMs }: RetrievedMessage): Change {
    const expiresAtMs = Math.min(expiryMs, timestampMs + LINK_TTL_MS)
    return this.#parts.table.put(hash, { hash, message: encodeBase64(payload), swarmTimeMs: timestampMs, expiresAtMs })
  }

  async #surplus(added: number): Promise<Change[]> {
    if (added === 0) return []
    const held = await this.#parts.table.all()
    return held.slice(0, Math.max(0, held.length + added - CLOSED_MAX)).map(({ hash }) => this.#parts.table.remove(hash))
  }
}

/** Opens a group message with the keys of this device, which exist for that moment only. */
export function openWithDeviceKeys(crypto: Crypto, account: Account, state: GroupState, message: Uint8Array) {
  const pairs = expandDeviceKeys(crypto, state.deviceKeys)
  try {
    return openGroupMessage(crypto, account, state.self, pairs, message)
  } finally {
    for (const pair of pairs) wipeExpandedKeyPair(pair)
  }
}
