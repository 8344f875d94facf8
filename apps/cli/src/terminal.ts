/**
 * Reading from the person or program on stdin: whole input, hidden words, lines of bounded length, an answer to a question.
 */
import { StringDecoder } from 'node:string_decoder'
import { CliError } from './failure.ts'

const INPUT_MAX_BYTES = 1024 * 1024

/** All of stdin as text, at most 1 MiB. */
export async function readAllInput(signal: AbortSignal): Promise<string> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  for await (const part of untilAborted(signal)) {
    parts.push(part)
    sizeBytes += part.length
    if (sizeBytes > INPUT_MAX_BYTES) throw new CliError('stdin-failed', 'There is more than 1 MiB on stdin.')
  }
  return Buffer.concat(parts).toString('utf8')
}

/** One line from the terminal, typed unseen. Backspace and Ctrl-U work; Ctrl-C gives up. */
export async function readHiddenLine(question: string, signal: AbortSignal): Promise<string> {
  return (await readHiddenLines([question], signal))[0]!
}

/** The same for several questions: stdin can be read once only. The answers, empty where the input ended before. */
export async function readHiddenLines(questions: readonly string[], signal: AbortSignal): Promise<string[]> {
  process.stderr.write(questions[0]!)
  process.stdin.setRawMode(true)
  const decoder = new StringDecoder('utf8')
  const lines: string[] = []
  let line = ''
  try {
    for await (const part of untilAborted(signal)) {
      for (const character of decoder.write(part)) {
        if (character === '\r' || character === '\n' || character === '\u0004') {
          lines.push(line)
          line = ''
          if (lines.length === questions.length) return lines
          process.stderr.write(`\n${questions[lines.length]}`)
          continue
        }
        if (character === '\u0003') throw new CliError('interrupted', 'Nothing was changed.')
        if (character === '\u007f' || character === '\b') line = [...line].slice(0, -1).join('')
        else if (character === '\u0015') line = ''
        else if (character >= ' ') line += character
      }
    }
    return questions.map((_question, at) => lines[at] ?? (at === lines.length ? line : ''))
  } finally {
    process.stdin.setRawMode(false)
    process.stderr.write('\n')
  }
}

/** A line that was longer than the limit; its bytes are gone. */
export const TOO_LONG: unique symbol = Symbol('too long')

/** Lines of stdin without their line ends. A line above the limit is skipped and reported as TOO_LONG. */
export async function* readLines(maxBytes: number, signal: AbortSignal): AsyncGenerator<string | typeof TOO_LONG> {
  let held: Buffer[] = []
  let heldBytes = 0
  const take = (): string | typeof TOO_LONG => {
    const line = heldBytes > maxBytes ? TOO_LONG : Buffer.concat(held).toString('utf8').replace(/\r$/, '')
    held = []
    heldBytes = 0
    return line
  }
  for await (const part of untilAborted(signal)) {
    let from = 0
    for (let end = part.indexOf(10); end >= 0; end = part.indexOf(10, from)) {
      held.push(part.subarray(from, end))
      heldBytes += end - from
      from = end + 1
      yield take()
    }
    heldBytes += part.length - from
    if (heldBytes <= maxBytes) held.push(part.subarray(from))
    else held = []
  }
  if (heldBytes > 0) yield take()
}

/** Whether there is a person who can be asked. */
export function isPersonThere(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY
}

const ANSWER_MAX_BYTES = 1024
const ANSWERS: Readonly<Record<string, boolean>> = { y: true, yes: true, n: false, no: false }

/** What the first line that is an answer says; false at the end of the input. */
export async function askYesNo(question: string, signal: AbortSignal): Promise<boolean> {
  process.stderr.write(`${question} (y/n) `)
  for await (const line of readLines(ANSWER_MAX_BYTES, signal)) {
    const answer = line === TOO_LONG ? undefined : ANSWERS[line.trim().toLowerCase()]
    if (answer !== undefined) return answer
    process.stderr.write('Please answer y or n: ')
  }
  process.stderr.write('\n')
  return false
}

async function* untilAborted(signal: AbortSignal): AsyncGenerator<Buffer> {
  const stop = () => process.stdin.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const part of process.stdin) yield part as Buffer
  } catch (cause) {
    if (!signal.aborted) throw new CliError('stdin-failed', 'stdin cannot be read.', { cause })
  } finally {
    signal.removeEventListener('abort', stop)
    process.stdin.destroy()
  }
  if (signal.aborted) throw new CliError('interrupted', 'Interrupted.')
}
