/**
 * What this device says of itself to the others of its account: that it is a command line, which version, and the computer's name
 * until its person gives another.
 */
import type { DeviceDescription } from '@session-v2/client'
import type { Program } from '../context.ts'
import { printableName } from '../output.ts'

/** Of a description, in UTF-8. */
export const DESCRIPTION_MAX_BYTES = 64

const COMMAND_LINE = 'c'

export function thisDevice({ version, hostName }: Program): DeviceDescription {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(part => Number.parseInt(part, 10) || 0)
  return { description: describable(hostName), type: COMMAND_LINE, version: [major, minor, patch] }
}

/** A description of at most 64 bytes on one line; what is longer is cut between two characters as people see them. */
export function describable(text: string): string {
  const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(printableName(text.toWellFormed()).trim())
  let cut = ''
  for (const { segment } of characters) {
    if (Buffer.byteLength(cut + segment) > DESCRIPTION_MAX_BYTES) break
    cut += segment
  }
  return cut
}
