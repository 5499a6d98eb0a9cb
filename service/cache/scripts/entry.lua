-- What all scripts share: how a header is read, and the one way in which an entry learns that a version exists.
-- Put before each script by `service.cache.scripts`; it is not a script of its own.

local HEADER = 255

-- The header of a key: '' where it is absent, false where it is not a string at all (somebody else's data).
local function header(key)
  local head = redis.pcall('GETRANGE', key, 0, HEADER)
  if type(head) ~= 'string' then return false end
  return head
end

-- version, generation of a value or negative entry; nil for everything else. The cost behind them is looked at because
-- a version of the service that knew no epochs of types took a whole heartbeat, blanks and all, for a generation.
local function versioned(head)
  return string.match(head, '^[VN]1 (%d+) (%S+) %d')
end

-- What entries of `key` are labelled with in a generation as the heartbeat has it: `history.epoch`, and behind it, each
-- after a blank, `type:number` of every type that was given up as a whole: those are labelled `history.epoch.number`.
local function label(generation, key)
  local base, type_epochs = string.match(generation, '^(%S+)(.*)$')
  if type_epochs == '' then return base end
  local _, last = string.find(type_epochs, ' ' .. string.match(key, '^cache:([^:]*)') .. ':', 1, true)
  if not last then return base end
  return base .. '.' .. string.match(type_epochs, '^%d+', last + 1)
end

-- token, floor of a lease; nil for everything else.
local function leased(head)
  return string.match(head, '^L1 (%S+) (%d+)')
end

-- Tells `key` that `version` exists. `mode`: 'drop' has no body along, 'replace' installs over what is older,
-- 'renew' also over what is equal. Never installs onto nothing, nor onto a lease: neither proves any order.
-- An entry of another generation is not comparable, and is dropped: dropping is always safe. Generation '-' is nobody's:
-- it tells of a row that is not there at all, e.g. after a TRUNCATE, and drops a lease as well, whose loader may have
-- seen the row.
local function apply(key, version, generation, mode, stale_until, payload)
  local head = header(key)
  if head == '' then return 'absent' end
  local token, floor = nil, nil
  if head then token, floor = leased(head) end
  if token and generation ~= '-' then
    if tonumber(version) > tonumber(floor) then
      redis.call('SET', key, 'L1 ' .. token .. ' ' .. version .. '\n', 'KEEPTTL')
    end
    return 'raised'
  end
  local held, held_generation = nil, nil
  if head then held, held_generation = versioned(head) end
  if held and held_generation == generation then
    local older = tonumber(held) < tonumber(version)
    local equal = tonumber(held) == tonumber(version)
    if not older and not (equal and mode == 'renew') then return 'kept' end
    if mode ~= 'drop' then
      redis.call('SET', key, payload, 'PXAT', stale_until)
      return 'replaced'
    end
  end
  redis.call('UNLINK', key)
  return 'dropped'
end
