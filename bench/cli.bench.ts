/** How long a person waits for `session-v2 --help`, next to an empty Node process. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Comparison } from './harness.ts'
import { median, printComparison, round } from './harness.ts'

const RUNS = 15
const main = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url))

function elapsedUs(args: readonly string[]): number {
  const start = process.hrtime.bigint()
  execFileSync(process.execPath, args, { stdio: 'ignore' })
  return Number(process.hrtime.bigint() - start) / 1000
}

export function benchCommandLine(): Comparison[] {
  const empty: number[] = []
  const help: number[] = []
  for (let i = 0; i < RUNS; i++) {
    empty.push(elapsedUs(['--eval', '0']))
    help.push(elapsedUs([main, '--help']))
  }
  const base = median(empty)
  const rows = [
    { name: 'node --eval 0', medianUs: round(base), ratio: 1 },
    { name: 'session-v2 --help', medianUs: round(median(help)), ratio: round(median(help) / base) },
  ]
  const comparison = { title: 'Command line start', baseline: 'node --eval 0', rows }
  printComparison(comparison)
  return [comparison]
}
