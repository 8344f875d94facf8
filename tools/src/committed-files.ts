/** The files of the repository that are committed, or would be: what git tracks and what it does not ignore. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TextFile } from './tidy/tree.ts'

/** A listing of a large repository. */
const LISTING_MAX_BYTES = 64 * 1024 * 1024

/** Paths from `root`, with `/`, in the order of git. Throws when `root` is no git repository. */
export function committedPaths(root: string): string[] {
  const options = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const listing = execFileSync('git', options, { cwd: root, encoding: 'utf8', maxBuffer: LISTING_MAX_BYTES })
  return [...new Set(listing.split('\0'))].filter(path => path !== '' && existsSync(join(root, path)))
}

/** The committed files that hold text; a file with a zero byte holds none. */
export function committedTexts(root: string): TextFile[] {
  return committedPaths(root)
    .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'))
}
