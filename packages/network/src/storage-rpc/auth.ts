/**
 * Who may act for an account: its owner, or a subaccount that the owner lets. Clients sign, nodes read the signature and verify it
 * (RPC-30 to RPC-33).
 */
import type { Crypto, Ed25519PublicKey, Secret } from '@session-v2/crypto'
import { ed25519Sign } from '@session-v2/crypto'
import { encodeBase64, encodeHex } from '@session-v2/encoding'
import { type OwnerSignature, SESSION_ID_PREFIX, verifyAccountSignature } from '../account-signature.ts'
import { badRequest } from '../network-error.ts'
import type { SubaccountGrant } from '../subaccount/grant.ts'
import { type SubaccountFault, subaccountFault } from '../subaccount/permission.ts'
import type { Params } from './params.ts'

/** The maker of requests for an account: its owner, or a subaccount. */
export interface RequestSigner {
  /** 66 hexadecimal digits. */
  readonly accountId: string
  /** The owner's, also when a subaccount signs. */
  readonly publicKey: Ed25519PublicKey
  /** The owner's, or that of the subaccount. */
  readonly secretKey: Secret<'ed25519-secret'>
  readonly subaccount?: SubaccountGrant
}

/** A signature as a request carries it: the owner's, or with a grant the subaccount's. `ed25519` is the owner's in either case. */
export interface RequestSignature extends OwnerSignature {
  readonly subaccount?: SubaccountGrant | undefined
}

/** Signs a request. */
export function signRequest(crypto: Crypto, signer: RequestSigner, text: Uint8Array): RequestSignature {
  return {
    signature: ed25519Sign(crypto, signer.secretKey, text),
    ed25519: signer.accountId.startsWith('05') ? signer.publicKey : undefined,
    subaccount: signer.subaccount,
  }
}

/** The signature fields of a request. */
export function encodeSignature({ signature, ed25519, subaccount }: RequestSignature): Record<string, string> {
  return {
    ...(ed25519 && { pubkey_ed25519: encodeHex(ed25519) }),
    ...(subaccount && {
      subaccount: encodeBase64(subaccount.token),
      subaccount_sig: encodeBase64(subaccount.ownerSignature),
    }),
    signature: encodeBase64(signature),
  }
}

/** The signature fields of a request, read; undefined when there is no signature. */
export function parseSignature(params: Params, account: Uint8Array): RequestSignature | undefined {
  const subaccount = parseGrant(params)
  const owner = parseOwnerSignature(params, account)
  return owner && (subaccount === undefined ? owner : { ...owner, subaccount })
}

/** The signature of a request that cannot be without. @throws NetworkError `malformed`, status 400 */
export function requireSignatureOf(params: Params, account: Uint8Array): RequestSignature {
  return parseSignature(params, account) ?? unsigned()
}

/** The signature of a request that only the owner may make: a subaccount in it is not looked at. @throws NetworkError `malformed` */
export function requireOwnerSignature(params: Params, account: Uint8Array): OwnerSignature {
  return parseOwnerSignature(params, account) ?? unsigned()
}

/** Why a signature is not one of who may do this, or undefined. `needed` are the rights a subaccount must have. */
export function signatureFault(
  crypto: Crypto,
  account: Uint8Array,
  signed: RequestSignature,
  text: Uint8Array,
  { needed, revoked }: { readonly needed: number; readonly revoked: boolean },
): SubaccountFault | undefined {
  const { signature, ed25519, subaccount } = signed
  if (subaccount !== undefined)
    return subaccountFault(crypto, { account, ed25519, grant: subaccount, signature, needed, revoked }, text)
  return verifyAccountSignature(crypto, account, signed, text) ? undefined : 'request-signature'
}

function parseOwnerSignature(params: Params, account: Uint8Array): OwnerSignature | undefined {
  const ed25519 = params.optionalEd25519()
  if (ed25519 !== undefined && account[0] !== SESSION_ID_PREFIX) {
    throw badRequest('pubkey_ed25519 is only permitted for 05[...] pubkeys')
  }
  const signature = params.optionalSignature()
  return signature === undefined ? undefined : { signature, ed25519 }
}

function parseGrant(params: Params): SubaccountGrant | undefined {
  if (!params.has('subaccount') && !params.has('subaccount_sig')) return undefined
  const token = params.optionalToken()
  const given = params.optionalBytes('subaccount_sig')
  const ownerSignature = given === undefined || given.length === 0 ? undefined : params.optionalSignature('subaccount_sig')
  if (token === undefined && ownerSignature === undefined) return undefined
  if (token === undefined) throw badRequest("Required field 'subaccount' missing")
  if (ownerSignature === undefined) throw badRequest("Required field 'subaccount_sig' missing")
  return { token, ownerSignature }
}

function unsigned(): never {
  throw badRequest("Required field 'signature' missing")
}
