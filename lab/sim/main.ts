/**
 * The longer run of the simulator: `npm run sim -- --seeds N [--from S]`, and `--seed S` for one history with every line of it. Two
 * processes share the seeds. A failure prints its seed and the step, and `--seed` lives through the same again.
 */
import { execFileSync, fork } from 'node:child_process'
import { parseArgs } from 'node:util'
import { loadCheapCrypto } from './cheap-crypto.ts'
import { type Outcome, runHistory } from './history.ts'
import { Tally } from './tally.ts'

const PROCESSES = 2
/** Young objects are many and die soon: with more room for them a fifth of the time is saved. */
const NODE_OPTIONS = ['--max-semi-space-size=64']
const DAY_MS = 86_400_000
const DAYS_OF_YEAR = 365.25
const PROGRESS_EVERY = 100
const USAGE = 'usage: npm run sim -- --seeds N [--from S], or npm run sim -- --seed S'

/** What a process tells of a history. */
type Report = Omit<Outcome, 'lines'>

const { values } = parseArgs({
  options: { seeds: { type: 'string' }, from: { type: 'string' }, seed: { type: 'string' }, part: { type: 'string' } },
})

if (values.seed !== undefined) await showOne(wholeNumber(values.seed))
else if (values.part !== undefined) await runPart(wholeNumber(values.part), wholeNumber(values.from), wholeNumber(values.seeds))
else await runAll(wholeNumber(values.from ?? '1'), wholeNumber(values.seeds))

function wholeNumber(text: string | undefined): number {
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text)
  console.error(USAGE)
  process.exit(2)
}

/** One history, line by line. */
async function showOne(seed: number): Promise<void> {
  const outcome = await runHistory(await loadCheapCrypto(), seed, { onLine: line => console.log(line) })
  for (const [what, count] of outcome.counts) console.log(`${String(count).padStart(10)}  ${what}`)
  console.log(`seed ${seed}: ${outcome.violations.length} violations, digest ${outcome.digest}`)
  if (outcome.violations.length > 0) process.exitCode = 1
}

/** Every n-th of the seeds, each told to the process that began this one. */
async function runPart(part: number, from: number, seeds: number): Promise<void> {
  const crypto = await loadCheapCrypto()
  for (let i = part; i < seeds; i += PROCESSES) {
    const { lines: _, ...report } = await runHistory(crypto, from + i)
    await new Promise<void>(resolve => process.send?.(report, undefined, undefined, () => resolve()))
  }
  process.disconnect()
}

async function runAll(from: number, seeds: number): Promise<void> {
  console.log(`histories of the seeds ${from} to ${from + seeds - 1}, of the code ${codeName()}`)
  const startedAtMs = performance.now()
  const tally = new Tally()
  let done = 0
  let failed = 0
  let deviceMs = 0
  const take = (report: Report): void => {
    done++
    deviceMs += report.deviceMs
    tally.merge(report.counts)
    if (report.violations.length > 0) failed++
    for (const { checker, text, step } of report.violations) console.log(`seed ${report.seed}, step ${step}, ${checker}: ${text}`)
    if (done % PROGRESS_EVERY === 0) console.log(progress(done, seeds, failed, deviceMs, performance.now() - startedAtMs))
  }
  const parts = Array.from({ length: PROCESSES }, (_, part) => startPart(part, from, seeds, take))
  const codes = await Promise.all(parts)
  console.log('\nwhat happened, over all seeds:')
  for (const [what, count] of tally.entries()) console.log(`${String(count).padStart(10)}  ${what}`)
  console.log(progress(done, seeds, failed, deviceMs, performance.now() - startedAtMs))
  if (failed > 0) console.log('live through one again: npm run sim -- --seed S')
  if (failed > 0 || done < seeds || codes.some(code => code !== 0)) process.exitCode = 1
}

/** Resolves to the exit code. */
function startPart(part: number, from: number, seeds: number, take: (report: Report) => void): Promise<number | null> {
  const options = ['--part', String(part), '--from', String(from), '--seeds', String(seeds)]
  const child = fork(process.argv[1]!, options, { execArgv: NODE_OPTIONS })
  child.on('message', message => take(message as Report))
  return new Promise(resolve => void child.on('exit', resolve))
}

/** The commit, and whether there is more than that; without Git nobody knows. */
function codeName(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'of no commit'
  }
}

function progress(done: number, seeds: number, failed: number, deviceMs: number, tookMs: number): string {
  const years = (deviceMs / DAY_MS / DAYS_OF_YEAR).toFixed(1)
  return `${done} of ${seeds} histories, ${years} device-years, ${failed} with a violation, ${(tookMs / 1000).toFixed(0)} s`
}
