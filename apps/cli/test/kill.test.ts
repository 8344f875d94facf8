/** SIGKILL of the sender at random moments: what it had accepted arrives exactly once, and nothing arrives twice. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ended, records, start } from './command-process.ts'
import { type TestHome, TestNetwork } from './test-network.ts'

const KILLS = 50
/** Runs that were cut after the text was kept and before that was reported: what this is about. It goes on until there are enough. */
const CUT_BETWEEN = 5
/** How many runs share one measurement of an unhurried send: other work on the machine comes and goes. Even, so that nothing waits. */
const RUNS_PER_MEASUREMENT = 4
const KILLS_TIMEOUT_MS = 600_000

let network: TestNetwork
let alice: TestHome
let bob: TestHome

beforeAll(async () => {
  network = await TestNetwork.start()
  alice = await network.account('Alice')
  bob = await network.account('Bob')
})
afterAll(async () => {
  await network.stop()
})

/** Numbers in [0, 1) that a seed repeats (mulberry32). */
function seededNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Starts a send and kills it after the delay. @returns whether the send had reported success by then */
async function sendAndKill(body: string, delayMs: number): Promise<'reported' | 'killed'> {
  const child = start(['--json', '--home', alice.folder, 'send', bob.accountId, body])
  const timer = setTimeout(() => child.kill('SIGKILL'), delayMs)
  const result = await ended(child)
  clearTimeout(timer)
  // A line that was cut off is no report.
  const complete = result.stdout.endsWith('\n')
  return complete && records(result)[0]?.state !== undefined ? 'reported' : 'killed'
}

/** How long a send takes that nobody ends, in milliseconds. */
async function unhurriedSendMs(body: string): Promise<number> {
  const startedMs = performance.now()
  await alice.expect(['send', bob.accountId, body])
  return performance.now() - startedMs
}

async function bodies(home: TestHome, outgoing: boolean): Promise<unknown[]> {
  return (await home.expect(['read'])).filter(message => message.outgoing === outgoing).map(message => message.body)
}

describe('SIGKILL of the sender', () => {
  const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000)

  it(`loses and doubles nothing in ${KILLS} runs (KILL_SEED=${seed})`, { timeout: KILLS_TIMEOUT_MS }, async () => {
    const reported: string[] = []
    const next = seededNumbers(seed)
    let sendMs = 0
    let cutBetween = 0
    for (let index = 0; index < KILLS || cutBetween < CUT_BETWEEN; index++) {
      if (index % RUNS_PER_MEASUREMENT === 0) {
        sendMs = await unhurriedSendMs(`unhurried ${index}`)
        reported.push(`unhurried ${index}`)
      }
      const body = `kill ${index}`
      // Mostly in the second half of the time that a send takes: in the first the program starts and opens its store.
      const moment = index % 5 === 0 ? next() : 0.5 + next() * 0.6
      if ((await sendAndKill(body, moment * sendMs)) === 'reported') reported.push(body)
      // Every other time the sender comes back, and sends what waits, before it is killed again.
      if (index % 2 === 1) cutBetween = (await bodies(alice, true)).length - reported.length
    }
    await alice.expect(['sync'])
    const accepted = await bodies(alice, true)
    const arrived = await bodies(bob, false)
    expect(arrived.toSorted()).toEqual(accepted.toSorted())
    expect(new Set(arrived).size).toBe(arrived.length)
    expect(arrived).toEqual(expect.arrayContaining(reported))
  })
})
