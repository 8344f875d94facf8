/**
 * The parameters of a request in bt. Requests are built in JSON; a field's name says how its text is written here (RPC-15).
 *
 * | fields | bt |
 * |---|---|
 * | `pubkey`, `pubkey_ed25519` | bytes of the hexadecimal |
 * | `data`, `signature`, `subaccount`, `subaccount_sig`, `revoke`, `unrevoke` | bytes of the base64 |
 * | `params` within `oxend_request` | its JSON, as text |
 * | `requests`, `then`, `else` | dicts with `method` and `params` |
 */
import { type BtValue, byteKey, decodeBase64, decodeHex, encodeUtf8 } from '@session-v2/encoding'
import { isObject, type JsonFields } from './fields.ts'
import { toBt } from './wire-value.ts'

const HEXADECIMAL: ReadonlySet<string> = new Set(['pubkey', 'pubkey_ed25519'])
const BASE64: ReadonlySet<string> = new Set(['data', 'signature', 'subaccount', 'subaccount_sig', 'revoke', 'unrevoke'])
const REQUESTS: ReadonlySet<string> = new Set(['requests', 'then', 'else'])

/** The dict of JSON parameters. `envelope` writes a request within. @throws EncodingError for text that is not what its field holds */
export function btParams(params: JsonFields, envelope: (request: JsonFields) => BtValue): BtValue {
  const dict = new Map<string, BtValue>()
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === null) continue
    dict.set(byteKey(encodeUtf8(name)), btField(name, value, envelope))
  }
  return dict
}

function btField(name: string, value: unknown, envelope: (request: JsonFields) => BtValue): BtValue {
  if (Array.isArray(value)) return value.map(item => btField(name, item, envelope))
  if (typeof value === 'string' && HEXADECIMAL.has(name)) return decodeHex(value)
  if (typeof value === 'string' && BASE64.has(name)) return decodeBase64(value)
  if (isObject(value) && REQUESTS.has(name)) return envelope(value)
  return isObject(value) && name === 'params' ? encodeUtf8(JSON.stringify(value)) : toBt(value)
}
