#!lua flags=allow-oom
-- apply: tells keys that versions exist (invalidation, write-through, read-repair, early refresh).
-- KEYS heartbeat, key…   ARGV for each key: version, generation, mode, stale until, payload
-- Answers {heartbeat or '', what happened…}: absent, raised, kept, replaced, dropped.
local answers = { redis.call('GET', KEYS[1]) or '' }
for i = 2, #KEYS do
  local at = (i - 2) * 5
  answers[i] = apply(KEYS[i], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
end
return answers
