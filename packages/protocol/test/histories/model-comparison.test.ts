/** The naive model and the real functions, step by step through the same histories (DS-01 to DS-38). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import type { Observer } from './commands.ts'
import { requireConvergence } from './convergence.ts'
import { ModelFollower } from './follow-model.ts'
import { live, plan } from './random-history.ts'

const RUNS = Number(process.env.MODEL_RUNS ?? 1000)

describe('histories beside a naive model', () => {
  it('after every step the model, written from the clauses alone, holds the same', { timeout: 600_000 }, () => {
    let steps = 0
    fc.assert(
      fc.property(plan, each => {
        let follower: ModelFollower | undefined
        const observer: Observer = { did: (device, step) => follower!.did(device, step) }
        const history = live(native, each, observer, world => {
          follower = new ModelFollower(world)
        })
        requireConvergence(history)
        steps += follower!.steps
      }),
      { numRuns: RUNS },
    )
    expect(steps).toBeGreaterThan(10 * RUNS)
  })
})
