/** What people are told of devices, without a network: of states that take hours to come about, and of names and IDs of every kind. */
import { execFile } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import type { ClientError, DevicesView, GroupView } from '@session-v2/client'
import { describe, expect, it } from 'vitest'
import { chosen } from '../src/devices/chosen.ts'
import { countdown, isFoundOnJoining, logSentence } from '../src/devices/device-text.ts'
import { emojiLines } from '../src/devices/emoji-lines.ts'
import { exposureOf, exposureText } from '../src/devices/exposure.ts'
import { type Notice, noticesOf, noticeText } from '../src/devices/notices.ts'
import { describable, thisDevice } from '../src/devices/this-device.ts'
import type { CliError } from '../src/failure.ts'
import { columnsOf, paintFor } from '../src/output.ts'
import { typed } from '../src/shell-word.ts'
import { MAIN, requireBuilt } from './command-process.ts'

requireBuilt()

const PLAIN = paintFor({})
const OPTIONS = { json: false, home: './my home' }
const DAY_MS = 86_400_000

describe('what a device says of itself', () => {
  it('is the command line, its version and the name of the computer', () => {
    expect(thisDevice({ version: '1.20.3', hostName: 'laptop' })).toEqual({
      ...{ type: 'c', version: [1, 20, 3], description: 'laptop' },
    })
  })

  it.each([
    ['a'.repeat(70), 'a'.repeat(64)],
    ['ü'.repeat(40), 'ü'.repeat(32)],
    [`${'a'.repeat(50)}👩‍👩‍👧`, 'a'.repeat(50)],
    [' two\nlines \u001b[31m', 'two lines \ufffd[31m'],
    ['half \ud800', 'half \ufffd'],
  ])('is cut to 64 bytes on one line, between characters: %j', (name, cut) => {
    expect(describable(name)).toBe(cut)
  })
})

describe('an ID', () => {
  const among = ['0123456789', '0123ffffff', 'abcdef0123']
  const find = (text: string) => chosen(text, { among, idOf: id => id, noun: 'device', unknown: 'unknown-device' })
  const codeOf = (text: string) => {
    try {
      return find(text)
    } catch (error) {
      return (error as CliError | ClientError).code
    }
  }

  it('may be shortened to 4 characters that fit one only, in any case', () => {
    expect([find('01234'), find('ABCD'), find('0123FFFFFF')]).toEqual([among[0], among[2], among[1]])
  })

  it('is refused when it is too short, fits several or none', () => {
    expect(['012', '', '0123', '01239', 'ffff'].map(codeOf)).toEqual([
      ...['usage', 'usage', 'ambiguous-id', 'unknown-device', 'unknown-device'],
    ])
    expect(() => find('0123')).toThrow(/01234567, 0123ffff/)
  })
})

describe('pictures', () => {
  const emoji = Array.from({ length: 21 }, (_, i) => ({ emoji: i % 2 === 0 ? '🐶' : '☂️', name: `Name-${i}` }))

  it('stand seven a line with their names below', () => {
    const lines = emojiLines(emoji, { paint: PLAIN, columns: 80 }).split('\n')
    expect(lines).toHaveLength(8)
    for (const [index, line] of lines.entries()) {
      if (index % 3 === 2) expect(line).toBe('')
      else expect(line.trim().split(/ +/)).toHaveLength(7)
      expect(columnsOf(line)).toBeLessThanOrEqual(79)
    }
    // A name begins in the column of its picture.
    expect(columnsOf(lines[0]!.slice(0, lines[0]!.lastIndexOf('🐶')))).toBe(lines[1]!.indexOf('Name-6'))
  })

  it('stand one a line where the terminal is narrow', () => {
    expect(emojiLines(emoji.slice(0, 2), { paint: PLAIN, columns: 40 })).toBe('  🐶  Name-0\n  ☂️  Name-1')
  })
})

const OURS: GroupView = {
  ...{ id: '0011223344556677', emoji: [{ emoji: '🐶', name: 'Dog' }], createdAtMs: 0 },
  ...{ isOurs: true, isDismissed: false },
}
const OTHER: GroupView = { ...OURS, id: '8899aabbccddeeff', isOurs: false }
const NO_NEWS = { changes: [], alarm: false, joined: false }

function view(parts: Partial<DevicesView>): DevicesView {
  return { membership: 'InGroup', group: OURS, devices: [], groups: [OURS], requests: [], ownRequest: undefined, ...parts }
}

const stepsOf = (notices: readonly Notice[]) => notices.flatMap(({ steps }) => steps.map(([, command]) => command))

