/**
 * The truth about messages: who wrote what on which device, and since when a swarm certainly has it. Every text is written once, so a text
 * names its message.
 */
import type { Device } from './device.ts'
import type { Person } from './person.ts'

/** How long a swarm keeps a message. */
export const MESSAGE_LIFE_MS = 14 * 24 * 3_600_000
/** Nothing is demanded of a message in the last hours of its life: when exactly it was stored is not known. */
const LIFE_MARGIN_MS = 3 * 3_600_000

export interface Written {
  readonly body: string
  readonly from: Person
  readonly to: Person
  readonly on: Device
  /** When it was last seen waiting: the swarm has it since then at the earliest. */
  waitingAtMs: number
  /** When it was first seen stored; undefined while it waits. */
  storedAtMs: number | undefined
  /** Since when the copy for the own devices was stored, at the earliest: when the outbox was seen empty. */
  copiedAtMs: number | undefined
  /** What was still to be sent went with the disk it was on: nothing more is expected of it. */
  isForgotten: boolean
}

export class Ledger {
  readonly written: Written[] = []
  #count = 0

  /** A text that nobody has written yet. */
  text(device: Device): string {
    return `${++this.#count} of ${device.name}`
  }

  add(from: Person, to: Person, on: Device, body: string, nowMs: number): void {
    const unsent = { waitingAtMs: nowMs, storedAtMs: undefined, copiedAtMs: undefined, isForgotten: false }
    this.written.push({ body, from, to, on, ...unsent })
  }

  /**
   * The disk of a device is put back. What waited on it may never go out, also where its copy for the own devices has come back from the
   * swarm and says that it was sent.
   */
  forget(device: Device): void {
    for (const entry of this.#pending(device)) entry.isForgotten = true
  }

  /** Looks at what became of what a device has written. */
  async look(device: Device, nowMs: number): Promise<void> {
    const pending = this.#pending(device)
    if (pending.length === 0) return
    const shown = new Map((await device.messages()).map(message => [message.body, message]))
    const waiting = await waitingIn(device)
    for (const entry of pending) {
      const message = shown.get(entry.body)
      if (message === undefined) continue
      if (message.state === 'stored') entry.storedAtMs ??= nowMs
      else entry.waitingAtMs = nowMs
      if (!waiting.has(message.messageId)) entry.copiedAtMs ??= nowMs
    }
  }

  #pending(device: Device): readonly Written[] {
    return this.written.filter(({ on, copiedAtMs, isForgotten }) => on === device && copiedAtMs === undefined && !isForgotten)
  }
}

/** Messages that a device still has to send, at least one copy of them. */
export async function waitingIn(device: Device): Promise<ReadonlySet<string>> {
  const store = await device.records()
  const page = (await store?.page<{ messageId: string }>('outbox', { limit: Number.MAX_SAFE_INTEGER })) ?? []
  return new Set(page.map(({ value }) => value.messageId))
}

/** Whether a message that was stored between the two moments is certainly still in its swarm. */
export function isAlive({ waitingAtMs }: Written, nowMs: number): boolean {
  return nowMs < waitingAtMs + MESSAGE_LIFE_MS - LIFE_MARGIN_MS
}
