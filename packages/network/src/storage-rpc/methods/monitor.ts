/**
 * `monitor`: what a client says once, to be told of each new message from then on (MON-01 to MON-03, SUB-05). A request is one subscription
 * or a list of them.
 *
 * | key | bt | JSON | |
 * |---|---|---|---|
 * | `P` | 32 bytes | hex | Ed25519 key of a Session id; or |
 * | `p` | 33 bytes | hex | the account, of any other prefix |
 * | `T`, `S` | 36, 64 bytes | base64 | token of a subaccount, and the owner's signature over it |
 * | `d` | 0, 1 | also boolean | whether messages come with their data |
 * | `n` | list | list | namespaces, ascending |
 * | `s` | 64 bytes | base64 | signature over `monitorText` |
 * | `t` | s | s | time of the signature |
 */
import type { Crypto } from '@session-v2/crypto'
import {
  type BtValue,
  decodeBt,
  decodeHex,
  decodeUtf8,
  EncodingError,
  encodeBase64,
  encodeBt,
  encodeHex,
  encodeUtf8,
} from '@session-v2/encoding'
import { SESSION_ID_PREFIX, sessionIdOf } from '../../account-signature.ts'
import { type Namespace, parseNamespace } from '../../namespace.ts'
import { NetworkError } from '../../network-error.ts'
import { SUBACCOUNT_RIGHT, SUBACCOUNT_TOKEN_BYTES } from '../../subaccount/token.ts'
import { type RequestSignature, type RequestSigner, signatureFault, signRequest } from '../auth.ts'
import { type Fields, fieldOf, isObject, type RequestForm, readerOf, type ValueReader } from '../fields.ts'
import {
  MONITOR_MAX_AGE_S,
  MONITOR_MAX_AHEAD_S,
  MONITOR_MAX_NAMESPACES,
  MONITOR_MAX_REQUESTS,
  REQUEST_MAX_BYTES,
} from '../limits.ts'
import { monitorText } from '../signed-text.ts'
import { toBt } from '../wire-value.ts'

/** Why a subscription is refused or ends. */
export const MONITOR_ERROR = {
  badArguments: 1,
  badPubkey: 2,
  badNamespace: 3,
  badTimestamp: 4,
  badSignature: 5,
  wrongSwarm: 6,
} as const

export interface MonitorRefusal {
  readonly errcode: number
  readonly error: string
}

export interface MonitorParams {
  /** 33 bytes. */
  readonly account: Uint8Array
  /** Ascending. */
  readonly namespaces: readonly Namespace[]
  readonly wantData: boolean
  /** Seconds. */
  readonly timestampS: number
  readonly signed: RequestSignature
}

/** A request: one subscription, or a list, which is answered with a list. Each is read or refused by itself. */
export interface MonitorRequest {
  readonly form: RequestForm
  readonly isList: boolean
  readonly subscriptions: readonly (MonitorParams | MonitorRefusal)[]
}

const ED25519_BYTES = 32
const ACCOUNT_BYTES = 33
const SIGNATURE_BYTES = 64
const NESTING = 4
const LIST_START = 0x6c // l
const DICT_START = 0x64 // d

/** Whether a subscription, read or checked, is refused. */
export function isMonitorRefusal(subscription: object): subscription is MonitorRefusal {
  return 'errcode' in subscription
}

/** Decodes and reads a request. @throws NetworkError `malformed`, status 400, for what is neither a dict nor a list of dicts */
export function decodeMonitor(crypto: Crypto, bytes: Uint8Array): MonitorRequest {
  const isBt = bytes[0] === DICT_START || bytes[0] === LIST_START
  const value = isBt ? decodeBtRequest(bytes) : decodeJsonRequest(bytes)
  const isList = Array.isArray(value)
  const given: readonly unknown[] = isList ? value : [value]
  if (given.length === 0 || given.length > MONITOR_MAX_REQUESTS) throw refuse(`1 to ${MONITOR_MAX_REQUESTS} subscriptions`)
  const subscriptions = given.map(each => {
    if (!(each instanceof Map || (!isBt && isObject(each)))) throw refuse('a subscription is a dict')
    return parseSubscription(crypto, each)
  })
  return { form: isBt ? 'bt' : 'json', isList, subscriptions }
}

