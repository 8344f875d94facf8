/** Older messages that one home hands over to another home of the account. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorCode, type JsonRecord, RunningLines, start } from './command-process.ts'
import { type TestHome, TestNetwork } from './test-network.ts'

const STORY_TIMEOUT_MS = 600_000

let network: TestNetwork

beforeAll(async () => {
  network = await TestNetwork.start()
})
afterAll(() => network.stop())

async function shown(home: TestHome): Promise<{ own: JsonRecord; asked: JsonRecord[] }> {
  const [own, ...asked] = await home.expect(['history', 'show'])
  return { own: own!, asked }
}

/** An account of two linked homes, the first of which has three messages. */
async function twoHomes(name: string): Promise<[TestHome, TestHome]> {
  const first = await network.account(name)
  const other = await network.account(`${name}-friend`)
  for (const text of ['one', 'two', 'three']) await other.expect(['send', first.accountId, text])
  await first.expect(['sync'])
  return [first, await network.linked(first, `${name}-second`)]
}

describe('history', { timeout: STORY_TIMEOUT_MS }, () => {
  it('is asked for, handed over, and complete on both sides', async () => {
    const [first, second] = await twoHomes('Hanna')
    expect(await shown(second)).toEqual({ own: expect.objectContaining({ own: true, id: null, state: null }), asked: [] })
    const child = start(['--json', '--home', second.folder, 'history', 'ask', '--days', '30', '--wait'])
    const lines = new RunningLines(child)
    let asked: JsonRecord[] = []
    while (asked.length === 0) asked = (await shown(first)).asked
    const { id } = asked[0]!
    expect(asked).toEqual([
      expect.objectContaining({ own: false, state: 'open', device: second.deviceId, since: expect.any(Number), sent: 0 }),
    ])
    const [given] = await first.expect(['history', 'give', id as string, '--wait'])
    expect(given).toMatchObject({ id, state: 'done', sent: 3, total: 3, end: 'complete' })
    expect(await lines.next()).toMatchObject({ own: true, id, state: 'done', received: 3, total: 3, device: first.deviceId })
    expect(await lines.next()).toBeUndefined()
    expect((await second.expect(['read'])).map(({ body }) => body).sort()).toEqual(['one', 'three', 'two'])
  })
  it('is refused, given after all, and taken back; people read what to type', async () => {
    const [first, second] = await twoHomes('Henri')
    expect((await second.show(['history', 'ask'])).stdout).toContain('history show')
    const { stdout } = await first.show(['history', 'show'])
    const { id } = (await shown(first)).asked[0]!
    expect(stdout).toContain(`history give ${(id as string).slice(0, 8)}`)
    expect(await first.expect(['history', 'refuse', id as string])).toEqual([expect.objectContaining({ id, state: 'refused' })])
    expect((await shown(second)).own).toMatchObject({ id, state: 'asking' })
    expect(await second.expect(['history', 'cancel'])).toEqual([expect.objectContaining({ id, state: 'ended', end: 'cancelled' })])
    const [again] = await second.expect(['history', 'ask'])
    await first.expect(['history', 'refuse', again!.id as string])
    const [given] = await first.expect(['history', 'give', (again!.id as string).slice(0, 8)])
    expect(given).toMatchObject({ id: again!.id, state: 'sending', total: 3 })
    expect((await shown(second)).own).toMatchObject({ id: again!.id, state: 'done', received: 3, end: 'complete' })
    expect(errorCode(await second.run(['history', 'cancel']))).toBe('unknown-request')
    expect(errorCode(await first.run(['history', 'give', 'ffffffff']))).toBe('unknown-request')
  })
  it('is nothing that an account of one device could ask for', async () => {
    const alone = await network.account('Harry')
    expect(errorCode(await alone.run(['history', 'ask']))).toBe('unknown-device')
  })
})
