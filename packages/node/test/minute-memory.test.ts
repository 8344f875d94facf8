import { describe, expect, it } from 'vitest'
import { MinuteMemory } from '../src/swarm/minute-memory.ts'

const DIFFERENCE = { minute: 7, own: 1n, theirs: 2n }

/** In which of the next rounds, counted from 0, a minute that stays as it is is looked at; `look` is told of each. */
function looks(memory: MinuteMemory, rounds: number, look = (_: readonly number[]): void => {}): number[] {
  const at: number[] = []
  for (let round = 0; round < rounds; round++) {
    const chosen = memory.choose([DIFFERENCE], false)
    if (chosen.length === 0) continue
    at.push(round)
    look(chosen)
  }
  return at
}

describe('a minute that differs and stays as it is (NODE-92)', () => {
  it('is looked at in the round after, and in vain ever less often', () => {
    expect(looks(new MinuteMemory(), 200)).toEqual([1, 3, 6, 11, 20, 37, 70, 135])
  })
  it('that cannot be looked at rests for four rounds at most', () => {
    const memory = new MinuteMemory()
    expect(looks(memory, 32, chosen => memory.failed(chosen))).toEqual([1, 3, 6, 11, 16, 21, 26, 31])
    memory.failed([8])
    expect(looks(memory, 100)).toEqual([4, 13, 30, 63])
  })
  it('that was left alone for long is looked at soon once something fails', () => {
    const memory = new MinuteMemory()
    expect(looks(memory, 136)).toHaveLength(8)
    memory.failed([7])
    expect(looks(memory, 10)).toEqual([4])
  })
})
