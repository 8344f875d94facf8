/** Groups and communities in the config that keeps them (CFG-37, CFG-38). */
import { ed25519KeyPair, Secret } from '@session-v2/crypto'
import { encodeBt, encodeHex } from '@session-v2/encoding'
import {
  type ConfigDict,
  communityOf,
  userGroupOf,
  withCommunity,
  withoutCommunity,
  withoutUserGroup,
  withUserGroup,
  withValue,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native as crypto, refusalBy } from '../providers.ts'

const EMPTY: ConfigDict = new Map()
const seedOf = (byte: number) => Secret.of(new Uint8Array(32).fill(byte), 'ed25519-seed')
const idOf = (byte: number) => `03${encodeHex(ed25519KeyPair(crypto, seedOf(byte)).publicKey)}`
const id = idOf(1)
const authData = Secret.of(new Uint8Array(100).fill(0x73), 'group-auth')
const entry = (data: ConfigDict) => {
  const [first] = (data.get('g') as ReadonlyMap<string, ConfigDict>).values()
  return String.fromCharCode(...encodeBt(first!))
}

describe('a group', () => {
  it('is written in the published fields', () => {
    const member = withUserGroup(crypto, EMPTY, id, { authData, joinedAtS: 5, name: 'G', invited: true, priority: -1 })
    expect(entry(member)).toBe(`d1:+i-1e1:K0:1:ii1e1:ji5e1:n1:G1:s100:${'s'.repeat(100)}e`)
    const admin = withUserGroup(crypto, EMPTY, id, { seed: seedOf(1), notifications: 'mentions', mutedUntilS: 9 })
    expect(entry(admin)).toBe(`d1:!i9e1:@i3e1:K32:${'\x01'.repeat(32)}e`)
    expect(entry(withUserGroup(crypto, EMPTY, id, {}))).toBe('d1:K0:e')
    expect([...(member.get('g') as ConfigDict).keys()][0]!.length).toBe(33)
  })

  it('says what was written, and what was not written stays', () => {
    const data = withUserGroup(crypto, EMPTY, id, { authData, name: 'G' })
    const path = ['g', [...(data.get('g') as ConfigDict).keys()][0]!, 'zz']
    const later = withUserGroup(crypto, withValue(data, path, 1n), id, { priority: 2 })
    const group = userGroupOf(crypto, later, id)!
    expect(group).toMatchObject({ name: 'G', priority: 2, membership: 'member', invited: false })
    expect(group.authData!.equals(authData)).toBe(true)
    expect(group.seed).toBeUndefined()
    expect(entry(later).endsWith('2:zzi1ee')).toBe(true)
    expect(userGroupOf(crypto, data, idOf(2))).toBeUndefined()
    expect(withoutUserGroup(data, id).size).toBe(0)
  })

  it('that is left by force keeps no secrets, and an invitation undoes that, but no destruction', () => {
    const member = withUserGroup(crypto, EMPTY, id, { authData })
    const [kicked, destroyed] = (['kicked', 'destroyed'] as const).map(membership =>
      withUserGroup(crypto, member, id, { membership }),
    )
    expect([kicked!, destroyed!].map(entry)).toEqual(['d1:K0:1:ri1ee', 'd1:K0:1:ri2ee'])
    const again = [kicked!, destroyed!].map(data => withUserGroup(crypto, data, id, { invited: true }))
    expect(again.map(data => userGroupOf(crypto, data, id)?.membership)).toEqual(['member', 'destroyed'])
  })

  it('has a seed that is its own', () => {
    const admin = withUserGroup(crypto, EMPTY, id, { seed: seedOf(1) })
    expect(userGroupOf(crypto, admin, id)!.seed!.equals(seedOf(1))).toBe(true)
    const path = ['g', [...(admin.get('g') as ConfigDict).keys()][0]!, 'K']
    expect(userGroupOf(crypto, withValue(admin, path, new Uint8Array(32).fill(2)), id)!.seed).toBeUndefined()
    expect(refusalBy(() => withUserGroup(crypto, EMPTY, id, { seed: seedOf(2) }))).toBe('bad-input CFG-37')
    const short = Secret.of(new Uint8Array(99), 'group-auth')
    expect(refusalBy(() => withUserGroup(crypto, EMPTY, id, { authData: short }))).toBe('bad-input CFG-37')
    expect(refusalBy(() => withUserGroup(crypto, EMPTY, '05', {}))).toBe('bad-input CFG-37')
    expect(refusalBy(() => withUserGroup(crypto, EMPTY, id, { joinedAtS: -1 }))).toBe('bad-input CFG-37')
  })
})

describe('a community', () => {
  const serverKey = new Uint8Array(32).fill(0x6b)
  const url = 'http://a.b'

  it('is written in the published fields, its room as it is written and in lower case', () => {
    const data = withCommunity(EMPTY, url, 'RooM', { serverKey, priority: 1 })
    const wanted = `d1:od10:${url}d1:#32:${'k'.repeat(32)}1:Rd4:roomd1:+i1e1:n4:RooMeeeee`
    expect(String.fromCharCode(...encodeBt(data))).toBe(wanted)
    expect(communityOf(data, url, 'rOOm')).toMatchObject({ name: 'RooM', priority: 1, serverKey })
  })

  it('goes, and the server with its last room', () => {
    const two = withCommunity(withCommunity(EMPTY, url, 'a', { serverKey }), url, 'b', { serverKey })
    const one = withoutCommunity(two, url, 'A')
    expect([communityOf(one, url, 'a'), communityOf(one, url, 'b')?.name]).toEqual([undefined, 'b'])
    expect(withoutCommunity(one, url, 'b').size).toBe(0)
    expect(withoutCommunity(EMPTY, url, 'b').size).toBe(0)
  })

  it('has a key of 32 bytes', () => {
    expect(refusalBy(() => withCommunity(EMPTY, url, 'a', { serverKey: new Uint8Array(31) }))).toBe('bad-input CFG-38')
    const data = withCommunity(EMPTY, url, 'a', { serverKey })
    expect(communityOf(withValue(data, ['o', url, '#'], 1n), url, 'a')).toBeUndefined()
  })
})
