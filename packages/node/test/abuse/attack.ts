/** What the attacks have in common. */
import type { AttackedNode } from './attacked-node.ts'

/** An attack that has begun. */
export interface Onslaught {
  /** Resolves when the attacker has done all that it had in mind, and looks at what came of it. */
  finish(): Promise<void>
  /** Ends what is left of it. */
  stop(): void
}

export interface Attack {
  readonly name: string
  /** Resolves once it is in full swing. */
  begin(target: AttackedNode): Promise<Onslaught>
}

/** Resolves once `holds`; looks at every turn of the event loop, so that nothing is timed. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 5))
}
