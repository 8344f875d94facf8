/**
 * From a message of a subscriber to its reply (clauses MON-02 to MON-04, NODE-151). A subscription is read (1 to 3), then the swarm is
 * checked (6), then time and signature (4, 5), and last whether there is room.
 */
import {
  checkMonitor,
  decodeMonitor,
  encodeAnswer,
  encodeMonitorReply,
  encodeSwarm,
  isMonitorRefusal,
  MONITOR_ERROR,
  type MonitorParams,
  type MonitorRefusal,
  type MonitorRequest,
  NetworkError,
  type RequestForm,
  renewSubscription,
} from '@session-v2/network'
import { NodeError } from '../node-error.ts'
import type { Admission } from '../operations/admission.ts'
import type { NodeMetrics } from '../operations/metrics.ts'
import type { Timers } from '../ports.ts'
import { contextOf, type NodeServices } from '../rpc/services.ts'
import type { Subscriber } from './subscribers.ts'
import type { SubscriptionTable } from './subscription-table.ts'

export interface SubscribeParts {
  readonly node: NodeServices
  readonly table: SubscriptionTable<Subscriber>
  readonly admission: Admission
  readonly metrics: NodeMetrics
  readonly timers: Timers
  /** Whether JSON nests too deep to be parsed. */
  readonly isTooDeep: (json: Uint8Array) => boolean
}

/** Other work of the node is done after so many signatures. */
const SUBSCRIPTIONS_AT_A_TIME = 16
const TOO_MANY = 'Too many requests, try again later'
const OK = 200
const REFUSED = 400
const WRONG_SWARM = { errcode: MONITOR_ERROR.wrongSwarm, error: 'the account is in another swarm' }

type Reply = Record<string, unknown>

/** The reply as it goes out, text for JSON and bytes for bt. What cannot be read is answered in the form that the message seems to have. */
export async function answerMessage(
  parts: SubscribeParts,
  subscriber: Subscriber,
  message: Uint8Array,
  isBinary: boolean,
): Promise<string | Uint8Array> {
  const request = readRequest(parts, message)
  if (isMonitorRefusal(request)) return encodeAnswer(isBinary ? 'bt' : 'json', count(parts, encodeMonitorReply(request)))
  const { form, isList, subscriptions } = request
  const replies: Reply[] = []
  const isAdmitted = subscriptions.length === 1 || parts.admission.address(subscriber.address, subscriptions.length - 1)
  for (const [i, given] of subscriptions.entries()) {
    if (i > 0 && i % SUBSCRIPTIONS_AT_A_TIME === 0) await new Promise<void>(resolve => parts.timers.soon(resolve))
    const startedMs = parts.node.clock.nowMs()
    const reply = isAdmitted ? answerSubscription(parts, subscriber, given, form) : encodeMonitorReply(refuse(TOO_MANY))
    replies.push(count(parts, await reply, startedMs))
  }
  return encodeAnswer(form, isList ? replies : replies[0])
}

function readRequest({ node, isTooDeep }: SubscribeParts, message: Uint8Array): MonitorRequest | MonitorRefusal {
  if (isTooDeep(message)) return refuse('invalid json')
  try {
    return decodeMonitor(node.crypto, message)
  } catch (error) {
    if (error instanceof NetworkError) return refuse(error.message)
    throw error
  }
}

async function answerSubscription(
  parts: SubscribeParts,
  subscriber: Subscriber,
  given: MonitorParams | MonitorRefusal,
  form: RequestForm,
): Promise<Reply> {
  if (isMonitorRefusal(given)) return encodeMonitorReply(given)
  const { node, admission } = parts
  const { account } = given
  const tokenRevoked = await isRevoked(node, given)
  // Nothing is waited for from here on: until the subscription is kept, the swarm cannot change.
  const swarm = swarmElsewhere(node, account)
  if (swarm !== undefined) return encodeMonitorReply(WRONG_SWARM, swarm)
  if (!admission.account(account, true)) return encodeMonitorReply(refuse(TOO_MANY))
  const refusal = checkMonitor(node.crypto, given, node.clock.nowMs(), { tokenRevoked })
  // A stranger, whose signature may not even have been looked at, does not use up the owner's allowance.
  if (refusal !== undefined) admission.giveBack(account)
  return encodeMonitorReply(refusal ?? subscribe(parts, subscriber, given, form))
}

/** Where revocations cannot be looked up, every token counts as revoked (SUB-06). */
async function isRevoked(node: NodeServices, given: MonitorParams): Promise<boolean> {
  try {
    return (await contextOf(node, given)).tokenRevoked ?? true
  } catch (error) {
    if (error instanceof NodeError) return true
    throw error
  }
}

/** Keeps what has passed its checks, if the connection is still there; a refusal when there is no room. */
function subscribe(
  { node, table }: SubscribeParts,
  subscriber: Subscriber,
  given: MonitorParams,
  form: RequestForm,
): MonitorRefusal | undefined {
  if (!subscriber.isOpen) return undefined
  const before = table.of(given.account).get(subscriber)
  const subscription = renewSubscription(before, given, node.clock.nowMs())
  if (subscription === undefined) return { errcode: MONITOR_ERROR.badNamespace, error: 'too many namespaces' }
  return table.put(subscriber, { ...subscription, form }) ? undefined : refuse('too many subscriptions')
}

/** The body of `get_swarm` for an account that this node does not keep. */
export function swarmElsewhere({ swarms }: Pick<NodeServices, 'swarms'>, account: Uint8Array): Reply | undefined {
  const swarm = swarms.swarmOf(account)
  if (swarm !== undefined && swarm === swarms.own) return undefined
  return encodeSwarm(swarm?.members ?? [], swarm?.id)
}

/** What the end of a subscription says when the account has moved. */
export function movedEnd(account: Uint8Array, swarm: Reply) {
  return { account, ...WRONG_SWARM, swarm }
}

function refuse(error: string): MonitorRefusal {
  return { errcode: MONITOR_ERROR.badArguments, error }
}

function count({ metrics, node }: SubscribeParts, reply: Reply, startedMs?: number): Reply {
  const tookMs = startedMs === undefined ? 0 : Math.max(0, node.clock.nowMs() - startedMs)
  metrics.answered('monitor', 'success' in reply ? OK : REFUSED, tookMs / 1000)
  return reply
}
