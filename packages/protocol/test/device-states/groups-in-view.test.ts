/** Which groups a device has seen: DS-06, and DS-17 as far as a group can be dismissed. */
import { dismissGroup, GROUP_TTL_MS, mergeGroupMessage } from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native } from '../providers.ts'
import {
  accountKey,
  DAY_MS,
  expectState,
  groupInView,
  insider,
  linkKey,
  NOW_MS,
  OTHER_GROUP,
  outsider,
  plain,
  readable,
  unreadable,
} from './devices.ts'

const merge = (state = outsider(), ...messages: readonly ReturnType<typeof readable>[]) =>
  messages.reduce((merged, message) => mergeGroupMessage(native, merged, message, NOW_MS).state, state)
const viewed = (...messages: readonly ReturnType<typeof readable>[]) => plain(merge(outsider(), ...messages).groupsInView)

describe('DS-06: groups in view', () => {
  it('are told by any message, readable or not, with its link key, its time and its expiry', () => {
    const words = { groupId: OTHER_GROUP, atMs: NOW_MS + 1, expiresAtMs: NOW_MS + 9 }
    const seen = groupInView({ groupId: OTHER_GROUP, seenAtMs: NOW_MS + 1, expiresAtMs: NOW_MS + 9 })
    expectState(merge(outsider(), unreadable(words)), outsider(), { groupsInView: [seen] })
    expectState(merge(outsider(), readable([], { ...words, keys: [accountKey(1, 1)] })), outsider(), { groupsInView: [seen] })
    expectState(merge(insider(), unreadable(words)), insider(), { groupsInView: [groupInView(), seen] })
  })

  it('are not told by a message without a group ID', () => {
    expectState(merge(outsider(), unreadable({ groupId: null })), outsider())
  })

  it('are one for each group ID', () => {
    const messages = [unreadable(), unreadable({ groupId: OTHER_GROUP }), unreadable({ groupId: OTHER_GROUP, atMs: NOW_MS + 1 })]
    expect(viewed(...messages)).toStrictEqual(
      plain([groupInView(), groupInView({ groupId: OTHER_GROUP, seenAtMs: NOW_MS + 1, expiresAtMs: NOW_MS + 1 + 30 * DAY_MS })]),
    )
  })

  it('have the link key of the latest message, the latest time and the latest expiry, each by itself', () => {
    const earlier = unreadable({ linkX25519: linkKey(9), atMs: NOW_MS - 1, expiresAtMs: NOW_MS + 2 })
    const later = unreadable({ atMs: NOW_MS, expiresAtMs: NOW_MS + 1 })
    const expected = plain([groupInView({ expiresAtMs: NOW_MS + 2 })])
    expect(viewed(earlier, later)).toStrictEqual(expected)
    expect(viewed(later, earlier)).toStrictEqual(expected)
  })

  it('have the greater link key of two messages at the same time, by unsigned bytes', () => {
    const [lesser, greater] = [unreadable({ linkX25519: linkKey(0x7f) }), unreadable({ linkX25519: linkKey(0x80) })]
    const expected = plain([groupInView({ linkX25519: linkKey(0x80) })])
    expect(viewed(lesser, greater)).toStrictEqual(expected)
    expect(viewed(greater, lesser)).toStrictEqual(expected)
  })

  it('stay dismissed when more of them is seen', () => {
    const dismissed = outsider({ groupsInView: [groupInView({ dismissed: true })] })
    const message = unreadable({ atMs: NOW_MS + 1, expiresAtMs: NOW_MS })
    expectState(merge(dismissed, message), dismissed, {
      groupsInView: [groupInView({ dismissed: true, seenAtMs: NOW_MS + 1 })],
    })
  })
})

describe('DS-17: dismissing', () => {
  const both = outsider({ groupsInView: [groupInView(), groupInView({ groupId: OTHER_GROUP })] })

  it('is of the one group', () => {
    expectState(dismissGroup(both, OTHER_GROUP), both, {
      groupsInView: [groupInView(), groupInView({ groupId: OTHER_GROUP, dismissed: true })],
    })
  })

  it('of a group that is not in view changes nothing', () => {
    expectState(dismissGroup(both, Uint8Array.of(3, 3, 3, 3, 3, 3, 3, 3)), both)
  })
})

describe('a group message lives', () => {
  it('30 days', () => {
    expect(GROUP_TTL_MS).toBe(30 * DAY_MS)
  })
})
