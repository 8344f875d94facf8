/**
 * What the Lua scripts of an account share (clauses NODE-80 to NODE-88, NODE-141): the register rules of `item-version.ts` once more, where
 * they can be applied to one account at one moment. All keys of an account have one hash tag, so one master holds them.
 *
 * | key | |
 * |---|---|
 * | `i` | hash: name → record `kind changed expiry timestamp arrival proof`, and `lag` behind it where `changed` is later than the decision |
 * | `o` | sorted set: name by the expiry of its record |
 * | `h` | sorted set: names in the order of hash and namespace |
 * | `n:<namespace>` | sorted set: hash by arrival |
 * | `d:<name>` | data of a message; the engine removes it a minute after its expiry |
 * | `p:<id>`, `r` | the body of a proof; hash: how many records refer to it |
 * | `s` | hash: arrivals `n`, messages `c` |
 * | `j` | hash: token of a write → its reply, until the minutes know of it |
 *
 * A name is `hash ‖ space ‖ namespace + 200000`, six digits: in the order of bytes it is in the order of hash and namespace. Strings are
 * compared byte by byte, because `<` of Lua asks the locale.
 */
import { REVOKED_TOKENS_MAX, TOMBSTONE_MS } from '../item-version.ts'
import { REVOCATIONS } from '../store.ts'
import { namespaceDigits } from './names.ts'

/** A clock of the engine that is ahead takes nothing away that a front end still serves. */
const GRACE_MS = 60_000

/** KEYS[1] is the account's `i`; ARGV[1] the time. */
export const READING = `
local I = KEYS[1]
local P = string.sub(I, 1, -2)
local O, H, S, R, J = P .. 'o', P .. 'h', P .. 's', P .. 'r', P .. 'j'
local KEEP, GRACE, REVOKED = ${TOMBSTONE_MS}, ${GRACE_MS}, '${namespaceDigits(REVOCATIONS)}'
local now = tonumber(ARGV[1])
local function int(x) return string.format('%.0f', x) end
local function parse(name, text)
  local kind, changed, expiry, timestamp, arrival, proof, lag =
    string.match(text, '^(%a) (%S+) (%S+) (%S+) (%S+) (%S+) ?(%S*)$')
  return { name = name, hash = string.sub(name, 1, -8), space = string.sub(name, -6), dead = kind == 't',
    decided = tonumber(changed) - (tonumber(lag) or 0), changed = tonumber(changed), expiry = tonumber(expiry),
    timestamp = tonumber(timestamp), arrival = tonumber(arrival), proof = proof ~= '-' and proof or nil }
end
local function record(name)
  local text = redis.call('HGET', I, name)
  return text and parse(name, text) or nil
end
local function live(r)
  if not r or r.expiry > now then return r end
  if r.dead or not r.proof or r.changed + KEEP <= now then return nil end
  return { name = r.name, hash = r.hash, space = r.space, dead = true, decided = r.decided, changed = r.changed,
    expiry = r.changed + KEEP, timestamp = 0, arrival = 0, proof = r.proof }
end
local function everywhere(hash)
  local found = {}
  for _, name in ipairs(redis.call('ZRANGEBYLEX', H, '[' .. hash .. ' ', '(' .. hash .. '!')) do
    if string.sub(name, 1, -8) == hash and string.sub(name, -6) < REVOKED then
      local h = live(record(name))
      if h then found[#found + 1] = h end
    end
  end
  return found
end
local function greater(a, b)
  for at = 1, math.min(#a, #b) do
    local x, y = string.byte(a, at), string.byte(b, at)
    if x ~= y then return x > y end
  end
  return #a > #b
end
`

