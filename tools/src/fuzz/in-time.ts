/**
 * The time that decoders take, for the fuzz tests of all packages. It is judged in the longer run alone (`npm run fuzz`): the tests
 * that must always pass depend on no clock.
 */
import { appendFileSync, writeSync } from 'node:fs'
import { expect, onTestFinished } from 'vitest'

/** A decoder that needs longer for each KB of an input, or for the first begun, can be used to stop who runs it. */
export const MAX_MS_PER_KB = 5
const KB = 1024
/** A slow run is repeated, and the fastest counts: a pause of the machine is not the fault of the decoder. */
const TRIES = 50
const SLOW_MS_PER_KB = 1
/** How often a test tells how far it is. */
const PARTS = 10
const STDERR = 2

/** Where the longer run collects what its tests measured; unset in all others. */
const SUMMARY_FILE = process.env.FUZZ_SUMMARY
const RUNS = Number(process.env.FUZZ_RUNS)

interface Watch {
  readonly name: string
  readonly startedMs: number
  inputs: number
  worstMsPerKb: number
}

let watch: Watch | undefined

/** What was decoded: its bytes, its text, or its size in bytes. */
export type Decoded = Uint8Array | string | number

/** Runs `decode` and returns its value. In the longer run it fails when that takes more than 5 ms for each KB of `input`. */
export function inTime<T>(input: Decoded, decode: () => T): T {
  if (SUMMARY_FILE === undefined) return decode()
  const kilobytes = Math.max(1, (typeof input === 'number' ? input : input.length) / KB)
  let msPerKb = Number.POSITIVE_INFINITY
  let value: T | undefined
  for (let run = 0; run < TRIES && msPerKb > SLOW_MS_PER_KB; run++) {
    const startedMs = performance.now()
    value = decode()
    msPerKb = Math.min(msPerKb, (performance.now() - startedMs) / kilobytes)
  }
  note(watchOfTest(), msPerKb)
  if (msPerKb > MAX_MS_PER_KB) throw new Error(`decoding took ${msPerKb.toFixed(1)} ms for each KB`)
  return value as T
}

function watchOfTest(): Watch {
  const name = expect.getState().currentTestName ?? 'a test'
  if (watch?.name === name) return watch
  const started = { name, startedMs: performance.now(), inputs: 0, worstMsPerKb: 0 }
  watch = started
  onTestFinished(() => tell(started))
  return started
}

function note(test: Watch, msPerKb: number): void {
  test.inputs += 1
  test.worstMsPerKb = Math.max(test.worstMsPerKb, msPerKb)
  if (test.inputs % Math.ceil(RUNS / PARTS) === 0) say(`${test.name}: ${count(test.inputs)} of ${count(RUNS)}`)
}

function tell({ name, startedMs, inputs, worstMsPerKb }: Watch): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
  const line = `${name}: ${count(inputs)} inputs in ${seconds} s, at worst ${worstMsPerKb.toFixed(2)} ms for each KB`
  appendFileSync(SUMMARY_FILE as string, `${line}\n`)
  watch = undefined
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** To the terminal itself: the thread of a test that never pauses cannot hand it over. */
function say(line: string): void {
  try {
    writeSync(STDERR, `${line}\n`)
  } catch {
    // A reader that is slow or gone costs a line of progress, not the run.
  }
}
