-- ARGV[2]: for how long.

freeze(tonumber(ARGV[2]))
save()
return 1
