-- ARGV[2]: for how long. Returns what was written and the clock.

freeze(tonumber(ARGV[2]))
return { save(), clock }
