import { describe, expect, it } from 'vitest'
import { loadCheapCrypto } from '../sim/cheap-crypto.ts'
import { runHistory } from '../sim/history.ts'

const TIMEOUT_MS = 300_000

describe('a history', { timeout: TIMEOUT_MS }, () => {
  it('is the same each time it is lived through from one seed, and another from another', async () => {
    const crypto = await loadCheapCrypto()
    const first = await runHistory(crypto, 7)
    const again = await runHistory(crypto, 7)
    const other = await runHistory(crypto, 8)
    expect(again.lines).toEqual(first.lines)
    expect(again.digest).toBe(first.digest)
    expect(again.counts).toEqual(first.counts)
    expect(other.digest).not.toBe(first.digest)
  })
})
