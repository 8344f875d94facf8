/** The commands about devices, field by field, and what they refuse. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { errorCode, type JsonRecord } from './command-process.ts'
import { freePorts, type TestHome, TestNetwork } from './test-network.ts'

const HEX_32 = /^[0-9a-f]{64}$/
const GROUP_ID = /^[0-9a-f]{16}$/
const LINK_TTL_MS = 600_000
/** Each command is a process of its own. */
const COMMANDS_TIMEOUT_MS = 600_000

let network: TestNetwork
let alice: TestHome
let second: TestHome

beforeAll(async () => {
  network = await TestNetwork.start()
  alice = await network.account('Alice')
  second = await network.linked(alice, 'alice-second')
  await alice.expect(['sync'])
}, COMMANDS_TIMEOUT_MS)
afterAll(async () => {
  await network.stop()
})

async function refusal(home: TestHome, ...words: string[]): Promise<unknown[]> {
  const result = await home.run(words)
  return [result.status, errorCode(result)]
}

const DEVICE_FIELDS = ['id', 'this', 'type', 'description', 'version', 'state', 'updated_at', 'removed_at']
const COMPARED_FIELDS = ['emoji', 'names', 'emoji_all']
const OWN_REQUEST_FIELDS = [...COMPARED_FIELDS, 'expires_at', 'confirmed', 'accepted', 'membership']
const REQUEST_FIELDS = ['id', 'device', 'replaces', ...COMPARED_FIELDS, 'received_at', 'expires_at', 'status']

describe('devices', { timeout: COMMANDS_TIMEOUT_MS }, () => {
  it('list prints each device, this one first', async () => {
    const devices = await second.expect(['devices', 'list'])
    expect(devices.map(({ id }) => id)).toEqual([second.deviceId, alice.deviceId])
    for (const device of devices) {
      expect(Object.keys(device)).toEqual(DEVICE_FIELDS)
      expect(device).toMatchObject({ type: 'c', version: '0.1.0', state: 'member', removed_at: null })
      expect(Math.abs(Date.now() - (device.updated_at as number))).toBeLessThan(600_000)
    }
    expect(devices.map(device => device.this)).toEqual([true, false])
  })

  it('rename changes what the others see, cut to 64 bytes between characters', async () => {
    const name = `Küche 👩‍👩‍👧 ${'x'.repeat(64)}`
    const [renamed, ...more] = await alice.expect(['devices', 'rename', name])
    const cut = `Küche 👩‍👩‍👧 ${'x'.repeat(38)}`
    expect([more, Object.keys(renamed!), renamed!.description]).toEqual([[], DEVICE_FIELDS, cut])
    expect(Buffer.byteLength(cut)).toBe(64)
    const seen = (await second.expect(['devices', 'list'])).find(({ id }) => id === alice.deviceId)
    expect(seen).toMatchObject({ description: cut, this: false })
    expect((await second.show(['devices', 'list'])).stdout).toContain(cut)
    expect(await refusal(alice, 'devices', 'rename', ' ')).toEqual([2, 'usage'])
  })

  it('log prints what happened, oldest first', async () => {
    const entries = await alice.expect(['devices', 'log'])
    for (const entry of entries)
      expect(Object.keys(entry)).toEqual(['seen_at', 'kind', 'id', 'type', 'description', 'by_this_device'])
    expect(entries.map(({ kind, id, by_this_device }) => [kind, id, by_this_device])).toEqual([
      ['founded', alice.deviceId, true],
      ['joined', second.deviceId, true],
    ])
    expect((await alice.expect(['devices', 'log', '--last', '1'])).map(({ kind }) => kind)).toEqual(['joined'])
  })

  it('remove takes no device that is not there, not this one, and no beginning that is too short', async () => {
    expect(await refusal(alice, 'devices', 'remove', alice.deviceId)).toEqual([1, 'unknown-device'])
    expect(await refusal(alice, 'devices', 'remove', '0'.repeat(64))).toEqual([1, 'unknown-device'])
    expect(await refusal(alice, 'devices', 'remove', second.deviceId.slice(0, 3))).toEqual([2, 'usage'])
  })
})

