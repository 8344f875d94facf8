/**
 * What −21 of an account holds. One node is believed when it shows new keys that can be used: they are signed. When it does not,
 * others are asked before that counts, so that no single node can make an account look as if it had no keys or still the old ones.
 */
import type { Crypto } from '@session-v2/crypto'
import { buildRetrieve, NAMESPACE, parseRetrieveResult } from '@session-v2/network'
import type { AccountId, PublishedKeys } from '@session-v2/protocol'
import { ProtocolError, prepareRecipient, verifyAccountKeyRecord } from '@session-v2/protocol'
import type { SwarmRequests } from '../routing/swarm-requests.ts'

/** How many more members are asked when one shows nothing new. */
const SECOND_OPINIONS = 2

/** What keys mean to whoever asked: news, what was known, or what must not be used again. */
export type Judgement = 'new' | 'known' | 'refused'

/**
 * Asks for published keys. Records bear no time: what one node shows and was known may be old, and is taken only when no other
 * member shows anything new.
 * @throws ClientError, NetworkError when no member answers
 */
export async function fetchPublishedKeys(
  crypto: Crypto,
  requests: SwarmRequests,
  account: AccountId,
  judge: (keys: PublishedKeys) => Judgement,
): Promise<PublishedKeys | undefined> {
  const question = {
    build: (timestampMs: number) => buildRetrieve(crypto, { accountId: account, namespace: NAMESPACE.accountKeys, timestampMs }),
    read: (answer: unknown) => {
      const payloads = parseRetrieveResult(answer).messages.map(message => message.payload)
      const keys = newestPublishedKeys(crypto, account, payloads)
      return keys && { keys, judgement: judge(keys) }
    },
  }
  const first = await requests.ask(account, question)
  if (first.result?.judgement === 'new') return first.result.keys
  const others = await requests.askSeveral(account, question, SECOND_OPINIONS, [first.node])
  const shown = [first, ...others].flatMap(({ result }) => (result === undefined ? [] : [result]))
  const best = shown.find(({ judgement }) => judgement === 'new') ?? shown.find(({ judgement }) => judgement === 'known')
  return best?.keys
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
