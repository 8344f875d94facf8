import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { committedPaths } from '../src/committed-files.ts'
import { CHAPTERS, testsOf } from '../src/mutation/chapters.ts'
import { complaintsAbout, type KnownSurvivor, parseKnownSurvivors } from '../src/mutation/known-survivors.ts'
import { type Mutant, type MutationReport, summaryOf } from '../src/mutation/summary.ts'

const FILE = 'packages/protocol/src/boats/hull.ts'
const SOURCE = [
  'export function hull(wet: boolean) {',
  '  try {',
  '    if (wet) bail(1)',
  '  } finally {',
  '    wipe()',
  '  }',
  '}',
].join('\n')

function mutant(status: string, line = 3, columns: readonly [number, number] = [9, 12], replacement = 'false'): Mutant {
  return { status, replacement, location: { start: { line, column: columns[0] }, end: { line, column: columns[1] } } }
}

function report(...mutants: readonly Mutant[]): MutationReport {
  return { files: { [FILE]: { source: SOURCE, mutants } } }
}

const killed = (count: number) => Array.from({ length: count }, () => mutant('Killed'))
const survivor: KnownSurvivor = {
  file: FILE,
  before: 'if (wet) bail(1)',
  after: 'if (false) bail(1)',
  reason: 'the pump does it',
}

describe('the summary of a run', () => {
  it('counts each fate; what nobody can judge is not in the score', () => {
    const unloadable = { ...mutant('RuntimeError'), statusReason: 'An error occurred outside of a test run: TypeError' }
    const others = ['Timeout', 'Survived', 'NoCoverage', 'CompileError', 'RuntimeError', 'Ignored'].map(status => mutant(status))
    const { score, counts } = summaryOf('boats', report(...killed(4), unloadable, ...others))
    expect(counts).toEqual({ killed: 4, unloadable: 1, timedOut: 1, survived: 1, uncovered: 1, invalid: 3 })
    expect(score).toBe(75)
  })

  it('rounds the score down', () => {
    expect(summaryOf('boats', report(...killed(2), mutant('Survived'))).score).toBe(66.66)
  })

  it('shows a survivor as the line it changes', () => {
    const { survivors } = summaryOf('boats', report(...killed(1), mutant('Survived')))
    expect(survivors).toEqual([{ file: FILE, line: 3, before: 'if (wet) bail(1)', after: 'if (false) bail(1)' }])
  })

  it('shows a block that was emptied by its first line', () => {
    const emptied = {
      status: 'Survived',
      replacement: '{}',
      location: { start: { line: 4, column: 13 }, end: { line: 6, column: 4 } },
    }
    const { survivors } = summaryOf('boats', report(emptied, mutant('NoCoverage', 5, [5, 11], 'x()')))
    expect(survivors.map(({ line, before, after }) => [line, before, after])).toEqual([
      [4, '} finally {', '} finally {}'],
      [5, 'wipe()', 'x()'],
    ])
  })

  it('is none when nothing was mutated', () => {
    expect(() => summaryOf('boats', report())).toThrow('nothing was mutated')
    expect(() => summaryOf('boats', report(mutant('Ignored')))).toThrow('nothing was mutated')
  })
})

describe('a run', () => {
  const summary = (...mutants: readonly Mutant[]) => summaryOf('boats', report(...killed(20), ...mutants))

  it('is good without survivors, or with those that are known, wherever they stand by now', () => {
    expect(complaintsAbout(summary(), [])).toEqual([])
    const moved = {
      ...report(...killed(20), mutant('Survived', 4)),
      files: { [FILE]: { source: `\n${SOURCE}`, mutants: [...killed(20), mutant('Survived', 4)] } },
    }
    expect(complaintsAbout(summaryOf('boats', moved), [survivor])).toEqual([])
  })

  it('is bad with a survivor that is not known, and says which', () => {
    expect(complaintsAbout(summary(mutant('Survived')), [])).toEqual([
      `${FILE}:3: no test notices\n  - if (wet) bail(1)\n  + if (false) bail(1)`,
    ])
    for (const change of [{ file: 'other.ts' }, { before: 'x' }, { after: 'if (true) bail(1)' }])
      expect(complaintsAbout(summary(mutant('Survived')), [{ ...survivor, ...change }])).toHaveLength(2)
  })

  it('is bad with more survivors of a kind than are known', () => {
    const two = summary(mutant('Survived'), mutant('NoCoverage'))
    expect(complaintsAbout(two, [survivor])).toHaveLength(1)
    expect(complaintsAbout(two, [{ ...survivor, times: 2 }])).toEqual([])
    expect(complaintsAbout(two, [survivor, survivor])).toEqual([])
  })

  it('is bad with a known survivor that is noticed by now', () => {
    expect(complaintsAbout(summary(), [survivor])).toEqual([
      `${FILE}: known as a survivor, and is none\n  - if (wet) bail(1)\n  + if (false) bail(1)`,
    ])
    expect(complaintsAbout(summary(mutant('Survived')), [{ ...survivor, times: 2 }])).toHaveLength(1)
  })

  it('says nothing of a known survivor that timed out: the machine may have been busy', () => {
    expect(complaintsAbout(summary(mutant('Timeout')), [survivor])).toEqual([])
    expect(complaintsAbout(summary(mutant('Timeout')), [{ ...survivor, after: 'if (true) bail(1)' }])).toHaveLength(1)
    expect(complaintsAbout(summary(), [{ ...survivor, slower: true }])).toEqual([])
  })

  it('is bad below 85 %, known survivors or not', () => {
    const low = summaryOf('boats', report(...killed(5), mutant('Survived')))
    expect(complaintsAbout(low, [survivor])).toEqual(['the score is 83.33 %, at least 85 % are due'])
  })
})

describe('the list of known survivors', () => {
  it.each([
    '{}',
    '[{}]',
    '[1]',
    JSON.stringify([{ ...survivor, reason: '' }]),
    JSON.stringify([{ ...survivor, reason: 'so' }]),
    JSON.stringify([{ ...survivor, times: 0.5 }]),
  ])('is not %s', text => expect(() => parseKnownSurvivors(text)).toThrow())

  it('is readable for every chapter that has one, and names files of that chapter', () => {
    const names = readdirSync('tools/mutation/survivors')
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) {
      const chapter = CHAPTERS[name.replace(/\.json$/, '')]
      const known = parseKnownSurvivors(readFileSync(`tools/mutation/survivors/${name}`, 'utf8'))
      for (const { file } of known) expect(file.startsWith(`${chapter?.sources}/`), `${name}: ${file}`).toBe(true)
    }
  })
})

describe('a chapter', () => {
  const paths = committedPaths('.')

  it.each(Object.entries(CHAPTERS))('%s has sources, and tests', (_, chapter) => {
    expect(paths.some(path => path.startsWith(`${chapter.sources}/`))).toBe(true)
    expect(testsOf(chapter, paths).length).toBeGreaterThan(0)
  })

  it('takes only test files, of the protocol', () => {
    const chapter = { sources: 'x', tests: ['hull'] }
    const given = [
      'packages/protocol/test/hull.test.ts',
      'packages/protocol/test/hull-world.ts',
      'packages/node/test/hull.test.ts',
      'hull.test.ts',
    ]
    expect(testsOf(chapter, given)).toEqual(given.slice(0, 1))
  })
})
