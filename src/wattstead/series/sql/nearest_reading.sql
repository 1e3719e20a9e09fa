-- The first or last of some readings, of each point; FINAL is not needed, the newest version is picked.
SELECT point, {edge}(toUnixTimestamp64Micro(time)) AS at, {pick}(value, (time, {tie})) AS is
FROM reading
PREWHERE {where}
GROUP BY point
