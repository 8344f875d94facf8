/** Bodies of onion requests that a node refuses, each for one reason. */
import { concatBytes, encodeHex, encodeUtf8, uint32Le } from '@session-v2/encoding'
import type { Case } from './case.ts'
import { encrypt, frame, keyOf, layerFor, nodeOf } from './onion-layers.ts'

type Refusal = readonly [name: string, reason: string, body: Uint8Array]

const NODE = nodeOf(1)
const NO_BYTES = new Uint8Array(0)
const HERE = frame(encodeUtf8('{"method":"info","params":{}}'), { headers: '' })
const LAYER = layerFor('xchacha20', NODE, HERE)
const CONTROL = { ephemeral_key: encodeHex(LAYER.ephemeral), enc_type: 'xchacha20' }
const RELAY = { destination: nodeOf(2).ed25519, ...CONTROL }
const SERVER = { host: 'example.org', target: '/oxen/v4/lsrpc', ...CONTROL }

/** The cases of a chapter. */
export function onionRefusals(chapter: string): Case[] {
  const cases = (clause: string, failure: string, text: string, sealed: boolean, rows: readonly Refusal[]): Case[] =>
    rows.map(([name, reason, body]) => ({
      chapter,
      name: `refused-${name}`,
      reason,
      clause,
      failure,
      in: { x25519_secret: encodeHex(NODE.secret), body: encodeHex(body) },
      out: { status: 400, text, sealed },
    }))
  return [
    ...cases('ON-30', 'malformed', 'Error parsing onion request: malformed', false, bodies()),
    ...cases('ON-31', 'forged', 'Invalid ciphertext', false, ciphertexts()),
    ...cases('ON-12', 'forged', 'Invalid ciphertext', false, smallOrder()),
    ...cases('ON-11', 'malformed', 'Error parsing onion request: unsupported enc_type', false, encryptions()),
    ...cases('ON-03', 'malformed', 'onion request max path length exceeded', false, [
      ['hop-16', 'one relay more than there may be', says(RELAY, { hop_no: 16 })],
      ['hop-16-server', 'the same before a web server', says(SERVER, { hop_no: 16 })],
    ]),
    ...cases('ON-23', 'malformed', 'Invalid json', true, controls()),
  ]
}

function bodies(): Refusal[] {
  const { ciphertext } = LAYER
  const { ephemeral_key, ...withoutKey } = CONTROL
  const control = encodeUtf8(JSON.stringify(CONTROL))
  return [
    ['empty', 'there is nothing', NO_BYTES],
    ['length-truncated', 'it ends within the length', Uint8Array.of(0, 0, 0)],
    ['length-beyond', 'the payload would end one byte beyond the body', concatBytes(uint32Le(control.length + 1), control)],
    ['length-greatest', 'as above, by 4 GiB', concatBytes(uint32Le(0xffff_ffff), ciphertext, control)],
    ['no-control', 'there is no JSON', frame(ciphertext, '')],
    ['control-truncated', 'the JSON ends within a name', frame(ciphertext, '{"ephemeral')],
    ['control-list', 'a list has no names', frame(ciphertext, [CONTROL])],
    ['control-trailed', 'something stands behind the object', frame(ciphertext, `${JSON.stringify(CONTROL)}}`)],
    ['control-long', '16,385 bytes', frame(ciphertext, JSON.stringify(CONTROL).padEnd(16_385, ' '))],
    [
      'control-deep',
      '17 levels',
      frame(ciphertext, `{"x":${'['.repeat(16)}${']'.repeat(16)},${JSON.stringify(CONTROL).slice(1)}`),
    ],
    ['no-ephemeral-key', 'there is no key', frame(ciphertext, withoutKey)],
    ['ephemeral-key-null', 'null counts as absent', frame(ciphertext, { ...CONTROL, ephemeral_key: null })],
    ['ephemeral-key-short', '31 bytes', frame(ciphertext, { ...CONTROL, ephemeral_key: ephemeral_key.slice(2) })],
    ['ephemeral-key-no-hex', 'g is no digit', frame(ciphertext, { ...CONTROL, ephemeral_key: `g${ephemeral_key.slice(1)}` })],
    ['hop-fraction', 'half a relay', frame(ciphertext, { ...CONTROL, hop_no: 0.5 })],
    ['hop-text', 'a number is due', frame(ciphertext, { ...CONTROL, hop_no: '1' })],
  ]
}

function ciphertexts(): Refusal[] {
  const { ciphertext } = LAYER
  const flipped = (at: number) => ciphertext.map((byte, index) => (index === at ? byte ^ 1 : byte))
  const other = layerFor('xchacha20', nodeOf(2), HERE)
  const gcm = layerFor('aes-gcm', NODE, HERE)
  const gcmControl = { ephemeral_key: encodeHex(gcm.ephemeral), enc_type: 'aes-gcm' }
  return [
    ['ciphertext-empty', 'there is no nonce', frame(NO_BYTES, CONTROL)],
    ['ciphertext-short', 'the nonce and 15 bytes of a tag', frame(ciphertext.subarray(0, 39), CONTROL)],
    ['ciphertext-nonce', 'a bit of the nonce is another', frame(flipped(0), CONTROL)],
    ['ciphertext-text', 'a bit of the text is another', frame(flipped(30), CONTROL)],
    ['ciphertext-tag', 'a bit of the tag is another', frame(flipped(ciphertext.length - 1), CONTROL)],
    ['ciphertext-truncated', 'the last byte is missing', frame(ciphertext.subarray(0, -1), CONTROL)],
    ['ciphertext-other-node', 'it is for another node', frame(other.ciphertext, CONTROL)],
    ['ciphertext-other-cipher', 'it says the other encryption', frame(ciphertext, { ...CONTROL, enc_type: 'aes-gcm' })],
    ['ciphertext-gcm-tag', 'AES-GCM, without the last byte', frame(gcm.ciphertext.subarray(0, -1), gcmControl)],
    ['ciphertext-gcm-short', 'AES-GCM, the iv and 15 bytes', frame(gcm.ciphertext.subarray(0, 27), gcmControl)],
  ]
}

