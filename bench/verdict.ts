/**
 * The bars. The figures of the reference machine are divided by how much faster or slower the same untouched peer code runs here,
 * in the same run, so that a bar means the same on every machine.
 */
import type { Comparison } from './harness.ts'
import { median, round } from './harness.ts'

export interface Verdict {
  readonly claim: string
  readonly measured: number
  readonly bar: number
  readonly met: boolean
}

/** Microseconds per operation on the reference machine (Node 20, 2 cores). */
const REFERENCE = {
  seal: { noble: 4263, 'libsodium-wrappers-sumo': 514, rawWasm: 371, cLibsodium: 134 },
  open: { noble: 4585, 'libsodium-wrappers-sumo': 410, rawWasm: 404, cLibsodium: 159 },
} as const

const NATIVE_OVER_C = 1.2
const WASM_OVER_RAW = 1.15
const NOBLE_OVER_NATIVE = 9
const STORE_CPU_OVER_NAIVE = 1.5
const HELP_MS = 150

function find(comparisons: readonly Comparison[], title: string, name: RegExp): number | undefined {
  const comparison = comparisons.find(candidate => candidate.title.startsWith(title))
  return comparison?.rows.find(row => name.test(row.name))?.medianUs
}

/** How much slower this machine is now than the reference machine, by the untouched pure-JavaScript peer. */
function slowness(comparisons: readonly Comparison[]): number | undefined {
  const factors = (['seal', 'open'] as const).flatMap(operation => {
    const measured = find(comparisons, operation === 'seal' ? 'Seal' : 'Open', /^noble$/)
    return measured === undefined ? [] : [measured / REFERENCE[operation].noble]
  })
  return factors.length > 0 ? median(factors) : undefined
}

export function judge(comparisons: readonly Comparison[]): Verdict[] {
  const verdicts: Verdict[] = []
  const add = (claim: string, measured: number | undefined, bar: number, atLeast = false): void => {
    if (measured === undefined) return
    verdicts.push({ claim, measured: round(measured), bar: round(bar), met: atLeast ? measured >= bar : measured <= bar })
  }
  const factor = slowness(comparisons)
  for (const operation of ['seal', 'open'] as const) {
    const title = operation === 'seal' ? 'Seal' : 'Open'
    const native = find(comparisons, title, /^ours, native/)
    const noble = find(comparisons, title, /^noble$/)
    if (factor === undefined || native === undefined || noble === undefined) continue
    add(`${operation}: native, µs, against C libsodium scaled`, native, REFERENCE[operation].cLibsodium * factor * NATIVE_OVER_C)
    const wasm = find(comparisons, title, /^ours, wasm/)
    add(`${operation}: wasm, µs, against the raw module scaled`, wasm, REFERENCE[operation].rawWasm * factor * WASM_OVER_RAW)
    add(`${operation}: noble takes at least 9 × native`, noble / native, NOBLE_OVER_NATIVE, true)
  }
  const naive = find(comparisons, 'Store', /^naive/)
  const node = find(comparisons, 'Store', /^session-v2/)
  if (naive !== undefined && node !== undefined) add('store: CPU over the naive server', node / naive, STORE_CPU_OVER_NAIVE)
  const help = find(comparisons, 'Command line', /--help/)
  add('session-v2 --help, ms', help === undefined ? undefined : help / 1000, HELP_MS)
  return verdicts
}

export function printVerdicts(verdicts: readonly Verdict[]): void {
  console.log('\nBars')
  for (const verdict of verdicts) {
    const mark = verdict.met ? 'met   ' : 'MISSED'
    console.log(`  ${mark}  ${verdict.claim.padEnd(52)}${String(verdict.measured).padStart(9)}  bar ${verdict.bar}`)
  }
}
