import {
  isOutbox,
  maxTtlMs,
  NAMESPACE,
  type NamespaceClass,
  namespaceClass,
  namespaceText,
  parseNamespace,
  retrieveNeedsSignature,
  storeNeedsSignature,
} from '@session-v2/network'
import { loadVectors } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { refusalOf } from './owners.ts'

const vectors = loadVectors('namespace-and-swarm').filter(({ name }) => name.startsWith('namespace-'))

const EVERY = Array.from({ length: 65536 }, (_, at) => at - 32768)

describe('namespaces', () => {
  it.each(vectors.filter(({ failure }) => failure === undefined).map(vector => [vector.name, vector] as const))(
    '%s',
    (_, vector) => {
      const namespace = parseNamespace(vector.in.namespace)
      expect({
        class: namespaceClass(namespace),
        store: storeNeedsSignature(namespace) ? 'signed' : 'open',
        retrieve: retrieveNeedsSignature(namespace) ? 'signed' : 'open',
        max_ttl_ms: maxTtlMs(namespace),
      }).toEqual(vector.out)
    },
  )

  it.each(vectors.filter(({ failure }) => failure !== undefined).map(vector => [vector.name, vector] as const))(
    '%s',
    (_, vector) => {
      expect(vector.failure).toBe('malformed')
      expect(refusalOf(() => parseNamespace(vector.in.namespace))).toEqual({
        status: 400,
        text: 'invalid request: value out of range',
      })
    },
  )

  it('are all in one class, and in number as the rules have it (NS-02)', () => {
    const count = new Map<NamespaceClass, number>()
    for (const number of EVERY) {
      const namespace = parseNamespace(number)
      const kind = namespaceClass(namespace)
      count.set(kind, (count.get(kind) ?? 0) + 1)
    }
    expect(EVERY.filter(number => isOutbox(parseNamespace(number)))).toHaveLength(count.get('outbox') ?? 0)
    // -1, -21 … -32761 but one for testing; -11, -111 … -32711; every tenth of 65,536
    expect(Object.fromEntries(count)).toEqual({ inbox: 6553, outbox: 1638, unrevocable: 328, testing: 1, private: 57016 })
  })

  it('are unnamed in signed texts only when 0', () => {
    expect(namespaceText(NAMESPACE.messages)).toBe('')
    expect(namespaceText(NAMESPACE.accountKeys)).toBe('-21')
    expect(EVERY.filter(number => namespaceText(parseNamespace(number)) === '')).toEqual([0])
  })
})

describe('namespaces in use', () => {
  it('have these numbers (NS-08)', () => {
    expect(Object.entries(NAMESPACE)).toEqual([
      ['messages', 0],
      ['userProfile', 2],
      ['contacts', 3],
      ['conversationVolatile', 4],
      ['userGroups', 5],
      ['groupMessages', 11],
      ['groupKeys', 12],
      ['groupProfile', 13],
      ['groupMembers', 14],
      ['devices', 21],
      ['accountKeys', -21],
      ['history', 2121],
      ['historyChunks', 2122],
      ['revokedGroupMessages', -11],
      ['legacyGroup', -10],
      ['testing', -3741],
    ])
  })

  it('are what their purpose needs', () => {
    const { messages, accountKeys, devices, revokedGroupMessages, testing } = NAMESPACE
    expect([messages, accountKeys, devices, revokedGroupMessages, testing].map(namespaceClass)).toEqual([
      'inbox',
      'outbox',
      'private',
      'unrevocable',
      'testing',
    ])
  })
})
