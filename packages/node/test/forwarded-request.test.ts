import { encodeBt, encodeUtf8 } from '@session-v2/encoding'
import { encodeRequest } from '@session-v2/network'
import { describe, expect, it } from 'vitest'
import { encodeForwarded, LATE_MAX_AGE_MS, takenAt } from '../src/swarm/forwarded-request.ts'

describe('a request that a member passes on (NODE-41, NODE-43)', () => {
  const nowMs = 1_800_000_000_000
  const request = encodeRequest({ method: 'info', params: {} }, 'bt')

  it('says when it was taken', () => {
    const text = (late: boolean) => Buffer.from(encodeForwarded(request, { atMs: 5, late })).toString()
    expect(text(false)).toBe('d2:ati5e6:method4:info6:paramsdee')
    expect(text(true)).toBe('d2:ati5e4:latei1e6:method4:info6:paramsdee')
  })
  it('counts as taken now when it does not say, is in JSON or cannot be read', () => {
    const now = { atMs: nowMs, late: false }
    for (const body of [request, encodeUtf8('{"at":5}'), encodeUtf8('d2:at1:xe'), encodeUtf8('d'), new Uint8Array()]) {
      expect(takenAt(body, nowMs)).toEqual(now)
    }
  })
  it.each([
    [0, false, true],
    [-5_000, false, true],
    [-70_001, false, false],
    [70_000, false, true],
    [70_001, false, false],
    [-LATE_MAX_AGE_MS, true, true],
    [-LATE_MAX_AGE_MS - 1, true, false],
    [70_001, true, false],
    [-70_000, true, true],
  ])('%d ms from now, late %s: taken is %s', (fromNowMs, late, isTaken) => {
    const taken = { atMs: nowMs + fromNowMs, late }
    expect(takenAt(encodeForwarded(request, taken), nowMs)).toEqual(isTaken ? taken : undefined)
    const wide = encodeBt(new Map([['at', 2n ** 63n - 1n]]))
    expect(takenAt(wide, nowMs)).toBeUndefined()
  })
})

describe('a request that was under way for long (NODE-43)', () => {
  it.each([-5_001, -70_000])('is late, whatever it says: %d ms from now', fromNowMs => {
    const nowMs = 1_800_000_000_000
    const body = encodeForwarded(encodeRequest({ method: 'info', params: {} }, 'bt'), { atMs: nowMs + fromNowMs, late: false })
    expect(takenAt(body, nowMs)).toEqual({ atMs: nowMs + fromNowMs, late: true })
  })
})
