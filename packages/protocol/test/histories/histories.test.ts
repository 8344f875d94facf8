/**
 * Histories of up to 8 devices: whatever happens between them, they come to hold the same group (DS-03 to DS-38). The longer run,
 * `npm run histories`, is told by HISTORY_STEPS how many steps to take, and by HISTORY_SEED where to begin.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { native, someAccount } from '../providers.ts'
import type { Command } from './commands.ts'
import { isMember, requireConvergence } from './convergence.ts'
import { HISTORY_SEED, live, type Plan, plan } from './random-history.ts'

const SEALED_HISTORIES = Number(process.env.SEALED_HISTORY_RUNS ?? 60)
const STEPS = Number(process.env.HISTORY_STEPS ?? 0)
const HISTORIES = Number(process.env.HISTORY_RUNS ?? (STEPS > 0 ? Math.min(1000, Math.ceil(STEPS / 200)) : 10_000))

const command = (op: Command['op'], who: number, waitS: number): Command => ({ op, who, which: 0, fate: 0, waitS })

/** Histories that once went wrong, each for a reason of its own. */
const FOUND: readonly (readonly [string, Plan])[] = [
  [
    'a device replaced its key in a push that members it did not know of could not read, and erased the old one (DK-09)',
    {
      seed: 13,
      links: 5,
      commands: [
        command('push', 1, 86_395),
        command('push', 0, 0),
        command('leave', 0, 25_983),
        command('deliver', 0, 480),
        command('join', 0, 127_458),
        command('deliver', 0, 58_432),
        command('fetch', 1, 47),
        command('sync', 2, 0),
      ],
    },
  ],
]

describe('histories', () => {
  it.each(FOUND)('%s', (_, found) => {
    expect(requireConvergence(live(native, found))).toBeUndefined()
  })

  it('members that have merged the same messages hold the same group, keys included', { timeout: 7_200_000 }, () => {
    let steps = 0
    const observer = { did: () => void steps++ }
    const property = fc.property(plan, each => requireConvergence(live(native, each, observer)))
    let seed = HISTORY_SEED
    do {
      // What fails is shrunk and printed with this seed.
      fc.assert(property, { numRuns: HISTORIES, seed })
      if (STEPS > 0) console.log(`histories: ${steps} of ${STEPS} steps, seed ${seed}`)
      seed++
    } while (steps < STEPS)
    expect(steps).toBeGreaterThan(HISTORIES)
  })

  it('so they do when every message is really sealed and opened', { timeout: 300_000 }, () => {
    const account = someAccount(native, 1)
    let members = 0
    fc.assert(
      fc.property(plan, each => {
        const history = live(native, each, undefined, world => {
          world.account = account
        })
        requireConvergence(history)
        members += history.world.devices.filter(isMember).length
      }),
      { numRuns: SEALED_HISTORIES, seed: HISTORY_SEED },
    )
    expect(members).toBeGreaterThan(SEALED_HISTORIES)
  })
})
