/** The files of vectors: all of them can be read, say what they are, and why they are there. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadVectors, loadVectorsOfKind, type VectorFile } from '../src/load.ts'

const root = new URL('../', import.meta.url)
const CODE = new Set(['dist', 'node_modules', 'src', 'test'])
const chapters = readdirSync(root, { withFileTypes: true })
  .filter(entry => entry.isDirectory() && !CODE.has(entry.name))
  .map(entry => entry.name)

describe.each(chapters)('the chapter %s', chapter => {
  const names = readdirSync(new URL(`${chapter}/`, root))

  it('holds JSON files only, and all of them are loaded', () => {
    expect(names.filter(name => !name.endsWith('.json'))).toEqual([])
    expect(loadVectors(chapter).map(file => `${file.name}.json`)).toEqual(names.sort())
  })

  it.each(names)('%s', name => {
    const file: VectorFile = JSON.parse(readFileSync(new URL(`${chapter}/${name}`, root), 'utf8'))
    expect(file.chapter).toBe(chapter)
    expect(`${file.name}.json`).toBe(name)
    if (file.source === undefined) expectCase(file)
    else expectFamily(file)
  })
})

function expectCase(file: VectorFile): void {
  expect(file).toMatchObject({ reason: expect.stringMatching(/./), clause: expect.stringMatching(/^[A-Z0-9]+-\d\d$/) })
  expect(Object.keys(file.in)).not.toEqual([])
  expect(typeof file.out).toBe('object')
}

function expectFamily(file: VectorFile): void {
  expect(file.source).not.toBe('')
  expect(file.vectors?.length).toBeGreaterThan(0)
  for (const vector of file.vectors ?? []) expect(vector).toMatchObject({ kind: expect.stringMatching(/./) })
}

describe('loading', () => {
  it('finds the chapters', () => {
    expect(chapters).toEqual(expect.arrayContaining(['account', 'crypto', 'encoding', 'message-v2', 'storage-rpc']))
  })

  it.each(['nothing-here', 'src'])('refuses the chapter %j, which holds none', chapter => {
    expect(() => loadVectors(chapter)).toThrow('there are no vectors for the chapter')
  })

  it.each(['', '../docs', 'account/../src', 'Account'])('refuses %j, which is no name of a chapter', chapter => {
    expect(() => loadVectors(chapter)).toThrow('is no name of a chapter')
  })

  it('refuses a kind that a chapter does not have', () => {
    const [file] = loadVectors('crypto').filter(({ vectors }) => vectors !== undefined)
    const kind = file!.vectors![0]!.kind
    expect(loadVectorsOfKind('crypto', kind).length).toBeGreaterThan(0)
    expect(() => loadVectorsOfKind('crypto', `${kind}?`)).toThrow('there are no vectors of the kind')
  })
})
