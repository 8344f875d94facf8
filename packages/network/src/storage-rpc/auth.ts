/** Who may act for an account: Ed25519 signatures by its owner, made by clients and checked by nodes (RPC-30 to RPC-33). */
import type { Crypto, Ed25519PublicKey, Secret } from '@session-v2/crypto'
import {
  CryptoError,
  ed25519PublicKey,
  ed25519PublicToX25519,
  ed25519Sign,
  ed25519Signature,
  ed25519Verify,
} from '@session-v2/crypto'
import { encodeBase64, encodeHex, equalBytes } from '@session-v2/encoding'
import { badRequest } from '../network-error.ts'
import type { Params } from './params.ts'

/** First byte of a Session id, whose key is X25519; every other account's key is Ed25519. */
const SESSION_ID_PREFIX = 0x05

/** The owner of an account, as the maker of requests. */
export interface RequestSigner {
  /** 66 hexadecimal digits. */
  readonly accountId: string
  readonly publicKey: Ed25519PublicKey
  readonly secretKey: Secret<'ed25519-secret'>
}

/** A signature as a request carries it. */
export interface RequestSignature {
  /** 64 bytes. */
  readonly signature: Uint8Array
  /** 32 bytes; only for Session ids. */
  readonly ed25519: Uint8Array | undefined
}

/** The signature fields of a request, signed. */
export function signatureFields(crypto: Crypto, signer: RequestSigner, text: Uint8Array): Record<string, string> {
  return {
    ...(signer.accountId.startsWith('05') && { pubkey_ed25519: encodeHex(signer.publicKey) }),
    signature: encodeBase64(ed25519Sign(crypto, signer.secretKey, text)),
  }
}

/** The signature fields of a request, read; undefined when there is no signature. */
export function parseSignature(params: Params, account: Uint8Array): RequestSignature | undefined {
  if (params.optionalString('subaccount') || params.optionalString('subaccount_sig')) {
    throw badRequest('subaccounts are not supported')
  }
  const ed25519 = params.optionalEd25519()
  if (ed25519 !== undefined && account[0] !== SESSION_ID_PREFIX) {
    throw badRequest('pubkey_ed25519 is only permitted for 05[...] pubkeys')
  }
  const signature = params.optionalSignature()
  return signature === undefined ? undefined : { signature, ed25519 }
}

/**
 * Whether the owner of `account` (33 bytes) signed `text`. A Session id holds the X25519 form of the key, so the Ed25519 key comes
 * with the request and must convert to it. A wrong key and a wrong signature are one answer.
 */
export function verifyAccountSignature(
  crypto: Crypto,
  account: Uint8Array,
  { signature, ed25519 }: RequestSignature,
  text: Uint8Array,
): boolean {
  const key = account.subarray(1)
  if (ed25519 !== undefined && !convertsTo(crypto, ed25519, key)) return false
  return ed25519Verify(crypto, ed25519PublicKey(ed25519 ?? key), text, ed25519Signature(signature))
}

/** A key of small order, which nobody holds, converts to nothing. */
function convertsTo(crypto: Crypto, ed25519: Uint8Array, x25519: Uint8Array): boolean {
  try {
    return equalBytes(ed25519PublicToX25519(crypto, ed25519PublicKey(ed25519)), x25519)
  } catch (error) {
    if (error instanceof CryptoError) return false
    throw error
  }
}
