/** Texts and values of configs for tests. */
import { Secret } from '@session-v2/crypto'
import { decodeHex, encodeUtf8 } from '@session-v2/encoding'
import { type ConfigDict, type ConfigScalar, type ConfigValue, configSet, loadZstd } from '@session-v2/protocol'
import fc from 'fast-check'

export const zstd = await loadZstd()

export const baseOf = (hex: string) => Secret.of(decodeHex(hex), 'config-base')

/** Plain data as values: numbers, texts, arrays as sets, objects as dicts. */
export type Plain = number | string | readonly (number | string)[] | { readonly [key: string]: Plain }

export function configValueOf(plain: Plain): ConfigValue {
  if (typeof plain === 'number' || typeof plain === 'string') return scalarOf(plain)
  if (Array.isArray(plain)) return configSet(plain.map(scalarOf))
  return dictOf(plain as { readonly [key: string]: Plain })
}

export function dictOf(plain: { readonly [key: string]: Plain }): ConfigDict {
  return new Map(Object.entries(plain).map(([key, value]) => [key, configValueOf(value)]))
}

export function scalarOf(plain: number | string): ConfigScalar {
  return typeof plain === 'number' ? BigInt(plain) : encodeUtf8(plain)
}

const scalar: fc.Arbitrary<ConfigScalar> = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.constantFrom('', 'a', 'b', '1').map(encodeUtf8),
)
const set = fc.array(scalar, { minLength: 1, maxLength: 3 }).map(configSet)

/** Few keys and few values, so that devices meet at the same places. */
export const someKey = fc.constantFrom('a', 'b', 'c')
export const someScalar = scalar
export const someValue: fc.Arbitrary<ConfigValue> = fc.letrec<{ value: ConfigValue }>(tie => ({
  value: fc.oneof(
    { maxDepth: 2 },
    scalar,
    set,
    fc.array(fc.tuple(someKey, tie('value')), { minLength: 1, maxLength: 3 }).map(entries => new Map(entries)),
  ),
})).value
export const somePath = fc.array(someKey, { minLength: 1, maxLength: 3 })

/** One change: undefined erases. */
export interface Edit {
  readonly path: readonly string[]
  readonly value: ConfigValue | undefined
}

export const edits: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({
    path: somePath,
    value: fc.oneof({ weight: 3, arbitrary: someValue }, { weight: 1, arbitrary: fc.constant(undefined) }),
  }),
  { minLength: 1, maxLength: 4 },
)

/** The data of a config, not empty. */
export const someData: fc.Arbitrary<ConfigDict> = fc
  .array(fc.tuple(someKey, someValue), { minLength: 1, maxLength: 3 })
  .map(entries => new Map(entries))
