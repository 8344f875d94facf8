/**
 * The node's log (clause NODE-70). It never holds an account, a client's address, a message hash or a payload: callers pass
 * counts, method names, status codes and public names of nodes, and of an exception only its kind and where it was thrown,
 * since its message may quote what a client sent.
 */
import { destination, type Logger, pino, stdTimeFunctions } from 'pino'
import type { LogConfig } from './config/node-config.ts'
import { NodeError } from './node-error.ts'

export type Log = Logger

const STDERR = 2
/** What waits for room on a full disk; further lines are dropped. */
const PENDING_MAX_BYTES = 64 * 1024

/** Opens a log that writes at once, to its file (made with its folders) or to standard error. Throws NodeError `bad-config`. */
export function openLog(config: LogConfig): Log {
  const stream = openDestination(config.file)
  // A full disk, or a reader that has gone, costs lines of the log and never the node (clause NODE-01).
  stream.on('error', () => {})
  return pino({ level: config.level, base: null, timestamp: stdTimeFunctions.isoTime }, stream)
}

function openDestination(file: string | undefined) {
  try {
    return destination({ dest: file ?? STDERR, sync: true, mkdir: true, maxLength: PENDING_MAX_BYTES })
  } catch (cause) {
    throw new NodeError('bad-config', `configuration: the log file ${file} cannot be opened`, { cause })
  }
}

export interface ExceptionPlace {
  readonly exception: string
  readonly code?: string
  /** `at function (file:line:column)`, innermost first. */
  readonly stack: readonly string[]
}

/** What may be said of an exception: its name, its code and the places of its stack. */
export function describeException(error: unknown): ExceptionPlace {
  if (!(error instanceof Error)) return { exception: typeof error, stack: [] }
  const { code } = error as { code?: unknown }
  const stack = error.stack ?? ''
  // The message stands before the places and may contain lines that look like one.
  const places = stack.slice(stack.indexOf(error.message) + error.message.length).split('\n')
  return {
    exception: error.name,
    ...(typeof code === 'string' && { code }),
    stack: places.map(line => line.trim()).filter(line => line.startsWith('at ')),
  }
}
