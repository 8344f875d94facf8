/** The home of every secret byte string: it does not print, does not serialise, compares in constant time and can be erased. */
import { constantTimeCompare, constantTimeEqual } from './constant-time-equal.ts'
import { CryptoError } from './crypto-error.ts'
import { wipe } from './wipe.ts'

/**
 * A secret with a role, for example `Secret<'x25519-secret'>`. The bytes live in a private field, out of the reach of
 * console.log, JSON, String, Object.keys and structuredClone.
 */
export class Secret<Role extends string = string> {
  #bytes: Uint8Array
  #wiped = false
  readonly #role: Role

  private constructor(bytes: Uint8Array, role: Role) {
    this.#bytes = bytes
    this.#role = role
  }

  /** Takes ownership of `bytes`: the caller neither changes nor wipes them any more. */
  static of<Role extends string>(bytes: Uint8Array, role: Role): Secret<Role> {
    return new Secret(bytes, role)
  }

  /** What the secret is for; public. */
  get role(): Role {
    return this.#role
  }

  /** Its length, also after wiping. */
  get sizeBytes(): number {
    return this.#bytes.length
  }

  get wiped(): boolean {
    return this.#wiped
  }

  /** The live bytes, not a copy: use them at once and keep no reference. Throws `bad-key` after `wipe`. */
  expose(): Uint8Array {
    if (this.#wiped) throw new CryptoError('bad-key', `the secret ${this.#role} was wiped and cannot be used any more`)
    return this.#bytes
  }

  /** Zeroes the bytes. Harmless when repeated. */
  wipe(): void {
    wipe(this.#bytes)
    this.#wiped = true
  }

  /** Constant-time comparison with another secret of any role. Throws `bad-key` when either was wiped. */
  equals(other: Secret): boolean {
    return constantTimeEqual(this.expose(), other.expose())
  }

  /** Constant-time order among secrets, by unsigned bytes, the first the most significant. Throws `bad-key` when either was wiped. */
  compare(other: Secret): -1 | 0 | 1 {
    return constantTimeCompare(this.expose(), other.expose())
  }

  toString(): string {
    return `[secret ${this.#role}]`
  }

  toJSON(): string {
    return this.toString()
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}
