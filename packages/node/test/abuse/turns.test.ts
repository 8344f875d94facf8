import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Turns } from '../../src/http/turns.ts'
import { ManualClock } from '../manual-clock.ts'

/** Turns whose time and whose event loop are the test's. */
function manual() {
  const clock = new ManualClock()
  const soon: (() => void)[] = []
  const timers: { dueMs: number; run: () => void }[] = []
  const turns = new Turns(clock, {
    soon: run => void soon.push(run),
    after(delayMs, run) {
      const timer = { dueMs: clock.ms + delayMs, run }
      timers.push(timer)
      return () => void timers.splice(timers.indexOf(timer) >>> 0, 1)
    },
  })
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }
  /** One round of the event loop; when nothing is to be done, time goes on to the next timer. */
  const loop = async (): Promise<void> => {
    for (const run of soon.splice(0)) {
      run()
      await settle()
    }
    if (soon.length > 0 || timers.length === 0) return
    timers.sort((a, b) => a.dueMs - b.dueMs)
    const [next] = timers.splice(0, 1)
    clock.ms = Math.max(clock.ms, next!.dueMs)
    next!.run()
    await settle()
  }
  return { clock, turns, loop, settle }
}

describe('requests of one address (NODE-108)', () => {
  it('are done at once, however many they are', () => {
    const { turns } = manual()
    let done = 0
    for (let i = 0; i < 100; i++) void turns.run('a', () => done++)
    expect([done, turns.waiting]).toEqual([100, 0])
  })
  it('are done at once again a second after those of another one, whatever it took', async () => {
    const { turns, clock, loop } = manual()
    const done: string[] = []
    const ask = (name: string) =>
      void turns.run(name, () => {
        clock.ms += 50
        done.push(name)
      })
    for (const name of ['a', 'b', 'b']) ask(name)
    expect([done, turns.waiting]).toEqual([['a', 'b'], 1])
    while (turns.waiting > 0) await loop()
    clock.ms += 1000
    for (let i = 0; i < 3; i++) ask('b')
    expect(done).toEqual(['a', 'b', 'b', 'b', 'b', 'b'])
  })
  it('that fail, fail by themselves', async () => {
    const { turns, loop } = manual()
    const failed = (name: string) => expect(turns.run(name, () => Promise.reject(new Error(name)))).rejects.toThrow(name)
    const all = ['a', 'b', 'c'].map(failed)
    while (turns.waiting > 0) await loop()
    await Promise.all(all)
  })
})

describe('requests of several addresses (NODE-108)', () => {
  it('are done at once as long as they are few', () => {
    const { turns } = manual()
    let done = 0
    for (let i = 0; i < 10; i++) void turns.run(`${i % 2}`, () => done++)
    expect([done, turns.waiting]).toEqual([10, 0])
  })
  it('take turns by what each took', async () => {
    const { turns, clock, loop } = manual()
    const done: string[] = []
    const ask = (name: string, costMs: number) => {
      void turns.run(name, () => {
        done.push(name)
        clock.ms += costMs
      })
    }
    ask('first', 0)
    for (let i = 0; i < 3; i++) ask('heavy', 5)
    for (let i = 0; i < 3; i++) ask('light', 0.1)
    while (turns.waiting > 0) await loop()
    expect(done).toEqual(['first', 'heavy', 'light', 'light', 'light', 'heavy', 'heavy'])
  })
  it('leave half of the time to one that asks one after the other, whatever the others ask', async () => {
    const { turns, clock, loop, settle } = manual()
    const startMs = clock.ms
    let heavyMs = 0
    let served = 0
    let isDue = true
    await turns.run('light', () => {})
    for (let i = 0; i < 50; i++) {
      void turns.run('heavy', () => {
        heavyMs += 50
        clock.ms += 50
      })
    }
    while (turns.waiting > (isDue ? 0 : 1)) {
      if (isDue) {
        isDue = false
        void turns.run('light', () => {
          served++
          clock.ms += 0.5
          isDue = true
        })
      }
      await loop()
      await settle()
    }
    expect(heavyMs).toBe(2500)
    expect(heavyMs / (clock.ms - startMs)).toBeLessThan(0.55)
    expect(served).toBeGreaterThan(50)
  })
})

describe('requests of several addresses, in the end (NODE-108)', () => {
  it('all have their turn, also when the clock stands still', async () => {
    const { turns, loop } = manual()
    const done: number[] = []
    for (let i = 0; i < 300; i++) void turns.run(`${i % 3}`, () => done.push(i))
    for (let i = 0; i < 2000 && turns.waiting > 0; i++) await loop()
    expect(done).toHaveLength(300)
  })
  it('are each done once, or given up, in whatever order they come and whatever they take', async () => {
    const step = fc.record({ name: fc.constantFrom('a', 'b', 'c'), costMs: fc.nat(30), loops: fc.nat(2), giveWay: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
        const { turns, clock, loop, settle } = manual()
        const ended: Promise<unknown>[] = []
        let done = 0
        let given = 0
        for (const { name, costMs, loops, giveWay } of steps) {
          const work = () => {
            clock.ms += costMs
            return ++done
          }
          ended.push(turns.run(name, work))
          if (giveWay && turns.giveWay(name)) given++
          for (let i = 0; i < loops; i++) await loop()
        }
        for (let i = 0; i < 1000 && turns.waiting > 0; i++) await loop()
        await settle()
        const results = await Promise.all(ended)
        expect(results.filter(result => result === undefined)).toHaveLength(given)
        expect(done).toBe(steps.length - given)
      }),
    )
  })
})

describe('a request for which there is no room (NODE-108)', () => {
  it('displaces the newest of the address that has most, and none of one that has as many', async () => {
    const { turns, clock, loop } = manual()
    const ask = (name: string) => turns.run(name, () => name)
    void ask('first')
    await turns.run('second', () => {
      clock.ms += 5
    })
    const many = [ask('many'), ask('many'), ask('many')]
    const few = ask('few')
    expect(turns.giveWay('few')).toBe(true)
    expect(await many[2]).toBe(undefined)
    expect([turns.giveWay('many'), turns.waiting]).toEqual([false, 3])
    while (turns.waiting > 0) await loop()
    expect(await Promise.all([many[0], many[1], few])).toEqual(['many', 'many', 'few'])
    expect(turns.giveWay('few')).toBe(false)
  })
})