function decodeBtRequest(bytes: Uint8Array): BtValue {
  const values = MONITOR_MAX_REQUESTS * (MONITOR_MAX_NAMESPACES + 16)
  try {
    return decodeBt(bytes, { sizeBytes: REQUEST_MAX_BYTES, depth: NESTING, values })
  } catch (cause) {
    throw refuse('it is no bt', cause)
  }
}

function decodeJsonRequest(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes))
  } catch (cause) {
    throw refuse('it is neither JSON nor bt', cause)
  }
}

function refuse(reason: string, cause?: unknown): NetworkError {
  return new NetworkError('malformed', `invalid monitor request: ${reason}`, { status: 400, cause })
}

/** Reads one subscription, in this order: `p`, `P`, signatures, data, namespaces, time. Whether it may is `checkMonitor`'s question. */
export function parseSubscription(crypto: Crypto, fields: Fields): MonitorParams | MonitorRefusal {
  const reader = readerOf(fields)
  const owner = parseAccount(crypto, fields, reader)
  if (isMonitorRefusal(owner)) return owner
  const signature = bytesOf(fields, reader, 's', SIGNATURE_BYTES)
  if (signature === undefined) return badArguments('the signature s has 64 bytes')
  const [token, ownerSignature] = [
    bytesOf(fields, reader, 'T', SUBACCOUNT_TOKEN_BYTES),
    bytesOf(fields, reader, 'S', SIGNATURE_BYTES),
  ]
  const hasSubaccount = fieldOf(fields, 'T') !== undefined || fieldOf(fields, 'S') !== undefined
  if (hasSubaccount && (token === undefined || ownerSignature === undefined))
    return badArguments('a subaccount has T of 36 and S of 64 bytes')
  const wantData = parseWantData(fieldOf(fields, 'd'), reader)
  if (wantData === undefined) return badArguments('d is 0 or 1')
  const namespaces = parseNamespaces(fieldOf(fields, 'n'), reader)
  if (isMonitorRefusal(namespaces)) return namespaces
  const timestampS = reader.integer(fieldOf(fields, 't'))
  if (timestampS === undefined) return badArguments('the time t is in seconds')
  const subaccount = token && ownerSignature && { token, ownerSignature }
  return {
    account: owner.account,
    namespaces,
    wantData,
    timestampS,
    signed: { signature, ed25519: owner.ed25519, ...(subaccount && { subaccount }) },
  }
}

type Owner = { readonly account: Uint8Array; readonly ed25519: Uint8Array | undefined }

function parseAccount(crypto: Crypto, fields: Fields, reader: ValueReader): Owner | MonitorRefusal {
  const [key, id] = [fieldOf(fields, 'P'), fieldOf(fields, 'p')]
  if ((key === undefined) === (id === undefined)) return badArguments('either p or P names the account')
  if (id !== undefined) {
    const account = reader.hexadecimal(id, ACCOUNT_BYTES)
    if (account === undefined) return badPubkey('p is an account of 33 bytes')
    return account[0] === SESSION_ID_PREFIX
      ? badPubkey('an account with prefix 05 is named by P')
      : { account, ed25519: undefined }
  }
  const ed25519 = reader.hexadecimal(key, ED25519_BYTES)
  const account = ed25519 && sessionIdOf(crypto, ed25519)
  return account === undefined ? badPubkey('P is an Ed25519 key of 32 bytes') : { account, ed25519 }
}

function parseWantData(value: unknown, reader: ValueReader): boolean | undefined {
  if (value === undefined) return false
  const number = reader.integer(value)
  return reader.boolean(value) ?? (number === 0 || number === 1 ? number === 1 : undefined)
}

function parseNamespaces(value: unknown, reader: ValueReader): readonly Namespace[] | MonitorRefusal {
  const given = reader.list(value)
  if (given === undefined || given.length === 0 || given.length > MONITOR_MAX_NAMESPACES)
    return badNamespace(`n is a list of 1 to ${MONITOR_MAX_NAMESPACES} namespaces`)
  const namespaces: Namespace[] = []
  for (const each of given) {
    const number = reader.integer(each)
    if (number === undefined || !isNamespace(number)) return badNamespace('a namespace has 16 bits')
    if (namespaces.length > 0 && number <= namespaces.at(-1)!) return badNamespace('namespaces ascend')
    namespaces.push(number)
  }
  return namespaces
}

