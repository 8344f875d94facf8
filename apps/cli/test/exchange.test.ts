/** Two homes exchange 200 messages both ways through storage nodes that cannot read them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestHome, TestNetwork } from './test-network.ts'

const MESSAGES_EACH_WAY = 200
const EXCHANGE_TIMEOUT_MS = 600_000
const MARK = 'xylophone-'

let network: TestNetwork
let alice: TestHome
let bob: TestHome

beforeAll(async () => {
  network = await TestNetwork.start()
  alice = await network.account('Alicia-Quux')
  bob = await network.account('Bobby-Quux')
})
afterAll(async () => {
  await network.stop()
})

function text(author: string, index: number): string {
  return `${MARK}${author}-${String(index).padStart(3, '0')}`
}

async function sendAll(from: TestHome, to: TestHome, author: string): Promise<void> {
  for (let index = 0; index < MESSAGES_EACH_WAY; index++) {
    const [sent] = await from.expect(['send', to.accountId, text(author, index)])
    expect(sent).toMatchObject({ state: 'stored', protocol: 'v2-pfs' })
  }
}

async function received(home: TestHome): Promise<unknown[]> {
  const messages = (await home.expect(['read'])).filter(message => !message.outgoing)
  for (const message of messages) expect(message).toMatchObject({ protocol: 'v2-pfs', pfs: true })
  return messages.map(message => message.body)
}

/** Every byte that each storage node keeps: its database with the write-ahead log, its log, whatever else lies there. */
function nodeFiles(folder: string): Map<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const kept = new Map<string, Buffer>()
  for (const file of files) {
    const path = join(file.parentPath, file.name)
    const node = relative(folder, path).split(sep)[0]!
    kept.set(node, Buffer.concat([kept.get(node) ?? Buffer.alloc(0), readFileSync(path)]))
  }
  return kept
}

/** The id in every form it could be written down. */
function spellings(accountId: string): (string | Buffer)[] {
  const key = Buffer.from(accountId.slice(2), 'hex')
  // Base64 of the key alone and of the id with its first byte differ in every character.
  const encoded = [key, Buffer.from(accountId, 'hex')].map(bytes => bytes.toString('base64').slice(0, 40))
  return [key, accountId.slice(2), accountId.slice(2).toUpperCase(), ...encoded]
}

function nodesThatName(home: TestHome, kept: ReadonlyMap<string, Buffer>): string[] {
  return [...kept]
    .filter(([, bytes]) => spellings(home.accountId).some(spelling => bytes.includes(spelling)))
    .map(([node]) => node)
}

/** Two accounts that no storage node serves both. */
async function strangers(): Promise<[TestHome, TestHome]> {
  const recipient = await network.account('Recipient-Quux')
  for (let attempt = 0; attempt < 30; attempt++) {
    const sender = await network.account(`Sender-Quux-${attempt}`)
    const kept = nodeFiles(network.dataFolder)
    const served = nodesThatName(recipient, kept)
    if (!nodesThatName(sender, kept).some(node => served.includes(node))) return [sender, recipient]
  }
  throw new Error('thirty accounts in a row fell into one of three swarms')
}

describe('two homes', () => {
  it('exchange 200 messages both ways, each exactly once and in order', { timeout: EXCHANGE_TIMEOUT_MS }, async () => {
    await Promise.all([sendAll(alice, bob, 'alice'), sendAll(bob, alice, 'bob')])
    const indexes = Array.from({ length: MESSAGES_EACH_WAY }, (_, index) => index)
    expect(await received(bob)).toEqual(indexes.map(index => text('alice', index)))
    expect(await received(alice)).toEqual(indexes.map(index => text('bob', index)))
  })

  it('search what they have, without a network', async () => {
    const found = async (...words: string[]) => (await alice.expect(['search', ...words])).map(({ body }) => body)
    expect(await found('007 XYLO', '--last', '5')).toEqual([text('bob', 7), text('alice', 7)])
    expect(await found(MARK, '--with', bob.accountId, '--last', '3')).toHaveLength(3)
    expect(await found('nothing of the kind')).toEqual([])
    expect((await alice.show(['search', 'nothing of the kind'])).stdout).toBe('No message has all of these words.\n')
  })

  it('leave nothing at the storage nodes that names the sender or holds the text', async () => {
    const [sender, recipient] = await strangers()
    const body = `${MARK}for-your-eyes-only`
    await sender.expect(['send', recipient.accountId, body])
    expect((await recipient.expect(['read'])).map(message => message.body)).toEqual([body])

    const kept = nodeFiles(network.dataFolder)
    const holders = nodesThatName(recipient, kept)
    // The recipient is the address: finding it shows that the search looks where the messages are.
    expect(holders).toHaveLength(3)
    expect(nodesThatName(sender, kept)).toHaveLength(3)
    for (const node of holders) for (const name of spellings(sender.accountId)) expect(kept.get(node)!.includes(name)).toBe(false)
    const everything = Buffer.concat([...kept.values()])
    for (const text of [
      MARK,
      'Quux',
      ...[sender, recipient].map(home => home.recoveryPassword.split(' ').slice(0, 2).join(' ')),
    ]) {
      expect(everything.includes(text), text).toBe(false)
    }
  })
})
