/** What arrives: once each whatever is repeated, in the right conversation, and refused or kept when it cannot be read. */
import { type Client, openMemoryStore, type PlacedEvent } from '@session-v2/client'
import { systemRandom } from '@session-v2/crypto'
import { encodeUtf8 } from '@session-v2/encoding'
import { NAMESPACE } from '@session-v2/network'
import {
  type Account,
  type AccountId,
  accountFromSeed,
  type Content,
  encodeContent,
  generateSeed,
  prepareRecipient,
  sealMessageV1,
  sealMessageV2,
  textContent,
  verifyAccountKeyRecord,
} from '@session-v2/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { transportWith } from './faults.ts'
import { NetworkUnderTest, signerOf } from './network-under-test.ts'
import { bodies, eventsOf, newClient, reopen } from './people.ts'

let network: NetworkUnderTest
let bob: Client
let bobId: AccountId

beforeAll(async () => {
  network = await NetworkUnderTest.start()
})
afterAll(() => network.close())
beforeEach(async () => {
  bob = await newClient(network, 'Bob')
  bobId = bob.accountId
})
afterEach(() => bob.close())

const stranger = () => accountFromSeed(network.crypto, generateSeed(systemRandom(), 13))

const text = (body: string, extra: { messageId?: Uint8Array; syncTarget?: AccountId; displayName?: string } = {}) =>
  textContent({ body, sentAtMs: Date.now(), messageId: systemRandom().bytes(8), ...extra })

async function sealed(sender: Account, content: Content | Uint8Array): Promise<Uint8Array> {
  const { crypto } = network
  const [record] = await network.retrieve(bobId, NAMESPACE.accountKeys)
  const recipient = prepareRecipient(crypto, bobId, verifyAccountKeyRecord(crypto, bobId, record!))
  const bytes = content instanceof Uint8Array ? content : encodeContent(content)
  return sealMessageV2(crypto, systemRandom(), { sender, recipient, content: bytes })
}

/** As an older client writes it, in an envelope of the time given. */
function sealedV1(sender: Account, content: Content, timestampMs = Number(content.sigTimestamp), recipient = bobId): Uint8Array {
  return sealMessageV1(network.crypto, systemRandom(), { sender, recipient, content: encodeContent(content), timestampMs })
}

async function put(...messages: Uint8Array[]): Promise<void> {
  for (const message of messages) await network.store(bobId, message)
}

/** The reasons of the events of one kind. */
function reasons(events: readonly PlacedEvent[], type: 'message_refused' | 'message_quarantined'): string[] {
  return events.flatMap(event => (event.type === type ? [event.reason] : []))
}

