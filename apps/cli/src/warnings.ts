/**
 * Node announces on stderr that its SQLite is experimental, at every start. Nobody who uses this command can do anything about it.
 */

/** Prints warnings of the runtime as before, except those that a feature is experimental. */
export function silenceExperimentWarnings(): void {
  process.removeAllListeners('warning')
  process.on('warning', warning => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`)
  })
}
