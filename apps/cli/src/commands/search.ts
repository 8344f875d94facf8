/**
 * `search TEXT`: messages of the home that have all words of a text, the newest first. Nothing is asked of the network.
 */
import { openedClient, useClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import { messageRecord, messageText, namesOf } from '../message-text.ts'

export const search: Run = async (context, [text], options) => {
  const { with: other, last } = options as { with?: string; last: number }
  await useClient(context, openedClient(context), async client => {
    const { output } = context
    const names = output.json ? new Map<string, string>() : await namesOf(client)
    let left = last
    let before: number | undefined
    do {
      const page = await client.search({ text: text!, with: other, before, limit: left })
      for (const message of page.messages) output.result(messageRecord(message), messageText(message, names, output))
      left -= page.messages.length
      before = page.before
    } while (before !== undefined && left > 0)
    if (left === last) output.text('No message has all of these words.')
    else if (before !== undefined) output.text('There may be more: --last shows more of them.')
  })
}
