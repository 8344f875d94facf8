/**
 * A vitest reporter that ends a run with one plain line, alone and last: `N passed, N failed, N skipped`.
 *
 * It fails what would otherwise pass in silence: a run that executed no test at all. A test file that does not load, a broken
 * hook and an error outside any test each count as one failure, so that the line never reads better than the run was.
 */
import type { Reporter, TestModule, TestRunEndReason, TestSuite } from 'vitest/node'

/** What a run came to. A test that was still pending when the run ended has not passed: it counts as failed. */
export interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** Counts the tests of a run; `unhandledErrors` is the number of errors that belong to no test. */
export function countTests(modules: readonly TestModule[], unhandledErrors: number): Counts {
  const counts: Counts = { passed: 0, failed: unhandledErrors, skipped: 0 }
  for (const module of modules) {
    counts.failed += module.errors().length
    for (const suite of module.children.allSuites()) counts.failed += (suite as TestSuite).errors().length
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      counts[state === 'pending' ? 'failed' : state] += 1
    }
  }
  return counts
}

/** The line, without a line break. */
export function plainLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** True when the run may exit with 0: something ran and nothing failed. */
export function succeeded({ passed, failed }: Counts): boolean {
  return passed > 0 && failed === 0
}

/** The default export is how vitest finds a reporter named by its file. */
export default class PlainReporter implements Reporter {
  #counts: Counts = { passed: 0, failed: 0, skipped: 0 }

  onInit(): void {
    // At exit, because vitest and its other reporters may still print after the run has ended.
    process.on('exit', () => {
      process.stdout.write(`${plainLine(this.#counts)}\n`)
      if (!succeeded(this.#counts)) process.exitCode ||= 1
    })
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[], _reason: TestRunEndReason): void {
    this.#counts = countTests(modules, unhandledErrors.length)
  }
}
