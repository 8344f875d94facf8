/** The links of a document that lead to files of the repository. */
import { posix } from 'node:path'

export interface Link {
  readonly target: string
  /** From 1. */
  readonly line: number
}

/** Relative links of a document at `path` whose file or folder is not among `paths`; web addresses and anchors are left out. */
export function brokenLinks(path: string, markdown: string, paths: ReadonlySet<string>): Link[] {
  const known = withFolders(paths)
  return linksOf(markdown).filter(({ target }) => {
    const file = target.replace(/#.*/, '')
    const resolved = posix.normalize(posix.join(posix.dirname(path), file)).replace(/\/$/, '')
    return file !== '' && resolved !== '.' && !known.has(resolved)
  })
}

function linksOf(markdown: string): Link[] {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, block => block.replace(/[^\n]/g, ' ')).replace(/`[^`\n]*`/g, '')
  return prose
    .split('\n')
    .flatMap((text, index) =>
      [...text.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(match => ({ target: match[1] as string, line: index + 1 }))
        .filter(({ target }) => !/^[a-z]+:/.test(target)),
    )
}

function withFolders(paths: ReadonlySet<string>): Set<string> {
  const known = new Set(paths)
  for (const path of paths)
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) known.add(folder)
  return known
}
