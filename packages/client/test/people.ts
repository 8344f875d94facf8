/** Accounts for tests: with a key instead of a passphrase, since Argon2id is slow on purpose, and in memory unless told otherwise. */
import { Client, type CreateOptions, openMemoryStore, type PlacedEvent, type RecordStore } from '@session-v2/client'
import type { NetworkUnderTest } from './network-under-test.ts'

export const UNLOCK = { key: new Uint8Array(32).fill(7) }

type Ports = Partial<Omit<CreateOptions, 'unlock' | 'seeds'>>

export function newClient(network: NetworkUnderTest, name: string, ports: Ports = {}): Promise<Client> {
  return Client.create({ store: openMemoryStore(), unlock: UNLOCK, seeds: network.seeds, ...ports, name })
}

export function reopen(store: RecordStore, ports: Ports = {}): Promise<Client> {
  return Client.open({ unlock: UNLOCK, ...ports, store })
}

export async function bodies(client: Client, conversation?: string): Promise<string[]> {
  return (await client.messages({ with: conversation })).map(message => message.body)
}

/** All events so far. */
export async function eventsOf(client: Client): Promise<PlacedEvent[]> {
  const stop = new AbortController()
  const events: PlacedEvent[] = []
  const stream = client.events({ after: 0, signal: stop.signal })
  for (;;) {
    const next = stream.next()
    const idle = new Promise<undefined>(resolve => setTimeout(() => resolve(undefined), 20))
    const result = await Promise.race([next, idle])
    if (result === undefined || result.done) break
    events.push(result.value)
  }
  stop.abort()
  return events
}

export async function eventTypes(client: Client): Promise<string[]> {
  return (await eventsOf(client)).map(event => event.type)
}

/** The code an operation fails with. */
export async function codeOf(failing: Promise<unknown>): Promise<string> {
  try {
    await failing
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'no error'
}
