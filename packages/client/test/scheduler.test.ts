import { loadCrypto, seededRandom } from '@session-v2/crypto'
import { describe, expect, it } from 'vitest'
import { Scheduler } from '../src/scheduler/scheduler.ts'
import { SimulatedTime } from './simulated-time.ts'

const crypto = await loadCrypto()

function begin(seed = 1) {
  const time = new SimulatedTime()
  return { time, scheduler: new Scheduler(time, seededRandom(crypto, new Uint8Array(32).fill(seed))) }
}

describe('a job', () => {
  it('runs once, when its time has come', () => {
    const { time, scheduler } = begin()
    let runs = 0
    scheduler.schedule('job', 1000, () => runs++)
    time.advance(999)
    expect(runs).toBe(0)
    time.advance(1)
    time.advance(10_000)
    expect(runs).toBe(1)
  })

  it('is replaced by one of the same name, and can be cancelled', () => {
    const { time, scheduler } = begin()
    const ran: string[] = []
    scheduler.schedule('job', 10, () => ran.push('first'))
    scheduler.schedule('job', 20, () => ran.push('second'))
    scheduler.schedule('other', 10, () => ran.push('other'))
    scheduler.cancel('other')
    time.advance(100)
    expect(ran).toEqual(['second'])
  })

  it('can schedule itself again', () => {
    const { time, scheduler } = begin()
    let runs = 0
    const again = () => {
      runs++
      scheduler.schedule('job', 10, again)
    }
    scheduler.schedule('job', 10, again)
    time.advance(100)
    expect(runs).toBe(10)
  })
})

describe('a deadline', () => {
  it('aborts in time, unless it is cleared', () => {
    const { time, scheduler } = begin()
    const [kept, cleared] = [scheduler.deadline(100), scheduler.deadline(100)]
    cleared.clear()
    time.advance(100)
    expect([kept.signal.aborted, cleared.signal.aborted]).toEqual([true, false])
    kept.clear()
    expect(time.pending).toBe(0)
  })

  it('ends the wait for a promise, not the promise', async () => {
    const { time, scheduler } = begin()
    let finish: (text: string) => void = () => {}
    const slow = new Promise<string>(resolve => {
      finish = resolve
    })
    const waiting = scheduler.within(slow, 100)
    time.advance(100)
    expect(await waiting).toBeUndefined()
    finish('done')
    expect(await scheduler.within(slow, 100)).toBe('done')
    expect(time.pending).toBe(0)
  })
})

describe('the pause between attempts', () => {
  it('doubles up to five minutes, is at least half of that, and differs between devices', () => {
    const { scheduler } = begin(1)
    const other = begin(2).scheduler
    for (let attempt = 1; attempt <= 40; attempt++) {
      const full = Math.min(5 * 60_000, 500 * 2 ** (attempt - 1))
      for (const ms of [scheduler.backoffMs(attempt), other.backoffMs(attempt)]) {
        expect(ms).toBeGreaterThanOrEqual(full / 2)
        expect(ms).toBeLessThanOrEqual(full)
      }
    }
    expect(scheduler.backoffMs(10)).not.toBe(other.backoffMs(10))
  })

  it('is the same for the same randomness', () => {
    const pauses = (seed: number) => [1, 2, 3].map(attempt => begin(seed).scheduler.backoffMs(attempt))
    expect(pauses(5)).toEqual(pauses(5))
  })
})

describe('a closed scheduler', () => {
  it('has stopped every job, aborted every deadline and starts none', () => {
    const { time, scheduler } = begin()
    let runs = 0
    scheduler.schedule('job', 10, () => runs++)
    const before = scheduler.deadline(1000)
    scheduler.close()
    scheduler.schedule('late', 10, () => runs++)
    const after = scheduler.deadline(1000)
    time.advance(10_000)
    expect(runs).toBe(0)
    expect([before.signal.aborted, after.signal.aborted]).toEqual([true, true])
  })
})
