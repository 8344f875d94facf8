/**
 * How the demonstration speaks: numbered steps, aligned facts, a hex dump. Lines stay within 96 columns, except commands to copy.
 */
import { type Paint, paintFor, wrap } from '../output.ts'

const COLUMNS = 96
const LABEL_COLUMNS = 19
const NAMES_COLUMNS = 15
const REMARK_COLUMNS = 30
const DUMP_ROW_BYTES = 16

export class Narration {
  readonly #paint: Paint
  readonly #write: (line: string) => void
  #steps = 0

  constructor(stream: NodeJS.WriteStream) {
    this.#paint = paintFor(stream)
    this.#write = line => void stream.write(`${line.trimEnd()}\n`)
  }

  title(text: string, below: string): void {
    this.#write(`\n  ${this.#paint.bold(text)}\n  ${below}`)
  }

  /** Begins the next numbered step. */
  step(text: string): void {
    this.#steps += 1
    const rule = '─'.repeat(COLUMNS - 7 - text.length)
    this.#write(`\n  ${this.#paint.cyan(String(this.#steps))}  ${this.#paint.bold(text)} ${this.#paint.dim(rule)}\n`)
  }

  /** A labelled value. */
  fact(label: string, value: string): void {
    this.#write(`     ${this.#paint.dim(label.padEnd(LABEL_COLUMNS))}${value}`)
  }

  /** Plain sentences, wrapped to the width. */
  text(text: string): void {
    for (const line of wrap(text, COLUMNS - 5)) this.#write(`     ${line}`)
  }

  gap(): void {
    this.#write('')
  }

  /** One message as it goes: who to whom, what, and how it was kept. */
  message(from: string, to: string, body: string, remark: string): void {
    const left = `${`${from} → ${to}`.padEnd(NAMES_COLUMNS)}${body}`
    this.#write(`     ${left.padEnd(COLUMNS - 7 - REMARK_COLUMNS)}  ${this.#paint.dim(remark)}`)
  }

  /** The first bytes of a payload, 16 a row, each row with a remark or none. */
  dump(bytes: Uint8Array, rows: readonly string[]): void {
    for (const [row, remark] of rows.entries()) {
      const part = bytes.subarray(row * DUMP_ROW_BYTES, (row + 1) * DUMP_ROW_BYTES)
      const hex = Array.from(part, byte => byte.toString(16).padStart(2, '0')).join(' ')
      const offset = (row * DUMP_ROW_BYTES).toString(16).padStart(4, '0')
      this.#write(`     ${this.#paint.dim(offset)}  ${hex}   ${this.#paint.dim(remark)}`)
    }
  }

  /** A command to copy, in one line or several that the shell joins, with what it does above it. */
  command(purpose: string, ...lines: readonly string[]): void {
    const joined = lines.map(line => this.#paint.green(line)).join(' \\\n         ')
    this.#write(`     ${this.#paint.dim(purpose)}\n       ${joined}`)
  }
}

/** A recovery password that may be shown: its first word, dots for the others. */
export function maskedWords(words: string): string {
  const [first, ...others] = words.split(' ')
  return [first, ...others.map(() => '•••')].join(' ')
}

/** A span of time in its largest fitting unit, e.g. `3 s`, `14 days`. */
export function span(ms: number): string {
  const units = [
    ['days', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const
  const [name, size] = units.find(([, unit]) => ms >= 2 * unit) ?? (ms >= 1000 ? ['s', 1000] : ['ms', 1])
  return `${Math.round(ms / size)} ${name}`
}
