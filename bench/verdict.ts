/**
 * The bars. Figures of the reference machine are scaled to this one by code that is not ours and runs in the same alternation:
 * X25519 by OpenSSL for what is native, libsodium-wrappers-sumo for what is wasm. So a bar means the same on every machine, busy or
 * not.
 */
import type { Comparison } from './harness.ts'
import { round } from './harness.ts'

export interface Verdict {
  readonly claim: string
  readonly measured: number
  readonly bar: number
  readonly met: boolean
}

/** Microseconds per operation on the reference machine (Node 20, 2 cores). */
const REFERENCE = {
  Seal: { wrappers: 514, rawWasm: 371, cLibsodium: 134 },
  Open: { wrappers: 410, rawWasm: 404, cLibsodium: 159 },
} as const

/**
 * X25519 by OpenSSL on the reference machine. It was not recorded there; this follows from a V1 seal by C libsodium, which was
 * (67 µs), and which takes 2.15 times the yardstick wherever both were measured.
 */
const REFERENCE_YARDSTICK_US = 31

const NATIVE_OVER_C = 1.2
const WASM_OVER_RAW = 1.15
const NOBLE_OVER_NATIVE = 9
const STORE_CPU_OVER_NAIVE = 1.5
const HELP_MS = 150
const ONION_OVER_DIRECT = 4
/** Between the mailboxes that retrieve is cheapest and dearest out of. */
const RETRIEVE_SPREAD = 1.3
const SWARM_OVER_NODE = 0.25
const NODE_MB = 150
const ATTACKED_OVER_QUIET = 0.5
const FRONT_ENDS_OVER_ONE = 1.6
const CAUGHT_UP_PER_SECOND = 2500
const BLOCKED_MS = 50
/** The bar on native sealing and opening is for Node with its own ML-KEM, which older versions lack. */
const NATIVE_ML_KEM_SINCE = 24

function find(comparisons: readonly Comparison[], title: string, name: RegExp): number | undefined {
  const comparison = comparisons.find(candidate => candidate.title.startsWith(title))
  return comparison?.rows.find(row => name.test(row.name))?.medianUs
}

function findFigure(comparisons: readonly Comparison[], title: string, name: string): number | undefined {
  const comparison = comparisons.find(candidate => candidate.title.startsWith(title))
  return comparison?.figures?.find(figure => figure.name === name)?.value
}

export function judge(comparisons: readonly Comparison[]): Verdict[] {
  const verdicts: Verdict[] = []
  const add = (claim: string, measured: number | undefined, bar: number, atLeast = false): void => {
    if (measured === undefined || !Number.isFinite(bar)) return
    verdicts.push({ claim, measured: round(measured), bar: round(bar), met: atLeast ? measured >= bar : measured <= bar })
  }
  for (const title of ['Seal', 'Open'] as const) {
    const native = find(comparisons, title, /^ours, native/)
    const reference = REFERENCE[title]
    const nativeScale = (find(comparisons, title, /^yardstick/) ?? Number.NaN) / REFERENCE_YARDSTICK_US
    const wasmScale = (find(comparisons, title, /^libsodium-wrappers/) ?? Number.NaN) / reference.wrappers
    if (Number(process.versions.node.split('.')[0]) >= NATIVE_ML_KEM_SINCE) {
      add(`${title}: native, µs, over C libsodium`, native, reference.cLibsodium * nativeScale * NATIVE_OVER_C)
    }
    const wasm = find(comparisons, title, /^ours, wasm/)
    add(`${title}: wasm, µs, over the raw module`, wasm, reference.rawWasm * wasmScale * WASM_OVER_RAW)
    const noble = find(comparisons, title, /^noble$/)
    if (noble !== undefined && native !== undefined) add(`${title}: noble over native`, noble / native, NOBLE_OVER_NATIVE, true)
  }
  const naive = find(comparisons, 'Store', /^naive/)
  const node = find(comparisons, 'Store', /^session-v2/)
  if (naive !== undefined && node !== undefined) add('store: CPU over the naive server', node / naive, STORE_CPU_OVER_NAIVE)
  for (const request of ['a retrieve', 'an info']) {
    const title = `Onion, CPU of the nodes: ${request.split(' ')[1]}`
    const direct = find(comparisons, title, /^direct/)
    const onion = find(comparisons, title, /xchacha20$/)
    if (direct !== undefined && onion !== undefined)
      add(`onion: CPU of ${request} over a direct one`, onion / direct, ONION_OVER_DIRECT)
  }
  judgeLoad(comparisons, add)
  add('catching up: messages a second', findFigure(comparisons, 'Catching up', 'messages a second'), CAUGHT_UP_PER_SECOND, true)
  const blocked = findFigure(comparisons, 'Catching up', 'longest time that the event loop waited')
  add('catching up: the event loop waited, ms', blocked, BLOCKED_MS)
  const help = find(comparisons, 'Command line', /--help/)
  add('session-v2 --help, ms', help === undefined ? undefined : help / 1000, HELP_MS)
  return verdicts
}

function judgeLoad(
  comparisons: readonly Comparison[],
  add: (claim: string, measured: number | undefined, bar: number, atLeast?: boolean) => void,
): void {
  const spreads = comparisons
    .filter(({ title }) => title.startsWith('Retrieve '))
    .map(({ rows }) => rows.map(({ medianUs }) => medianUs))
    .map(times => Math.max(...times) / Math.min(...times))
  if (spreads.length > 0) add('retrieve: CPU, dearest mailbox over cheapest', Math.max(...spreads), RETRIEVE_SPREAD)
  const compared = (title: string, one: RegExp, many: RegExp) => {
    const [oneUs, manyUs] = [find(comparisons, title, one), find(comparisons, title, many)]
    return oneUs === undefined || manyUs === undefined ? undefined : oneUs / manyUs
  }
  add('swarm of six: stores/s over one node', compared('Swarm', /^one node/, /^6 nodes/), SWARM_OVER_NODE, true)
  add('memory of a node under load, MB', findFigure(comparisons, 'Memory', 'retrieving, most so far'), NODE_MB)
  add('memory of a member of six under load, MB', findFigure(comparisons, 'Swarm', '6 nodes, most memory of a node'), NODE_MB)
  const held = compared('Front ends, a share', /^one front end/, /^two front ends/)
  add('two front ends: stores/s over one, each held', held, FRONT_ENDS_OVER_ONE, true)
  const kept = comparisons
    .filter(({ title }) => title.startsWith('Abuse'))
    .map(({ rows }) => rows.find(({ name }) => name === 'under attack')?.ratio ?? Number.POSITIVE_INFINITY)
  if (kept.length > 0)
    add('a client under the worst attack: its rate over quiet', 1 / Math.max(...kept), ATTACKED_OVER_QUIET, true)
}

export function printVerdicts(verdicts: readonly Verdict[]): void {
  console.log('\nBars')
  for (const verdict of verdicts) {
    const mark = verdict.met ? 'met   ' : 'MISSED'
    console.log(`  ${mark}  ${verdict.claim.padEnd(52)}${String(verdict.measured).padStart(9)}  bar ${verdict.bar}`)
  }
}
