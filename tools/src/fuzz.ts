/**
 * The longer run of the fuzz tests: `npm run fuzz -- [RUNS] [FILES]`, a million inputs for each decoder unless told otherwise (also
 * by FUZZ_RUNS), of all packages or of the test files whose paths contain one of the words. It alone judges time. Ends with a line
 * for each decoder.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

const CACHE = 'node_modules/.cache'
const DEFAULT_RUNS = '1000000'

const words = process.argv.slice(2)
const isCount = (word: string | undefined) => word !== undefined && /^\d+$/.test(word)
const runs = isCount(words[0]) ? (words.shift() as string) : (process.env.FUZZ_RUNS ?? DEFAULT_RUNS)
if (!isCount(runs) || Number(runs) === 0) {
  console.error('usage: npm run fuzz -- [RUNS] [FILES], for example: npm run fuzz -- 10000 packages/encoding')
  process.exit(2)
}

mkdirSync(CACHE, { recursive: true })
const summary = resolve(join(CACHE, 'fuzz-summary.txt'))
rmSync(summary, { force: true })
console.log(`fuzz: ${Number(runs).toLocaleString('en-US')} inputs for each decoder`)
const options = ['run', '--testNamePattern', 'fuzz', '--testTimeout', '0', ...words]
const env = { ...process.env, FUZZ_RUNS: runs, FUZZ_SUMMARY: summary }
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', ...options], { stdio: 'inherit', env })
const lines = existsSync(summary) ? readFileSync(summary, 'utf8').trimEnd().split('\n').sort() : []
for (const line of lines) console.log(line)
process.exitCode = status === 0 && lines.length === 0 ? 1 : (status ?? 1)
