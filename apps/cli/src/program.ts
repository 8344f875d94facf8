/**
 * The parser, made from the command table: options, help with an example for each command, and usage errors.
 */
import { Command, type CommanderError, InvalidArgumentError, Option } from 'commander'
import { type CommandSpec, GLOBAL_OPTIONS, type OptionSpec, type OptionValues } from './command-spec.ts'
import { COMMANDS, GROUPS } from './command-table.ts'
import type { GlobalOptions } from './context.ts'

/** What the words of the command line ask for. */
export interface Request {
  readonly spec: CommandSpec
  readonly globals: GlobalOptions
  readonly operands: readonly (string | undefined)[]
  readonly options: OptionValues
}

const ABOUT = 'Session Protocol V2 on the command line: private messages with forward secrecy, and the network that carries them.'

const EPILOGUE = `
Start here:
  $ session-v2 network up --port 22021
  $ session-v2 account create --name Alice --seed http://127.0.0.1:22021
  $ session-v2 send ID 'Hello'

Exit status: 0 done, 1 the operation failed, 2 the command line is wrong; a command cut short by Ctrl-C ends with 130
(by SIGTERM with 143), one that runs until Ctrl-C with 0.`

/** The terminal's width, between 60 and 100 columns: longer lines tire the eye. */
function helpWidth(): number {
  return Math.min(100, Math.max(60, process.stdout.columns ?? 100))
}

function commanderOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.summary)
  if (spec.values) option.choices(spec.values)
  if (spec.default !== undefined) option.default(spec.default)
  if (spec.required) option.makeOptionMandatory()
  const parse = spec.parse
  if (parse) {
    option.argParser((text: string, previous: unknown) => {
      try {
        const value = parse(text)
        return spec.repeatable ? [...((previous as unknown[] | undefined) ?? []), value] : value
      } catch (cause) {
        throw new InvalidArgumentError(`It ${(cause as Error).message}.`)
      }
    })
  }
  return option
}

function sentence(summary: string): string {
  return `${summary[0]!.toUpperCase()}${summary.slice(1)}.`
}

function describeCommand(command: Command, spec: CommandSpec, onRequest: (request: Request) => void): void {
  command.summary(spec.summary).description([sentence(spec.summary), spec.details].join('\n').trimEnd())
  for (const operand of spec.operands ?? []) {
    const argument = command.createArgument(operand.optional ? `[${operand.name}]` : `<${operand.name}>`, operand.summary)
    if (operand.values) argument.choices(operand.values)
    command.addArgument(argument)
  }
  for (const option of spec.options ?? []) command.addOption(commanderOption(option))
  command.addHelpText('after', `\nExample:\n  $ ${spec.example}`)
  command.action(() =>
    onRequest({
      spec,
      operands: command.processedArgs as (string | undefined)[],
      options: command.opts(),
      globals: globalsOf(command),
    }),
  )
}

function globalsOf(command: Command): GlobalOptions {
  const { home, seed, passphraseFile, timeout, direct, json } = command.optsWithGlobals()
  return {
    json: json === true,
    ...(home !== undefined && { home }),
    ...(seed !== undefined && { seed }),
    ...(passphraseFile !== undefined && { passphraseFile }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(direct === true && { direct }),
  }
}

/** The commands below this one, those of groups too: whoever looks for `account create` finds it at first sight. */
function visibleCommands(command: Command): Command[] {
  return command.commands.flatMap(each => (each.commands.length > 0 ? visibleCommands(each) : [each]))
}

/** A command as it is typed, without the program's name. */
function subcommandTerm(command: Command): string {
  const group = command.parent?.parent ? `${command.parent.name()} ` : ''
  const operands = command.registeredArguments.map(operand => (operand.required ? operand.name() : `[${operand.name()}]`))
  return [`${group}${command.name()}`, ...operands].join(' ')
}

function createProgram(version: string, onRequest: (request: Request) => void): Command {
  const program = new Command('session-v2')
  program
    .description(ABOUT)
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'explain this command')
    .helpCommand('help [command]', 'explain a command')
    .configureHelp({ showGlobalOptions: true, helpWidth: helpWidth(), visibleCommands, subcommandTerm })
    .showHelpAfterError('(session-v2 --help explains; so does --help after any command)')
    .addHelpText('after', EPILOGUE)
    .exitOverride()
  for (const option of GLOBAL_OPTIONS) program.addOption(commanderOption(option))
  const groups = new Map<string, Command>()
  for (const spec of COMMANDS) {
    const [first, second] = spec.name.split(' ') as [string, string?]
    if (second === undefined) {
      describeCommand(program.command(first), spec, onRequest)
      continue
    }
    let group = groups.get(first)
    if (!group) {
      group = program.command(first).description(sentence(GROUPS[first]!)).helpCommand(false)
      groups.set(first, group)
    }
    describeCommand(group.command(second), spec, onRequest)
  }
  return program
}

/** The words end here: help or version was asked for and printed (status 0), or they are wrong (status 2). */
export class ParseEnd extends Error {
  readonly status: 0 | 2

  constructor(status: 0 | 2, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ParseEnd'
    this.status = status
  }
}

/**
 * Reads the words of the command line (without node and script).
 *
 * @throws ParseEnd when they ask for help or make no sense. Help goes to stdout; what is wrong goes to stderr, or is left to
 *   the caller when `json` is asked for.
 */
export function parseRequest(words: readonly string[], version: string, json: boolean): Request {
  let request: Request | undefined
  const program = createProgram(version, asked => {
    request = asked
  })
  const silent = { writeErr: () => {} }
  for (const command of [program, ...program.commands, ...program.commands.flatMap(each => each.commands)]) {
    if (json) command.configureOutput(silent)
  }
  try {
    program.parse(words, { from: 'user' })
  } catch (cause) {
    const end = cause as CommanderError
    if (end.exitCode === 0) throw new ParseEnd(0, '')
    const message = end.code === 'commander.help' ? 'a command is missing' : end.message.replace(/^error: /, '')
    throw new ParseEnd(2, message, { cause })
  }
  if (!request) throw new ParseEnd(2, 'a command is missing')
  return request
}
