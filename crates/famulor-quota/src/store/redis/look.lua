-- What is there, and what time it is: for operations that change nothing, which
-- the client works out for itself.
local time = redis.call('TIME')
return { time[1] * 1e6 + time[2], redis.call('GET', KEYS[1]) }
