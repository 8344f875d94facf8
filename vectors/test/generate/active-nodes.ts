/** Lists of nodes in bytes, put together by hand. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { encodeHex } from '@session-v2/encoding'
import type { Case } from './case.ts'

const KEY = encodeHex(ed25519.getPublicKey(new Uint8Array(32).fill(7)))
const OTHER_KEY = encodeHex(ed25519.getPublicKey(new Uint8Array(32).fill(9)))
const RECORD = `${KEY}${'f0e0d0c0b0a09080'}${'7f000102'}${'5655'}${'5654'}${'020b03'}`
const NODE = {
  pubkey_ed25519: KEY,
  swarm: 'f0e0d0c0b0a09080',
  ip: '127.0.1.2',
  port_https: 22101,
  port_omq: 22100,
  version: [2, 11, 3],
}

/** The cases for a chapter. */
export function activeNodeCases(chapter: string): Case[] {
  const named = (name: string, reason: string, parts: Pick<Case, 'in' | 'out'> & { failure?: string }): Case => ({
    chapter,
    name: `active-nodes-${name}`,
    reason,
    clause: 'RPC-81',
    ...(parts.failure !== undefined && { failure: parts.failure }),
    in: parts.in,
    out: parts.out,
  })
  const other = `${OTHER_KEY}${'00'.repeat(7)}05${'01020304'}${'0001'}${'ffff'}${'000000'}`
  const nodes = [
    NODE,
    { pubkey_ed25519: OTHER_KEY, swarm: '5', ip: '1.2.3.4', port_https: 1, port_omq: 65535, version: [0, 0, 0] },
  ]
  return [
    named('one', 'a record has 51 bytes', { in: { bytes: RECORD }, out: { nodes: [NODE] } }),
    named('two', 'one record after another', { in: { bytes: RECORD + other }, out: { nodes } }),
    named('none', 'no node at all', { in: { bytes: '' }, out: { nodes: [] } }),
    named('cut', 'the last record is not whole', { failure: 'malformed', in: { bytes: RECORD.slice(0, -2) }, out: {} }),
    named('key-of-small-order', 'the key is one that nobody holds', {
      failure: 'malformed',
      in: { bytes: `01${'00'.repeat(31)}${RECORD.slice(64)}` },
      out: {},
    }),
  ]
}
