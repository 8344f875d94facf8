/** A range of seeds in the ordinary test run: each history without a violation, and together they have seen the faults there are. */
import { expect } from 'vitest'
import { loadCheapCrypto } from '../sim/cheap-crypto.ts'
import { runHistory } from '../sim/history.ts'
import { Tally } from '../sim/tally.ts'

/** Faults that the first fifty histories have seen, so that one sees that they happen. */
export const FAULTS = [
  'answer lost',
  'request lost',
  'request doubled',
  'delayed',
  'line cut',
  'device: wrong clock',
  'node: down',
  'node: empty',
  'node: stale',
  'node: wrong clock',
  'node: censored an answer',
  'disk: crash before',
  'disk: crash torn',
  'disk: crash after',
  'disk: lost',
  'disk: old copy put back',
  'away: weeks',
  'linked',
  'removed',
  'left',
]

/** Plays the histories; with `sees` they have to have met these faults. */
export async function expectNoViolation(from: number, seeds: number, sees: readonly string[] = []): Promise<void> {
  const crypto = await loadCheapCrypto()
  const tally = new Tally()
  const violations: string[] = []
  for (let seed = from; seed < from + seeds; seed++) {
    const outcome = await runHistory(crypto, seed)
    tally.merge(outcome.counts)
    violations.push(...outcome.violations.map(({ checker, text, step }) => `seed ${seed}, step ${step}, ${checker}: ${text}`))
  }
  expect(violations).toEqual([])
  expect(sees.filter(fault => tally.of(fault) === 0)).toEqual([])
}
