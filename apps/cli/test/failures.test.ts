/** When something is wrong: each failure has its code, and nothing is lost. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { errorCode, RunningLines, records, start, stop } from './command-process.ts'
import { freePorts, type TestHome, TestNetwork } from './test-network.ts'

const SHIFTED_CLOCK = fileURLToPath(new URL('./fixtures/shifted-clock.mjs', import.meta.url))
const HOUR_MS = 3_600_000

let network: TestNetwork
let alice: TestHome
let bob: TestHome

beforeAll(async () => {
  network = await TestNetwork.start()
  alice = await network.account('Alice')
  bob = await network.account('Bob')
})
afterAll(async () => {
  await network.stop()
})

function passphraseFile(name: string, text: string): string {
  const path = join(network.folder, name)
  writeFileSync(path, text)
  return path
}

async function outgoing(home: TestHome): Promise<unknown[]> {
  return (await home.expect(['read'])).filter(message => message.outgoing).map(message => message.body)
}

async function incoming(home: TestHome): Promise<unknown[]> {
  return (await home.expect(['read'])).filter(message => !message.outgoing).map(message => message.body)
}

describe('a passphrase', () => {
  it('opens the home, and nothing else does', async () => {
    const right = passphraseFile('right', 'correct horse\n')
    const eve = await network.account('Eve', ['--passphrase-file', right])
    expect(await eve.expect(['account', 'show', '--passphrase-file', right])).toMatchObject([{ account_id: eve.accountId }])
    const attempts: (readonly [string, string[]])[] = [
      ['passphrase-needed', []],
      ['wrong-passphrase', ['--passphrase-file', passphraseFile('wrong', 'correct house\n')]],
      ['bad-passphrase-file', ['--passphrase-file', passphraseFile('void', '\n')]],
      ['bad-passphrase-file', ['--passphrase-file', join(network.folder, 'absent')]],
    ]
    for (const [code, words] of attempts) {
      const result = await eve.run(['account', 'show', ...words])
      expect([code, result.status, errorCode(result)]).toEqual([code, 1, code])
    }
  })

  it('is refused by a home that has a key file', async () => {
    const result = await alice.run(['account', 'show', '--passphrase-file', passphraseFile('any', 'any\n')])
    expect([result.status, errorCode(result)]).toEqual([1, 'bad-unlock'])
  })

  it('is worth more than a key file that others can read, which is said', async () => {
    const careless = await network.account('Careless')
    chmodSync(join(careless.folder, 'key'), 0o644)
    const { status, stderr } = await careless.run(['account', 'show'])
    expect(status).toBe(0)
    expect(stderr).toContain('chmod 600')
  })
})

describe('two processes on one home', () => {
  it('the second is told home-locked, and can go on when the first has ended', async () => {
    const child = start(['--json', '--home', bob.folder, 'read', '--follow'])
    onTestFinished(() => void child.kill('SIGKILL'))
    const lines = new RunningLines(child)
    await alice.expect(['send', bob.accountId, 'hold the door'])
    expect(await lines.next()).toMatchObject({ body: 'hold the door' })
    const second = await bob.run(['account', 'show'])
    expect([second.status, errorCode(second)]).toEqual([1, 'home-locked'])
    await stop(child, 'SIGKILL')
    expect(await bob.expect(['account', 'show'])).toMatchObject([{ account_id: bob.accountId }])
  })
})

describe('a full disk', () => {
  it('refuses with store-failed, keeps what was held and loses nothing accepted', async () => {
    const before = await outgoing(alice)
    const accepted: string[] = []
    const codes: unknown[] = []
    // No file of the process may grow beyond this many KiB: the write-ahead log hits it sooner or later.
    for (const limitKiB of [0, 4, 8, 16, 32, 48]) {
      const body = `limit ${limitKiB}`
      const result = await alice.run(['send', bob.accountId, body], { shell: `ulimit -f ${limitKiB}; exec "$@"` })
      if (result.status === 0) accepted.push(body)
      else codes.push(errorCode(result))
    }
    expect(codes.length).toBeGreaterThan(0)
    expect(new Set(codes)).toEqual(new Set(['store-failed']))
    const after = await outgoing(alice)
    expect(after.slice(0, before.length)).toEqual(before)
    expect(after).toEqual(expect.arrayContaining(accepted))
    await alice.expect(['sync'])
    const arrived = (await incoming(bob)).filter(body => (body as string).startsWith('limit'))
    expect(arrived).toEqual(after.slice(before.length))
  })
})

describe('no network', () => {
  it('send leaves the message in the outbox, says so and ends with 0; sync delivers it', async () => {
    const other = await TestNetwork.start(['--nodes', '3', '--swarms', '1', '--port', String(await freePorts(4))])
    onTestFinished(() => other.stop())
    const [carol, dave] = [await other.account('Carol'), await other.account('Dave')]
    expect(await other.goDown()).toBe(0)
    const [sent] = await carol.expect(['send', dave.accountId, 'patience', '--timeout', '3'])
    expect(sent).toMatchObject({ state: 'queued' })
    const offline = await carol.run(['read'])
    expect([offline.status, errorCode(offline)]).toEqual([1, 'network-unavailable'])
    expect(records(offline)[0]).toMatchObject({ body: 'patience', outgoing: true })
    await other.serve()
    await carol.expect(['sync'])
    expect(await incoming(dave)).toEqual(['patience'])
  })
})

describe('a clock that is an hour off', () => {
  it.each([HOUR_MS, -HOUR_MS])('by %i ms is put right by what the nodes say, and nothing is lost', async shiftMs => {
    const body = `shifted ${shiftMs}`
    const env = { NODE_OPTIONS: `--import=${SHIFTED_CLOCK}`, CLOCK_SHIFT_MS: String(shiftMs) }
    expect(await alice.expect(['send', bob.accountId, body], { env })).toMatchObject([{ state: 'stored' }])
    expect(await bob.expect(['sync'], { env })).toMatchObject([{ received: 1 }])
    expect((await incoming(bob)).filter(text => text === body)).toEqual([body])
  })
})
