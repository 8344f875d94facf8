/**
 * `ifelse`: one of two requests, by what the node and its network are (RPC-98, RPC-99).
 *
 * | field of `if` | holds |
 * |---|---|
 * | `hf_at_least`, `hf_before` | list of up to 2 integers: hard fork and its revision |
 * | `v_at_least`, `v_before` | list of up to 3 integers: version of the node |
 * | `height_at_least`, `height_before` | integer: height of the chain |
 *
 * All that are given must hold. `then` and `else` are requests; an ifelse may stand in another, and a batch in it.
 */
import { badAnswer, badRequest } from '../../network-error.ts'
import { requireArray, requireInteger, requireObject } from '../answer.ts'
import type { JsonFields } from '../fields.ts'
import { Params } from '../params.ts'
import { type ReceivedRequest, type RpcRequest, toReceivedRequest } from '../rpc-request.ts'
import type { BatchResult } from './batch.ts'

/** What a node compares a condition with. */
export interface NodeCircumstances {
  /** Hard fork and revision. */
  readonly hf: readonly [number, number]
  readonly version: readonly [number, number, number]
  /** Height of the chain. */
  readonly height: number
}

/** Parts that a list leaves out are 0. */
export interface IfelseCondition {
  readonly hfAtLeast?: readonly number[] | undefined
  readonly hfBefore?: readonly number[] | undefined
  readonly versionAtLeast?: readonly number[] | undefined
  readonly versionBefore?: readonly number[] | undefined
  readonly heightAtLeast?: number | undefined
  readonly heightBefore?: number | undefined
}

/** The branches, not yet parsed themselves. */
export interface IfelseFields {
  readonly condition: IfelseCondition
  readonly whenHolds: ReceivedRequest | undefined
  readonly otherwise: ReceivedRequest | undefined
}

const HF_PARTS = 2
const VERSION_PARTS = 3

/** Reads the parameters of a request. @throws NetworkError `malformed`, status 400 */
export function parseIfelse(params: Params): IfelseFields {
  const given = params.optionalObject('if')
  if (given === undefined) throw badRequest("Required field 'if' missing")
  const condition = parseCondition(new Params(given))
  if (Object.values(condition).every(part => part === undefined))
    throw badRequest('Invalid ifelse request: at least one condition is required')
  const [yes, no] = [params.optionalObject('then'), params.optionalObject('else')]
  if (yes === undefined && no === undefined)
    throw badRequest("Invalid ifelse request: at least one of 'then' and 'else' is required")
  return { condition, whenHolds: yes && toReceivedRequest(yes), otherwise: no && toReceivedRequest(no) }
}

function parseCondition(params: Params): IfelseCondition {
  return {
    hfAtLeast: params.optionalIntegers('hf_at_least', HF_PARTS),
    hfBefore: params.optionalIntegers('hf_before', HF_PARTS),
    versionAtLeast: params.optionalIntegers('v_at_least', VERSION_PARTS),
    versionBefore: params.optionalIntegers('v_before', VERSION_PARTS),
    heightAtLeast: params.optionalInteger('height_at_least'),
    heightBefore: params.optionalInteger('height_before'),
  }
}

/** Whether all that a condition names holds. */
export function conditionHolds(condition: IfelseCondition, { hf, version, height }: NodeCircumstances): boolean {
  const { hfAtLeast, hfBefore, versionAtLeast, versionBefore, heightAtLeast, heightBefore } = condition
  return (
    (hfAtLeast === undefined || compareParts(hf, hfAtLeast) >= 0) &&
    (hfBefore === undefined || compareParts(hf, hfBefore) < 0) &&
    (versionAtLeast === undefined || compareParts(version, versionAtLeast) >= 0) &&
    (versionBefore === undefined || compareParts(version, versionBefore) < 0) &&
    (heightAtLeast === undefined || height >= heightAtLeast) &&
    (heightBefore === undefined || height < heightBefore)
  )
}

function compareParts(parts: readonly number[], others: readonly number[]): number {
  for (const [at, part] of parts.entries()) {
    const difference = part - (others[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

export interface IfelseOptions {
  readonly condition: IfelseCondition
  readonly whenHolds?: RpcRequest
  readonly otherwise?: RpcRequest
}

/** The request. Conditions that are undefined are left out. */
export function buildIfelse({ condition, whenHolds, otherwise }: IfelseOptions): RpcRequest {
  const given = {
    hf_at_least: condition.hfAtLeast,
    hf_before: condition.hfBefore,
    v_at_least: condition.versionAtLeast,
    v_before: condition.versionBefore,
    height_at_least: condition.heightAtLeast,
    height_before: condition.heightBefore,
  }
  const params = {
    if: present(given),
    ...present(
      Object.fromEntries([
        ['then', whenHolds],
        ['else', otherwise],
      ]),
    ),
  }
  return { method: 'ifelse', params }
}

function present(fields: JsonFields): JsonFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** What a node found, and the answer of the branch that it took, if there is that branch. */
export interface IfelseResult extends NodeCircumstances {
  readonly condition: boolean
  readonly result?: BatchResult | undefined
}

/** The body of an answer. It carries no time. */
export function encodeIfelseResult({ hf, version, height, condition, result }: IfelseResult): Record<string, unknown> {
  return { hf, v: version, height, condition, ...(result && { result: { code: result.status, body: result.body } }) }
}

/** Reads an answer. @throws NetworkError `malformed` */
export function parseIfelseResult(answer: unknown): IfelseResult {
  const fields = requireObject(answer, 'the answer')
  const [hf, revision] = requireParts(fields.hf, HF_PARTS, 'hf')
  const [major, minor, patch] = requireParts(fields.v, VERSION_PARTS, 'v')
  const height = requireInteger(fields.height, 'the height')
  const condition = readBoolean(fields.condition)
  return {
    hf: [hf!, revision!],
    version: [major!, minor!, patch!],
    height,
    condition,
    result: fields.result === undefined ? undefined : parseResult(fields.result),
  }
}

function requireParts(value: unknown, count: number, what: string): number[] {
  const parts = requireArray(value, what, count).map(part => requireInteger(part, `a part of ${what}`))
  if (parts.length !== count) throw badAnswer(`${what} has not ${count} parts`)
  return parts
}

function readBoolean(value: unknown): boolean {
  if (value === true || value === 1) return true
  if (value === false || value === 0) return false
  throw badAnswer('the condition is no boolean')
}

function parseResult(value: unknown): BatchResult {
  const { code, body } = requireObject(value, 'the result')
  return { status: requireInteger(code, 'a status'), body }
}
