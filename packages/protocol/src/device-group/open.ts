/**
 * Opening group messages. The signature comes first, so that a message that somebody else wrote says nothing at all, not even that
 * a device was removed. Then every slot that may be ours is tried. Once one opens the payload, the message is what it is.
 *
 * Implements DG-16, DG-17, DG-18.
 */
import {
  type Crypto,
  CryptoError,
  wipe,
  type X25519PublicKey,
  x25519PublicKey,
  xchacha20Poly1305Decrypt,
} from '@session-v2/crypto'
import { copyBytes } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import type { ExpandedKeyPair } from '../account-keys/key-expansion.ts'
import { requireUsableX25519 } from '../account-keys/usable-keys.ts'
import { ProtocolError } from '../protocol-error.ts'
import { announcesRemoval } from './announced-removals.ts'
import type { DeviceId } from './device-id.ts'
import { cryptGroupId } from './group-id.ts'
import { type VerifiedGroupEnvelope, verifyGroupMessage } from './group-message.ts'
import { decodeGroupPayload, type GroupPayload } from './group-payload.ts'
import { type MatchingSlot, matchingSlots, unwrapKeyBase } from './key-slots.ts'
import { payloadNonce } from './seal.ts'

/**
 * How many slots of a message are tried. Each costs a pass over the payload, and by chance not even two fit; a message of which
 * more do was made to be slow.
 */
const MAX_SLOT_ATTEMPTS = 8

/** What any device of the account can read of a group message. */
export interface GroupFacts {
  /** 8 bytes. Absent in messages of older writers. */
  readonly groupId?: Uint8Array
  /** Absent in messages of older writers: nothing can be asked of their group. */
  readonly linkX25519?: X25519PublicKey
}

/**
 * - `opened`: sealed to the key pair whose X25519 public key is `openedWith`. The payload holds secrets.
 * - `not-for-us`: of the account, and no slot opens with our keys. `announcesRemoval`: because this device was removed.
 * - `malformed`: no group message, or one whose payload has a wrong form.
 * - `forged`: not signed by the account.
 */
export type OpenGroupOutcome =
  | {
      readonly outcome: 'opened'
      readonly facts: GroupFacts
      readonly payload: GroupPayload
      readonly openedWith: X25519PublicKey
    }
  | { readonly outcome: 'not-for-us'; readonly facts: GroupFacts; readonly announcesRemoval: boolean }
  | { readonly outcome: 'malformed'; readonly cause: ProtocolError }
  | { readonly outcome: 'forged' }

/** Opens a group message with the key pairs that this device has or had. Never throws for what is in `message`. */
export function openGroupMessage(
  crypto: Crypto,
  account: Account,
  deviceId: DeviceId,
  deviceKeys: readonly ExpandedKeyPair[],
  message: Uint8Array,
): OpenGroupOutcome {
  try {
    return open(crypto, account, deviceId, deviceKeys, verifyGroupMessage(crypto, account.ed25519.publicKey, message))
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    return cause.code === 'forged' ? { outcome: 'forged' } : { outcome: 'malformed', cause }
  }
}

function open(
  crypto: Crypto,
  account: Account,
  deviceId: DeviceId,
  deviceKeys: readonly ExpandedKeyPair[],
  envelope: VerifiedGroupEnvelope,
): OpenGroupOutcome {
  requireUsableX25519(crypto, envelope.ephemeral, 'DG-16', 'the ephemeral key of the message')
  if (envelope.linkX25519 !== undefined) requireUsableX25519(crypto, envelope.linkX25519, 'DG-16', 'the link key of the message')
  const facts = factsOf(crypto, account, envelope)
  const nonce = payloadNonce(crypto, envelope.ephemeral, envelope.ciphertexts)
  let attempts = 0
  for (const slot of matchingSlots(crypto, deviceKeys, envelope)) {
    const padded = decrypt(crypto, slot, envelope, nonce)
    if (padded !== undefined) {
      const payload = readAndWipe(crypto, padded)
      return { outcome: 'opened', facts, payload, openedWith: slot.deviceKey.x25519.publicKey }
    }
    if (++attempts === MAX_SLOT_ATTEMPTS) break
  }
  const { ephemeral, removals } = envelope
  const isRemoved = announcesRemoval(crypto, account.seed, ephemeral, deviceId, removals)
  return { outcome: 'not-for-us', facts, announcesRemoval: isRemoved }
}

function factsOf(crypto: Crypto, account: Account, { ephemeral, groupId, linkX25519 }: VerifiedGroupEnvelope): GroupFacts {
  return {
    ...(groupId === undefined ? {} : { groupId: cryptGroupId(crypto, account.seed, ephemeral, groupId) }),
    ...(linkX25519 === undefined ? {} : { linkX25519: x25519PublicKey(copyBytes(linkX25519)) }),
  }
}

/** undefined: the slot is for another device after all. */
function decrypt(crypto: Crypto, slot: MatchingSlot, envelope: VerifiedGroupEnvelope, nonce: Uint8Array): Uint8Array | undefined {
  const keyBase = unwrapKeyBase(crypto, slot, envelope)
  try {
    return xchacha20Poly1305Decrypt(crypto, keyBase, nonce, envelope.sealed)
  } catch (cause) {
    if (!(cause instanceof CryptoError && cause.code === 'decrypt-failed')) throw cause
    return undefined
  } finally {
    wipe(keyBase)
  }
}

function readAndWipe(crypto: Crypto, padded: Uint8Array): GroupPayload {
  try {
    return decodeGroupPayload(crypto, padded)
  } finally {
    wipe(padded)
  }
}
