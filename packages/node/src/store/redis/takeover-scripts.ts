/** What members take over, and what leaves: an account's items by the slice (clauses NODE-80 to NODE-88, NODE-141). */
import { SLICE } from './account-scripts.ts'
import { script } from './script.ts'
import { WRITING } from './script-prelude.ts'

/** number of proofs, name and body of each; then name, kind, decided, changed, expiry, timestamp, proof, replaces, data of each → how many */
export const MERGE = script(
  'room',
  `${WRITING}
local first, merged = 6 + 2 * tonumber(ARGV[5]), 0
for n = 6, first - 1, 2 do bodies[ARGV[n]] = ARGV[n + 1] end
local function later(decided, changed, dead, expiry, h)
  if not h then return true end
  if decided ~= h.decided then return decided > h.decided end
  if changed ~= h.changed then return changed > h.changed end
  if dead ~= h.dead then return dead end
  return expiry > h.expiry
end
for n = first, #ARGV, 9 do
  local name, dead, decided, changed = ARGV[n], ARGV[n + 1] == 't', tonumber(ARGV[n + 2]), tonumber(ARGV[n + 3])
  local expiry, timestamp, replaces = tonumber(ARGV[n + 4]), tonumber(ARGV[n + 5]), ARGV[n + 7] == '1'
  local proof = ARGV[n + 6] ~= '' and ARGV[n + 6] or nil
  local h = live(record(name))
  if dead then expiry = changed + KEEP end
  if expiry > now and later(decided, changed, dead, expiry, h) then
    if dead then
      bury(name, decided, changed, proof)
      merged = merged + 1
    elseif h and not h.dead then
      change(h, replaces and math.max(h.timestamp, timestamp) or timestamp, expiry, decided, changed, proof or h.proof)
      merged = merged + 1
    elseif not replaces or empty_slot(string.sub(name, -6), string.sub(name, 1, -8), timestamp) then
      add(name, timestamp, expiry, decided, changed, proof, ARGV[n + 8])
      if string.sub(name, -6) == REVOKED then drop_oldest() end
      if record(name) then merged = merged + 1 end
    end
  end
end
return done({ tostring(merged) })`,
)

/** name, kind, decided, changed, expiry of each → how many are gone */
export const FORGET = script(
  'none',
  `${WRITING}
local gone = 0
for n = 5, #ARGV, 5 do
  local h, dead = live(record(ARGV[n])), ARGV[n + 1] == 't'
  if h and h.dead == dead and h.decided == tonumber(ARGV[n + 2]) and h.changed == tonumber(ARGV[n + 3])
    and h.expiry == tonumber(ARGV[n + 4]) then
    clear(h.name)
    gone = gone + 1
  end
end
return done({ tostring(gone) })`,
)

/** → how many messages went, whether there is more */
export const SWEEP = script(
  'none',
  `${WRITING}
local names, gone = redis.call('ZRANGEBYSCORE', O, '-inf', int(now), 'LIMIT', 0, ${SLICE}), 0
for _, name in ipairs(names) do
  local r = record(name)
  if r and not r.dead then gone = gone + 1 end
  if not r then
    redis.call('ZREM', O, name)
    redis.call('ZREM', H, name)
  elseif r.dead or not r.proof then drop(r)
  else bury(name, r.decided, r.changed, r.proof) end
end
return done({ tostring(gone), #names == ${SLICE} and '1' or '0' })`,
)

/** token → the notes of a write that is under way, or nothing */
export const RECALL = script(
  'none',
  `local past = redis.call('HGET', string.sub(KEYS[1], 1, -2) .. 'j', ARGV[1])
return past and cmsgpack.unpack(past) or false`,
)
