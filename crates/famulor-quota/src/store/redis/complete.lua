-- ARGV[2]: the moment granted. ARGV[3]: 'not sent', 'abandoned', 'answered', or
-- 'seen' with ARGV[4]: the window's id, and ARGV[5]: how many the server had
-- counted. ARGV[6]: the channel for news. Returns what was written and the clock,
-- or nothing when there is no such slot.

local index, how = find(tonumber(ARGV[2])), ARGV[3]
if not index then
    return false
end
local answered = calls[index]

-- What an answer's headers prove; see witness.rs.
local function witness(window, counted)
    if not unfinished(answered) or not window or not counts_in(answered, window) then
        return
    end
    local ours, span = released_after(window, answered[1]), windows[window][2]
    local sees_all = answered[1] >= max(watched_from, refused_at) + span
    if counted > ours then
        local foreign = counted - ours
        if foreign >= foreign_of(windows[window]) then
            windows[window][3] = foreign
            windows[window][4] = now + span
        end
        if sees_all then
            foreign_seen_until = now + CLEAN_TIME
        end
    elseif counted == ours and sees_all and not foreign_seen() then
        for i = 1, #calls do
            if counts_in(calls[i], window) then
                calls[i][2] = min(calls[i][2], now)
            end
        end
    end
end

if how == 'not sent' then
    table.remove(calls, index)
    redis.call('PUBLISH', ARGV[6], KEYS[1])
elseif how == 'abandoned' then
    answered[2] = min(answered[2], now + LATE_ARRIVAL)
    answered[4] = false
else
    if how == 'seen' then
        witness(window_index(ARGV[4]), tonumber(ARGV[5]))
    end
    answered[2] = min(answered[2], now)
    answered[4] = false
end
return { save(), clock }
