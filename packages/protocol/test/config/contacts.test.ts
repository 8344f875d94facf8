/** Contacts are read and written field by field, and everything else stays (CFG-33, CFG-34). */
import { byteKey, encodeBt, encodeUtf8 } from '@session-v2/encoding'
import {
  accountIdBytes,
  type ConfigDict,
  type Contact,
  contactOf,
  contactsOf,
  withContact,
  withoutContact,
  withValue,
} from '@session-v2/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { native as crypto, refusalBy, someAccount } from '../providers.ts'
import { dictOf } from './config-world.ts'

const EMPTY: ConfigDict = new Map()
const picture = (byte: number) => ({ url: `http://example.org/${byte}`, key: new Uint8Array(32).fill(byte) })
const encoded = (data: ConfigDict) => String.fromCharCode(...encodeBt(data))
const [alice, bob] = [1, 2].map(byte => someAccount(crypto, byte).id) as [
  ReturnType<typeof someAccount>['id'],
  ReturnType<typeof someAccount>['id'],
]
const key = (id: typeof alice) => byteKey(accountIdBytes(id))
const entryOf = (data: ConfigDict, id: typeof alice) => (data.get('c') as ReadonlyMap<string, ConfigDict>).get(key(id))!
const plain: Contact = {
  name: '',
  nickname: '',
  profileChangedAtS: 0,
  approved: false,
  approvedMe: false,
  blocked: false,
  priority: 0,
  notifications: 'default',
  mutedUntilS: 0,
  createdAtS: 0,
  disappearing: 'off',
  timerS: 0,
}

describe('contacts', () => {
  it('that are new have a name, if an empty one', () => {
    const data = withContact(EMPTY, alice, {})
    expect(encoded(entryOf(data, alice))).toBe('d1:n0:e')
    expect(contactOf(data, alice)).toEqual(plain)
    expect(contactOf(data, bob)).toBeUndefined()
  })

  it('are written in the published fields', () => {
    const data = withContact(EMPTY, alice, {
      name: 'Alice',
      nickname: 'A',
      approved: true,
      approvedMe: true,
      blocked: true,
      priority: 3,
      notifications: 'none',
      mutedUntilS: 5,
      createdAtS: 6,
      disappearing: 'after-read',
      timerS: 7,
      profileChangedAtS: 8,
    })
    expect(encoded(entryOf(data, alice))).toBe('d1:!i5e1:+i3e1:@i2e1:Ai1e1:Ei7e1:N1:A1:ai1e1:bi1e1:ei2e1:ji6e1:n5:Alice1:ti8ee')
  })

  it('say what was written, and what was not written stays', () => {
    const contact = fc.record<Contact>({
      name: fc.constantFrom('', 'a', 'ü'),
      nickname: fc.constantFrom('', 'b'),
      profileChangedAtS: fc.nat(),
      approved: fc.boolean(),
      approvedMe: fc.boolean(),
      blocked: fc.boolean(),
      priority: fc.integer({ min: -1, max: 5 }),
      notifications: fc.constantFrom('default', 'all', 'none'),
      mutedUntilS: fc.nat(),
      createdAtS: fc.nat(),
      disappearing: fc.constantFrom('after-send', 'after-read'),
      timerS: fc.integer({ min: 1, max: 1000 }),
      picture: fc.constantFrom(picture(1), picture(2)),
    })
    fc.assert(
      fc.property(contact, contact, fc.subarray([...Object.keys(plain), 'picture']), (first, second, fields) => {
        const written = withContact(EMPTY, alice, first)
        const change = Object.fromEntries(Object.entries(second).filter(([name]) => fields.includes(name)))
        const unknown = withValue(written, ['c', key(alice), 'zz'], 1n)
        const data = withContact(unknown, alice, change)
        expect(contactOf(written, alice)).toEqual(first)
        expect(contactOf(data, alice)).toEqual({ ...first, ...change })
        expect(entryOf(data, alice).get('zz')).toBe(1n)
        expect(withContact(data, alice, change)).toEqual(data)
      }),
    )
  })
})

describe('contacts of others', () => {
  it('without a timer do not disappear, and without a way to disappear have no timer', () => {
    const data = withContact(EMPTY, alice, { disappearing: 'after-send', timerS: 5 })
    const changes: Partial<Contact>[] = [{ disappearing: 'off' }, { timerS: 0 }]
    for (const change of changes) expect(encoded(entryOf(withContact(data, alice, change), alice))).toBe('d1:n0:e')
    expect(contactOf(withValue(data, ['c', key(alice), 'E'], undefined), alice)).toEqual(plain)
  })

  it('are listed, and what is no contact is not', () => {
    const two = withContact(withContact(EMPTY, alice, { name: 'a' }), bob, { name: 'b' })
    const strange = withValue(
      withValue(two, ['c', 'short'], dictOf({ n: 'x' })),
      ['c', `\x03${'x'.repeat(32)}`],
      dictOf({ n: 'x' }),
    )
    const scalar = withValue(strange, ['c', `\x05${'x'.repeat(32)}`], 1n)
    expect([...contactsOf(scalar)].map(([id, { name }]) => [id, name]).sort()).toEqual(
      [
        [alice, 'a'],
        [bob, 'b'],
      ].sort(),
    )
    expect(contactsOf(dictOf({ c: 'text' })).size).toBe(0)
    expect(contactsOf(withoutContact(two, bob)).size).toBe(1)
    expect(withoutContact(withoutContact(two, bob), alice).size).toBe(0)
    expect(withoutContact(EMPTY, bob)).toBe(EMPTY)
  })

  it.each([
    ['seconds', 1_700_000_000],
    ['milliseconds', 1_700_000_000_000],
    ['microseconds', 1_700_000_000_000_000],
  ])('read times in %s', (_, time) => {
    const data = withValue(withContact(EMPTY, alice, {}), ['c', key(alice), 'j'], BigInt(time))
    expect(contactOf(data, alice)?.createdAtS).toBe(1_700_000_000)
  })

  it('read mentions as all, and numbers of no meaning as none', () => {
    const at = (field: string, value: bigint) =>
      contactOf(withValue(withContact(EMPTY, alice, {}), ['c', key(alice), field], value), alice)
    expect([1n, 2n, 3n, 4n, -1n].map(value => at('@', value)?.notifications)).toEqual([
      'all',
      'none',
      'all',
      'default',
      'default',
    ])
    expect(at('e', 9n)).toEqual(plain)
    expect(refusalBy(() => withContact(EMPTY, alice, { mutedUntilS: -1 }))).toBe('bad-input CFG-33')
  })

  it('have names of at most 100 bytes', () => {
    const data = withContact(EMPTY, alice, { name: 'ü'.repeat(60), nickname: `a${'ü'.repeat(60)}` })
    const sizes = ['name', 'nickname'].map(field => encodeUtf8(contactOf(data, alice)![field as 'name']).length)
    expect(sizes).toEqual([100, 99])
  })
})
