/** Sender and receiver agree: on every device a message has the same name, time and sender, and stands in the right conversation. */
import type { Shown } from '../device.ts'
import type { Written } from '../ledger.ts'
import type { Person } from '../person.ts'
import type { Checker } from './healed.ts'

export const conversation: Checker = {
  name: 'conversation',
  async check(healed) {
    const { stage } = healed
    const written = new Map(stage.ledger.written.map(entry => [entry.body, entry]))
    const first = new Map<string, Shown>()
    for (const [person, devices] of healed.present) {
      for (const device of devices) {
        for (const message of await device.messages()) {
          const problem = problemOf(written.get(message.body), person, message, first)
          if (problem !== undefined) stage.violated('conversation', `${device.name}, "${message.body}": ${problem}`)
        }
      }
    }
  },
}

function problemOf(entry: Written | undefined, person: Person, message: Shown, first: Map<string, Shown>): string | undefined {
  const { body, messageId, sentAtMs, sender } = message
  if (entry === undefined) return 'nobody wrote it'
  if (sender !== entry.from.accountId) return 'another sender'
  const other = person === entry.from ? entry.to : entry.from
  if (message.conversation !== other.accountId) return 'in another conversation'
  const before = first.get(body)
  if (before === undefined) first.set(body, message)
  else if (before.messageId !== messageId || before.sentAtMs !== sentAtMs) return 'another name or time than elsewhere'
  return undefined
}