describe('a message', () => {
  it('wrapped again by whoever could read it is the same message', async () => {
    const sender = stranger()
    const content = text('Only once')
    await put(await sealed(sender, content))
    expect((await bob.sync()).received).toBe(1)
    await put(await sealed(sender, content), await sealed(sender, content))
    expect((await bob.sync()).received).toBe(0)
    expect(await bob.conversations()).toMatchObject([{ messages: 1, unread: 1 }])
  })

  it('wrapped twice on one page is the same message', async () => {
    const sender = stranger()
    const content = text('Only once')
    await put(await sealed(sender, content), await sealed(sender, content))
    expect((await bob.sync()).received).toBe(1)
    expect(await bodies(bob)).toEqual(['Only once'])
  })

  it('cannot be suppressed by another sender who repeats its id', async () => {
    const messageId = systemRandom().bytes(8)
    const content = text('squatter', { messageId })
    await put(
      await sealed(stranger(), content),
      await sealed(stranger(), { ...text('rightful', { messageId }), sigTimestamp: content.sigTimestamp }),
    )
    await bob.sync()
    expect((await bodies(bob)).toSorted()).toEqual(['rightful', 'squatter'])
  })

  it('cannot be suppressed by a node that shows rubbish under its hash (RPC-58)', async () => {
    const store = openMemoryStore()
    let lie = true
    const transport = transportWith(async ({ method }, send) => {
      const answer = await send()
      if (method !== 'batch' || !lie) return answer
      const body = JSON.parse(Buffer.from(answer.body).toString())
      for (const message of body.results[2].body.messages) message.data = Buffer.from('\0rubbish').toString('base64')
      return { ...answer, body: encodeUtf8(JSON.stringify(body)) }
    })
    const carol = await newClient(network, 'Carol', { store, transport })
    await bob.send(carol.accountId, 'true words')
    expect(await carol.sync()).toMatchObject({ received: 0, quarantined: 1 })
    lie = false
    // Two of three members were read with the lie; the third is chosen sooner or later.
    for (let i = 0; i < 40 && (await bodies(carol)).length === 0; i++) await carol.sync()
    expect(await bodies(carol)).toEqual(['true words'])
    await carol.close()
  })

  it('names its sender, unless the name is none', async () => {
    const [named, nameless] = [stranger(), stranger()]
    await put(
      await sealed(named, text('a', { displayName: 'Zoë' })),
      await sealed(nameless, text('b', { displayName: 'x'.repeat(101) })),
    )
    await bob.sync()
    const names = new Map((await bob.conversations()).map(({ id, name }) => [id, name]))
    expect(names).toEqual(
      new Map([
        [named.id, 'Zoë'],
        [nameless.id, undefined],
      ]),
    )
  })
})

describe('a copy for other devices', () => {
  it('from our own account is put where it was sent to, as ours and read', async () => {
    const self = network.account(bob.recoveryPassword())
    const friend = stranger().id
    await put(await sealed(self, text('from my other device', { syncTarget: friend })))
    await bob.sync()
    expect(await bob.messages()).toMatchObject([{ conversation: friend, sender: bobId, outgoing: true, state: 'stored' }])
    expect(await bob.conversations()).toMatchObject([{ id: friend, unread: 0 }])
  })

  it('of what this device sent is kept in the swarm and ignored here', async () => {
    await bob.send(stranger().id, 'to a friend')
    const [copy] = await network.retrieve(bobId, NAMESPACE.messages, signerOf(network.account(bob.recoveryPassword())))
    expect(copy).toBeDefined()
    expect(await bob.sync()).toMatchObject({ received: 0, quarantined: 0 })
    expect(await bodies(bob)).toEqual(['to a friend'])
  })

  it('that somebody else claims to be one is refused', async () => {
    const friend = stranger().id
    await put(await sealed(stranger(), text('put words in my mouth', { syncTarget: friend })))
    await put(await sealed(stranger(), text('in my own mouth', { syncTarget: bobId })))
    const self = network.account(bob.recoveryPassword())
    await put(await sealed(self, { ...text('nowhere'), dataMessage: { body: 'nowhere', syncTarget: 'nobody' } }))
    expect((await bob.sync()).received).toBe(0)
    expect(await bob.conversations()).toEqual([])
    expect(reasons(await eventsOf(bob), 'message_refused')).toEqual(Array(3).fill('unsupported-content'))
  })
})

