import { describe, expect, it } from 'vitest'
import { span } from '../src/demo/narration.ts'
import { defaultHome } from '../src/home.ts'
import { printable, wrap } from '../src/output.ts'

describe('the default home', () => {
  it.each([
    ['linux', {}, '/home/u/.local/share/session-v2'],
    ['linux', { XDG_DATA_HOME: '/data' }, '/data/session-v2'],
    ['darwin', {}, '/home/u/Library/Application Support/session-v2'],
  ])('on %s with %o is %s', (platform, env, folder) => {
    expect(defaultHome(env, platform, '/home/u')).toBe(folder)
  })

  it('on Windows is in the local application data', () => {
    expect(defaultHome({ LOCALAPPDATA: 'C:\\L' }, 'win32', 'C:\\u')).toMatch(/^C:\\L.session-v2$/)
  })
})

describe('printable text', () => {
  it('keeps letters, emoji, tabs and line ends', () => {
    expect(printable('Grüße 👩‍👩‍👧\t\n العربية')).toBe('Grüße 👩‍👩‍👧\t\n العربية')
  })

  it('shows what would drive a terminal or reverse the text', () => {
    expect(printable('\u001b]0;x\u0007\r\u009b1m\u202e')).toBe('�]0;x���1m�')
  })
})

describe('the narration', () => {
  it('wraps at words', () => {
    expect(wrap('one two three four', 9)).toEqual(['one two', 'three', 'four'])
  })

  it('says spans of time in their unit', () => {
    expect([900, 1000, 3000, 150_000, 7_200_000, 1_382_400_000].map(span)).toEqual([
      '900 ms',
      '1 s',
      '3 s',
      '3 min',
      '2 h',
      '16 days',
    ])
  })
})
