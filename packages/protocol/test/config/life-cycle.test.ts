/** The life of a config on one device: edits, pushes, confirmations, merges, dumps, parts (CFG-09, CFG-13 to CFG-16, CFG-22 to CFG-29). */
import { byteKey, encodeHex, encodeUtf8 } from '@session-v2/encoding'
import {
  accountConfigChannel,
  addToConfigSet,
  type ConfigState,
  configValue,
  confirmConfigPush,
  dumpConfig,
  encodeConfigMessage,
  isConfigPushDue,
  loadConfigDump,
  mergeConfig,
  newConfigState,
  pushConfig,
  receiveConfig,
  removeFromConfigSet,
  sealConfigPush,
  setConfigValue,
  unwrapConfig,
  wrapConfig,
} from '@session-v2/protocol'
import { describe, expect, it } from 'vitest'
import { native as crypto, refusalBy, someAccount } from '../providers.ts'
import { dictOf, zstd } from './config-world.ts'

const DAY_MS = 86_400_000
const fresh = newConfigState(crypto)
const set = (state: ConfigState, key: string, value: bigint | undefined) => setConfigValue(crypto, state, [key], value)
const ascii = (bytes: Uint8Array) => String.fromCharCode(...bytes)
const plaintextOf = (state: ConfigState) => pushConfig(crypto, state).plaintext

/** Pushed and confirmed under a hash. */
function stored(state: ConfigState, hash: string): ConfigState {
  const { state: waiting, seqno } = pushConfig(crypto, state)
  return confirmConfigPush(waiting, seqno, [hash])
}

const merged = (state: ConfigState, ...messages: [hash: string, plaintext: Uint8Array][]) =>
  mergeConfig(
    crypto,
    state,
    messages.map(([hash, plaintext]) => ({ hashes: [hash], plaintext })),
  ).state

describe('an edit', () => {
  it('begins one message, and later ones change it', () => {
    const first = set(fresh, 'a', 1n)
    const second = set(set(first, 'b', 2n), 'a', 3n)
    expect([fresh, first, second].map(({ phase, message }) => [phase, message.seqno])).toEqual([
      ['clean', 0n],
      ['dirty', 1n],
      ['dirty', 1n],
    ])
    expect(second.message.data).toEqual(dictOf({ a: 3, b: 2 }))
    expect([fresh, second].map(isConfigPushDue)).toEqual([false, true])
  })

  it('that is undone is pushed all the same, with an empty diff', () => {
    const state = set(set(stored(set(fresh, 'a', 1n), 'h'), 'a', 2n), 'a', 1n)
    expect(ascii(plaintextOf(state))).toContain('d1:#i2e1:&d1:ai1ee')
    expect(ascii(plaintextOf(state)).endsWith('1:=dee')).toBe(true)
  })

  it('that changes nothing is none unless the config is dirty', () => {
    const clean = stored(addToConfigSet(crypto, set(fresh, 'a', 1n), ['s'], 1n), 'h')
    const nothings = [
      set(clean, 'a', 1n),
      set(clean, 'missing', undefined),
      setConfigValue(crypto, clean, ['missing'], []),
      setConfigValue(crypto, clean, ['missing'], new Map([['x', new Map()]])),
      setConfigValue(crypto, clean, ['a', 'b'], undefined),
      addToConfigSet(crypto, clean, ['s'], 1n),
      removeFromConfigSet(crypto, clean, ['s'], 2n),
    ]
    for (const state of nothings) expect(state).toBe(clean)
  })

  it('that takes something out of a set that does not exist is one', () => {
    const state = removeFromConfigSet(crypto, fresh, ['s'], 1n)
    expect(state).toMatchObject({ phase: 'dirty', message: { seqno: 1n } })
    expect(state.message.data.size).toBe(0)
  })

  it('makes dicts on the way, in place of what is none, and leaves nothing empty behind', () => {
    const state = setConfigValue(crypto, set(fresh, 'a', 1n), ['a', 'b', 'c'], 2n)
    expect(state.message.data).toEqual(dictOf({ a: { b: { c: 2 } } }))
    expect(configValue(state, ['a', 'b', 'c'])).toBe(2n)
    expect(configValue(state, ['a', 'b', 'c', 'd'])).toBeUndefined()
    expect(setConfigValue(crypto, state, ['a', 'b', 'c'], undefined).message.data.size).toBe(0)
    expect(removeFromConfigSet(crypto, addToConfigSet(crypto, fresh, ['s'], 1n), ['s'], 1n).message.data.size).toBe(0)
  })

  it('of the waiting message begins the one that follows', () => {
    const { state: waiting } = pushConfig(crypto, set(fresh, 'a', 1n))
    const state = set(waiting, 'a', 2n)
    expect(state).toMatchObject({ phase: 'dirty', message: { seqno: 2n } })
    expect(confirmConfigPush(state, 1n, ['h'])).toBe(state)
  })

  it('tells the integer 1 from the text "1"', () => {
    const clean = stored(set(fresh, 'a', 1n), 'h')
    const state = setConfigValue(crypto, clean, ['a'], encodeUtf8('1'))
    expect(ascii(plaintextOf(state))).toContain('1:=d1:a0:e')
  })
})

