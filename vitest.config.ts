import { defineConfig } from 'vitest/config'

// Tests read the sources of every package (condition `source`), so a failing test names the line that was written.
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['{packages,apps}/*/test/**/*.test.ts', '{tools,vectors,bench,lab}/test/**/*.test.ts'],
    exclude: ['**/fixtures/**', '**/node_modules/**'],
    pool: 'threads',
    isolate: false,
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
    reporters: ['default', './tools/src/plain-reporter.ts'],
  },
})
