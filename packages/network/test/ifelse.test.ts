/** ifelse: its conditions, what stands within, and its answer. */
import { encodeUtf8 } from '@session-v2/encoding'
import {
  buildBatch,
  buildGetSwarm,
  buildIfelse,
  buildInfo,
  conditionHolds,
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeIfelseResult,
  encodeRequest,
  IFELSE_MAX_DEPTH,
  type IfelseCondition,
  type IfelseParams,
  parseIfelseResult,
  parseRequest,
  type RequestForm,
  type RpcRequest,
} from '@session-v2/network'
import { loadVectors } from '@session-v2/vectors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { networkErrorOf, refusalOf, sessionOwner, wasm } from './owners.ts'

const { accountId } = sessionOwner(wasm, 1)
const forms = ['json', 'bt'] as const
const arrived = (request: RpcRequest, form: RequestForm = 'json') => parseRequest(decodeRequest(encodeRequest(request, form)))
const vectors = loadVectors('storage-rpc').filter(({ name }) => name.startsWith('ifelse-'))

describe('a condition (RPC-98)', () => {
  it.each(vectors.map(vector => [vector.name, vector] as const))('%s', (_, { in: given, out }) => {
    const params = { if: given.if, else: buildInfo() }
    const { condition } = arrived({ method: 'ifelse', params }).params as IfelseParams
    expect(conditionHolds(condition, { hf: given.hf, version: given.v, height: given.height })).toBe(out.condition)
  })

  it('is not its opposite', () => {
    const part = fc.nat(3)
    fc.assert(
      fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (version, other) => {
        const node = { hf: [19, 4], version, height: 1 } as const
        expect(conditionHolds({ versionAtLeast: other }, node)).toBe(!conditionHolds({ versionBefore: other }, node))
      }),
    )
  })

  it('that is read in either form is what was built', () => {
    const parts = (max: number) => fc.option(fc.array(fc.nat(99), { maxLength: max }), { nil: undefined })
    const height = fc.option(fc.nat(), { nil: undefined })
    const any = fc.tuple(parts(2), parts(2), parts(3), parts(3), height, height)
    fc.assert(
      fc.property(any, ([hfAtLeast, hfBefore, versionAtLeast, versionBefore, heightAtLeast, heightBefore]) => {
        const condition: IfelseCondition = { hfAtLeast, hfBefore, versionAtLeast, versionBefore, heightAtLeast, heightBefore }
        fc.pre(Object.values(condition).some(part => part !== undefined))
        for (const form of forms)
          expect((arrived(buildIfelse({ condition, whenHolds: buildInfo() }), form).params as IfelseParams).condition).toEqual(
            condition,
          )
      }),
    )
  })

  it.each([
    ['three parts of a hard fork', { hf_at_least: [19, 4, 0] }],
    ['a part that is text', { v_before: ['2'] }],
    ['a list of heights', { height_before: [5] }],
  ])('is refused with %s', (_, condition) => {
    expect(refusalOf(() => arrived({ method: 'ifelse', params: { if: condition, else: buildInfo() } })).status).toBe(400)
  })
})

describe('a branch (RPC-99)', () => {
  const condition = { heightAtLeast: 5 }

  it.each(forms)('may be a batch or another ifelse, five of them at most (%s)', form => {
    const batch = buildBatch([buildInfo(), buildGetSwarm(accountId)])
    const nested = (depth: number): RpcRequest =>
      depth === 0 ? batch : buildIfelse({ condition, whenHolds: nested(depth - 1), otherwise: buildInfo() })
    let parsed = arrived(nested(IFELSE_MAX_DEPTH), form)
    for (let depth = 0; depth < IFELSE_MAX_DEPTH; depth++) {
      expect((parsed.params as IfelseParams).otherwise).toEqual(arrived(buildInfo()))
      parsed = (parsed.params as IfelseParams).whenHolds!
    }
    expect(parsed).toEqual(arrived(batch))
    expect(refusalOf(() => arrived(nested(IFELSE_MAX_DEPTH + 1), form)).status).toBe(400)
  })

  it('is not read from a batch', () => {
    const within = buildBatch([buildIfelse({ condition, otherwise: buildInfo() })])
    expect(refusalOf(() => arrived(within)).text).toContain('subrequests may not contain meta-requests')
  })
})

describe.each(forms)('the answer in %s', form => {
  const read = (body: object) => {
    const bytes = encodeAnswer(form, body)
    return decodeAnswer(form, typeof bytes === 'string' ? encodeUtf8(bytes) : bytes)
  }
  const found = { hf: [19, 4], version: [2, 8, 0], height: 5, condition: true } as const

  it('is read as it was written', () => {
    for (const result of [undefined, { status: 200, body: { version: [1, 2, 3] } }, { status: 421, body: 'text' }])
      expect(parseIfelseResult(read(encodeIfelseResult({ ...found, result })))).toEqual({ ...found, result })
    expect(parseIfelseResult(read(encodeIfelseResult({ ...found, condition: false }))).condition).toBe(false)
  })

  it.each([
    ['one part of a hard fork', { hf: [19] }],
    ['four parts of a version', { v: [2, 8, 0, 1] }],
    ['no height', { height: undefined }],
    ['a condition that is neither', { condition: 2 }],
    ['a result without a code', { result: { body: 'x' } }],
  ])('is malformed with %s', (_, fields) => {
    const body = { ...encodeIfelseResult(found), ...fields }
    expect(networkErrorOf(() => parseIfelseResult(read(body)))).toMatchObject({ code: 'malformed', retry: 'other-node' })
  })
})
