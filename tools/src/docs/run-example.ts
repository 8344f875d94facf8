/** Runs the examples of the documents as a reader would: type-checked against the built packages, in an empty folder. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { claimedOutput, type Example } from './examples.ts'

const EXAMPLE_LIMIT_MS = 60_000
const COMPILE_LIMIT_MS = 120_000

/** Where the examples are compiled: inside the repository, so that the names of its packages resolve. */
const CACHE = 'node_modules/.cache/docs'

const COMPILER_OPTIONS = {
  target: 'ES2023',
  lib: ['ES2023'],
  types: ['node'],
  module: 'NodeNext',
  strict: true,
  skipLibCheck: true,
  outDir: 'out',
  rootDir: '.',
}

const run = promisify(execFile)

/** Type-checks all ts examples at once. Returns the compiler's complaints, empty when there are none. */
export async function compileExamples(root: string, examples: readonly Example[]): Promise<string> {
  const folder = join(root, CACHE)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n')
  const sources = examples.flatMap((example, index) =>
    example.language === 'ts' ? [{ name: `${nameOf(index)}.ts`, ...example }] : [],
  )
  if (sources.length === 0) return ''
  for (const { name, code } of sources) writeFileSync(join(folder, name), `${code}\nexport {}\n`)
  const files = sources.map(({ name }) => name)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files }))
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  return failureOf(run(process.execPath, [compiler, '-p', folder], { timeout: COMPILE_LIMIT_MS }))
}

/** Runs one example in an empty folder. Returns what went wrong, empty when nothing did. */
export async function runExample(root: string, example: Example, index: number, environment: NodeJS.ProcessEnv): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'session-v2-example-'))
  try {
    const env = { ...process.env, ...environment, SESSION_V2_EXAMPLE_DIR: folder }
    if (example.language === 'sh') {
      return await failureOf(run('bash', ['-euo', 'pipefail', '-c', example.code], { cwd: root, env, timeout: EXAMPLE_LIMIT_MS }))
    }
    const script = join(root, CACHE, 'out', `${nameOf(index)}.js`)
    const running = run(process.execPath, [script], { cwd: folder, env, timeout: EXAMPLE_LIMIT_MS })
    return (await failureOf(running)) || falseClaim(claimedOutput(example.code), (await running).stdout)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** How the claims of an example differ from what it printed; empty when it claims nothing or tells the truth. */
export function falseClaim(claimed: readonly string[], printed: string): string {
  const expected = claimed.join('\n')
  const actual = printed.trimEnd()
  return claimed.length === 0 || expected === actual ? '' : `says it prints\n${expected}\nbut prints\n${actual}`
}

function nameOf(index: number): string {
  return `example-${index + 1}`
}

async function failureOf(running: Promise<{ stdout: string; stderr: string }>): Promise<string> {
  try {
    await running
    return ''
  } catch (error) {
    const { stdout = '', stderr = '', killed, message } = error as Error & { stdout?: string; stderr?: string; killed?: boolean }
    return killed === true ? 'ran into its time limit' : stdout + stderr || message
  }
}
