/** What clients do to one account, each in one script (clauses NODE-20, NODE-24 to NODE-27, NODE-80 to NODE-88, NODE-141). */
import { RETRIEVE_MESSAGE_OVERHEAD_BYTES } from '@session-v2/network'
import { script } from './script.ts'
import { READING, WRITING } from './script-prelude.ts'

/** Records that a slice visits. */
export const SLICE = 256

/** name, timestamp, expiry, replaces, at, mode, data → outcome, expiry */
export const STORE = script(
  'room',
  `${WRITING}
local name, timestamp, expiry, replaces, at, mode =
  ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1', tonumber(ARGV[9]), ARGV[10]
local h = live(record(name))
local decided, changed = storing(at, mode, h)
if h and not h.dead then
  local isLate = mode == 'late'
  if isLate and at < h.decided then return done({ 'obsolete', int(h.expiry) }) end
  local force = isLate and at < h.changed and h.expiry or math.max(h.expiry, expiry)
  local latest = replaces and math.max(h.timestamp, timestamp) or h.timestamp
  change(h, latest, force, decided or h.decided, changed or h.changed, h.proof)
  return done({ 'already', int(force) })
end
if not decided or (replaces and not empty_slot(string.sub(name, -6), string.sub(name, 1, -8), timestamp)) then
  return done({ 'obsolete', int(expiry) })
end
add(name, timestamp, expiry, decided, changed, nil, ARGV[11])
return done({ 'stored', int(expiry) })`,
)

/** namespace, after, most, budget → hash, timestamp, expiry, data of each; last whether there is more */
export const RETRIEVE = script(
  'none',
  `${READING}
local space, after, most, budget = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local box = P .. 'n:' .. space
local place = after ~= '' and redis.call('ZSCORE', box, after)
local from = place and '(' .. place or '-inf'
local found, cost, count = {}, 0, 0
while true do
  local slice = redis.call('ZRANGEBYSCORE', box, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 64)
  for at = 1, #slice, 2 do
    local r = live(record(slice[at] .. ' ' .. space))
    local data = r and not r.dead and redis.call('GET', P .. 'd:' .. r.name)
    if data then
      cost = cost + ${RETRIEVE_MESSAGE_OVERHEAD_BYTES} + #r.hash + math.floor(#data * 4 / 3)
      if count > 0 and (count >= most or cost > budget) then
        found[#found + 1] = '1'
        return found
      end
      count = count + 1
      for _, part in ipairs({ r.hash, int(r.timestamp), int(r.expiry), data }) do found[#found + 1] = part end
    end
  end
  if #slice < 128 then
    found[#found + 1] = '0'
    return found
  end
  from = '(' .. slice[#slice]
end`,
)

/** hashes → hash, expiry of each that is here */
export const EXPIRIES = script(
  'none',
  `${READING}
local found = {}
for at = 2, #ARGV do
  local latest
  for _, h in ipairs(everywhere(ARGV[at])) do
    if not h.dead then latest = math.max(latest or h.expiry, h.expiry) end
  end
  if latest then
    found[#found + 1] = ARGV[at]
    found[#found + 1] = int(latest)
  end
end
return found`,
)

/** at, mode, hashes → those that were there */
export const DELETE = script(
  'none',
  `${WRITING}
local at, mode, gone = tonumber(ARGV[5]), ARGV[6], {}
for n = 7, #ARGV do
  local found = false
  for _, h in ipairs(everywhere(ARGV[n])) do
    local decided = deletion(at, mode, h)
    if decided then
      bury(h.name, decided, decided, given)
      if not h.dead then found = true end
    end
  end
  if found then gone[#gone + 1] = ARGV[n] end
end
return done(gone)`,
)

/** at, mode, how, then hash and expiry of each → hash, expiry in force, whether it was set */
export const EXPIRE = script(
  'none',
  `${WRITING}
local at, mode, how, outcome = tonumber(ARGV[5]), ARGV[6], ARGV[7], {}
for n = 8, #ARGV, 2 do
  local wanted, latest, set = tonumber(ARGV[n + 1]), nil, false
  for _, h in ipairs(everywhere(ARGV[n])) do
    if not h.dead then
      local isSet = set_expiry(h, wanted, how, at, mode)
      local force = isSet and wanted or h.expiry
      latest = math.max(latest or force, force)
      set = set or isSet
    end
  end
  if latest then for _, part in ipairs({ ARGV[n], int(latest), set and '1' or '0' }) do outcome[#outcome + 1] = part end end
end
return done(outcome)`,
)

/** delete or expire, namespace or all, behind what, at, mode, until or expiry → where it goes on, then names */
export const WALK = script(
  'none',
  `${WRITING}
local op, space, behind, at, mode, bound = ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[10])
local names, nextFrom = {}, ''
if space == 'all' then
  names = redis.call('ZRANGEBYLEX', H, behind == '' and '-' or '(' .. behind, '+', 'LIMIT', 0, ${SLICE})
  if #names == ${SLICE} then nextFrom = names[#names] end
else
  local from = behind == '' and '-inf' or '(' .. behind
  local slice = redis.call('ZRANGEBYSCORE', P .. 'n:' .. space, from, '+inf', 'WITHSCORES', 'LIMIT', 0, ${SLICE})
  for n = 1, #slice, 2 do names[#names + 1] = slice[n] .. ' ' .. space end
  if #names == ${SLICE} then nextFrom = slice[#slice] end
end
local result = { nextFrom }
for _, name in ipairs(names) do
  local h = string.sub(name, -6) < REVOKED and live(record(name)) or nil
  if h and not h.dead then
    local isHit
    if op == 'expire' then
      isHit = set_expiry(h, bound, 'shorten', at, mode)
    else
      isHit = h.decided <= at and h.timestamp <= bound
      local decided = isHit and deletion(at, mode, h)
      if isHit then bury(name, decided, decided, given) end
    end
    if isHit then result[#result + 1] = name end
  end
end
return done(result)`,
)

/** expiry of what has none, at, mode, then name and token of each */
export const REVOKE = script(
  'room',
  `${WRITING}
local never, at, mode = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
for n = 8, #ARGV, 2 do
  local h = live(record(ARGV[n]))
  local decided, changed = storing(at, mode, h)
  if decided and h and not h.dead then change(h, changed, never, decided, changed, given)
  elseif decided then add(ARGV[n], changed, never, decided, changed, given, ARGV[n + 1]) end
end
drop_oldest()
return done({})`,
)

/** at, mode, names → how many were there */
export const UNREVOKE = script(
  'none',
  `${WRITING}
local at, mode, count = tonumber(ARGV[5]), ARGV[6], 0
for n = 7, #ARGV do
  local h = live(record(ARGV[n]))
  local decided = at
  if h then decided = deletion(at, mode, h) end
  if decided then
    bury(ARGV[n], decided, decided, given)
    if h and not h.dead then count = count + 1 end
  end
end
return done({ tostring(count) })`,
)
