#!lua
-- sweep: drops, of some keys, the entries that no reader is answered with any more: their type, or everything, was given
-- up since they were written. Leases stay: what is filled under one that is too old is dropped by the next sweep.
-- KEYS heartbeat, key…   Answers nil without a heartbeat, which alone tells what counts; else how many were dropped.
local heartbeat = redis.call('GET', KEYS[1])
if not heartbeat then return false end
local current, dropped = string.match(heartbeat, '|(%S.*)$'), 0
for i = 2, #KEYS do
  local head = header(KEYS[i])
  local _, generation = versioned(head or '')
  if generation and generation ~= label(current, KEYS[i]) then
    dropped = dropped + redis.call('UNLINK', KEYS[i])
  end
end
return dropped
