/** Both providers of the primitives, and questions put to an interop over either. */
import { type Crypto, loadCrypto, systemRandom } from '@session-v2/crypto'
import { createInterop } from '@session-v2/interop'

export const providers: [string, Crypto][] = [
  ['wasm', await loadCrypto({ provider: 'wasm' })],
  ['native', await loadCrypto({ provider: 'native' })],
]

export interface Answer {
  readonly id: unknown
  readonly ok: boolean
  // biome-ignore lint/suspicious/noExplicitAny: answers have many shapes, checked by the tests that read them
  readonly out?: any
  readonly error?: { readonly code: string; readonly message: string }
}

export type Ask = (op: string, input: unknown) => Answer

/** Asks one operation. */
export function askerOf(crypto: Crypto): Ask {
  const interop = createInterop(crypto, systemRandom())
  return (op, input) => JSON.parse(interop.answer(JSON.stringify({ id: 1, op, in: input })))
}
