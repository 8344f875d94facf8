/** The user profile is read and written field by field, and everything else stays (CFG-30 to CFG-32). */
import { encodeBt } from '@session-v2/encoding'
import {
  type ConfigDict,
  type UserProfile,
  userProfileOf,
  withBlindedRequests,
  withNoteToSelfPriority,
  withNoteToSelfTimer,
  withProfileName,
  withProfilePicture,
  withReuploadedPicture,
  withValue,
} from '@session-v2/protocol'
import { loadVectorsOfKind } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { refusalBy } from '../providers.ts'
import { dictOf } from './config-world.ts'

const EMPTY: ConfigDict = new Map()
const picture = (byte: number) => ({ url: `http://example.org/${byte}`, key: new Uint8Array(32).fill(byte) })
const encoded = (data: ConfigDict) => String.fromCharCode(...encodeBt(data))

describe('a user profile', () => {
  it.each(loadVectorsOfKind('config', 'name').map((vector, at) => [at, vector] as const))('%i: a name is cut', (_, vector) => {
    expect(userProfileOf(withProfileName(EMPTY, vector.in.name)).name).toBe(vector.out.name)
  })

  it('says what was written, in the published fields', () => {
    const steps: ((data: ConfigDict) => ConfigDict)[] = [
      data => withProfileName(data, 'Kallie', 10),
      data => withNoteToSelfPriority(data, -1),
      data => withNoteToSelfTimer(data, 60),
      data => withBlindedRequests(data, false, 11),
    ]
    const data = steps.reduce((held, step) => step(held), EMPTY)
    expect(encoded(data)).toBe('d1:+i-1e1:Mi0e1:ei60e1:n6:Kallie1:ti11ee')
    expect(userProfileOf(data)).toEqual({
      name: 'Kallie',
      changedAtS: 11,
      noteToSelfPriority: -1,
      noteToSelfTimerS: 60,
      acceptsBlindedRequests: false,
    })
    const cleared = withNoteToSelfTimer(withNoteToSelfPriority(withProfileName(data, ''), 0), 0)
    expect(encoded(cleared)).toBe('d1:Mi0e1:ti11ee')
  })

  it('shows the picture that was uploaded again, until another one is chosen', () => {
    const chosen = withProfilePicture(EMPTY, picture(1), 10)
    const again = withReuploadedPicture(chosen, picture(2), 20)
    const other = withProfilePicture(again, picture(3), 30)
    const shown = [chosen, again, other, withProfilePicture(other, undefined, 40)].map(userProfileOf)
    expect(shown.map(profile => profile.picture)).toEqual([picture(1), picture(2), picture(3), undefined])
    expect(shown.map(profile => profile.changedAtS)).toEqual([10, 20, 30, 40])
    expect(withProfilePicture(chosen, picture(1), 99)).toBe(chosen)
    expect(encoded(withProfilePicture(again, undefined))).toBe('d1:Ti20e1:ti10ee')
  })

  it('moves the later of both times when a name changes, and none when nothing does', () => {
    const again = withReuploadedPicture(withProfilePicture(EMPTY, picture(1), 10), picture(2), 20)
    const named = withProfileName(again, 'a', 30)
    expect(userProfileOf(named)).toMatchObject({ picture: picture(2), changedAtS: 30 })
    expect(withProfileName(named, 'a', 40)).toEqual(named)
  })

  it.each([
    ['no URL', { ...picture(1), url: '' }],
    ['a long URL', { ...picture(1), url: 'u'.repeat(224) }],
    ['a short key', { ...picture(1), key: new Uint8Array(31) }],
  ])('takes no picture with %s', (_, wrong) => {
    expect(refusalBy(() => withProfilePicture(EMPTY, wrong))).toBe('bad-input CFG-30')
  })

  it('takes no number that is none', () => {
    expect(refusalBy(() => withNoteToSelfPriority(EMPTY, 1.5))).toBe('bad-input CFG-30')
    expect(refusalBy(() => withNoteToSelfTimer(EMPTY, -1))).toBe('bad-input CFG-31')
  })

  it('reads what is of another kind as absent', () => {
    const strange = dictOf({ n: 5, p: 'http://x', q: 'short', t: 'x', '+': 'x', e: -5, M: 'x' })
    expect(userProfileOf(strange)).toEqual({ noteToSelfPriority: 0, noteToSelfTimerS: 0 } satisfies UserProfile)
    expect(userProfileOf(withValue(EMPTY, ['n'], Uint8Array.of(0xff))).name).toBeUndefined()
    expect(userProfileOf(withValue(EMPTY, ['+'], 2n ** 62n)).noteToSelfPriority).toBe(0)
  })

  it('keeps keys that it does not know', () => {
    const strange = dictOf({ f: [0, 1], s: 'credential', zz: { y: 1 } })
    const data = withProfileName(withBlindedRequests(strange, true), 'a')
    for (const [key, value] of strange) expect(data.get(key)).toEqual(value)
  })
})
