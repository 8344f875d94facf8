/** A backup as a person makes and uses it: one file, a passphrase, homes. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeNewFile } from '../src/new-file.ts'
import { type Ended, errorCode, records, run } from './command-process.ts'
import { type TestHome, TestNetwork } from './test-network.ts'

const STORY_TIMEOUT_MS = 300_000

let network: TestNetwork
let alice: TestHome
let bob: TestHome
let words: readonly string[]

beforeAll(async () => {
  network = await TestNetwork.start()
  alice = await network.account('Alice')
  bob = await network.account('Bob 🧱')
  await alice.expect(['send', bob.accountId, 'Grüße 🐢'])
  await bob.expect(['send', alice.accountId, 'zurück'])
  await alice.expect(['sync'])
  words = ['--backup-passphrase-file', file('passphrase', 'correct horse battery staple\nnot this line')]
}, STORY_TIMEOUT_MS)
afterAll(() => network.stop())

/** A file in the folder of the test. */
function file(name: string, content?: string | Uint8Array): string {
  const path = join(network.folder, name)
  if (content !== undefined) writeFileSync(path, content)
  return path
}

async function exported(name: string): Promise<string> {
  const path = file(name)
  await alice.expect(['export', path, ...words])
  return path
}

/** Imports into a home that may be new. */
function imported(path: string, home: string, extra: readonly string[] = words): Promise<Ended> {
  return run(['--json', '--home', home, '--seed', network.seed, 'import', path, ...extra])
}

const shown = async (home: string) =>
  records(await run(['--json', '--home', home, 'read'])).map(({ body, sender }) => `${body} ${sender}`)

describe('export', { timeout: STORY_TIMEOUT_MS }, () => {
  it('writes one file that only its owner can read, and nothing else', async () => {
    const path = file('alice.backup')
    const before = readdirSync(network.folder)
    const [record] = await alice.expect(['export', path, ...words])
    const { size, mode } = statSync(path)
    expect(record).toEqual({ file: path, account_id: alice.accountId, messages: 2, conversations: 1, bytes: size })
    if (process.platform !== 'win32') expect(mode & 0o777).toBe(0o600)
    expect(readdirSync(network.folder).sort()).toEqual([...before, 'alice.backup'].sort())
    const bytes = readFileSync(path)
    for (const clear of ['Grüße', alice.accountId, bob.accountId, 'Alice']) expect(bytes.includes(clear)).toBe(false)
  })

  it('replaces nothing unless it is told to', async () => {
    const path = file('taken', 'precious')
    expect(errorCode(await alice.run(['export', path, ...words]))).toBe('file-exists')
    expect((await alice.show(['export', path, ...words])).stderr).toContain('--force')
    expect(readFileSync(path, 'utf8')).toBe('precious')
    await alice.expect(['export', path, ...words, '--force'])
    expect(readFileSync(path).subarray(0, 16).toString()).toBe('SessionV2 backup')
  })

  it('leaves what was there, and nothing beside it, when it fails', async () => {
    const path = file('kept', 'precious')
    const before = readdirSync(network.folder)
    const empty = file('empty', '')
    expect(errorCode(await alice.run(['export', path, '--force', '--backup-passphrase-file', empty]))).toBe('bad-passphrase-file')
    expect(errorCode(await alice.run(['export', path, '--force']))).toBe('backup-passphrase-needed')
    expect(errorCode(await alice.run(['export', join(network.folder, 'nowhere', 'x'), ...words]))).toBe('enoent')
    expect(readFileSync(path, 'utf8')).toBe('precious')
    expect(readdirSync(network.folder).filter(name => name !== 'empty')).toEqual(before.filter(name => name !== 'empty'))
  })
})

