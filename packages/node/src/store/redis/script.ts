/** A Lua script (clause NODE-141). */
export interface Script {
  readonly text: string
}

/** `needs: 'room'`: refused by an engine that is full. `none`: frees, or keeps books of what happened already (NODE-144). */
export function script(needs: 'room' | 'none', text: string): Script {
  return { text: `#!lua${needs === 'none' ? ' flags=allow-oom' : ''}\n${text}` }
}
