/**
 * One config on one device, as a value: what it says, and what of that the swarm holds.
 *
 *              edit                    push                       confirm
 *     clean ─────────► dirty ────────────────► waiting ──────────────────────► clean
 *                        ▲ ▲     edit             │
 *                        │ └──────────────────────┘
 *                        └── merge of several messages, from every phase;  merge that adopts one message ──► clean
 *
 * The first edit begins the message that follows; later ones change it. Messages of the swarm that a newer one replaces are obsolete;
 * the next push hands their hashes out for deletion.
 *
 * Implements CFG-13, CFG-14, CFG-15, CFG-16.
 */
import type { Crypto } from '@session-v2/crypto'
import type { BtDict } from '@session-v2/encoding'
import { ProtocolError } from '../protocol-error.ts'
import { type ConfigPath, valueAt, withElement, withoutElement, withValue } from './edit.ts'
import { type ConfigMerge, mergeConfigMessages } from './merge.ts'
import {
  type ConfigMessage,
  type ConfigSigning,
  emptyConfigMessage,
  encodeConfigMessage,
  type FixedMessage,
  fixed,
  nextMessage,
  parseConfigMessage,
  RECEIVED_SEQNO_MAX,
} from './message.ts'
import type { ConfigPartSets } from './part-sets.ts'
import { type ConfigDict, type ConfigScalar, type ConfigValue, EMPTY_DICT, equalValues, isSet } from './value.ts'

export type ConfigPhase = 'clean' | 'dirty' | 'waiting'

export interface ConfigState {
  readonly phase: ConfigPhase
  readonly message: ConfigMessage
  /** Hashes by which the swarm knows the stored message, one for each of its parts. */
  readonly currentHashes: readonly string[]
  /** Hashes of messages to be deleted. */
  readonly obsoleteHashes: ReadonlySet<string>
  /** Messages of several parts that came, and are not complete or were lately. */
  readonly partSets: ConfigPartSets
  /** What a type of config keeps for this device alone. */
  readonly extra: BtDict
  /** Something changed that the last dump does not have. */
  readonly dumpDue: boolean
}

/** A config that nobody has written to. */
export function newConfigState(crypto: Crypto): ConfigState {
  return {
    phase: 'clean',
    message: emptyConfigMessage(crypto),
    currentHashes: [],
    obsoleteHashes: new Set(),
    partSets: new Map(),
    extra: new Map(),
    dumpDue: false,
  }
}

/** Whether a push is due. */
export function isConfigPushDue({ phase }: ConfigState): boolean {
  return phase !== 'clean'
}

/** The value at a path. */
export function configValue({ message }: ConfigState, path: ConfigPath): ConfigValue | undefined {
  return valueAt(message.data, path)
}

/**
 * The state with the data that `change` makes of it. When nothing is edited yet and nothing changes, the same state.
 * Throws `bad-input` for who may read only.
 */
export function editConfig(
  crypto: Crypto,
  state: ConfigState,
  change: (data: ConfigDict) => ConfigDict,
  signing: ConfigSigning = {},
): ConfigState {
  const data = change(state.message.data)
  if (state.phase !== 'dirty' && equalValues(data, state.message.data)) return state
  return edited(crypto, state, data, signing)
}

/** Sets a value; an empty set or dict, and undefined, erase it. Throws `bad-input` for what no config can hold. */
export function setConfigValue(
  crypto: Crypto,
  state: ConfigState,
  path: ConfigPath,
  value: ConfigValue | undefined,
  signing: ConfigSigning = {},
): ConfigState {
  return editConfig(crypto, state, data => withValue(data, path, value), signing)
}

/** Adds an element to the set at a path. */
export function addToConfigSet(
  crypto: Crypto,
  state: ConfigState,
  path: ConfigPath,
  element: ConfigScalar,
  signing: ConfigSigning = {},
): ConfigState {
  return editConfig(crypto, state, data => withElement(data, path, element), signing)
}

/** Takes an element out of the set at a path. Where there is no set this is an edit, though it changes nothing (CFG-14). */
export function removeFromConfigSet(
  crypto: Crypto,
  state: ConfigState,
  path: ConfigPath,
  element: ConfigScalar,
  signing: ConfigSigning = {},
): ConfigState {
  const change = (data: ConfigDict) => withoutElement(data, path, element)
  if (isSet(configValue(state, path))) return editConfig(crypto, state, change, signing)
  return edited(crypto, state, change(state.message.data), signing)
}

function edited(crypto: Crypto, state: ConfigState, data: ConfigDict, signing: ConfigSigning): ConfigState {
  if (isReadOnly(signing)) throw new ProtocolError('bad-input', 'CFG-14', 'this config can only be read')
  if (state.phase === 'dirty') return { ...state, message: { ...begun(crypto, state.message, signing), data }, dumpDue: true }
  return {
    ...leavingClean(state),
    phase: 'dirty',
    message: { ...nextMessage(crypto, state.message, signing), data },
    dumpDue: true,
  }
}

/** A message that is edited stays; whoever is dirty has one. */
function begun(crypto: Crypto, message: ConfigMessage, signing: ConfigSigning) {
  return message.base === undefined ? nextMessage(crypto, message, signing) : message
}

function isReadOnly({ verify, sign }: ConfigSigning): boolean {
  return verify !== undefined && sign === undefined
}

/** The stored message, if there is one, becomes obsolete. */
function leavingClean(state: ConfigState): ConfigState {
  if (state.phase !== 'clean' || state.currentHashes.length === 0) return state
  return { ...state, currentHashes: [], obsoleteHashes: new Set([...state.obsoleteHashes, ...state.currentHashes]) }
}

