-- When the last reading of one point was, in µs; read from the end of the order the table is kept in.
SELECT toUnixTimestamp64Micro(time) AS last
FROM reading
PREWHERE {where}
ORDER BY point DESC, time DESC
LIMIT 1
