import { decodeHex } from '@session-v2/encoding'
import { ACCOUNT_BYTES, NO_SWARM, swarmOf, swarmSpace } from '@session-v2/network'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { networkErrorOf } from './owners.ts'

const RING = 2n ** 64n
const vectors = loadVectors('namespace-and-swarm')

/** The account of a place: its first word is the place, the others are 0. */
function accountAt(space: bigint): Uint8Array {
  return decodeHex(`05${space.toString(16).padStart(16, '0')}${'0'.repeat(48)}`)
}

/** The nearest id by walking away from the place in both directions at once, left first. */
function nearestByWalking(space: bigint, ids: readonly bigint[]): bigint | undefined {
  const swarms = ids.filter(id => id !== NO_SWARM)
  const stepsTo = (id: bigint) => {
    const left = (space - id + RING) % RING
    const right = (id - space + RING) % RING
    return left <= right ? { steps: left, isRight: 0n } : { steps: right, isRight: 1n }
  }
  const [nearest] = swarms.toSorted((a, b) => {
    const [x, y] = [stepsTo(a), stepsTo(b)]
    const order = 2n * x.steps + x.isRight - (2n * y.steps + y.isRight)
    return order < 0n ? -1 : order > 0n ? 1 : 0
  })
  return nearest
}

/** Places where it gets interesting: the ends of the ring, its middle, and everywhere. */
const place = fc.oneof(
  fc.bigInt({ min: 0n, max: RING - 1n }),
  fc.bigInt({ min: 0n, max: 20n }),
  fc.bigInt({ min: RING - 20n, max: RING - 1n }),
  fc.bigInt({ min: RING / 2n - 10n, max: RING / 2n + 10n }),
)

describe('the place of an account', () => {
  it.each(vectors.filter(({ name }) => name.startsWith('space-')).map(vector => [vector.name, vector] as const))(
    '%s',
    (_, vector) => {
      expect(String(swarmSpace(decodeHex(vector.in.pubkey)))).toBe(vector.out.space)
    },
  )

  it('is that of a sum of bits, word by word', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: ACCOUNT_BYTES, maxLength: ACCOUNT_BYTES }), account => {
        const bytes = Array.from({ length: 8 }, (_, at) => [1, 9, 17, 25].reduce((sum, word) => sum ^ account[word + at]!, 0))
        expect(swarmSpace(account)).toBe(BigInt(`0x${bytes.map(byte => byte.toString(16).padStart(2, '0')).join('')}`))
      }),
    )
  })

  it('needs an account of 33 bytes', () => {
    expect(networkErrorOf(() => swarmSpace(new Uint8Array(32))).code).toBe('malformed')
  })
})

describe('the swarm of an account', () => {
  it.each(vectors.filter(({ name }) => name.startsWith('swarm-')).map(vector => [vector.name, vector] as const))(
    '%s',
    (_, vector) => {
      expect(String(swarmOf(decodeHex(vector.in.pubkey), vector.in.swarm_ids.map(BigInt)))).toBe(vector.out.swarm_id)
    },
  )

  it('is the nearest on the ring', () => {
    fc.assert(
      fc.property(place, fc.array(place, { maxLength: 12 }), (space, ids) => {
        expect(swarmOf(accountAt(space), ids)).toBe(nearestByWalking(space, ids))
      }),
      { numRuns: 2000 },
    )
  })

  it('is the same in whatever order the swarms are known', () => {
    fc.assert(
      fc.property(place, fc.uniqueArray(place, { minLength: 1, maxLength: 6 }), (space, ids) => {
        expect(swarmOf(accountAt(space), ids.toReversed())).toBe(swarmOf(accountAt(space), ids))
      }),
    )
  })

  it('moves with the ring: turned by any number, everything stays where it was', () => {
    // the id of no swarm must not be turned into one, nor one into it
    const turnable = (ids: readonly bigint[], turn: bigint) =>
      [...ids, ...ids.map(id => (id + turn) % RING)].every(id => id !== NO_SWARM)
    fc.assert(
      fc.property(place, fc.array(place, { minLength: 1, maxLength: 6 }), place, (space, ids, turn) => {
        fc.pre(turnable(ids, turn))
        const turned = swarmOf(
          accountAt((space + turn) % RING),
          ids.map(id => (id + turn) % RING),
        )
        expect(turned).toBe((swarmOf(accountAt(space), ids)! + turn) % RING)
      }),
    )
  })

  it('is none without swarms', () => {
    expect(swarmOf(accountAt(5n), [])).toBeUndefined()
    expect(swarmOf(accountAt(5n), [NO_SWARM])).toBeUndefined()
  })
})
