/** Reads one table of a TOML document, so that every complaint names its key (clause NODE-03). */
import { NodeError } from '../node-error.ts'

export class ConfigTable {
  readonly #values: ReadonlyMap<string, unknown>
  readonly #prefix: string
  readonly #asked = new Set<string>()

  /** `prefix` is what stands before the key in messages: empty, or the table's name and a dot. */
  constructor(table: object, prefix = '') {
    this.#values = new Map(Object.entries(table))
    this.#prefix = prefix
  }

  optionalString(key: string): string | undefined {
    const value = this.#take(key)
    if (value === undefined || (typeof value === 'string' && value !== '')) return value
    throw this.error(key, 'must be a non-empty string')
  }

  requireString(key: string): string {
    return this.optionalString(key) ?? this.#missing(key)
  }

  /** An integer within bounds, both included. */
  integer(key: string, bounds: { min: number; max: number; default?: number }): number {
    const value = this.#take(key) ?? bounds.default ?? this.#missing(key)
    if (typeof value === 'number' && Number.isInteger(value) && value >= bounds.min && value <= bounds.max) return value
    throw this.error(key, `must be an integer from ${bounds.min} to ${bounds.max}`)
  }

  boolean(key: string, fallback: boolean): boolean {
    const value = this.#take(key) ?? fallback
    if (typeof value === 'boolean') return value
    throw this.error(key, 'must be true or false')
  }

  oneOf<T extends string>(key: string, allowed: readonly T[], fallback: T): T {
    const value = this.#take(key) ?? fallback
    if (allowed.includes(value as T)) return value as T
    throw this.error(key, `must be one of ${allowed.map(name => `"${name}"`).join(', ')}`)
  }

  stringOrStrings(key: string): string | readonly string[] | undefined {
    const value = this.#take(key)
    if (value === undefined || typeof value === 'string') return value
    if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value
    throw this.error(key, 'must be a string or a list of strings')
  }

  strings(key: string): readonly string[] {
    const value = this.#take(key) ?? []
    if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value
    throw this.error(key, 'must be a list of strings')
  }

  /** Whether the key is there, whatever its value; it does not count as read. */
  has(key: string): boolean {
    return this.#values.has(key)
  }

  /** The text under a key that may also be a table; undefined when it is not a text. */
  textOf(key: string): string | undefined {
    const value = this.#values.get(key)
    return typeof value === 'string' ? this.requireString(key) : undefined
  }

  table(key: string): ConfigTable | undefined {
    const value = this.#take(key)
    if (value === undefined) return undefined
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.error(key, 'must be a table')
    return new ConfigTable(value, `${this.#prefix}${key}.`)
  }

  /** The tables of a list; none when the key is absent. */
  tables(key: string): readonly ConfigTable[] {
    const value = this.#take(key) ?? []
    const isTable = (item: unknown) => typeof item === 'object' && item !== null && !Array.isArray(item)
    if (!Array.isArray(value) || !value.every(isTable)) throw this.error(key, 'must be a list of tables')
    return value.map((item: object, at) => new ConfigTable(item, `${this.#prefix}${key}[${at}].`))
  }

  /** Refuses what nobody asked for: a misspelt key would otherwise be a default in disguise. */
  finish(): void {
    for (const key of this.#values.keys()) if (!this.#asked.has(key)) throw this.error(key, 'is not a setting of the node')
  }

  error(key: string, complaint: string): NodeError {
    return new NodeError('bad-config', `configuration: ${this.#prefix}${key} ${complaint}`)
  }

  #take(key: string): unknown {
    this.#asked.add(key)
    return this.#values.get(key)
  }

  #missing(key: string): never {
    throw this.error(key, 'is missing')
  }
}
