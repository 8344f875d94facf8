/** The data directory, made and tried before anything else needs it, so that a refusal says what to do (clause NODE-114). */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NodeError } from '../node-error.ts'

/** Rejects with NodeError `store-failed`. */
export async function prepareDataDirectory(directory: string): Promise<void> {
  const trial = join(directory, '.writable')
  try {
    await mkdir(directory, { recursive: true })
    await writeFile(trial, '')
    await rm(trial, { force: true })
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException
    throw new NodeError('store-failed', `the data directory ${directory} cannot be written (${code}): ${adviceFor(code)}`, {
      cause,
    })
  }
}

function adviceFor(code: string): string {
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'make room on the disk'
  if (code === 'EROFS') return 'the disk is read-only; set data_directory to a place that can be written'
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file stands in its path; set data_directory to another place'
  return 'give it to the user that runs the node, or set data_directory to another place'
}
