import { loadCrypto, Secret, systemRandom } from '@session-v2/crypto'
import { describe, expect, it } from 'vitest'
import { NetworkClock } from '../src/routing/network-clock.ts'
import { openMemoryStore } from '../src/store/memory/memory-store.ts'
import { SealedStore } from '../src/store/sealed/sealed-store.ts'

async function someClock(): Promise<NetworkClock> {
  const dataKey = Secret.of(new Uint8Array(32).fill(1), 'data-key')
  const store = new SealedStore(await loadCrypto(), systemRandom(), openMemoryStore(), dataKey)
  return NetworkClock.open({ nowMs: () => 1_000_000 }, store)
}

describe('the time of the network', () => {
  it.each([
    ['nobody', [], 0],
    ['one node', [5000], 5000],
    ['three, one of them lying', [5000, 5100, -9_000_000], 5000],
    ['two that disagree: the one that moves less counts', [9_000_000, 20], 20],
    ['two that disagree the other way', [-9_000_000, -20], -20],
  ])('is told by %s', async (_, offsetsMs, expectedMs) => {
    const clock = await someClock()
    await clock.adopt(offsetsMs)
    expect(clock.offsetMs).toBe(expectedMs)
    expect(clock.nowMs()).toBe(1_000_000 + expectedMs)
  })
})
