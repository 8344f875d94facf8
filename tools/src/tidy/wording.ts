/** What no committed file says: what is left undone, and where or with what it was written. The project speaks of itself alone. */
import { type Finding, findingAt, type Rule, type TextFile } from './tree.ts'

const UNFINISHED = /\b(TODO|FIXME|XXX|HACK)\b/g

/** An open end is finished, or written down where it is planned; in code it is forgotten. */
export const unfinished: Rule = {
  name: 'unfinished',
  check: tree => [
    ...tree.modules.flatMap(module =>
      module.syntax.comments.flatMap(({ text, start }) =>
        [...text.matchAll(UNFINISHED)].map(match => findingAt(module, start + match.index, `${match[0]} left in a comment`)),
      ),
    ),
    ...tree.files.filter(isProse).flatMap(file => matches(file, UNFINISHED, word => `${word} left in the text`)),
  ],
}

function isProse({ path }: TextFile): boolean {
  return /\.(md|sh|ya?ml|toml)$/.test(path) || path.startsWith('.ci/')
}

const WORKPLACE = /(?<![\w.~$}\\/-])\/work\/\w+/g
/** A test may show such a path in a fixture. */
const MACHINE_PATHS = /(?<![\w.~$}\\/-])\/(tmp\b|(home|root|Users)\/\w+)/g
const REGISTRIES = /\bregistry\.(npmjs|yarnpkg|npmmirror)\b|\bnpm\.pkg\.github\b/g
/** Spelled with brackets so that this file is no finding itself. */
const AUTHORSHIP =
  /\b(c[l]aude|c[o]pilot|c[h]atgpt|c[o]dex)\b|\b(AI|LLM)[- ](generated|written|assisted)\b|\b(written|made|built|generated) (by|with) (an? )?(AI|LLM|agent)s?\b|\b(AI|coding) agents?\b|[c]o-authored-by:/gi

export const selfContained: Rule = {
  name: 'self-contained',
  check: tree =>
    tree.files.flatMap(file => [
      ...matches(file, WORKPLACE, path => `${path} exists on one machine only`),
      ...(file.path.includes('/test/') ? [] : matches(file, MACHINE_PATHS, path => `${path} is not on every machine`)),
      ...matches(file, REGISTRIES, host => `${host} is where one machine gets its packages`),
      ...matches(file, AUTHORSHIP, words => `"${words}" is not about the project`),
    ]),
}

function matches(file: TextFile, pattern: RegExp, textOf: (match: string) => string): Finding[] {
  return [...file.text.matchAll(pattern)].map(match => findingAt(file, match.index, textOf(match[0])))
}
