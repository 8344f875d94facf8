import { loadVectors, type VectorFile } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { askerOf, providers } from './providers.ts'

const vectors = loadVectors('onion-request')
const named = (prefix: string) => vectors.filter(({ name }) => name.startsWith(prefix) && !name.startsWith('refused-reply-'))
const PAYLOAD = '7b7d'

describe.each(providers)('onion requests (%s)', (_, crypto) => {
  const ask = askerOf(crypto)
  const nodes = named('seals-xchacha20').flatMap(({ in: { relays, destination } }) => [...relays, destination])

  it.each(['xchacha20', 'xchacha20-poly1305', 'aes-gcm', 'gcm', null])(
    'go through three relays to a node with enc_type %s',
    enc_type => {
      const { blob, reply_key } = ask('onion_seal', { hops: nodes, enc_type, payload: PAYLOAD }).out
      let payload = blob
      for (const [at, { x25519_secret }] of nodes.entries()) {
        const { out } = ask('onion_peel', { x25519_secret, blob: payload })
        const isLast = at === nodes.length - 1
        const last = { kind: 'here', next: null, payload: PAYLOAD, reply_key, json: false, base64: true }
        expect(out).toMatchObject(isLast ? last : { kind: 'relay', next: nodes[at + 1].ed25519, hop_no: at + 1 })
        payload = out.payload
      }
    },
  )

  it('go to a guard without relays', () => {
    const { blob, reply_key } = ask('onion_seal', { hops: nodes.slice(0, 1), enc_type: 'aes-gcm', payload: PAYLOAD }).out
    const { out } = ask('onion_peel', { x25519_secret: nodes[0].x25519_secret, blob })
    expect(out).toMatchObject({ kind: 'here', payload: PAYLOAD, reply_key })
  })

  it.each(named('peels-').map(vector => [vector.name, vector] as const))('%s', (_name, { in: input, out }) => {
    const { body, request, destination, ...rest } = out
    const expected = { ...rest, next: destination ?? null, payload: body ?? request }
    expect(ask('onion_peel', { x25519_secret: input.x25519_secret, blob: input.body }).out).toMatchObject(expected)
  })

  it.each(named('refused-').map(vector => [vector.name, vector] as const))('%s', (_name, { in: input, failure }) => {
    const answer = ask('onion_peel', { x25519_secret: input.x25519_secret, blob: input.body })
    expect(answer.error?.code).toBe(failure === 'forged' ? 'decrypt_failed' : 'bad_format')
  })

  it('are refused where the input is none', () => {
    const hop = nodes[0]
    const seal = (input: object) => ask('onion_seal', { hops: [hop], enc_type: 'aes-gcm', payload: '', ...input }).error?.code
    const hops = [
      [],
      Array(17).fill(hop),
      [{ ed25519: hop.ed25519 }],
      [{ ...hop, x25519: '00' }],
      [{ ...hop, x25519: '00'.repeat(32) }],
    ]
    expect(hops.map(list => seal({ hops: list }))).toEqual(hops.map(() => 'bad-input'))
    expect(['aes-cbc', 'cbc', '', 'none'].map(enc_type => seal({ enc_type }))).toEqual(Array(4).fill('bad-input'))
    expect([seal({ payload: '0' }), seal({ hops: 5 })]).toEqual(['bad-input', 'bad-input'])
    const peels = [{ x25519_secret: '00', blob: '' }, { blob: '' }, { x25519_secret: hop.x25519_secret }]
    expect(peels.map(input => ask('onion_peel', input).error?.code)).toEqual(Array(3).fill('bad-input'))
  })
})

describe('delivery', () => {
  const one = (chapter: string, prefix: string): [string, VectorFile][] =>
    loadVectors(chapter)
      .filter(({ name, failure }) => name.startsWith(prefix) && failure === undefined)
      .map(vector => [vector.name, vector])
  const ask = askerOf(providers[0]![1])

  it.each(one('storage-rpc', 'hash-'))('message_hash %s', (_name, { in: input, out }) => {
    expect(ask('message_hash', input).out).toEqual(out)
  })

  it.each(one('namespace-and-swarm', 'swarm-'))('swarm_of %s', (_name, { in: input, out }) => {
    expect(ask('swarm_of', input).out).toEqual(out)
  })
})