describe('link', { timeout: COMMANDS_TIMEOUT_MS }, () => {
  it('groups prints the groups in view', async () => {
    const [group, ...more] = await alice.expect(['link', 'groups'])
    expect(more).toEqual([])
    expect(Object.keys(group!)).toEqual(['id', 'emoji', 'created_at', 'ours', 'dismissed'])
    expect(group).toMatchObject({ id: expect.stringMatching(GROUP_ID), ours: true, dismissed: false })
    expect(group!.emoji).toHaveLength(4)
    expect(Math.abs(Date.now() - (group!.created_at as number))).toBeLessThan(600_000)
  })

  it('request, status and cancel print what is asked', async () => {
    const third = await network.restored(alice, 'alice-third')
    const [asked, ...more] = await third.expect(['link', 'request'])
    expect([more, Object.keys(asked!)]).toEqual([[], OWN_REQUEST_FIELDS])
    const { emoji, names, emoji_all: all, expires_at: expiresAt, membership } = asked as JsonRecord & Record<string, string[]>
    expect([emoji!.length, names!.length, all!.length]).toEqual([7, 7, 21])
    expect(all!.slice(0, 7)).toEqual(emoji)
    expect(membership).toBe('Waiting')
    expect(Math.abs((expiresAt as unknown as number) - Date.now() - LINK_TTL_MS)).toBeLessThan(60_000)
    expect(await third.expect(['link', 'status'])).toEqual([asked])
    const idle = { emoji: [], names: [], emoji_all: [], expires_at: null, confirmed: false, accepted: false }
    expect(await third.expect(['link', 'cancel'])).toEqual([{ ...idle, membership: 'GroupsVisible' }])
    expect(await refusal(third, 'link', 'cancel')).toEqual([1, 'unknown-request'])
    expect(await refusal(third, 'link', 'confirm')).toEqual([1, 'unknown-request'])
  })

  it('requests and ignore print the request; asking again supersedes', async () => {
    const fourth = await network.restored(alice, 'alice-fourth')
    const [first] = await fourth.expect(['link', 'request'])
    const held = (await alice.expect(['link', 'requests'])).find(({ emoji_all: all }) => `${all}` === `${first!.emoji_all}`)!
    expect(Object.keys(held)).toEqual(REQUEST_FIELDS)
    expect(held).toMatchObject({ id: expect.stringMatching(HEX_32), replaces: false, status: 'open' })
    const device = { id: fourth.deviceId, type: 'c', description: expect.any(String), version: '0.1.0' }
    expect(held.device).toEqual({ ...device, updated_at: expect.any(Number) })
    expect(Object.keys(held.device as JsonRecord)).toEqual(['id', 'type', 'description', 'version', 'updated_at'])

    const [again] = await fourth.expect(['link', 'request'])
    expect(again!.emoji_all).not.toEqual(first!.emoji_all)
    const requests = (await alice.expect(['link', 'requests'])).filter(each => (each.device as JsonRecord).id === fourth.deviceId)
    expect(requests.map(({ status }) => status)).toEqual(['open', 'superseded'])
    expect(await refusal(alice, 'link', 'accept', held.id as string)).toEqual([1, 'unknown-request'])
    const { id } = requests[0]!
    expect(await alice.expect(['link', 'ignore', id as string, '--delete'])).toEqual([{ ...requests[0], status: 'ignored' }])
    expect(await refusal(alice, 'link', 'accept', id as string)).toEqual([1, 'unknown-request'])
    const fifth = await network.restored(alice, 'alice-fifth')
    await fifth.expect(['link', 'request'])
    const open = (await second.expect(['link', 'requests'])).filter(({ status }) => status === 'open')
    expect(open.map(request => (request.device as JsonRecord).id)).toContain(fifth.deviceId)
  })

  it('requests shows people the pictures and what to type; --all shows three lines of seven', async () => {
    const sixth = await network.restored(alice, 'alice-sixth')
    const { stdout: asked } = await sixth.show(['link', 'request', '--all'])
    const { stdout: shown } = await alice.show(['link', 'requests', '--all'])
    const pictures = asked.split('\n').filter(line => /^ {2}\p{Emoji}/u.test(line))
    expect(pictures).toHaveLength(3)
    for (const line of pictures) {
      expect(line.trim().split(/\s+/)).toHaveLength(7)
      expect(shown).toContain(line)
    }
    expect(shown).toMatch(/session-v2 --home \S+ link accept [0-9a-f]{8}\n/)
    expect((await alice.show(['sync'])).stderr).toMatch(/asks? to be let in/)
  })
})

describe('wrong states', { timeout: COMMANDS_TIMEOUT_MS }, () => {
  it('are refused with their code, and nothing changes', async () => {
    const outside = await network.restored(alice, 'alice-outside')
    const before = await outside.expect(['link', 'status'])
    const refused: readonly (readonly [TestHome, string[], unknown[]])[] = [
      [outside, ['link', 'accept', '0123'], [1, 'unknown-request']],
      [outside, ['devices', 'remove', second.deviceId], [1, 'unknown-device']],
      [outside, ['device', 'renew'], [1, 'already-in-group']],
      [outside, ['group', 'leave'], [1, 'not-in-group']],
      [outside, ['link', 'request', 'ffffffff'], [1, 'unknown-group']],
      [outside, ['group', 'dismiss', 'ff'], [2, 'usage']],
      [alice, ['link', 'request'], [1, 'already-in-group']],
      [alice, ['group', 'start'], [1, 'already-in-group']],
      [alice, ['device', 'renew'], [1, 'already-in-group']],
    ]
    for (const [home, words, expected] of refused) expect([words, await refusal(home, ...words)]).toEqual([words, expected])
    expect(await outside.expect(['link', 'status'])).toEqual(before)
  })

  it('a group that is left is left; its device is outside under another ID', async () => {
    const leaver = await network.linked(alice, 'alice-leaver')
    expect(await leaver.expect(['group', 'leave'])).toEqual([{ membership: 'GroupsVisible', group: null }])
    const told = await alice.show(['sync'])
    expect(told.stderr).toContain('Your devices have changed')
    const gone = (await alice.expect(['devices', 'list'])).find(({ id }) => id === leaver.deviceId)
    expect(gone).toMatchObject({ state: 'left', removed_at: expect.any(Number) })
  })
})

describe('without a network', { timeout: COMMANDS_TIMEOUT_MS }, () => {
  it('what is held is shown, and what needs the swarm says so', async () => {
    const other = await TestNetwork.start(['--nodes', '3', '--swarms', '1', '--port', String(await freePorts(4))])
    onTestFinished(() => other.stop())
    const home = await other.account('Olga')
    await other.goDown()
    const listed = await home.run(['devices', 'list'])
    expect([listed.status, errorCode(listed)]).toEqual([1, 'network-unavailable'])
    expect(listed.stdout).toContain(home.deviceId)
    expect(await refusal(home, 'link', 'request')).toEqual([1, 'network-unavailable'])
    const [shown] = await home.expect(['account', 'show'])
    expect(shown).toMatchObject({ account_id: home.accountId, membership: 'Unknown' })
    expect((await home.show(['keys'])).stdout).toContain('What would a thief of this device read today?')
  })
})
