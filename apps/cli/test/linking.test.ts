/** The devices of one account, each a home of its own: linked, used, removed, split and joined again. */
import { cpSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorCode, type JsonRecord, RunningLines, start, stop } from './command-process.ts'
import { TestHome, TestNetwork } from './test-network.ts'

const STORY_TIMEOUT_MS = 600_000

let network: TestNetwork

beforeAll(async () => {
  network = await TestNetwork.start()
})
afterAll(async () => {
  await network.stop()
})

async function one(home: TestHome, ...words: string[]): Promise<JsonRecord> {
  const printed = await home.expect(words)
  expect(printed).toHaveLength(1)
  return printed[0]!
}

/** The home as it is now, in another folder. */
function copied(home: TestHome, name: string): TestHome {
  const copy = new TestHome(network.homeFolder(name), { account_id: home.accountId, device_id: home.deviceId })
  cpSync(home.folder, copy.folder, { recursive: true })
  return copy
}

async function bodies(home: TestHome): Promise<unknown[]> {
  return (await home.expect(['read'])).map(({ body }) => body).sort()
}

async function membership(home: TestHome): Promise<unknown> {
  return (await one(home, 'sync')).membership
}

async function currentKey(home: TestHome): Promise<number> {
  const { account_keys: keys } = await one(home, 'keys')
  return (keys as JsonRecord[]).find(({ current }) => current)!.created_at as number
}

describe('linking', { timeout: STORY_TIMEOUT_MS }, () => {
  it('when another device accepts first: both send to a third account, and both read everything', async () => {
    const [alice, bob] = [await network.account('Alice'), await network.account('Bob')]
    await bob.expect(['send', alice.accountId, 'before the link'])
    await alice.expect(['sync'])
    const second = await network.restored(alice, 'alice-second')
    const asked = await one(second, 'link', 'request')
    expect(asked).toMatchObject({ confirmed: false, accepted: false, membership: 'Waiting' })
    const request = await one(alice, 'link', 'requests')
    expect([request.emoji, request.names, request.emoji_all]).toEqual([asked.emoji, asked.names, asked.emoji_all])
    expect(await one(alice, 'link', 'accept', request.id as string)).toEqual({ ...request, status: 'accepted' })
    expect(await one(second, 'link', 'status')).toEqual({ ...asked, accepted: true })
    expect(await one(second, 'link', 'confirm')).toEqual({ ...asked, confirmed: true, accepted: true, membership: 'InGroup' })
    expect(await bodies(second)).toEqual(['before the link'])

    await second.expect(['send', bob.accountId, 'from the second'])
    await alice.expect(['send', bob.accountId, 'from the first'])
    await bob.expect(['send', alice.accountId, 'to both'])
    const all = ['before the link', 'from the first', 'from the second', 'to both']
    expect([await bodies(alice), await bodies(second), await bodies(bob)]).toEqual([all, all, all])
    for (const home of [alice, second]) expect((await home.expect(['read'])).every(({ pfs }) => pfs === true)).toBe(true)
  })

  it('when the person confirms first: the answer comes with the next command that syncs', async () => {
    const alice = await network.account('Anna')
    const second = await network.restored(alice, 'anna-second')
    const asked = await one(second, 'link', 'request')
    const confirmed = { ...asked, confirmed: true }
    expect(await one(second, 'link', 'confirm')).toEqual(confirmed)
    expect(await one(second, 'link', 'confirm')).toEqual(confirmed)
    await alice.expect(['link', 'accept', (await one(alice, 'link', 'requests')).id as string])
    const copy = copied(second, 'anna-copy')
    expect(await one(second, 'link', 'status')).toEqual({ ...confirmed, accepted: true, membership: 'InGroup' })
    // The same, where another command meets it.
    expect((await copy.show(['sync'])).stderr).toContain('This device is linked now')
    const idle = { emoji: [], names: [], emoji_all: [], expires_at: null, confirmed: false, accepted: false }
    expect(await one(second, 'link', 'status')).toEqual({ ...idle, membership: 'InGroup' })
    const ids = [alice.deviceId, second.deviceId].sort()
    for (const home of [alice, second]) expect((await home.expect(['devices', 'list'])).map(({ id }) => id).sort()).toEqual(ids)
  })

  it('--wait prints the request, then the answer; who is not asked is told what to type', async () => {
    const alice = await network.account('Wanda')
    const second = await network.restored(alice, 'wanda-second')
    const child = start(['--json', '--home', second.folder, 'link', 'request', '--wait'])
    const lines = new RunningLines(child)
    const asked = await lines.next()
    expect(asked).toMatchObject({ confirmed: false, accepted: false, membership: 'Waiting' })
    await alice.expect(['link', 'accept', (await one(alice, 'link', 'requests')).id as string])
    expect(await lines.next()).toEqual({ ...asked, accepted: true })
    expect(await lines.next()).toBeUndefined()
    const { stdout } = await second.show(['link', 'status'])
    expect(stdout).toContain(`session-v2 --home ${second.folder} link confirm`)
  })

  it('Ctrl-C while waiting leaves the request open', async () => {
    const alice = await network.account('Wilma')
    const second = await network.restored(alice, 'wilma-second')
    const child = start(['--json', '--home', second.folder, 'link', 'request', '--wait'])
    const asked = await new RunningLines(child).next()
    expect(await stop(child, 'SIGINT')).toBe(130)
    expect(await one(second, 'link', 'status')).toEqual(asked)
  })
})

