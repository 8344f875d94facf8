/**
 * Sealing group messages. The payload is encrypted once, under a random key (key_base):
 *
 *     nonce = BLAKE2b-24(C, key = A, personal "SessionDevDNonce")      d = XChaCha20-Poly1305(key_base, nonce, padded payload)
 *
 * and a slot carries that key to each member. Order matters: the nonce depends on all ciphertexts, and the slots on all of d.
 *
 * Implements DG-10, DG-12, DG-15.
 */
import {
  blake2b,
  type Crypto,
  generateX25519,
  type Random,
  wipe,
  type X25519PublicKey,
  xchacha20Poly1305Encrypt,
} from '@session-v2/crypto'
import { concatBytes, equalBytes, padWithZeros } from '@session-v2/encoding'
import type { Account } from '../account/account.ts'
import type { AccountKeySeed } from '../account-keys/account-key.ts'
import { sortAccountKeys } from '../account-keys/account-key-set.ts'
import { accountKeyX25519 } from '../account-keys/key-expansion.ts'
import { ProtocolError } from '../protocol-error.ts'
import { announceRemovals } from './announced-removals.ts'
import type { DeviceId } from './device-id.ts'
import { cryptGroupId } from './group-id.ts'
import { encodeGroupMessage } from './group-message.ts'
import { encodeGroupPayload, type GroupEntry, paddedGroupPayloadBytes } from './group-payload.ts'
import { encapsulateSlots, wipeSlots, wrapKeyBase } from './key-slots.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 24

/** What a group message is made of. */
export interface OutgoingGroup {
  /** 8 bytes. */
  readonly groupId: Uint8Array
  /** Of the current account key: what devices outside the group seal their link requests to. */
  readonly linkX25519: X25519PublicKey
  /** Members can open the message, the sender among them; kicked devices are told that they are removed. */
  readonly devices: ReadonlyMap<DeviceId, GroupEntry>
  /** One or more; the first in the order of payloads is the current one. */
  readonly accountKeys: readonly AccountKeySeed[]
}

/**
 * The message that tells the members of a group the state of the group: 13 to 14 KB for up to four devices. A member whose keys are
 * unusable gets a slot that nothing opens. Throws `bad-input` for no member, more than 256, a link key that is not that of the
 * current account key, values that have no encoding, and what would exceed 1 MiB.
 */
export function sealGroupMessage(crypto: Crypto, random: Random, account: Account, group: OutgoingGroup): Uint8Array {
  requireLinkKey(crypto, group)
  const entries = [...group.devices]
  const members = entries.flatMap(([, entry]) => (entry.kind === 'member' ? [entry.record] : []))
  const removed = entries.flatMap(([id, entry]) => (entry.kind === 'kicked' ? [id] : []))
  const slots = encapsulateSlots(crypto, random, members)
  const ephemeral = generateX25519(crypto, random)
  const keyBase = random.bytes(KEY_BYTES)
  const A = ephemeral.publicKey
  try {
    const ciphertexts = concatBytes(...slots.map(slot => slot.ciphertext))
    const sealed = sealPayload(crypto, A, ciphertexts, keyBase, group)
    const removals = announceRemovals(crypto, random, account.seed, A, removed)
    return encodeGroupMessage(crypto, account.ed25519, {
      groupId: cryptGroupId(crypto, account.seed, A, group.groupId),
      ephemeral: A,
      ciphertexts,
      wrappedKeys: wrapKeyBase(crypto, random, ephemeral, slots, sealed, keyBase),
      linkX25519: group.linkX25519,
      sealed,
      ...(removals === undefined ? {} : { removals }),
    })
  } finally {
    ephemeral.secretKey.wipe()
    wipe(keyBase)
    wipeSlots(slots)
  }
}

/** The nonce of the payload, 24 bytes, from the ephemeral key and all ciphertexts. */
export function payloadNonce(crypto: Crypto, ephemeral: Uint8Array, ciphertexts: Uint8Array): Uint8Array {
  return blake2b(crypto, NONCE_BYTES, [ciphertexts], { key: ephemeral, personal: 'SessionDevDNonce' })
}

function sealPayload(
  crypto: Crypto,
  ephemeral: Uint8Array,
  ciphertexts: Uint8Array,
  keyBase: Uint8Array,
  group: OutgoingGroup,
): Uint8Array {
  const payload = encodeGroupPayload(group)
  const padded = padWithZeros(payload, paddedGroupPayloadBytes(payload.length))
  try {
    return xchacha20Poly1305Encrypt(crypto, keyBase, payloadNonce(crypto, ephemeral, ciphertexts), padded)
  } finally {
    wipe(payload, padded)
  }
}

/** Requests sealed to another key could be opened by nobody. */
function requireLinkKey(crypto: Crypto, { linkX25519, accountKeys }: OutgoingGroup): void {
  const current = sortAccountKeys(accountKeys)[0]
  if (current === undefined) throw new ProtocolError('bad-input', 'DG-07', 'a group has an account key')
  const currentX25519 = accountKeyX25519(crypto, current.seed.expose())
  if (!equalBytes(currentX25519, linkX25519)) {
    throw new ProtocolError('bad-input', 'DG-10', 'the link key of a group is that of its current account key')
  }
}
