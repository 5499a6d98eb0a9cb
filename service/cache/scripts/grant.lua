#!lua flags=allow-oom
-- grant: the relay's one step: applies a page of changes and, with the last page, moves watermark and heartbeat.
-- KEYS heartbeat, watermark, key…
-- ARGV run_id, generation (with the epochs of types), term, poll, horizon ('' for a page that is not the last), heartbeat dies at (ms), version…
-- Answers: granted (granted anew: there was no watermark), applied (not the last page), late (the heartbeat would be dead already), superseded, restarted.
-- Bound to the server that the poll began with: after a restart this instance may hold older entries than were applied.
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if run_id ~= ARGV[1] then return 'restarted' end
-- A script of an older term or poll may arrive late; what it knows is a subset, and its generation may be a past one.
local before = redis.call('GET', KEYS[2])
local term, poll = string.match(before or '0.0|', '^(%d+)%.(%d+)|')
term, poll = tonumber(term or 0), tonumber(poll or 0)
local my_term, my_poll = tonumber(ARGV[3]), tonumber(ARGV[4])
if my_term < term or (my_term == term and my_poll < poll) then return 'superseded' end
for i = 3, #KEYS do
  apply(KEYS[i], ARGV[i + 4], label(ARGV[2], KEYS[i]), 'drop', '', '')
end
if ARGV[5] == '' then return 'applied' end
local now = redis.call('TIME')
if tonumber(ARGV[6]) <= now[1] * 1000 + math.floor(now[2] / 1000) then return 'late' end
redis.call('SET', KEYS[2], ARGV[3] .. '.' .. ARGV[4] .. '|' .. string.match(ARGV[2], '^%S+') .. '|' .. ARGV[5])
redis.call('SET', KEYS[1], run_id .. '|' .. ARGV[2], 'PXAT', ARGV[6])
return before and 'granted' or 'granted anew'
