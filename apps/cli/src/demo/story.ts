/**
 * What the demonstration tells: a network starts, two people make accounts, they talk, and what the storage nodes saw of it.
 */
import { existsSync, readFileSync } from 'node:fs'
import type { LocalNetwork } from '@session-v2/node'
import { maskedWords, type Narration, span } from './narration.ts'
import type { Person } from './person.ts'
import type { SeenStore } from './watched-transport.ts'

const SHORT_TEXT = 40

const number = new Intl.NumberFormat('en-US')

export function tellNetwork(narration: Narration, network: LocalNetwork, folder: string, isKept: boolean): void {
  const swarms = new Set(network.nodes.map(node => node.swarm)).size
  narration.step('A network starts on this computer')
  narration.fact('storage nodes', `${network.nodes.length} in ${swarms} swarms; the members of a swarm keep the same messages`)
  narration.fact('seed', `${network.seedUrl} tells newcomers where the nodes are`)
  narration.fact('data', `${folder} ${isKept ? '' : '(removed at the end)'}`)
}

export function tellPeople(narration: Narration, people: readonly Person[], network: LocalNetwork): void {
  narration.step(`${people.map(person => person.name).join(' and ')} have accounts: no phone number, no mail, only keys`)
  for (const [index, person] of people.entries()) {
    if (index > 0) narration.gap()
    narration.fact(person.name, person.client.accountId)
    narration.fact('recovery password', maskedWords(person.client.recoveryPassword()))
    const published = person.stores.find(seen => seen.namespace < 0)
    if (published === undefined) continue
    const swarm = network.nodes.find(node => node.url === published.nodeUrl)?.swarm
    const members = network.nodes.filter(node => node.swarm === swarm).map(node => portOf(node.url))
    narration.fact('swarm', `${swarm} at ${members.join(' ')}, reckoned from the account id`)
    narration.fact(
      'published there',
      `signed account keys, ${number.format(published.payload.length)} bytes: X25519 and ML-KEM-768`,
    )
  }
}

/** Sends each text and lets the other one fetch it. @returns the store request of the first */
export async function tellTalk(narration: Narration, lines: readonly [Person, Person, string][]): Promise<SeenStore> {
  narration.step('They talk')
  const first = lines[0]![0].stores.length
  for (const [from, to, text] of lines) {
    const startedMs = Date.now()
    const { state, protocol } = await from.client.send(to.client.accountId, text)
    if (state !== 'stored') throw new Error(`the message of ${from.name} waits in the outbox`)
    const storedMs = Date.now() - startedMs
    const [received, ...more] = await to.receive()
    if (received?.body !== text || more.length > 0) throw new Error(`${to.name} did not get what ${from.name} wrote`)
    const keyAge = span(Math.max(1000, received.receivedAtMs - (received.keyCreatedAtMs ?? received.receivedAtMs)))
    narration.message(from.name, to.name, text, `${protocol} · ${storedMs} ms · key ${keyAge} old`)
  }
  narration.gap()
  narration.text(
    'v2-pfs: sealed for a key that the account replaces about every 12 hours and erases 16 days later (forward secrecy), with X25519 and ML-KEM-768 together, so that a quantum computer of the future opens none of it.',
  )
  return lines[0]![0].stores[first]!
}

export function tellStorage(
  narration: Narration,
  seen: SeenStore,
  text: string,
  people: readonly Person[],
  network: LocalNetwork,
): void {
  const to = people.find(person => person.client.accountId === seen.mailbox)!
  const indicator = Buffer.from(seen.payload.subarray(2, 4)).toString('hex')
  narration.step(`What a storage node saw of “${text.length > SHORT_TEXT ? `${text.slice(0, SHORT_TEXT)}…` : text}”`)
  narration.fact('node', seen.nodeUrl)
  narration.fact('came through', `${seen.relayUrls.map(portOf).join(' → ')}: three relays; it knows only the last of them`)
  narration.fact('mailbox', `${seen.mailbox} (${to.name})`)
  narration.fact('sender', `not told: the request has only ${seen.fields.join(', ')}`)
  narration.fact('kept for', span(seen.ttlMs))
  narration.fact(
    'payload',
    `${number.format(seen.payload.length)} bytes for a text of ${Buffer.byteLength(text)}; short texts all look alike. The first 64:`,
  )
  narration.gap()
  narration.dump(seen.payload, [
    `version 00 02, key indicator ${indicator}`,
    '32 bytes: a one-time X25519 key',
    '1,088 bytes: ML-KEM-768 ciphertext',
    '',
  ])
  narration.gap()
  narration.fact('key indicator', `${indicator} tells ${to.name} which key opens it; blinded, new in every message`)
  narration.fact('from byte 1,124', 'sender, text, signature, padding: encrypted (XChaCha20-Poly1305)')
  narration.fact('on disk', diskFinding(network, text))
}

function portOf(url: string): string {
  return `:${new URL(url).port}`
}

/** Looks for the text in every file of messages, and says what was found. */
function diskFinding(network: LocalNetwork, text: string): string {
  const files = network.nodes.flatMap(node => [node.databaseFile, `${node.databaseFile}-wal`]).filter(existsSync)
  const found = files.filter(file => readFileSync(file).includes(text))
  return `searched ${files.length} database files of ${network.nodes.length} nodes for the text: found in ${found.length}`
}
