/**
 * What an attack is: what is promised, what the adversary has, and attempts, each with how it must end. It is run against the real client
 * and the real library; how an attempt did end is found, never assumed.
 */
import type { Scene } from './scene.ts'

/**
 * - `fails`: the adversary gets nothing.
 * - `succeeds`: it gets what it tried for; the promise says so, or no promise is made.
 * - `is told`: it gets something, or does harm, and the devices of those concerned tell them.
 */
export type End = 'fails' | 'succeeds' | 'is told'

/**
 * - `ours`: with everything that this project does.
 * - `plain`: with what the wire asks for and no more. A device keeps its first key for ever, a sender takes the keys that it is shown and
 *   writes without forward secrecy where it is shown none, and whatever opens is a new message.
 */
export type Rules = 'ours' | 'plain'

export interface Attempt {
  /** What the adversary does, as a sentence without its subject. */
  readonly tries: string
  readonly rules: Rules
  readonly ends: End
  /** Why it must end so, with the bound that holds where there is one. */
  readonly because: string
}

/** How an attempt ended. */
export interface Finding {
  readonly ends: End
  /** What was counted or measured in this run; differs from run to run. */
  readonly figure?: string
}

export interface Attack<Name extends string = string> {
  /** `A01` and so on. */
  readonly id: string
  readonly title: string
  /** What is promised, or said not to be. */
  readonly claim: string
  /** What it knows and can do. */
  readonly adversary: readonly string[]
  readonly attempts: Readonly<Record<Name, Attempt>>
  /** Runs all attempts in a world of their own. */
  readonly run: (scene: Scene) => Promise<Readonly<Record<Name, Finding>>>
}

/** An attack, with attempts and findings held to the same names. */
export function attack<Name extends string>(described: Attack<Name>): Attack<Name> {
  return described
}

/** `succeeds` when there is any gain, else `fails`, with what was counted. */
export function gained(count: number, of: number, what: string): Finding {
  return { ends: count > 0 ? 'succeeds' : 'fails', figure: `${count} of ${of} ${what}` }
}