describe('a push', () => {
  it('hands out hashes to delete once, and the same bytes as often as asked', () => {
    const state = set(stored(set(fresh, 'a', 1n), 'old'), 'a', 2n)
    const first = pushConfig(crypto, state)
    const second = pushConfig(crypto, first.state)
    const third = pushConfig(crypto, confirmConfigPush(first.state, 2n, ['new']))
    expect([first, second, third].map(({ obsolete }) => obsolete)).toEqual([['old'], [], []])
    expect(new Set([first, second, third].map(({ plaintext }) => encodeHex(plaintext))).size).toBe(1)
    expect([first, second, third].map(({ state: { phase } }) => phase)).toEqual(['waiting', 'waiting', 'clean'])
  })

  it('is confirmed by its seqno alone', () => {
    const { state } = pushConfig(crypto, set(fresh, 'a', 1n))
    expect(confirmConfigPush(state, 2n, ['h'])).toBe(state)
    expect(confirmConfigPush(state, 1n, ['h'])).toMatchObject({ phase: 'clean', currentHashes: ['h'] })
    expect(confirmConfigPush(fresh, 0n, ['h'])).toBe(fresh)
  })
})

describe('a merge', () => {
  const remote = set(fresh, 'r', 1n)

  it('adopts what is newer, and what was stored becomes obsolete', () => {
    const base = stored(remote, 'h1')
    const newer = plaintextOf(set(base, 'r', 2n))
    const state = merged(base, ['h2', newer])
    expect(state).toMatchObject({
      phase: 'clean',
      currentHashes: ['h2'],
      obsoleteHashes: new Set(['h1']),
      message: { seqno: 2n },
    })
  })

  it('of what is known changes nothing, and what is in use is not obsolete', () => {
    const state = stored(remote, 'h1')
    expect(merged(state, ['h1', plaintextOf(state)])).toBe(state)
    expect(merged(state)).toBe(state)
  })

  it('into a clean config says that everything is new, into a dirty one that nothing is', () => {
    const one = stored(set(fresh, 'a', 1n), 'h1')
    const two = plaintextOf(set(fresh, 'b', 1n))
    const clean = merged(one, ['h2', two])
    const dirty = merged(set(fresh, 'a', 1n), ['h2', two])
    expect(clean).toMatchObject({ phase: 'dirty', message: { seqno: 2n }, obsoleteHashes: new Set(['h1', 'h2']) })
    expect(ascii(plaintextOf(clean)).endsWith('1:=d1:a0:1:b0:ee')).toBe(true)
    expect(dirty.message.seqno).toBe(2n)
    expect(ascii(plaintextOf(dirty)).endsWith('1:=dee')).toBe(true)
  })

  it('loses an edit that is five seqnos behind, and then begins an empty one', () => {
    const far = Array.from({ length: 6 }, (_, at) => BigInt(at)).reduce(
      (state, at) => stored(set(state, 'r', at), `h${at}`),
      fresh,
    )
    const state = merged(set(fresh, 'a', 1n), ['far', plaintextOf(far)])
    expect(state).toMatchObject({ phase: 'clean', currentHashes: ['far'], message: { seqno: 7n } })
    expect(configValue(state, ['a'])).toBeUndefined()
    const kept = merged(set(fresh, 'a', 1n), ['near', plaintextOf(stored(set(stored(remote, 'x'), 'r', 2n), 'y'))])
    expect(configValue(kept, ['a'])).toBe(1n)
  })

  it('keeps unknown keys of a message that is adopted, and of those that follow it', () => {
    const plaintext = encodeUtf8('d1:#i1e1:%4:left1:&d1:ai1ee1:<le1:=d1:a0:e1:Xl5:right1:yee')
    const state = merged(fresh, ['h', plaintext])
    expect(encodeHex(plaintextOf(state))).toBe(encodeHex(plaintext))
    expect(ascii(plaintextOf(set(state, 'a', 2n)))).toMatch(/^d1:#i2e1:%4:left1:&.*1:Xl5:right1:yee$/s)
  })

  it('takes one that has a signature in place of a diff', () => {
    const state = merged(fresh, ['h', encodeUtf8(`d1:#i1e1:&d1:ai1ee1:<le1:~64:${'s'.repeat(64)}e`)])
    expect(ascii(plaintextOf(state))).toBe('d1:#i1e1:&d1:ai1ee1:<le1:=dee')
  })

  it('skips rows that are too old without reading them', () => {
    const state = merged(fresh, ['h', encodeUtf8('d1:#i9e1:&d1:ai1ee1:<lli4e3:oddeli4eee1:=dee')])
    expect(state.message).toMatchObject({ seqno: 9n, rows: [] })
  })
})

describe('a dump', () => {
  it('of a dirty config is loaded with an empty edit upon it', () => {
    const state = set(fresh, 'a', 1n)
    const loaded = loadConfigDump(crypto, dumpConfig(state).dump)
    expect(loaded).toMatchObject({ phase: 'dirty', dumpDue: false, message: { seqno: 2n, data: dictOf({ a: 1 }) } })
    expect(ascii(encodeConfigMessage(loaded.message, {})).endsWith('d1:a0:eee1:=dee')).toBe(true)
  })

  it('is due after every change, and not after it', () => {
    const edited = set(fresh, 'a', 1n)
    expect([fresh, edited, dumpConfig(edited).state].map(({ dumpDue }) => dumpDue)).toEqual([false, true, false])
    const { state: waiting } = pushConfig(crypto, dumpConfig(edited).state)
    const confirmed = confirmConfigPush(dumpConfig(waiting).state, 1n, ['h'])
    expect([waiting, confirmed, pushConfig(crypto, dumpConfig(confirmed).state).state].map(({ dumpDue }) => dumpDue)).toEqual([
      true,
      true,
      false,
    ])
  })

  it('keeps obsolete hashes, and what the type keeps on this device', () => {
    const state = { ...set(stored(set(fresh, 'a', 1n), 'h'), 'a', 2n), extra: dictOf({ x: { y: 1 } }) }
    const { state: waiting } = { state: { ...pushConfig(crypto, state).state, obsoleteHashes: new Set(['p', 'q']) } }
    const dumped = dumpConfig(waiting)
    expect(loadConfigDump(crypto, dumped.dump)).toEqual(dumped.state)
  })

  it.each([
    ['nothing', ''],
    ['no phase', 'd1:$0:e'],
    ['an unknown phase', 'd1:!i3e1:$0:1:(0:1:)le1:+dee'],
    ['no message', 'd1:!i0e1:$0:1:(0:1:)le1:+dee'],
    ['a hash that is a number', 'd1:!i0e1:$23:d1:#i0e1:&de1:<le1:=dee1:(i1e1:)le1:+dee'],
    ['obsolete hashes that are numbers', 'd1:!i0e1:$23:d1:#i0e1:&de1:<le1:=dee1:(0:1:)li1ee1:+dee'],
    ['an extra that is a list', 'd1:!i0e1:$23:d1:#i0e1:&de1:<le1:=dee1:(0:1:)le1:+lee'],
    ['a set of parts by a short hash', 'd1:!i0e1:$23:d1:#i0e1:&de1:<le1:=dee1:(le1:)le1:*d1:xd1:#i0e1:Ti1eee1:+dee'],
    ['bytes behind', 'd1:!i0e1:$23:d1:#i0e1:&de1:<le1:=dee1:(0:1:)le1:+deex'],
  ])('with %s is refused', (_, dump) => {
    expect(refusalBy(() => loadConfigDump(crypto, encodeUtf8(dump)))).toMatch(/^malformed CFG-(28|03)$/)
  })
})

const channel = accountConfigChannel(someAccount(crypto, 7), 'UserProfile')
/** Does not compress well. */
const noise = (sizeBytes: number, seed: number) =>
  Uint8Array.from({ length: sizeBytes }, (_, at) => (Math.imul(at + seed, 0x9e3779b1) >>> 24) ^ ((at >> 7) & 0xff))
const big = (seed: number, sizeBytes = 200_000) => setConfigValue(crypto, fresh, ['n'], noise(sizeBytes, seed))
const plain = { compress: (bytes: Uint8Array) => bytes, decompress: (bytes: Uint8Array) => bytes }
const partsOf = (seed: number, sizeBytes = 200_000) =>
  sealConfigPush(crypto, plain, channel, big(seed, sizeBytes)).messages.map((bytes, at) => ({ hash: `p${seed}-${at}`, bytes }))
const receive = (state: ConfigState, messages: readonly { hash: string; bytes: Uint8Array }[], nowMs = 0) =>
  receiveConfig(crypto, zstd, channel, state, messages, nowMs)

describe('parts', () => {
  it('are put together in any order, over dumps, with repetitions', () => {
    const [a, b, c] = partsOf(1)
    let state = fresh
    const accepted: string[] = []
    for (const part of [c!, a!, c!, b!]) {
      const received = receive(state, [part])
      accepted.push(...received.accepted)
      state = loadConfigDump(crypto, dumpConfig(received.state).dump)
    }
    expect([...new Set(accepted)].sort()).toEqual(['p1-0', 'p1-1', 'p1-2'])
    expect(state).toMatchObject({
      phase: 'clean',
      currentHashes: ['p1-0', 'p1-1', 'p1-2'],
      message: { data: big(1).message.data },
    })
    const late = receive(state, [a!])
    expect(late).toMatchObject({ accepted: ['p1-0'], refused: [] })
    expect(late.state).toBe(state)
  })

  it('wait 7 days for the others, and are remembered for 14', () => {
    const [a, ...others] = partsOf(1)
    const waiting = receive(fresh, [a!]).state
    expect(receive(waiting, others, 7 * DAY_MS - 1).state.message.seqno).toBe(1n)
    expect(receive(waiting, others, 7 * DAY_MS).state.message.seqno).toBe(0n)
    const complete = receive(fresh, [a!, ...others]).state
    expect(receive(complete, [], 14 * DAY_MS - 1).state).toBe(complete)
    expect(receive(complete, [], 14 * DAY_MS).state.partSets.size).toBe(0)
  })

  it('of two configs are told apart', () => {
    const messages = partsOf(1).flatMap((part, at) => [part, partsOf(2)[at]!])
    const { state, refused } = receive(fresh, messages)
    expect(refused).toEqual([])
    expect(state).toMatchObject({ phase: 'dirty', message: { seqno: 2n } })
    expect(state.obsoleteHashes.size).toBe(6)
  })

  it('become obsolete together', () => {
    const state = set(receive(fresh, partsOf(1)).state, 'a', 1n)
    expect(pushConfig(crypto, state).obsolete).toEqual(['p1-0', 'p1-1', 'p1-2'])
  })

  it('are forgotten when too many wait', () => {
    const sets = Array.from({ length: 70 }, (_, seed) => partsOf(seed, 80_000)[0]!)
    const { state } = sets.reduce((held, part, at) => receive(held.state, [part], at), receive(fresh, []))
    expect(state.partSets.size).toBe(64)
    const { state: last } = receive(state, partsOf(69, 80_000).slice(1), 70)
    expect(last.message.seqno).toBe(1n)
    const { state: first } = receive(state, partsOf(0, 80_000).slice(1), 70)
    expect(first.message.seqno).toBe(0n)
  })

  it('that do not make the whole they name are refused, and so is another count', () => {
    const [a, b, c] = partsOf(1)
    const { partSets } = receive(fresh, [a!, b!]).state
    const [name, held] = [...partSets][0]!
    const altered = new Map([...held.parts].map(([index, part]) => [index, { ...part, chunk: part.chunk.map(byte => byte ^ 1) }]))
    const lies = { ...fresh, partSets: new Map([[name, { ...held, parts: altered }]]) }
    expect(receive(lies, [c!]).refused).toMatchObject([{ cause: { code: 'malformed', clause: 'CFG-23' } }])
    const counts = { ...fresh, partSets: new Map([[name, { ...held, count: 4 }]]) }
    expect(receive(counts, [c!]).refused).toMatchObject([{ cause: { code: 'malformed', clause: 'CFG-23' } }])
    expect(byteKey(new Uint8Array(32)).length).toBe(name.length)
  })
})

describe('wrapping', () => {
  const account = someAccount(crypto, 7)
  const data = encodeUtf8('anything')

  it('is undone twice, and for its own account and kind alone', () => {
    const once = wrapConfig(crypto, account, 1, 1n, data)
    const twice = wrapConfig(crypto, account, 1, 1n, once)
    const thrice = wrapConfig(crypto, account, 1, 1n, twice)
    const unwrapped = [data, once, twice, thrice].map(message => encodeHex(unwrapConfig(crypto, account, 1, message)))
    expect(unwrapped).toEqual([data, data, data, once].map(bytes => encodeHex(bytes)))
    expect(unwrapConfig(crypto, account, 2, once)).toEqual(once)
    expect(unwrapConfig(crypto, someAccount(crypto, 8), 1, once)).toEqual(once)
  })

  it('twice, a config is read', () => {
    const channel = accountConfigChannel(account, 'UserProfile')
    const { messages } = sealConfigPush(crypto, zstd, channel, set(fresh, 'a', 1n))
    const bytes = wrapConfig(crypto, account, 1, 1n, messages[0]!)
    expect(receiveConfig(crypto, zstd, channel, fresh, [{ hash: 'h', bytes }], 0).accepted).toEqual(['h'])
  })
})
