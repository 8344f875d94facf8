/**
 * The longer run of the histories of device groups: `npm run histories -- [STEPS] [--seed SEED]`, a million steps unless told
 * otherwise, from a seed that is printed, so that a history that went wrong can be had again.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'

const TESTS = 'packages/protocol/test/histories/'
const DEFAULT_STEPS = '1000000'
const SEEDS = 2 ** 31

const { values, positionals } = parseArgs({ options: { seed: { type: 'string' } }, allowPositionals: true })
const [steps = DEFAULT_STEPS, ...others] = positionals
const seed = values.seed ?? String(Math.floor(Math.random() * SEEDS))
if (others.length > 0 || !/^[1-9]\d*$/.test(steps) || !/^\d+$/.test(seed)) {
  console.error('usage: npm run histories -- [STEPS] [--seed SEED], for example: npm run histories -- 10000 --seed 7')
  process.exit(2)
}

console.log(`histories: ${Number(steps).toLocaleString('en-US')} steps from the seed ${seed}`)
const options = ['run', '--testNamePattern', 'histories', '--testTimeout', '0', TESTS]
const env = { ...process.env, HISTORY_STEPS: steps, HISTORY_SEED: seed }
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', ...options], { stdio: 'inherit', env })
console.log(`histories: seed ${seed}`)
process.exitCode = status ?? 1
