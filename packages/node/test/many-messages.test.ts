/** Requests that change a whole mailbox, of an account that has as many messages as a node tells of. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeHex } from '@session-v2/encoding'
import { ANSWER_MAX_BYTES, buildDeleteAll, type Namespace, parseDeleteAllResult, type RequestSigner } from '@session-v2/network'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_SWARM } from '../src/config/swarm-config.ts'
import { systemTimers } from '../src/ports.ts'
import {
  MailboxTurns,
  TURN_PATIENCE_MS,
  TURNS_MAX,
  TURNS_WAITING_MAX,
  TURNS_WAITING_PER_ACCOUNT,
} from '../src/rpc/mailbox-turns.ts'
import { writeToMailbox } from '../src/rpc/mailbox-write.ts'
import { AFFECTED_MAX, addAffected } from '../src/store/affected.ts'
import { openSqliteStore } from '../src/store/sqlite/sqlite-store.ts'
import type { AffectedMessage } from '../src/store/store.ts'
import { ManualClock } from './manual-clock.ts'
import { account } from './message-store-contract-parts.ts'
import { HOUR_MS, NetworkUnderTest, openServices } from './network-under-test.ts'

const MEMBERS = 3
const AT_ONCE = 5_000

const hashes = Array.from({ length: AFFECTED_MAX }, (_, i) => {
  const digest = createHash('sha256').update(`${i}`).digest('base64')
  return digest.slice(0, 43)
})

async function openStore(directory: string, clock: ManualClock) {
  mkdirSync(directory, { recursive: true })
  return openSqliteStore(join(directory, 'messages.db'), { sizeLimitBytes: 1e9, clock, timers: systemTimers })
}

async function fill(store: Awaited<ReturnType<typeof openStore>>, clock: ManualClock, of: Uint8Array, count: number) {
  const rest = { account: of, namespace: 0, data: new Uint8Array(10), timestampMs: clock.ms, expiryMs: clock.ms + HOUR_MS }
  for (let at = 0; at < count; at += AT_ONCE) {
    const part = hashes.slice(at, Math.min(at + AT_ONCE, count))
    await Promise.all(part.map(hash => store.store({ ...rest, hash }, false, { atMs: clock.ms, mode: 'asked' })))
  }
}

describe('a mailbox of 60,000 messages at each of three members (NODE-32, NODE-37)', () => {
  let test: NetworkUnderTest
  let owner: RequestSigner
  const all = new Set(hashes.slice(0, AFFECTED_MAX))

  beforeAll(async () => {
    // Nobody compares meanwhile: what another member has deleted is not to be listed.
    test = await NetworkUnderTest.start({ nodes: MEMBERS, upkeep: { ...DEFAULT_SWARM, roundMs: HOUR_MS } })
    const { clock, directory } = test
    owner = test.account()
    await test.network.close()
    // All members hold the same, as if they had been told all along.
    for (let n = 1; n <= MEMBERS; n++) {
      const store = await openStore(join(directory, `node-${n}`), clock)
      await fill(store, clock, decodeHex(owner.accountId), AFFECTED_MAX)
      await store.close()
    }
    await test.restart()
    await Promise.all(test.network.nodes.map(node => node.complete()))
  }, 300_000)
  afterAll(() => test?.close())

  it('is deleted by one request, and each member tells and signs which messages', async () => {
    const timestampMs = test.clock.ms
    const request = buildDeleteAll(test.crypto, { namespace: 'all', timestampMs, signer: owner })
    const { status, body } = await test.request(request)
    expect(JSON.stringify(body).length).toBeLessThan(ANSWER_MAX_BYTES)
    const { done, failed } = parseDeleteAllResult(test.crypto, body, { accountId: owner.accountId, timestampMs })
    expect([status, done.length, failed]).toEqual([200, MEMBERS, []])
    for (const { entry } of done) {
      expect([...(entry as ReadonlyMap<Namespace, string[]>).keys()]).toEqual([0])
      expect(new Set((entry as ReadonlyMap<Namespace, string[]>).get(0 as Namespace))).toEqual(all)
    }
    for (let node = 0; node < MEMBERS; node++) expect(await test.texts(owner, 0, node)).toEqual([])
  }, 300_000)
})

describe('a mailbox of more messages (NODE-37)', () => {
  it('has the first 60,000 listed, slice by slice', () => {
    const affected: AffectedMessage[] = []
    const slice = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => ({ namespace: 0, hash: `${from + i}` }))
    addAffected(affected, slice(0, AFFECTED_MAX - 10))
    addAffected(affected, slice(AFFECTED_MAX - 10, 100))
    addAffected(affected, slice(AFFECTED_MAX + 90, 100))
    expect(affected).toEqual(slice(0, AFFECTED_MAX))
  })
  it('has an answer that a client can read: a longer entry is told as refused, and the request as done', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'many-messages-'))
    const clock = new ManualClock()
    const turns = { changes: new MailboxTurns(systemTimers), answers: new MailboxTurns(systemTimers) }
    const node = await openServices(directory, clock, { turns })
    const asked = { origin: 'client', atMs: clock.ms, mode: 'asked' } as const
    const answer = (count: number) =>
      writeToMailbox(node, asked, account(1), {
        request: () => ({ method: 'delete_all', params: {} }),
        execute: async () => ({ deleted: Array<string>(count).fill(hashes[0]!) }),
        readEntry: fields => fields,
        isProof: false,
      })
    const { ed25519 } = node.identity
    expect(await answer(250_000)).toMatchObject({ status: 200, body: { swarm: { [ed25519]: { failed: true, code: '413' } } } })
    expect(await answer(200_000)).toMatchObject({ status: 200, body: { swarm: { [ed25519]: { deleted: expect.any(Array) } } } })
    await node.store.close()
    rmSync(directory, { recursive: true, force: true })
  })
})

describe('turns (NODE-46)', () => {
  it('are taken by four accounts at once, by each with one change, and by the others in their order', async () => {
    const turns = new MailboxTurns(systemTimers)
    const started: string[] = []
    const take = async (n: number, name = `${n}`) => {
      const end = await turns.take(account(n))
      started.push(name)
      return end!
    }
    const [first, second] = [await take(1), await take(2)]
    const third = await take(3)
    const again = take(1, '1 again')
    const fourth = await take(4)
    const fifth = take(5)
    expect(started).toEqual(['1', '2', '3', '4'])
    second()
    second()
    const endFifth = await fifth
    expect(started.at(-1)).toBe('5')
    first()
    const endAgain = await again
    expect(started.at(-1)).toBe('1 again')
    for (const end of [third, fourth, endFifth, endAgain]) end()
    const later = await Promise.all(Array.from({ length: TURNS_MAX }, (_, n) => turns.take(account(n))))
    expect(later.every(end => end !== undefined)).toBe(true)
  })
  it('are not waited for by more than a bound, nor by more than a batch of one account', async () => {
    const turns = new MailboxTurns(systemTimers)
    const end = await turns.take(account(0))
    const own = Array.from({ length: TURNS_WAITING_PER_ACCOUNT }, () => turns.take(account(0)))
    expect(await turns.take(account(0))).toBeUndefined()
    for (let n = 1; n < TURNS_MAX; n++) await turns.take(account(n))
    const others = Array.from({ length: TURNS_WAITING_MAX - own.length }, (_, i) => turns.take(account(TURNS_MAX + i)))
    expect(await turns.take(account(255))).toBeUndefined()
    end!()
    expect(await own[0]).toBeTypeOf('function')
    expect(others).toHaveLength(TURNS_WAITING_MAX - TURNS_WAITING_PER_ACCOUNT)
  })
  it('that do not come in time are given up, and keep nobody from theirs', async () => {
    const late: (() => void)[] = []
    const turns = new MailboxTurns({
      after(delayMs, run) {
        expect(delayMs).toBe(TURN_PATIENCE_MS)
        late.push(run)
        return () => {}
      },
    })
    const end = await turns.take(account(1))
    const [tired, patient] = [turns.take(account(1)), turns.take(account(1))]
    late[0]!()
    expect(await tired).toBeUndefined()
    end!()
    expect(await patient).toBeTypeOf('function')
  })
})
