/** `npm start` tells its story and leaves homes that its printed commands can use. */
import { describe, expect, it } from 'vitest'
import { DEMO, ended, requireBuilt, start, stop } from './command-process.ts'

requireBuilt()

describe('the demonstration', () => {
  it('--once tells everything within 96 columns, then ends with 0 and leaves no warning', async () => {
    const { status, stdout, stderr } = await ended(start(['--once'], {}, DEMO))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout.match(/\b05[0-9a-f]{64}\b/g)!.length).toBeGreaterThanOrEqual(2)
    expect(stdout).toContain('••••')
    expect(stdout).toContain('v2-pfs')
    expect(stdout).toContain('1,536 bytes')
    expect(stdout).not.toContain('\u001b')
    expect(Math.max(...stdout.split('\n').map(line => [...line].length))).toBeLessThanOrEqual(96)
  })

  it('the printed commands work', async () => {
    const child = start([], {}, DEMO)
    let text = ''
    await new Promise<void>(resolve => {
      child.stdout!.setEncoding('utf8').on('data', (part: string) => {
        text += part
        if (text.includes('Ctrl-C')) resolve()
      })
    })
    expect(text).toContain('npx session-v2')
    expect(await stop(child, 'SIGINT')).toBe(0)
  })
})
