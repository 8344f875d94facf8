/**
 * Whether a subaccount may do what it asks (SUB-04 to SUB-06). The first that fails decides:
 * the token is not revoked → it is for the account's prefix → it has the rights → the owner signed it → its key signed the request.
 */
import type { Crypto } from '@session-v2/crypto'
import { ed25519PublicKey, ed25519Signature, ed25519Verify } from '@session-v2/crypto'
import { verifyAccountSignature } from '../account-signature.ts'
import { isOutbox, type Namespace, namespaceClass } from '../namespace.ts'
import type { SubaccountGrant } from './grant.ts'
import { parseSubaccountToken, SUBACCOUNT_RIGHT } from './token.ts'

export type SubaccountFault = 'revoked' | 'prefix' | 'rights' | 'owner-signature' | 'request-signature'

export interface SubaccountUse {
  /** 33 bytes. */
  readonly account: Uint8Array
  /** The owner's Ed25519 key, 32 bytes; only for Session ids. */
  readonly ed25519: Uint8Array | undefined
  readonly grant: SubaccountGrant
  /** The subaccount's, 64 bytes, over the text of the request. */
  readonly signature: Uint8Array
  /** Sum of `SUBACCOUNT_RIGHT`, all of which it needs. */
  readonly needed: number
  readonly revoked: boolean
}

/** Why the subaccount may not, or undefined. `text` is what the request signs. */
export function subaccountFault(crypto: Crypto, use: SubaccountUse, text: Uint8Array): SubaccountFault | undefined {
  const { account, ed25519, grant, needed } = use
  const { prefix, rights, publicKey } = parseSubaccountToken(grant.token)
  if (use.revoked) return 'revoked'
  if (prefix !== account[0] && (rights & SUBACCOUNT_RIGHT.anyPrefix) === 0) return 'prefix'
  if ((rights & needed) !== needed) return 'rights'
  const owner = { signature: grant.ownerSignature, ed25519 }
  if (!verifyAccountSignature(crypto, account, owner, grant.token)) return 'owner-signature'
  const signature = ed25519Signature(use.signature)
  return ed25519Verify(crypto, ed25519PublicKey(publicKey), text, signature) ? undefined : 'request-signature'
}

/** Whether a grant has all of these rights. */
export function hasRights({ token }: SubaccountGrant, needed: number): boolean {
  return (parseSubaccountToken(token).rights & needed) === needed
}

/** The rights that a store needs: what it puts into an outbox takes the place of what was there. */
export function rightsToStore(namespace: Namespace): number {
  return isOutbox(namespace) ? SUBACCOUNT_RIGHT.write | SUBACCOUNT_RIGHT.delete : SUBACCOUNT_RIGHT.write
}

/** Whether revoked subaccounts may still retrieve from a namespace, to learn that they are. */
export function revokedMayRetrieve(namespace: Namespace): boolean {
  return namespaceClass(namespace) === 'unrevocable'
}