describe('a new file', () => {
  it('keeps what was there when the disk is full, and whatever came meanwhile', async () => {
    const folder = file('folder')
    mkdirSync(folder)
    const path = join(folder, 'backup')
    async function* ending(how: () => void) {
      yield Buffer.from('begun')
      how()
      yield Buffer.from(' and whole')
    }
    const full = () => {
      throw new Error('no space left')
    }
    const { signal } = new AbortController()
    const [fresh, replacing] = [
      { mayReplace: false, signal },
      { mayReplace: true, signal },
    ]
    await expect(writeNewFile(path, ending(full), fresh)).rejects.toThrow('no space left')
    expect(readdirSync(folder)).toEqual([])
    await expect(
      writeNewFile(
        path,
        ending(() => writeFileSync(path, 'theirs')),
        fresh,
      ),
    ).rejects.toThrow('already')
    await expect(writeNewFile(path, ending(full), replacing)).rejects.toThrow('no space left')
    expect(readFileSync(path, 'utf8')).toBe('theirs')
    expect(
      await writeNewFile(
        path,
        ending(() => undefined),
        replacing,
      ),
    ).toBe(15)
    expect(readFileSync(path, 'utf8')).toBe('begun and whole')
    const cut = new AbortController()
    const left: string[] = []
    const cutting = () => {
      left.push(...readdirSync(folder))
      cut.abort()
      left.push('then', ...readdirSync(folder))
    }
    await expect(writeNewFile(path, ending(cutting), { mayReplace: true, signal: cut.signal })).rejects.toThrow('ENOENT')
    expect(left).toEqual([expect.stringMatching(/^\.backup\..*\.part$/), 'backup', 'then', 'backup'])
    expect(readFileSync(path, 'utf8')).toBe('begun and whole')
    expect(readdirSync(folder)).toEqual(['backup'])
  })
})

describe('import', { timeout: STORY_TIMEOUT_MS }, () => {
  it('makes a new home with the history, whose device can found a group', async () => {
    const home = network.homeFolder('new')
    const [record] = records(await imported(await exported('first.backup'), home))
    expect(record).toMatchObject({
      account_id: alice.accountId,
      new_home: true,
      messages: 2,
      added: 2,
      conversations: 1,
      skipped: 0,
    })
    expect(record).toMatchObject({ membership: 'GroupsVisible', exported_at: expect.any(Number) })
    expect(record!.device_id).not.toBe(alice.deviceId)
    expect(await shown(home)).toEqual([`Grüße 🐢 ${alice.accountId}`, `zurück ${bob.accountId}`])
    const { stdout } = await run(['--json', '--home', home, 'account', 'recovery-password'])
    expect(JSON.parse(stdout)).toEqual({ recovery_password: alice.recoveryPassword })
    expect((await run(['--home', home, 'group', 'start'])).status).toBe(0)
    expect(records(await run(['--json', '--home', home, 'account', 'show']))[0]).toMatchObject({
      membership: 'InGroup',
      name: 'Alice',
    })
  })

  it('adds to a home of the account what is missing, once', async () => {
    const path = await exported('second.backup')
    expect(records(await alice.run(['import', path, ...words]))).toEqual([
      expect.objectContaining({ new_home: false, messages: 2, added: 0, device_id: alice.deviceId }),
    ])
    const other = await network.restored(alice, 'alice-again')
    expect(await other.expect(['import', path, ...words])).toEqual([expect.objectContaining({ new_home: false, added: 2 })])
    const { stdout } = await other.show(['import', path, ...words])
    expect(stdout).toMatch(/^Read 2 messages of .*\. New here: 0\.\n$/)
    expect(await shown(other.folder)).toHaveLength(2)
  })

  it('tells what is wrong with a backup, and makes no account of it', async () => {
    const path = await exported('third.backup')
    const bytes = readFileSync(path)
    const home = network.homeFolder('refused')
    const flipped = Buffer.from(bytes)
    flipped[200]! ^= 1
    const wrong = ['--backup-passphrase-file', file('wrong', 'incorrect horse')]
    const refused: Record<string, () => Promise<Ended>> = {
      'backup-damaged': () => imported(file('damaged', flipped), home),
      'backup-truncated': () => imported(file('cut', bytes.subarray(0, -9)), home),
      'wrong-backup-passphrase': () => imported(path, home, wrong),
      'backup-passphrase-needed': () => imported(path, home, []),
      enoent: () => imported(file('missing'), home),
    }
    for (const [code, attempt] of Object.entries(refused)) expect(errorCode(await attempt())).toBe(code)
    expect(errorCode(await run(['--json', '--home', home, 'account', 'show']))).toBe('no-account')
    expect((await run(['--home', home, 'import', path, ...words])).stderr).toContain('--seed')
    expect(errorCode(await bob.run(['import', path, ...words]))).toBe('other-account')
    const { stderr } = await bob.show(['import', path, ...wrong])
    expect(stderr).toContain('--backup-passphrase-file')
    expect(records(await imported(path, home))).toEqual([expect.objectContaining({ new_home: true, added: 2 })])
  })
})
