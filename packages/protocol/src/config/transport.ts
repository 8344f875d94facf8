/**
 * Configs on their way to the swarm and back:
 *
 *     plaintext → compressed if that is shorter → padded → encrypted → wrapped (configs of an account)
 *                                                  └──► in parts, each encrypted, none wrapped, when one message cannot hold it
 *
 * Implements CFG-17, CFG-20, CFG-22, CFG-25, CFG-27.
 */
import { type Crypto, type Secret, wipe } from '@session-v2/crypto'
import { copyBytes } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import { ProtocolError } from '../protocol-error.ts'
import { type Compression, compressConfig, decompressConfig } from './compression.ts'
import { CONFIG_TYPES, type ConfigType } from './config-type.ts'
import { CONFIG_OVERHEAD_BYTES, decryptConfig, encryptConfig, padConfig, trimLeadingZeros } from './encryption.ts'
import type { ConfigSigning } from './message.ts'
import { CONFIG_MESSAGE_MAX_BYTES, isConfigPart, splitConfig, takeConfigPart, withoutExpiredParts } from './part-sets.ts'
import { type ConfigState, type MergedConfig, mergeConfig, pushConfig, type ReceivedConfig } from './state.ts'
import { unwrapConfig, wrapConfig } from './wrapping.ts'

/** The largest config that is sent, compressed, padded and encrypted, in bytes. */
export const CONFIG_SENT_MAX_BYTES = 5_000_000
const DICT = 0x64

/** The keys of a config, and how messages are wrapped. */
export interface ConfigChannel {
  readonly type: ConfigType
  /** 32 bytes each. The first one encrypts; messages are tried with all. */
  readonly keys: readonly Secret[]
  /** Of configs of an account. */
  readonly account?: Account
  /** Of configs of a group. */
  readonly signing?: ConfigSigning
}

/** The channel of a config of an account. */
export function accountConfigChannel(account: Account, type: ConfigType): ConfigChannel {
  return { type, keys: [account.seed], account }
}

/**
 * The messages to store for a plaintext: one, or from two to 66 parts.
 * Throws `bad-input` for a type that is never sent, and for more than 5,000,000 bytes.
 */
export function sealConfig(
  crypto: Crypto,
  compression: Compression,
  { type, keys, account }: ConfigChannel,
  seqno: bigint,
  plaintext: Uint8Array,
): Uint8Array[] {
  const { domain, wrappedKind } = CONFIG_TYPES[type]
  const key = keys[0]
  if (type === 'Local' || key === undefined)
    throw new ProtocolError('bad-input', 'CFG-17', `the config ${type} is not sent, or has no key`)
  const compressed = compressConfig(compression, plaintext)
  const padded = padConfig(compressed)
  wipe(compressed)
  try {
    const sizeBytes = padded.length + CONFIG_OVERHEAD_BYTES
    if (sizeBytes > CONFIG_SENT_MAX_BYTES)
      throw new ProtocolError('bad-input', 'CFG-22', `a config of ${sizeBytes} bytes cannot be sent`)
    if (sizeBytes > CONFIG_MESSAGE_MAX_BYTES)
      return splitConfig(crypto, padded).map(part => encryptConfig(crypto, key, domain, part))
    const message = encryptConfig(crypto, key, domain, padded)
    if (wrappedKind === undefined || account === undefined) return [message]
    const wrapped = wrapConfig(crypto, account, wrappedKind, seqno, message)
    return [wrapped.length > CONFIG_MESSAGE_MAX_BYTES ? message : wrapped]
  } finally {
    wipe(padded)
  }
}

/** What `sealConfig` makes of the next push. */
export interface SealedPush {
  readonly state: ConfigState
  readonly seqno: bigint
  readonly messages: readonly Uint8Array[]
  /** See `PushedConfig`. */
  readonly obsolete: readonly string[]
}

/** Pushes a config: messages to store, then hashes to delete. Throws `bad-input`, and then nothing was pushed. */
export function sealConfigPush(crypto: Crypto, compression: Compression, channel: ConfigChannel, state: ConfigState): SealedPush {
  const { plaintext, ...push } = pushConfig(crypto, state, channel.signing)
  return { ...push, messages: sealConfig(crypto, compression, channel, push.seqno, plaintext) }
}

/** A message of the swarm and its hash there. */
export interface StoredConfigMessage {
  readonly hash: string
  readonly bytes: Uint8Array
}

/**
 * Opens messages of the swarm and merges what they say. `nowMs`: since the epoch, for parts that wait for others. Hashes of parts are
 * accepted too. Messages that no key opens are in neither list. Never throws for what is in the messages.
 */
export function receiveConfig(
  crypto: Crypto,
  compression: Compression,
  channel: ConfigChannel,
  state: ConfigState,
  messages: readonly StoredConfigMessage[],
  nowMs: number,
): MergedConfig {
  let partSets = withoutExpiredParts(state.partSets, nowMs)
  const received: ReceivedConfig[] = []
  const parts: string[] = []
  const refused: { hashes: readonly string[]; cause: ProtocolError }[] = []
  for (const { hash, bytes } of messages) {
    try {
      const text = openConfigText(crypto, channel, bytes)
      if (text === undefined) continue
      if (isConfigPart(text)) {
        const taken = takeConfigPart(crypto, partSets, hash, text, nowMs)
        partSets = taken.sets
        parts.push(hash)
        if (taken.complete === undefined) continue
        const { whole, hashes } = taken.complete
        received.push({ hashes, plaintext: plaintextOf(compression, trimLeadingZeros(whole)) })
      } else received.push({ hashes: [hash], plaintext: plaintextOf(compression, text) })
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause
      refused.push({ hashes: [hash], cause })
    }
  }
  const held = partSets === state.partSets ? state : { ...state, partSets, dumpDue: true }
  const merge = mergeConfig(crypto, held, received, channel.signing)
  const accepted = [...new Set([...merge.accepted, ...parts])]
  return { state: merge.state, accepted, refused: [...refused, ...merge.refused] }
}

/** Decrypted and without the zeros before it; undefined when no key fits. Throws `malformed` for a message that is too large. */
export function openConfigText(
  crypto: Crypto,
  { type, keys, account }: ConfigChannel,
  bytes: Uint8Array,
): Uint8Array | undefined {
  const { domain, wrappedKind } = CONFIG_TYPES[type]
  if (bytes.length > CONFIG_MESSAGE_MAX_BYTES)
    throw new ProtocolError('malformed', 'CFG-27', `a config message of ${bytes.length} bytes is not read`)
  const wraps = account !== undefined && wrappedKind !== undefined
  const message = wraps ? unwrapConfig(crypto, account, wrappedKind, bytes) : bytes
  for (const key of keys) {
    const padded = decryptConfig(crypto, key, domain, message)
    if (padded !== undefined) return trimLeadingZeros(padded)
  }
  return undefined
}

function plaintextOf(compression: Compression, text: Uint8Array): Uint8Array {
  const plaintext = decompressConfig(compression, text)
  if (plaintext[0] !== DICT) throw new ProtocolError('malformed', 'CFG-27', 'an encrypted config holds no config message')
  return copyBytes(plaintext)
}
