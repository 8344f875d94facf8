/**
 * Histories of up to 8 devices: whatever happens between them, they come to hold the same group (DS-03 to DS-38). The longer run,
 * `npm run histories`, is told by HISTORY_STEPS how many steps to take, and by HISTORY_SEED where to begin.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import { requireConvergence } from './convergence.ts'
import { live, plan } from './random-history.ts'

const HISTORIES = Number(process.env.HISTORY_RUNS ?? 10_000)

describe('histories', () => {
  it('members that have merged the same messages hold the same group, keys included', { timeout: 600_000 }, () => {
    let steps = 0
    const observer = { did: () => void steps++ }
    fc.assert(
      fc.property(plan, each => requireConvergence(live(native, each, observer))),
      { numRuns: HISTORIES },
    )
    expect(steps).toBeGreaterThan(HISTORIES)
  })
})
