import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { traceOf } from '../src/trace/coverage.ts'
import { tableOf } from '../src/trace/table.ts'

/** Paths and texts. */
type Tree = Readonly<Record<string, string>>

const CHAPTER = 'docs/spec/boats.md'
const CODE = 'packages/protocol/src/boats/hull.ts'
const TEST = 'packages/protocol/test/boats.test.ts'
const VECTOR = 'vectors/boats/leak.json'

/** Two clauses, implemented and tested. */
const SOUND: Tree = {
  [CHAPTER]: '# Boats\n\n- **BO2-01** It floats.\n- **BO2-02** It does not leak.\n',
  [CODE]: '/** A hull. Implements BO2-01, BO2-02. */\nexport const hull = 1\n',
  [TEST]: "it('floats (BO2-01)', () => {})\n",
  [VECTOR]: '{"clause":"BO2-02","in":{},"out":{}}\n',
}

function trace(tree: Tree) {
  return traceOf(Object.entries(tree).map(([path, text]) => ({ path, text })))
}

/** The findings as they are printed. */
function findings(changes: Tree, without: readonly string[] = []): string[] {
  const tree = Object.fromEntries(Object.entries({ ...SOUND, ...changes }).filter(([path]) => !without.includes(path)))
  return trace(tree).findings.map(({ path, line, text }) => `${path}:${line}: ${text}`)
}

const chapter = (...lines: readonly string[]): Tree => ({ [CHAPTER]: `# Boats\n\n${lines.join('\n')}\n` })
const code = (comment: string, rest = ''): Tree => ({ [CODE]: `/** ${comment} */\n${rest}export const hull = 1\n` })

describe('a clause', () => {
  it('that is cited by code and by a test or a vector is no finding', () => {
    expect(findings({})).toEqual([])
  })

  it('needs code that cites it', () => {
    expect(findings(code('Implements BO2-01.'))).toEqual([`${CHAPTER}:4: BO2-02 is cited by no code`])
  })

  it('is not implemented by a name, a string or a test', () => {
    const name = code('Implements BO2-01.', "const name = 'BO2-02'\n")
    expect(findings({ ...name, [TEST]: 'BO2-01 BO2-02' })).toEqual([`${CHAPTER}:4: BO2-02 is cited by no code`])
  })

  it('needs a test or a vector that cites it', () => {
    expect(findings({}, [VECTOR])).toEqual([`${CHAPTER}:4: BO2-02 is cited by no test and no vector`])
    expect(findings({}, [TEST])).toEqual([`${CHAPTER}:3: BO2-01 is cited by no test and no vector`])
  })

  it('is not tested by a vector that only speaks of it, nor by the program that makes vectors', () => {
    const speaking = { [VECTOR]: '{"clause":"BO2-01","reason":"as BO2-02 says"}' }
    const making = { ...speaking, 'vectors/test/generate/boats.ts': "clause: 'BO2-02'" }
    for (const tree of [speaking, making])
      expect(findings(tree)).toEqual([`${CHAPTER}:4: BO2-02 is cited by no test and no vector`])
  })

  it('is cited by a program of apps as well', () => {
    const app = { 'apps/cli/src/sail.ts': '// BO2-02', 'apps/cli/test/sail.test.ts': '// BO2-02' }
    expect(findings({ ...code('BO2-01'), ...app }, [VECTOR])).toEqual([])
  })
})

describe('a citation', () => {
  const three = chapter('- **BO2-01** A.', '- **BO2-02** B.', '- **BO2-03** C.')
  const tested = { [TEST]: '// BO2-01, BO2-02, BO2-03' }

  it.each(['BO2-01 to BO2-03', 'BO2-01\n * to BO2-03', 'BO2-01 to\n * BO2-03', 'BO2-01, BO2-02 and\n * BO2-03 of it'])(
    'reaches all of %j',
    words => expect(findings({ ...three, ...tested, ...code(words) })).toEqual([]),
  )

  it.each(['from BO2-01 through BO2-03', 'BO2-01, up to BO2-03'])('of both ends is no range: %j', words => {
    expect(findings({ ...three, ...tested, ...code(words) })).toEqual([`${CHAPTER}:4: BO2-02 is cited by no code`])
  })

  it('of a range reaches what exists, when both ends do', () => {
    const spread = chapter('- **BO2-01** A.', '', '## More', '', '- **BO2-10** B.')
    const all = { ...spread, [TEST]: '// BO2-01 to BO2-10', [VECTOR]: '{}' }
    expect(findings({ ...all, ...code('BO2-01 to BO2-10') })).toEqual([])
    expect(findings({ ...all, ...code('BO2-01 to BO2-10, but not BO2-02 to BO2-10') })).toEqual([
      `${CODE}:1: BO2-02 is no clause`,
    ])
  })

  it('of a range that runs backwards is a finding', () => {
    const text = { ...code('BO2-01, BO2-02'), 'docs/a.md': '\nBO2-02 to BO2-01' }
    expect(findings(text)).toEqual(['docs/a.md:2: BO2-02 to BO2-01 runs backwards'])
  })

  it.each([
    ['code', 'packages/node/src/a.ts', '// BO2-07'],
    ['a string of code', 'packages/node/src/a.ts', "export const a = 'BO2-07'"],
    ['a test', 'apps/cli/test/a.test.ts', '// BO2-07'],
    ['a vector', 'vectors/boats/a.json', '{"clause":"BO2-07"}'],
    ['a document', 'README.md', 'As BO2-07 says.'],
    ['a chapter', 'docs/spec/boats.md', `${SOUND[CHAPTER]}Unlike BO2-07.`],
  ])('of a clause that is none is a finding in %s', (_, path, text) => {
    const line = path === CHAPTER ? 5 : 1
    expect(findings({ [path]: text })).toEqual([`${path}:${line}: BO2-07 is no clause`])
  })

  it.each(['UTF-8', 'ML-KEM-768', 'SHA3-256', 'BLAKE2b-64', 'XBO2-01', 'X-BO2-07', 'BO2-07-b', 'BO2-07x', 'bo2-07', 'BO2-'])(
    'is not %s',
    word => expect(findings({ 'README.md': `${word} is a word.` })).toEqual([]),
  )
})

