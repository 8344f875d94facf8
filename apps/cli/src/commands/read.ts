/**
 * `read`: the messages of the home, oldest first, after one poll; with `--follow` also those that come.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '@session-v2/client'
import { inTime, openedClient } from '../account-client.ts'
import type { OptionValues, Run } from '../command-spec.ts'
import type { Context } from '../context.ts'
import { type News, shownAfterSync, useWithNews } from '../devices/news.ts'
import { CliError } from '../failure.ts'
import { messageRecord, messageText, namesOf } from '../message-text.ts'
import type { Output } from '../output.ts'

const PAGE = 500
/** Somebody is looking: more often than in the background. */
const FOLLOW_INTERVAL_MS = 3000

export const read: Run = async (context, _operands, options) => {
  try {
    await useWithNews(context, openedClient(context), async (client, news) => {
      const printer = new MessagePrinter(client, context.output, options)
      if (options.follow === true) await follow(context, client, printer, news)
      else await shownAfterSync(context, client, () => printer.printNew())
    })
  } catch (error) {
    // Ctrl-C is how following ends.
    if (options.follow !== true || !(error instanceof CliError) || error.code !== 'interrupted') throw error
  }
}

async function follow(context: Context, client: Client, printer: MessagePrinter, news: News): Promise<void> {
  await printer.printNew()
  let reachable = true
  while (!context.signal.aborted) {
    try {
      await inTime(context, client.sync())
      if (!reachable) context.output.note('The network answers again.')
      reachable = true
    } catch (error) {
      if (reachable && !context.signal.aborted) context.output.note(`${(error as Error).message} Still trying …`)
      reachable = false
    }
    await printer.printNew()
    await news.tell()
    await pause(FOLLOW_INTERVAL_MS, undefined, { signal: context.signal })
  }
}

/** Prints messages once each, in order. */
class MessagePrinter {
  readonly #client: Client
  readonly #output: Output
  readonly #with: string | undefined
  #cursor: number

  constructor(client: Client, output: Output, options: OptionValues) {
    this.#client = client
    this.#output = output
    this.#with = options.with as string | undefined
    this.#cursor = (options.after as number | undefined) ?? 0
  }

  /** Prints what came after the last message printed. */
  async printNew(): Promise<void> {
    const names = this.#output.json ? new Map<string, string>() : await namesOf(this.#client)
    for (;;) {
      const page = await this.#client.messages({ with: this.#with, after: this.#cursor, limit: PAGE })
      for (const message of page) {
        this.#output.result(messageRecord(message), messageText(message, names, this.#output))
        this.#cursor = message.cursor
      }
      if (page.length < PAGE) return
    }
  }
}
