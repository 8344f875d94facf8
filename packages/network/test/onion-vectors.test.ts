import { type Crypto, Secret, x25519KeyPair } from '@session-v2/crypto'
import { decodeHex, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  encodeServerRequest,
  encryptionOfName,
  judgeFailure,
  type LayerKey,
  type OnionDestination,
  openReply,
  openServerReply,
  type Peeled,
  peelOnion,
  REPLY_FORM,
  sealOnion,
  sealReply,
} from '@session-v2/network'
import { loadVectors, type VectorFile } from '@session-v2/vectors'
import { describe, expect, it } from 'vitest'
import { recordedRandom } from './onion-nodes.ts'
import { networkErrorOf, providers } from './owners.ts'

const vectors = loadVectors('onion-request')

/** The vectors whose names begin so, and do not begin with what else is given. */
function named(prefix: string, but = '-'): [string, VectorFile][] {
  const found = vectors.filter(({ name }) => name.startsWith(prefix) && !name.startsWith(but))
  if (found.length === 0) throw new Error(`no vector begins with ${prefix}`)
  return found.map(vector => [vector.name, vector])
}

function keysOf(crypto: Crypto, secret: string) {
  return x25519KeyPair(crypto, Secret.of(decodeHex(secret), 'x25519-secret'))
}

function layerKey(input: VectorFile['in']): LayerKey {
  return { encryption: encryptionOfName(input.enc_type)!, secret: Secret.of(decodeHex(input.reply_key), 'onion-layer') }
}

function shown(peeled: Peeled): Record<string, unknown> {
  const { kind } = peeled
  if (kind === 'here') return { kind, request: encodeHex(peeled.request), json: peeled.json, base64: peeled.base64 }
  if (kind === 'server') return { ...peeled, body: encodeHex(peeled.body) }
  if (kind === 'relay') return { kind, destination: peeled.destination, hop_no: peeled.hopNo, body: encodeHex(peeled.body) }
  return { status: peeled.status, text: peeled.text, sealed: peeled.replyKey !== undefined }
}

describe.each(providers)('onion layers (%s)', (_, crypto) => {
  it.each(named('seals-'))('%s', (_name, { in: input, out }) => {
    const encryption = encryptionOfName(input.enc_type)!
    const destination: OnionDestination =
      input.server === undefined ? { kind: 'node', ...input.destination } : { kind: 'server', ...input.server }
    const random = recordedRandom(decodeHex(input.randomness))
    const options = { encryption, form: input.form }
    const sealed = sealOnion(crypto, random, input.relays, destination, decodeHex(input.payload), options)
    expect(encodeHex(sealed.body)).toBe(out.body)
    expect(encodeHex(sealed.replyKey.secret.expose())).toBe(out.reply_key)
  })

  it.each(named('seals-'))('%s is peeled by each of its nodes', (_name, { in: input, out }) => {
    let body = decodeHex(out.body)
    for (const [at, relay] of input.relays.entries()) {
      const peeled = peelOnion(crypto, keysOf(crypto, relay.x25519_secret), body)
      if (peeled.kind !== 'relay' && peeled.kind !== 'server') throw new Error(`a ${peeled.kind} in the middle of a path`)
      if (peeled.kind === 'relay') {
        expect(peeled).toMatchObject({ destination: (input.relays[at + 1] ?? input.destination).ed25519, hopNo: at + 1 })
      }
      body = peeled.body
    }
    if (input.server !== undefined) return
    const last = peelOnion(crypto, keysOf(crypto, input.destination.x25519_secret), body)
    expect(shown(last)).toEqual({ kind: 'here', request: input.payload, ...REPLY_FORM, ...input.form })
    expect(last.kind === 'here' && encodeHex(last.replyKey.secret.expose())).toBe(out.reply_key)
  })

  it.each(named('peels-'))('%s', (_name, { in: input, out }) => {
    expect(shown(peelOnion(crypto, keysOf(crypto, input.x25519_secret), decodeHex(input.body)))).toEqual(out)
  })

  it.each(named('refused-', 'refused-reply-'))('%s', (_name, { in: input, out, failure }) => {
    const peeled = peelOnion(crypto, keysOf(crypto, input.x25519_secret), decodeHex(input.body))
    expect(shown(peeled)).toEqual(out)
    expect(peeled.kind === 'refused' && peeled.reason === 'ciphertext' ? 'forged' : 'malformed').toBe(failure)
  })
})

describe.each(providers)('onion replies (%s)', (_, crypto) => {
  it.each(named('reply-'))('%s', (_name, { in: input, out }) => {
    const { status, body, json, base64 } = input
    const form = { json, base64 }
    const reply = sealReply(crypto, recordedRandom(decodeHex(input.nonce)), layerKey(input), { status, body }, form)
    expect(encodeHex(reply)).toBe(base64 ? encodeHex(encodeUtf8(out.reply)) : out.reply)
    expect(openReply(crypto, layerKey(input), reply, form)).toEqual({ status, body })
  })

  it.each(named('refused-reply-'))('%s', (_name, { in: input, failure }) => {
    const open = () => openReply(crypto, layerKey(input), encodeUtf8(input.reply), { json: input.json, base64: true })
    if (failure === 'forged') expect(open()).toBe(undefined)
    else expect(networkErrorOf(open)).toMatchObject({ code: failure, retry: 'other-node' })
  })

  it.each(named('server-reply-'))('%s', (_name, { in: input, out, failure }) => {
    const open = () => openServerReply(crypto, layerKey(input), decodeHex(input.reply))
    if (failure !== undefined) expect(networkErrorOf(open).code).toBe(failure)
    else expect(open()).toEqual({ ...out, body: decodeHex(out.body) })
  })
})

describe('onion requests', () => {
  it.each(named('server-request-'))('%s', (_name, { in: { body, ...request }, out }) => {
    const payload = encodeServerRequest(body === undefined ? request : { ...request, body: decodeHex(body) })
    expect(encodeHex(payload)).toBe(out.payload)
  })

  it.each(named('failure-'))('%s', (_name, { in: { status, text, relays, destination }, out }) => {
    const { blame, retry } = judgeFailure({ status, body: encodeUtf8(text) }, { relays, destination: destination ?? undefined })
    expect({ blame: blame.kind === 'node' ? blame.ed25519 : blame.kind, retry }).toEqual(out)
  })
})
