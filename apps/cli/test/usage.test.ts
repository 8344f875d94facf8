import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../src/command-table.ts'
import { records, requireBuilt, run } from './command-process.ts'

requireBuilt()

describe('help', () => {
  it('lists every command and the exit statuses', async () => {
    const { status, stdout, stderr } = await run(['--help'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    for (const { name } of COMMANDS) expect(stdout).toContain(name.split(' ')[0])
    expect(stdout).toContain('Exit status: 0 done')
  })

  it.each(COMMANDS.map(spec => [spec.name, spec] as const))('%s --help teaches with an example', async (name, spec) => {
    const { status, stdout } = await run([...name.split(' '), '--help'])
    expect(status).toBe(0)
    expect(stdout).toContain(`Example:\n  $ ${spec.example}`)
    for (const option of spec.options ?? []) expect(stdout).toContain(option.flags)
    expect(stdout).toContain('Global Options:')
    expect(stdout).toContain('--passphrase-file')
    expect(Math.max(...stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(110)
  })

  it('help COMMAND is the same as COMMAND --help', async () => {
    expect((await run(['help', 'send'])).stdout).toBe((await run(['send', '--help'])).stdout)
  })

  it('prints the version', async () => {
    expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

const WRONG: readonly (readonly [string, readonly string[]])[] = [
  ['no command', []],
  ['a group without its command', ['account']],
  ['an unknown command', ['frobnicate']],
  ['an unknown command of a group', ['account', 'frobnicate']],
  ['devices without its command', ['devices']],
  ['link without its command', ['link']],
  ['a device that is not named', ['devices', 'remove']],
  ['a request that is not named', ['link', 'accept']],
  ['two groups to ask', ['link', 'request', '0011', '2233']],
  ['an unknown option', ['sync', '--fast']],
  ['a missing operand', ['send', '05'.padEnd(66, '0')]],
  ['one operand too many', ['send', '05'.padEnd(66, '0'), 'two', 'words']],
  ['a missing option', ['account', 'create', '--seed', 'http://127.0.0.1:1']],
  ['a missing option value', ['account', 'create', '--name']],
  ['a number of words there is not', ['account', 'create', '--name', 'A', '--words', '14']],
  ['a port there is not', ['network', 'up', '--port', '65536']],
  ['more swarms than nodes', ['network', 'up', '--nodes', '2', '--swarms', '3']],
  ['a timeout of zero', ['sync', '--timeout', '0']],
  ['a seed that is no URL', ['sync', '--seed', 'localhost:1234']],
  ['a shell there is no completion for', ['completion', 'tcsh']],
]

describe('a wrong command line', () => {
  it.each(WRONG)('%s ends with 2 and a sentence on stderr', async (_what, words) => {
    const { status, stdout, stderr } = await run(words)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr.length).toBeGreaterThan(20)
  })

  it.each(WRONG)('%s ends with 2 and one object with --json', async (_what, words) => {
    const result = await run(['--json', ...words])
    expect({ status: result.status, stderr: result.stderr }).toEqual({ status: 2, stderr: '' })
    const printed = records(result)
    expect(printed).toHaveLength(1)
    expect(printed[0]).toEqual({ error: { code: 'usage', message: expect.stringMatching(/\w+ \w+/) } })
  })
})

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('%s knows every command and option', async shell => {
    const { status, stdout } = await run(['completion', shell])
    expect(status).toBe(0)
    const names = COMMANDS.flatMap(spec => spec.name.split(' '))
    const options = COMMANDS.flatMap(spec => spec.options ?? []).map(option => option.flags.split(' ')[0]!.slice(2))
    for (const word of [...names, ...options, 'passphrase-file']) expect(stdout).toContain(word)
  })
})
