-- Keeps what a client has worked out for itself, from what it wrote last: if
-- nobody else has written since, and if it is the time that it was taken for.
--
-- KEYS[1]: the account. ARGV[1]: the clock, for tests, or ''. ARGV[2]: what was
-- written last. ARGV[3]: what is to be. ARGV[4] and ARGV[5]: the clock at the
-- earliest and at the latest. ARGV[6]: for how many milliseconds to keep it.
-- Returns the clock, or, when nothing was kept: 0 if it is another time, -1 if
-- somebody else has written.

local clock = tonumber(ARGV[1])
if not clock then
    local time = redis.call('TIME')
    clock = time[1] * 1e6 + time[2]
end
if redis.call('GET', KEYS[1]) ~= ARGV[2] then
    return -1
end
if clock < tonumber(ARGV[4]) or clock > tonumber(ARGV[5]) then
    return 0
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[6])
return clock
