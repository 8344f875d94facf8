/**
 * What ten messages of 1 KB out of a mailbox of 60, 6,000 and 60,000 cost a node: the first ten, ten from the middle and the newest ten,
 * each behind a hash as a client asks for them, signed. CPU time of the node's process (Linux: /proc), the load in this one, in alternating
 * rounds. Every answer is compared with what the mailbox holds there.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Crypto, Random } from '@session-v2/crypto'
import { BATCH_MAX_REQUESTS, buildBatch, buildRetrieve, type RequestSigner, type RpcRequest } from '@session-v2/network'
import { type Comparison, median, medianRows, printComparison } from './harness.ts'
import { ask, askAll, checkStored, type Entry, INBOX, newAccount, openEntry, storeOf } from './node-load.ts'
import { newMember, startDaemon } from './peers/daemons.ts'
import { cpuUs } from './storage-rpc.bench.ts'
import type { Subjects } from './subjects.ts'

const SIZES = [60, 6_000, 60_000] as const
const MESSAGES = 10
const ROUNDS = 9
/** Until the engine has compiled what it will. */
const WARM_UP_ROUNDS = 3
const REQUESTS_A_ROUND = 200
const WORKERS = 8
/** Requests of the filling under way at once, each a full batch of stores. */
const FILLERS = 8
const TITLE = 'Retrieve 10 of 1 KB'

interface Mailbox {
  readonly owner: RequestSigner
  readonly size: number
  /** In the order of the node. */
  readonly hashes: readonly string[]
}

interface Page {
  readonly messages: readonly { readonly hash: string; readonly data: string }[]
  readonly more: boolean
}

/** Where the ten begin in a mailbox of a size. */
const PLACES: readonly [string, (size: number) => number][] = [
  ['the first', () => 0],
  ['from the middle', size => size / 2],
  ['the newest', size => size - MESSAGES],
]

export async function benchRetrieve({ native, random }: Subjects): Promise<Comparison[]> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-retrieve-'))
  const member = await newMember(native, random)
  const node = await startDaemon(directory, member, [member])
  const entry = openEntry(node.port)
  try {
    const mailboxes: Mailbox[] = []
    for (const size of SIZES) mailboxes.push(await fillMailbox(native, random, entry, size))
    return await comparePlaces(node.pid, native, entry, mailboxes)
  } finally {
    entry.agent.destroy()
    await node.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function comparePlaces(pid: number, crypto: Crypto, entry: Entry, mailboxes: readonly Mailbox[]): Promise<Comparison[]> {
  const samples = PLACES.map(() => mailboxes.map(() => ({ cpuUs: [] as number[], perSecond: [] as number[] })))
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    for (const [place, [, startOf]] of PLACES.entries()) {
      for (const [i, mailbox] of mailboxes.entries()) {
        const measured = await measureRound(pid, crypto, entry, mailbox, startOf(mailbox.size))
        if (round < 0) continue
        samples[place]![i]!.cpuUs.push(measured.cpuUs)
        samples[place]![i]!.perSecond.push(measured.perSecond)
      }
    }
  }
  const names = mailboxes.map(({ size }) => `out of ${size}`)
  return PLACES.map(([place], at) => {
    const taken = samples[at]!
    const rows = medianRows(
      names,
      taken.map(each => each.cpuUs),
    )
    const figures = names.map((name, i) => ({ name, value: median(taken[i]!.perSecond), unit: 'retrieves/s' }))
    const comparison = { title: `${TITLE}, ${place}: CPU of the node`, baseline: names[0]!, rows, figures }
    printComparison(comparison)
    return comparison
  })
}

async function measureRound(pid: number, crypto: Crypto, entry: Entry, { owner, hashes }: Mailbox, start: number) {
  const asked = retrieveBehind(crypto, owner, hashes[start - 1], MESSAGES)
  const requests = Array.from({ length: REQUESTS_A_ROUND }, () => asked)
  const expected = hashes.slice(start, start + MESSAGES).join()
  const isMore = start + MESSAGES < hashes.length
  const before = cpuUs(pid)
  const elapsedS = await askAll([entry], requests, WORKERS, ({ messages, more }: Page) => {
    if (messages.map(({ hash }) => hash).join() !== expected || more !== isMore) throw new Error('not the messages asked for')
  })
  return { cpuUs: (cpuUs(pid) - before) / REQUESTS_A_ROUND, perSecond: REQUESTS_A_ROUND / elapsedS }
}

/** `count` undefined: as many as an answer holds. */
function retrieveBehind(crypto: Crypto, signer: RequestSigner, lastHash: string | undefined, count?: number): string {
  const { accountId } = signer
  const asked = buildRetrieve(crypto, { accountId, namespace: INBOX, lastHash, timestampMs: Date.now(), signer, maxSize: -1 })
  return JSON.stringify({ ...asked, params: { ...asked.params, ...(count !== undefined && { max_count: count }) } })
}

async function fillMailbox(crypto: Crypto, random: Random, entry: Entry, size: number): Promise<Mailbox> {
  const owner = newAccount(crypto, random)
  const batchOf = (count: number): RpcRequest => {
    return buildBatch(Array.from({ length: count }, () => storeOf(crypto, random, owner.accountId)))
  }
  const batches = Array.from({ length: size / BATCH_MAX_REQUESTS }, () => JSON.stringify(batchOf(BATCH_MAX_REQUESTS)))
  await askAll([entry], batches, FILLERS, ({ results }: { readonly results: readonly { code: number; body: object }[] }) => {
    if (results.length !== BATCH_MAX_REQUESTS || results.some(({ code }) => code !== 200)) throw new Error('a store was refused')
    for (const { body } of results) checkStored(body, 1)
  })
  const hashes: string[] = []
  for (let more = true; more; ) {
    const page: Page = await ask(entry, retrieveBehind(crypto, owner, hashes.at(-1)))
    hashes.push(...page.messages.map(({ hash }) => hash))
    more = page.more
  }
  if (hashes.length !== size) throw new Error(`a mailbox of ${size} holds ${hashes.length}`)
  return { owner, size, hashes }
}
