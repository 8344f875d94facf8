/**
 * `send ID TEXT`: keeps the text, delivers it, and says whether the swarm has it or the outbox still holds it.
 */
import type { Client, MessageProtocol, MessageState } from '@session-v2/client'
import { openedClient, useClient } from '../account-client.ts'
import type { Run } from '../command-spec.ts'
import type { Context } from '../context.ts'
import { CliError } from '../failure.ts'
import { readAllInput } from '../terminal.ts'

async function textOf(context: Context, operand: string): Promise<string> {
  // The line end that an editor or echo adds is no part of the text.
  const text = operand === '-' ? (await readAllInput(context.signal)).replace(/\r?\n$/, '') : operand
  if (text === '') throw new CliError('usage', 'There is no text to send.')
  return text
}

function outcome(client: Client, state: MessageState, protocol: MessageProtocol): string {
  if (state === 'stored') return `Sent (${protocol}).`
  const reason = state === 'held' ? "The recipient's keys cannot be found." : silenceReason(client)
  return `${reason} The message waits in the outbox; session-v2 sync sends it.`
}

function silenceReason(client: Client): string {
  const network =
    client.transport() === 'none' ? 'The network is not known, or too small for a path of relays' : 'The network does not answer'
  return `${network}.`
}

export const send: Run = async (context, [recipient, operand]) => {
  const text = await textOf(context, operand!)
  await useClient(context, openedClient(context), async client => {
    const { timeoutMs } = context.options
    const { messageId, state, protocol } = await client.send(recipient!, text, timeoutMs === undefined ? {} : { timeoutMs })
    context.output.result({ message_id: messageId, state, protocol }, outcome(client, state, protocol))
  })
}
