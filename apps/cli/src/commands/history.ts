/**
 * `history show | ask | give ID | refuse ID | cancel`: older messages that one device of the account hands over to another.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Client, HistoryRequestView } from '@session-v2/client'
import { openedClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import type { Context } from '../context.ts'
import { chosen } from '../devices/chosen.ts'
import { historyRequestRecord, ownHistoryRecord } from '../devices/device-records.ts'
import { historyAskedLine, ownHistoryLine } from '../devices/history-text.ts'
import { changed, isUnanswered, shownAfterSync, synced, told, useWithNews } from '../devices/news.ts'
import { ProgressLine } from '../devices/progress-line.ts'
import { CliError } from '../failure.ts'
import { typed } from '../shell-word.ts'

const DAY_MS = 86_400_000
/** Between two looks while nothing comes. */
const LOOK_MS = 2000

export const showHistory: Run = async context => {
  await useWithNews(context, openedClient(context), client => shownAfterSync(context, client, () => show(context, client)))
}

async function show(context: Context, client: Client): Promise<void> {
  const { output } = context
  const own = await client.history.own()
  const asked = await client.history.requests()
  output.result(ownHistoryRecord(own), own === undefined ? 'This device has asked for no history.' : ownHistoryLine(own))
  for (const request of asked) output.result(historyRequestRecord(request), historyAskedLine(request, context.options))
  if (asked.length === 0) output.text('No other device asks for history.')
}

export const askHistory: Run = async (context, _operands, options) => {
  const { days } = options as { days?: number }
  await useWithNews(context, openedClient(context), async client => {
    await synced(context, client)
    const own = await client.history.ask(days === undefined ? {} : { sinceMs: client.nowMs() - days * DAY_MS })
    await told(context, client)
    if (options.wait !== true) {
      const next = typed(context.options, 'history', 'show')
      context.output.result(ownHistoryRecord(own), `The other devices are asked. Go on there with history show; here: ${next}`)
      return
    }
    const view = () => client.history.own()
    const done = await waited(context, client, view, each => each.state === 'done' || each.state === 'ended', ownHistoryLine)
    context.output.result(ownHistoryRecord(done), ownHistoryLine(done))
    if (done.state === 'ended')
      throw new CliError('not-answered', 'The history did not come. Ask again when another device is on.')
  })
}

export const giveHistory: Run = async (context, [operand], options) => {
  await useWithNews(context, openedClient(context), async client => {
    await synced(context, client)
    const { requestId } = await requestOf(client, operand!)
    await client.history.agree(requestId)
    await told(context, client)
    const view = async () => (await client.history.requests()).find(each => each.requestId === requestId)
    const line = (each: HistoryRequestView) => historyAskedLine(each, context.options)
    const isOver = ({ status }: HistoryRequestView) => status === 'done' || status === 'ended'
    const after = options.wait === true ? await waited(context, client, view, isOver, line) : (await view())!
    context.output.result(historyRequestRecord(after), line(after))
    if (after.status === 'sending') {
      context.output.text(`It goes on with every sync of both devices: ${typed(context.options, 'sync')}`)
    }
  })
}

export const refuseHistory: Run = async (context, [operand]) => {
  await useWithNews(context, openedClient(context), async client => {
    let requestId = ''
    await changed(context, client, async () => {
      requestId = (await requestOf(client, operand!)).requestId
      await client.history.refuse(requestId)
    })
    const after = (await client.history.requests()).find(each => each.requestId === requestId)!
    context.output.result(historyRequestRecord(after), historyAskedLine(after, context.options))
  })
}

export const cancelHistory: Run = async context => {
  await useWithNews(context, openedClient(context), async client => {
    await changed(context, client, () => client.history.cancel())
    const own = await client.history.own()
    context.output.result(ownHistoryRecord(own), 'The request is taken back. What came stays.')
  })
}

async function requestOf(client: Client, text: string): Promise<HistoryRequestView> {
  const among = await client.history.requests()
  return chosen(text, { among, idOf: ({ requestId }) => requestId, noun: 'history request', unknown: 'unknown-request' })
}

/** Syncs until it is over, with a line of how far it is. A network that does not answer is asked again. */
async function waited<T>(
  context: Context,
  client: Client,
  view: () => Promise<T | undefined>,
  isOver: (each: T) => boolean,
  lineOf: (each: T) => string,
): Promise<T> {
  const line = new ProgressLine(context)
  let before = ''
  try {
    for (;;) {
      const each = (await view())!
      if (isOver(each)) return each
      const now = JSON.stringify(each)
      line.show(lineOf(each))
      if (now === before) await pause(LOOK_MS, undefined, { signal: context.signal })
      before = now
      await synced(context, client).catch(error => {
        if (!isUnanswered(error)) throw error
      })
    }
  } finally {
    line.clear()
  }
}
