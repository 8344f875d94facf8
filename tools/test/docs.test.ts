import { describe, expect, it } from 'vitest'
import { claimedOutput, type Example, examplesOf } from '../src/docs/examples.ts'
import { brokenLinks } from '../src/docs/links.ts'
import { compileExamples, falseClaim, runExample } from '../src/docs/run-example.ts'

describe('examplesOf', () => {
  it('takes the blocks that say they run, with their lines', () => {
    const markdown = '# A\n\n```ts run network\nawait a()\n```\n\n```ts\nno\n```\n\n```sh run\nls\n```\n'
    expect(examplesOf('README.md', markdown)).toEqual([
      { path: 'README.md', line: 3, language: 'ts', needsNetwork: true, code: 'await a()\n' },
      { path: 'README.md', line: 11, language: 'sh', needsNetwork: false, code: 'ls\n' },
    ])
  })
})

describe('claims', () => {
  it('are the comments behind console.log, in order', () => {
    expect(claimedOutput("console.log(a) // 1\nf() // no\n  console.log('b') // b c\nconsole.log(d)\n")).toEqual(['1', 'b c'])
  })

  it('must be what was printed, all of it', () => {
    expect(falseClaim(['1', '2'], '1\n2\n')).toBe('')
    expect(falseClaim([], 'anything')).toBe('')
    expect(falseClaim(['1'], '1\n2\n')).toContain('but prints')
  })
})

describe('brokenLinks', () => {
  const paths = new Set(['README.md', 'docs/spec/account.md', 'docs/decisions/0001-two-planes.md'])

  it('finds a link that leads nowhere, and its line', () => {
    expect(brokenLinks('README.md', 'a\n[b](docs/spec/none.md#x) [c](none)', paths)).toEqual([
      { target: 'docs/spec/none.md#x', line: 2 },
      { target: 'none', line: 2 },
    ])
  })

  it('follows links from the place of the document, to files, folders and anchors', () => {
    const markdown = '[a](../spec/account.md#b) [c](..) [d](#e) [f](https://example.org/none) [g](../../README.md) [h](../spec/)'
    expect(brokenLinks('docs/decisions/0001-two-planes.md', markdown, paths)).toEqual([])
  })

  it('sees no link in code', () => {
    expect(brokenLinks('README.md', '```ts\na[b](c)\n```\n`[d](e)`', paths)).toEqual([])
  })
})

describe('examples', () => {
  const root = process.cwd()
  const example = (language: Example['language'], code: string): Example => {
    return { path: 'README.md', line: 1, language, needsNetwork: false, code }
  }

  it('fail when a shell command fails', async () => {
    expect(await runExample(root, example('sh', 'false | true'), 0, {})).not.toBe('')
    expect(await runExample(root, example('sh', 'test -f package.json && test -d "$SESSION_V2_EXAMPLE_DIR"'), 0, {})).toBe('')
  })

  it('are type-checked, run, and held to what they claim', async () => {
    const good = example('ts', 'const a: number = 1\nconsole.log(a) // 1\n')
    const bad = example('ts', 'console.log(process.env.SESSION_V2_SEED) // nothing\n')
    expect(await compileExamples(root, [good, bad])).toBe('')
    expect(await runExample(root, good, 0, {})).toBe('')
    expect(await runExample(root, bad, 1, { SESSION_V2_SEED: 'x' })).toContain('but prints\nx')
    expect(await compileExamples(root, [example('ts', 'const a: number = "1"\n')])).toContain('TS2322')
  })
})
