/** Reads the known answers of a chapter. A chapter without any is an error: a suite that ran nothing must not pass. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** One case of an imported family: the kind says how it is asked. */
export interface Vector {
  readonly kind: string
  // biome-ignore lint/suspicious/noExplicitAny: vectors are data of many shapes, checked by the tests that read them
  readonly in: any
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly out: any
}

/** A file of vectors: either one case with its reason, or an imported family with its source. */
export interface VectorFile {
  readonly chapter: string
  readonly name: string
  /** Why this case exists: the one thing that goes wrong without it. */
  readonly reason?: string
  /** The clause of docs/spec that it shows. */
  readonly clause?: string
  /** The class of failure that a reader must report, for cases that must be refused. */
  readonly failure?: string
  /** Where an imported family comes from. */
  readonly source?: string
  readonly vectors?: readonly Vector[]
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly in?: any
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly out?: any
}

const root = new URL('../', import.meta.url)

/** Every file of vectors/<chapter>/, by name. @throws Error when there is none. */
export function loadVectors(chapter: string): VectorFile[] {
  if (!/^[a-z0-9-]+$/.test(chapter)) throw new Error(`${JSON.stringify(chapter)} is no name of a chapter`)
  const folder = new URL(`${chapter}/`, root)
  const names = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.json')) : []
  if (names.length === 0) throw new Error(`there are no vectors for the chapter ${chapter}`)
  return names.sort().map(name => JSON.parse(readFileSync(new URL(name, folder), 'utf8')))
}

/** Every vector of one kind among the imported families of a chapter. @throws Error when there is none. */
export function loadVectorsOfKind(chapter: string, kind: string): Vector[] {
  const vectors = loadVectors(chapter).flatMap(file => (file.vectors ?? []).filter(vector => vector.kind === kind))
  if (vectors.length === 0) throw new Error(`there are no vectors of the kind ${kind} in the chapter ${chapter}`)
  return vectors
}
