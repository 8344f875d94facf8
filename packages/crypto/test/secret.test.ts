/** Secrets do not print, serialise, travel or outlive their wiping. */
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { format, inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { constantTimeCompare, constantTimeEqual, Secret, wipe } from '../src/index.ts'
import { expectCode } from './providers.ts'

const BYTES = [0xde, 0xad, 0xbe, 0xef]
const make = () => Secret.of(Uint8Array.from(BYTES), 'x25519-secret')
const SHOWN = '[secret x25519-secret]'

function printed(value: unknown): string {
  let text = ''
  const sink = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  new Console(sink).log(value)
  return text
}

describe('a secret shows only its role', () => {
  it('as a string', () => {
    expect(String(make())).toBe(SHOWN)
    expect(`${make()}`).toBe(SHOWN)
    expect(Number(make())).toBeNaN()
  })

  it('in JSON', () => {
    expect(JSON.stringify({ key: make() })).toBe(`{"key":"${SHOWN}"}`)
  })

  it('inspected and logged, at any depth', () => {
    expect(inspect(make(), { showHidden: true, depth: 9 })).toBe(SHOWN)
    expect(format('%o %O %s', make(), make(), make())).toBe(`${SHOWN} ${SHOWN} ${SHOWN}`)
    expect(printed({ key: make() })).toBe(`{ key: ${SHOWN} }\n`)
  })

  it('to reflection', () => {
    expect(Reflect.ownKeys(make())).toEqual([])
    expect(Object.entries(make())).toEqual([])
    expect({ ...make() }).toEqual({})
  })

  it('to structuredClone and postMessage', () => {
    const clone: unknown = structuredClone(make())
    expect(clone).not.toBeInstanceOf(Secret)
    expect(Reflect.ownKeys(clone as object)).toEqual([])
  })

  it('in the message of its own error', () => {
    const secret = make()
    secret.wipe()
    expect(() => secret.expose()).toThrow('the secret x25519-secret was wiped')
  })
})

describe('a secret', () => {
  it('gives its live bytes, role and size', () => {
    const bytes = Uint8Array.from(BYTES)
    const secret = Secret.of(bytes, 'symmetric')
    expect(secret.expose()).toBe(bytes)
    expect([secret.role, secret.sizeBytes, secret.wiped]).toEqual(['symmetric', 4, false])
  })

  it('is zero and unusable once wiped', () => {
    const bytes = Uint8Array.from(BYTES)
    const secret = Secret.of(bytes, 'symmetric')
    secret.wipe()
    secret.wipe()
    expect([...bytes]).toEqual([0, 0, 0, 0])
    expect([secret.wiped, secret.sizeBytes]).toEqual([true, 4])
    expectCode('bad-key', () => secret.expose())
    expectCode('bad-key', () => secret.equals(make()))
    expectCode('bad-key', () => make().equals(secret))
  })

  it('has its place among others by unsigned bytes', () => {
    const other = (...bytes: number[]) => Secret.of(Uint8Array.from(bytes), 'other')
    expect(make().compare(make())).toBe(0)
    expect(make().compare(other(0xde, 0xad, 0xbe, 0xee))).toBe(1)
    expect(make().compare(other(0xdf, 0, 0, 0))).toBe(-1)
    const wiped = make()
    wiped.wipe()
    expectCode('bad-key', () => wiped.compare(make()))
    expectCode('bad-key', () => make().compare(wiped))
  })

  it('compares by its bytes', () => {
    expect(make().equals(make())).toBe(true)
    expect(make().equals(Secret.of(Uint8Array.from([0xde, 0xad, 0xbe, 0xee]), 'other'))).toBe(false)
    expect(make().equals(Secret.of(Uint8Array.from([0xde]), 'other'))).toBe(false)
  })
})

describe('constantTimeEqual, constantTimeCompare and wipe', () => {
  it('compares lengths and every byte', () => {
    const a = Uint8Array.from(BYTES)
    expect(constantTimeEqual(a, Uint8Array.from(BYTES))).toBe(true)
    expect(constantTimeEqual(new Uint8Array(0), new Uint8Array(0))).toBe(true)
    expect(constantTimeEqual(a, a.subarray(0, 3))).toBe(false)
    for (let i = 0; i < a.length; i++) expect(constantTimeEqual(a, a.with(i, 0))).toBe(false)
  })

  it('orders by unsigned bytes, the first the most significant, a prefix first', () => {
    const compare = (a: number[], b: number[]) => constantTimeCompare(Uint8Array.from(a), Uint8Array.from(b))
    expect(compare([], [])).toBe(0)
    expect(compare([0x7f], [0x80])).toBe(-1)
    expect(compare([0xff], [0])).toBe(1)
    expect(compare([1, 255, 255], [2, 0, 0])).toBe(-1)
    expect(compare([1, 2], [1, 2, 0])).toBe(-1)
    expect(compare([1, 2, 0], [1, 2])).toBe(1)
    expect(compare([2], [1, 9])).toBe(1)
  })

  it('orders any byte strings as Node does', () => {
    const bytes = fc.uint8Array({ maxLength: 5, max: 3 })
    const agrees = (any: fc.Arbitrary<Uint8Array>) =>
      fc.property(any, any, (a, b) => {
        expect(constantTimeCompare(a, b)).toBe(Buffer.compare(a, b))
      })
    fc.assert(agrees(bytes))
    fc.assert(agrees(fc.uint8Array({ minLength: 32, maxLength: 32 })))
  })

  it('wipes every array', () => {
    const [a, b] = [new Uint8Array(3).fill(1), new Uint8Array(2).fill(2)]
    wipe(a, b)
    expect([...a, ...b]).toEqual([0, 0, 0, 0, 0])
  })
})
