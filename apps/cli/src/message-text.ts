/** Messages as objects for programs, and as people read them. */
import type { Client, MessageView } from '@session-v2/client'
import { type JsonObject, localTime, type Output, printable, printableName, shortId } from './output.ts'

/** The names of conversations that have one, by account ID. */
export async function namesOf(client: Client): Promise<ReadonlyMap<string, string>> {
  const conversations = await client.conversations()
  return new Map(conversations.flatMap(({ id, name }) => (name === undefined ? [] : [[id, name] as const])))
}

export function messageRecord(message: MessageView): JsonObject {
  return {
    cursor: message.cursor,
    message_id: message.messageId,
    conversation: message.conversation,
    sender: message.sender,
    outgoing: message.outgoing,
    body: message.body,
    sent_at: message.sentAtMs,
    received_at: message.receivedAtMs,
    protocol: message.protocol,
    pfs: message.pfs,
  }
}

/** Its head, and its lines below. */
export function messageText(message: MessageView, names: ReadonlyMap<string, string>, { paint }: Output): string {
  const name = names.get(message.conversation)
  const other =
    name === undefined ? shortId(message.conversation) : `${printableName(name)} ${paint.dim(shortId(message.conversation))}`
  const remarks = [
    ...(message.state === 'queued' || message.state === 'held' ? ['waits in the outbox'] : []),
    ...(message.pfs ? [] : ['without forward secrecy']),
  ]
  const remark = remarks.length > 0 ? `  (${remarks.join(', ')})` : ''
  const head = `${paint.dim(localTime(message.sentAtMs))}  ${message.outgoing ? `you → ${other}` : paint.bold(other)}${remark}`
  // Every line of the text is indented, so that none can pose as the head of another message.
  return `${head}\n${printable(message.body).replaceAll(/^/gm, '  ')}\n`
}