/** Ciphertexts that anybody can make: under the key that a shared secret of zeroes gives. */
function smallOrder(): Refusal[] {
  const zero = new Uint8Array(32)
  const sealed = (encType: 'aes-gcm' | 'xchacha20', ephemeral: Uint8Array) => {
    const nonce = new Uint8Array(encType === 'aes-gcm' ? 12 : 24).fill(9)
    const bytes = encrypt(encType, keyOf(encType, zero, ephemeral, NODE.x25519), nonce, HERE)
    return frame(bytes, { ephemeral_key: encodeHex(ephemeral), enc_type: encType })
  }
  const one = zero.with(0, 1)
  return [
    ['small-order-zero', 'the key 0, and a ciphertext that fits it', sealed('xchacha20', zero)],
    ['small-order-one', 'the key 1, and a ciphertext that fits it', sealed('xchacha20', one)],
    ['small-order-gcm', 'the key 0, in AES-GCM', sealed('aes-gcm', zero)],
  ]
}

function encryptions(): Refusal[] {
  const named = (name: unknown) => frame(LAYER.ciphertext, { ...CONTROL, enc_type: name })
  return [
    ['aes-cbc', 'it authenticates nothing', named('aes-cbc')],
    ['cbc', 'the same by its short name', named('cbc')],
    ['enc-type-case', 'names are in lower case', named('XChaCha20')],
    ['enc-type-empty', 'an empty name is not an absent one', named('')],
    ['enc-type-list', 'a name is a text', named(['xchacha20'])],
  ]
}

/** A layer of this text, whose control has the fields of `beside` too. */
function within(text: Uint8Array, beside: object = {}): Uint8Array {
  const { ciphertext, ephemeral } = layerFor('xchacha20', NODE, text)
  return frame(ciphertext, { ephemeral_key: encodeHex(ephemeral), enc_type: 'xchacha20', ...beside })
}

/** A layer that says what to do with a payload. */
function says(control: object | string, beside: object = {}): Uint8Array {
  return within(frame(LAYER.ciphertext, control), beside)
}

function controls(): Refusal[] {
  return [
    ['layer-empty', 'a layer of nothing', within(NO_BYTES)],
    ['layer-length-beyond', 'its payload would end beyond it', within(concatBytes(uint32Le(3), encodeUtf8('{}')))],
    ['layer-no-json', 'its control is no JSON', says('{')],
    ['layer-says-nothing', 'an empty control', says({})],
    ['headers-json-text', 'json is a boolean', says({ headers: '', json: 'true' })],
    ['headers-base64-number', 'base64 is a boolean', says({ headers: '', base64: 0 })],
    ['no-destination', 'null counts as absent', says({ ...RELAY, destination: null })],
    ['destination-short', '31 bytes', says({ ...RELAY, destination: RELAY.destination.slice(2) })],
    ['next-without-key', 'the next layer has no ephemeral key', says({ destination: RELAY.destination })],
    ['next-aes-cbc', 'the next layer would be refused', says({ ...RELAY, enc_type: 'aes-cbc' })],
    ['host-null', 'the key decides, its value is no host', says({ ...RELAY, ...SERVER, host: null })],
    ['host-with-path', 'a slash would put a path into the URL', says({ ...SERVER, host: 'example.org/x' })],
    ['host-with-user', 'the host would be what stands behind @', says({ ...SERVER, host: 'example.org@localhost' })],
    ['host-with-port', 'the port stands elsewhere', says({ ...SERVER, host: 'example.org:80' })],
    ['no-target', 'there is no target', says({ host: 'example.org' })],
    ['target-elsewhere', 'neither /loki/ nor /oxen/', says({ ...SERVER, target: '/x/lsrpc' })],
    ['target-end', 'it ends with something else', says({ ...SERVER, target: '/oxen/v4/lsrpcs' })],
    ['target-query', 'it has a query', says({ ...SERVER, target: '/oxen/v4?/lsrpc' })],
    ['target-upwards', 'it leaves /oxen/', says({ ...SERVER, target: '/oxen/../lsrpc' })],
    ['target-escaped', 'as above, escaped', says({ ...SERVER, target: '/oxen/%2e%2e/lsrpc' })],
    ['port-0', 'no port', says({ ...SERVER, port: 0 })],
    ['port-65536', 'one more than there are', says({ ...SERVER, port: 65536 })],
    ['port-text', 'a port is a number', says({ ...SERVER, port: '443' })],
    ['protocol', 'neither http nor https', says({ ...SERVER, protocol: 'ftp' })],
  ]
}
