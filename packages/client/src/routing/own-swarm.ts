/** What a device keeps at the swarm of its own account, and under which hash. */
import type { Crypto } from '@session-v2/crypto'
import { buildStore, messageHash, type Namespace, parseStoreResult, type StoreResult } from '@session-v2/network'
import { type Account, accountIdBytes } from '@session-v2/protocol'
import { requestSigner } from './request-signer.ts'
import type { SwarmRequests } from './swarm-requests.ts'

export interface OwnSwarmParts {
  readonly crypto: Crypto
  readonly account: Account
  readonly requests: SwarmRequests
}

/** The hash that a message of the account has, whatever a node says (RPC-11). */
export function ownMessageHash(crypto: Crypto, account: Account, namespace: Namespace, payload: Uint8Array): string {
  return messageHash(crypto, accountIdBytes(account.id), namespace, payload)
}

/** Whether more members say that they stored this message than do not. */
export function isStoredByMost({ hash, stored, failed }: StoreResult, ownHash: string): boolean {
  return hash === ownHash && stored.length > failed.length
}

/** Stores a message as the account; whether most members took it. @throws ClientError, NetworkError */
export async function storeAsOwner(
  { crypto, account, requests }: OwnSwarmParts,
  { namespace, payload, ttlMs }: { readonly namespace: Namespace; readonly payload: Uint8Array; readonly ttlMs: number },
): Promise<boolean> {
  const options = { accountId: account.id, namespace, payload, ttlMs, signer: requestSigner(account) }
  const { result } = await requests.ask(account.id, {
    build: timestampMs => buildStore(crypto, { ...options, timestampMs }),
    read: answer => parseStoreResult(crypto, answer),
  })
  return isStoredByMost(result, ownMessageHash(crypto, account, namespace, payload))
}
