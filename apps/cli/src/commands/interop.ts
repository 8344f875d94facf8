/**
 * `interop`: one JSON request a line on stdin, one JSON answer a line on stdout, in order. Every line gets an answer.
 */
import { once } from 'node:events'
import { loadInterop } from '@session-v2/interop'
import type { Run } from '../command-spec.ts'
import { readLines, TOO_LONG } from '../terminal.ts'

const LINE_MAX_BYTES = 8 * 1024 * 1024
const TOO_LONG_ANSWER = JSON.stringify({ id: null, ok: false, error: { code: 'too-large', message: 'a line has at most 8 MiB' } })

export const interop: Run = async context => {
  const dialogue = await loadInterop()
  for await (const line of readLines(LINE_MAX_BYTES, context.signal)) {
    const answer = line === TOO_LONG ? TOO_LONG_ANSWER : dialogue.answer(line)
    if (!process.stdout.write(`${answer}\n`)) await once(process.stdout, 'drain')
  }
}
