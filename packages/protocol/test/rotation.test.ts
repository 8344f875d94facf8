/** When an account key is rotated: the borders of the arguments, and what is said of those beyond (AK-07). */
import { blake2b } from '@session-v2/crypto'
import { rotationDelay, rotationDueAtS } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { providers, refusalOf, someKey } from './providers.ts'

const HOUR_S = 3600

describe.each(providers)('the delay of a rotation (%s)', (_, crypto) => {
  const key = someKey(crypto, 9, 1_700_000_000)
  const device = new Uint8Array(32).fill(3)

  it('follows from the hash of the device under the key (AK-07)', () => {
    const hash = blake2b(crypto, 8, [device], { key: key.seed.expose(), personal: 'SessionAccKeyRot' })
    const u = Number(new DataView(hash.buffer, hash.byteOffset).getBigUint64(0, true)) / 2 ** 64
    for (const count of [1, 2, 3]) {
      const delayS = 11 * HOUR_S + 2 * HOUR_S * (1 - u ** count)
      expect(rotationDelay(crypto, key, device, count)).toEqual({ hash, u, delayS })
      expect(rotationDueAtS(crypto, key, device, count)).toBe(key.createdAtS + delayS)
    }
  })

  it('is longer the more devices there are, so that the first of them keeps its time', () => {
    const delays = [1, 2, 10, 1000].map(count => rotationDelay(crypto, key, device, count).delayS)
    expect(delays).toEqual(delays.toSorted((a, b) => a - b))
    expect(new Set(delays).size).toBe(4)
  })

  it('is refused for what is no number of devices, no device and no time, and says which', () => {
    for (const count of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      const complaint = `${count} is not a number of devices`
      expect(refusalOf(() => rotationDelay(crypto, key, device, count))).toEqual(['bad-input AK-07', complaint])
    }
    for (const sizeBytes of [0, 31, 33]) {
      const complaint = `a device ID has ${sizeBytes} bytes instead of 32`
      expect(refusalOf(() => rotationDelay(crypto, key, new Uint8Array(sizeBytes), 1))).toEqual(['bad-input DG-03', complaint])
    }
    expect(refusalOf(() => rotationDueAtS(crypto, { ...key, createdAtS: 0.5 }, device, 1))).toEqual([
      'bad-input AK-02',
      '0.5 is not a time in whole seconds since the epoch',
    ])
  })
})
