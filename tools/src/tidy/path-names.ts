/** Files and folders are kebab-case and named for a noun. A name like `utils` says only that its author had no name. */
import type { Finding, Rule } from './tree.ts'

const NAMELESS = ['utils', 'util', 'common', 'helpers', 'helper', 'misc', 'shared', 'lib']
const KEBAB = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/
/** Documents that readers and hosts look for under these names. */
const CAPITALS = /^([A-Z]+\.md|LICENSE|Dockerfile)$/

export const pathNames: Rule = {
  name: 'path-names',
  check: tree => tree.files.flatMap(({ path }) => path.split('/').flatMap(part => findingsOf(path, part))),
}

function findingsOf(path: string, part: string): Finding[] {
  if (NAMELESS.includes(part.replace(/\..*/, ''))) return [{ path, line: 1, text: `"${part}" names nothing` }]
  return KEBAB.test(part) || CAPITALS.test(part) ? [] : [{ path, line: 1, text: `"${part}" is not kebab-case` }]
}
