/** Random orders at their limits: what is drawn, and what is not. */
import type { Random } from '@session-v2/crypto'
import { describe, expect, it } from 'vitest'
import { shuffled } from '../src/device-group/random-order.ts'

/** Hands out these numbers and counts what was asked for. */
function scripted(...numbers: number[]): Random & { readonly asked: number[] } {
  const asked: number[] = []
  const bytes = (sizeBytes: number) => {
    asked.push(sizeBytes)
    const number = numbers.shift()!
    return Uint8Array.of(number & 0xff, (number >>> 8) & 0xff, (number >>> 16) & 0xff, number >>> 24)
  }
  return { asked, bytes }
}

describe('a random order (DG-12)', () => {
  it.each([[[]], [['a']]])('of %j draws nothing', items => {
    const random = scripted()
    expect(shuffled(random, items)).toEqual(items)
    expect(random.asked).toEqual([])
  })

  it('draws four bytes for each item but the first, the last of the items first', () => {
    const random = scripted(0, 2, 1)
    // 0 of 4 puts a at the end, 2 of 3 leaves c, 1 of 2 leaves b.
    expect(shuffled(random, ['a', 'b', 'c', 'd'])).toEqual(['d', 'b', 'c', 'a'])
    expect(random.asked).toEqual([4, 4, 4])
  })

  it('takes the remainder of what is drawn, up to the greatest number that favours none', () => {
    expect(shuffled(scripted(5), ['a', 'b'])).toEqual(['a', 'b'])
    expect(shuffled(scripted(0xffffffff), ['a', 'b'])).toEqual(['a', 'b'])
    expect(shuffled(scripted(0xfffffffe), ['a', 'b'])).toEqual(['b', 'a'])
    // 2^32 − 1 is a multiple of three: the number before it is the greatest, and is 2 of 3.
    expect(shuffled(scripted(0xfffffffe, 1), ['a', 'b', 'c'])).toEqual(['a', 'b', 'c'])
    expect(shuffled(scripted(0xffffffff, 0xfffffffd, 1), ['a', 'b', 'c'])).toEqual(['a', 'c', 'b'])
  })
})
