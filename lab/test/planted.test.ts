/** Each checker is able to fail: a part is made to misbehave, and the checker says so of a history that is sound without it. */
import type { Change, Http, HttpPost, RecordStore } from '@session-v2/client'
import { decodeUtf8, encodeUtf8 } from '@session-v2/encoding'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadCheapCrypto } from '../sim/cheap-crypto.ts'
import type { Device, Plant } from '../sim/device.ts'
import { runHistory } from '../sim/history.ts'
import { Stage } from '../sim/stage.ts'
import { compareNodes } from '../sim/storm.ts'

let crypto: Awaited<ReturnType<typeof loadCheapCrypto>>
beforeAll(async () => {
  crypto = await loadCheapCrypto()
})

/** Histories in which several devices are linked, rename themselves, write and are away. */
const SEEDS = [15, 1, 2]
const STEPS = 12
const TIMEOUT_MS = 300_000

/** What the checkers say of these histories, up to the first that gives them this to say. */
async function reports(plant: Plant, expected?: RegExp): Promise<string[]> {
  const said: string[] = []
  for (const seed of SEEDS) {
    const { violations } = await runHistory(crypto, seed, { plant, steps: STEPS })
    said.push(...violations.map(({ checker, text }) => `${checker}: ${text}`))
    if (expected !== undefined && said.some(text => expected.test(text))) break
  }
  return said
}

async function expectReport(plant: Plant, expected: RegExp): Promise<void> {
  expect(await reports(plant, expected)).toContainEqual(expect.stringMatching(expected))
}

/** A store whose commits are changed. */
function writing(store: RecordStore, change: (changes: readonly Change[]) => readonly Change[]): RecordStore {
  return {
    get: (table, key) => store.get(table, key),
    scan: (table, query) => store.scan(table, query),
    commit: (changes, options) => store.commit(change(changes), options),
    close: () => store.close(),
  }
}

/** The HTTP of a device where `answer` stands between it and the nodes. */
function between(
  http: Http,
  answer: (method: string, request: string, post: () => ReturnType<HttpPost>) => ReturnType<HttpPost>,
): Http {
  return {
    toSeed: http.toSeed,
    toNode: (url, body, signal) => {
      const request = decodeUtf8(body)
      return answer((JSON.parse(request) as { method: string }).method, request, () => http.toNode(url, body, signal))
    },
  }
}

interface Batch {
  results?: { body: { messages?: unknown[] } }[]
}

/** A node's answer to a poll without what it says of devices. */
async function withoutDevices(post: () => ReturnType<HttpPost>): ReturnType<HttpPost> {
  const answer = await post()
  const batch = JSON.parse(decodeUtf8(answer.body)) as Batch
  const first = batch.results?.[0]
  if (first?.body.messages !== undefined) first.body.messages = []
  return { ...answer, body: encodeUtf8(JSON.stringify(batch)) }
}

const isMember = (device: Device) => device.isRunning && device.client.account().membership === 'InGroup'

describe('a checker reports', { timeout: TIMEOUT_MS }, () => {
  it('nothing where no part misbehaves', async () => {
    expect(await reports({})).toEqual([])
  })

  it('readable: a message that a device does not keep', async () => {
    const forgetful = (store: RecordStore, { name }: Device) =>
      name === 'alice/1' ? writing(store, changes => changes.filter(({ table }) => table !== 'messages')) : store
    await expectReport({ store: forgetful }, /^readable: alice\/1 lacks/)
  })

  it('readable: a message that is shown twice', async () => {
    await expectReport({ shown: messages => [...messages, ...messages.slice(0, 1)] }, /^readable: .* twice$/)
  })

  it('readable: a message that was there and is gone', async () => {
    const shown: Plant['shown'] = (messages, { known }) => {
      const [first] = known
      return messages.filter(({ body }) => body !== first)
    }
    await expectReport({ shown }, /^readable: .* has lost/)
  })

  it('agreement: a member that learns nothing of the others', async () => {
    const deaf = (http: Http, device: Device) =>
      between(http, (method, _request, post) => (method === 'batch' && isMember(device) ? withoutDevices(post) : post()))
    await expectReport({ http: deaf }, /^agreement: /)
  })
})

describe('a checker of what was said reports', { timeout: TIMEOUT_MS }, () => {
  it('conversation: a message that nobody wrote', async () => {
    const shown: Plant['shown'] = messages => messages.map(message => ({ ...message, body: `${message.body}!` }))
    await expectReport({ shown }, /^conversation: .*nobody wrote it/)
  })

  it('conversation: a message that stands elsewhere', async () => {
    const shown: Plant['shown'] = messages => messages.map(message => ({ ...message, conversation: message.sender }))
    await expectReport({ shown }, /^conversation: .*another conversation/)
  })

  it('stuck: messages that never go out', async () => {
    const mute = (http: Http) =>
      between(http, (method, request, post) => {
        const isMessage = method === 'store' && !request.includes('"namespace":')
        return isMessage ? Promise.resolve({ status: 500, body: encodeUtf8('no') }) : post()
      })
    await expectReport({ http: mute }, /^stuck: .* messages to send/)
  })

  it('stuck: a message in quarantine that could be opened', async () => {
    const hoarding = (store: RecordStore) =>
      writing(store, changes => changes.filter(({ kind, table }) => kind !== 'delete' || table !== 'quarantine'))
    await expectReport({ store: hoarding }, /^stuck: .* quarantine/)
  })
})

describe('a checker of what is kept reports', { timeout: TIMEOUT_MS }, () => {
  it('erased: a program that writes its keys into a diary', async () => {
    const afterwards: Plant['afterwards'] = async (device, store, { deviceKeys }) => {
      const seeds = deviceKeys.map(({ seed }) => seed)
      await device.disk.append([store.put('diary', seeds.join(), { seeds })])
    }
    await expectReport({ afterwards }, /^erased: .* diary still has an erased device key/)
  })

  it('exposure: a device whose group messages are never confirmed, so that it keeps its keys', async () => {
    const unheard = (http: Http) =>
      between(http, (method, _request, post) => {
        if (method !== 'sequence') return post()
        return post().then(() => Promise.reject(new Error('the answer is lost')))
      })
    await expectReport({ http: unheard }, /^exposure: .* a device key is/)
  })

  it('error: what no person should ever be told', async () => {
    let writes = 0
    const full = (store: RecordStore) =>
      writing(store, changes => {
        if (++writes > 60) throw new Error('no space left on device')
        return changes
      })
    await expectReport({ store: full }, /^error: /)
  })

  it('nodes: members of a swarm that are kept apart', async () => {
    const stage = new Stage(crypto, 1, {})
    await stage.begin()
    for (const node of stage.nodes.slice(1)) stage.network.cut(stage.nodes[0]!.place, node.place)
    await stage.addPerson('alice', 1)
    await compareNodes(stage)
    await stage.close()
    expect(stage.violations).toMatchObject([{ checker: 'nodes' }])
  })
})
