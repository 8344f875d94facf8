/** Tokens of subaccounts, and requests with them, valid and each way refused, with an independent implementation of the primitives. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { encodeHex, encodeUtf8 } from '@session-v2/encoding'
import type { Case } from './case.ts'

const OWNER = new Uint8Array(32).fill(7)
const SUB = new Uint8Array(32).fill(9)
const OTHER = new Uint8Array(32).fill(11)
const TEXT = 'retrieve211750000000123'
const [READ, WRITE, ANY_PREFIX] = [1, 2, 8]

interface Use {
  readonly prefix?: number
  readonly rights?: number
  readonly owner?: Uint8Array
  readonly signer?: Uint8Array
  readonly needed?: number
  readonly revoked?: boolean
  readonly session?: boolean
  readonly reserved?: number
}

/** The cases for a chapter. */
export function subaccountCases(chapter: string): Case[] {
  const tokens: [name: string, clause: string, prefix: number, rights: number, reason: string][] = [
    ['read', 'SUB-01', 0x03, READ, 'a reader of a group'],
    ['all', 'SUB-02', 0x05, 15, 'every right, of an account with another prefix'],
  ]
  const uses: [name: string, clause: string, use: Use, fault: string | undefined, reason: string][] = [
    ['valid', 'SUB-03', {}, undefined, 'the owner signed the token, and its key the request'],
    ['session-id', 'SUB-03', { session: true }, undefined, 'the owner of a Session id, whose Ed25519 key comes along'],
    [
      'any-prefix',
      'SUB-04',
      { prefix: 0x05, rights: READ | ANY_PREFIX },
      undefined,
      'the token is for another prefix, but for any',
    ],
    ['reserved', 'SUB-01', { reserved: 0xff }, undefined, 'what is written 0 is not read'],
    ['revoked', 'SUB-04', { revoked: true, prefix: 0x05 }, 'revoked', 'revoked, before anything else is looked at'],
    ['prefix', 'SUB-04', { prefix: 0x05, rights: WRITE }, 'prefix', 'the token is for accounts of another prefix'],
    ['rights', 'SUB-04', { rights: WRITE, owner: OTHER }, 'rights', 'it may only write'],
    ['rights-of-two', 'SUB-05', { rights: WRITE, needed: WRITE | 4 }, 'rights', 'of two rights that are needed it has one'],
    ['owner', 'SUB-04', { owner: OTHER, signer: OTHER }, 'owner-signature', 'somebody else signed the token'],
    ['signer', 'SUB-04', { signer: OTHER }, 'request-signature', 'somebody else signed the request'],
    ['owner-signs', 'SUB-04', { signer: OWNER }, 'request-signature', 'the owner signed a request that has a token'],
  ]
  return [
    ...tokens.map(([name, clause, prefix, rights, reason]) => tokenCase(chapter, name, clause, prefix, rights, reason)),
    ...uses.map(
      ([name, clause, use, fault, reason]): Case => ({
        chapter,
        name: `subaccount-${fault === undefined ? 'may' : 'refused'}-${name}`,
        reason,
        clause,
        ...(fault !== undefined && { failure: 'forged' }),
        in: request(use),
        out: fault === undefined ? {} : { fault },
      }),
    ),
  ]
}

function tokenCase(chapter: string, name: string, clause: string, prefix: number, rights: number, reason: string): Case {
  const bytes = token(prefix, rights)
  return {
    chapter,
    name: `subaccount-token-${name}`,
    reason,
    clause,
    in: { seed: encodeHex(OWNER), prefix, rights, subaccount_key: encodeHex(ed25519.getPublicKey(SUB)) },
    out: { subaccount: encodeHex(bytes), subaccount_sig: encodeHex(ed25519.sign(bytes, OWNER)) },
  }
}

function token(prefix: number, rights: number, reserved = 0): Uint8Array {
  return Uint8Array.of(prefix, rights, reserved, reserved, ...ed25519.getPublicKey(SUB))
}

function request(use: Use): Record<string, unknown> {
  const { session = false, prefix = session ? 0x05 : 0x03, rights = READ, owner = OWNER, signer = SUB, reserved } = use
  const bytes = token(prefix, rights, reserved)
  const key = ed25519.getPublicKey(OWNER)
  const account = session ? `05${encodeHex(ed25519.utils.toMontgomery(key))}` : `03${encodeHex(key)}`
  return {
    pubkey: account,
    ...(session && { pubkey_ed25519: encodeHex(key) }),
    text: TEXT,
    needed: use.needed ?? READ,
    revoked: use.revoked ?? false,
    subaccount: encodeHex(bytes),
    subaccount_sig: encodeHex(ed25519.sign(bytes, owner)),
    signature: encodeHex(ed25519.sign(encodeUtf8(TEXT), signer)),
  }
}
