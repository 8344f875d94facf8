/**
 * What went wrong, told twice: a code of a closed set for programs, a sentence and the next step for people.
 */

export type CliErrorCode =
  | 'usage'
  | 'bad-passphrase-file'
  | 'bad-key-file'
  | 'passphrase-needed'
  | 'bad-passphrase'
  | 'backup-passphrase-needed'
  | 'wrong-backup-passphrase'
  | 'file-exists'
  | 'no-account'
  | 'timeout'
  | 'interrupted'
  | 'stdin-failed'
  | 'node-unreachable'
  | 'node-not-ready'
  | 'ambiguous-id'
  | 'not-answered'
  | 'not-confirmed'

/** A failure of the command line itself; the packages below throw their own typed errors, which pass through unchanged. */
export class CliError extends Error {
  readonly code: CliErrorCode

  constructor(code: CliErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'CliError'
    this.code = code
  }
}

/** What a program is told about a failure. */
export interface Failure {
  readonly code: string
  readonly message: string
}

/**
 * The code and message of anything thrown. Errors of the packages carry a lower-case `code`; anything else is `internal`,
 * a fault of this program.
 */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'internal', message: String(error) }
  const code = (error as { code?: unknown }).code
  if (typeof code !== 'string') return { code: 'internal', message: error.message }
  // System errors (EACCES, ENOSPC) keep their own word, in the form all other codes have.
  return { code: code.toLowerCase().replaceAll('_', '-'), message: error.message }
}

/** The next step for a person, where the message alone does not give it. */
const NEXT_STEPS: Readonly<Record<string, string>> = {
  'no-account': 'Make one with: session-v2 account create --name NAME --seed URL',
  'account-exists': 'Give another folder with --home DIR, or look at the account: session-v2 account show',
  'home-locked': 'Another session-v2 uses this folder. Wait until it has ended, or stop it.',
  'wrong-passphrase': 'Give the right file with --passphrase-file F.',
  'passphrase-needed': 'Give it with --passphrase-file F.',
  'bad-passphrase': 'Type it again, or give a file with it: --backup-passphrase-file F',
  'backup-passphrase-needed': 'Give it with --backup-passphrase-file F.',
  'wrong-backup-passphrase': 'Is it the passphrase that this backup was exported with? Give it with --backup-passphrase-file F.',
  'other-account': 'Import it into a folder of its own with --home DIR --seed URL.',
  'backup-too-new': 'session-v2 --version says which version this is.',
  'file-exists': 'Give another name, or replace it with --force.',
  'bad-unlock': 'An account made with --passphrase-file needs it always, one made without never.',
  'network-unavailable': 'Is the network up, and the seed URL right? Nothing is lost; try again: session-v2 sync',
  'no-path': 'With --direct nodes are asked directly; they then see the address of this computer.',
  'clock-off': "Set this computer's clock and try again.",
  'bad-account-id': 'An account id is 66 hex digits that begin with 05; session-v2 account show prints yours.',
  'node-unreachable': 'Is it running, and is the address right?',
  'store-corrupt': 'It was put aside. Start the node again: its swarm fills an empty one.',
  'membership-unknown': 'The device groups of this account have not been fetched yet. Try again: session-v2 sync',
  'already-in-group': 'session-v2 link status shows how this device stands.',
  'not-in-group': 'Ask the other devices to let this one in: session-v2 link request',
  'device-removed': 'Begin anew as another device, then ask to be let in: session-v2 device renew, session-v2 link request',
  'device-displaced': 'Begin anew as another device, then ask to be let in: session-v2 device renew, session-v2 link request',
  'unknown-group': 'session-v2 link groups shows the groups that are to be seen.',
  'unknown-device': 'session-v2 devices list shows the devices.',
  'unknown-request': 'What others ask: session-v2 link requests. What this device asks: session-v2 link status.',
  'not-answered': 'Ask again, and accept on the other device within ten minutes: session-v2 link request --wait',
  'store-failed': 'Is the disk full, or the folder not writable? Then try again.',
}

/** @returns the next step for this failure, or undefined when the message says it all. */
export function nextStep(failure: Failure): string | undefined {
  return NEXT_STEPS[failure.code]
}