describe('notices', () => {
  it('are none for a device that is linked, when nothing happened', () => {
    expect(noticesOf(view({ groups: [OURS, { ...OTHER, isDismissed: true }] }), NO_NEWS, OPTIONS)).toEqual([])
  })

  it.each([
    ['Removed', 'removed', ['device renew', 'link request --wait']],
    ['Displaced', 'taken the place', ['device renew', 'link request --wait']],
    ['CutOff', 'gone from the network', ['link request 8899aabbccddeeff --wait', 'devices rename TEXT']],
    ['GroupsVisible', 'not linked', ['link request --wait', 'group start']],
    ['NoGroup', 'No device', ['group start']],
    ['Waiting', 'waits', ['link status']],
  ] as const)('%s is told with what to type next', (membership, words, commands) => {
    const [notice, ...more] = noticesOf(view({ membership, groups: [OTHER] }), NO_NEWS, OPTIONS)
    expect(more).toEqual([])
    expect(notice!.title).toContain(words)
    expect(stepsOf([notice!])).toEqual(commands.map(command => `session-v2 --home './my home' ${command}`))
  })

  it('tell once that the device was let in', () => {
    expect(noticesOf(view({}), { ...NO_NEWS, joined: true }, OPTIONS).map(({ title }) => title)).toEqual([
      'This device is linked now',
    ])
  })

  it('a group is asked by its name where there are several', () => {
    const several = view({ membership: 'GroupsVisible', groups: [OTHER, { ...OTHER, id: '9999' }] })
    expect(stepsOf(noticesOf(several, NO_NEWS, OPTIONS))[0]).toContain('link request GROUP --wait')
  })

  it('another group and keys of strangers are told, the alarm first', () => {
    const fork = view({ groups: [OURS, OTHER] })
    const notices = noticesOf(fork, { ...NO_NEWS, alarm: true }, OPTIONS)
    expect(notices.map(({ topic }) => topic)).toEqual(['alarm', 'fork'])
    expect(notices[0]!.text[0]).toContain('either the other group did')
    expect(noticesOf(view({}), { ...NO_NEWS, alarm: true }, OPTIONS)[0]!.text[0]).toContain('a new account')
  })

  it('fit the terminal, except what is to be typed', () => {
    const text = noticesOf(view({ membership: 'Displaced' }), NO_NEWS, OPTIONS).map(each => noticeText(each, PLAIN, 60))
    const lines = text.join('\n').split('\n')
    for (const line of lines.filter(each => !each.includes('session-v2'))) expect(line.length).toBeLessThanOrEqual(60)
    expect(lines.length).toBeGreaterThan(5)
  })
})

describe('the log', () => {
  const entry = { seenAtMs: 5, deviceId: 'ab'.repeat(32), description: 'old\nphone', deviceType: 'a' } as const

  it('says who did it, as far as this device knows', () => {
    const sentence = (kind: 'joined' | 'left' | 'this-left', byThisDevice: boolean) =>
      logSentence({ ...entry, kind, byThisDevice })
    expect(sentence('joined', true)).toBe('“old phone” (abababab) was let in by this device.')
    expect(sentence('joined', false)).toBe('“old phone” (abababab) was let in by another device.')
    expect(sentence('left', false)).toBe('“old phone” (abababab) left.')
    expect(sentence('this-left', true)).toBe('This device left its group.')
  })

  it('tells what a device finds when it joins as history', () => {
    const found = { ...entry, kind: 'joined', byThisDevice: true } as const
    const joining = { ...entry, kind: 'this-joined', byThisDevice: true } as const
    expect(isFoundOnJoining(found, [joining, found])).toBe(true)
    expect(isFoundOnJoining(found, [{ ...joining, seenAtMs: 6 }, found])).toBe(false)
    expect(logSentence(found, true)).toBe('“old phone” (abababab) was in the group already.')
  })
})

describe('exposure', () => {
  const key = (createdAtMs: number) => ({ createdAtMs, rotatedAtMs: undefined, eraseAtMs: undefined, current: false })

  it('reaches back to the oldest account key held, and further with a recording; days are rounded up', () => {
    const held = { accountKeys: [key(9 * DAY_MS), key(4 * DAY_MS)], exposedSinceMs: 2 * DAY_MS }
    expect(exposureOf(held)).toEqual({ heldSinceMs: 4 * DAY_MS, recordedSinceMs: 2 * DAY_MS })
    const text = exposureText(exposureOf(held), 10.01 * DAY_MS)
    expect(text).toMatch(/network.*last 6\.1 days/)
    expect(text).toMatch(/recording.*last 8\.1 days/)
  })

  it('is none without an account key', () => {
    expect(exposureText(exposureOf({ accountKeys: [], exposedSinceMs: undefined }), 0)).toContain('none, no account key is held')
  })
})

describe('a question', () => {
  const terminal = pathToFileURL(MAIN.replace('main.js', 'terminal.js')).href
  const program = `import { askYesNo } from ${JSON.stringify(terminal)}
    process.stdout.write(String(await askYesNo('Well?', new AbortController().signal)))`

  function answered(input: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = execFile(process.execPath, ['--input-type=module', '-e', program], (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      )
      child.stdin!.end(input)
    })
  }

  it.each([
    ['y\n', 'true'],
    ['Yes\n', 'true'],
    ['n\n', 'false'],
    ['what?\n\nyes\n', 'true'],
    ['yes', 'true'],
    ['', 'false'],
  ])('is answered by the first line that is an answer: %j', async (input, answer) => {
    expect(await answered(input)).toBe(answer)
  })
})

describe('what is to be typed', () => {
  it('names the home, quoted for a shell', () => {
    expect(typed({ json: false }, 'sync')).toBe('session-v2 sync')
    expect(typed({ json: false, home: "it's", passphraseFile: 'p' }, 'sync')).toBe(
      "session-v2 --home 'it'\\''s' --passphrase-file p sync",
    )
  })

  it('counts down to the second', () => {
    expect([600_000, 61_000, 59_001, 0, -5].map(countdown)).toEqual(['10:00', '1:01', '1:00', '0:00', '0:00'])
  })
})
