/** What lies outside the accounts: who has items, what expires when, what is to be delivered (clauses NODE-85, NODE-89, NODE-142, NODE-143). */
import { DELIVERY_DELAY_MS, DELIVERY_LEASE_MS } from '../store.ts'
import { script } from './script.ts'

const PARTITION = `local P = string.sub(KEYS[1], 1, -9)
local accounts, pending = KEYS[1], P .. 'pending'
`

/** time, token, account: a write begins. KEYS[1] is `accounts` of a partition. */
export const BEGIN = script(
  'none',
  `${PARTITION}
redis.call('ZADD', accounts, 0, ARGV[3])
redis.call('ZADD', pending, ARGV[1], ARGV[2] .. ' ' .. ARGV[3])`,
)

/** score, member: an entry of any sorted set, KEYS[1], also where the engine is full. */
export const LIST = script('none', "redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])")

/** name, text of a note. */
export const NOTE = script('room', "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])")

/** account, by how much its messages became more: a write was made. */
export const COUNTED = script(
  'none',
  `${PARTITION}
redis.call('ZADD', accounts, 0, ARGV[1])
if ARGV[2] ~= '0' then redis.call('INCRBY', P .. 'count', ARGV[2]) end`,
)

/**
 * until, number of minutes, then minute, high, low of each; then expiry and entry of each. KEYS[1] is `ix` of an hour. One hour has
 * one sum of each lane, as integers without a modulus: what is taken out was put in before.
 */
export const INDEX = script(
  'none',
  `local sum = string.sub(KEYS[1], 1, -3) .. 'sum'
local first = 3 + 3 * tonumber(ARGV[2])
for n = 3, first - 1, 3 do
  redis.call('HINCRBY', sum, ARGV[n] .. 'h', ARGV[n + 1])
  redis.call('HINCRBY', sum, ARGV[n] .. 'l', ARGV[n + 2])
  redis.call('HINCRBY', sum, ARGV[n] .. 'r', 1)
end
for n = first, #ARGV, 2 do redis.call('ZADD', KEYS[1], ARGV[n], ARGV[n + 1]) end
if first > 3 then redis.call('PEXPIREAT', sum, ARGV[1]) end
local ends = redis.call('PEXPIRETIME', KEYS[1])
if ends == -1 then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(ARGV[1]) + 2592000000)) end`,
)

/** until, minute, revision, high, low: a sum that was counted anew, unless it changed meanwhile → whether it was set. */
export const HEAL = script(
  'none',
  `local sum = string.sub(KEYS[1], 1, -3) .. 'sum'
if (redis.call('HGET', sum, ARGV[2] .. 'r') or '0') ~= ARGV[3] then return 0 end
redis.call('HSET', sum, ARGV[2] .. 'h', ARGV[4], ARGV[2] .. 'l', ARGV[5])
redis.call('HINCRBY', sum, ARGV[2] .. 'r', 1)
redis.call('PEXPIREAT', sum, ARGV[1])
return 1`,
)

const DELIVERIES = `local P = string.sub(KEYS[1], 1, -4)
local due = KEYS[1]
local function remove(id)
  local peer = redis.call('HGET', P .. 'b:' .. id, 'peer')
  if peer then redis.call('ZREM', P .. 'peer:' .. peer, id) end
  redis.call('ZREM', due, id)
  redis.call('DEL', P .. 'b:' .. id)
end
`

/** peer, time, limit, body. KEYS[1] is `due`. Ids are padded to be in the order of numbers. */
export const QUEUE = script(
  'room',
  `${DELIVERIES}
local peer, at = ARGV[1], tonumber(ARGV[2])
local number = redis.call('INCR', P .. 'n')
local id = string.format('%015.0f', number)
redis.call('HSET', P .. 'b:' .. id, 'peer', peer, 'queued', ARGV[2], 'tries', 0, 'body', ARGV[4])
redis.call('ZADD', due, string.format('%.0f', at + ${DELIVERY_DELAY_MS}), id)
redis.call('ZADD', P .. 'peer:' .. peer, string.format('%.0f', number), id)
local more = redis.call('ZCARD', P .. 'peer:' .. peer) - tonumber(ARGV[3])
if more > 0 then for _, old in ipairs(redis.call('ZRANGE', P .. 'peer:' .. peer, 0, more - 1)) do remove(old) end end`,
)

/** time, limit → id, peer, queued, tries, body of each */
export const LEND = script(
  'none',
  `${DELIVERIES}
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  local parts = redis.call('HMGET', P .. 'b:' .. id, 'peer', 'queued', 'tries', 'body')
  if parts[1] then
    redis.call('ZADD', due, string.format('%.0f', tonumber(ARGV[1]) + ${DELIVERY_LEASE_MS}), id)
    redis.call('HINCRBY', P .. 'b:' .. id, 'tries', 1)
    found[#found + 1] = id
    for n = 1, 4 do found[#found + 1] = parts[n] end
  else
    redis.call('ZREM', due, id)
  end
end
return found`,
)

/** id, when it is due again or nothing */
export const SETTLE = script(
  'none',
  `${DELIVERIES}
local id = string.format('%015.0f', tonumber(ARGV[1]))
if ARGV[2] == '' then remove(id) else redis.call('ZADD', due, 'XX', ARGV[2], id) end`,
)
