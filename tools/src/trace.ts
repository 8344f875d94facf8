/**
 * The specification as a check: every clause of docs/spec is cited by the code that implements it and by a test or a vector, every
 * citation is of a clause that exists, and clauses are numbered without holes. Prints `path:line: text` for each finding and exits
 * with 1, or one line when all is well. With `--table` it prints instead who implements and who tests each clause.
 */
import { committedTexts } from './committed-files.ts'
import { traceOf } from './trace/coverage.ts'
import { tableOf } from './trace/table.ts'

const { chapters, coverage, findings } = traceOf(committedTexts(process.cwd()))
if (process.argv.includes('--table')) {
  console.log(tableOf(coverage))
} else {
  for (const { path, line, text } of findings) console.log(`${path}:${line}: ${text}`)
  console.log(`trace: ${coverage.length} clauses in ${chapters} chapters, ${findings.length} findings`)
  if (coverage.length === 0 || findings.length > 0) process.exitCode = 1
}
