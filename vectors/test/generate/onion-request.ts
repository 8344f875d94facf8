/** Onion requests: sealed, peeled, answered, failed; and refused. */
import { x25519 } from '@noble/curves/ed25519.js'
import { concatBytes, encodeBase64, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { Case } from './case.ts'
import { drawn, type EncType, encrypt, frame, type Layer, layerFor, type NodeKeys, nodeOf } from './onion-layers.ts'
import { onionRefusals } from './onion-refusals.ts'

const CHAPTER = 'onion-request'
const REQUEST = encodeUtf8('{"method":"info","params":{}}')
const RELAYS = [1, 2, 3].map(nodeOf)
const DESTINATION = nodeOf(4)
const SERVER = { host: 'example.org', port: 443, protocol: 'https', target: '/oxen/v4/lsrpc' } as const

/** The cases, always the same. */
export function onionRequestCases(): Case[] {
  return [...sealed(), ...peeled(), ...replies(), ...refusedReplies(), ...serverLists(), ...failures(), ...onionRefusals(CHAPTER)]
}

interface Onion {
  readonly body: Uint8Array
  readonly replyKey: Uint8Array
  readonly randomness: Uint8Array
}

/** Around an innermost text for `last`: one layer for each relay, whose control `towards` says where it goes. */
function onion(encType: EncType, relays: readonly NodeKeys[], last: NodeKeys, text: Uint8Array, towards: object): Onion {
  const beside = (layer: Layer) => ({ ephemeral_key: encodeHex(layer.ephemeral), enc_type: encType })
  let layer = layerFor(encType, last, text, 0)
  const replyKey = layer.key
  let goes = towards
  relays.toReversed().forEach((relay, at) => {
    layer = layerFor(encType, relay, frame(layer.ciphertext, { ...goes, ...beside(layer) }), at + 1)
    goes = { destination: relay.ed25519 }
  })
  const draws = [...relays, last].flatMap((_, at) => Object.values(drawn(encType, at)))
  return { body: frame(layer.ciphertext, beside(layer)), replyKey, randomness: concatBytes(...draws) }
}

function sealed(): Case[] {
  const here = frame(REQUEST, { headers: '' })
  const one = (name: string, clause: string, reason: string, input: object, { body, replyKey, randomness }: Onion): Case => ({
    chapter: CHAPTER,
    name: `seals-${name}`,
    reason,
    clause,
    in: { ...input, payload: encodeHex(REQUEST), randomness: encodeHex(randomness) },
    out: { body: encodeHex(body), reply_key: encodeHex(replyKey) },
  })
  const hops = (relays: readonly NodeKeys[]) =>
    relays.map(({ ed25519, x25519: key, secret }) => ({ ed25519, x25519: encodeHex(key), x25519_secret: encodeHex(secret) }))
  const [destination] = hops([DESTINATION])
  const server = { ...SERVER, x25519: encodeHex(DESTINATION.x25519), x25519_secret: encodeHex(DESTINATION.secret) }
  const towards = { destination: DESTINATION.ed25519 }
  const plain = { enc_type: 'xchacha20', relays: [], destination }
  const asked = frame(REQUEST, { headers: '', json: true, base64: false })
  return [
    ...(['xchacha20', 'aes-gcm'] as const).map(encType =>
      one(
        encType,
        'ON-10',
        `three relays and a node, ${encType}`,
        { enc_type: encType, relays: hops(RELAYS), destination },
        onion(encType, RELAYS, DESTINATION, here, towards),
      ),
    ),
    one('for-guard', 'ON-02', 'no relay: the guard answers itself', plain, onion('xchacha20', [], DESTINATION, here, towards)),
    one(
      'form',
      'ON-20',
      'the reply is wanted as JSON, without base64',
      { ...plain, form: { json: true, base64: false } },
      onion('xchacha20', [], DESTINATION, asked, towards),
    ),
    one(
      'for-server',
      'ON-45',
      'the payload for a web server is the text of its layer, without a frame',
      { enc_type: 'aes-gcm', relays: hops(RELAYS), server },
      onion('aes-gcm', RELAYS, DESTINATION, REQUEST, { ...SERVER, method: 'POST' }),
    ),
  ]
}

const [NODE, NEXT] = RELAYS as [NodeKeys, NodeKeys]
const INNER = { ephemeral_key: encodeHex(x25519.getPublicKey(NEXT.secret)), enc_type: 'aes-gcm' }
const HERE = { kind: 'here', request: encodeHex(REQUEST), json: false, base64: true }
const TOWARDS = { destination: NEXT.ed25519, ...INNER }
const WEB = { host: SERVER.host, target: SERVER.target, ...INNER }

/** What a control asks of NODE, beside fields of the body that differ from what is usual. */
function peels(
  name: string,
  clause: string,
  reason: string,
  says: object,
  out: object,
  beside: object = {},
  encType: EncType = 'xchacha20',
): Case {
  const layer = layerFor(encType, NODE, frame(REQUEST, says))
  const outer = { ephemeral_key: encodeHex(layer.ephemeral), enc_type: encType, ...beside }
  return {
    chapter: CHAPTER,
    name: `peels-${name}`,
    reason,
    clause,
    in: { x25519_secret: encodeHex(NODE.secret), body: encodeHex(frame(layer.ciphertext, outer)) },
    out: { ...out },
  }
}

function peeled(): Case[] {
  const asked = { headers: '' }
  const form = { json: true, base64: false }
  return [
    peels('here', 'ON-20', 'headers: the payload is for this node', asked, HERE),
    peels('headers-null', 'ON-20', 'the key counts, null or not', { headers: null }, HERE),
    peels('headers-and-host', 'ON-20', 'headers is looked for first', { headers: {}, ...WEB, ...TOWARDS }, HERE),
    peels('form', 'ON-20', 'json and base64', { ...asked, ...form }, { ...HERE, ...form }),
    peels('form-null', 'ON-01', 'null counts as absent', { ...asked, json: null, base64: null }, HERE),
    peels('gcm', 'ON-11', 'the short name of aes-gcm', asked, HERE, { enc_type: 'gcm' }, 'aes-gcm'),
    peels('no-enc-type', 'ON-11', 'nothing means aes-gcm', asked, HERE, { enc_type: undefined }, 'aes-gcm'),
    peels('enc-type-null', 'ON-11', 'so does null', asked, HERE, { enc_type: null }, 'aes-gcm'),
    peels('long-name', 'ON-11', 'the long name of xchacha20', asked, HERE, { enc_type: 'xchacha20-poly1305' }),
    ...relayed(),
    ...sentToServers(),
  ]
}

function relayed(): Case[] {
  const sent = (hopNo: number) => ({
    kind: 'relay',
    destination: NEXT.ed25519,
    hop_no: hopNo,
    body: encodeHex(frame(REQUEST, { ...INNER, hop_no: hopNo })),
  })
  const inCapitals = { ...TOWARDS, destination: NEXT.ed25519.toUpperCase() }
  return [
    peels('relay', 'ON-22', 'the payload goes on, one hop further', TOWARDS, sent(1)),
    peels('relay-unnamed', 'ON-22', 'what is sent on names its encryption', { ...TOWARDS, enc_type: undefined }, sent(1)),
    peels('relay-hop-15', 'ON-03', 'the last hop that is taken', TOWARDS, sent(16), { hop_no: 15 }),
    peels('hop-16', 'ON-03', 'who answers itself is the end of the path', { headers: '' }, HERE, { hop_no: 16 }),
    peels('relay-hop-negative', 'ON-02', 'a negative hop counts as 0', TOWARDS, sent(1), { hop_no: -5 }),
    peels('relay-upper-case', 'ON-22', 'keys are read in either case', inCapitals, sent(1)),
  ]
}

function sentToServers(): Case[] {
  const sent = (says: object, address: object) => ({
    kind: 'server',
    ...SERVER,
    ...address,
    body: encodeHex(frame(REQUEST, says)),
  })
  const elsewhere = { host: '::1', port: 80, protocol: 'http', target: '/loki/v3/lsrpc' }
  const [both, other] = [
    { ...TOWARDS, ...WEB },
    { ...WEB, ...elsewhere },
  ]
  return [
    peels('server', 'ON-21', 'port and protocol by default', WEB, sent(WEB, {})),
    peels('server-before-node', 'ON-21', 'host is looked for before destination', both, sent(both, {})),
    peels('server-port', 'ON-21', 'http at another port, an IPv6 address', other, sent(other, elsewhere)),
  ]
}

const KEY = new Uint8Array(32).fill(5)
const NONCE = new Uint8Array(24).fill(6)

function replies(): Case[] {
  const rows: [name: string, clause: string, reason: string, body: unknown, json: boolean, base64: boolean, text: string][] = [
    ['text', 'ON-40', 'a refusal is a text', 'request failed', false, true, '{"status":421,"body":"request failed"}'],
    ['object', 'ON-41', 'an object is the text of its JSON', { t: 1 }, false, true, '{"status":421,"body":"{\\"t\\":1}"}'],
    ['json', 'ON-41', 'with json it is the object itself', { t: 1 }, true, true, '{"status":421,"body":{"t":1}}'],
    ['json-text', 'ON-41', 'with json a text stays one', 'x', true, true, '{"status":421,"body":"x"}'],
    ['bytes', 'ON-40', 'without base64', { t: 1 }, false, false, '{"status":421,"body":"{\\"t\\":1}"}'],
  ]
  return (['xchacha20', 'aes-gcm'] as const).flatMap(encType =>
    rows.map(([name, clause, reason, body, json, base64, text]) => {
      const nonce = encType === 'aes-gcm' ? NONCE.subarray(12) : NONCE
      const bytes = encrypt(encType, KEY, nonce, encodeUtf8(text))
      return {
        chapter: CHAPTER,
        name: `reply-${name}-${encType}`,
        reason,
        clause,
        in: { enc_type: encType, reply_key: encodeHex(KEY), nonce: encodeHex(nonce), status: 421, body, json, base64 },
        out: { reply: base64 ? encodeBase64(bytes) : encodeHex(bytes) },
      }
    }),
  )
}

function refusedReplies(): Case[] {
  const seal = (text: string) => encrypt('xchacha20', KEY, NONCE, encodeUtf8(text))
  const rows: [name: string, failure: string, reason: string, reply: Uint8Array | string, json?: boolean][] = [
    [
      'forged',
      'forged',
      'a bit of the tag is another',
      seal('{"status":200,"body":""}').map((byte, at) => (at === 30 ? byte ^ 1 : byte)),
    ],
    ['short', 'forged', 'shorter than a nonce and a tag', NONCE],
    ['no-base64', 'forged', 'a relay answered in words', 'Next node not found'],
    ['no-json', 'malformed', 'sealed, and no JSON', seal('200')],
    ['no-status', 'malformed', 'sealed, and without a status', seal('{"body":""}')],
    ['status-text', 'malformed', 'the status is a text', seal('{"status":"200","body":""}')],
    ['status-99', 'malformed', 'no HTTP status', seal('{"status":99,"body":""}')],
    ['no-body', 'malformed', 'sealed, and without a body', seal('{"status":200}')],
    ['no-body-json', 'malformed', 'as above, with json', seal('{"status":200}'), true],
    ['body-object', 'malformed', 'an object where a text is due', seal('{"status":200,"body":{}}')],
  ]
  return rows.map(([name, failure, reason, reply, json = false]) => ({
    chapter: CHAPTER,
    name: `refused-reply-${name}`,
    reason,
    clause: 'ON-43',
    failure,
    in: {
      enc_type: 'xchacha20',
      reply_key: encodeHex(KEY),
      json,
      reply: typeof reply === 'string' ? reply : encodeBase64(reply),
    },
    out: {},
  }))
}

function serverLists(): Case[] {
  const head = '{"endpoint":"/room","method":"POST","headers":{"X-A":"1"}}'
  const request = { endpoint: '/room', method: 'POST', headers: { 'X-A': '1' } }
  const sealedReply = (text: string) => encodeHex(encrypt('xchacha20', KEY, NONCE, encodeUtf8(text)))
  const asked = (name: string, reason: string, body: string | undefined, text: string): Case => ({
    chapter: CHAPTER,
    name: `server-request-${name}`,
    reason,
    clause: 'ON-45',
    in: { ...request, body },
    out: { payload: encodeHex(encodeUtf8(text)) },
  })
  const answered = (name: string, reason: string, text: string, out: object | undefined): Case => ({
    chapter: CHAPTER,
    name: `server-reply-${name}`,
    reason,
    clause: 'ON-46',
    ...(out === undefined ? { failure: 'malformed' } : {}),
    in: { enc_type: 'xchacha20', reply_key: encodeHex(KEY), reply: sealedReply(text) },
    out: { ...out },
  })
  return [
    asked('body', 'a head and a body', encodeHex(encodeUtf8('hi')), `l${head.length}:${head}2:hie`),
    asked('no-body', 'a head alone', undefined, `l${head.length}:${head}e`),
    answered('headers-null', 'headers that are none', 'l27:{"code":200,"headers":null}e', undefined),
    answered('headers', 'headers that are texts', 'l38:{"code":200,"headers":{"a":"1","b":2}}2:hie', {
      code: 200,
      headers: { a: '1' },
      body: '6869',
    }),
    answered('head-alone', 'no headers, no body', 'l12:{"code":404}e', { code: 404, headers: {}, body: '' }),
    answered('three', 'a third item', 'l12:{"code":200}0:0:e', undefined),
    answered('no-head', 'an empty list', 'le', undefined),
    answered('no-list', 'a text', '12:{"code":200}', undefined),
    answered('code', 'a code that is no status', 'l14:{"code":"200"}e', undefined),
    answered('trailed', 'a byte behind the list', 'l12:{"code":200}ee', undefined),
  ]
}

function failures(): Case[] {
  const relays = RELAYS.map(({ ed25519 }) => ed25519) as [string, string, string]
  const [guard, second, third] = relays
  const node = DESTINATION.ed25519
  const stranger = nodeOf(9).ed25519
  const one = (
    name: string,
    clause: string,
    reason: string,
    status: number,
    text: string,
    blame: string,
    retry: string,
    destination: string | null = node,
  ): Case => ({
    chapter: CHAPTER,
    name: `failure-${name}`,
    reason,
    clause,
    in: { status, text, relays, destination },
    out: { blame, retry },
  })
  return [
    one('names-relay', 'ON-51', 'the second relay is not found', 502, `Next node not found: ${second}`, second, 'now'),
    one(
      'names-last',
      'ON-51',
      'the last relay is not reached',
      503,
      `Next node is currently unreachable: ${third}`,
      third,
      'now',
    ),
    one('names-destination', 'ON-51', 'the destination is not ready', 503, `Snode not ready: ${node}`, node, 'other-node'),
    one('names-guard', 'ON-51', 'the guard is nobody’s next node', 502, `Next node not found: ${guard}`, 'path', 'now'),
    one('names-stranger', 'ON-51', 'nobody on the path had it to reach', 502, `Next node not found: ${stranger}`, 'path', 'now'),
    one('names-with-more', 'ON-51', 'the text goes on', 502, `Next node not found: ${second}.`, 'path', 'now'),
    one(
      'names-upper-case',
      'ON-51',
      'keys are in lower case',
      502,
      `Next node not found: ${second.toUpperCase()}`,
      'path',
      'now',
    ),
    one('names-status', 'ON-51', 'not with this status', 500, `Next node not found: ${second}`, 'path', 'now'),
    one('timeout', 'ON-54', 'a node did not answer in time', 504, 'Request time out', 'path', 'now'),
    one('ciphertext', 'ON-54', 'a relay could not open its layer', 400, 'Invalid ciphertext', 'path', 'now'),
    one('busy', 'ON-55', 'too many requests', 429, '', 'path', 'later'),
    one('server-down', 'ON-53', 'the words of no node', 502, 'connection refused', 'destination', 'later', null),
    one('server-path', 'ON-53', 'the words of a node', 504, 'Request time out', 'path', 'now', null),
    one(
      'server-names',
      'ON-51',
      'a relay is named, the server is not to blame',
      502,
      `Next node not found: ${second}`,
      second,
      'now',
      null,
    ),
  ]
}
