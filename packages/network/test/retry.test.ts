import { encodeSwarm, errorOfStatus, errorOfTransport, parseGetSwarmResult, type ServiceNode } from '@session-v2/network'
import { describe, expect, it } from 'vitest'

describe('an answer that is no success (RPC-80)', () => {
  it.each([
    [400, 'malformed', 'never'],
    [401, 'unauthorized', 'never'],
    [403, 'forbidden', 'never'],
    [404, 'not-found', 'never'],
    [406, 'clock', 'now'],
    [408, 'timeout', 'other-node'],
    [413, 'too-large', 'never'],
    [421, 'wrong-swarm', 'now'],
    [425, 'clock', 'now'],
    [429, 'busy', 'later'],
    [500, 'server', 'other-node'],
    [502, 'server', 'other-node'],
    [503, 'busy', 'later'],
    [504, 'timeout', 'other-node'],
    [301, 'server', 'other-node'],
    [418, 'server', 'other-node'],
  ])('%i is %s: again %s', (status, code, retry) => {
    expect(errorOfStatus(status, undefined)).toMatchObject({ status, code, retry })
  })

  it('keeps its body: the swarm to go to, or the time of the node', () => {
    const node: ServiceNode = {
      ed25519: 'a'.repeat(64),
      x25519: 'b'.repeat(64),
      host: '::1',
      port: 5,
      protocol: 'http',
      swarmId: 7n,
    }
    const error = errorOfStatus(421, encodeSwarm([node], 7n))
    expect(parseGetSwarmResult(error.body).nodes).toEqual([node])
    expect(errorOfStatus(406, { t: 5 }).body).toEqual({ t: 5 })
  })

  it('says in its message what the node said, if short, and nothing to a terminal', () => {
    expect(errorOfStatus(403, 'Provided expiry/TTL is not valid.').message).toContain('403: Provided expiry/TTL is not valid.')
    expect(errorOfStatus(429, '').message).toBe('the node answered 429')
    const { message } = errorOfStatus(500, `\u001b[2J\u009b2J${'x'.repeat(10_000)}`)
    expect(message).not.toMatch(/\p{Cc}/u)
    expect(errorOfStatus(500, 'a\u202eb\u2066c\u2028d').message).toMatch(/a b c d$/)
    expect(message.length).toBeLessThan(300)
  })
})

describe('a request without an answer', () => {
  it.each(['timeout', 'unreachable'] as const)('is tried at another node: %s', code => {
    const cause = new Error('ECONNREFUSED')
    expect(errorOfTransport(code, cause)).toMatchObject({ code, retry: 'other-node', cause, status: undefined })
  })
})
