/** Backups of real accounts: taken, brought back as a new device, added to the same account, refused. BK-07, BK-10 to BK-12. */
import { Client, openMemoryStore } from '@session-v2/client'
import { encodeHex } from '@session-v2/encoding'
import { seedFromRecoveryPassword } from '@session-v2/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBackup } from '../src/backup/backup-stream.ts'
import { BACKUP, collected, contents, crypto, homeWith, inParts, messageOf, shown, write } from './backup-people.ts'
import { transportWith } from './faults.ts'
import { NetworkUnderTest } from './network-under-test.ts'
import { bodies, codeOf, newClient, reopen, UNLOCK } from './people.ts'

let network: NetworkUnderTest
let alice: Client
let bob: Client

beforeAll(async () => {
  network = await NetworkUnderTest.start({ nodes: 1 })
  alice = await newClient(network, 'Älice')
  bob = await newClient(network, 'Bob 🧱')
  await alice.send(bob.accountId, 'Grüße 🐢 ה\u0301 \u2028 "quoted" \\ end')
  await alice.send(alice.accountId, 'a note to myself')
  await bob.send(alice.accountId, 'наконец‑то')
  await bob.sync()
  await alice.sync()
})
afterAll(async () => {
  await Promise.all([alice.close(), bob.close()])
  await network.close()
})

const exported = (client: Client) => collected(client.backup.export(BACKUP))

/** A new home made of a backup. */
function made(backup: Uint8Array, store = openMemoryStore()): Promise<Client> {
  const common = { store, unlock: UNLOCK, seeds: network.seeds }
  return Client.fromBackup({ ...common, backup: inParts(backup), backupUnlock: BACKUP })
}

describe('a new home of a backup', () => {
  it('is the account with its name, choices and history, on a new device in no group (BK-12)', async () => {
    await alice.changeSettings({ downgradePolicy: 'strict' })
    for (const person of [alice, bob]) {
      const restored = await made(await exported(person))
      expect(restored.accountId).toBe(person.accountId)
      expect(restored.recoveryPassword()).toBe(person.recoveryPassword())
      expect(restored.settings()).toEqual(person.settings())
      expect(restored.account()).toMatchObject({ name: person.account().name, membership: 'GroupsVisible' })
      expect(restored.account().deviceId).not.toBe(person.account().deviceId)
      expect(restored.keys().accountKeys).toEqual([])
      expect(await shown(restored)).toEqual(await shown(person))
      expect(await restored.conversations()).toEqual(await person.conversations())
      const messages = (await restored.messages()).length
      expect(await restored.backup.imported()).toMatchObject({ messages, added: messages, skipped: 0 })
      await restored.close()
    }
    expect((await alice.conversations()).map(({ name, unread }) => `${name} ${unread}`).sort()).toEqual([
      'Bob 🧱 1',
      'undefined 0',
    ])
  })

  it('opens again with its own key, and exports the same once more', async () => {
    const store = openMemoryStore()
    await (await made(await exported(alice), store)).close()
    const again = await reopen(store)
    const third = await made(await exported(again))
    expect(await shown(third)).toEqual(await shown(alice))
    await Promise.all([again.close(), third.close()])
  })

  it('does not send what was waiting to be sent (BK-12)', async () => {
    const store = openMemoryStore()
    await (await newClient(network, 'Carol', { store })).close()
    const refusing = transportWith(async ({ method }, send) => {
      if (method !== 'retrieve') throw new Error('cut off')
      return send()
    })
    const carol = await reopen(store, { transport: refusing })
    expect((await carol.send(bob.accountId, 'it waits', { timeoutMs: 100 })).state).toBe('queued')
    const restored = await made(await exported(carol))
    expect((await restored.messages()).map(({ body, state }) => `${body} ${state}`)).toEqual(['it waits queued'])
    await restored.sync()
    await bob.sync()
    expect(await bodies(bob, carol.accountId)).toEqual([])
    await Promise.all([carol.close(), restored.close()])
  })

  it('is refused where there is an account, and is none when the backup is not right', async () => {
    const store = openMemoryStore()
    await (await newClient(network, 'Dave', { store })).close()
    const before = await contents(store)
    expect(await codeOf(made(await exported(alice), store))).toBe('account-exists')
    expect(await contents(store)).toEqual(before)
    const empty = openMemoryStore()
    const backup = await exported(alice)
    expect(await codeOf(made(backup.slice(0, -1), empty))).toBe('backup-truncated')
    expect(await contents(empty)).toEqual([])
    expect(await codeOf(reopen(empty))).toBe('no-account')
    const restored = await made(backup, empty)
    expect(await shown(restored)).toEqual(await shown(alice))
    await restored.close()
  })
})

