/**
 * How deep JSON nests and how many values it has, seen from its bytes before it is parsed (clause NODE-106): ten megabytes of brackets take a
 * parser seconds and hundreds of megabytes. Texts, in which most bytes are, are skipped by a search for their end.
 */
import { REQUEST_MAX_VALUES } from '@session-v2/network'

/** The deepest request nests less than half of it. */
export const JSON_MAX_DEPTH = 64

const NEAR_BYTES = 24

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const COMMA = 0x2c

/**
 * Whether brackets and braces outside of texts nest deeper than `maxDepth`, or there are more of them and of commas than a request has
 * values in any form. Says nothing of anything else that is wrong.
 */
export function nestsDeeper(json: Buffer, maxDepth: number): boolean {
  let depth = 0
  let values = 0
  for (let i = 0; i < json.length; i++) {
    const byte = json[i]
    if (byte === QUOTE) {
      i = endOfText(json, i + 1)
    } else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      if (++depth > maxDepth || ++values > REQUEST_MAX_VALUES) return true
    } else if (byte === COMMA) {
      if (++values > REQUEST_MAX_VALUES) return true
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--
  }
  return false
}

/** Where the text that begins at `start` has its closing quote; the end of the bytes when it has none. */
function endOfText(json: Buffer, start: number): number {
  // A native search costs more than a short text: megabytes of empty ones would take it half a second.
  const near = Math.min(start + NEAR_BYTES, json.length)
  for (let i = start; i < near; i++) {
    if (json[i] === QUOTE) return i
    if (json[i] === BACKSLASH) i++
  }
  return farEndOfText(json, start)
}

function farEndOfText(json: Buffer, start: number): number {
  let end = json.indexOf(QUOTE, start)
  while (end !== -1 && isEscaped(json, start, end)) end = json.indexOf(QUOTE, end + 1)
  return end === -1 ? json.length : end
}

/** Whether an odd number of backslashes stands before the quote. */
function isEscaped(json: Buffer, start: number, quote: number): boolean {
  let first = quote
  while (first > start && json[first - 1] === BACKSLASH) first--
  return (quote - first) % 2 === 1
}
