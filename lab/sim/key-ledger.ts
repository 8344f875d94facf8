/** The truth about keys: every account key and device key that was ever seen at rest, and whose it was. */
import type { Device } from './device.ts'
import type { Person } from './person.ts'

export interface KnownKey {
  readonly person: Person
  readonly kind: 'account' | 'device'
  /** Hexadecimal. */
  readonly seed: string
  readonly createdAtS: number
}

export class KeyLedger {
  readonly #keys = new Map<string, KnownKey>()

  get all(): readonly KnownKey[] {
    return [...this.#keys.values()]
  }

  /** The account keys there ever were of a person. */
  accountKeysOf(person: Person): readonly KnownKey[] {
    return this.all.filter(key => key.person === person && key.kind === 'account')
  }

  /** Takes note of what lies on the disk of a device now. */
  async look(person: Person, device: Device): Promise<void> {
    const group = await device.group()
    if (group === undefined) return
    for (const key of [...group.accountKeys, ...group.retiredKeys]) this.#note({ person, kind: 'account', ...key })
    for (const key of group.deviceKeys) this.#note({ person, kind: 'device', ...key })
  }

  #note({ person, kind, seed, createdAtS }: KnownKey): void {
    this.#keys.set(seed, { person, kind, seed, createdAtS })
  }
}
