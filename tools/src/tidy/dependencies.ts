/** What comes from outside: which libraries are not used and why, where the others may be used, and how they are written down. */
import { targetOf } from './import-graph.ts'
import { type Finding, findingAt, isAmong, type Manifest, type Module, type Rule, type Tree } from './tree.ts'

const CRYPTO_ONLY = 'cryptographic libraries are imported by packages/crypto alone'
const ORACLE = 'an independent implementation to compare with, in tests and benches only'

/** Libraries that are forbidden, or allowed in some places only. A name that ends with `/` stands for a scope. */
const RESTRICTED: readonly { readonly name: string; readonly reason: string; readonly places?: readonly string[] }[] = [
  { name: 'bencode', reason: 'corrupts binary keys, loses 64-bit integers, accepts what is not canonical' },
  { name: 'protobufjs', reason: 'drops unknown fields' },
  { name: 'pbf', reason: 'drops unknown fields' },
  { name: '@bufbuild/', reason: ORACLE, places: ['bench/'] },
  { name: '@noble/ciphers', reason: CRYPTO_ONLY, places: ['packages/crypto/src/wasm/', 'bench/'] },
  { name: '@noble/', reason: ORACLE, places: ['bench/'] },
  { name: 'libsodium-wrappers', reason: ORACLE, places: ['bench/'] },
  { name: 'libsodium-wrappers-sumo', reason: ORACLE, places: ['bench/'] },
  { name: 'libsodium-sumo', reason: CRYPTO_ONLY, places: ['packages/crypto/', 'bench/'] },
  { name: 'sodium-native', reason: CRYPTO_ONLY, places: ['packages/crypto/src/native/', 'bench/'] },
  {
    name: '@bokuweb/zstd-wasm',
    reason: 'one file loads the codec',
    places: ['packages/protocol/src/config/load-zstd.ts', 'bench/'],
  },
  { name: 'tweetnacl', reason: 'slower than the provider, and a second implementation to trust' },
  { name: 'better-sqlite3', reason: 'needs a compiler or crashes on Node 20: use node:sqlite' },
  { name: 'libsql', reason: 'its encryption does not notice a flipped byte' },
  { name: 'zod', reason: 'adds 93 KB to a bundle' },
  { name: 'express', reason: 'a fifth of the requests per second of node:http' },
  { name: 'fastify', reason: 'node:http is faster and already there' },
  { name: 'axios', reason: 'fetch is built in' },
  { name: 'node-fetch', reason: 'fetch is built in' },
  { name: 'lodash', reason: 'the language has it' },
  { name: 'moment', reason: 'times are unix milliseconds' },
  { name: 'uuid', reason: 'identifiers come from the Random that is passed in' },
  { name: 'eslint', reason: 'biome checks and formats' },
  { name: 'prettier', reason: 'biome checks and formats' },
  { name: 'ts-node', reason: 'sources are compiled once by tsc -b' },
  { name: 'tsx', reason: 'sources are compiled once by tsc -b' },
  { name: 'jest', reason: 'tests run under vitest' },
]

export const forbiddenDependencies: Rule = {
  name: 'forbidden-dependencies',
  check: tree => [
    ...tree.modules.filter(module => !module.isTest).flatMap(module => forbiddenImports(tree, module)),
    ...tree.manifests.flatMap(manifest =>
      manifest.dependencies.flatMap(({ name }) => {
        const rule = restrictionOf(name)
        return rule !== undefined && rule.places === undefined ? [inManifest(tree, manifest, name, rule.reason)] : []
      }),
    ),
  ],
}

function restrictionOf(library: string): (typeof RESTRICTED)[number] | undefined {
  return RESTRICTED.find(({ name }) => (name.endsWith('/') ? library.startsWith(name) : library === name))
}

function forbiddenImports(tree: Tree, module: Module): Finding[] {
  return module.syntax.imports.flatMap(item => {
    if (item.specifier === 'node:crypto' && module.workspace.startsWith('packages/') && module.workspace !== 'packages/crypto') {
      return [findingAt(module, item.start, `node:crypto: ${CRYPTO_ONLY}`)]
    }
    const target = targetOf(tree, module, item)
    if (target.kind !== 'library') return []
    const rule = restrictionOf(target.name)
    if (rule === undefined || isAmong(module.path, rule.places ?? [])) return []
    return [findingAt(module, item.start, `${target.name}: ${rule.reason}`)]
  })
}

/** A package declares what it imports, or it works here and breaks where it is installed. */
export const declaredDependencies: Rule = {
  name: 'declared-dependencies',
  check: tree => tree.modules.filter(module => module.workspace !== '').flatMap(module => undeclared(tree, module)),
}

function undeclared(tree: Tree, module: Module): Finding[] {
  // Tests, benches and tools are never installed elsewhere: they may also use what the root declares for development.
  const isInstalled = !module.isTest && /^(packages|apps)\//.test(module.workspace)
  const declaring = tree.manifests.filter(({ workspace }) => workspace === module.workspace || (!isInstalled && workspace === ''))
  const declared = new Set(declaring.flatMap(({ dependencies }) => dependencies.map(({ name }) => name)))
  return module.syntax.imports.flatMap(item => {
    const target = targetOf(tree, module, item)
    if (target.kind === 'file' || target.kind === 'node') return []
    if (target.kind === 'workspace' && (module.isTest || target.manifest.workspace === module.workspace)) return []
    const name = target.kind === 'workspace' ? target.manifest.name : target.name
    return declared.has(name) ? [] : [findingAt(module, item.start, `${name} is not in the package.json of ${module.workspace}`)]
  })
}

/** Exact versions: what was tested is what is installed, and an update is a commit that somebody reads. */
export const pinnedVersions: Rule = {
  name: 'pinned-versions',
  check: tree =>
    tree.manifests.flatMap(manifest =>
      manifest.dependencies
        .filter(({ field, version }) => field !== 'peerDependencies' && !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(({ name, version }) => inManifest(tree, manifest, name, `"${version}" is no exact version`)),
    ),
}

function inManifest(tree: Tree, manifest: Manifest, name: string, text: string): Finding {
  const file = tree.files.find(({ path }) => path === manifest.path)
  return file === undefined
    ? { path: manifest.path, line: 1, text: `${name}: ${text}` }
    : findingAt(file, file.text.indexOf(`"${name}":`), `${name}: ${text}`)
}

/** A lock file that names a host makes every other machine fetch from there. */
export const lockfileHosts: Rule = {
  name: 'lockfile-hosts',
  check: tree =>
    tree.files
      .filter(({ path }) => path.endsWith('package-lock.json'))
      .flatMap(file =>
        [...file.text.matchAll(/"resolved": "(https?|git\+\w+):[^"]*"/g)].map(match =>
          findingAt(file, match.index, 'names the host it was resolved from'),
        ),
      ),
}

const NODE_PLACES = [
  'packages/crypto/src/native/',
  'packages/client/src/store/sqlite/',
  'packages/node/',
  'apps/cli/',
  'bench/',
  'lab/',
  'tools/',
  'vectors/',
]

/** The modules of Node are used where the code runs on Node only: everything else must run in a browser too. */
export const nodeImports: Rule = {
  name: 'node-imports',
  check: tree =>
    tree.modules
      .filter(module => !module.isTest && module.workspace !== '' && !isAmong(module.path, NODE_PLACES))
      .flatMap(module =>
        module.syntax.imports
          .filter(({ specifier }) => specifier.startsWith('node:'))
          .map(item => findingAt(module, item.start, `${item.specifier}: this code runs in browsers too`)),
      ),
}
