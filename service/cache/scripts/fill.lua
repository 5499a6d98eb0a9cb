#!lua
-- fill: installs what a lease holder loaded, if nothing happened to its lease and nothing newer is known.
-- KEYS heartbeat, key…   ARGV for each key: token, version, stale until, payload
-- Answers {heartbeat or '', 1 stored | 0 refused…}.
local answers = { redis.call('GET', KEYS[1]) or '' }
for i = 2, #KEYS do
  local at = (i - 2) * 4
  local head = header(KEYS[i])
  local token, floor = nil, nil
  if head then token, floor = leased(head) end
  local mine = token and token == ARGV[at + 1]
  if mine and tonumber(ARGV[at + 2]) >= tonumber(floor) then
    redis.call('SET', KEYS[i], ARGV[at + 4], 'PXAT', ARGV[at + 3])
    answers[i] = 1
  else
    if mine then redis.call('UNLINK', KEYS[i]) end -- nobody will fill under it any more
    answers[i] = 0
  end
end
return answers
