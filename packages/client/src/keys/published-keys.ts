/**
 * What −21 of an account holds. One node is believed when it shows keys that can be used: they are signed. When it does not, others
 * are asked before that counts, so that no single node can make an account look as if it had no keys.
 */
import type { Crypto } from '@session-v2/crypto'
import { buildRetrieve, NAMESPACE, parseRetrieveResult } from '@session-v2/network'
import type { AccountId, PublishedKeys } from '@session-v2/protocol'
import { ProtocolError, prepareRecipient, verifyAccountKeyRecord } from '@session-v2/protocol'
import type { SwarmRequests } from '../routing/swarm-requests.ts'

/** How many more members are asked when one shows nothing usable. */
const SECOND_OPINIONS = 2

/** Asks for published keys. @throws ClientError, NetworkError when no member answers. */
export async function fetchPublishedKeys(
  crypto: Crypto,
  requests: SwarmRequests,
  account: AccountId,
  isUsable: (keys: PublishedKeys) => boolean = () => true,
): Promise<PublishedKeys | undefined> {
  const question = {
    build: (timestampMs: number) => buildRetrieve(crypto, { accountId: account, namespace: NAMESPACE.accountKeys, timestampMs }),
    read: (answer: unknown) => {
      const payloads = parseRetrieveResult(answer).messages.map(message => message.payload)
      const keys = newestPublishedKeys(crypto, account, payloads)
      return keys !== undefined && isUsable(keys) ? keys : undefined
    },
  }
  const first = await requests.ask(account, question)
  if (first.result !== undefined) return first.result
  const others = await requests.askSeveral(account, question, SECOND_OPINIONS, [first.node])
  return others.find(other => other.result !== undefined)?.result
}

/** The keys of the last valid record, or undefined (clause AK-09). @param records oldest first */
export function newestPublishedKeys(
  crypto: Crypto,
  account: AccountId,
  records: readonly Uint8Array[],
): PublishedKeys | undefined {
  let newest: PublishedKeys | undefined
  for (const record of records) {
    try {
      const keys = verifyAccountKeyRecord(crypto, account, record)
      // A signed key can still be one that nothing can be sealed to.
      prepareRecipient(crypto, account, keys)
      newest = keys
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
    }
  }
  return newest
}
