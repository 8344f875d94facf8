/**
 * The home: one account's folder. It holds the encrypted store and, when no passphrase was chosen, the key file that opens it.
 *
 *   home/           mode 700
 *     session.db    the store, every record sealed
 *     key           32 bytes as hex, mode 600; absent when a passphrase unlocks the store
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { CliError } from './failure.ts'

const KEY_BYTES = 32
const PASSPHRASE_MAX_BYTES = 4096

/** What opens the store: words of a person, or the bytes of the key file. */
export type HomeKey = { readonly passphrase: string } | { readonly key: Uint8Array }

/**
 * Where an account lives when nothing else is said: `session-v2` in the user's data folder
 * ($XDG_DATA_HOME or ~/.local/share; ~/Library/Application Support on macOS; %LOCALAPPDATA% on Windows).
 */
export function defaultHome(
  env: NodeJS.ProcessEnv = process.env,
  platform: string = process.platform,
  user: string = homedir(),
): string {
  if (env.XDG_DATA_HOME) return join(env.XDG_DATA_HOME, 'session-v2')
  if (platform === 'darwin') return join(user, 'Library', 'Application Support', 'session-v2')
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(user, 'AppData', 'Local'), 'session-v2')
  return join(user, '.local', 'share', 'session-v2')
}

export class Home {
  readonly folder: string

  constructor(folder: string | undefined) {
    this.folder = resolve(folder ?? defaultHome())
  }

  get storePath(): string {
    return join(this.folder, 'session.db')
  }

  get #keyPath(): string {
    return join(this.folder, 'key')
  }

  /** True once a store was made here. */
  get used(): boolean {
    return existsSync(this.storePath)
  }

  /**
   * What opens the store that is here.
   *
   * @throws CliError `no-account`, `passphrase-needed`, `bad-passphrase-file`, `bad-key-file`
   */
  existingKey(passphraseFile: string | undefined): HomeKey {
    if (!this.used) throw new CliError('no-account', `There is no account in ${this.folder}.`)
    if (passphraseFile !== undefined) return readPassphrase(passphraseFile)
    if (!existsSync(this.#keyPath)) throw new CliError('passphrase-needed', `A passphrase locks ${this.folder}.`)
    return { key: this.#readKey() }
  }

  /**
   * Makes the folder and chooses what will open its store: the passphrase when a file is given, else a fresh key file.
   *
   * @param warn told once, when a key file is written: who can read the folder can read the account
   * @throws CliError as `existingKey`
   */
  newKey(passphraseFile: string | undefined, warn: (text: string) => void): HomeKey {
    if (this.used) return this.existingKey(passphraseFile)
    const passphrase = passphraseFile === undefined ? undefined : readPassphrase(passphraseFile)
    mkdirSync(this.folder, { recursive: true, mode: 0o700 })
    if (passphrase) return passphrase
    if (!existsSync(this.#keyPath)) {
      const key = randomBytes(KEY_BYTES).toString('hex')
      // Flushed: a store whose key was lost in a power cut could never be opened.
      writeFileSync(this.#keyPath, `${key}\n`, { mode: 0o600, flag: 'wx', flush: true })
      warn(`warning: without a passphrase the key that opens this account lies beside it, in
${this.#keyPath}. Who can read that file can read the account.
For a passphrase make the account with --passphrase-file F.`)
    }
    return { key: this.#readKey() }
  }

  #readKey(): Uint8Array {
    const key = Buffer.from(readFileSync(this.#keyPath, 'utf8').trim(), 'hex')
    if (key.length !== KEY_BYTES) throw new CliError('bad-key-file', `The key file ${this.#keyPath} is damaged.`)
    return key
  }

  /** A warning when others on this computer can read the key file, else undefined. */
  exposure(): string | undefined {
    if (process.platform === 'win32' || !existsSync(this.#keyPath)) return undefined
    if ((statSync(this.#keyPath).mode & 0o077) === 0) return undefined
    return `warning: others can read the key file. Mend it with: chmod 600 '${this.#keyPath}'`
  }
}

/** The first line of the file, without its line end. */
export function readPassphrase(path: string): { readonly passphrase: string } {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CliError('bad-passphrase-file', `The passphrase file ${path} cannot be read.`, { cause })
  }
  const passphrase = text.split(/\r?\n/, 1)[0] ?? ''
  if (passphrase === '' || Buffer.byteLength(passphrase) > PASSPHRASE_MAX_BYTES) {
    throw new CliError(
      'bad-passphrase-file',
      `The first line of ${path} must be a passphrase of 1 to ${PASSPHRASE_MAX_BYTES} bytes.`,
    )
  }
  return { passphrase }
}
