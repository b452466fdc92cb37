-- The rules of crate::ledger, for one account, in the layout of
-- Ledger::encode; `equivalence` in tests.rs holds both to the same bytes.
-- Moments and spans are microseconds, below 2^53. Each operation's script is
-- this text and then its own.
--
-- KEYS[1]: the account. ARGV[1]: the clock, for tests, or ''.

local LAYOUT = 1
local LATE_ARRIVAL, CLEAN_TIME = 30e6, 1800e6
local MAX_FREEZE, ROUNDING = 3600e6, 1e6
local MAX_WINDOWS = 32
-- Kept for so much longer than there is something to remember, because an
-- account that is new draws no conclusions for a window.
local KEEP_IDLE = 3600e6

local BURST, SPACED, ONE_AT_A_TIME = 0, 1, 2
local min, max, floor = math.min, math.max, math.floor
local pack, unpack = struct.pack, struct.unpack

-- now: the account's own time. It stands still when the clock is set back, and
-- 0 means "never".
local clock, now = tonumber(ARGV[1]), 1
local watched_from, last_granted, frozen_until, foreign_seen_until = 1, 0, 0, 0
local since, refused_at, stepped_at, rung, rung_busy = 0, 0, 0, BURST, 0
-- windows: { id, span, foreign, foreign_until }, span with the guard.
-- calls: { granted, done, windows, in_flight }, in the order of granted.
local windows, calls = {}, {}

if not clock then
    local time = redis.call('TIME')
    clock = time[1] * 1e6 + time[2]
end

local stored = redis.call('GET', KEYS[1])
if stored then
    local at, was, layout, n, place
    at, was, layout, place = unpack('<I8I8B', stored)
    if layout ~= LAYOUT then
        return redis.error_reply('LAYOUT ' .. layout)
    end
    now = at + max(0, clock - was)
    watched_from, last_granted, frozen_until, foreign_seen_until,
    since, refused_at, stepped_at, rung, rung_busy, n, place =
        unpack('<I8I8I8I8I8I8I8BI4B', stored, place)
    for i = 1, n do
        local id, span, foreign, foreign_until
        id, span, foreign, foreign_until, place = unpack('<c8I8I4I8', stored, place)
        windows[i] = { id, span, foreign, foreign_until }
    end
    n, place = unpack('<I4', stored, place)
    for i = 1, n do
        local granted, done, bits, in_flight
        granted, done, bits, in_flight, place = unpack('<I8I8I4B', stored, place)
        calls[i] = { granted, done, bits, in_flight == 1 }
    end
end

local band, lshift = bit.band, bit.lshift

local function counts_in(call, window)
    return band(call[3], lshift(1, window - 1)) ~= 0
end

local function unfinished(call)
    return call[4] and call[2] > now
end

-- The longest window and guard that these bits count in.
local function longest(bits)
    local span = 0
    for i = 1, #windows do
        if windows[i][2] > span and band(bits, lshift(1, i - 1)) ~= 0 then
            span = windows[i][2]
        end
    end
    return span
end

local function window_index(id)
    for i = 1, #windows do
        if windows[i][1] == id then
            return i
        end
    end
end

local function find(granted)
    for i = 1, #calls do
        if calls[i][1] == granted then
            return i
        end
    end
end

local function foreign_of(window)
    return window[4] > now and window[3] or 0
end

local function foreign_seen()
    return foreign_seen_until > now
end

-- How many calls hold a slot of this window after `then_`.
local function released_after(index, then_)
    local span, count = windows[index][2], 0
    for i = 1, #calls do
        local call = calls[i]
        if call[2] + span > then_ and counts_in(call, index) then
            count = count + 1
        end
    end
    return count
end

local function freeze(time)
    frozen_until = max(frozen_until, now + min(time, MAX_FREEZE))
end

-- Writes the account, and returns what it wrote.
local function save()
    local parts = {
        pack('<I8I8BI8I8I8I8I8I8I8BI4B', now, clock, LAYOUT,
            watched_from, last_granted, frozen_until, foreign_seen_until,
            since, refused_at, stepped_at, rung, rung_busy, #windows),
    }
    -- When there is nothing to remember any more.
    local idle, spans = max(now, frozen_until, foreign_seen_until), 0
    for i = 1, #windows do
        local window = windows[i]
        spans = max(spans, window[2])
        parts[#parts + 1] = pack('<c8I8I4I8', window[1], window[2], window[3], window[4])
    end
    parts[#parts + 1] = pack('<I4', #calls)
    for i = 1, #calls do
        local call = calls[i]
        idle = max(idle, call[2] + spans)
        parts[#parts + 1] = pack('<I8I8I4B', call[1], call[2], call[3], call[4] and 1 or 0)
    end
    if refused_at > 0 then
        idle = max(idle, refused_at + spans, since + rung * CLEAN_TIME)
    end
    local keep = floor((idle - now + KEEP_IDLE) / 1000) + 1
    local saved = table.concat(parts)
    redis.call('SET', KEYS[1], saved, 'PX', keep)
    return saved
end
