/**
 * The program and where it runs, as the other devices of an account are told unless their person says otherwise.
 */
import { createRequire } from 'node:module'
import { hostname } from 'node:os'
import type { Program } from './context.ts'

/** Read from the package and asked of the system. */
export function thisProgram(): Program {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
  return { version, hostName: hostname() }
}
