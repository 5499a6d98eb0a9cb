#!lua
-- lease: gives one loader the right to fill each key that is absent.
-- KEYS heartbeat, key…   ARGV lease ms, 'read' or 'write', token…
-- Answers nil without a heartbeat; else {heartbeat, answer…}: 1 granted, 0 busy, or the entry that is there already
-- (for 'write', which has no use for its bytes: 2).
local heartbeat = redis.call('GET', KEYS[1])
if not heartbeat then return false end
local current = string.match(heartbeat, '|(%S+)$')
local answers = { heartbeat }
for i = 2, #KEYS do
  local key, mine = KEYS[i], ARGV[i + 1]
  local head = header(key)
  local token = head and leased(head)
  local _, generation = versioned(head or '')
  if token and token ~= mine then
    answers[i] = 0
  elseif generation and generation == current then
    answers[i] = ARGV[2] == 'read' and redis.call('GET', key) or 2
  else
    -- Absent, of another generation, or not ours at all. A repeated call (its reply was lost) finds its own token
    -- and keeps the floor that was raised meanwhile.
    if not token then redis.call('SET', key, 'L1 ' .. mine .. ' 0\n', 'PX', ARGV[1]) end
    answers[i] = 1
  end
end
return answers
