import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const VITEST = resolve('node_modules/vitest/vitest.mjs')
const CONFIG = { test: { reporters: ['default', resolve('tools/src/plain-reporter.ts')] } }

/** Runs vitest on one test file of this text. */
function runTests(folder: string, text: string): { status: number; lastLine: string | undefined } {
  writeFileSync(join(folder, 'vitest.config.js'), `export default ${JSON.stringify(CONFIG)}`)
  writeFileSync(join(folder, 'a.test.js'), `import { beforeAll, describe, expect, it } from 'vitest'\n${text}`)
  const { status, stdout } = execute(process.execPath, [VITEST, 'run', '--root', folder])
  return { status, lastLine: stdout.trimEnd().split('\n').at(-1) }
}

function execute(program: string, parameters: readonly string[]): { status: number; stdout: string } {
  try {
    return { status: 0, stdout: execFileSync(program, parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }) }
  } catch (error) {
    return error as { status: number; stdout: string }
  }
}

const RUNS: readonly { readonly name: string; readonly text: string; readonly status: number; readonly lastLine: string }[] = [
  { name: 'counts', text: "it('a', () => {}); it.skip('b', () => {})", status: 0, lastLine: '1 passed, 0 failed, 1 skipped' },
  {
    name: 'counts failures',
    text: "it('a', () => {}); it('b', () => expect(1).toBe(2))",
    status: 1,
    lastLine: '1 passed, 1 failed, 0 skipped',
  },
  {
    name: 'fails a run that executed nothing',
    text: "it.skip('a', () => {})",
    status: 1,
    lastLine: '0 passed, 0 failed, 1 skipped',
  },
  {
    name: 'counts a file that does not load',
    text: "throw new Error('x')",
    status: 1,
    lastLine: '0 passed, 1 failed, 0 skipped',
  },
  {
    name: 'counts a broken hook',
    text: "describe('d', () => { beforeAll(() => { throw new Error('x') }); it('a', () => {}) })",
    status: 1,
    lastLine: '0 passed, 1 failed, 1 skipped',
  },
  {
    name: 'counts an error outside any test',
    text: "it('a', () => { setTimeout(() => { throw new Error('x') }, 0); return new Promise(done => setTimeout(done, 50)) })",
    status: 1,
    lastLine: '1 passed, 1 failed, 0 skipped',
  },
]

describe('the plain reporter', () => {
  let folder = ''
  beforeEach(() => {
    // Inside the repository, so that vitest resolves.
    folder = mkdtempSync(resolve('tools/dist/plain-reporter-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  for (const { name, text, status, lastLine } of RUNS) {
    it(`${name}, and has the last word`, () => {
      expect(runTests(folder, text)).toEqual({ status, lastLine })
    })
  }

  it('fails a run without test files', () => {
    const missing = execute(process.execPath, [VITEST, 'run', 'no-such-folder'])
    expect(missing.status).toBe(1)
    expect(missing.stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 0 failed, 0 skipped')
  })
})
