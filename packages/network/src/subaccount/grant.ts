/** A token with the owner's signature over it: what a subaccount shows with each request (SUB-03). */
import type { Crypto, Ed25519PublicKey, Secret } from '@session-v2/crypto'
import { ed25519Sign } from '@session-v2/crypto'
import { encodeSubaccountToken } from './token.ts'

export interface SubaccountGrant {
  /** 36 bytes. */
  readonly token: Uint8Array
  /** The owner's, 64 bytes, over the token. */
  readonly ownerSignature: Uint8Array
}

export interface GrantOptions {
  /** 66 hexadecimal digits: the account whose prefix the token is for. */
  readonly accountId: string
  /** The owner's. */
  readonly secretKey: Secret<'ed25519-secret'>
  readonly subaccountKey: Ed25519PublicKey
  /** Sum of `SUBACCOUNT_RIGHT`. */
  readonly rights: number
}

/** Lets `subaccountKey` do with the owner's accounts of this prefix what `rights` say. */
export function grantSubaccount(crypto: Crypto, options: GrantOptions): SubaccountGrant {
  const prefix = Number.parseInt(options.accountId.slice(0, 2), 16)
  const token = encodeSubaccountToken({ prefix, rights: options.rights, publicKey: options.subaccountKey })
  return { token, ownerSignature: ed25519Sign(crypto, options.secretKey, token) }
}
