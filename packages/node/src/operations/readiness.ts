/** Whether the node takes requests, and if not, why (clauses NODE-66, NODE-112). Parts of the node add their reasons. */

/** A reason not to be ready at this moment, for a person; undefined when there is none. */
export type ReadinessCheck = () => string | undefined

const NONE: readonly string[] = []

export class Readiness {
  readonly #checks: ReadinessCheck[] = []
  readonly #checksOfClients: ReadinessCheck[] = []
  #closing = false

  /** Asked at every request: a check must be cheap. */
  add(check: ReadinessCheck): void {
    this.#checks.push(check)
  }

  /** The same for a reason that concerns clients alone: other members of the swarm are answered. */
  addForClients(check: ReadinessCheck): void {
    this.#checksOfClients.push(check)
  }

  /** From now on the node is shutting down, and never ready again. */
  close(): void {
    this.#closing = true
  }

  get closing(): boolean {
    return this.#closing
  }

  /** Empty when the node is ready for clients, or for other members of the swarm. */
  reasons(audience: 'clients' | 'members' = 'clients'): readonly string[] {
    let reasons = NONE
    for (const check of audience === 'clients' ? [...this.#checks, ...this.#checksOfClients] : this.#checks) {
      const reason = check()
      if (reason !== undefined) reasons = [...reasons, reason]
    }
    return this.#closing ? [...reasons, 'shutting down'] : reasons
  }
}
