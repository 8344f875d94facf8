/** Hexadecimal, base64 and UTF-8 text. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutUtf8, decodeBase64, decodeHex, decodeUtf8, encodeBase64, encodeHex, encodeUtf8 } from '../src/index.ts'
import { expectCode } from './outcome.ts'

const anyBytes = fc.uint8Array({ maxLength: 200 })

describe('hexadecimal', () => {
  it('agrees with Buffer and is read in either case', () => {
    const property = fc.property(anyBytes, bytes => {
      const text = encodeHex(bytes)
      expect(text).toBe(Buffer.from(bytes).toString('hex'))
      expect(decodeHex(text)).toEqual(bytes)
      expect(decodeHex(text.toUpperCase(), bytes.length)).toEqual(bytes)
    })
    fc.assert(property)
  })

  it('refuses an odd number of digits and another size', () => {
    expectCode('wrong-size', () => decodeHex('abc'))
    expectCode('wrong-size', () => decodeHex('abcd', 1))
    expectCode('wrong-size', () => decodeHex('', 1))
    expect(decodeHex('', 0)).toEqual(new Uint8Array(0))
  })

  it('refuses every character that is no digit', () => {
    for (let code = 0; code < 0x200; code++) {
      const character = String.fromCharCode(code)
      if (/[0-9a-fA-F]/.test(character)) expect(decodeHex(`0${character}`)[0]).toBe(Number.parseInt(character, 16))
      else for (const text of [`0${character}`, `${character}0`]) expectCode('bad-character', () => decodeHex(text))
    }
  })
})

describe('base64', () => {
  it('agrees with Buffer, padded or not', () => {
    const property = fc.property(anyBytes, bytes => {
      const padded = Buffer.from(bytes).toString('base64')
      expect(encodeBase64(bytes)).toBe(padded)
      expect(encodeBase64(bytes, { padding: false })).toBe(padded.replaceAll('=', ''))
      expect(decodeBase64(padded)).toEqual(bytes)
      expect(decodeBase64(padded.replaceAll('=', ''))).toEqual(bytes)
    })
    fc.assert(property)
  })

  it.each(['A', 'AAAAA'])('refuses %s: a byte is cut', text => {
    expectCode('truncated', () => decodeBase64(text))
  })

  it.each(['=', '==', 'AA=', 'AAA==', 'AAAA=', 'AAAA==', 'A='])('refuses the padding of %s', text => {
    expectCode('bad-padding', () => decodeBase64(text))
  })

  it.each(['A===', '====', 'AA=A', 'AAA ', 'AA\n=', 'AA-A', 'AA_A', 'AAA\u0141', 'AA\u{1f600}', '=AAA'])(
    'refuses a character of %j',
    text => {
      expectCode('bad-character', () => decodeBase64(text))
    },
  )

  it.each(['AB', 'AB==', 'AAB', 'AAB=', 'AAAAAP'])('refuses the spare bits of %s', text => {
    expectCode('not-canonical', () => decodeBase64(text))
  })
})

describe('UTF-8', () => {
  it('is read as written', () => {
    const property = fc.property(fc.string({ unit: 'binary' }), text => {
      expect(Buffer.from(encodeUtf8(text)).equals(Buffer.from(text, 'utf8'))).toBe(true)
      expect(decodeUtf8(encodeUtf8(text))).toBe(text)
    })
    fc.assert(property)
  })

  it('keeps a byte order mark', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe('\ufeffA')
  })

  it.each([
    ['a lone continuation', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['half of a surrogate pair', [0xed, 0xa0, 0x80]],
    ['a code point beyond the last', [0xf4, 0x90, 0x80, 0x80]],
    ['a cut sequence', [0xe2, 0x82]],
  ])('refuses %s', (_, bytes) => {
    expectCode('bad-utf8', () => decodeUtf8(Uint8Array.from(bytes)))
  })

  it('does not write half of a surrogate pair', () => {
    for (const text of ['\ud800', 'a\udc00', '\udc00\ud800']) expectCode('bad-utf8', () => encodeUtf8(text))
  })
})

describe('UTF-8 that is cut (ENC-01)', () => {
  it('keeps whole characters, as many as fit', () => {
    const bytes = encodeUtf8('aé€😀')
    const kept = Array.from({ length: 12 }, (_, maxBytes) => decodeUtf8(cutUtf8(bytes, maxBytes)))
    expect(kept).toEqual(['', 'a', 'a', 'aé', 'aé', 'aé', 'aé€', 'aé€', 'aé€', 'aé€', 'aé€😀', 'aé€😀'])
  })
})
