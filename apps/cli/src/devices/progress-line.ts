/** One line on the terminal that is written over and over; without a terminal each text once, as a line of its own. */
import type { Context } from '../context.ts'
import { isPersonThere } from '../terminal.ts'

export class ProgressLine {
  readonly #live: boolean
  readonly #context: Context
  #shown = ''

  constructor(context: Context) {
    this.#context = context
    this.#live = isPersonThere() && !context.output.json
  }

  /** @param still the text where the line cannot be written over; it is shown when it is another than the last */
  show(text: string, still = text): void {
    const shown = this.#live ? text : still
    if (shown === this.#shown) return
    if (this.#live) process.stderr.write(`\r\u001b[K${text}`)
    else this.#context.output.note(still)
    this.#shown = shown
  }

  clear(): void {
    if (this.#live && this.#shown !== '') process.stderr.write('\r\u001b[K')
    this.#shown = ''
  }
}
