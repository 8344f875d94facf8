/** Choices by seeded randomness. Each part of a simulation draws from a stream of its own, so that one draw more in it moves no other. */
import { blake2b, type Crypto, type Random, seededRandom } from '@session-v2/crypto'
import { encodeUtf8, readUint32Le } from '@session-v2/encoding'

const WORD = 2 ** 32
const SEED_BYTES = 32

/** The stream of a part of the simulation with this seed. */
export function streamOf(crypto: Crypto, seed: number, part: string): Random {
  return seededRandom(crypto, blake2b(crypto, SEED_BYTES, [encodeUtf8(`${seed} ${part}`)]))
}

export class Chance {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** A number from 0 up to, not including, 1. */
  unit(): number {
    return readUint32Le(this.#random.bytes(4), 0) / WORD
  }

  /** True with this probability. */
  happens(probability: number): boolean {
    return this.unit() < probability
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.unit() * (most - least + 1))
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[this.whole(0, list.length - 1)]
  }

  /** One of several, each as likely as its weight. */
  weighted<T>(weights: readonly (readonly [T, number])[]): T {
    let at = this.unit() * weights.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [value, weight] of weights) {
      at -= weight
      if (at < 0) return value
    }
    return weights.at(-1)![0]
  }
}
