/**
 * The node's log (clause NODE-70). It never holds an account, a client's address, a message hash or a payload: callers pass
 * counts, method names, status codes and public names of nodes, and of an exception only its kind and where it was thrown,
 * since its message may quote what a client sent.
 */
import { destination, type Logger, pino, stdTimeFunctions } from 'pino'
import type { LogConfig } from './config/node-config.ts'

export type Log = Logger

const STDERR = 2

/** Opens a log that writes at once, to its file (made with its folders) or to standard error. */
export function openLog(config: LogConfig): Log {
  const stream = destination({ dest: config.file ?? STDERR, sync: true, mkdir: true })
  return pino({ level: config.level, base: null, timestamp: stdTimeFunctions.isoTime }, stream)
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
