-- What wrk asks for, and what it tells at the end.
-- Arguments: method, how keys are chosen, their number, the place to begin, a file of keys or bodies, head, tail, and
-- what is sent as Authorization, or nothing.
--   uniform   any of the keys 1 to N
--   sequence  each key once: the permutation  place * 617411 mod N
--   listed    any line of the file, which is a table of drawn keys
--   bodies    any line of the file as the body, the path is the head alone
--   document  any of the keys, and the file's only line as the body with a number in it
local method, choice, keys, place, file, head, tail
local fields = ""
local lines = {}

function init(args)
    local authorization
    method, choice, keys, place, file, head, tail, authorization = unpack(args)
    keys, place, tail = tonumber(keys), tonumber(place), tail or ""
    if authorization and authorization ~= "" then fields = "Authorization: " .. authorization .. "\r\n" end
    math.randomseed(place + 1)
    if file ~= "-" then
        for line in io.lines(file) do lines[#lines + 1] = line end
    end
    io.write("BENCH READY\n")
    io.flush()
end

local function with_body(path, body)
    return method .. " " .. path .. " HTTP/1.1\r\nHost: bench\r\n" .. fields
        .. "Content-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

local function bare(key)
    return "GET " .. head .. key .. tail .. " HTTP/1.1\r\nHost: bench\r\n" .. fields .. "\r\n"
end

function request()
    if choice == "uniform" then return bare(math.random(keys)) end
    if choice == "listed" then return bare(lines[math.random(#lines)]) end
    if choice == "bodies" then return with_body(head, lines[math.random(#lines)]) end
    place = place + 1
    if choice == "sequence" then return bare((place * 617411) % keys + 1) end
    return with_body(head .. math.random(keys) .. tail, (lines[1]:gsub("NUMBER", string.format("%07d", place % 1e7))))
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\nBENCH {"requests": %d, "seconds": %.6f, "connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d, '
            .. '"p50_ms": %.3f, "p90_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f}\n',
        summary.requests, summary.duration / 1e6, errors.connect, errors.read, errors.write, errors.timeout,
        errors.status, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3,
        latency.max / 1e3))
end
