-- ARGV[2]: the hold. Then of each limit: its window's id, window and guard,
-- requests, window. Returns { 1, the moment granted, what was written, the clock }
-- or { 0, time to wait }, as long.

local hold = tonumber(ARGV[2])

local function rung_now()
    local up = floor(max(0, now - since) / CLEAN_TIME)
    if up == 0 then
        return rung
    elseif up == 1 and rung == ONE_AT_A_TIME then
        return SPACED
    end
    return BURST
end

-- When a slot is free.
local function slot_at(index, slots)
    if not index then
        return now
    end
    local window = windows[index]
    local foreign, span = foreign_of(window), window[2]
    if #calls + foreign < slots then
        return now
    end
    -- The earliest each can be free again: a call in flight may end now.
    local releases = {}
    for i = 1, #calls do
        local call = calls[i]
        if call[2] + span > now and counts_in(call, index) then
            releases[#releases + 1] = (call[4] and min(call[2], now) or call[2]) + span
        end
    end
    if #releases + foreign < slots then
        return now
    end
    for _ = 1, min(foreign, slots) do
        releases[#releases + 1] = window[4]
    end
    -- The last `slots` of them are the ones that make room.
    table.sort(releases)
    return releases[#releases - slots + 1]
end

-- When pacing lets it go.
local function turn_at(index, even, pace)
    local last
    for i = 1, index and #calls or 0 do
        local call = calls[i]
        if counts_in(call, index) then
            local moment = call[1]
            if pace == ONE_AT_A_TIME then
                moment = call[4] and min(call[2], now) or call[2]
            end
            last = max(last or 0, moment)
        end
    end
    local space = pace == SPACED and even + floor(even / 40) or even
    return last and max(last + space, now) or now
end

-- Forgets calls whose slots are free and that no answer still to come can have
-- counted.
local function prune()
    local horizon = now
    for i = 1, #calls do
        if unfinished(calls[i]) then
            horizon = calls[i][1]
            break
        end
    end
    local kept = {}
    for i = 1, #calls do
        local call = calls[i]
        if call[2] + longest(call[3]) > horizon then
            kept[#kept + 1] = call
        end
    end
    calls = kept
end

local function add_window(id, span)
    local index
    if #windows < MAX_WINDOWS then
        index = #windows + 1
    else
        local in_use = 0
        for i = 1, #calls do
            in_use = bit.bor(in_use, calls[i][3])
        end
        for i = MAX_WINDOWS, 1, -1 do
            if band(in_use, lshift(1, i - 1)) == 0 then
                index = i
            end
        end
    end
    if index then
        windows[index] = { id, span, 0, 0 }
    end
    return index
end

local ready, pace = max(frozen_until, now), rung_now()
for i = 3, #ARGV, 4 do
    local index, requests = window_index(ARGV[i]), tonumber(ARGV[i + 2])
    ready = max(ready, slot_at(index, requests))
    if pace ~= BURST then
        ready = max(ready, turn_at(index, floor(tonumber(ARGV[i + 3]) / requests), pace))
    end
end
if ready > now then
    return { 0, ready - now, false, false }
end

prune()
local bits = 0
for i = 3, #ARGV, 4 do
    local index = window_index(ARGV[i]) or add_window(ARGV[i], tonumber(ARGV[i + 1]))
    if not index then
        return { 0, 1e6, false, false }
    end
    bits = bit.bor(bits, lshift(1, index - 1))
end
last_granted = max(now, last_granted + 1)
calls[#calls + 1] = { last_granted, now + hold, bits, true }
return { 1, last_granted, save(), clock }
