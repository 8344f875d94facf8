/** Runs the built command as its users do: as processes, with real files and sockets. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('..', import.meta.url))
export const MAIN = join(CLI, 'dist', 'main.js')
export const DEMO = join(CLI, 'dist', 'demo', 'start.js')

export interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export type JsonRecord = Record<string, unknown>

/** The objects of `--json` output; a line that is no object throws. */
export function records(ended: Ended): JsonRecord[] {
  return ended.stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as JsonRecord)
}

/** The code of the error that a command with `--json` printed last. */
export function errorCode(ended: Ended): unknown {
  return (records(ended).at(-1)?.error as JsonRecord | undefined)?.code
}

/** Fails with the remedy when the build is missing or older than the sources. */
export function requireBuilt(): void {
  const sources = readdirSync(join(CLI, 'src'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const newest = Math.max(...sources.map(name => statSync(join(CLI, 'src', name)).mtimeMs))
  const buildInfo = join(CLI, 'dist', '.tsbuildinfo')
  if (!existsSync(MAIN) || !existsSync(buildInfo) || statSync(buildInfo).mtimeMs < newest) {
    throw new Error('apps/cli/dist is missing or older than apps/cli/src. Run: npm run build')
  }
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array
  readonly env?: NodeJS.ProcessEnv
  /** Words before `node`, e.g. a shell that sets limits. */
  readonly shell?: string
  readonly onStart?: (child: ChildProcess) => void
}

/** Starts a script with the words; with `shell`, bash runs that line with the command as "$@". */
export function start(words: readonly string[], options: RunOptions = {}, script = MAIN): ChildProcess {
  const command = [process.execPath, script, ...words]
  const [file, ...rest] = options.shell === undefined ? command : ['bash', '-c', options.shell, 'bash', ...command]
  return spawn(file!, rest, { env: { ...process.env, NO_COLOR: '', ...options.env }, stdio: ['pipe', 'pipe', 'pipe'] })
}

/** Runs the command to its end. */
export function run(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return ended(start(words, options), options)
}

/** Collects what a started child says until it ends. */
export function ended(child: ChildProcess, options: RunOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]!.setEncoding('utf8').on('data', (part: string) => {
        output[name] += part
      })
    }
    child.on('error', reject)
    child.on('close', (status, signal) => resolve({ status, signal, ...output }))
    child.stdin!.on('error', () => {})
    child.stdin!.end(options.stdin ?? '')
    options.onStart?.(child)
  })
}

/** The objects that a running child prints, as they come; its pipe never fills, read or not. */
export class RunningLines {
  readonly #lines: JsonRecord[] = []
  #wake: () => void = () => {}
  #held = ''
  #ended = false

  constructor(child: ChildProcess) {
    child.stdout!.setEncoding('utf8').on('data', (part: string) => {
      const lines = (this.#held + part).split('\n')
      this.#held = lines.pop()!
      this.#lines.push(...lines.map(line => JSON.parse(line) as JsonRecord))
      this.#wake()
    })
    child.stdout!.on('close', () => {
      this.#ended = true
      this.#wake()
    })
  }

  /** The next object, or undefined at the end of the output. */
  async next(): Promise<JsonRecord | undefined> {
    while (this.#lines.length === 0 && !this.#ended) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return this.#lines.shift()
  }
}

/** Ends a child with the signal and waits for it. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const closed = new Promise<number | null>(resolve => child.once('close', resolve))
  child.kill(signal)
  return closed
}

/** A folder that is gone after `remove`. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'session-v2-test-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
