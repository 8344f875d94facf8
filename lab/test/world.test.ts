import { encodeUtf8 } from '@session-v2/encoding'
import { describe, expect, it } from 'vitest'
import { Chance, streamOf } from '../sim/chance.ts'
import { loadCheapCrypto } from '../sim/cheap-crypto.ts'
import { type CrashMoment, Disk } from '../sim/disk.ts'
import { World } from '../sim/world.ts'

describe('virtual time', () => {
  it('runs timers at their moments, those of one moment in the order in which they were set', async () => {
    const world = new World()
    const startMs = world.nowMs()
    const ran: string[] = []
    const note = (name: string) => () => void ran.push(`${name} ${world.nowMs() - startMs}`)
    world.after(20, note('late'))
    world.after(10, note('first'))
    world.after(10, note('second'))
    world.after(15, note('cancelled'))()
    await world.advance(30)
    expect(ran).toEqual(['first 10', 'second 10', 'late 20'])
    expect(world.nowMs() - startMs).toBe(30)
  })

  it('passes no further than what it waits for', async () => {
    const world = new World()
    const startMs = world.nowMs()
    const isDone = await world.until([world.pause(50).then(() => world.pause(50))], 1000)
    expect([isDone, world.nowMs() - startMs]).toEqual([true, 100])
    expect(await world.until([new Promise(() => {})], 1000)).toBe(false)
  })
})

describe('chance', () => {
  it('is the same for one seed and part, and another for another', async () => {
    const crypto = await loadCheapCrypto()
    const draws = (seed: number, part: string) => {
      const chance = new Chance(streamOf(crypto, seed, part))
      return Array.from({ length: 20 }, () => chance.whole(0, 1000))
    }
    expect(draws(1, 'a')).toEqual(draws(1, 'a'))
    expect(draws(1, 'a')).not.toEqual(draws(1, 'b'))
    expect(draws(1, 'a')).not.toEqual(draws(2, 'a'))
  })
})

describe('a disk', () => {
  const put = (key: string) => ({ kind: 'put', table: 't', key: encodeUtf8(key), value: encodeUtf8('value') }) as const
  const holds = async (disk: Disk, key: string) => (await disk.atRest.get('t', encodeUtf8(key))) !== undefined

  it.each([
    ['before', false],
    ['torn', false],
    ['after', true],
  ] as const)('keeps of a write whose program dies %s it: %s', async (moment: CrashMoment, isKept: boolean) => {
    const disk = new Disk()
    let crashes = 0
    const store = disk.mount()
    disk.crashAt(2, moment, () => crashes++)
    await store.commit([put('a')])
    await expect(store.commit([put('b')])).rejects.toThrow('died')
    await expect(store.commit([put('c')])).rejects.toThrow('dead')
    expect([await holds(disk, 'a'), await holds(disk, 'b'), await holds(disk, 'c')]).toEqual([true, isKept, false])
    expect(crashes).toBe(1)
  })

  it('can be put back, and then a program that ran before is dead', async () => {
    const disk = new Disk()
    const store = disk.mount()
    await store.commit([put('a')])
    await store.commit([put('b')])
    await disk.restore(1)
    expect([await holds(disk, 'a'), await holds(disk, 'b')]).toEqual([true, false])
    await expect(store.get('t', encodeUtf8('a'))).rejects.toThrow('dead')
  })
})
