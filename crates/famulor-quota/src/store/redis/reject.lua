-- ARGV[2]: the moment granted. ARGV[3]: what the 429 said to wait, or ''.
-- Returns for how long the account is frozen now, what was written, and the clock.

local granted, hint = tonumber(ARGV[2]), tonumber(ARGV[3])

-- How carefully to go on; see ladder.rs.
local function refused(explained, busy)
    while rung ~= BURST and now - since >= CLEAN_TIME do
        rung = rung - 1
        since = since + CLEAN_TIME
    end
    local news = granted > stepped_at
    local again = granted > refused_at and refused_at > 0 and now - refused_at < CLEAN_TIME
    local next_ = rung
    if rung ~= ONE_AT_A_TIME and not explained and news then
        next_ = rung + 1
    elseif rung == BURST and again then
        next_ = SPACED
    end
    if next_ ~= rung then
        rung, rung_busy, stepped_at = next_, busy, now
    end
    since, refused_at = now, now
end

-- Until the oldest slot's release, in whichever window that is latest.
local function oldest_release(bits)
    local latest = 0
    for i = 1, #windows do
        if band(bits, lshift(1, i - 1)) ~= 0 then
            local span = windows[i][2]
            local oldest = now + span
            for j = 1, #calls do
                local release = calls[j][2] + span
                if release > now and release < oldest and counts_in(calls[j], i) then
                    oldest = release
                end
            end
            latest = max(latest, oldest)
        end
    end
    return max(0, latest - now)
end

local busy = 0
for i = 1, #calls do
    if calls[i][2] + longest(calls[i][3]) > now then
        busy = busy + 1
    end
end
local index = find(granted)
local call = index and table.remove(calls, index)
if call then
    local explained = granted < watched_from + longest(call[3]) or foreign_seen()
    for i = 1, #windows do
        explained = explained or foreign_of(windows[i]) > 0
    end
    refused(explained, busy)
end
if hint then
    freeze(hint + ROUNDING)
else
    freeze(max(oldest_release(call and call[3] or -1), ROUNDING))
end
return { max(0, frozen_until - now), save(), clock }
