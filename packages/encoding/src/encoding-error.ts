/** The one error of this package: bytes that are not what their format says. */

/** Every way in which a decoder or encoder here can refuse its input. */
export type EncodingErrorCode =
  | 'truncated'
  | 'trailing-bytes'
  | 'not-canonical'
  | 'out-of-order'
  | 'duplicate-key'
  | 'missing-field'
  | 'wrong-type'
  | 'wrong-size'
  | 'out-of-range'
  | 'too-deep'
  | 'too-large'
  | 'bad-character'
  | 'bad-padding'
  | 'bad-utf8'

/** A refusal with its code and, where a decoder stopped, the offset in bytes. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError'
  readonly code: EncodingErrorCode
  readonly offset: number | undefined

  constructor(code: EncodingErrorCode, message: string, options?: { offset?: number; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.offset = options?.offset
  }
}
