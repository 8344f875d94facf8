/**
 * All checks in order, the cheap ones first, with a line and the time for each; stops at the first that fails. The build has been
 * done before, by the npm script. The tests come last, so that their plain line `N passed, N failed, N skipped` ends the output.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

interface Step {
  readonly name: string
  /** Arguments of node. */
  readonly command: readonly string[]
}

const STEPS: readonly Step[] = [
  { name: 'types of the tests', command: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json'] },
  { name: 'lint and format', command: ['node_modules/@biomejs/biome/bin/biome', 'check', '.'] },
  { name: 'tidy', command: ['tools/dist/tidy.js'] },
  { name: 'trace', command: ['tools/dist/trace.js'] },
  { name: 'documents', command: ['tools/dist/docs.js'] },
  { name: 'tests', command: ['node_modules/vitest/vitest.mjs', 'run'] },
]

if (!existsSync('tools/dist/check.js')) throw new Error('run this from the root of the repository: npm run check')

for (const [index, { name, command }] of STEPS.entries()) {
  console.log(`\ncheck ${index + 1}/${STEPS.length}: ${name}`)
  const startedAt = performance.now()
  const { status } = spawnSync(process.execPath, command, { stdio: 'inherit' })
  if (status !== 0) {
    process.exitCode = 1
    // The tests have the last word, also when they fail.
    if (name !== 'tests') console.log(`check failed at: ${name}`)
    break
  }
  if (name !== 'tests') console.log(`ok after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
}
