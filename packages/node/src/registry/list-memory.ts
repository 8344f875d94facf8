/** The last good list on disk, so that a node starts when nobody answers (clause NODE-124). */
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { decodeUtf8 } from '@session-v2/encoding'
import { describeException, type Log } from '../log.ts'
import { decodeList, encodeList, LIST_MAX_BYTES, parseWithSwarmIds } from './list-decoder.ts'
import type { LearnedList, NodeList } from './registry.ts'

/** The list that was kept, or undefined where there is none, or none that can be read, which is logged. */
export async function readKeptList(file: string, log: Log): Promise<LearnedList | undefined> {
  try {
    if ((await stat(file)).size > LIST_MAX_BYTES) throw new Error('the kept node list is too long')
    const list = decodeList(parseWithSwarmIds(decodeUtf8(await readFile(file))))
    return list === undefined || list.nodes.length === 0 ? undefined : list
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.warn(describeException(error), 'the kept node list cannot be read')
    return undefined
  }
}

/** Keeps a list, whole or not at all; that it cannot be kept is logged, and no reason to stop. */
export async function keepList(file: string, list: NodeList, log: Log): Promise<void> {
  const draft = `${file}.new`
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(draft, encodeList(list), { flush: true })
    await rename(draft, file)
  } catch (error) {
    log.warn(describeException(error), 'the node list cannot be kept')
  }
}
