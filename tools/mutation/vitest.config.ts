/** The tests of one chapter, as they judge mutants: run in a copy of the repository, whose packages stand in for those installed. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'
import type { Reporter, TestModule, Vitest } from 'vitest/node'

const PACKAGES = ['encoding', 'crypto', 'protocol', 'network', 'interop', 'client', 'node'].map(name => `packages/${name}`)

/** The package of a folder by its name, as the source in this copy: the links of node_modules lead to the unchanged original. */
function aliasOf(folder: string) {
  const { name } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { name: string }
  return { find: new RegExp(`^${name}$`), replacement: resolve(folder, 'src/index.ts') }
}

/**
 * A test file that a mutant keeps from loading has noticed it. The test runner looks at tests alone, and such a file has none: told
 * as an error of the whole run, it counts.
 */
function loadFailures(): Reporter {
  let vitest: Vitest | undefined
  return {
    onInit(started: Vitest) {
      vitest = started
    },
    onTestRunEnd(modules: readonly TestModule[]) {
      for (const error of modules.flatMap(module => module.errors())) vitest?.state.catchError(error, 'test file')
    },
  }
}

export default defineConfig({
  resolve: { conditions: ['source'], alias: [...PACKAGES, 'vectors'].map(aliasOf) },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: (process.env.MUTATION_TESTS ?? '').split(' '),
    setupFiles: ['tools/mutation/fixed-seed.ts'],
    reporters: [loadFailures()],
    // Modules are loaded anew for each file, or a mutant of a constant would never be seen.
    isolate: true,
    testTimeout: 60_000,
    passWithNoTests: false,
  },
})
