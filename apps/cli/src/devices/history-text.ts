/** Hand-overs of history as people read them. */
import type { HistoryRequestView, OwnHistoryView } from '@session-v2/client'
import type { Context } from '../context.ts'
import { capitalised } from '../output.ts'
import { typed } from '../shell-word.ts'
import { shortened } from './chosen.ts'
import { deviceName, minuteOf } from './device-text.ts'

/** What this device asked, and how far it is. */
export function ownHistoryLine({ state, received, total, askedAtMs, sinceMs, end }: OwnHistoryView): string {
  const asked = `History asked for ${minuteOf(askedAtMs)}${sinceText(sinceMs)}`
  const count = total === undefined ? `${received} messages` : `${received} of ${total} messages`
  if (state === 'asking') return `${asked}: no device has agreed yet.`
  if (state === 'receiving') return `${asked}: ${count} have come.`
  if (state === 'done') return `${asked}: all ${received} messages are here.`
  return `${asked}: it ended (${end}) with ${count}; what came stays.`
}

/** What another device asks, and what to type. */
export function historyAskedLine(request: HistoryRequestView, options: Context['options']): string {
  const { requestId, deviceId, description, sinceMs, status, sent, total, end } = request
  const name = capitalised(deviceName({ id: deviceId, description }))
  const asks = `${name} asks for history${sinceText(sinceMs)}`
  const id = shortened(requestId)
  switch (status) {
    case 'open':
      return `${asks}.
  hand it over:  ${typed(options, 'history', 'give', id)}
  or do not:     ${typed(options, 'history', 'refuse', id)}`
    case 'refused':
      return `${asks}: refused here; still possible: ${typed(options, 'history', 'give', id)}`
    case 'sending':
      return `${asks}: ${sent} of ${total} messages have arrived there.`
    case 'done':
      return `${asks}: all ${total} messages have arrived there.`
    case 'ended':
      return `${asks}: it ended (${end}); ${sent} of ${total} messages had arrived.`
  }
}

function sinceText(sinceMs: number | undefined): string {
  return sinceMs === undefined ? '' : `, from ${minuteOf(sinceMs)} on`
}
