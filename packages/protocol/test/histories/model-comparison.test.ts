/** The naive model and the real functions, step by step through the same histories (DS-01 to DS-38). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import type { History, Observer } from './commands.ts'
import { requireConvergence } from './convergence.ts'
import { ModelFollower } from './follow-model.ts'
import { HISTORY_SEED, hostilePlan, live, type Plan, plan } from './random-history.ts'

const RUNS = Number(process.env.MODEL_RUNS ?? 1000)

/** Lives through a plan with the model beside every device; returns how many steps were compared. */
function follow(each: Plan, end: (history: History) => void): number {
  let follower: ModelFollower | undefined
  const observer: Observer = { did: (device, step) => follower!.did(device, step) }
  const history = live(native, each, observer, world => {
    follower = new ModelFollower(world)
  })
  end(history)
  return follower!.steps
}

describe('histories beside a naive model', () => {
  it.each([
    ['honest devices', plan, requireConvergence],
    ['an insider who lies', hostilePlan, () => {}],
  ] as const)(
    '%s: after every step the model, written from the clauses alone, holds the same',
    { timeout: 600_000 },
    (_, plans, end) => {
      let steps = 0
      const each = fc.property(plans, one => {
        steps += follow(one, end)
      })
      fc.assert(each, { numRuns: RUNS, seed: HISTORY_SEED })
      expect(steps).toBeGreaterThan(10 * RUNS)
    },
  )
})
