/** `npm start` tells its story and leaves homes that its printed commands can use. */
import type { ChildProcess } from 'node:child_process'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DEMO, ended, requireBuilt, run, start, stop, temporaryFolder } from './command-process.ts'

requireBuilt()

describe('the demonstration', () => {
  it('--once tells everything within 96 columns, then ends with 0 and leaves no warning', async () => {
    const { status, stdout, stderr } = await ended(start(['--once'], {}, DEMO))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout.match(/\b05[0-9a-f]{64}\b/g)!.length).toBeGreaterThanOrEqual(2)
    expect(stdout).toContain(' ••• ')
    expect(stdout).toContain('v2-pfs')
    expect(stdout).toContain('1,536 bytes')
    expect(stdout).not.toContain('\u001b')
    expect(Math.max(...stdout.split('\n').map(line => [...line].length))).toBeLessThanOrEqual(96)
  })

  it('stays up, and the commands that it prints work', async () => {
    const child = start([], {}, DEMO)
    onTestFinished(() => void child.kill('SIGINT'))
    const text = await textUntil(child, 'Ctrl-C')
    const commands = [...text.matchAll(/npx session-v2 (?:[^\n]|(?<=\\)\n)+/g)].map(match => match[0])
    expect(commands).toHaveLength(4)
    const printed: string[] = []
    for (const command of commands) {
      const shell = command.replace('npx session-v2', '"$@"').replace(' --follow', '')
      const { status, stdout } = await run([], { shell })
      expect([command, status]).toEqual([command, 0])
      printed.push(stdout)
    }
    expect(printed[2]).toContain('Hello Alice')
    expect(await stop(child, 'SIGINT')).toBe(0)
  })

  it('keeps its data when it is told where, and goes on with it', async () => {
    const { path, remove } = temporaryFolder()
    onTestFinished(remove)
    const ids: unknown[] = []
    for (let times = 0; times < 2; times++) {
      const { status, stdout } = await ended(start(['--once', '--data', path], {}, DEMO))
      expect(status).toBe(0)
      ids.push(stdout.match(/\b05[0-9a-f]{64}\b/g)!.slice(0, 2))
    }
    expect(ids[1]).toEqual(ids[0])
  })
})

/** What a child has printed as soon as the word is in it. */
function textUntil(child: ChildProcess, word: string): Promise<string> {
  let text = ''
  return new Promise(resolve => {
    child.stdout!.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (text.includes(word)) resolve(text)
    })
  })
}
