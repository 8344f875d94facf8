/** How messages travel: which swarm keeps an account, what a stored message is called. */
import { messageHash, parseNamespace, swarmOf } from '@session-v2/network'
import { InteropError } from '../interop-error.ts'
import type { Operation } from '../operation.ts'

const ACCOUNT_BYTES = 33
const MAX_SWARMS = 10_000
const UINT64_DECIMAL = /^\d{1,20}$/
const UINT64_MAX = 2n ** 64n - 1n

/** pubkey, swarm_ids (decimal texts) → swarm_id */
export const swarmOfAccount: Operation = (_, input) => {
  const swarmId = swarmOf(input.bytes('pubkey', ACCOUNT_BYTES), input.texts('swarm_ids', MAX_SWARMS).map(uint64))
  if (swarmId === undefined) throw new InteropError('bad-input', 'swarm_ids has no swarm')
  return { swarm_id: String(swarmId) }
}

/** pubkey, namespace, data → hash */
export const hashOfMessage: Operation = ({ crypto }, input) => {
  const namespace = parseNamespace(input.integer('namespace'))
  return { hash: messageHash(crypto, input.bytes('pubkey', ACCOUNT_BYTES), namespace, input.bytes('data')) }
}

function uint64(text: string): bigint {
  const value = UINT64_DECIMAL.test(text) ? BigInt(text) : -1n
  if (value < 0n || value > UINT64_MAX) throw new InteropError('bad-input', 'swarm_ids holds something else than 64-bit numbers')
  return value
}
