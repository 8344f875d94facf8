/** What happened how often, over one history or many: so one sees that the faults really came. */

export class Tally {
  readonly #counts = new Map<string, number>()

  add(what: string, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count)
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0
  }

  /** By name. */
  entries(): [string, number][] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  merge(entries: readonly (readonly [string, number])[]): void {
    for (const [what, count] of entries) this.add(what, count)
  }
}
