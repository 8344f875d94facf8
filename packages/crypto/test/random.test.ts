/** Both sources of randomness. */
import { describe, expect, it } from 'vitest'
import { type Random, seededRandom, shake256, systemRandom } from '../src/index.ts'
import { expectCode, native, providers } from './providers.ts'

const seed = new Uint8Array([1, 2, 3])

function take(random: Random, sizes: number[]): number[] {
  return sizes.flatMap(sizeBytes => [...random.bytes(sizeBytes)])
}

describe('systemRandom', () => {
  it('gives the size asked for, across and beyond the pool', () => {
    const random = systemRandom()
    expect(random.system).toBe(true)
    for (const sizeBytes of [0, 1, 32, 4000, 200, 4096, 4097, 200_000]) expect(random.bytes(sizeBytes)).toHaveLength(sizeBytes)
  })

  it('never hands out the same bytes twice', () => {
    const random = systemRandom()
    const seen = new Set<string>()
    for (let i = 0; i < 2000; i++) seen.add(random.bytes(16).toString())
    expect(seen.size).toBe(2000)
  })

  it('fills every part of a large request', () => {
    const bytes = systemRandom().bytes(200_000)
    for (let at = 0; at < bytes.length; at += 1000) expect(bytes.subarray(at, at + 1000).some(byte => byte !== 0)).toBe(true)
  })

  it.each([-1, 1.5, Number.NaN, 2 ** 24 + 1])('refuses to give %s bytes, and gives good ones afterwards', sizeBytes => {
    for (const random of [systemRandom(), seededRandom(native, seed)]) {
      const before = random.bytes(64)
      expectCode('bad-size', () => random.bytes(sizeBytes))
      expect(random.bytes(64)).not.toEqual(before)
    }
  })

  it('gives bytes the caller owns', () => {
    const random = systemRandom()
    const first = random.bytes(32)
    expect(first.buffer.byteLength).toBe(32)
    const kept = first.slice()
    random.bytes(32).fill(0)
    expect(first).toEqual(kept)
  })
})

describe.each(providers)('seededRandom with %s', (_, crypto) => {
  it('is the documented stream', () => {
    const counter = new Uint8Array(8)
    const [first] = shake256(crypto, [seed, counter], [4096]) as [Uint8Array]
    const [second] = shake256(crypto, [seed, counter.with(0, 1)], [4096]) as [Uint8Array]
    expect(take(seededRandom(crypto, seed), [8192])).toEqual([...first, ...second])
  })

  it('does not depend on how it is cut, only on the seed', () => {
    const whole = take(seededRandom(crypto, seed), [10_000])
    expect(take(seededRandom(crypto, seed), [0, 1, 4095, 1, 5000, 903])).toEqual(whole)
    expect(take(seededRandom(native, seed), [10_000])).toEqual(whole)
    expect(take(seededRandom(crypto, seed.with(0, 9)), [32])).not.toEqual(whole.slice(0, 32))
  })

  it('is not the system generator and copies its seed', () => {
    const own = seed.slice()
    const random = seededRandom(crypto, own)
    own.fill(0)
    expect(random.system).toBeUndefined()
    expect(take(random, [32])).toEqual(take(seededRandom(crypto, seed), [32]))
  })
})
