/** The one error class of this package: a request that cannot be answered with `ok`. */

/** With hyphens: what is wrong with the request. With underscores: what the protocol says about what was in it. */
export type InteropErrorCode =
  | 'bad-json'
  | 'bad-input'
  | 'unknown-op'
  | 'too-large'
  | 'not-supported'
  | 'internal'
  | 'too-short'
  | 'unknown-word'
  | 'bad-checksum'
  | 'bad_format'
  | 'bad_signature'
  | 'unknown_version'
  | 'no_pfs_key'
  | 'decrypt_failed'
  | 'not_for_us'

export class InteropError extends Error {
  override readonly name = 'InteropError'
  readonly code: InteropErrorCode

  constructor(code: InteropErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
