/**
 * The list of all nodes as a file: `{"service_node_states": […]}`, as a seed answers it (clauses NODE-04, NODE-121). It is looked at
 * every five seconds and read when it was replaced or written to. A file that cannot be read changes nothing.
 */
import { readFile, stat } from 'node:fs/promises'
import { decodeUtf8 } from '@session-v2/encoding'
import type { ServiceNode } from '@session-v2/network'
import { NodeError } from '../node-error.ts'
import type { Timers } from '../ports.ts'
import { decodeList, LIST_MAX_BYTES, parseWithSwarmIds } from './list-decoder.ts'
import { type PollOutcome, polledRegistry } from './polled-registry.ts'
import { type LearnedList, MemoryRegistry, type Registry, type RegistryParts } from './registry.ts'

export const FILE_POLL_MS = 5_000

export interface FileRegistryOptions extends RegistryParts {
  readonly file: string
  readonly timers: Timers
}

/** The nodes of a list file. Throws NodeError `bad-registry`. */
export async function readRegistryFile(file: string): Promise<readonly ServiceNode[]> {
  return (await readList(file)).nodes
}

/** A registry that follows its file. Rejects with NodeError `bad-registry` when it cannot be read now. */
export async function openFileRegistry(options: FileRegistryOptions): Promise<Registry> {
  const { file } = options
  let seen = await stateOf(file)
  const held = new MemoryRegistry(options, await readList(file))
  const poll = async (): Promise<PollOutcome> => {
    const state = await stateOf(file)
    if (state === seen) return 'as-before'
    // Remembered first: a broken file is read, and complained of, once.
    seen = state
    held.replace(await readList(file))
    return 'learned'
  }
  return polledRegistry(options, held, { poll, intervalMs: FILE_POLL_MS, slowestMs: FILE_POLL_MS, startsNow: false })
}

/** Another value whenever the file was written to, or another put in its place; `absent` when there is none. */
async function stateOf(file: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(file, { bigint: true })
    return `${mtimeNs} ${size} ${ino}`
  } catch {
    return 'absent'
  }
}

async function readList(file: string): Promise<LearnedList> {
  try {
    if ((await stat(file)).size > LIST_MAX_BYTES) throw new Error(`it has more than ${LIST_MAX_BYTES} bytes`)
    const list = decodeList(parseWithSwarmIds(decodeUtf8(await readFile(file))))
    if (list === undefined) throw new Error('it says that nothing has changed')
    return list
  } catch (cause) {
    throw new NodeError('bad-registry', `the registry file ${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
