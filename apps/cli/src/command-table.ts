/**
 * Every command in one table. The parser, `--help` and the shell completions are made from it, so they cannot disagree.
 * Implementations load when they run: `--help` must not pay for cryptography and databases.
 */
import { type CommandSpec, seedUrl as nodeUrl, wholeNumber } from './command-spec.ts'
import { DEVICE_COMMANDS, DEVICE_GROUPS } from './device-command-table.ts'

export const GROUPS: Readonly<Record<string, string>> = {
  network: 'a whole network on this computer',
  node: 'one storage node',
  account: 'the account in your home folder',
  ...DEVICE_GROUPS,
}

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'network up',
    summary: 'start a local network in the foreground: storage nodes plus a seed',
    details: 'Serves until Ctrl-C. Without --data the messages live in a temporary folder that is removed at the end.',
    options: [
      { flags: '--nodes <N>', summary: 'storage nodes', parse: wholeNumber(1, 100), default: 9 },
      { flags: '--swarms <N>', summary: 'swarms they form', parse: wholeNumber(1, 100), default: 3 },
      { flags: '--port <N>', summary: 'port of the seed, 0 for any free one', parse: wholeNumber(0, 65535), default: 0 },
      { flags: '--data <DIR>', summary: 'keep the data here', completes: 'folder' },
    ],
    example: 'session-v2 network up --nodes 9 --swarms 3 --port 22021 --data ./network',
    load: async () => (await import('./commands/network.ts')).networkUp,
  },
  {
    name: 'node run',
    summary: 'run one storage node in the foreground',
    details: 'Serves until Ctrl-C.',
    options: [
      { flags: '--config <FILE>', summary: 'its configuration (TOML)', required: true, completes: 'file' },
      { flags: '--print-config', summary: 'print the configuration as it takes effect, and exit' },
    ],
    example: 'session-v2 node run --config node.toml',
    load: async () => (await import('./commands/node.ts')).nodeRun,
  },
  {
    name: 'node status',
    summary: 'ask a storage node how it is',
    details: 'Ready or not and why, version, key, swarm and clock. Ends with status 1 when the node is not ready.',
    options: [
      { flags: '--config <FILE>', summary: 'the node with this configuration', completes: 'file' },
      { flags: '--url <URL>', summary: 'the node at this address', parse: nodeUrl },
    ],
    example: 'session-v2 node status --config node.toml',
    load: async () => (await import('./commands/node.ts')).nodeStatus,
  },
  {
    name: 'account create',
    summary: 'make a new account and publish its keys',
    details: 'Prints the recovery password once: whoever has it has the account. Write it down.',
    options: [
      { flags: '--name <N>', summary: 'the name others see (1 to 100 bytes)', required: true },
      { flags: '--words <N>', summary: 'length of the recovery password', values: ['13', '25'], default: '13' },
    ],
    example: 'session-v2 account create --name Alice --seed http://127.0.0.1:22021',
    load: async () => (await import('./commands/account.ts')).createAccount,
  },
  {
    name: 'account restore',
    summary: 'bring an account back from its recovery password',
    details:
      'Asks for the words on a terminal, without showing them; else reads them from stdin. To open messages the device must then be let in by another one (link request), or start a group (group start).',
    options: [{ flags: '--name <N>', summary: 'the name others see (1 to 100 bytes)' }],
    example: 'session-v2 account restore --seed http://127.0.0.1:22021 < words.txt',
    load: async () => (await import('./commands/account.ts')).restoreAccount,
  },
  {
    name: 'account show',
    summary: 'print the account id, its name, and which group this device is in',
    details: 'Asks the network whether this device is still linked; without an answer that is not known.',
    example: 'session-v2 account show --json',
    load: async () => (await import('./commands/account.ts')).showAccount,
  },
  {
    name: 'account recovery-password',
    summary: 'print the recovery password',
    details: 'Whoever reads these words can be you. Nobody should look over your shoulder.',
    example: 'session-v2 account recovery-password',
    load: async () => (await import('./commands/account.ts')).showRecoveryPassword,
  },
  {
    name: 'send',
    summary: 'send a text to an account',
    details:
      'The text is kept on disk first, then delivered. Without a network it stays in the outbox and this says so; the next send, sync or read delivers it.',
    operands: [
      { name: 'ID', summary: 'account id of the recipient (66 hex digits)' },
      { name: 'TEXT', summary: 'the text, or - to read it from stdin; put -- before a text that begins with -' },
    ],
    example: "session-v2 send 05…cf11 'Hello Bob'",
    load: async () => (await import('./commands/send.ts')).send,
  },
  {
    name: 'sync',
    summary: 'fetch what is new and do all work that is due',
    example: 'session-v2 sync --timeout 20',
    load: async () => (await import('./commands/sync.ts')).sync,
  },
  {
    name: 'read',
    summary: 'print messages, oldest first',
    details: 'Fetches what is new first. Each message has a cursor: --after CURSOR prints only what came later.',
    options: [
      { flags: '--with <ID>', summary: 'only the conversation with this account' },
      { flags: '--after <CURSOR>', summary: 'only what came after this cursor', parse: wholeNumber(0, Number.MAX_SAFE_INTEGER) },
      { flags: '--follow', summary: 'keep printing new messages until Ctrl-C' },
    ],
    example: 'session-v2 read --with 05…cf11 --follow',
    load: async () => (await import('./commands/read.ts')).read,
  },
  {
    name: 'search',
    summary: 'search the messages of this home, newest first',
    details:
      'Finds messages that have all words of TEXT, or words that contain them; case and accents do not count. There is no index on the disk that could tell a thief what was written: the messages are opened and looked through.',
    operands: [{ name: 'TEXT', summary: 'words, in any order' }],
    options: [
      { flags: '--with <ID>', summary: 'only the conversation with this account' },
      { flags: '--last <N>', summary: 'at most N, the newest', parse: wholeNumber(1, 100_000), default: 50 },
    ],
    example: "session-v2 search 'train saturday'",
    load: async () => (await import('./commands/search.ts')).search,
  },
  ...DEVICE_COMMANDS,
  {
    name: 'export',
    summary: 'write a backup of the account: one encrypted file, with all messages',
    details:
      'The file has a passphrase of its own: asked for twice on a terminal, else the first line of --backup-passphrase-file. Who has the file and the passphrase has the account. It holds no keys that open messages, so what others recorded stays closed.',
    operands: [{ name: 'FILE', summary: 'the file to write; it has its name when it is whole' }],
    options: [
      { flags: '--backup-passphrase-file <F>', summary: 'file with the passphrase of the backup', completes: 'file' },
      { flags: '--force', summary: 'replace a file of that name' },
    ],
    example: 'session-v2 export ./alice.backup',
    load: async () => (await import('./commands/backup.ts')).exportBackup,
  },
  {
    name: 'import',
    summary: 'make a home from a backup, or add to yours what is missing in it',
    details:
      'In an empty home, with --seed: the account and its messages, on a device that is new and must be let in by another one (link request) or start a group (group start). In a home of the same account: the messages that are not there. The whole file is checked before anything of it shows.',
    operands: [{ name: 'FILE', summary: 'what session-v2 export has written' }],
    options: [{ flags: '--backup-passphrase-file <F>', summary: 'file with the passphrase of the backup', completes: 'file' }],
    example: 'session-v2 --home ./new --seed http://127.0.0.1:22021 import ./alice.backup',
    load: async () => (await import('./commands/backup.ts')).importBackup,
  },
  {
    name: 'path',
    summary: 'print the way of a request: guard, relays and storage node',
    details: 'Sends one request to find out.',
    example: 'session-v2 path',
    load: async () => (await import('./commands/path.ts')).path,
  },
  {
    name: 'keys',
    summary: 'list the keys held and until when, and what a thief could read; no secrets',
    details: 'Each account key opens the messages that were sent while it was in use, and is erased 16 days later.',
    example: 'session-v2 keys',
    load: async () => (await import('./commands/keys.ts')).keys,
  },
  {
    name: 'interop',
    summary: 'answer JSON lines, to test other implementations against this one',
    details: 'One request a line on stdin, one answer a line on stdout, in order. Needs no account.',
    example: `echo '{"id":1,"op":"account","in":{"seed":"…"}}' | session-v2 interop`,
    load: async () => (await import('./commands/interop.ts')).interop,
  },
  {
    name: 'completion',
    summary: 'print a completion script for your shell',
    operands: [{ name: 'SHELL', summary: 'bash, zsh or fish', values: ['bash', 'zsh', 'fish'] }],
    example: 'source <(session-v2 completion bash)',
    load: async () => (await import('./commands/completion.ts')).completionOf({ commands: COMMANDS, groups: GROUPS }),
  },
]