describe('numbers', () => {
  const everywhere = (...ids: readonly string[]): Tree => ({
    ...code(ids.join(', ')),
    [TEST]: `// ${ids.join(', ')}`,
    [VECTOR]: '{}',
  })

  it('are used once, in all chapters', () => {
    expect(findings(chapter('- **BO2-01** A.', '- **BO2-02** B.', '- **BO2-02** C.'))).toEqual([
      `${CHAPTER}:5: BO2-02 is taken, at ${CHAPTER}:4`,
    ])
    expect(findings({ 'docs/spec/ships.md': '- **BO2-01** A.' })).toEqual([
      `docs/spec/ships.md:1: BO2-01 is taken, at ${CHAPTER}:3`,
    ])
  })

  it('leave no hole', () => {
    const holed = chapter('- **BO2-01** A.', '- **BO2-03** B.')
    expect(findings({ ...holed, ...everywhere('BO2-01', 'BO2-03') })).toEqual([
      `${CHAPTER}:4: BO2-03 stands behind BO2-01; only a heading may leave numbers free`,
    ])
  })

  it('begin with 1', () => {
    expect(findings({ ...chapter('- **BO2-02** A.'), ...everywhere('BO2-02') })).toEqual([
      `${CHAPTER}:3: BO2-02 is the first of its chapter, not 01`,
    ])
  })

  it('ascend, also behind a heading', () => {
    const descending = chapter('- **BO2-01** A.', '- **BO2-02** B.', '', '## More', '', '- **BO2-01** C.')
    expect(findings(descending)).toEqual([`${CHAPTER}:8: BO2-01 is taken, at ${CHAPTER}:3`])
    const back = chapter('- **BO2-01** A.', '## More', '- **BO2-11** B.', '## Less', '- **BO2-05** C.')
    expect(findings({ ...back, ...everywhere('BO2-01', 'BO2-05', 'BO2-11') })).toEqual([
      `${CHAPTER}:7: BO2-05 stands behind BO2-11; only a heading may leave numbers free`,
    ])
  })

  it('of two prefixes in one chapter each go their way', () => {
    const both = chapter('- **BO2-01** A.', '- **SA-01** B.', '- **BO2-02** C.', '- **SA-02** D.')
    expect(findings({ ...both, ...everywhere('BO2-01', 'BO2-02', 'SA-01', 'SA-02') })).toEqual([])
  })
})

describe('a chapter', () => {
  it('states something', () => {
    expect(findings({ 'docs/spec/empty.md': '# Empty\n\nNothing is said.\n' })).toEqual([
      'docs/spec/empty.md:1: a chapter without a clause',
    ])
  })

  it('is a file of docs/spec, and only list items of it are clauses', () => {
    expect(trace({ 'docs/guide.md': '- **BO2-01** A.' })).toEqual({ chapters: 0, coverage: [], findings: [] })
    expect(findings(chapter('- **BO2-01** A.', '- **BO2-02** B. See **BO2-01**.'))).toEqual([])
  })
})

describe('the table', () => {
  it('names who implements and tests each clause, vectors by their folder', () => {
    const tree = { ...SOUND, 'vectors/boats/hole.json': '{"clause":"BO2-02"}' }
    expect(tableOf(trace(tree).coverage)).toBe(
      `## ${CHAPTER}\n\n| clause | implemented in | tested in |\n|---|---|---|\n` +
        `| BO2-01 | ${CODE} | ${TEST} |\n| BO2-02 | ${CODE} | vectors/boats (2) |\n`,
    )
    expect(tableOf(trace({ [CHAPTER]: SOUND[CHAPTER]! }).coverage)).toContain('| BO2-01 | – | – |')
  })
})

describe('the program', () => {
  const program = resolve('tools/dist/trace.js')
  let root = ''

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'session-v2-trace-'))
    execFileSync('git', ['init', '--quiet'], { cwd: root })
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  function run(tree: Tree, ...options: readonly string[]): { status: number; stdout: string } {
    for (const [path, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    try {
      return { status: 0, stdout: execFileSync(process.execPath, [program, ...options], { cwd: root, encoding: 'utf8' }) }
    } catch (error) {
      const { status, stdout } = error as { status: number; stdout: string }
      return { status, stdout }
    }
  }

  it('says in one line that all is well', () => {
    expect(run(SOUND)).toEqual({ status: 0, stdout: 'trace: 2 clauses in 1 chapters, 0 findings\n' })
  })

  it('prints a line for each finding and exits with 1', () => {
    const { status, stdout } = run({ ...SOUND, ...code('Implements BO2-01.') })
    expect([status, stdout.split('\n')[0]]).toEqual([1, `${CHAPTER}:4: BO2-02 is cited by no code`])
  })

  it('fails where nothing is specified', () => {
    expect(run({ 'README.md': '# Nothing\n' })).toEqual({ status: 1, stdout: 'trace: 0 clauses in 0 chapters, 0 findings\n' })
  })

  it('prints the table when asked', () => {
    expect(run(SOUND, '--table').stdout).toContain(`| BO2-01 | ${CODE} | ${TEST} |`)
  })
})
