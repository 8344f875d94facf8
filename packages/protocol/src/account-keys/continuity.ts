/**
 * Continuity of account keys. Published keys are signed by the account, so whoever has the recovery password, and nothing else, can
 * publish keys of their own and read what is sealed to them. What such a thief does not have are the seeds of the account keys, which
 * only the devices of the group share. So each account key has an Ed25519 key pair made from its seed, and a record of published keys
 * carries its public half and signatures by the key pairs of the account keys before it, as far as they are still held. A reader who
 * remembers one of them knows that the new record comes from somebody who held that key.
 *
 *     key pair    Ed25519 of BLAKE2b-32(account ID, key = seed of the account key, personal "SessionV2KeyCont")
 *     statement   BLAKE2b-64(C ‖ M ‖ X ‖ LE64(t), key = account ID, personal "SessionV2KeyNext")
 *                 of the new record: C public key of its key pair, M and X the account key, t its creation minute
 *     link        first two bytes of the signer's public key ‖ Ed25519 signature of the statement, 66 bytes in all
 *
 * Implements AK-15, AK-16.
 */
import {
  blake2b,
  type Crypto,
  type Ed25519KeyPair,
  type Ed25519PublicKey,
  ed25519KeyPair,
  ed25519Sign,
  ed25519Verify,
  type MlKem768PublicKey,
  Secret,
  wipe,
  type X25519PublicKey,
} from '@session-v2/crypto'
import { concatBytes, copyBytes, equalBytes, uint64Le } from '@session-v2/encoding'
import { type AccountId, accountIdBytes } from '../account/account-id.ts'
import type { AccountKeySeed } from './account-key.ts'

/** What a record has at most: keys of 16 days, rotated every 11 to 13 hours, and some that were rotated for another reason. */
export const MAX_LINKS = 40
export const LINK_BYTES = 66

const TAG_BYTES = 2
const SEED_BYTES = 32
const STATEMENT_BYTES = 64
const KEY_PERSONAL = 'SessionV2KeyCont'
const STATEMENT_PERSONAL = 'SessionV2KeyNext'

/** What a record says to whoever remembers keys from before, and wants to recognise those after it. */
export interface Continuity {
  /** Of the key pair made from the published account key. */
  readonly publicKey: Ed25519PublicKey
  /** 66 bytes each, at most 40. */
  readonly links: readonly Uint8Array[]
}

/** What a link signs. */
export interface Succession {
  /** The continuity key of the new account key. */
  readonly publicKey: Ed25519PublicKey
  readonly mlKem768: MlKem768PublicKey
  readonly x25519: X25519PublicKey
  readonly createdMinutes: number
}

/** The key pair made from the seed of an account key. The caller wipes its secret. */
export function continuityKeyPair(crypto: Crypto, account: AccountId, { seed }: Pick<AccountKeySeed, 'seed'>): Ed25519KeyPair {
  const derived = blake2b(crypto, SEED_BYTES, [accountIdBytes(account)], { key: seed.expose(), personal: KEY_PERSONAL })
  try {
    return ed25519KeyPair(crypto, Secret.of(derived, 'ed25519-seed'))
  } finally {
    wipe(derived)
  }
}

/** The public half alone, 32 bytes. */
export function continuityPublicKey(crypto: Crypto, account: AccountId, key: Pick<AccountKeySeed, 'seed'>): Ed25519PublicKey {
  const pair = continuityKeyPair(crypto, account, key)
  pair.secretKey.wipe()
  return pair.publicKey
}

/** The link of 66 bytes by which whoever holds `older` vouches for what succeeds it. */
export function buildLink(
  crypto: Crypto,
  account: AccountId,
  older: Pick<AccountKeySeed, 'seed'>,
  succession: Succession,
): Uint8Array {
  const { publicKey, secretKey } = continuityKeyPair(crypto, account, older)
  const signature = ed25519Sign(crypto, secretKey, statementOf(crypto, account, succession))
  secretKey.wipe()
  return concatBytes(publicKey.subarray(0, TAG_BYTES), signature)
}

/** Whether one of the links is by `signer`, a continuity key remembered from before. Of wrong links none throws. */
export function isLinkedTo(
  crypto: Crypto,
  account: AccountId,
  signer: Ed25519PublicKey,
  links: readonly Uint8Array[],
  succession: Succession,
): boolean {
  const tag = copyBytes(signer.subarray(0, TAG_BYTES))
  const tagged = links.filter(link => link.length === LINK_BYTES && equalBytes(link.subarray(0, TAG_BYTES), tag))
  if (tagged.length === 0) return false
  const statement = statementOf(crypto, account, succession)
  return tagged.some(link => ed25519Verify(crypto, signer, statement, copyBytes(link.subarray(TAG_BYTES))))
}

function statementOf(crypto: Crypto, account: AccountId, succession: Succession): Uint8Array {
  const { publicKey, mlKem768, x25519, createdMinutes } = succession
  return blake2b(crypto, STATEMENT_BYTES, [publicKey, mlKem768, x25519, uint64Le(BigInt(createdMinutes))], {
    key: accountIdBytes(account),
    personal: STATEMENT_PERSONAL,
  })
}
