/** What is read from bytes alone: requests in bt, subscriptions, lists of nodes, answers. */
import { type BtValue, decodeBt, encodeBt, encodeHex } from '@session-v2/encoding'
import {
  buildMonitor,
  checkMonitor,
  decodeActiveNodes,
  decodeAnswer,
  decodeCommand,
  decodeMonitor,
  decodeRequest,
  encodeActiveNodes,
  encodeAnswer,
  encodeMonitor,
  encodeRequest,
  encodeSwarm,
  isMonitorRefusal,
  NetworkError,
  parseGetSwarmResult,
  parseNamespace,
} from '@session-v2/network'
import { inTime } from '@session-v2/tools/fuzz'
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { alice, readAtNode, requests, signer } from './corpus.ts'
import { fuzzRuns, NOW_MS, wasm } from './owners.ts'

/** Passes, or throws the error of this package, and is over soon. */
function expectOrderly(bytes: Uint8Array, action: () => unknown, judge: (error: NetworkError) => boolean): void {
  inTime(bytes, () => {
    try {
      action()
    } catch (error) {
      if (!(error instanceof NetworkError) || !judge(error)) throw error
    }
  })
}

const refused = ({ code, status }: NetworkError) => code === 'malformed' && status === 400
const malformed = ({ code, retry }: NetworkError) => code === 'malformed' && retry === 'other-node'

function expectRead(bytes: Uint8Array): void {
  expectOrderly(bytes, () => readAtNode(decodeRequest(bytes)), refused)
  expectOrderly(bytes, () => decodeCommand('store', bytes), refused)
}

/** The bytes with some exchanged, or cut. */
function changedBytes(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('dlei:0123456789-'))))
  return fc.tuple(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(2 * bytes.length)).map(([changes, sizeBytes]) => {
    const changed = bytes.slice()
    for (const [at, byte] of changes) changed[at] = byte
    return changed.subarray(0, sizeBytes)
  })
}

const anyBt: fc.Arbitrary<BtValue> = fc.letrec<{ value: BtValue }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(0n, 1n, -1n, 5n, 32768n, 2n ** 63n - 1n, BigInt(NOW_MS), BigInt(Math.floor(NOW_MS / 1000))),
    fc.uint8Array({ maxLength: 70 }),
    fc.constantFrom(...[0, 32, 33, 36, 43, 64, 66].map(sizeBytes => new Uint8Array(sizeBytes).fill(0x41))),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('method', 'params', 'n', 'x'), tie('value')).map(fields => new Map(Object.entries(fields))),
  ),
})).value

/** The value with one of its parts, at any depth, exchanged or left out. */
function exchangedIn(value: BtValue): fc.Arbitrary<BtValue> {
  if (Array.isArray(value)) {
    const parts = value.map((part, at) => exchangedIn(part).map(changed => value.with(at, changed) as BtValue))
    return fc.oneof(anyBt, ...parts)
  }
  if (!(value instanceof Map)) return anyBt
  const parts = [...value].flatMap(([name, part]) => [
    exchangedIn(part).map(changed => new Map(value).set(name, changed)),
    fc.constant(new Map([...value].filter(([key]) => key !== name))),
  ])
  return fc.oneof(anyBt, ...parts)
}

describe('fuzz: requests in bt', () => {
  const encoded = requests.map(request => [request.method, encodeRequest(request, 'bt')] as const)

  it.each(encoded)('%s with changed bytes', (_, bytes) => {
    fc.assert(fc.property(changedBytes(bytes), expectRead), { numRuns: fuzzRuns })
  })

  it.each(encoded)('%s with changed values', (_, bytes) => {
    fc.assert(
      fc.property(exchangedIn(decodeBt(bytes)), value => expectRead(encodeBt(value))),
      { numRuns: fuzzRuns },
    )
  })
})

describe('fuzz: subscriptions', () => {
  const namespaces = [-21, 0].map(parseNamespace)
  const params = buildMonitor(wasm, { namespaces, wantData: true, timestampS: Math.floor(NOW_MS / 1000), signer })

  function expectJudged(bytes: Uint8Array): void {
    const judge = () => {
      for (const subscription of decodeMonitor(wasm, bytes).subscriptions) {
        const refusal = isMonitorRefusal(subscription) ? subscription : checkMonitor(wasm, subscription, NOW_MS)
        if (refusal !== undefined && (refusal.errcode < 1 || refusal.errcode > 5)) throw new Error(`${refusal.errcode}`)
      }
    }
    expectOrderly(bytes, judge, refused)
  }

  it.each(['json', 'bt'] as const)('in %s with changed bytes', form => {
    fc.assert(fc.property(changedBytes(encodeMonitor([params], form)), expectJudged), { numRuns: fuzzRuns })
  })

  it('with changed values', () => {
    fc.assert(
      fc.property(exchangedIn(decodeBt(encodeMonitor([params], 'bt'))), value => expectJudged(encodeBt(value))),
      { numRuns: fuzzRuns },
    )
  })
})

describe('fuzz: bytes of nodes', () => {
  const ed25519 = encodeHex(alice.publicKey)
  const node = { ed25519, x25519: ed25519, host: '1.2.3.4', port: 5, protocol: 'https', swarmId: 7n } as const

  it('a list of nodes with changed bytes', () => {
    fc.assert(
      fc.property(changedBytes(encodeActiveNodes([node, node])), bytes => {
        expectOrderly(bytes, () => decodeActiveNodes(wasm, bytes), malformed)
      }),
      { numRuns: fuzzRuns },
    )
  })

  it.each(['json', 'bt'] as const)('an answer in %s with changed bytes', form => {
    const body = encodeAnswer(form, { ...encodeSwarm([node], 7n), t: NOW_MS, hf: [19, 4] })
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    fc.assert(
      fc.property(changedBytes(bytes), changed => {
        expectOrderly(changed, () => parseGetSwarmResult(decodeAnswer(form, changed)), malformed)
      }),
      { numRuns: fuzzRuns },
    )
  })
})
