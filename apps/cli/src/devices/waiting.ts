/**
 * Waiting for the answer to a link request: polls until somebody answers or its time is over, with a countdown on a terminal.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Client, OwnRequestView } from '@session-v2/client'
import type { Context } from '../context.ts'
import { CliError } from '../failure.ts'
import { typed } from '../shell-word.ts'
import { countdown } from './device-text.ts'
import { isUnanswered, synced } from './news.ts'
import { ProgressLine } from './progress-line.ts'

const TICK_MS = 1000
/** Somebody is looking: more often than in the background. */
const POLL_TICKS = 3

/**
 * Until the request is answered, or comes true because it was confirmed before. Ctrl-C leaves it open, and says so.
 * @throws CliError `not-answered`, `interrupted`
 */
export async function waitedFor(context: Context, client: Client, request: OwnRequestView): Promise<'answered' | 'linked'> {
  const line = new ProgressLine(context)
  // The request's times are the network's; this computer's clock may differ, but not in how it runs.
  const endsAtMs = Date.now() + (request.expiresAtMs ?? request.askedAtMs) - request.askedAtMs
  const waiting = () => `Waiting for the other device … ${countdown(endsAtMs - Date.now())}`
  const still = `${waiting()} minutes at most.`
  context.signal.addEventListener('abort', () => {
    line.clear()
    context.output.note(`The request stays open: ${typed(context.options, 'link', 'status')}`)
  })
  try {
    for (let tick = 0; Date.now() < endsAtMs; tick++) {
      line.show(waiting(), still)
      if (tick % POLL_TICKS === 0) {
        const outcome = await outcomeOf(context, client, request)
        if (outcome !== undefined) return outcome
      }
      await pause(TICK_MS, undefined, { signal: context.signal })
    }
  } finally {
    line.clear()
  }
  throw new CliError('not-answered', 'Nobody answered the request within its ten minutes.')
}

/** What became of the request by now; a network that does not answer is asked again. */
async function outcomeOf(context: Context, client: Client, request: OwnRequestView): Promise<'answered' | 'linked' | undefined> {
  try {
    await synced(context, client)
  } catch (error) {
    if (!isUnanswered(error)) throw error
  }
  const { membership, group, ownRequest } = client.devices.view()
  if (membership === 'InGroup' && group?.id === request.groupId) return 'linked'
  return ownRequest?.isAccepted === true ? 'answered' : undefined
}
