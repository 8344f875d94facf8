import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inTime } from '../src/fuzz/in-time.ts'

const VITEST = resolve('node_modules/vitest/vitest.mjs')
const IN_TIME = resolve('tools/src/fuzz/in-time.ts')
/** Longer than the first KB may take, each of the five times. */
const TOO_LONG = 'const endMs = performance.now() + 8; while (performance.now() < endMs);'

let folder = ''
beforeEach(() => {
  // Inside the repository, so that vitest resolves.
  folder = mkdtempSync(resolve('tools/dist/fuzz-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** The longer run of one test that decodes 40 inputs. */
function longerRun(decode: string): { status: number | null; stderr: string; summary: string } {
  const test = `for (let size = 0; size < 40; size++) inTime(size * 1024, () => { ${decode} })`
  const imports = `import { it } from 'vitest'\nimport { inTime } from ${JSON.stringify(IN_TIME)}\n`
  writeFileSync(join(folder, 'a.test.js'), `${imports}it('fuzz of nothing', () => { ${test} })`)
  writeFileSync(join(folder, 'vitest.config.js'), 'export default {}')
  const env = { ...process.env, FUZZ_RUNS: '40', FUZZ_SUMMARY: join(folder, 'summary.txt') }
  const { status, stderr } = spawnSync(process.execPath, [VITEST, 'run', '--root', folder], { env, encoding: 'utf8' })
  return { status, stderr, summary: existsSync(env.FUZZ_SUMMARY) ? readFileSync(env.FUZZ_SUMMARY, 'utf8') : '' }
}

describe('among the other tests', () => {
  it('a decoder is run once, and no clock is asked', () => {
    let calls = 0
    const answer = inTime(0, () => {
      for (let spent = 0; spent < 1e7; spent++) if (spent === 0) calls += 1
      return 'value'
    })
    expect([answer, calls]).toEqual(['value', 1])
  })

  it('what a decoder throws comes through', () => {
    const cause = new Error('no value')
    const failing = () =>
      inTime('text', () => {
        throw cause
      })
    expect(failing).toThrow(cause)
  })
})

describe('the longer run', () => {
  it('tells how far it is, and in the end how many inputs there were', () => {
    const { status, stderr, summary } = longerRun('')
    expect(status).toBe(0)
    expect(stderr).toContain('fuzz of nothing: 20 of 40\n')
    expect(summary).toMatch(/^fuzz of nothing: 40 inputs in \d+ s, at worst \d+\.\d\d ms for each KB\n$/)
  })

  it('fails for a decoder that is too slow', () => {
    const { status, summary } = longerRun(TOO_LONG)
    expect(status).toBe(1)
    expect(summary).toMatch(/^fuzz of nothing: 1 inputs/)
  })

  it('gives a large input its time', () => {
    expect(longerRun(`if (size === 39) { ${TOO_LONG} }`).status).toBe(0)
  })
})

describe('the program', () => {
  it.each(['0', 'many', '-5', '1.5'])('runs nothing %s times', runs => {
    const env = { ...process.env, FUZZ_RUNS: runs }
    const { status, stderr } = spawnSync(process.execPath, ['tools/dist/fuzz.js'], { env, encoding: 'utf8' })
    expect([status, stderr.slice(0, 25)]).toEqual([2, 'usage: npm run fuzz -- [R'])
  })
})