describe('in a home of the same account', () => {
  it('adds what is missing, counts nothing as unread, and twice adds nothing (BK-11)', async () => {
    const { store, accountId } = await homeWith(network, self => [0, 1, 2, 3].map(n => messageOf(self, n)))
    const full = await reopen(store)
    const backup = await exported(full)
    const expected = await shown(full)
    const other = openMemoryStore()
    const restored = await Client.restore({
      ...{ store: other, unlock: UNLOCK, seeds: network.seeds, name: 'Other' },
      recoveryPassword: full.recoveryPassword(),
    })
    await restored.close()
    await write(other, [messageOf(accountId, 2, 'as it is here'), messageOf(accountId, 9)])
    const client = await reopen(other)
    const unread = (await client.conversations()).map(each => each.unread)
    expect(await client.backup.import(inParts(backup), BACKUP)).toMatchObject({
      messages: 4,
      added: 3,
      conversations: 2,
      skipped: 0,
    })
    expect((await bodies(client)).sort()).toEqual(['as it is here', 'message 0', 'message 1', 'message 3', 'message 9'])
    const conversations = await client.conversations()
    expect(conversations.map(each => each.unread)).toEqual(unread)
    expect(conversations.map(each => each.messages).sort()).toEqual([2, 3])
    expect(client.account().name).toBe('Other')
    const after = await contents(other)
    expect(await client.backup.import(inParts(backup), BACKUP)).toMatchObject({ messages: 4, added: 0 })
    const isKept = (line: string) => !line.startsWith('backup-import')
    expect((await contents(other)).filter(isKept)).toEqual(after.filter(isKept))
    expect(await full.backup.import(inParts(backup), BACKUP)).toMatchObject({ added: 0 })
    expect(await shown(full)).toEqual(expected)
    await Promise.all([full.close(), client.close()])
  })

  it('takes two imports at a time and messages in between', async () => {
    const { store } = await homeWith(network, self => Array.from({ length: 250 }, (_, n) => messageOf(self, n)))
    const full = await reopen(store)
    const backup = await exported(full)
    const empty = openMemoryStore()
    const recoveryPassword = full.recoveryPassword()
    const client = await Client.restore({ store: empty, unlock: UNLOCK, seeds: network.seeds, recoveryPassword })
    const both = [1, 2].map(() => client.backup.import(inParts(backup, 999), BACKUP))
    const sent = client.send(bob.accountId, 'meanwhile', { timeoutMs: 1 })
    expect((await Promise.all(both)).map(({ added }) => added)).toEqual([250, 0])
    await sent
    expect(await bodies(client)).toHaveLength(251)
    const counted = (await client.conversations()).reduce((sum, { messages }) => sum + messages, 0)
    expect(counted).toBe(251)
    await Promise.all([full.close(), client.close()])
  })
})

describe('what is refused', () => {
  it('is told apart, and leaves every record as it was (BK-11)', async () => {
    const { store } = await homeWith(network, self => [messageOf(self, 1)])
    const client = await reopen(store)
    const own = await exported(client)
    const foreign = await exported(bob)
    const before = await contents(store)
    const refused = async (bytes: Uint8Array, unlock: Parameters<Client['backup']['import']>[1] = BACKUP) => {
      const code = await codeOf(client.backup.import(inParts(bytes), unlock))
      expect(await contents(store)).toEqual(before)
      return code
    }
    expect(await refused(foreign)).toBe('other-account')
    expect(await refused(own, { key: new Uint8Array(32) })).toBe('wrong-passphrase')
    expect(await refused(own, { passphrase: 'words' })).toBe('bad-unlock')
    expect(await refused(new Uint8Array(0))).toBe('backup-damaged')
    for (let at = 0; at < own.length; at++) {
      expect(await refused(own.map((byte, i) => (i === at ? byte ^ 1 : byte)))).toMatch(/^backup-(damaged|truncated)$/)
      expect(await refused(own.slice(0, at))).toBe(at === 0 ? 'backup-damaged' : 'backup-truncated')
    }
    await client.close()
  })

  it('leaves nothing of pages that were read before, wherever a long backup is damaged or cut', async () => {
    const { store } = await homeWith(network, self => Array.from({ length: 900 }, (_, n) => messageOf(self, n)))
    const full = await reopen(store)
    const backup = await exported(full)
    const home = openMemoryStore()
    const recoveryPassword = full.recoveryPassword()
    const client = await Client.restore({ store: home, unlock: UNLOCK, seeds: network.seeds, recoveryPassword })
    const before = await contents(home)
    expect(backup.length).toBeGreaterThan(3 * 65_536)
    for (let at = 100; at < backup.length; at += 9973) {
      const damaged = backup.slice()
      damaged[at]! ^= 4
      for (const bytes of [damaged, backup.slice(0, at)]) {
        expect(await codeOf(client.backup.import(inParts(bytes), BACKUP))).toMatch(/^backup-(damaged|truncated)$/)
        expect(await contents(home)).toEqual(before)
      }
    }
    async function* failing() {
      yield backup.slice(0, 150_000)
      throw new Error('the disk was taken out')
    }
    await expect(client.backup.import(failing(), BACKUP)).rejects.toThrow('taken out')
    expect(await contents(home)).toEqual(before)
    await Promise.all([full.close(), client.close()])
  })
})