function isNamespace(number: number): number is Namespace {
  try {
    parseNamespace(number)
    return true
  } catch {
    return false
  }
}

function bytesOf(fields: Fields, reader: ValueReader, name: string, sizeBytes: number): Uint8Array | undefined {
  try {
    const value = reader.binary(fieldOf(fields, name))
    return value?.length === sizeBytes ? value : undefined
  } catch (error) {
    if (error instanceof EncodingError) return undefined
    throw error
  }
}

/**
 * Why a node refuses a subscription, or undefined: its time, then its signature. A revoked subaccount is refused like a wrong
 * signature; without `tokenRevoked` every subaccount counts as revoked.
 */
export function checkMonitor(
  crypto: Crypto,
  params: MonitorParams,
  nowMs: number,
  { tokenRevoked = true }: { readonly tokenRevoked?: boolean } = {},
): MonitorRefusal | undefined {
  const { account, timestampS, wantData, namespaces, signed } = params
  const nowS = Math.floor(nowMs / 1000)
  if (timestampS < nowS - MONITOR_MAX_AGE_S || timestampS > nowS + MONITOR_MAX_AHEAD_S)
    return { errcode: MONITOR_ERROR.badTimestamp, error: 'the time of the signature is too far from the current time' }
  const text = monitorText(account, timestampS, wantData, namespaces)
  const fault = signatureFault(crypto, account, signed, text, { needed: SUBACCOUNT_RIGHT.read, revoked: tokenRevoked })
  return fault && { errcode: MONITOR_ERROR.badSignature, error: 'signature verification failed' }
}

export interface MonitorOptions {
  readonly namespaces: readonly Namespace[]
  readonly wantData?: boolean
  /** Seconds. */
  readonly timestampS: number
  readonly signer: RequestSigner
}

/** A subscription, signed; its namespaces are put in order. */
export function buildMonitor(crypto: Crypto, options: MonitorOptions): MonitorParams {
  const { wantData = false, timestampS, signer } = options
  const namespaces = [...new Set(options.namespaces)].sort((a, b) => a - b)
  const account = decodeHex(signer.accountId)
  const signed = signRequest(crypto, signer, monitorText(account, timestampS, wantData, namespaces))
  return { account, namespaces, wantData, timestampS, signed }
}

/** The bytes of a request with one subscription, or with a list. */
export function encodeMonitor(request: MonitorParams | readonly MonitorParams[], form: RequestForm): Uint8Array {
  const encodeOne = (params: MonitorParams) => encodeSubscription(params, form)
  const value = Array.isArray(request) ? request.map(encodeOne) : encodeOne(request as MonitorParams)
  return form === 'json' ? encodeUtf8(JSON.stringify(value)) : encodeBt(toBt(value))
}

function encodeSubscription(params: MonitorParams, form: RequestForm): Record<string, unknown> {
  const { ed25519, subaccount, signature } = params.signed
  const hexadecimal = (bytes: Uint8Array) => (form === 'json' ? encodeHex(bytes) : bytes)
  const binary = (bytes: Uint8Array) => (form === 'json' ? encodeBase64(bytes) : bytes)
  return {
    ...(ed25519 ? { P: hexadecimal(ed25519) } : { p: hexadecimal(params.account) }),
    ...(subaccount && { S: binary(subaccount.ownerSignature), T: binary(subaccount.token) }),
    d: params.wantData ? 1 : 0,
    n: [...params.namespaces],
    s: binary(signature),
    t: params.timestampS,
  }
}

function badArguments(error: string): MonitorRefusal {
  return { errcode: MONITOR_ERROR.badArguments, error }
}

function badPubkey(error: string): MonitorRefusal {
  return { errcode: MONITOR_ERROR.badPubkey, error }
}

function badNamespace(error: string): MonitorRefusal {
  return { errcode: MONITOR_ERROR.badNamespace, error }
}
