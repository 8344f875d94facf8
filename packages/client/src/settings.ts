/** What a person has chosen for this account on this device. */
import type { Change } from './ports/store.ts'
import type { SealedStore, Table } from './store/sealed/sealed-store.ts'

/**
 * What is done with a message that cannot go out with forward secrecy:
 *
 * | | keys were seen before, and are gone | keys were never seen |
 * |---|---|---|
 * | `strict` | it is held, until the person says otherwise | it is held, until the person says otherwise |
 * | `ask` (default) | it is held, until the person says otherwise | it goes out, marked |
 * | `allow` | it goes out, marked | it goes out, marked |
 *
 * Copies to one's own devices never go out without.
 */
export type DowngradePolicy = 'strict' | 'ask' | 'allow'

export interface Settings {
  readonly downgradePolicy: DowngradePolicy
}

const DEFAULTS: Settings = { downgradePolicy: 'ask' }
const RECORD = 'self'

export class SettingsRecord {
  readonly #table: Table<Partial<Settings>>
  #settings: Settings

  private constructor(table: Table<Partial<Settings>>, settings: Settings) {
    this.#table = table
    this.#settings = settings
  }

  static async open(store: SealedStore): Promise<SettingsRecord> {
    const table = store.table<Partial<Settings>>('settings')
    return new SettingsRecord(table, { ...DEFAULTS, ...(await table.get(RECORD)) })
  }

  get settings(): Settings {
    return this.#settings
  }

  /** The change that keeps other settings, and what makes them count once it is committed. */
  change(settings: Partial<Settings>): { readonly change: Change; readonly committed: () => void } {
    const next = { ...this.#settings, ...settings }
    return {
      change: this.#table.put(RECORD, next),
      committed: () => {
        this.#settings = next
      },
    }
  }
}
