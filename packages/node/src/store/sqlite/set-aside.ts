/**
 * Puts a damaged database aside, so that the node starts with an empty one and is filled by its swarm (clause NODE-28). It is kept for
 * whoever wants to look at it, until the next one is put aside.
 */
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { NodeError } from '../../node-error.ts'

/** The database, its write-ahead log and the index of that. */
const SUFFIXES = ['', '-wal', '-shm']
const MARK = '.damaged-'

/**
 * Renames the files of a database that is not open to `<file>.damaged-<nowMs>…` and removes those that were put aside before; resolves
 * to the new name. Rejects with NodeError `store-failed`.
 */
export async function setAside(file: string, nowMs: number): Promise<string> {
  const aside = `${file}${MARK}${nowMs}`
  const directory = dirname(file)
  const earlier = basename(file) + MARK
  try {
    for (const name of await readdir(directory)) {
      if (name.startsWith(earlier)) await rm(join(directory, name), { force: true })
    }
    // The log first: a database without its log is older, a log without its database belongs to whatever comes next.
    for (const suffix of SUFFIXES.toReversed()) await renameIfThere(file + suffix, aside + suffix)
    return aside
  } catch (cause) {
    throw new NodeError('store-failed', `the damaged database ${file} cannot be put aside`, { cause })
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error
  }
}