describe('a message of version 1', () => {
  it('is received and shown, without forward secrecy', async () => {
    const sender = stranger()
    await put(sealedV1(sender, text('from an older client', { displayName: 'Olga' })))
    expect(await bob.sync()).toMatchObject({ received: 1, quarantined: 0 })
    const [message] = await bob.messages()
    expect(message).toMatchObject({
      body: 'from an older client',
      sender: sender.id,
      protocol: 'v1',
      pfs: false,
      state: 'received',
    })
    expect(message?.keyCreatedAtMs).toBeUndefined()
    expect(await bob.conversations()).toMatchObject([{ id: sender.id, name: 'Olga', messages: 1, unread: 1 }])
  })

  it('is the same message as its copy of version 2', async () => {
    const sender = stranger()
    const content = text('Only once')
    await put(sealedV1(sender, content), sealedV1(sender, content), await sealed(sender, content))
    expect((await bob.sync()).received).toBe(1)
    await put(sealedV1(sender, content))
    expect((await bob.sync()).received).toBe(0)
  })

  it('from our own account is put where it was sent to', async () => {
    const friend = stranger().id
    await put(sealedV1(network.account(bob.recoveryPassword()), text('from my old device', { syncTarget: friend })))
    await bob.sync()
    expect(await bob.messages()).toMatchObject([
      { conversation: friend, outgoing: true, protocol: 'v1', pfs: false, state: 'stored' },
    ])
  })

  it('is refused, and not kept, when it is for another, forged, or in an envelope of another time', async () => {
    const [sender, other] = [stranger(), stranger()]
    const forger = { ...sender, ed25519: { ...sender.ed25519, secretKey: other.ed25519.secretKey } }
    const content = text('not so')
    await put(
      sealedV1(sender, content, undefined, other.id),
      sealedV1(forger, content),
      sealedV1(sender, content, Number(content.sigTimestamp) + 1),
      sealedV1(sender, { dataMessage: { body: 'without a time' } }, Date.now()),
    )
    expect(await bob.sync()).toMatchObject({ received: 0, quarantined: 0 })
    expect(await bob.messages()).toEqual([])
    const refused = reasons(await eventsOf(bob), 'message_refused')
    expect(refused.toSorted()).toEqual(['forged', 'no-key', 'unsupported-content', 'wrong-time'])
  })
})

describe('what cannot be read', () => {
  it('is refused where no key will ever help, and told', async () => {
    const [sender, other] = [stranger(), stranger()]
    const forger = { ...sender, ed25519: { ...sender.ed25519, secretKey: other.ed25519.secretKey } }
    await put(
      Uint8Array.of(0, 2, 1, 2, 3),
      Uint8Array.of(10, 3, 1, 2, 3),
      await sealed(forger, text('not from me')),
      await sealed(sender, Uint8Array.of(255, 255, 255)),
      await sealed(sender, { sigTimestamp: BigInt(Date.now()), dataMessage: { body: '' } }),
      await sealed(sender, { dataMessage: { body: 'without a time' } }),
    )
    expect(await bob.sync()).toMatchObject({ received: 0, quarantined: 0 })
    const refused = reasons(await eventsOf(bob), 'message_refused')
    expect(refused.toSorted()).toEqual(['forged', 'malformed', 'malformed', ...Array(3).fill('unsupported-content')])
    expect((await bob.sync()).received).toBe(0)
    expect(reasons(await eventsOf(bob), 'message_refused')).toHaveLength(6)
  })

  it('is kept where a key or a newer program may help, told, and does not come up again', async () => {
    const future = Uint8Array.of(0, 3, 1, 2, 3)
    const mine = await sealed(stranger(), text('to me'))
    const altered = mine.with(mine.length - 1, mine.at(-1)! ^ 1)
    await put(future, altered)
    expect(await bob.sync()).toMatchObject({ received: 0, quarantined: 2 })
    expect(reasons(await eventsOf(bob), 'message_quarantined').toSorted()).toEqual(['no-key', 'unknown-version'])
    expect(await bob.sync()).toMatchObject({ received: 0, quarantined: 0 })
  })

  it('is kept over a restart without being taken twice', async () => {
    const store = openMemoryStore()
    const carol = await newClient(network, 'Carol', { store })
    await network.store(carol.accountId, Uint8Array.of(0, 9, 9))
    await carol.sync()
    await carol.close()
    const again = await reopen(store)
    expect(await again.sync()).toMatchObject({ received: 0, quarantined: 0 })
    expect(await store.scan('quarantine', { limit: 9 })).toHaveLength(1)
    await again.close()
  })
})
