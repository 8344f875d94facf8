/**
 * A file that is whole when it has its name: written beside under another one (mode 600), flushed, then named. Whatever goes wrong, what was
 * there under the name stays, and nothing is left beside.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { link, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CliError } from './failure.ts'

/** File systems that have no hard links say one of these. */
const NO_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL'])

/** @throws CliError `file-exists` unless it may be replaced */
export function requireFree(path: string, mayReplace: boolean): void {
  if (mayReplace || !existsSync(path)) return
  throw new CliError('file-exists', `There is something called ${path} already. Nothing was written.`)
}

/**
 * Writes a file of these parts.
 * @param mayReplace whether a file of that name is replaced
 * @param signal when it is raised the process may end at once: what lies beside goes with it
 * @returns its size in bytes
 * @throws CliError `file-exists`, the errors of the file system, and what `parts` throws
 */
export async function writeNewFile(
  path: string,
  parts: AsyncIterable<Uint8Array>,
  { mayReplace, signal }: { readonly mayReplace: boolean; readonly signal: AbortSignal },
): Promise<number> {
  requireFree(path, mayReplace)
  const beside = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.part`)
  const file = await open(beside, 'wx', 0o600)
  const takeAway = () => rmSync(beside, { force: true })
  signal.addEventListener('abort', takeAway)
  try {
    let sizeBytes = 0
    try {
      for await (const part of parts) {
        await file.writeFile(part)
        sizeBytes += part.length
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await named(beside, path, mayReplace)
    await flushed(dirname(path))
    return sizeBytes
  } finally {
    signal.removeEventListener('abort', takeAway)
    await rm(beside, { force: true })
  }
}

/** A name is given by a link, which fails where there is one already: also one that came while the file was written. */
async function named(beside: string, path: string, mayReplace: boolean): Promise<void> {
  if (mayReplace) return rename(beside, path)
  try {
    await link(beside, path)
  } catch (error) {
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code)) {
      requireFree(path, false)
      throw error
    }
    requireFree(path, false)
    await rename(beside, path)
  }
}

/** The name survives a power cut once its folder is flushed; Windows does that by itself. */
async function flushed(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
