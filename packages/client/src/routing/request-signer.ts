/** An account as the signer of its storage requests. */
import type { RequestSigner } from '@session-v2/network'
import type { Account } from '@session-v2/protocol'

/** Signs with the account's Ed25519 key, which stays where it is. */
export function requestSigner(account: Account): RequestSigner {
  return { accountId: account.id, publicKey: account.ed25519.publicKey, secretKey: account.ed25519.secretKey }
}
