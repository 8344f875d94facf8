/**
 * Everything the command prints. With `--json` stdout carries one JSON object a line and nothing else; without it stdout carries
 * text for people. Notes and warnings always go to stderr.
 */
import { failureOf, nextStep } from './failure.ts'

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

/** Styles for a terminal; plain text when the stream is piped or NO_COLOR is set. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  green(text: string): string
  red(text: string): string
  cyan(text: string): string
  yellow(text: string): string
}

/** @returns styles for this stream: escape sequences on a terminal, none otherwise (https://no-color.org). */
export function paintFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  const styled = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  const style = (on: number, off: number) => (text: string) => (styled ? `\u001b[${on}m${text}\u001b[${off}m` : text)
  const colours = { green: style(32, 39), red: style(31, 39), cyan: style(36, 39), yellow: style(33, 39) }
  return { bold: style(1, 22), dim: style(2, 22), ...colours }
}

/** The two voices of the command: objects for programs, sentences for people. */
export class Output {
  readonly json: boolean
  readonly paint: Paint

  constructor(json: boolean) {
    this.json = json
    this.paint = paintFor(process.stdout)
  }

  /** One result: the object with `--json`, else the text. */
  result(object: JsonObject, text: string): void {
    process.stdout.write(`${this.json ? JSON.stringify(object) : text}\n`)
  }

  /** Text around results, for people only. */
  text(text: string): void {
    if (!this.json) process.stdout.write(`${text}\n`)
  }

  /** A remark that is no result: always on stderr. */
  note(text: string): void {
    process.stderr.write(`${text}\n`)
  }

  /** A failure: an object on stdout with `--json`, else a sentence and the next step on stderr. */
  failure(error: unknown): void {
    const failure = failureOf(error)
    if (this.json) {
      process.stdout.write(`${JSON.stringify({ error: { code: failure.code, message: failure.message } })}\n`)
      return
    }
    const step = nextStep(failure)
    this.note(`${paintFor(process.stderr).red('error:')} ${failure.message}${step === undefined ? '' : `\n${step}`}`)
  }
}

/** Text of another person, made safe to print: control characters, which could drive a terminal, are replaced. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** The same for a name: it stays on its line. */
export function printableName(name: string): string {
  return printable(name).replace(/\s+/g, ' ')
}

/** Local date and time to the second, e.g. 2026-11-22 14:05:09. */
export function localTime(timeMs: number): string {
  const time = new Date(timeMs)
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}

/** An account id short enough for a line, e.g. 05ab12cd…9f01. */
export function shortId(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-4)}`
}

/** Words of the text in lines of at most `columns` characters. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** How many columns of a terminal a text takes: pictures and East Asian characters take two. */
export function columnsOf(text: string): number {
  const characters = new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)
  return [...characters].reduce((sum, { segment }) => sum + (WIDE.test(segment) ? 2 : 1), 0)
}

const WIDE = /\p{Emoji_Presentation}|\ufe0f|\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}/u

/** The text with spaces up to so many columns. */
export function padded(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)))
}

/** The text as the beginning of a sentence. */
export function capitalised(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`
}
