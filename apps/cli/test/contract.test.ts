/** Every command's `--json` output, field by field. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { errorCode, type JsonRecord, RunningLines, records, run, start, stop } from './command-process.ts'
import { type TestHome, TestNetwork } from './test-network.ts'

const ACCOUNT_ID = /^05[0-9a-f]{64}$/
const HEX_32 = /^[0-9a-f]{64}$/
const GROUP_ID = /^[0-9a-f]{16}$/

let network: TestNetwork
let alice: TestHome
let bob: TestHome

beforeAll(async () => {
  network = await TestNetwork.start()
  alice = await network.account('Alice')
  bob = await network.account('Bob', ['--words', '25'])
})
afterAll(async () => {
  await network.stop()
})

describe('network up', () => {
  it('prints the seed and nine nodes in three swarms', () => {
    const nodes = network.ready.nodes as { url: string; ed25519: string; x25519: string; swarm: string }[]
    expect(Object.keys(network.ready)).toEqual(['ready', 'seed', 'nodes'])
    expect(network.seed).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(nodes).toHaveLength(9)
    expect(new Set(nodes.map(node => node.swarm)).size).toBe(3)
    for (const node of nodes) {
      expect(Object.keys(node)).toEqual(['url', 'ed25519', 'x25519', 'swarm'])
      expect(node.ed25519).toMatch(HEX_32)
      expect(node.x25519).toMatch(HEX_32)
    }
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends it with 0 and removes the temporary folder', async signal => {
    const child = start(['network', 'up', '--nodes', '1', '--swarms', '1'])
    onTestFinished(() => void child.kill('SIGINT'))
    const text = await new Promise<string>(resolve => child.stdout!.setEncoding('utf8').once('data', resolve))
    const folder = /data\s+(\S+)/.exec(text)![1]!
    expect(existsSync(folder)).toBe(true)
    expect(await stop(child, signal)).toBe(0)
    expect(existsSync(folder)).toBe(false)
  })
})

describe('account', () => {
  it('create prints the id, the words and the device', async () => {
    const folder = network.homeFolder('Carol')
    const created = await run(['account', 'create', '--name', 'Carol', '--json', '--home', folder, '--seed', network.seed])
    const [account, ...more] = records(created)
    expect(more).toEqual([])
    expect(Object.keys(account!)).toEqual(['account_id', 'recovery_password', 'device_id'])
    expect(account!.account_id).toMatch(ACCOUNT_ID)
    expect(account!.device_id).toMatch(HEX_32)
    expect((account!.recovery_password as string).split(' ')).toHaveLength(13)
    expect(bob.recoveryPassword.split(' ')).toHaveLength(25)
  })

  it('create warns once about the key file, which only its owner can read', async () => {
    const folder = network.homeFolder('Dora')
    const { stderr } = await run(['account', 'create', '--name', 'Dora', '--home', folder, '--seed', network.seed])
    expect(stderr).toContain('warning: without a passphrase')
    expect(statSync(join(folder, 'key')).mode & 0o777).toBe(0o600)
    expect((await run(['account', 'show', '--home', folder])).stderr).toBe('')
  })

  it('show prints id, name, device, membership and group', async () => {
    const [account] = await alice.expect(['account', 'show'])
    const group = expect.stringMatching(GROUP_ID)
    expect(account).toEqual({
      ...{ account_id: alice.accountId, name: 'Alice', device_id: alice.deviceId },
      ...{ membership: 'InGroup', group },
    })
  })

  it('recovery-password prints the words', async () => {
    expect(await alice.expect(['account', 'recovery-password'])).toEqual([{ recovery_password: alice.recoveryPassword }])
  })

  it('restore brings the account back from stdin, any case and spacing', async () => {
    const words = ` ${alice.recoveryPassword.toUpperCase().replaceAll(' ', '\n  ')}\n`
    const restored = await run(
      ['--json', '--home', network.homeFolder('alice-2'), '--seed', network.seed, 'account', 'restore'],
      { stdin: words },
    )
    const [account, ...more] = records(restored)
    expect(more).toEqual([])
    const groups = await alice.expect(['link', 'groups'])
    expect(account).toEqual({
      ...{ account_id: alice.accountId, device_id: expect.stringMatching(HEX_32) },
      ...{ membership: 'GroupsVisible', groups: groups.map(group => ({ ...group, ours: false })) },
    })
    expect(account!.device_id).not.toBe(alice.deviceId)
  })
})

describe('account errors', () => {
  const broken: readonly (readonly [string, (words: string[]) => string[], RegExp])[] = [
    ['too few words', words => words.slice(0, 11), /11|few|short/],
    ['an unknown word', words => words.with(4, 'qwertz'), /word 5/],
    ['a wrong checksum', words => words.with(12, words[12] === 'abbey' ? 'zoom' : 'abbey'), /check|last word/],
  ]
  it.each(broken)('restore says what is wrong: %s', async (_what, spoil, message) => {
    const stdin = spoil(alice.recoveryPassword.split(' ')).join(' ')
    const folder = network.homeFolder('nobody')
    const result = await run(['--json', '--home', folder, '--seed', network.seed, 'account', 'restore'], { stdin })
    expect(result.status).toBe(1)
    const error = records(result)[0]!.error as { code: string; message: string }
    expect(error.code).toBe('bad-recovery-password')
    expect(error.message).toMatch(message)
    const after = await run(['--json', '--home', folder, 'account', 'show'])
    expect(errorCode(after)).toBe('no-account')
  })

  it('a home holds one account', async () => {
    const again = await alice.run(['--seed', network.seed, 'account', 'create', '--name', 'Second'])
    expect([again.status, errorCode(again)]).toEqual([1, 'account-exists'])
    expect(await alice.expect(['account', 'show'])).toMatchObject([{ account_id: alice.accountId }])
  })

  it('an empty home says how to make an account', async () => {
    const { status, stdout, stderr } = await run(['sync', '--home', network.homeFolder('empty')])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('session-v2 account create')
  })

  it('create without a seed is a usage error', async () => {
    const result = await run(['--json', '--home', network.homeFolder('seedless'), 'account', 'create', '--name', 'S'])
    expect([result.status, errorCode(result)]).toEqual([2, 'usage'])
  })
})

describe('send, sync, read, keys', () => {
  it('carry a message', async () => {
    const [sent] = await alice.expect(['send', bob.accountId, 'Grüße, Bob 👋'])
    expect(sent).toEqual({ message_id: expect.any(String), state: 'stored', protocol: 'v2-pfs' })
    const [synced] = await bob.expect(['sync'])
    expect(synced).toEqual({ received: 1, quarantined: 0, pushed: expect.any(Number), membership: 'InGroup' })
    const [message, ...more] = await bob.expect(['read', '--with', alice.accountId])
    expect(more).toEqual([])
    const fields = 'cursor message_id conversation sender outgoing body sent_at received_at protocol pfs'.split(' ')
    expect(Object.keys(message!)).toEqual(fields)
    expect(message).toMatchObject({
      conversation: alice.accountId,
      sender: alice.accountId,
      outgoing: false,
      body: 'Grüße, Bob 👋',
    })
    expect(message).toMatchObject({ protocol: 'v2-pfs', pfs: true })
    expect(Math.abs(Date.now() - (message!.sent_at as number))).toBeLessThan(60_000)
    expect(message!.received_at).toBeGreaterThanOrEqual(message!.sent_at as number)
  })

  it('read --after prints only what came later', async () => {
    const held = await bob.expect(['read'])
    expect(await bob.expect(['read', '--after', String(held.at(-1)!.cursor)])).toEqual([])
    await alice.expect(['send', bob.accountId, '-'], { stdin: 'two\nlines\n' })
    const later = await bob.expect(['read', '--after', String(held.at(-1)!.cursor)])
    expect(later.map(message => message.body)).toEqual(['two\nlines'])
  })

  it('read --with prints one conversation', async () => {
    const dave = await network.account('Dave')
    await dave.expect(['send', bob.accountId, 'from Dave'])
    expect((await bob.expect(['read', '--with', dave.accountId])).map(message => message.body)).toEqual(['from Dave'])
  })

  it('read --follow prints what comes, until Ctrl-C ends it with 0', async () => {
    const held = await bob.expect(['read'])
    const child = start(['--json', '--home', bob.folder, 'read', '--follow', '--after', String(held.at(-1)!.cursor)])
    onTestFinished(() => void child.kill('SIGINT'))
    const lines = new RunningLines(child)
    await alice.expect(['send', bob.accountId, 'while you watch'])
    expect(await lines.next()).toMatchObject({ body: 'while you watch' })
    expect(await stop(child, 'SIGINT')).toBe(0)
  })

  it('keys prints what is held, without secrets', async () => {
    const [held] = await alice.expect(['keys'])
    const inUse = { created_at: expect.any(Number), rotated_at: null, erase_at: null, current: true }
    expect(held).toEqual({ account_keys: [inUse], device_keys: [inUse] })
  })

  it('a wrong account id is refused and nothing is kept', async () => {
    for (const id of ['05zz', `15${alice.accountId.slice(2)}`]) {
      const result = await alice.run(['send', id, 'x'])
      expect([result.status, errorCode(result)]).toEqual([1, 'bad-account-id'])
    }
  })
})

describe('path', () => {
  it('prints three relays, the guard first, and a storage node of the account that is none of them', async () => {
    const [way, ...more] = await alice.expect(['path'])
    expect(more).toEqual([])
    expect(Object.keys(way!)).toEqual(['transport', 'relays', 'destination'])
    const nodes = [...(way!.relays as JsonRecord[]), way!.destination as JsonRecord]
    for (const node of nodes) expect(Object.keys(node)).toEqual(['ed25519', 'address'])
    const listed = network.ready.nodes as { url: string; ed25519: string }[]
    const known = listed.map(({ url, ed25519 }) => ({ ed25519, address: new URL(url).host }))
    expect(known).toEqual(expect.arrayContaining(nodes))
    expect([way!.transport, new Set(nodes.map(({ ed25519 }) => ed25519)).size]).toEqual(['onion', 4])
  })

  it('goes through at most two guards, however often a command runs', async () => {
    const guards = new Set<unknown>()
    for (let i = 0; i < 6; i++) guards.add(((await alice.expect(['path']))[0]!.relays as JsonRecord[])[0]!.ed25519)
    expect(guards.size).toBeLessThanOrEqual(2)
  })

  it('shows that --direct goes without relays', async () => {
    const [way] = await alice.expect(['--direct', 'path'])
    expect(way).toMatchObject({ transport: 'direct', relays: [] })
    const { stdout, stderr } = await run(['path', '--direct', '--home', alice.folder])
    expect([stdout, stderr]).toEqual([expect.stringContaining('directly'), ''])
  })

  it('is told to people by role, short name and address', async () => {
    const { stdout, stderr } = await run(['path', '--home', bob.folder])
    const roles = [...stdout.matchAll(/^ {2}(\w+) +[0-9a-f]{8}… {2}127\.0\.0\.1:\d+$/gm)].map(match => match[1])
    expect([roles, stderr]).toEqual([['guard', 'relay', 'relay', 'destination'], ''])
  })
})

describe('a local network that is too small for paths', () => {
  it('is used directly, and that is said on stderr unless it was chosen', async () => {
    const small = await TestNetwork.start(['--nodes', '2', '--swarms', '1'])
    onTestFinished(() => small.stop())
    const home = await small.account('Erin')
    expect((await home.expect(['path']))[0]).toMatchObject({ transport: 'direct', relays: [] })
    const synced = await run(['sync', '--home', home.folder])
    expect([synced.status, synced.stderr]).toEqual([0, expect.stringContaining('directly')])
    expect((await run(['sync', '--direct', '--home', home.folder])).stderr).toBe('')
  })
})

describe('output for people', () => {
  it('has no colour when piped and goes to stdout', async () => {
    const { stdout, stderr } = await run(['read', '--home', bob.folder], { env: { NO_COLOR: undefined } })
    expect(stdout).toContain('Grüße, Bob')
    expect(stdout).not.toContain('\u001b')
    expect(stderr).toBe('')
  })

  it('cannot be made to drive the terminal by a message', async () => {
    await alice.expect(['send', bob.accountId, 'red \u001b[31malert\u0007'])
    const { stdout } = await run(['read', '--home', bob.folder])
    expect(stdout).toContain('red \ufffd[31malert\ufffd')
  })

  it('ends quietly when the reader goes away', async () => {
    const { status, stderr } = await run(['completion', 'fish'], { shell: '"$@" | true; exit $PIPESTATUS' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})
