/** The repository as the rules see it: a value made from paths and texts, so that a test can hand them a small one. */
import { posix } from 'node:path'
import { parseModule, type Syntax } from './syntax.ts'

export interface TextFile {
  /** From the root of the repository, with `/`. */
  readonly path: string
  readonly text: string
}

/** A TypeScript module of a workspace. */
export interface Module extends TextFile {
  /** The folder of the workspace: `packages/encoding`, `apps/cli`, `tools`; empty for files at the root. */
  readonly workspace: string
  /** The path inside the workspace: `src/bytes.ts`. */
  readonly inside: string
  /** Tests and what only they use. The rules on structure bind the rest. */
  readonly isTest: boolean
  readonly syntax: Syntax
}

/** The package.json of a workspace, or of the root with `workspace` empty. */
export interface Manifest {
  readonly path: string
  readonly workspace: string
  readonly name: string
  /** What the package offers to others: `.` → `src/index.ts`, `./sqlite` → `src/store/sqlite/index.ts`. */
  readonly entries: ReadonlyMap<string, string>
  readonly dependencies: readonly { readonly name: string; readonly version: string; readonly field: string }[]
}

export interface Tree {
  /** Every committed file, also those that are no modules. */
  readonly files: readonly TextFile[]
  readonly modules: readonly Module[]
  readonly manifests: readonly Manifest[]
}

/** A rule of form: its name, and what in a tree offends against it. Pure. */
export interface Rule {
  readonly name: string
  check(tree: Tree): Finding[]
}

export interface Finding {
  readonly path: string
  readonly line: number
  readonly text: string
}

/** The tree of the given files. Throws a SyntaxError for a package.json that is no JSON. */
export function treeOf(files: readonly TextFile[]): Tree {
  return {
    files,
    modules: files.filter(file => file.path.endsWith('.ts')).map(moduleOf),
    manifests: files.filter(file => posix.basename(file.path) === 'package.json').map(manifestOf),
  }
}

function moduleOf(file: TextFile): Module {
  const workspace = workspaceOf(file.path)
  const inside = workspace === '' ? file.path : file.path.slice(workspace.length + 1)
  return { ...file, workspace, inside, isTest: inside.startsWith('test/'), syntax: parseModule(file.path, file.text) }
}

function workspaceOf(path: string): string {
  return /^(?:packages|apps)\/[^/]+(?=\/)|^(?:bench|lab|tools|vectors)(?=\/)/.exec(path)?.[0] ?? ''
}

const DEPENDENCY_FIELDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

interface PackageJson extends Partial<Record<(typeof DEPENDENCY_FIELDS)[number], Record<string, string>>> {
  name?: string
  exports?: Record<string, { source?: string }>
}

function manifestOf(file: TextFile): Manifest {
  const json = JSON.parse(file.text) as PackageJson
  const entries = Object.entries(json.exports ?? {}).flatMap(([key, { source }]): [string, string][] =>
    source === undefined ? [] : [[key, posix.normalize(source)]],
  )
  const dependencies = DEPENDENCY_FIELDS.flatMap(field =>
    Object.entries(json[field] ?? {}).map(([name, version]) => ({ name, version, field })),
  )
  return { path: file.path, workspace: workspaceOf(file.path), name: json.name ?? '', entries: new Map(entries), dependencies }
}

/** The finding at a place of a file; `offset` in UTF-16 units, the file as a whole when left out. */
export function findingAt(file: TextFile, offset: number | undefined, text: string): Finding {
  return { path: file.path, line: lineAt(file.text, offset ?? 0), text }
}

/** The number of the line that holds `offset`, from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

/** True when the path is one of `places`, or lies in a folder of them (which end with `/`). */
export function isAmong(path: string, places: readonly string[]): boolean {
  return places.some(place => path === place || (place.endsWith('/') && path.startsWith(place)))
}