describe('a client that closes', () => {
  it('gives and takes no backup', async () => {
    const client = await newClient(network, 'Gone')
    const backup = await exported(client)
    await client.close()
    expect(await codeOf(exported(client))).toBe('closed')
    expect(await codeOf(client.backup.import(inParts(backup), BACKUP))).toBe('closed')
  })

  it('leaves nothing of a backup that was under way, on either way', async () => {
    const { store } = await homeWith(network, self => Array.from({ length: 900 }, (_, n) => messageOf(self, n)))
    const client = await reopen(store)
    const backup = await exported(client)
    const before = await contents(store)
    async function* closing() {
      yield backup.slice(0, 150_000)
      await client.close()
      yield backup.slice(150_000)
    }
    const leaving = client.backup.export(BACKUP)
    await leaving.next()
    await leaving.next()
    expect(await codeOf(client.backup.import(closing(), BACKUP))).toBe('closed')
    expect(await codeOf(collected(leaving))).toBe('closed')
    expect((await store.scan('backup-pages', { limit: 1 })).length).toBe(1)
    await (await reopen(store)).close()
    expect(await contents(store)).toEqual(before)
  })
})

describe('what a backup is a picture of', () => {
  it('is the moment at which it began: what comes meanwhile is in the next one (BK-07)', async () => {
    const store = openMemoryStore()
    const { accountId } = await homeWith(network, self => Array.from({ length: 1500 }, (_, n) => messageOf(self, n)), store)
    const client = await reopen(store)
    const parts: Uint8Array[] = []
    const progress: number[] = []
    for await (const part of client.backup.export(BACKUP, { onProgress: ({ done }) => progress.push(done) })) {
      // The second part is there: the picture was taken.
      if (parts.push(part) === 2) await client.send(accountId, 'too late', { timeoutMs: 1 })
    }
    expect(progress.at(-1)).toBe(1500)
    const restored = await made(Buffer.concat(parts))
    expect(await bodies(restored)).toHaveLength(1000)
    expect((await restored.messages({ limit: 9999 })).map(({ body }) => body)).toEqual(
      Array.from({ length: 1500 }, (_, n) => `message ${n}`),
    )
    expect((await restored.conversations()).map(({ messages }) => messages)).toEqual([750, 750])
    const next = await made(await exported(client))
    expect((await next.messages({ limit: 9999 })).at(-1)?.body).toBe('too late')
    await Promise.all([client.close(), restored.close(), next.close()])
  })

  it('holds the seed and no other secret (BK-10)', async () => {
    const kinds = new Map<string, Set<string>>()
    for await (const { kind, ...record } of readBackup(crypto, inParts(await exported(alice)), BACKUP)) {
      const members = kinds.get(kind) ?? new Set()
      for (const name of Object.keys('message' in record ? record.message! : record)) members.add(name)
      kinds.set(kind, members)
    }
    expect(Object.fromEntries([...kinds].map(([kind, names]) => [kind, [...names].sort()]))).toEqual({
      account: ['accountId', 'createdAtMs', 'messages', 'name', 'seed'],
      settings: ['settings'],
      message:
        'body conversation handedOver hashes keyCreatedAtMs messageId outgoing pfs protocol receivedAtMs sender sentAtMs state'.split(
          ' ',
        ),
      conversation: ['id', 'name', 'unread'],
      end: ['conversations', 'messages'],
    })
    const seed = encodeHex(seedFromRecoveryPassword(alice.recoveryPassword()))
    const bytes = await exported(alice)
    for (const clear of [seed, alice.accountId, bob.accountId, 'Grüße', 'Älice'])
      expect(Buffer.from(bytes).includes(clear), clear).toBe(false)
  })
})
