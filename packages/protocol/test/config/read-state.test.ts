/** What was read, in the config that keeps it (CFG-35, CFG-36). */
import { decodeHex, encodeBt } from '@session-v2/encoding'
import {
  type ConfigDict,
  type ReadConversation,
  readStateOf,
  withoutReadState,
  withoutStaleReadStates,
  withReadState,
  withValue,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { refusalBy } from '../providers.ts'
import { dictOf } from './config-world.ts'

const EMPTY: ConfigDict = new Map()
const DAY_MS = 86_400_000
const NOW_MS = 100 * DAY_MS
const room = (name: string): ReadConversation => {
  return { kind: 'community', baseUrl: 'http://a.b', room: name, serverKey: new Uint8Array(32).fill(0x6b) }
}
const person: ReadConversation = { kind: 'person', id: `05${'61'.repeat(32)}` }
const group: ReadConversation = { kind: 'group', id: `03${'61'.repeat(32)}` }
const legacy: ReadConversation = { kind: 'legacy-group', id: `05${'62'.repeat(32)}` }
const all = [person, group, legacy, room('Room')]
const read = (lastReadMs: number, unread = false) => ({ lastReadMs, unread })
const encoded = (data: ConfigDict) => String.fromCharCode(...encodeBt(data))

describe('a state of what was read', () => {
  it('is written in the published fields', () => {
    const data = all.reduce((held, one) => withReadState(held, one, read(NOW_MS, true), NOW_MS), EMPTY)
    const entry = `d1:ri${NOW_MS}e1:ui1ee`
    const id = (prefix: string, letter: string) => `33:${prefix}${letter.repeat(32)}${entry}`
    const server = `d1:#32:${'k'.repeat(32)}1:Rd4:room${entry}ee`
    const wanted = `d1:1d${id('\x05', 'a')}e1:Cd${id('\x05', 'b')}e1:gd${id('\x03', 'a')}e1:od10:http://a.b${server}ee`
    expect(encoded(data)).toBe(wanted)
    for (const one of all) expect(readStateOf(data, one)).toEqual(read(NOW_MS, true))
    expect(all.reduce(withoutReadState, data).size).toBe(0)
    expect(readStateOf(EMPTY, person)).toEqual(read(0))
  })

  it('is not written when it is 30 days old, unless it goes back', () => {
    const old = NOW_MS - 30 * DAY_MS
    expect(withReadState(EMPTY, person, read(old), NOW_MS)).toBe(EMPTY)
    expect(readStateOf(withReadState(EMPTY, person, read(old + 1), NOW_MS), person)).toEqual(read(old + 1))
    expect(readStateOf(withReadState(EMPTY, person, read(old, true), NOW_MS), person)).toEqual(read(0, true))
    const recent = withReadState(EMPTY, person, read(NOW_MS), NOW_MS)
    expect(readStateOf(withReadState(recent, person, read(old), NOW_MS), person)).toEqual(read(old))
    expect(withReadState(recent, person, read(0), NOW_MS).size).toBe(0)
  })

  it('goes when it is 45 days old, unless it is marked as unread or of a group', () => {
    const at = NOW_MS
    const data = all.reduce((held, one) => withReadState(held, one, read(at), at), EMPTY)
    const later = at + 45 * DAY_MS
    expect(withoutStaleReadStates(data, later - 1)).toBe(data)
    const kept = withoutStaleReadStates(data, later)
    expect([...kept.keys()]).toEqual(['g'])
    const unread = all.reduce((held, one) => withReadState(held, one, read(at, true), at), EMPTY)
    expect(withoutStaleReadStates(unread, later)).toBe(unread)
    const other = dictOf({ '1': { id: { r: 1, e: 5 }, idle: { e: 5 } } })
    expect(withoutStaleReadStates(other, later)).toBe(other)
    const rooms = withReadState(withReadState(EMPTY, room('a'), read(at), at), room('b'), read(later), later)
    expect(readStateOf(withoutStaleReadStates(rooms, later), room('b'))).toEqual(read(later))
  })

  it('keeps keys that it does not know, and reads what is of another kind as absent', () => {
    const path = ['1', String.fromCharCode(...decodeHex(`05${'61'.repeat(32)}`))]
    const strange = withValue(withValue(EMPTY, ['zz'], 1n), path, dictOf({ r: 'x', e: 5 }))
    expect(readStateOf(strange, person)).toEqual(read(0))
    const data = withReadState(strange, person, read(NOW_MS), NOW_MS)
    expect(encoded(data)).toContain(`d1:ei5e1:ri${NOW_MS}ee`)
    expect(data.get('zz')).toBe(1n)
    expect(readStateOf(dictOf({ '1': 'text', o: [1] }), person)).toEqual(read(0))
    expect(withoutStaleReadStates(dictOf({ '1': 'text', o: { x: 1 } }), NOW_MS)).toEqual(dictOf({ '1': 'text', o: { x: 1 } }))
  })

  it.each([
    ['a time before 1970', person, -1],
    ['no time', person, Number.NaN],
    ['a short ID', { kind: 'person', id: '05' } as const, 1],
    ['a short key', { ...room('a'), serverKey: new Uint8Array(31) } as ReadConversation, NOW_MS],
  ])('is refused with %s', (_, conversation, lastReadMs) => {
    expect(refusalBy(() => withReadState(EMPTY, conversation, read(lastReadMs), NOW_MS))).toBe('bad-input CFG-35')
  })
})