export interface PushedConfig {
  readonly state: ConfigState
  readonly seqno: bigint
  readonly plaintext: Uint8Array
  /**
   * Messages to delete once this one is stored; the state forgets them, so who fails to delete has to remember them. A hash that
   * the store gave for this message is not to be deleted.
   */
  readonly obsolete: readonly string[]
}

/** What to store now. Without an edit it is the same bytes again, to be stored again before they expire. */
export function pushConfig(crypto: Crypto, state: ConfigState, signing: ConfigSigning = {}): PushedConfig {
  const dirty = state.phase === 'dirty'
  const message = dirty ? fixed(crypto, state.message, signing) : state.message
  const pushed: ConfigState = {
    ...state,
    message,
    phase: dirty ? 'waiting' : state.phase,
    obsoleteHashes: new Set(),
    dumpDue: state.dumpDue || dirty || state.obsoleteHashes.size > 0,
  }
  const obsolete = isReadOnly(signing) ? [] : [...state.obsoleteHashes]
  return { state: pushed, seqno: message.seqno, plaintext: encodeConfigMessage(message, signing), obsolete }
}

/** The message with this seqno is stored, under one hash for each of its parts. Anything else than what is waited for changes nothing. */
export function confirmConfigPush(state: ConfigState, seqno: bigint, hashes: readonly string[]): ConfigState {
  if (state.phase !== 'waiting' || state.message.seqno !== seqno) return state
  return { ...state, phase: 'clean', currentHashes: hashes, dumpDue: true }
}

/** The plaintext of a message of the swarm, and the hashes of its parts there. */
export interface ReceivedConfig {
  readonly hashes: readonly string[]
  readonly plaintext: Uint8Array
}

export interface MergedConfig {
  readonly state: ConfigState
  /** Hashes of the messages that could be read. */
  readonly accepted: readonly string[]
  /** What is wrong with the others, `malformed` or `forged`. */
  readonly refused: readonly { readonly hashes: readonly string[]; readonly cause: ProtocolError }[]
}

/** Merges messages of the swarm into a config. Never throws for what is in them. */
export function mergeConfig(
  crypto: Crypto,
  state: ConfigState,
  received: readonly ReceivedConfig[],
  signing: ConfigSigning = {},
): MergedConfig {
  const { message: own, phase, currentHashes } = state
  const candidates: Candidate[] = []
  const ownTakesPart = own.seqno !== 0n || phase === 'dirty'
  if (ownTakesPart) candidates.push({ hashes: currentHashes, message: fixed(crypto, own, signing) })
  const refused: { hashes: readonly string[]; cause: ProtocolError }[] = []
  for (const { hashes, plaintext } of received) {
    try {
      candidates.push({ hashes, message: parseReceived(crypto, plaintext, signing) })
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause
      refused.push({ hashes, cause })
    }
  }
  const others = candidates.slice(ownTakesPart ? 1 : 0)
  const accepted = others.flatMap(({ hashes }) => hashes)
  if (others.length === 0) return { state, accepted, refused }
  const merge = mergeConfigMessages(
    candidates.map(({ message }) => message),
    signing,
  )
  return { state: afterMerge(crypto, state, candidates, merge, ownTakesPart, signing), accepted, refused }
}

interface Candidate {
  readonly hashes: readonly string[]
  readonly message: FixedMessage
}

function parseReceived(crypto: Crypto, plaintext: Uint8Array, signing: ConfigSigning): FixedMessage {
  const message = parseConfigMessage(crypto, plaintext, signing)
  if (message.seqno > RECEIVED_SEQNO_MAX)
    throw new ProtocolError('malformed', 'CFG-03', 'the seqno of a config message is too high')
  return message
}

function afterMerge(
  crypto: Crypto,
  state: ConfigState,
  candidates: readonly Candidate[],
  merge: ConfigMerge,
  ownTakesPart: boolean,
  signing: ConfigSigning,
): ConfigState {
  const adopted = merge.outcome === 'adopted' ? merge.index : undefined
  const others = candidates.filter((_, index) => index !== adopted).flatMap(({ hashes }) => hashes)
  const replaced: ConfigState = { ...state, obsoleteHashes: new Set([...state.obsoleteHashes, ...others]) }
  const dirty = state.phase === 'dirty'
  if (merge.outcome === 'merged') {
    const { seqno, data, rows } = merge
    // Who had no edit of its own says that everything is new; whoever merges the same messages does the same (CFG-16).
    const message = { seqno, data, rows, unknown: new Map(), base: dirty ? data : EMPTY_DICT }
    return { ...leavingClean(replaced), phase: 'dirty', message, dumpDue: true }
  }
  const unchanged = merge.message.seqno + (dirty ? 1n : 0n) === state.message.seqno
  if (unchanged || (dirty && ownTakesPart && adopted === 0)) return keptState(state, replaced)
  const message = dirty ? nextMessage(crypto, merge.message, signing) : merge.message
  const left = leavingClean(replaced)
  return { ...left, phase: 'clean', message, currentHashes: candidates[merge.index]!.hashes, dumpDue: true }
}

/** Nothing changed but what is obsolete, and what is in use is not. */
function keptState(state: ConfigState, replaced: ConfigState): ConfigState {
  const obsoleteHashes = new Set(replaced.obsoleteHashes)
  for (const hash of state.currentHashes) obsoleteHashes.delete(hash)
  const same =
    obsoleteHashes.size === state.obsoleteHashes.size && [...obsoleteHashes].every(hash => state.obsoleteHashes.has(hash))
  return same ? state : { ...state, obsoleteHashes, dumpDue: true }
}
