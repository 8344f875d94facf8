import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RULES } from '../src/tidy/rules.ts'
import { treeOf } from '../src/tidy/tree.ts'
import { FIXTURES, type Fixture } from './fixtures.ts'

function findingsOf(name: string, fixture: Fixture) {
  const rule = RULES.find(candidate => candidate.name === name)
  return rule?.check(treeOf(Object.entries(fixture).map(([path, text]) => ({ path, text }))))
}

describe('rules', () => {
  it('are exactly those that are tested', () => {
    expect(Object.keys(FIXTURES).sort()).toEqual(RULES.map(rule => rule.name).sort())
  })

  for (const [name, { bad, good }] of Object.entries(FIXTURES)) {
    for (const [index, fixture] of bad.entries()) {
      it(`${name} finds bad fixture ${index + 1}`, () => {
        expect(findingsOf(name, fixture), JSON.stringify(fixture)).not.toEqual([])
      })
    }
    it(`${name} has fixtures of both kinds and finds nothing in the good ones`, () => {
      expect(bad.length).toBeGreaterThan(0)
      expect(good.length).toBeGreaterThan(0)
      for (const fixture of good) expect(findingsOf(name, fixture), JSON.stringify(fixture)).toEqual([])
    })
  }
})

describe('findings', () => {
  it('name the line', () => {
    const text = '/** A module. */\nexport const a = 1\nexport const now = Date.now()\n'
    expect(findingsOf('ambient-calls', { 'packages/protocol/src/a.ts': text })).toEqual([
      { path: 'packages/protocol/src/a.ts', line: 3, text: 'Date.now: take a clock or `nowMs` as an argument' },
    ])
  })

  it('name every file of a cycle', () => {
    const findings = findingsOf('import-cycles', {
      'packages/crypto/src/a.ts': "import './b.ts'",
      'packages/crypto/src/b.ts': "import './a.ts'",
    })
    expect(findings?.map(({ text }) => text)).toEqual([
      'cycle: packages/crypto/src/a.ts → packages/crypto/src/b.ts → packages/crypto/src/a.ts',
    ])
  })
})

describe('the program', () => {
  const program = resolve('tools/dist/tidy.js')
  let root = ''

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'session-v2-tidy-'))
    execFileSync('git', ['init', '--quiet'], { cwd: root })
    mkdirSync(join(root, 'tools/src'), { recursive: true })
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  function run(text: string): { status: number; stdout: string } {
    writeFileSync(join(root, 'tools/src/a.ts'), text)
    try {
      return { status: 0, stdout: execFileSync(process.execPath, [program], { cwd: root, encoding: 'utf8' }) }
    } catch (error) {
      return error as { status: number; stdout: string }
    }
  }

  it('says in one line that all is well', () => {
    const { status, stdout } = run('/** What this file is, in a sentence. */\nexport const a = 1\n')
    expect({ status, stdout }).toEqual({ status: 0, stdout: `tidy: 1 files, ${RULES.length} rules, 0 findings\n` })
  })

  it('prints a line for each finding and exits with 1', () => {
    const { status, stdout } = run('/** What this file is, in a sentence. */\n\nexport default 1\n')
    expect(status).toBe(1)
    expect(stdout.split('\n')[0]).toBe('tools/src/a.ts:3 named-exports: export what it is by its name')
  })
})