describe('a device that is removed', { timeout: STORY_TIMEOUT_MS }, () => {
  it('says Removed, reads nothing new, and the account key changes in the same step', async () => {
    const alice = await network.account('Rita')
    const second = await network.linked(alice, 'rita-second')
    await one(alice, 'sync')
    const copy = copied(second, 'rita-old-copy')

    const before = await currentKey(alice)
    const removed = await one(alice, 'devices', 'remove', second.deviceId)
    expect(removed).toMatchObject({ id: second.deviceId, this: false, state: 'removed', removed_at: expect.any(Number) })
    expect(await currentKey(alice)).toBeGreaterThan(before)

    const stranger = await network.account('Sam')
    await stranger.expect(['send', alice.accountId, 'not for the removed'])
    await alice.expect(['send', stranger.accountId, 'from who remains'])
    expect(await bodies(alice)).toEqual(['from who remains', 'not for the removed'])
    expect(await bodies(second)).toEqual([])
    expect(await membership(second)).toBe('Removed')
    expect(await one(second, 'account', 'show')).toMatchObject({ membership: 'Removed' })

    const told = await second.show(['sync'])
    expect(told.stderr).toContain('This device was removed')
    expect(told.stderr).toContain(`session-v2 --home ${second.folder} device renew`)
    for (const words of [
      ['link', 'request'],
      ['group', 'start'],
    ])
      expect(errorCode(await second.run(words))).toBe('device-removed')

    // A home restored from a copy made before is told the same.
    expect(await membership(copy)).toBe('Removed')
    expect((await copy.show(['sync'])).stderr).toContain('This device was removed')
  })

  it('can begin anew and be let in again, under another ID', async () => {
    const alice = await network.account('Nora')
    const second = await network.linked(alice, 'nora-second')
    await alice.expect(['devices', 'remove', second.deviceId.slice(0, 12)])
    expect(await membership(second)).toBe('Removed')
    expect(await one(second, 'device', 'renew')).toEqual({ membership: 'GroupsVisible', group: null })
    const { device_id: renewed } = await one(second, 'account', 'show')
    expect(renewed).not.toBe(second.deviceId)
    await second.expect(['link', 'request'])
    const request = (await alice.expect(['link', 'requests'])).find(({ status }) => status === 'open')!
    expect(request.device).toMatchObject({ id: renewed })
    await alice.expect(['link', 'accept', request.id as string])
    expect(await one(second, 'link', 'confirm')).toMatchObject({ membership: 'InGroup' })
  })
})

describe('a fork', { timeout: STORY_TIMEOUT_MS }, () => {
  it('is told to the other group with what to type, and undone', async () => {
    const alice = await network.account('Flora')
    const { group } = await one(alice, 'account', 'show')
    const second = await network.restored(alice, 'flora-second')
    const started = await one(second, 'group', 'start')
    expect(started).toEqual({ membership: 'InGroup', group: expect.not.stringMatching(group as string) })

    const told = await alice.show(['sync'])
    expect(told.stderr).toContain('There is another device group of this account')
    const fork = started.group as string
    expect(told.stderr).toContain(`session-v2 --home ${alice.folder} group dismiss ${fork}`)
    const seen = await alice.expect(['link', 'groups'])
    expect(seen.map(({ id, ours }) => [id, ours]).sort()).toEqual(
      [
        [group, true],
        [fork, false],
      ].sort(),
    )

    expect(await one(second, 'link', 'request')).toMatchObject({ membership: 'InGroup', accepted: false })
    await alice.expect(['link', 'accept', (await one(alice, 'link', 'requests')).id as string])
    await second.expect(['link', 'confirm'])
    expect(await one(second, 'account', 'show')).toMatchObject({ membership: 'InGroup', group })
    expect(await one(alice, 'group', 'dismiss', fork)).toEqual({ membership: 'InGroup', group })
    for (const home of [alice, second]) {
      expect((await home.show(['sync'])).stderr).not.toContain('another device group')
      expect((await home.expect(['devices', 'list'])).filter(({ state }) => state === 'member')).toHaveLength(2)
    }
  })
})
