/** Histories of up to 8 devices (DS-03 to DS-38): whatever happens between them, they come to hold the same group. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import { type Command, History, OPS } from './commands.ts'
import { requireConvergence } from './convergence.ts'
import { World } from './world.ts'

const HISTORIES = Number(process.env.HISTORY_RUNS ?? 2000)

const command: fc.Arbitrary<Command> = fc.record({
  op: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('deliver', 'fetch', 'push', 'sync' as const) },
    { weight: 4, arbitrary: fc.constantFrom(...OPS) },
  ),
  who: fc.nat(7),
  which: fc.nat(30),
  fate: fc.nat(2),
  waitS: fc.oneof(fc.nat(120), fc.nat(4000), fc.nat(200_000)),
})

const history = fc.record({ seed: fc.nat(2 ** 30), links: fc.nat(7), commands: fc.array(command, { maxLength: 40 }) })

function run({ seed, links, commands }: { seed: number; links: number; commands: readonly Command[] }): History {
  const world = new World(native, seed)
  const done = new History(world, { did: () => {} })
  const first = done.join(24)!
  done.found(first)
  done.push(first, 0)
  for (let count = 0; count < links; count++) {
    const joining = done.join(seed >> count)
    if (joining !== undefined) done.link(joining, first)
  }
  for (const each of commands) done.run(each)
  return done
}

describe('histories', () => {
  it('members that have merged the same messages hold the same group, keys included', () => {
    fc.assert(
      fc.property(history, each => requireConvergence(run(each))),
      { numRuns: HISTORIES },
    )
    expect(HISTORIES).toBeGreaterThan(0)
  })
})