/** Besides, ARGV[2] is the token of the write, ARGV[3] and ARGV[4] name and body of the request's proof, both empty without one. */
export const WRITING = `${READING}
local past = redis.call('HGET', J, ARGV[2])
if past then
  -- Written once more, so that the replicas are asked for it.
  redis.call('HSET', J, ARGV[2], past)
  return cmsgpack.unpack(past)
end
local notes, counted, lasts, touched, bodies = {}, 0, 0, {}, {}
local given = ARGV[3] ~= '' and ARGV[3] or nil
if given then bodies[given] = ARGV[4] end
local function note(sign, r)
  notes[#notes + 1] = table.concat({ sign, int(r.decided), int(r.changed), r.dead and '1' or '0', int(r.expiry), r.name }, ' ')
end
local function refer(id, by)
  if not id then return end
  if redis.call('HINCRBY', R, id, by) <= 0 then
    redis.call('HDEL', R, id)
    redis.call('DEL', P .. 'p:' .. id)
  elseif by > 0 then
    if bodies[id] then redis.call('SET', P .. 'p:' .. id, bodies[id], 'NX', 'KEEPTTL') end
    touched[P .. 'p:' .. id] = true
  end
end
local function put(r)
  redis.call('HSET', I, r.name, table.concat({ r.dead and 't' or 'm', int(r.changed), int(r.expiry), int(r.timestamp),
    int(r.arrival), r.proof or '-', r.changed > r.decided and int(r.changed - r.decided) or nil }, ' '))
  redis.call('ZADD', O, int(r.expiry), r.name)
  redis.call('ZADD', H, 0, r.name)
  if not r.dead then touched[P .. 'n:' .. r.space] = true end
  lasts = math.max(lasts, r.expiry, r.proof and r.changed + KEEP or 0)
  note('+', r)
end
local function drop(r)
  redis.call('HDEL', I, r.name)
  redis.call('ZREM', O, r.name)
  redis.call('ZREM', H, r.name)
  if not r.dead then
    redis.call('ZREM', P .. 'n:' .. r.space, r.hash)
    redis.call('DEL', P .. 'd:' .. r.name)
    if r.space ~= REVOKED then counted = counted - 1 end
  end
  refer(r.proof, -1)
end
local function clear(name)
  local r = record(name)
  if not r then return end
  if r.expiry > now then note('-', r) end
  drop(r)
end
local function add(name, timestamp, expiry, decided, changed, proof, data)
  refer(proof, 1)
  clear(name)
  local r = { name = name, hash = string.sub(name, 1, -8), space = string.sub(name, -6), dead = false, decided = decided,
    changed = changed, expiry = expiry, timestamp = timestamp, arrival = redis.call('HINCRBY', S, 'n', 1), proof = proof }
  redis.call('ZADD', P .. 'n:' .. r.space, r.arrival, r.hash)
  redis.call('SET', P .. 'd:' .. name, data, 'PXAT', int(math.max(1, expiry + GRACE)))
  if r.space ~= REVOKED then counted = counted + 1 end
  put(r)
end
local function change(h, timestamp, expiry, decided, changed, proof)
  note('-', h)
  refer(proof, 1)
  refer(h.proof, -1)
  redis.call('PEXPIREAT', P .. 'd:' .. h.name, int(math.max(1, expiry + GRACE)))
  put({ name = h.name, hash = h.hash, space = h.space, dead = false, decided = decided, changed = changed, expiry = expiry,
    timestamp = timestamp, arrival = h.arrival, proof = proof })
end
local function bury(name, decided, changed, proof)
  local stays = changed + KEEP > now
  if stays then refer(proof, 1) end
  clear(name)
  if not stays then return end
  put({ name = name, hash = string.sub(name, 1, -8), space = string.sub(name, -6), dead = true, decided = decided,
    changed = changed, expiry = changed + KEEP, timestamp = 0, arrival = 0, proof = proof })
end
local function counts(at, mode, held)
  if at > held then return at end
  return mode == 'asked' and held + 1 or nil
end
local function storing(at, mode, h)
  if not h then return at, at end
  local decided = counts(at, mode, h.decided)
  if not decided then return nil end
  return decided, h.dead and decided or math.max(decided, h.changed)
end
local function deletion(at, mode, h)
  if at > h.decided then return at end
  if h.dead or (mode == 'late' and at < h.decided) then return nil end
  return h.decided + 1
end
local function empty_slot(space, hash, timestamp)
  local others = {}
  for _, other in ipairs(redis.call('ZRANGE', P .. 'n:' .. space, 0, -1)) do
    local h = other ~= hash and live(record(other .. ' ' .. space)) or nil
    if h and not h.dead then
      if h.timestamp > timestamp or (h.timestamp == timestamp and greater(other, hash)) then return false end
      others[#others + 1] = h.name
    end
  end
  for _, name in ipairs(others) do clear(name) end
  return true
end
local function drop_oldest()
  local held = {}
  for _, hash in ipairs(redis.call('ZRANGE', P .. 'n:' .. REVOKED, 0, -1)) do held[#held + 1] = record(hash .. ' ' .. REVOKED) end
  table.sort(held, function(a, b)
    if a.changed ~= b.changed then return a.changed > b.changed end
    return greater(a.hash, b.hash)
  end)
  for at = ${REVOKED_TOKENS_MAX} + 1, #held do clear(held[at].name) end
end
local function set_expiry(h, wanted, how, at, mode)
  if (how == 'shorten' and wanted >= h.expiry) or (how == 'extend' and wanted <= h.expiry) then return false end
  local changed = counts(at, mode, h.changed)
  if not changed then return false end
  local proof = (wanted < h.expiry or h.proof) and (given or h.proof) or nil
  change(h, h.timestamp, wanted, h.decided, changed, proof)
  return true
end
local function done(result)
  local empty = redis.call('EXISTS', I) == 0
  if empty then redis.call('DEL', S, R) end
  local reply = { table.concat(notes, '\\n'), tostring(counted), empty and '1' or '0', result }
  redis.call('HSET', J, ARGV[2], cmsgpack.pack(reply))
  touched[J] = true
  if not empty then for _, key in ipairs({ I, O, H, S, R }) do touched[key] = true end end
  local untilMs = math.max(lasts, now + KEEP) + GRACE
  for key in pairs(touched) do
    local ends = redis.call('PEXPIRETIME', key)
    if ends == -1 or (ends >= 0 and ends < untilMs) then redis.call('PEXPIREAT', key, int(untilMs)) end
  end
  return reply
end
`
