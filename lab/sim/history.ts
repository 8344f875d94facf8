/** One history: a few days or weeks of some people and their devices in bad weather, healed and checked now and then and at the end. */
import { blake2b, type Crypto } from '@session-v2/crypto'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import { actAtRandom } from './actions.ts'
import { agreement } from './checkers/agreement.ts'
import { conversation } from './checkers/conversation.ts'
import { erased } from './checkers/erased.ts'
import { exposure } from './checkers/exposure.ts'
import type { Checker } from './checkers/healed.ts'
import { readable } from './checkers/readable.ts'
import { stuck } from './checkers/stuck.ts'
import { type Device, HOUR_MS, type Plant } from './device.ts'
import { heal } from './healing.ts'
import { Stage, type Violation } from './stage.ts'
import { strike } from './storm.ts'

export const CHECKERS: readonly Checker[] = [readable, agreement, conversation, stuck, erased, exposure]

const NAMES = ['alice', 'bob', 'carol']
const MINUTE_MS = 60_000
const DIGEST_BYTES = 16

/** What came of a history. */
export interface Outcome {
  readonly seed: number
  readonly violations: readonly Violation[]
  readonly counts: readonly (readonly [string, number])[]
  /** Of everything that happened, 32 hexadecimal digits. */
  readonly digest: string
  /** Virtual time that devices existed for, together. */
  readonly deviceMs: number
  readonly lines: readonly string[]
}

export interface HistoryOptions {
  readonly plant?: Plant
  /** How many moments there are at which something happens; default: 10 to 18. */
  readonly steps?: number
  /** Is told each line of the history as it happens. */
  readonly onLine?: (line: string) => void
}

/** Lives through the history of a seed. */
export async function runHistory(crypto: Crypto, seed: number, options: HistoryOptions = {}): Promise<Outcome> {
  const stage = new Stage(crypto, seed, options.plant ?? {}, options.onLine)
  try {
    await live(stage, options)
  } catch (error) {
    stage.violated('error', error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  await stage.close()
  const digest = encodeHex(blake2b(crypto, DIGEST_BYTES, [encodeUtf8(stage.lines.join('\n'))]))
  const counts = stage.tally.entries()
  return { seed, violations: stage.violations, counts, digest, deviceMs: stage.deviceMs, lines: stage.lines }
}

async function live(stage: Stage, { steps: wanted }: HistoryOptions): Promise<void> {
  const { chance, fate } = stage
  await stage.begin()
  const people = chance.happens(0.1) ? 3 : 2
  for (let i = 0; i < people; i++) {
    await stage.addPerson(
      NAMES[i]!,
      chance.weighted([
        [1, 1],
        [2, 4],
        [3, 3],
        [chance.whole(4, 8), 1],
      ]),
    )
  }
  const steps = wanted ?? chance.whole(10, 18)
  const healingAt = chance.happens(0.6) ? chance.whole(1, steps - 1) : undefined
  for (stage.step = 1; stage.step <= steps; stage.step++) {
    if (fate.happens(0.35)) await strike(stage)
    await doSomething(stage)
    await letTimePass(stage, gapMs(stage))
    if (stage.step === healingAt) await healAndCheck(stage, false)
  }
  await healAndCheck(stage, true)
}

/** One to three things at the same time. */
async function doSomething(stage: Stage): Promise<void> {
  const count = stage.chance.weighted([
    [1, 6],
    [2, 2],
    [3, 1],
  ])
  const busy = new Set<Device>()
  await stage.finish(Array.from({ length: count }, () => actAtRandom(stage, busy)))
}

function gapMs({ chance }: Stage): number {
  return chance.weighted([
    [chance.whole(1, 20) * MINUTE_MS, 4],
    [chance.whole(1, 14) * HOUR_MS, 4],
    [chance.whole(15, 72) * HOUR_MS, 1.5],
  ])
}

async function letTimePass(stage: Stage, ms: number): Promise<void> {
  stage.deviceMs += ms * stage.people.reduce((sum, { living }) => sum + living.length, 0)
  await stage.world.advance(ms)
}

async function healAndCheck(stage: Stage, everybody: boolean): Promise<void> {
  stage.log('healing')
  const present = await heal(stage, everybody)
  for (const checker of CHECKERS) await checker.check({ stage, present })
  stage.log(JSON.stringify([...present.values()].flat().map(({ name, known }) => [name, known.size])))
}
