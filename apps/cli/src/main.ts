/**
 * The command `session-v2`: reads the words, loads the one command they name, and turns its end into an exit status.
 * Nothing heavy is imported here, so that --help answers at once.
 */
import { constants } from 'node:os'
import type { Program } from './context.ts'
import { CliError } from './failure.ts'
import { Output } from './output.ts'
import { ParseEnd, parseRequest, type Request } from './program.ts'
import { thisProgram } from './this-program.ts'
import { silenceExperimentWarnings } from './warnings.ts'

/** Ctrl-C asks the command to end cleanly; a second one ends it at once. */
function catchSignals(): { signal: AbortSignal; status: () => number } {
  const stop = new AbortController()
  let status = 0
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(status)
      status = 128 + constants.signals[name]
      stop.abort()
    })
  }
  return { signal: stop.signal, status: () => status }
}

/** A reader that closed its end of the pipe (`| head`) wants no more: that is no failure. */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}

async function run(request: Request, program: Program): Promise<number> {
  const output = new Output(request.globals.json)
  const signals = catchSignals()
  try {
    const command = await request.spec.load()
    await command({ options: request.globals, output, signal: signals.signal, program }, request.operands, request.options)
    return 0
  } catch (error) {
    if (error instanceof CliError && error.code === 'interrupted') process.exit(signals.status() || 130)
    output.failure(error)
    return error instanceof CliError && error.code === 'usage' ? 2 : 1
  }
}

async function main(words: readonly string[]): Promise<number> {
  silenceExperimentWarnings()
  endWithReader()
  const program = thisProgram()
  const json = words.slice(0, words.includes('--') ? words.indexOf('--') : words.length).includes('--json')
  try {
    return await run(parseRequest(words, program.version, json), program)
  } catch (error) {
    if (!(error instanceof ParseEnd)) throw error
    if (error.status !== 0 && json) new Output(true).failure(new CliError('usage', error.message))
    return error.status
  }
}

process.exitCode = await main(process.argv.slice(2))
