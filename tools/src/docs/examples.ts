/** The examples in a document: fenced blocks whose first line says that they run, and what they claim to print. */

export interface Example {
  readonly path: string
  /** The line of the fence, from 1. */
  readonly line: number
  readonly language: 'ts' | 'sh'
  /** Needs a local network, whose seed is in SESSION_V2_SEED. */
  readonly needsNetwork: boolean
  readonly code: string
}

const FENCE = /^```(ts|sh) run( network)?\n([\s\S]*?)^```$/gm

/** The examples that run: blocks that open with ` ```ts run `, ` ```sh run `, or either with `network` after it. */
export function examplesOf(path: string, markdown: string): Example[] {
  return [...markdown.matchAll(FENCE)].map(match => {
    const [, language, network, code] = match
    const line = markdown.slice(0, match.index).split('\n').length
    return { path, line, language: language as Example['language'], needsNetwork: network !== undefined, code: code as string }
  })
}

/** What a ts example says it prints: the comment behind each console.log, in order. */
export function claimedOutput(code: string): string[] {
  return [...code.matchAll(/^\s*console\.log\(.*\) \/\/ (.+)$/gm)].map(match => match[1] as string)
}
