#!lua
-- lease: gives one loader the right to fill each key that is absent.
-- KEYS heartbeat, key…   ARGV lease ms, 'read' or 'write', token…, and where it is sent again, the tokens before…
-- Answers nil without a heartbeat; else {heartbeat, answer…}: 1 granted, 0 busy, or the entry that is there already
-- (for 'write', which has no use for its bytes: 2).
local heartbeat = redis.call('GET', KEYS[1])
if not heartbeat then return false end
local current = string.match(heartbeat, '|(%S.*)$')
local answers = { heartbeat }
for i = 2, #KEYS do
  local key, mine, before = KEYS[i], ARGV[i + 1], ARGV[i + #KEYS]
  local head = header(key)
  local token = head and leased(head)
  local _, generation = versioned(head or '')
  if token and token ~= before then
    answers[i] = 0
  elseif generation and generation == label(current, key) then
    answers[i] = ARGV[2] == 'read' and redis.call('GET', key) or 2
  else
    -- Absent, of another generation, not ours at all; or what the attempt before has taken, under which nobody loads.
    redis.call('SET', key, 'L1 ' .. mine .. ' 0\n', 'PX', ARGV[1])
    answers[i] = 1
  end
end
return answers
